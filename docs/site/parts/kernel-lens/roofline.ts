/** The roofline, as Observable Plot draws it: the limits measured in this page, and dots for what ran. */
import { asPicture } from '../shared/picture.js'

export interface Dot {
  name: string
  /** Flops a byte. */
  intensity: number
  gflops: number
  now: boolean
}

export interface Roof {
  peak: number
  /** GB/s */
  bandwidth: number
}

/** The speed that the roof allows. */
export const roofAt = ({ peak, bandwidth }: Roof, intensity: number): number => Math.min(peak, bandwidth * intensity)

export async function drawRoofline(roof: Roof, dots: readonly Dot[], width: number): Promise<Element> {
  const Plot = await import('@observablehq/plot')
  const least = Math.min(1 / 16, ...dots.map(({ intensity }) => intensity / 2))
  const most = Math.max(256, ...dots.map(({ intensity }) => intensity * 2))
  const line = [least, roof.peak / roof.bandwidth, most].map((intensity) => ({ intensity, gflops: roofAt(roof, intensity) }))
  const bottom = Math.min(...line.map(({ gflops }) => gflops), ...dots.map(({ gflops }) => gflops)) / 2
  return asPicture(
    Plot.plot({
      width,
      height: Math.min(340, width * 0.7),
      marginLeft: 48,
      style: { background: 'none', color: 'var(--ink)', fontSize: '12px', overflow: 'visible' },
      x: {
        type: 'log',
        label: 'flops a byte →',
        domain: [least, most],
        ticks: 5,
        tickFormat: (x: number) => String(Number(x.toPrecision(2))),
      },
      y: {
        type: 'log',
        label: '↑ GFLOP/s',
        domain: [bottom, roof.peak * 2],
        ticks: 4,
        tickFormat: (y: number) => String(Number(y.toPrecision(2))),
        grid: true,
      },
      ariaLabel: 'The roofline',
      ariaDescription: `The roof is ${roof.bandwidth.toPrecision(3)} GB/s times the flops a byte, at most ${roof.peak.toPrecision(3)} GFLOP/s. ${dots
        .map(({ name, intensity, gflops }) => `${name}: ${gflops.toPrecision(3)} GFLOP/s at ${intensity.toPrecision(3)} flops a byte`)
        .join('. ')}.`,
      marks: [
        Plot.line(line, { x: 'intensity', y: 'gflops', stroke: 'var(--muted)', strokeWidth: 2 }),
        Plot.text([line[2]], {
          x: 'intensity',
          y: 'gflops',
          text: () => `peak ${roof.peak.toPrecision(3)}`,
          dy: -10,
          textAnchor: 'end',
          fill: 'var(--muted)',
        }),
        Plot.ruleX(dots.filter(({ now }) => now).slice(0, 1), {
          x: 'intensity',
          y1: 'gflops',
          y2: ({ intensity }: Dot) => roofAt(roof, intensity),
          stroke: 'var(--series-2)',
          strokeDasharray: '3 3',
        }),
        Plot.dot(dots, {
          x: 'intensity',
          y: 'gflops',
          r: ({ now }: Dot) => (now ? 7 : 4),
          fill: ({ now }: Dot) => (now ? 'var(--series-2)' : 'var(--muted)'),
          fillOpacity: ({ now }: Dot) => (now ? 1 : 0.6),
          title: ({ name, gflops }: Dot) => `${name}: ${gflops.toPrecision(3)} GFLOP/s`,
        }),
        Plot.text(
          dots.filter(({ now }) => now),
          { x: 'intensity', y: 'gflops', text: 'name', dy: 16, fill: 'var(--ink)', stroke: 'var(--card)', strokeWidth: 4 },
        ),
      ],
    }),
  )
}

/**
 * The plots that the documents draw after training: accuracy (if it was measured) and loss by epoch, side by side in one SVG.
 *
 * Vega-Lite draws them without a DOM. It is loaded here alone, when a plot is asked for. The colours are those of the documents'
 * plots; the test curve is also dashed, so that it can be told without colours.
 */
import type { History } from '@cotangent/layers'
import type { TopLevelSpec } from 'vega-lite'

interface Point {
  epoch: number
  value: number
  series: 'train' | 'test'
}

/** With fewer epochs than this the curve has dots, since a line through one point shows nothing. */
const FEW_EPOCHS = 12
const TICKS = 10

/** The points of a value and of its `val_` twin; values that are not finite are left out. */
function points({ epoch, history }: Pick<History, 'epoch' | 'history'>, name: string): Point[] {
  const curve = (series: Point['series'], values: readonly number[] = []): Point[] =>
    values.map((value, i) => ({ epoch: epoch[i], value, series })).filter((point) => Number.isFinite(point.value))
  return [...curve('train', history[name]), ...curve('test', history[`val_${name}`])]
}

/** Whole epochs at equal distances, at most TICKS of them. */
function epochTicks(epoch: readonly number[]): number[] {
  const step = Math.ceil(epoch.length / TICKS)
  return epoch.filter((_, i) => i % step === 0)
}

function panel(label: string, values: readonly Point[], epoch: readonly number[]): object {
  const few = epoch.length < FEW_EPOCHS
  const series = ['train', 'test']
  const dots = { type: 'point', filled: true, opacity: 1, size: 45, strokeDash: [1, 0] }
  return {
    title: { text: `model ${label}`, fontSize: 16, fontWeight: 'normal', anchor: 'middle' },
    width: 400,
    height: 280,
    data: { values },
    layer: [{ mark: { type: 'line', strokeWidth: 2 } }, ...(few ? [{ mark: dots }] : [])],
    encoding: {
      x: {
        field: 'epoch',
        type: 'quantitative',
        title: 'epoch',
        scale: { nice: false },
        axis: { values: epochTicks(epoch), tickCount: TICKS, format: '.0f', grid: false, labelFlush: false },
      },
      y: { field: 'value', type: 'quantitative', title: label, scale: { zero: false } },
      color: { field: 'series', title: null, scale: { domain: series, range: ['#1f77b4', '#ff7f0e'] } },
      strokeDash: {
        field: 'series',
        title: null,
        scale: {
          domain: series,
          range: [
            [1, 0],
            [6, 3],
          ],
        },
      },
    },
  }
}

/**
 * The curves as an SVG document.
 *
 * @param title what was trained, above both plots
 */
export async function curvesSvg(history: Pick<History, 'epoch' | 'history'>, title: string): Promise<string> {
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')])
  const accuracy = ['accuracy', 'acc'].find((name) => name in history.history)
  const panels = [...(accuracy ? [['accuracy', accuracy]] : []), ['loss', 'loss']]
  const spec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { text: title, fontSize: 14, color: '#555', fontWeight: 'normal', offset: 14 },
    background: 'white',
    padding: 16,
    spacing: 48,
    hconcat: panels.map(([label, name]) => panel(label, points(history, name), history.epoch)),
    resolve: { legend: { color: 'independent', strokeDash: 'independent' }, scale: { x: 'independent', y: 'independent' } },
    config: {
      font: 'sans-serif',
      axis: { labelFontSize: 12, titleFontSize: 14, titleFontWeight: 'normal', titlePadding: 10 },
      legend: { labelFontSize: 13, orient: 'top', direction: 'horizontal', symbolType: 'stroke', symbolSize: 400, symbolStrokeWidth: 2 },
    },
  } as unknown as TopLevelSpec
  const view = new vega.View(vega.parse(vegaLite.compile(spec).spec), { renderer: 'none', logLevel: vega.Error })
  try {
    return `${await view.toSVG()}\n`
  } finally {
    view.finalize()
  }
}

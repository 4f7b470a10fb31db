/** The two figures: digits over the plane of codes, and where the test digits lie in it. */
import type { NDArray } from '@cotangent/datasets'
import { thousands } from '../lib/experiment.js'
import { largeText, middle, sheet, svgPage, text } from '../lib/svg.js'

const [LEFT, TOP] = [36, 32]

/** The least and the greatest value of each of the two numbers that a figure shows. */
export type Range = readonly [across: readonly [number, number], up: readonly [number, number]]

/** The range that leaves out a share of the codes, [n, 2], at each end of both numbers. */
export function rangeOf(codes: Float32Array, share: number): Range {
  const along = (axis: number): [number, number] => {
    const values = codes.filter((_, i) => i % 2 === axis).sort()
    const out = Math.floor(share * values.length)
    return [values[out], values[values.length - 1 - out]]
  }
  return [along(0), along(1)]
}

/** `side`² codes in a square, row by row from the top. */
export function gridOfCodes(side: number, [across, up]: Range): Float32Array {
  const at = ([least, most]: readonly [number, number], i: number): number => least + ((most - least) * i) / (side - 1)
  return Float32Array.from({ length: side * side * 2 }, (_, i) =>
    i % 2 === 0 ? at(across, (i / 2) % side) : at(up, side - 1 - Math.floor(i / 2 / side)),
  )
}

/** Where a value of a range lies in a figure of `size` pixels, whose first and last values are `inset` from its ends. */
const placeIn = ([least, most]: readonly [number, number], size: number, inset: number, value: number): number =>
  inset + ((size - 2 * inset) * (value - least)) / (most - least)

/** The whole numbers of a range, below and at the left of a square. */
function axes(size: number, range: Range, inset: number): string[] {
  return range.flatMap((ends, axis) => {
    const [first, last] = [Math.ceil(ends[0]), Math.floor(ends[1])]
    return Array.from({ length: last - first + 1 }, (_, i) => {
      const at = Math.round(placeIn(ends, size, inset, first + i))
      const words = String(first + i).replace('-', '−')
      return axis === 0 ? text(LEFT + at, TOP + size + 20, words, middle) : text(LEFT - 8, TOP + size - at + 5, words, ' text-anchor="end"')
    })
  })
}

/** The images that the decoder makes of the codes of `gridOfCodes(side, range)`. */
export function digitsSvg(images: NDArray<Uint8Array>, side: number, range: Range): string {
  const scale = 1.5
  const size = side * 28 * scale
  const body = [
    text(LEFT, 16, 'The digits that the decoder draws for the codes of the plane', ' class="title"'),
    sheet(images, side, { x: LEFT, y: TOP, scale }),
    ...axes(size, range, 14 * scale),
  ]
  const title = 'Digits over the plane of codes, changing smoothly into each other'
  return svgPage([LEFT + size, TOP + size + 30], title, body, `${largeText}\nimage { image-rendering: auto }`)
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]

type Point = [x: number, y: number]

/** Names may lie over each other: these points are moved apart until all are `distance` from each other. */
export function apart(points: readonly Point[], distance: number): Point[] {
  const moved = points.map(([x, y]): Point => [x, y])
  for (let round = 0; round < 100; round++) {
    for (const [i, a] of moved.entries()) {
      for (const b of moved.slice(0, i)) {
        const [dx, dy] = [a[0] - b[0], a[1] - b[1]]
        const far = Math.hypot(dx, dy)
        if (far >= distance) continue
        const half = (distance - far) / 2
        const [x, y] = far > 0 ? [(half * dx) / far, (half * dy) / far] : [half, 0]
        a[0] += x
        a[1] += y
        b[0] -= x
        b[1] -= y
      }
    }
  }
  return moved.map(([x, y]) => [Math.round(x), Math.round(y)])
}

const light = ['#1f77b4', '#e8710a', '#2ca02c', '#d62728', '#8250df', '#8c564b', '#d63a9f', '#6e7781', '#9a7d00', '#0e9aa7']
const dark = ['#58a6ff', '#ff9e4a', '#4fcf60', '#ff6b6b', '#b794ff', '#c49a8c', '#ff7ac8', '#b1bac4', '#e3c33a', '#3fd0dc']
const colours = (paper: string, set: readonly string[]): string =>
  `svg { --paper: ${paper}; ${set.map((colour, digit) => `--d${digit}: ${colour}`).join('; ')} }`
const style = `${largeText}
${colours('#ffffffcc', light)}
@media (prefers-color-scheme: dark) { ${colours('#0d1117cc', dark)} }
path { fill: none; stroke-width: 4; stroke-linecap: round; stroke-opacity: 0.6 }
.frame { fill: none; stroke: var(--line) }
.class { font-size: 26px; font-weight: 700; fill: var(--ink); stroke: var(--paper); stroke-width: 4; paint-order: stroke }`

/** A dot for each code, [n, 2], in the colour of its digit, and each digit's number at the median of its codes. */
export function codesSvg(codes: Float32Array, labels: ArrayLike<number>): string {
  const size = 630
  const range = rangeOf(codes, 0)
  const place = (i: number, axis: number): number => Math.round(placeIn(range[axis], size, 8, codes[2 * i + axis]))
  const classes = Array.from({ length: 10 }, (): Point[] => [])
  for (let i = 0; i < labels.length; i++) classes[labels[i]].push([LEFT + place(i, 0), TOP + size - place(i, 1)])
  // A line of no length with round ends is a dot, and takes fewer bytes than a circle.
  const dots = classes.map((points, digit) => `<path stroke="var(--d${digit})" d="${points.map(([x, y]) => `M${x} ${y}h0`).join('')}"/>`)
  const present = [...classes.keys()].filter((digit) => classes[digit].length > 0)
  const middles = present.map((digit): Point => [median(classes[digit].map(([x]) => x)), median(classes[digit].map(([, y]) => y))])
  const names = apart(middles, 26).map(([x, y], i) => text(x, y + 9, String(present[i]), `${middle} class="class"`))
  const body = [
    text(LEFT, 16, `The codes of ${thousands(labels.length)} test digits, coloured by class`, ' class="title"'),
    `<rect class="frame" x="${LEFT}" y="${TOP}" width="${size}" height="${size}"/>`,
    ...dots,
    ...names,
    ...axes(size, range, 8),
  ]
  return svgPage([LEFT + size + 10, TOP + size + 30], 'Codes of test digits by class', body, style)
}

/**
 * Convolutions without an unfolded tensor, and their two gradients. The depthwise ones differ from them in one axis only.
 *
 * Where it is faster (`engine.tiling`) a thread makes four channels of a cell: the values it reads of the image serve all four. On WebGL large
 * convolutions become products (conv-vectors.ts).
 *
 * A filter has few cells, and its gradient is a sum over all positions of all images for each. With one thread a cell a device would idle. So the sums are
 * taken in groups of rows of windows, and a second launch adds the groups. The shape alone decides how many there are.
 */
import { type Shape, stridesOf, type Window } from '../../../tensor/shape.js'
import type { FusedKernels, Operand } from '../../backend.js'
import type { Engine } from '../device/engine.js'
import { address } from '../source/addressing.js'
import { dotInto, returnCells } from '../source/dot.js'
import { between, sumInto } from '../source/rules.js'
import { byVectors, convByVectors, convFilterByVectors, convInputByVectors } from './conv-vectors.js'
import { withTemporaries } from './temporaries.js'
import { windowCell, windowOver } from './window.js'

/** With fewer multiply-adds than this, a thread makes one cell, even where `tiling` offers four. */
const SMALL = 2 ** 15

/** The most elements of all groups' gradients of a filter together. */
const MOST_PARTS = 2 ** 22

/** About the number of threads that share a filter's gradient. */
const FILTER_THREADS = 16384

type ConvKernels = Required<
  Pick<FusedKernels, 'conv2d' | 'conv2dInput' | 'conv2dFilter' | 'depthwiseConv2d' | 'depthwiseConv2dInput' | 'depthwiseConv2dFilter'>
>

/** The cells a thread makes, side by side along the last axis. */
type Columns = 1 | 4
const all = (columns: Columns, line: (c: number) => string): string => Array.from({ length: columns }, (_, c) => line(c)).join('\n')

/** Statements that sum over the taps of a window. `tap` sets `sum0` …; each that lies inside x is added to `total0` …. */
const overTaps = (
  window: Window,
  x: Shape,
  [oy, ox]: readonly string[],
  columns: Columns,
  tap: (row: string, column: string, ky: string, kx: string) => string,
) => `
${all(columns, (c) => `let total${c} = 0;`)}
for (let ky = 0; ky < ${window.kernelSize[0]}; ky++) {
  for (let kx = 0; kx < ${window.kernelSize[1]}; kx++) {
    ${windowCell(window, x, { oy, ox, ky: 'ky', kx: 'kx' })}
    ${tap('row', 'column', 'ky', 'kx')}
    ${all(columns, (c) => `total${c} += inside > 0 ? sum${c} : 0;`)}
  }
}`

/** The same sum over the windows that contain a cell. */
const overWindows = (
  window: Window,
  [y, z]: readonly string[],
  columns: Columns,
  tap: (oy: string, ox: string, ky: string, kx: string) => string,
) => `
${all(columns, (c) => `let total${c} = 0;`)}
for (let ky = 0; ky < ${window.kernelSize[0]}; ky++) {
  ${windowOver('oy', y, 'ky', 0, window)}
  for (let kx = 0; kx < ${window.kernelSize[1]}; kx++) {
    ${windowOver('ox', z, 'kx', 1, window)}
    if (oyHit * oxHit > 0) {
      ${tap('oy', 'ox', 'ky', 'kx')}
      ${all(columns, (c) => `total${c} += sum${c};`)}
    }
  }
}`

/** Coordinates with the strides of a tensor's axes, in the form that source/dot.ts takes. */
const start = (coordinates: readonly string[], shape: Shape) => {
  const strides = stridesOf(shape)
  return { at: coordinates.map((coordinate, axis) => [coordinate, strides[axis]] as const) }
}

export function convKernels(engine: Engine): ConvKernels {
  const options = { floatAddresses: true }

  /** Runs a kernel over out's cells, four cells a thread if that pays for sums of `length` terms. */
  function runCells(
    out: Operand,
    length: number,
    arrays: Record<string, Operand>,
    body: (at: readonly string[], columns: Columns) => string,
  ) {
    const last = out.shape.length - 1
    const channels = out.shape[last]
    if (!engine.tiling || channels % 4 !== 0 || out.size * length < SMALL) {
      return engine.run(out, out.shape, { arrays }, ({ at }) => body(at, 1), options)
    }
    engine.runFours(out, [...out.shape.slice(0, last), channels / 4], { arrays }, ({ at }) => body(at, 4), options)
  }

  /**
   * out [kh, kw, ..more] = Σ x·dY over the positions of the window, where `more` stands for the channels. `wide`: the last of these axes is dY's alone.
   */
  function filterGradient(
    out: Operand,
    x: Operand,
    dY: Operand,
    window: Window,
    wide: boolean,
    channels: (more: readonly string[]) => [string, string],
  ) {
    if (x.size === 0 || dY.size === 0) return engine.fill(out, 0)
    const [, oh, ow, filters] = dY.shape
    const rows = dY.shape[0] * oh
    const columns = wide && engine.tiling && filters % 4 === 0 && out.size * rows * ow >= SMALL ? 4 : 1
    const length = Math.ceil(rows / Math.min(rows, Math.max(1, Math.floor((FILTER_THREADS * columns) / out.size))))
    const groups = Math.ceil(rows / length)
    const body = ([group, ky, kx, ...more]: readonly string[]): string => {
      const [c, f] = channels(more)
      const strides = stridesOf(dY.shape).map((stride, axis) => (axis === 3 ? columns : stride))
      return `
${all(columns, (n) => `let total${n} = 0;`)}
for (let l = 0; l < ${length}; l++) {
  const position = ${address([group, 'l'], [length, 1])};
  const last = ${between('position', 0, rows - 1)};
  const b = Math.floor((last + 0.5) / ${oh});
  const oy = last - b * ${oh};
  ${all(columns, (n) => `let part${n} = 0;`)}
  for (let ox = 0; ox < ${ow}; ox++) {
    ${windowCell(window, x.shape, { oy: 'oy', ox: 'ox', ky, kx })}
    const v = x[${address(['b', 'row', 'column', c], stridesOf(x.shape))}];
    const used = inside > 0 ? v : 0;
    ${all(columns, (n) => `part${n} += used * dY[${address(['b', 'oy', 'ox', f], strides, n)}];`)}
  }
  ${all(columns, (n) => `total${n} += position === last ? part${n} : 0;`)}
}
${returnCells('total', columns)}`
    }
    const inputs = { arrays: { x, dY } }
    const axes = [...out.shape.slice(0, -1), out.shape[out.shape.length - 1] / columns]
    if (groups === 1) {
      if (columns === 4) return engine.runFours(out, axes, inputs, ({ at }) => body(['0', ...at]), options)
      return engine.run(out, axes, inputs, ({ at }) => body(['0', ...at]), options)
    }
    withTemporaries(engine, x, (make) => {
      const parts = make([groups, ...axes], inputs, ({ at }) => body(at), columns === 4 ? { ...options, fours: 'flat' } : options)
      engine.run(out, [out.size], { arrays: { parts } }, ({ flat }) => {
        return `${sumInto('sum', groups, (l) => `parts[${address([l, flat], [out.size, 1])}]`)}\nreturn sum;`
      })
    })
  }

  return {
    conv2d(out, x, filter, bias, window, relu) {
      if (x.size === 0) return engine.fill(out, 0)
      const [kh, kw, channels, filters] = filter.shape
      if (byVectors(engine, out.size / filters, kh * kw * channels, filters))
        return convByVectors(engine, out, x, filter, bias, window, relu)
      runCells(out, kh * kw * channels, { x, weights: filter, ...(bias ? { bias } : {}) }, ([b, oy, ox, f], columns) => {
        const taps = overTaps(window, x.shape, [oy, ox], columns, (row, column, ky, kx) => {
          const weights = { at: [...start([ky, kx], filter.shape).at, [f, columns] as const] }
          return dotInto(
            'sum',
            channels,
            { array: 'x', start: start([b, row, column], x.shape), step: 1 },
            { array: 'weights', start: weights, step: filters },
            columns,
            1,
          )
        })
        return `${taps}\n${returnCells('total', columns, relu, bias && ((c) => `bias[${address([f], [columns], c)}]`))}`
      })
    },

    conv2dInput(out, dY, filter, window) {
      if (dY.size === 0) return engine.fill(out, 0)
      const [kh, kw, , filters] = filter.shape
      if (byVectors(engine, dY.size / filters, filter.size / filters, filters)) return convInputByVectors(engine, out, dY, filter, window)
      runCells(out, kh * kw * filters, { dY, weights: filter }, ([b, y, z, c], columns) => {
        const taps = overWindows(window, [y, z], columns, (oy, ox, ky, kx) => {
          const weights = { at: [...start([ky, kx], filter.shape).at, [c, columns * filters] as const] }
          return dotInto(
            'sum',
            filters,
            { array: 'dY', start: start([b, oy, ox], dY.shape), step: 1 },
            { array: 'weights', start: weights, step: 1 },
            columns,
            filters,
          )
        })
        return `${taps}\n${returnCells('total', columns)}`
      })
    },

    conv2dFilter(out, x, dY, window) {
      const filters = out.shape[3]
      const taps = out.size / filters
      const few = dY.shape[0] * out.size <= MOST_PARTS
      if (few && byVectors(engine, dY.size / filters, taps, filters)) return convFilterByVectors(engine, out, x, dY, window)
      filterGradient(out, x, dY, window, true, ([c, f]) => [c, f])
    },

    depthwiseConv2d(out, x, filter, window) {
      if (x.size === 0) return engine.fill(out, 0)
      engine.run(
        out,
        out.shape,
        { arrays: { x, weights: filter } },
        ({ at: [b, oy, ox, c] }) =>
          `${overTaps(window, x.shape, [oy, ox], 1, (row, column, ky, kx) => {
            const value = `x[${address([b, row, column, c], stridesOf(x.shape))}]`
            return `const sum0 = ${value} * weights[${address([ky, kx, c], stridesOf(filter.shape))}];`
          })}\nreturn total0;`,
        options,
      )
    },

    depthwiseConv2dInput(out, dY, filter, window) {
      if (dY.size === 0) return engine.fill(out, 0)
      engine.run(
        out,
        out.shape,
        { arrays: { dY, weights: filter } },
        ({ at: [b, y, z, c] }) =>
          `${overWindows(window, [y, z], 1, (oy, ox, ky, kx) => {
            const value = `dY[${address([b, oy, ox, c], stridesOf(dY.shape))}]`
            return `const sum0 = ${value} * weights[${address([ky, kx, c], stridesOf(filter.shape))}];`
          })}\nreturn total0;`,
        options,
      )
    },

    depthwiseConv2dFilter: (out, x, dY, window) => filterGradient(out, x, dY, window, false, ([c]) => [c, c]),
  }
}

/**
 * Convolutions without the unfolded tensor in between, and their two adjoints; the depthwise ones differ from them in one axis only.
 *
 * A filter has few cells, each a sum over all positions of all images: one thread a cell would leave a device idle. So these sums are taken in groups
 * of rows of windows, and the groups are added by a second launch; the shape alone decides into how many.
 */
import { type Shape, stridesOf, type Window } from '../../shape.js'
import type { FusedKernels, Operand } from '../backend.js'
import { address } from './addressing.js'
import type { Engine } from './engine.js'
import { windowCell, windowOver } from './kernels-window.js'
import { between, maxOf, sumInto } from './rules.js'
import { withTemporaries } from './temporaries.js'

/** Threads that a filter's gradient is spread over, about. */
const FILTER_THREADS = 16384

type ConvKernels = Required<
  Pick<FusedKernels, 'conv2d' | 'conv2dInput' | 'conv2dFilter' | 'depthwiseConv2d' | 'depthwiseConv2dInput' | 'depthwiseConv2dFilter'>
>

/** The body that sums, over the taps of the window at a position, what `tap` makes of one, wherever it lies in x. */
const overTaps = (
  window: Window,
  x: Shape,
  [oy, ox]: readonly string[],
  tap: (row: string, column: string, ky: string, kx: string) => string,
) => `
let total = 0;
for (let ky = 0; ky < ${window.kernelSize[0]}; ky++) {
  for (let kx = 0; kx < ${window.kernelSize[1]}; kx++) {
    ${windowCell(window, x, { oy, ox, ky: 'ky', kx: 'kx' })}
    ${tap('row', 'column', 'ky', 'kx')}
    total += inside > 0 ? sum : 0;
  }
}`

/** The body that sums, over the windows that hold a cell, what `tap` makes of one. */
const overWindows = (window: Window, [y, z]: readonly string[], tap: (oy: string, ox: string, ky: string, kx: string) => string) => `
let total = 0;
for (let ky = 0; ky < ${window.kernelSize[0]}; ky++) {
  ${windowOver('oy', y, 'ky', 0, window)}
  for (let kx = 0; kx < ${window.kernelSize[1]}; kx++) {
    ${windowOver('ox', z, 'kx', 1, window)}
    if (oyHit * oxHit > 0) {
      ${tap('oy', 'ox', 'ky', 'kx')}
      total += sum;
    }
  }
}
return total;`

export function convKernels(engine: Engine): ConvKernels {
  /** out [kh, kw, ..more] = Σ over the positions of x's window, of x·dY at the channels that `more` stands for. */
  function filterGradient(out: Operand, x: Operand, dY: Operand, window: Window, channels: (more: readonly string[]) => [string, string]) {
    if (x.size === 0 || dY.size === 0) return engine.fill(out, 0)
    const [, oh, ow] = dY.shape
    const rows = dY.shape[0] * oh
    const length = Math.ceil(rows / Math.min(rows, Math.max(1, Math.floor(FILTER_THREADS / out.size))))
    const groups = Math.ceil(rows / length)
    const body = ([group, ky, kx, ...more]: readonly string[]): string => {
      const [c, f] = channels(more)
      return `
let total = 0;
for (let l = 0; l < ${length}; l++) {
  const position = ${address([group, 'l'], [length, 1])};
  const last = ${between('position', 0, rows - 1)};
  const b = Math.floor((last + 0.5) / ${oh});
  const oy = last - b * ${oh};
  let part = 0;
  for (let ox = 0; ox < ${ow}; ox++) {
    ${windowCell(window, x.shape, { oy: 'oy', ox: 'ox', ky, kx })}
    const product = x[${address(['b', 'row', 'column', c], stridesOf(x.shape))}] * dY[${address(['b', 'oy', 'ox', f], stridesOf(dY.shape))}];
    part += inside > 0 ? product : 0;
  }
  total += position === last ? part : 0;
}
return total;`
    }
    const inputs = { arrays: { x, dY } }
    if (groups === 1) return engine.run(out, out.shape, inputs, ({ at }) => body(['0', ...at]), { floatAddresses: true })
    withTemporaries(engine, x, (make) => {
      const parts = make([groups, ...out.shape], inputs, ({ at }) => body(at), { floatAddresses: true })
      engine.run(out, [out.size], { arrays: { parts } }, ({ flat }) => {
        return `${sumInto('sum', groups, (l) => `parts[${address([l, flat], [out.size, 1])}]`)}\nreturn sum;`
      })
    })
  }

  return {
    conv2d(out, x, filter, bias, window, relu) {
      if (x.size === 0) return engine.fill(out, 0)
      const channels = filter.shape[2]
      engine.run(
        out,
        out.shape,
        { arrays: { x, weights: filter, ...(bias ? { bias } : {}) } },
        ({ at: [b, oy, ox, f] }) => `
${overTaps(window, x.shape, [oy, ox], (row, column, ky, kx) =>
  sumInto('sum', channels, (c) => {
    const value = `x[${address([b, row, column, c], stridesOf(x.shape))}]`
    return `${value} * weights[${address([ky, kx, c, f], stridesOf(filter.shape))}]`
  }),
)}
${bias ? `total += bias[${f}];` : ''}
return ${relu ? maxOf('total', '0') : 'total'};`,
        { floatAddresses: true },
      )
    },

    conv2dInput(out, dY, filter, window) {
      if (dY.size === 0) return engine.fill(out, 0)
      engine.run(
        out,
        out.shape,
        { arrays: { dY, weights: filter } },
        ({ at: [b, y, z, c] }) =>
          overWindows(window, [y, z], (oy, ox, ky, kx) =>
            sumInto('sum', dY.shape[3], (f) => {
              const value = `dY[${address([b, oy, ox, f], stridesOf(dY.shape))}]`
              return `${value} * weights[${address([ky, kx, c, f], stridesOf(filter.shape))}]`
            }),
          ),
        { floatAddresses: true },
      )
    },

    conv2dFilter: (out, x, dY, window) => filterGradient(out, x, dY, window, ([c, f]) => [c, f]),

    depthwiseConv2d(out, x, filter, window) {
      if (x.size === 0) return engine.fill(out, 0)
      engine.run(
        out,
        out.shape,
        { arrays: { x, weights: filter } },
        ({ at: [b, oy, ox, c] }) =>
          `${overTaps(window, x.shape, [oy, ox], (row, column, ky, kx) => {
            const value = `x[${address([b, row, column, c], stridesOf(x.shape))}]`
            return `const sum = ${value} * weights[${address([ky, kx, c], stridesOf(filter.shape))}];`
          })}\nreturn total;`,
        { floatAddresses: true },
      )
    },

    depthwiseConv2dInput(out, dY, filter, window) {
      if (dY.size === 0) return engine.fill(out, 0)
      engine.run(
        out,
        out.shape,
        { arrays: { dY, weights: filter } },
        ({ at: [b, y, z, c] }) =>
          overWindows(window, [y, z], (oy, ox, ky, kx) => {
            const value = `dY[${address([b, oy, ox, c], stridesOf(dY.shape))}]`
            return `const sum = ${value} * weights[${address([ky, kx, c], stridesOf(filter.shape))}];`
          }),
        { floatAddresses: true },
      )
    },

    depthwiseConv2dFilter: (out, x, dY, window) => filterGradient(out, x, dY, window, ([c]) => [c, c]),
  }
}

/**
 * Pooling and its gradients. A launch cannot scatter. So each cell of a gradient looks for the windows that contain it. For maxima a first launch
 * finds where in x each window's first maximum is.
 */
import { type Shape, stridesOf, type Window } from '../../../tensor/shape.js'
import type { FusedKernels } from '../../backend.js'
import type { Engine } from '../device/engine.js'
import { address } from '../source/addressing.js'
import { maxOf } from '../source/rules.js'
import { withTemporaries } from './temporaries.js'
import { windowCell, windowOver } from './window.js'

type PoolKernels = Required<Pick<FusedKernels, 'maxPool2d' | 'maxPool2dGradient' | 'averagePool2d' | 'averagePool2dGradient'>>

/** A loop over the cells of a window. Each is at `row` and `column`; it counts if `inside` is above 0. */
const overCells = (window: Window, x: Shape, [oy, ox]: readonly string[], cell: string): string => `
for (let ky = 0; ky < ${window.kernelSize[0]}; ky++) {
  for (let kx = 0; kx < ${window.kernelSize[1]}; kx++) {
    ${windowCell(window, x, { oy, ox, ky: 'ky', kx: 'kx' })}
    ${cell}
  }
}`

/** The body that sums `value` over the windows that contain a cell; each window is at `oy` and `ox`. */
const overWindows = (window: Window, [y, z]: readonly string[], value: string): string => `
let sum = 0;
for (let ky = 0; ky < ${window.kernelSize[0]}; ky++) {
  ${windowOver('oy', y, 'ky', 0, window)}
  for (let kx = 0; kx < ${window.kernelSize[1]}; kx++) {
    ${windowOver('ox', z, 'kx', 1, window)}
    const value = ${value};
    sum += oyHit * oxHit > 0 ? value : 0;
  }
}
return sum;`

/** No window reaches beyond x. */
const allInside = ({ padBefore, strides, dilation, kernelSize, outSize }: Window, x: Shape): boolean =>
  [0, 1].every((k) => padBefore[k] === 0 && (outSize[k] - 1) * strides[k] + (kernelSize[k] - 1) * dilation[k] < x[k + 1])

export function poolKernels(engine: Engine): PoolKernels {
  const options = { floatAddresses: true }
  return {
    maxPool2d(out, x, window) {
      engine.run(
        out,
        out.shape,
        { arrays: { x } },
        ({ at: [b, oy, ox, c] }) => `
let best = 0;
let found = 0;
${overCells(
  window,
  x.shape,
  [oy, ox],
  `
    const v = x[${address([b, 'row', 'column', c], stridesOf(x.shape))}];
    const larger = ${maxOf('v', 'best')};
    const joined = found > 0 ? larger : v;
    best = inside > 0 ? joined : best;
    found = inside > 0 ? 1 : found;`,
)}
return best;`,
        options,
      )
    },

    maxPool2dGradient(out, x, dY, window) {
      if (dY.size === 0) return engine.fill(out, 0)
      const [, , width] = x.shape
      withTemporaries(engine, x, (make) => {
        // A value that is neither above the best nor at most as large is NaN. The first NaN ends the search.
        const places = make(
          dY.shape,
          { arrays: { x } },
          ({ at: [b, oy, ox, c] }) => `
let best = 0;
let place = -1;
let open = 1;
${overCells(
  window,
  x.shape,
  [oy, ox],
  `
    const v = x[${address([b, 'row', 'column', c], stridesOf(x.shape))}];
    const above = v > best ? 1 : 0;
    const below = v <= best ? 1 : 0;
    const isNumber = v < 0 ? 1 : (v >= 0 ? 1 : 0);
    const better = above + below === 0 ? 1 : above;
    const first = place < 0 ? 1 : better;
    const taken = first * open * inside;
    place = taken > 0 ? row * ${width} + column : place;
    best = taken > 0 ? v : best;
    open = taken > 0 ? isNumber : open;`,
)}
return place;`,
          options,
        )
        const at = address(['b', 'oy', 'ox', 'c'], stridesOf(dY.shape))
        engine.run(
          out,
          out.shape,
          { arrays: { places, dY } },
          ({ at: [b, y, z, c] }) => `
const b = ${b};
const c = ${c};
const here = ${address([y, z], [width, 1])};
${overWindows(window, [y, z], `places[${at}] === here ? dY[${at}] : 0`)}`,
          options,
        )
      })
    },

    averagePool2d(out, x, window) {
      engine.run(
        out,
        out.shape,
        { arrays: { x } },
        ({ at: [b, oy, ox, c] }) => `
let sum = 0;
let count = 0;
${overCells(
  window,
  x.shape,
  [oy, ox],
  `
    const v = x[${address([b, 'row', 'column', c], stridesOf(x.shape))}];
    sum += inside > 0 ? v : 0;
    count += inside;`,
)}
return sum / count;`,
        options,
      )
    },

    averagePool2dGradient(out, dY, window) {
      if (dY.size === 0) return engine.fill(out, 0)
      const x = out.shape
      withTemporaries(engine, dY, (make) => {
        const cells = window.kernelSize[0] * window.kernelSize[1]
        const even = allInside(window, x)
        const shares = even
          ? dY
          : make(
              dY.shape,
              { arrays: { dY } },
              ({ flat, at: [, oy, ox] }) => `
let count = 0;
${overCells(window, x, [oy, ox], 'count += inside;')}
return dY[${flat}] / count;`,
            )
        engine.run(
          out,
          x,
          { arrays: { shares } },
          ({ at: [b, y, z, c] }) => {
            const share = `shares[${address([b, 'oy', 'ox', c], stridesOf(dY.shape))}]`
            return overWindows(window, [y, z], even ? `${share} / ${cells}` : share)
          },
          options,
        )
      })
    },
  }
}

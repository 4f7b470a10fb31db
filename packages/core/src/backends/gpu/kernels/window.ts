/** Kernels over sliding windows: unfold and fold, and the statements by which a window finds its cells. (Convolutions and pooling have files of their own.) */
import { stridesOf, type Window } from '../../../tensor/shape.js'
import type { Kernels } from '../../backend.js'
import type { Engine } from '../device/engine.js'
import { address } from '../source/addressing.js'
import { between } from '../source/rules.js'

/**
 * Statements that set `row` and `column` to the cell of x that a window position reads. A position outside x is moved to its edge;
 * `inside` is 1 if it was not moved.
 */
export function windowCell(window: Window, x: readonly number[], at: { oy: string; ox: string; ky: string; kx: string }): string {
  const { strides, dilation, padBefore } = window
  return `
const y = ${address([at.oy, at.ky], [strides[0], dilation[0]], -padBefore[0])};
const z = ${address([at.ox, at.kx], [strides[1], dilation[1]], -padBefore[1])};
const row = ${between('y', 0, x[1] - 1)};
const column = ${between('z', 0, x[2] - 1)};
const rowInside = row === y ? 1 : 0;
const inside = column === z ? rowInside : 0;`
}

/** The statements that set `o` to the window whose tap `k` reads position `p`, and `hit` to 1 if there is such a window. */
export function windowOver(o: string, p: string, k: string, axis: 0 | 1, { strides, dilation, padBefore, outSize }: Window): string {
  return `
const ${o}From = ${address([p], [1], padBefore[axis])} - ${k} * ${dilation[axis]};
const ${o}Down = Math.floor((${o}From + 0.5) / ${strides[axis]});
const ${o} = ${between(`${o}Down`, 0, outSize[axis] - 1)};
const ${o}Hit = ${o} * ${strides[axis]} === ${o}From ? 1 : 0;`
}

export function windowKernels(engine: Engine): Pick<Kernels, 'unfold' | 'fold'> {
  return {
    unfold(out, x, window, fill) {
      if (x.size === 0) return engine.fill(out, fill)
      engine.run(
        out,
        [x.shape[0], ...window.outSize, ...window.kernelSize, x.shape[3]],
        { arrays: { x }, scalars: { border: fill } },
        ({ at: [b, oy, ox, ky, kx, c] }) => `
${windowCell(window, x.shape, { oy, ox, ky, kx })}
const value = x[${address([b, 'row', 'column', c], stridesOf(x.shape))}];
return inside > 0 ? value : border;`,
        { floatAddresses: true },
      )
    },

    // For each tap, a cell of x asks which window position reads it with that tap.
    fold(out, x, window) {
      if (x.size === 0) return engine.fill(out, 0)
      const [n, height, width, channels] = out.shape
      const [kh, kw] = window.kernelSize
      const strides = stridesOf([n, ...window.outSize, kh, kw, channels])
      engine.run(
        out,
        out.shape,
        { arrays: { x } },
        ({ at: [b, y, z, c] }) => `
let sum = 0;
for (let ky = 0; ky < ${kh}; ky++) {
  ${windowOver('oy', height === 1 ? '0' : y, 'ky', 0, window)}
  for (let kx = 0; kx < ${kw}; kx++) {
    ${windowOver('ox', width === 1 ? '0' : z, 'kx', 1, window)}
    const value = x[${address([b, 'oy', 'ox', 'ky', 'kx', c], strides)}];
    sum += oyHit * oxHit > 0 ? value : 0;
  }
}
return sum;`,
        { floatAddresses: true },
      )
    },
  }
}

/**
 * Convolutions as products of vectors of four, for WebGL. There a product reads its operands so much faster than a loop over windows that unfolding
 * the image first pays. The unfolded image is kh·kw times as large, so this is done only up to some size.
 */
import { type Shape, sizeOf, stridesOf, type Window } from '../../../tensor/shape.js'
import type { Operand } from '../../backend.js'
import type { Engine } from '../device/engine.js'
import { address } from '../source/addressing.js'
import { sumInto } from '../source/rules.js'
import { inVectors } from './product.js'
import { type Make, withTemporaries } from './temporaries.js'
import { windowCell, windowKernels } from './window.js'

/** With fewer multiply-adds than this, the launches cost more than they save. */
const SMALL = 2 ** 16
/** The most elements of an unfolded image. */
const MOST = 2 ** 23
/** A sum of fewer terms than this does not make up for the launches. */
const SHORT = 16

/** Whether to take this way, for `rows` unfolded positions, windows of `taps` cells (in all channels), and f filters. */
export const byVectors = (engine: Engine, rows: number, taps: number, filters: number): boolean =>
  engine.tiling === 'vectors' && rows * taps * filters >= SMALL && rows * taps <= MOST && taps >= SHORT && filters >= 4

/** im2col, with zeros outside x: [n, oh, ow, kh, kw, c], or vectors of four channels if `vectors`. */
function unfolded(make: Make, x: Operand, window: Window, vectors: boolean): Operand {
  const [n, , , channels] = x.shape
  const each = vectors ? 4 : 1
  return make(
    [n, ...window.outSize, ...window.kernelSize, channels / each],
    { arrays: { x } },
    ({ at: [b, oy, ox, ky, kx, c] }) => {
      const [image, row, column] = stridesOf(x.shape)
      const lines = Array.from({ length: each }, (_, u) => {
        const value = `x[${address([b, 'row', 'column', c], [image, row, column, each], u)}]`
        return `const v${u} = ${value};\nconst w${u} = inside > 0 ? v${u} : 0;`
      })
      return `${windowCell(window, x.shape, { oy, ox, ky, kx })}\n${lines.join('\n')}\nreturn ${vectors ? '[w0, w1, w2, w3]' : 'w0'};`
    },
    { floatAddresses: true, ...(vectors && { fours: 'vectors' }) },
  )
}

/** The strides of a matrix for each image. */
const perImage = (rows: number, columns: number) => [rows * columns, columns, 1] as const

export function convByVectors(
  engine: Engine,
  out: Operand,
  x: Operand,
  filter: Operand,
  bias: Operand | undefined,
  window: Window,
  relu: boolean,
): void {
  const [n, oh, ow, filters] = out.shape
  const taps = filter.size / filters
  const packed = x.shape[3] % 4 === 0
  withTemporaries(engine, x, (make) => {
    const a = { x: unfolded(make, x, window, packed), strides: perImage(oh * ow, taps), packed }
    inVectors(engine, out, { batch: n, m: oh * ow, n: filters, k: taps, a, b: { x: filter, strides: [0, filters, 1] }, bias, relu })
  })
}

export function convInputByVectors(engine: Engine, out: Operand, dY: Operand, filter: Operand, window: Window): void {
  const [n, oh, ow, filters] = dY.shape
  const taps = filter.size / filters
  withTemporaries(engine, dY, (_, __, slot) => {
    const windows = slot([n, oh, ow, ...window.kernelSize, out.shape[3]])
    inVectors(engine, windows, {
      batch: n,
      m: oh * ow,
      n: taps,
      k: filters,
      a: { x: dY, strides: perImage(oh * ow, filters) },
      b: { x: filter, strides: [0, 1, filters] },
    })
    windowKernels(engine).fold(out, windows, window)
  })
}

/** The filter's gradient: one product for each image, then their sum. */
export function convFilterByVectors(engine: Engine, out: Operand, x: Operand, dY: Operand, window: Window): void {
  const [n, oh, ow, filters] = dY.shape
  const taps = out.size / filters
  const shape: Shape = [n, taps, filters]
  withTemporaries(engine, x, (make, _, slot) => {
    const parts = slot(shape)
    inVectors(engine, parts, {
      batch: n,
      m: taps,
      n: filters,
      k: oh * ow,
      a: { x: unfolded(make, x, window, false), strides: [oh * ow * taps, 1, taps] },
      b: { x: dY, strides: perImage(oh * ow, filters) },
    })
    const size = sizeOf(shape.slice(1))
    engine.run(out, [size], { arrays: { parts } }, ({ flat }) => {
      return `${sumInto('sum', n, (l) => `parts[${address([l, flat], [size, 1])}]`)}\nreturn sum;`
    })
  })
}

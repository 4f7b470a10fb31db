/**
 * Four columns a thread, with neighbouring threads on neighbouring rows, for gpu.js' WebAssembly. There one instruction serves four neighbouring threads,
 * but a value that differs between them is read one by one, which costs time. So in a product of four columns and four rows, values of the columns should be
 * the same for all four threads. Then five to eight reads serve sixteen products, and a product is two to three times as fast as with neighbouring columns.
 *
 * The cells come out as [columns / 4, rows, 4]. A second launch, short beside the sums, puts them in order.
 */
import type { Operand } from '../../backend.js'
import { type Engine, type KernelInputs, type KernelOptions, operandOf } from '../device/engine.js'
import { address } from '../source/addressing.js'
import type { Make } from './temporaries.js'

/** From this many rows on there is something to share. */
const FEW = 4

/** Whether a kernel over this many rows should be made in this way. */
export const byRows = (engine: Engine, rows: number): boolean => engine.tiling === 'rows' && rows >= FEW

/** The cells of a result [batch, rows, columns]; columns is a multiple of four. */
interface Cells {
  batch?: number
  rows: number
  columns: number
}

/**
 * `body` gets the names of [g, i, j] and returns four cells: columns 4j to 4j + 3 of row i in matrix g. `place` runs the launch that puts them in order.
 * `like` is any operand of the call.
 */
export function fourColumnsByRows<R>(
  engine: Engine,
  like: Operand,
  { batch = 1, rows, columns }: Cells,
  inputs: KernelInputs,
  body: (at: readonly string[]) => string,
  place: Make<R>,
  options?: KernelOptions,
): R {
  const settings = { ...options, axisPerThread: true, fours: 'flat' } as const
  const quarter = columns / 4
  const handle = engine.compute([batch, quarter, rows], inputs, ({ at: [g, j, i] }) => body([g, i, j]), settings)
  try {
    return place(
      [batch, rows, quarter],
      { arrays: { x: operandOf(handle, like, [batch, quarter, rows, 4]) } },
      ({ at: [g, i, j] }) => {
        const cells = [0, 1, 2, 3].map((c) => `x[${address([g, j, i], [quarter * rows * 4, rows * 4, 4], c)}]`)
        return `return [${cells.join(', ')}];`
      },
      settings,
    )
  } finally {
    engine.release(handle)
  }
}

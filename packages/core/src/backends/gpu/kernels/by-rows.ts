/**
 * Four columns a thread with neighbouring threads on neighbouring rows, for gpu.js' WebAssembly. There one instruction serves four neighbouring threads,
 * but reads what differs between them one by one and at a cost. So of a product's four columns and four rows, what belongs to the columns should be the same
 * for all four threads: five to eight reads then serve sixteen products, and a product is twice to three times as fast as with neighbouring columns.
 *
 * The cells come out as [columns / 4, rows, 4]; a second launch, short beside the sums, puts them in order.
 */
import type { Operand } from '../../backend.js'
import { type Engine, type KernelInputs, type KernelOptions, operandOf } from '../device/engine.js'
import { address } from '../source/addressing.js'
import type { Make } from './temporaries.js'

/** Rows from which on there is something to share. */
const FEW = 4

/** Whether kernels over so many rows are made this way. */
export const byRows = (engine: Engine, rows: number): boolean => engine.tiling === 'rows' && rows >= FEW

/** [batch, rows, columns], the columns a multiple of four. */
interface Cells {
  batch?: number
  rows: number
  columns: number
}

/**
 * `body` returns four cells, the columns 4j to 4j + 3 of row i in matrix g, from the names of [g, i, j]; `place` runs the launch that puts them in order.
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

import { ValueError } from '../../errors.js'
import type { Tensor } from '../../tensor/tensor.js'
import { scatterAdd } from '../shape/gather.js'

/** `scatterAdd` for `op`. An index out of range is an error of `op`, which the caller called. */
export function addRows(op: string, x: Tensor, indices: Tensor, rows: number): Tensor {
  try {
    return scatterAdd(x, indices, rows)
  } catch (error) {
    if (!(error instanceof ValueError)) throw error
    throw new ValueError(`${op}: ${error.message.split('\n')[0]}`, { cause: error })
  }
}

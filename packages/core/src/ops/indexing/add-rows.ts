import { addContext, showShape } from '../../errors.js'
import type { Tensor } from '../../tensor/tensor.js'
import { scatterAdd } from '../shape/gather.js'

/** `scatterAdd` for `op`, which its errors name. */
export function addRows(op: string, x: Tensor, indices: Tensor, rows: number): Tensor {
  try {
    return scatterAdd(x, indices, rows)
  } catch (error) {
    throw addContext(error, `in op ${op}(${showShape(x.shape)})`)
  }
}

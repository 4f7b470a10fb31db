/** Turning what a caller writes into operands: numbers become scalar tensors beside the other operand. */
import type { Backend } from '../../backends/backend.js'
import { ValueError } from '../../errors.js'
import { type DType, dtypeBeside } from '../../tensor/dtype.js'
import { discard } from '../../tensor/scope.js'
import { emptyTensor, notATensor, Tensor } from '../../tensor/tensor.js'

/** A number as a scalar tensor. */
export function scalarOf(value: number, backend: Backend, dtype: DType): Tensor {
  const out = emptyTensor(backend, [] as const, dtype)
  backend.kernels.fill(out, value)
  return out
}

/** A number as a scalar tensor beside `other`. */
export const scalarBeside = (value: number, other: Tensor): Tensor => scalarOf(value, other.backend, dtypeBeside(value, other.dtype))

/** `x` as a tensor; a number takes the backend, and if it fits the dtype, of `other`. */
export function toTensor(name: string, x: Tensor | number, other: Tensor | number): Tensor {
  if (x instanceof Tensor) return x
  if (typeof x !== 'number' && typeof x !== 'boolean') throw notATensor(name, 'an operand', x, 'a tensor or a number')
  if (!(other instanceof Tensor)) throw new ValueError(`${name}: at least one operand must be a tensor.`)
  return scalarBeside(Number(x), other)
}

/** Runs an op on operands of which some were made for it alone, and frees those as soon as it is done. */
export function callWith(
  operands: readonly Tensor[],
  temporaries: readonly Tensor[],
  call: (operands: readonly Tensor[]) => Tensor,
): Tensor {
  try {
    return call(operands)
  } finally {
    for (const temporary of temporaries) discard(temporary)
  }
}

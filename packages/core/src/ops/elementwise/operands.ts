/** Turns the arguments of a caller into operands: in `x.add(2)` the number becomes a scalar tensor beside x. */
import type { Backend } from '../../backends/backend.js'
import { ValueError } from '../../errors.js'
import { type DType, dtypeBeside } from '../../tensor/dtype.js'
import { discard } from '../../tensor/scope.js'
import { emptyTensor, notATensor, Tensor } from '../../tensor/tensor.js'

/** A number as a scalar tensor on the given backend. */
export function scalarOf(value: number, backend: Backend, dtype: DType): Tensor {
  const out = emptyTensor(backend, [] as const, dtype)
  backend.kernels.fill(out, value)
  return out
}

/** A number as a scalar tensor on the backend of `other`, and in its dtype where that holds the value. */
export const scalarBeside = (value: number, other: Tensor): Tensor =>
  scalarOf(value, other.backend, dtypeBeside(value, other.dtype, other.backend))

/** `x` as a tensor. A number becomes a scalar beside `other`. */
export function toTensor(name: string, x: Tensor | number, other: Tensor | number): Tensor {
  if (x instanceof Tensor) return x
  if (typeof x !== 'number' && typeof x !== 'boolean') throw notATensor(name, 'an operand', x, 'a tensor or a number')
  if (!(other instanceof Tensor)) throw new ValueError(`${name}: at least one operand must be a tensor.`)
  return scalarBeside(Number(x), other)
}

/** Runs an op, then frees those of the operands that were made for this call alone. */
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

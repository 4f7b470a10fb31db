/** Making a tensor in three steps, which all functions that make tensors share: options checked, memory allocated, values written. */
import { requireOptions } from '../arguments.js'
import type { Backend } from '../backends/backend.js'
import { addContext, BackendError, showShape } from '../errors.js'
import { defaultBackend, requireBackend } from '../runtime.js'
import { stepListener } from '../step-listener.js'
import { convert, type DType, defaultFloat, type TypedArray } from '../tensor/dtype.js'
import { checkShape, type Shape } from '../tensor/shape.js'
import { emptyTensor, requireBackendDType, type Tensor } from '../tensor/tensor.js'
import type { CreateOptions } from './create.js'

export const CREATE_OPTIONS = ['dtype', 'backend'] as const

/** The options with their defaults; throws unless they are options of a new tensor. `natural` is the dtype if none is given, else it is the backend's default. */
export function placed(
  what: string,
  options: CreateOptions,
  names: readonly string[] = CREATE_OPTIONS,
  natural?: DType,
): { dtype: DType; backend: Backend } {
  requireOptions(what, options, names)
  const { backend = defaultBackend() } = options
  requireBackend(what, backend)
  const { dtype = natural ?? defaultFloat(backend) } = options
  requireBackendDType(what, backend, dtype)
  return { dtype, backend }
}

/** A tensor to be filled. It is allocated before its values are made: a size that the backend refuses then costs no memory of the host. */
export function empty<S extends Shape>(what: string, shape: S, { dtype, backend }: { dtype: DType; backend: Backend }): Tensor<S> {
  checkShape(what, shape)
  try {
    return emptyTensor(backend, shape, dtype)
  } catch (error) {
    throw addContext(error, `in ${what}(${showShape(shape)})`)
  }
}

/** Fills a tensor with the values that `make` gives, cast to its dtype. */
export function written<S extends Shape>(out: Tensor<S>, make: () => ArrayLike<number>): Tensor<S> {
  try {
    const values = (): TypedArray => convert(make(), out.dtype)
    const listener = stepListener()
    if (listener) listener.writes(out.storage, values)
    else out.backend.write(out.storage, values())
    return out
  } catch (error) {
    out.dispose()
    if (error instanceof RangeError) throw new BackendError(`the host has no room for ${showShape(out.shape)} (${error.message}).`)
    throw error
  }
}

/** Making tensors: from host values, filled, counted, and drawn from keys. */
import type { Backend } from '../backends/backend.js'
import { convert, type DType, hostArray, isFloat, type TypedArray } from '../dtype.js'
import { addContext, BackendError, shapeError, showShape, ValueError } from '../errors.js'
import { fold, type Key, uniformInto } from '../random.js'
import { defaultBackend } from '../runtime.js'
import { checkShape, type Shape, sizeOf } from '../shape.js'
import { emptyTensor, fromHost, type NestedArray, requireBackendDType, type Tensor } from '../tensor.js'

/** Where and as what to make a tensor. */
export interface CreateOptions {
  /** float32 unless said otherwise. */
  dtype?: DType
  /** The default backend unless said otherwise. */
  backend?: Backend
}

/**
 * A tensor whose values the host makes. Its memory is taken first, so that a size that the backend refuses is refused before the host makes room
 * for the values, too.
 */
function fromValues<S extends Shape>(what: string, backend: Backend, shape: S, dtype: DType, values: () => TypedArray): Tensor<S> {
  checkShape(what, shape)
  requireBackendDType(what, backend, dtype)
  let out: Tensor<S> | undefined
  try {
    out = emptyTensor(backend, shape, dtype)
    backend.write(out.storage, values())
    return out
  } catch (error) {
    out?.dispose()
    if (error instanceof RangeError) throw new BackendError(`${what}: the host has no room for ${showShape(shape)} (${error.message}).`)
    throw addContext(error, `in ${what} of ${showShape(shape)}`)
  }
}

/** The same from a function of the position. */
function fromFunction(
  what: string,
  shape: Shape,
  { dtype = 'float32', backend = defaultBackend() }: CreateOptions,
  f: (i: number) => number,
): Tensor {
  return fromValues(what, backend, shape, dtype, () => {
    const values = new Float64Array(sizeOf(shape))
    for (let i = 0; i < values.length; i++) values[i] = f(i)
    return convert(values, dtype)
  })
}

const isTyped = (values: unknown): values is TypedArray => ArrayBuffer.isView(values) && !(values instanceof DataView)

/** Flattens nested arrays, checking that they are regular. */
function flattenNested(values: NestedArray): { flat: number[]; shape: number[]; bool: boolean } {
  const shape: number[] = []
  for (let level: unknown = values; Array.isArray(level); level = level[0]) shape.push(level.length)
  const flat: number[] = []
  let bool = true
  const at: number[] = [] // where the visit is
  const path = (): string => at.map((i) => `[${i}]`).join('')
  const visit = (item: NestedArray, axis: number): void => {
    if (Array.isArray(item)) {
      if (axis >= shape.length || item.length !== shape[axis]) {
        throw new ValueError(
          `tensor: nested arrays must be regular: values${path()} has ${item.length} items where ${shape[axis] ?? 'a number'} was expected.`,
        )
      }
      for (let i = 0; i < item.length; i++) {
        at.push(i)
        visit(item[i], axis + 1)
        at.pop()
      }
    } else {
      if (axis !== shape.length || (typeof item !== 'number' && typeof item !== 'boolean')) {
        throw new ValueError(
          `tensor: values${path()} is ${item === null ? 'null' : typeof item}, expected ${axis === shape.length ? 'a number' : `an array of ${shape[axis]}`}.`,
        )
      }
      if (typeof item === 'number') bool = false
      flat.push(Number(item))
    }
  }
  visit(values, 0)
  return { flat, shape, bool: bool && flat.length > 0 }
}

/**
 * A tensor of host values: a number, nested arrays, or a typed array with a shape.
 *
 * The dtype is float32, unless the values are booleans (bool), an Int32Array (int32) or a Uint8Array (uint8), or `dtype` says otherwise.
 *
 * @throws ValueError for irregular nesting, ShapeError if the values do not fill the shape.
 * @example
 * ```ts
 * const m = tensor([[1, 2, 3], [4, 5, 6]])                       // [2, 3]
 * const images = tensor(bytes, { shape: [60000, 784] as const })  // the shape is part of the type
 * ```
 */
export function tensor<S extends Shape = Shape>(values: NestedArray | TypedArray, options: CreateOptions & { shape?: S } = {}): Tensor<S> {
  const backend = options.backend ?? defaultBackend()
  let flat: ArrayLike<number>
  let shape: Shape
  let natural: DType = 'float32'
  if (isTyped(values)) {
    flat = values
    shape = [values.length]
    if (values instanceof Int32Array) natural = 'int32'
    if (values instanceof Uint8Array) natural = 'uint8'
  } else {
    const nested = flattenNested(values)
    flat = nested.flat
    shape = nested.shape
    if (nested.bool) natural = 'bool'
  }
  if (options.shape) {
    checkShape('tensor', options.shape)
    if (sizeOf(options.shape) !== flat.length) {
      throw shapeError(
        'tensor',
        `${flat.length} values do not fill ${showShape(options.shape)}, which has ${sizeOf(options.shape)} elements`,
        [
          { name: 'values', shape },
          { name: 'shape', shape: options.shape },
        ],
      )
    }
    shape = options.shape
  }
  const dtype = options.dtype ?? natural
  const host = isTyped(flat) && flat instanceof hostArray(dtype, 0).constructor && dtype !== 'bool' ? flat : convert(flat, dtype)
  return fromHost(backend, host, shape as S, dtype)
}

/** A tensor with no axes. */
export function scalar(value: number, options: CreateOptions = {}): Tensor<readonly []> {
  return full([] as const, value, options)
}

/** A tensor full of one value. */
export function full<S extends Shape>(
  shape: S,
  value: number,
  { dtype = 'float32', backend = defaultBackend() }: CreateOptions = {},
): Tensor<S> {
  checkShape('full', shape)
  requireBackendDType('full', backend, dtype)
  const out = emptyTensor(backend, shape, dtype)
  backend.kernels.fill(out, value)
  return out
}

/** A tensor of zeros. */
export const zeros = <S extends Shape>(shape: S, options?: CreateOptions): Tensor<S> => full(shape, 0, options)
/** A tensor of ones. */
export const ones = <S extends Shape>(shape: S, options?: CreateOptions): Tensor<S> => full(shape, 1, options)
/** Zeros of another tensor's shape, dtype and backend. */
export const zerosLike = <S extends Shape>(x: Tensor<S>): Tensor<S> => full(x.shape, 0, { dtype: x.dtype, backend: x.backend })
/** Ones of another tensor's shape, dtype and backend. */
export const onesLike = <S extends Shape>(x: Tensor<S>): Tensor<S> => full(x.shape, 1, { dtype: x.dtype, backend: x.backend })

/** start, start + step, … while below stop (above, for a negative step). One argument counts from 0. */
export function arange(start: number, stop?: number, step = 1, options: CreateOptions = {}): Tensor {
  const [from, to] = stop === undefined ? [0, start] : [start, stop]
  if (step === 0 || !Number.isFinite((to - from) / step)) throw new ValueError(`arange: cannot count from ${from} to ${to} by ${step}.`)
  const n = Math.max(0, Math.ceil((to - from) / step))
  return fromFunction('arange', [n], options, (i) => from + i * step)
}

/** `count` evenly spaced values from start to stop, both included. */
export function linspace(start: number, stop: number, count: number, options: CreateOptions = {}): Tensor {
  if (!Number.isInteger(count) || count < 0) throw new ValueError(`linspace: count must be a whole number from 0, got ${count}.`)
  const step = count > 1 ? (stop - start) / (count - 1) : 0
  return fromFunction('linspace', [count], options, (i) => (i > 0 && i === count - 1 ? stop : start + i * step))
}

/** The identity matrix [n, m]; m = n by default. */
export function eye(n: number, m = n, options: CreateOptions = {}): Tensor {
  const { dtype = 'float32', backend = defaultBackend() } = options
  return fromValues('eye', backend, [n, m], dtype, () => {
    const values = hostArray(dtype, n * m)
    for (let i = 0; i < Math.min(n, m); i++) values[i * m + i] = 1
    return values
  })
}

/** @internal True on the diagonal of [n, n]. */
export const identityMask = (n: number, backend: Backend): Tensor => eye(n, n, { dtype: 'bool', backend })

/**
 * Values uniform in [low, high); whole numbers for integer dtypes.
 *
 * @example
 * ```ts
 * const noise = uniform(key(7), [32, 10], { low: -1, high: 1 })
 * ```
 */
export function uniform<S extends Shape>(key: Key, shape: S, options: CreateOptions & { low?: number; high?: number } = {}): Tensor<S> {
  const { low = 0, high = 1, dtype = 'float32', backend = defaultBackend() } = options
  checkShape('uniform', shape)
  if (low === 0 && high === 1 && dtype === 'float32' && backend.fused.uniform) {
    const out = emptyTensor(backend, shape, dtype)
    backend.fused.uniform(out, key)
    return out
  }
  return fromValues('uniform', backend, shape, dtype, () => {
    const values = draw(key, sizeOf(shape))
    // The largest value below high, which rounding to float32 would otherwise reach now and then.
    const top = Math.fround(high)
    const last = dtype === 'float32' ? Math.fround(top - Math.abs(top) * 2 ** -24) : high
    const whole = !isFloat(dtype) // whole numbers are rounded down, or those around 0 would be too frequent
    for (let i = 0; i < values.length; i++) {
      const value = low + (high - low) * values[i]
      values[i] = whole ? Math.floor(value) : Math.min(value, last)
    }
    return convert(values, dtype)
  })
}

function draw(key: Key, count: number): Float64Array {
  const values = new Float64Array(count)
  uniformInto(values, key)
  return values
}

/** Standard normal values by the Box–Muller transform, two from each pair of uniform ones. */
function drawNormal(key: Key, count: number): Float64Array {
  const u = draw(key, count + (count & 1))
  for (let i = 0; i < u.length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - u[i]))
    const angle = 2 * Math.PI * u[i + 1]
    u[i] = radius * Math.cos(angle)
    u[i + 1] = radius * Math.sin(angle)
  }
  return u.subarray(0, count)
}

/** Normally distributed values. */
export function normal<S extends Shape>(key: Key, shape: S, options: CreateOptions & { mean?: number; stddev?: number } = {}): Tensor<S> {
  const { mean = 0, stddev = 1, dtype = 'float32', backend = defaultBackend() } = options
  return fromValues('normal', backend, shape, dtype, () => {
    const values = drawNormal(key, sizeOf(shape))
    for (let i = 0; i < values.length; i++) values[i] = mean + stddev * values[i]
    return convert(values, dtype)
  })
}

/** Normal values redrawn until they lie within two standard deviations of the mean. */
export function truncatedNormal<S extends Shape>(
  key: Key,
  shape: S,
  options: CreateOptions & { mean?: number; stddev?: number } = {},
): Tensor<S> {
  const { mean = 0, stddev = 1, dtype = 'float32', backend = defaultBackend() } = options
  return fromValues('truncatedNormal', backend, shape, dtype, () => {
    const values = new Float64Array(sizeOf(shape))
    let filled = 0
    for (let round = 0; filled < values.length; round++) {
      const candidates = drawNormal(round === 0 ? key : fold(key, round), Math.max(16, Math.ceil((values.length - filled) * 1.1)))
      for (let i = 0; i < candidates.length && filled < values.length; i++) {
        if (Math.abs(candidates[i]) <= 2) values[filled++] = mean + stddev * candidates[i]
      }
    }
    return convert(values, dtype)
  })
}

/** 1 with probability p, else 0, as float32 unless said otherwise. */
export function bernoulli<S extends Shape>(key: Key, shape: S, p: number, options: CreateOptions = {}): Tensor<S> {
  if (!(p >= 0 && p <= 1)) throw new ValueError(`bernoulli: p must lie in [0, 1], got ${p}.`)
  const { dtype = 'float32', backend = defaultBackend() } = options
  const u = uniform(key, shape, { backend })
  const level = full([], p, { backend })
  const hit = emptyTensor(backend, shape, 'bool')
  backend.kernels.zip(hit, u, level, 'less')
  u.dispose()
  level.dispose()
  if (dtype === 'bool') return hit
  const out = emptyTensor(backend, shape, dtype)
  backend.kernels.map(out, hit, 'cast')
  hit.dispose()
  return out
}

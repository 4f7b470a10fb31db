/**
 * Tensors from nothing: from host values, filled with one value, counted, drawn from random keys.
 *
 * The file is long because every function has a comment of its own.
 */
import { describeValue, requireFunction, requireNumber, requireNumeric, requireOptions, requireWhole } from '../arguments.js'
import type { Backend } from '../backends/backend.js'
import { shapeError, showShape, ValueError } from '../errors.js'
import { fold, type Key, requireKey, uniformInto } from '../random.js'
import { defaultBackend, requireBackend } from '../runtime.js'
import { stepListener } from '../step-listener.js'
import { castValue, convert, type DType, defaultFloat, hostArray, isFloat, isHostArray, type TypedArray } from '../tensor/dtype.js'
import { requireSynchronous } from '../tensor/scope.js'
import { checkShape, type Shape, sizeOf } from '../tensor/shape.js'
import type { Made } from '../tensor/static-shape.js'
import { emptyTensor, fromHost, type NestedArray, requireBackendDType, requireTensor, type Tensor } from '../tensor/tensor.js'
import type { Unary } from './elementwise/elementwise.js'
import { CREATE_OPTIONS, empty, placed, written } from './placed.js'
import { requireNoMore } from './requirements.js'

/** The dtype and the backend of a new tensor. */
export interface CreateOptions {
  /** By default float32, or what the backend has as its default: `useBackend('reference', { dtype: 'float64' })`. */
  dtype?: DType
  /** By default the one that `useBackend` chose. */
  backend?: Backend
}

const UNIFORM_OPTIONS = [...CREATE_OPTIONS, 'low', 'high'] as const
const NORMAL_OPTIONS = [...CREATE_OPTIONS, 'mean', 'stddev'] as const

/** f(0), f(1), … f(n − 1). */
function counted(n: number, f: (i: number) => number): Float64Array {
  const values = new Float64Array(n)
  for (let i = 0; i < n; i++) values[i] = f(i)
  return values
}

const isTyped = (values: unknown): values is TypedArray => ArrayBuffer.isView(values) && !(values instanceof DataView)

/** More axes than any tensor has. An array that holds itself would be nested without end. */
const MOST_AXES = 64

/** Flattens nested arrays; throws unless they are regular. */
function flattenNested(values: NestedArray): { flat: number[]; shape: number[]; bool: boolean } {
  const shape: number[] = []
  for (let level: unknown = values; Array.isArray(level); level = level[0]) {
    if (shape.length === MOST_AXES) throw new ValueError(`tensor: values are nested more than ${MOST_AXES} deep.`)
    shape.push(level.length)
  }
  const flat: number[] = []
  let bool = true
  const at: number[] = [] // the indices of the item that is visited
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
          `tensor: values${path()} is ${describeValue(item)}, expected ${axis === shape.length ? 'a number' : `an array of ${shape[axis]}`}.`,
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
 * A tensor with the given values: a number, nested arrays, or a typed array with a shape.
 *
 * The dtype is float32, or the default of the backend. Booleans give bool, an Int32Array int32, a Uint8Array uint8; the option `dtype` overrides this.
 *
 * Shape: that of the nested arrays, or the option `shape`
 *
 * @throws ValueError if arrays of one level differ in length, ShapeError if the values do not fill the shape.
 * @example
 * ```ts
 * const m = tensor([[1, 2, 3], [4, 5, 6]])                       // [2, 3]
 * const images = tensor(bytes, { shape: [60000, 784] as const })  // the shape is part of the type
 * ```
 */
export function tensor<N extends number, S extends readonly N[] | readonly [] = readonly N[]>(
  values: NestedArray | TypedArray,
  options: CreateOptions & { shape?: S } = {},
): Made<S> {
  requireOptions('tensor', options, ['dtype', 'backend', 'shape'], 'tensor(values, { shape: [2, 3] })')
  const { backend = defaultBackend() } = options
  requireBackend('tensor', backend)
  if (options.dtype !== undefined) requireBackendDType('tensor', backend, options.dtype)
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
    throw new ValueError(
      `tensor: values are ${describeValue(values)}, and no dtype holds 64-bit integers. Convert them first: Int32Array.from(values, Number).`,
    )
  }
  let flat: ArrayLike<number>
  let shape: Shape
  let natural = defaultFloat(backend)
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
  if (options.shape !== undefined) {
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
  const host = isHostArray(flat, dtype) && dtype !== 'bool' ? flat : convert(flat, dtype)
  return fromHost(backend, host, shape as S, dtype) as Made<S>
}

/**
 * A tensor whose values a function writes. It writes them where they lie, if the backend's memory can be reached, so that no array of them is made.
 *
 * Shape: → the given shape
 *
 * @param write gets the values in row-major order, good until it returns; it must write each, since there may be anything in them, and make no tensors
 * @throws ValueError if shape is none; whatever write throws
 * @example
 * ```ts
 * const ramp = writeTensor([2, 2], (values) => values.forEach((_, i) => { values[i] = i / 4 }))   // [[0, 0.25], [0.5, 0.75]]
 * ```
 */
export function writeTensor<N extends number, S extends readonly N[] | readonly []>(
  shape: S,
  write: (values: TypedArray) => void,
  options: CreateOptions = {},
): Made<S> {
  const { dtype, backend } = placed('writeTensor', options)
  requireFunction('writeTensor', 'write', write, 'writeTensor([2], (values) => values.fill(1))')
  const out = empty('writeTensor', shape, { dtype, backend })
  try {
    // Values that a recorded step must write again go through an array.
    const inPlace = stepListener() ? undefined : backend.values?.(out.storage)
    const values = inPlace ?? hostArray(dtype, out.size)
    const result: unknown = write(values)
    requireSynchronous('writeTensor', result)
    if (!inPlace) backend.write(out.storage, values)
    else if (inPlace.length !== out.size)
      throw new ValueError('writeTensor: the memory grew while it was written; write must make no tensors.')
    return out as Made<S>
  } catch (error) {
    out.dispose()
    throw error
  }
}

/**
 * A tensor without axes that holds one value.
 *
 * Shape: → []
 *
 * @example
 * ```ts
 * scalar(2.5) // 2.5
 * ```
 */
export function scalar(value: number, options: CreateOptions = {}): Tensor {
  return filled('scalar', [], value, options)
}

/**
 * A tensor without axes that holds one of the numbers that `eachStep` gave: in a compiled step, that of each step.
 *
 * Shape: → []
 *
 * @param numbers what `eachStep` gave
 * @param i the position of the number
 * @param beside a tensor on whose backend, and in whose dtype, the number is
 * @example
 * ```ts
 * const x = tensor([2, 4])
 * x.div(numberOfStep(eachStep(() => [2]), 0, x)) // [1, 2]
 * ```
 */
export function numberOfStep(numbers: readonly number[], i: number, beside: Tensor): Tensor {
  if (!Array.isArray(numbers)) throw new ValueError(`numberOfStep: numbers must be what eachStep gave, got ${describeValue(numbers)}.`)
  requireWhole('numberOfStep', 'i', i, { least: 0, most: numbers.length - 1 })
  requireNumeric('numberOfStep', `numbers[${i}]`, numbers[i])
  requireTensor('numberOfStep', 'beside', beside)
  return written(empty('numberOfStep', [], beside), () => {
    stepListener()?.drawn(numbers)
    return [numbers[i]]
  })
}

/**
 * A tensor full of one value.
 *
 * Shape: → the given shape
 *
 * @example
 * ```ts
 * full([2, 2], 7) // [[7, 7], [7, 7]]
 * ```
 */
export function full<N extends number, S extends readonly N[] | readonly []>(
  shape: S,
  value: number,
  options: CreateOptions = {},
): Made<S> {
  return filled('full', shape, value, options) as Made<S>
}

function filled<S extends Shape>(what: string, shape: S, value: number, options: CreateOptions = {}): Tensor<S> {
  requireNumeric(what, 'the value', value)
  const place = placed(what, options)
  const out = empty(what, shape, place)
  place.backend.kernels.fill(out, castValue(value, place.dtype))
  return out
}

/** A tensor full of one value, with the shape, dtype and backend of x. */
function filledLike<S extends Shape>(what: string, x: Tensor<S>, value: number, more: readonly unknown[]): Tensor<S> {
  requireTensor(what, 'x', x)
  if (more.length > 0) requireNoMore(what, x, more, 'one tensor')
  return filled(what, x.shape, value, { dtype: x.dtype, backend: x.backend })
}

/**
 * A tensor of zeros.
 *
 * Shape: → the given shape
 *
 * @example
 * ```ts
 * const x = zeros([2, 3]) // [2, 3]
 * ```
 */
export const zeros = <N extends number, S extends readonly N[] | readonly []>(shape: S, options?: CreateOptions): Made<S> =>
  filled('zeros', shape, 0, options) as Made<S>
/**
 * A tensor of ones.
 *
 * Shape: → the given shape
 *
 * @example
 * ```ts
 * ones([3], { dtype: 'int32' }) // [1, 1, 1]
 * ```
 */
export const ones = <N extends number, S extends readonly N[] | readonly []>(shape: S, options?: CreateOptions): Made<S> =>
  filled('ones', shape, 1, options) as Made<S>
/**
 * Zeros with the shape, dtype and backend of x.
 *
 * Shape:    any → the same
 * Gradient: none, the values do not depend on x
 *
 * @example
 * ```ts
 * zerosLike(tensor([[1, 2]])) // [[0, 0]]
 * ```
 */
export const zerosLike: Unary = <S extends Shape>(x: Tensor<S>, ...more: unknown[]): Tensor<S> => filledLike('zerosLike', x, 0, more)
/**
 * Ones with the shape, dtype and backend of x.
 *
 * Shape:    any → the same
 * Gradient: none, the values do not depend on x
 *
 * @example
 * ```ts
 * onesLike(tensor([[1, 2]])) // [[1, 1]]
 * ```
 */
export const onesLike: Unary = <S extends Shape>(x: Tensor<S>, ...more: unknown[]): Tensor<S> => filledLike('onesLike', x, 1, more)

/**
 * Counts from start by step: start, start + step, … up to and without stop (NumPy's `arange`). `arange(n)` counts from 0.
 *
 * Shape: → [⌈(stop − start) / step⌉]
 *
 * @throws ValueError if step is 0.
 * @example
 * ```ts
 * arange(4) // [0, 1, 2, 3]
 * arange(5, 0, -2) // [5, 3, 1]
 * ```
 */
export function arange(start: number, stop?: number, step = 1, options: CreateOptions = {}): Tensor {
  const place = placed('arange', options)
  requireNumber('arange', 'start', start)
  if (stop !== undefined) requireNumber('arange', 'stop', stop)
  requireNumber('arange', 'step', step)
  const [from, to] = stop === undefined ? [0, start] : [start, stop]
  if (step === 0 || !Number.isFinite((to - from) / step)) throw new ValueError(`arange: cannot count from ${from} to ${to} by ${step}.`)
  const n = Math.max(0, Math.ceil((to - from) / step))
  return written(empty('arange', [n], place), () => counted(n, (i) => from + i * step))
}

/**
 * `count` evenly spaced values from start to stop, both included (NumPy's `linspace`).
 *
 * Shape: → [count]
 *
 * @throws ValueError unless count is a whole number.
 * @example
 * ```ts
 * linspace(0, 1, 5) // [0, 0.25, 0.5, 0.75, 1]
 * ```
 */
export function linspace(start: number, stop: number, count: number, options: CreateOptions = {}): Tensor {
  requireNumber('linspace', 'start', start)
  requireNumber('linspace', 'stop', stop)
  requireWhole('linspace', 'count', count, { least: 0 })
  const step = count > 1 ? (stop - start) / (count - 1) : 0
  return written(empty('linspace', [count], placed('linspace', options)), () =>
    counted(count, (i) => (i > 0 && i === count - 1 ? stop : start + i * step)),
  )
}

/**
 * The identity matrix: 1 on the diagonal, 0 elsewhere. It is square unless m is given.
 *
 * Shape: → [n, m]
 *
 * @example
 * ```ts
 * eye(2) // [[1, 0], [0, 1]]
 * ```
 */
export function eye(n: number, m = n, options: CreateOptions = {}): Tensor {
  requireWhole('eye', 'n', n, { least: 0 })
  requireWhole('eye', 'm', m, { least: 0 })
  return written(empty('eye', [n, m], placed('eye', options)), () => {
    const values = new Float32Array(n * m)
    for (let i = 0; i < Math.min(n, m); i++) values[i * m + i] = 1
    return values
  })
}

/**
 * @internal True on the diagonal, false elsewhere.
 *
 * Shape: → [n, n]
 */
export const identityMask = (n: number, backend: Backend): Tensor => eye(n, n, { dtype: 'bool', backend })

/**
 * Random values, uniform in [low, high), by default [0, 1); whole numbers for integer dtypes. The same key gives the same values.
 *
 * Shape: → the given shape
 *
 * @throws ValueError if the key is none.
 * @example
 * ```ts
 * const noise = uniform(key(7), [32, 10], { low: -1, high: 1 })   // [32, 10]
 * ```
 */
export function uniform<N extends number, S extends readonly N[] | readonly []>(
  key: Key,
  shape: S,
  options: CreateOptions & { low?: number; high?: number } = {},
): Made<S> {
  const { dtype, backend } = placed('uniform', options, UNIFORM_OPTIONS)
  const { low = 0, high = 1 } = options
  requireKey('uniform', key)
  requireNumber('uniform', 'low', low)
  requireNumber('uniform', 'high', high)
  const out = empty('uniform', shape, { dtype, backend })
  if (low === 0 && high === 1 && dtype === 'float32' && backend.fused.uniform) {
    backend.fused.uniform(out, key)
    return out as Made<S>
  }
  return written(out, () => between(draw(key, sizeOf(shape)), low, high, dtype)) as Made<S>
}

/** Maps values from [0, 1) to [low, high), in place. */
function between(values: Float64Array, low: number, high: number, dtype: DType): Float64Array {
  // The largest value below high: rounding to float32 would reach high itself now and then.
  const top = Math.fround(high)
  const last = dtype === 'float32' ? Math.fround(top - Math.abs(top) * 2 ** -24) : high
  const whole = !isFloat(dtype) // integers are rounded down: cutting off towards zero would give 0 too often
  for (let i = 0; i < values.length; i++) {
    const value = low + (high - low) * values[i]
    values[i] = whole ? Math.floor(value) : Math.min(value, last)
  }
  return values
}

/** `count` values, uniform in [0, 1). */
function draw(key: Key, count: number): Float64Array {
  const values = new Float64Array(count)
  uniformInto(values, key)
  return values
}

/** Standard normal values by the transform of Box and Muller (1958): each pair of uniform values gives two. */
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

/** Checks the arguments of `normal` and `truncatedNormal`, and makes the tensor to fill. */
function normalArguments<S extends Shape>(what: string, key: Key, shape: S, options: CreateOptions & { mean?: number; stddev?: number }) {
  const place = placed(what, options, NORMAL_OPTIONS)
  const { mean = 0, stddev = 1 } = options
  requireKey(what, key)
  requireNumber(what, 'mean', mean)
  requireNumber(what, 'stddev', stddev, { least: 0 })
  return { out: empty(what, shape, place), mean, stddev }
}

/**
 * Random values from the normal distribution, by default with mean 0 and standard deviation 1. The same key gives the same values.
 *
 * Shape: → the given shape
 *
 * @throws ValueError if stddev is negative.
 * @example
 * ```ts
 * const w = normal(key(7), [784, 128], { stddev: 0.05 })   // [784, 128]
 * ```
 */
export function normal<N extends number, S extends readonly N[] | readonly []>(
  key: Key,
  shape: S,
  options: CreateOptions & { mean?: number; stddev?: number } = {},
): Made<S> {
  const { out, mean, stddev } = normalArguments('normal', key, shape, options)
  return written(out, () => {
    const values = drawNormal(key, sizeOf(shape))
    for (let i = 0; i < values.length; i++) values[i] = mean + stddev * values[i]
    return values
  }) as Made<S>
}

/**
 * Random values from the normal distribution without its tails: a value more than two standard deviations from the mean is drawn again (as Keras'
 * `TruncatedNormal` does).
 *
 * Shape: → the given shape
 *
 * @throws ValueError if stddev is negative.
 * @example
 * ```ts
 * const w = truncatedNormal(key(7), [784, 128], { stddev: 0.05 })   // [784, 128]
 * ```
 */
export function truncatedNormal<N extends number, S extends readonly N[] | readonly []>(
  key: Key,
  shape: S,
  options: CreateOptions & { mean?: number; stddev?: number } = {},
): Made<S> {
  const { out, mean, stddev } = normalArguments('truncatedNormal', key, shape, options)
  return written(out, () => {
    const values = new Float64Array(sizeOf(shape))
    let taken = 0
    for (let round = 0; taken < values.length; round++) {
      const candidates = drawNormal(round === 0 ? key : fold(key, round), Math.max(16, Math.ceil((values.length - taken) * 1.1)))
      for (let i = 0; i < candidates.length && taken < values.length; i++) {
        if (Math.abs(candidates[i]) <= 2) values[taken++] = mean + stddev * candidates[i]
      }
    }
    return values
  }) as Made<S>
}

/**
 * Random values that are 1 with probability p, else 0.
 *
 * Shape: → the given shape
 *
 * @throws ValueError unless 0 ≤ p ≤ 1.
 * @example
 * ```ts
 * bernoulli(key(7), [3], 1) // [1, 1, 1]
 * ```
 */
export function bernoulli<N extends number, S extends readonly N[] | readonly []>(
  key: Key,
  shape: S,
  p: number,
  options: CreateOptions = {},
): Made<S> {
  const { dtype, backend } = placed('bernoulli', options)
  requireKey('bernoulli', key)
  requireNumber('bernoulli', 'p', p, { least: 0, most: 1 })
  const { bernoulli: fused } = backend.fused
  if (fused) {
    const out = empty('bernoulli', shape, { dtype, backend })
    fused(out, key, p)
    return out as Made<S>
  }
  checkShape('bernoulli', shape)
  const u = uniform(key, shape, { backend })
  const level = full([], p, { backend })
  const hit = emptyTensor(backend, shape, 'bool')
  backend.kernels.zip(hit, u, level, 'less')
  u.dispose()
  level.dispose()
  if (dtype === 'bool') return hit as Made<S>
  const out = emptyTensor(backend, shape, dtype)
  backend.kernels.map(out, hit, 'cast')
  hit.dispose()
  return out as Made<S>
}

/**
 * Initial values of weights, with the distributions of Keras (keras/initializers.py 2.3.1). The numbers themselves differ from Keras', whose random
 * sequences cannot be reproduced. An initializer is a pure function of a key and a shape. A `seed`, as in Keras, replaces the key.
 *
 * The file has more than 300 lines because all of Keras' initializers stand in one list at its end. A third of it are examples.
 */
import {
  type Backend,
  type CreateOptions,
  concat,
  currentBackend,
  truncatedNormal as drawTruncated,
  eye,
  full,
  type Key,
  key as keyOf,
  normal,
  type Shape,
  ShapeError,
  scope,
  shapeError,
  showShape,
  sizeOf,
  split,
  Tensor,
  tensor,
  threefry2x32,
  uniform,
  ValueError,
} from '@cotangent/core'
import { describeValue, requireChoice, requireWhole } from '@cotangent/core/arguments'
import {
  classNameOf,
  lookUp,
  readOptions,
  refuseOptions,
  requireCalled,
  type SavedObject,
  type SpelledOptions,
  type Spelling,
  snakeCase,
} from '../spelling/names.js'
import { fromZero, number, seedRule } from '../spelling/rules.js'
import { leftSingularVectors, orthonormalize, orthonormalizeByBlocks } from './linear-algebra.js'

/** Makes the initial value of a weight. */
export interface Initializer {
  /** Keras' class name, for saved models. */
  readonly className: string
  /** The options that make an equal initializer. */
  getConfig(): Record<string, unknown>
  /** Makes the values. The same key and shape give the same values. */
  build(key: Key, shape: Shape, options?: CreateOptions): Tensor
}

type Build = Initializer['build']
const initializer = (className: string, config: object, build: Build): Initializer => ({
  className,
  getConfig: () => ({ ...config }),
  build(key, shape, options) {
    requireShape(className, shape)
    return build(key, shape, options)
  },
})

/** An option of all random initializers. */
export interface Seeded {
  /** A seed used instead of the model's key; null by default. Then all weights of one shape that share the initializer start equal. */
  seed?: number | null
}
const normalRules = { stddev: fromZero, seed: seedRule }
const seeded = (key: Key, seed: number | null | undefined): Key => (seed === null || seed === undefined ? key : keyOf(seed))

/**
 * Every value is 0.
 *
 * @example
 * ```ts
 * console.log(await initializers.zeros().build(key(1), [2]).array())   // [0, 0]
 * ```
 */
export function zeros(options?: object): Initializer {
  refuseOptions('zeros', options)
  return initializer('Zeros', {}, (_, shape, create) => full(shape, 0, create))
}
/**
 * Every value is 1.
 *
 * @example
 * ```ts
 * console.log(await initializers.ones().build(key(1), [2]).array())   // [1, 1]
 * ```
 */
export function ones(options?: object): Initializer {
  refuseOptions('ones', options)
  return initializer('Ones', {}, (_, shape, create) => full(shape, 1, create))
}

/**
 * Every value is `value`, 0 by default. The number may be given alone.
 *
 * @example
 * ```ts
 * console.log(await initializers.constant(0.5).build(key(1), [2]).array())   // [0.5, 0.5]
 * ```
 */
export function constant(options: number | { value?: number } = {}): Initializer {
  const config = readOptions('constant', typeof options === 'number' ? { value: options } : options, { value: 0 }, {}, 'constant(0.1)')
  return initializer('Constant', config, (_, shape, create) => full(shape, config.value, create))
}

/**
 * Values are normally distributed, with mean 0 and standard deviation 0.05 by default. Keras' short name is `normal`.
 *
 * @throws ValueError for a negative stddev
 * @example
 * ```ts
 * const w = initializers.randomNormal({ mean: 3, stddev: 0.1 }).build(key(1), [1000])
 * console.log(await w.mean().array())   // ≈ 3.0
 * ```
 */
export function randomNormal(options: Seeded & { mean?: number; stddev?: number } = {}): Initializer {
  const config = readOptions('randomNormal', options, { mean: 0, stddev: 0.05, seed: null }, normalRules, 'randomNormal({ stddev: 0.05 })')
  const { mean, stddev, seed } = config
  return initializer('RandomNormal', config, (key, shape, create) => normal(seeded(key, seed), shape, { ...create, mean, stddev }))
}

/**
 * Values are evenly distributed in [minval, maxval), which is [−0.05, 0.05) by default. Keras' short name is `uniform`.
 *
 * @throws ValueError if minval is above maxval
 * @example
 * ```ts
 * const w = initializers.randomUniform({ minval: 1, maxval: 2 }).build(key(1), [1000])
 * console.log((await w.min().array()) >= 1, (await w.max().array()) < 2)   // true true
 * ```
 */
export function randomUniform(options: Seeded & { minval?: number; maxval?: number } = {}): Initializer {
  const config = readOptions(
    'randomUniform',
    options,
    { minval: -0.05, maxval: 0.05, seed: null },
    { seed: seedRule },
    'randomUniform({ minval: -0.05, maxval: 0.05 })',
  )
  if (config.minval > config.maxval) throw new ValueError(`randomUniform: minval ${config.minval} is above maxval ${config.maxval}.`)
  const { minval: low, maxval: high, seed } = config
  return initializer('RandomUniform', config, (key, shape, create) => uniform(seeded(key, seed), shape, { ...create, low, high }))
}

/**
 * As `randomNormal`, but values more than two standard deviations from the mean are drawn again.
 *
 * @throws ValueError for a negative stddev
 * @example
 * ```ts
 * const w = initializers.truncatedNormal({ stddev: 0.1 }).build(key(1), [1000])
 * console.log((await w.abs().max().array()) <= 0.2)   // true
 * ```
 */
export function truncatedNormal(options: Seeded & { mean?: number; stddev?: number } = {}): Initializer {
  const config = readOptions(
    'truncatedNormal',
    options,
    { mean: 0, stddev: 0.05, seed: null },
    normalRules,
    'truncatedNormal({ stddev: 0.05 })',
  )
  const { mean, stddev, seed } = config
  return initializer('TruncatedNormal', config, (key, shape, create) =>
    drawTruncated(seeded(key, seed), shape, { ...create, mean, stddev }),
  )
}

/**
 * The number of inputs and outputs of one unit. For a matrix, its sizes. For a filter [..window, in, out], channels × window size. For any other shape,
 * √size for both.
 *
 * @example
 * ```ts
 * console.log(fansOf([784, 512]), fansOf([3, 3, 8, 16]))   // { fanIn: 784, fanOut: 512 } { fanIn: 72, fanOut: 144 }
 * ```
 */
export function fansOf(shape: Shape): { fanIn: number; fanOut: number } {
  requireShape('fansOf', shape)
  if (shape.length < 2 || shape.length > 5) return { fanIn: Math.sqrt(sizeOf(shape)), fanOut: Math.sqrt(sizeOf(shape)) }
  const window = sizeOf(shape.slice(0, -2))
  return { fanIn: window * shape[shape.length - 2], fanOut: window * shape[shape.length - 1] }
}

/** Options of `varianceScaling`. */
export interface VarianceScalingOptions extends Seeded {
  /** The variance times the fan, above 0; 1 by default. */
  scale?: number
  /** The fan to divide by: inputs (`fanIn`, default), outputs, or the mean of both. */
  mode?: 'fanIn' | 'fanOut' | 'fanAvg' | 'fan_in' | 'fan_out' | 'fan_avg'
  /** `normal` (default) is truncated at two standard deviations, as in Keras; `untruncatedNormal` is not; `uniform` is even. */
  distribution?: 'normal' | 'uniform' | 'truncatedNormal' | 'truncated_normal' | 'untruncatedNormal' | 'untruncated_normal'
  /** Widen the normal before it is truncated, so that the variance is right. True by default; Keras before 2.2 did not. */
  correctTruncation?: boolean
}

/** The standard deviation of a standard normal truncated to [−2, 2]. */
const TRUNCATED_STDDEV = 0.8796256610342398

/**
 * Values have mean 0 and variance scale/fan. `uniform` draws from ±√(3·scale/fan).
 *
 * Source: Glorot and Bengio 2010 (fanAvg, scale 1), He et al. 2015 (fanIn, 2), LeCun et al. 1998 (fanIn, 1)
 *
 * @throws ValueError for an unknown mode or distribution
 * @example
 * ```ts
 * const w = initializers.varianceScaling({ scale: 3, distribution: 'uniform' }).build(key(1), [9, 100])
 * console.log((await w.abs().max().array()) <= 1)   // true
 * ```
 */
export function varianceScaling(options: SpelledOptions<VarianceScalingOptions> = {}): Initializer {
  const given = readOptions<Required<VarianceScalingOptions>>(
    'varianceScaling',
    options,
    { scale: 1, mode: 'fanIn', distribution: 'normal', seed: null, correctTruncation: true },
    { scale: number({ above: 0 }), seed: seedRule },
    "varianceScaling({ scale: 2, mode: 'fanIn' })",
  )
  const fan = lookUp<(fans: { fanIn: number; fanOut: number }) => number>('mode of varianceScaling', given.mode, {
    fanIn: ({ fanIn }) => fanIn,
    fanOut: ({ fanOut }) => fanOut,
    fanAvg: ({ fanIn, fanOut }) => (fanIn + fanOut) / 2,
  })
  const draw = lookUp<(key: Key, shape: Shape, stddev: number, create?: CreateOptions) => Tensor>(
    'distribution of varianceScaling',
    given.distribution,
    {
      normal: (key, shape, stddev, create) =>
        drawTruncated(key, shape, { ...create, stddev: given.correctTruncation ? stddev / TRUNCATED_STDDEV : stddev }),
      uniform: (key, shape, stddev, create) => uniform(key, shape, { ...create, low: -Math.sqrt(3) * stddev, high: Math.sqrt(3) * stddev }),
      untruncatedNormal: (key, shape, stddev, create) => normal(key, shape, { ...create, stddev }),
    },
    { truncatedNormal: 'normal' },
  )
  const { correctTruncation, ...rest } = given
  // The values also get Keras' spelling, so that Keras can read a saved model.
  const keras = { ...rest, mode: snakeCase(rest.mode), distribution: snakeCase(rest.distribution) }
  return initializer('VarianceScaling', correctTruncation ? keras : { ...keras, correctTruncation }, (key, shape, create) =>
    draw(seeded(key, given.seed), shape, Math.sqrt(given.scale / Math.max(1, fan(fansOf(shape)))), create),
  )
}

/** Variance scaling with everything fixed but the seed. */
function scaled(what: string, options: Seeded, scale: number, mode: 'fanIn' | 'fanAvg', distribution: 'normal' | 'uniform'): Initializer {
  const { seed } = readOptions(what, options, { seed: null }, { seed: seedRule }, `${what}({ seed: 7 })`)
  return varianceScaling({ scale, mode, distribution, seed })
}

/**
 * Evenly distributed with variance 2/(in + out): Keras' default for kernels (Glorot and Bengio 2010).
 *
 * @example
 * ```ts
 * const w = glorotUniform().build(key(1), [100, 50])
 * console.log((await w.abs().max().array()) <= Math.sqrt(6 / 150))   // true
 * ```
 */
export const glorotUniform = (options: Seeded = {}): Initializer => scaled('glorotUniform', options, 1, 'fanAvg', 'uniform')
/**
 * Truncated normal with variance 2/(in + out) (Glorot and Bengio 2010).
 *
 * @example
 * ```ts
 * console.log(await glorotNormal().build(key(1), [200, 100]).square().mean().mul(300).array())   // ≈ 2.0
 * ```
 */
export const glorotNormal = (options: Seeded = {}): Initializer => scaled('glorotNormal', options, 1, 'fanAvg', 'normal')
/**
 * Evenly distributed with variance 2/in, for relu (He et al. 2015).
 *
 * @example
 * ```ts
 * const w = heUniform().build(key(1), [96, 50])
 * console.log((await w.abs().max().array()) <= Math.sqrt(6 / 96))   // true
 * ```
 */
export const heUniform = (options: Seeded = {}): Initializer => scaled('heUniform', options, 2, 'fanIn', 'uniform')
/**
 * Truncated normal with variance 2/in, for relu (He et al. 2015).
 *
 * @example
 * ```ts
 * console.log(await heNormal().build(key(1), [200, 100]).square().mean().mul(200).array())   // ≈ 2.0
 * ```
 */
export const heNormal = (options: Seeded = {}): Initializer => scaled('heNormal', options, 2, 'fanIn', 'normal')
/**
 * Evenly distributed with variance 1/in, for selu (LeCun et al. 1998).
 *
 * @example
 * ```ts
 * const w = lecunUniform().build(key(1), [48, 50])
 * console.log((await w.abs().max().array()) <= Math.sqrt(3 / 48))   // true
 * ```
 */
export const lecunUniform = (options: Seeded = {}): Initializer => scaled('lecunUniform', options, 1, 'fanIn', 'uniform')
/**
 * Truncated normal with variance 1/in, for selu (LeCun et al. 1998).
 *
 * @example
 * ```ts
 * console.log(await lecunNormal().build(key(1), [200, 100]).square().mean().mul(200).array())   // ≈ 1.0
 * ```
 */
export const lecunNormal = (options: Seeded = {}): Initializer => scaled('lecunNormal', options, 1, 'fanIn', 'normal')

/** Standard normal values, computed on the host (Box–Muller). */
function gaussian(key: Key, count: number): Float64Array {
  const values = new Float64Array(count + (count & 1))
  for (let i = 0; i < values.length; i += 2) {
    const [a, b] = threefry2x32(key, [i >>> 1, 0])
    const radius = Math.sqrt(-2 * Math.log1p(-(a >>> 8) * 2 ** -24))
    const angle = 2 * Math.PI * (b >>> 8) * 2 ** -24
    values[i] = radius * Math.cos(angle)
    values[i + 1] = radius * Math.sin(angle)
  }
  return values.subarray(0, count)
}

/** The values of `gaussian`, computed by a backend in float32. */
function gaussianOn(backend: Backend, key: Key, count: number): Tensor {
  const [a, b] = split(uniform(key, [Math.ceil(count / 2), 2], { backend, dtype: 'float32' }), 2, 1)
  const radius = a.neg().log1p().mul(-2).sqrt()
  const angle = b.mul(2 * Math.PI)
  return concat([radius.mul(angle.cos()), radius.mul(angle.sin())], 1)
    .reshape([-1])
    .slice([0], [count])
}

/** From this long·short² on, a matrix is made orthogonal by blocks on a backend, since the host takes long: that of an LSTM of 416 units. */
const LARGE = 2 ** 28

/** The backend, if its products are fast and its results can be read at once; else undefined. */
function quick({ backend = currentBackend(), dtype = 'float32' }: CreateOptions = {}): Backend | undefined {
  return backend.name === 'wasm' && dtype === 'float32' ? backend : undefined
}

/**
 * Makes a [rows, cols] matrix orthogonal: its columns are orthonormal if rows ≥ cols, otherwise its rows.
 *
 * @param source a matrix [max(rows, cols), min(rows, cols)], row by row
 * @param method `qr`: Q of A = Q·R with R's diagonal positive (Keras 3); `svd`: U of A = U·Σ·Vᵀ (Keras 2, up to signs)
 * @throws ValueError if source does not hold rows·cols numbers
 * @example
 * ```ts
 * console.log([...orthogonalFrom([3, 1, 4, 2], 2, 2)])   // ≈ [0.6, -0.8, 0.8, 0.6]
 * ```
 */
export function orthogonalFrom(source: ArrayLike<number>, rows: number, cols: number, method: 'qr' | 'svd' = 'qr'): Float64Array {
  requireWhole('orthogonalFrom', 'rows', rows, { least: 0 })
  requireWhole('orthogonalFrom', 'cols', cols, { least: 0 })
  requireChoice('orthogonalFrom', 'method', method, ['qr', 'svd'])
  const size = (source as ArrayLike<number> | null)?.length
  if (typeof source !== 'object' || size !== rows * cols)
    throw new ValueError(`orthogonalFrom: source must be a list of ${rows}·${cols} numbers, got ${describeValue(source)}.`)
  return orthogonalized(source, rows, cols, method)
}

function orthogonalized(source: ArrayLike<number>, rows: number, cols: number, method: 'qr' | 'svd'): Float64Array {
  const [length, count] = [Math.max(rows, cols), Math.min(rows, cols)]
  const columns = Array.from({ length: count }, () => new Float64Array(length))
  for (let i = 0; i < length; i++) for (let j = 0; j < count; j++) columns[j][i] = source[i * count + j]
  if (method === 'svd') leftSingularVectors(columns)
  else orthonormalize(columns)
  const out = new Float64Array(rows * cols)
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) out[i * cols + j] = rows >= cols ? columns[j][i] : columns[i][j]
  }
  return out
}

/** An orthogonal matrix from a key, for large ones: computed by a backend in float32. */
function orthogonalOn(backend: Backend, key: Key, rows: number, cols: number): Tensor {
  const [length, count] = [Math.max(rows, cols), Math.min(rows, cols)]
  const drawn = scope(() => {
    const y = gaussianOn(backend, key, rows * cols)
      .reshape([length, count])
      .transpose()
    return Float32Array.from(backend.readSync?.(y.storage) as Float32Array)
  })
  const columns = Array.from({ length: count }, (_, j) => Float64Array.from(drawn.subarray(j * length, (j + 1) * length)))
  const q = tensor(orthonormalizeByBlocks(columns, backend), { shape: [count, length], dtype: 'float32', backend })
  return rows < cols ? q : q.transpose()
}

/**
 * A random orthogonal matrix [∏ leading axes, last axis] times `gain` (Saxe, McClelland, Ganguli 2014): the default for recurrent kernels.
 *
 * `method: 'qr'` (default) is evenly distributed over orthogonal matrices. `'svd'` is Keras 2's way; it differs only in signs and is slower.
 * Cost: 2·long·short² flops. If long·short² is at least 2²⁸ (an LSTM of 416 units) and the wasm backend makes the weights, it is computed by blocks in
 * float32, right to 1e-5.
 *
 * @throws ShapeError when it is used for fewer than two axes
 * @example
 * ```ts
 * const w = initializers.orthogonal().build(key(1), [2, 2])
 * console.log(await w.matMul(w, { transposeB: true }).array())   // ≈ [[1.000, 0.000], [0.000, 1.000]]
 * ```
 */
export function orthogonal(options: Seeded & { gain?: number; method?: 'qr' | 'svd' } = {}): Initializer {
  const given = readOptions<{ gain: number; seed: number | null; method: 'qr' | 'svd' }>(
    'orthogonal',
    options,
    { gain: 1, seed: null, method: 'qr' },
    { seed: seedRule },
    'orthogonal({ gain: 1 })',
  )
  const method = lookUp<'qr' | 'svd'>('method of orthogonal', given.method, { qr: 'qr', svd: 'svd' })
  const { gain, seed } = given
  return initializer('Orthogonal', method === 'qr' ? { gain, seed } : given, (key, shape, create) => {
    if (shape.length < 2) throw shapeError('orthogonal', 'at least 2 axes are needed', [{ name: 'shape', shape }])
    const [rows, cols] = [sizeOf(shape.slice(0, -1)), shape[shape.length - 1]]
    const backend = quick(create)
    if (backend && method === 'qr' && rows * cols * Math.min(rows, cols) >= LARGE)
      return scope(() => orthogonalOn(backend, seeded(key, seed), rows, cols).mul(gain).reshape(shape))
    const values = orthogonalized(gaussian(seeded(key, seed), rows * cols), rows, cols, method)
    if (gain !== 1) for (let i = 0; i < values.length; i++) values[i] *= gain
    return tensor(values, { ...create, shape })
  })
}

/**
 * The identity matrix times `gain`, 1 by default. A matrix that is not square is filled up with zeros.
 *
 * @throws ShapeError when it is used for anything but a matrix
 * @example
 * ```ts
 * console.log(await initializers.identity().build(key(1), [2, 3]).array())   // [[1, 0, 0], [0, 1, 0]]
 * ```
 */
export function identity(options: { gain?: number } = {}): Initializer {
  const config = readOptions('identity', options, { gain: 1 }, {}, 'identity({ gain: 1 })')
  return initializer('Identity', config, (_, shape, create) => {
    if (shape.length !== 2) throw shapeError('identity', 'only a matrix can be an identity', [{ name: 'shape', shape }])
    return eye(shape[0], shape[1], create).mul(config.gain)
  })
}

const isInitializer = (id: Initializer | SavedObject): id is Initializer => 'build' in id && typeof id.build === 'function'

/** A user's function, with a check of its result. */
const ofUser =
  (name: string, build: Build): Build =>
  (key, shape, create) => {
    const value: unknown = build(key, shape, create)
    if (!(value instanceof Tensor))
      throw new ValueError(`initializer "${name}": the function must return a tensor, got ${describeValue(value)}.`)
    if (showShape(value.shape) === showShape(shape)) return value
    throw new ShapeError(`initializer "${name}": the weight is ${showShape(shape)}, the function gave ${showShape(value.shape)}.`)
  }

/** Throws unless `shape` is a list of sizes. */
function requireShape(what: string, shape: unknown): void {
  if (!Array.isArray(shape)) throw new ValueError(`${what}: shape must be a list of sizes, got ${describeValue(shape)}.`)
  for (const [axis, n] of shape.entries()) requireWhole(what, `shape[${axis}]`, n, { least: 0 })
}

const table = {
  zeros,
  ones,
  constant,
  randomNormal,
  randomUniform,
  truncatedNormal,
  varianceScaling,
  glorotUniform,
  glorotNormal,
  heUniform,
  heNormal,
  lecunUniform,
  lecunNormal,
  orthogonal,
  identity,
}
const aliases = { zero: 'zeros', one: 'ones', normal: 'randomNormal', uniform: 'randomUniform' } as const

/** Names of the initializers. */
export type InitializerName = keyof typeof table | keyof typeof aliases
/** An initializer by name, as an object, in the form that saved models hold, or as a function of key and shape. */
export type InitializerIdentifier = Spelling<InitializerName> | Initializer | SavedObject | Build

/**
 * An initializer by name (with its defaults), as an object, from a saved model's description, or from a function.
 *
 * @throws ValueError for an unknown name
 * @example
 * ```ts
 * const kernel = getInitializer('glorot_uniform').build(key(7), [784, 512])
 * console.log(kernel.shape)   // [784, 512]
 * ```
 */
export function getInitializer(id: InitializerIdentifier): Initializer {
  requireCalled('initializer', id, table)
  if (typeof id === 'function') return initializer(id.name || 'initializer', {}, ofUser(id.name || 'initializer', id))
  if (typeof id === 'object' && id !== null) {
    if (isInitializer(id)) return id
    return lookUp<(config?: object) => Initializer>('initializer', classNameOf('initializer', id), table, aliases)(id.config)
  }
  return lookUp<() => Initializer>('initializer', id, table, aliases)()
}

/** Batches for training loops of your own. */
import { type Backend, currentBackend, type DType, ShapeError, scope, Tensor, ValueError } from '@cotangent/core'
import { describeValue, requireChoice } from '@cotangent/core/arguments'
import type { Data } from '../host-data.js'
import { type Rule, readOptions, type SpelledOptions } from '../spelling/names.js'
import { whole } from '../spelling/rules.js'
import { identityOrder, type Rows, rowsOf } from './data.js'

/** Options of `batches`. */
export interface BatchesOptions {
  /** Samples in a batch, at least 1; 32 by default. The last batch may be smaller. */
  batchSize?: number
  /** The positions of the samples to take, in order, such as `permutation(key, n)`. By default all, as they come. */
  order?: Int32Array | readonly number[]
  /** The backend of the batches; by default that of x if it is a tensor, else the default backend. */
  backend?: Backend
  /** The dtype of the batches; by default that of the backend, which is float32 if it says nothing else. */
  dtype?: DType
}

const isBackend: Rule = (what, name, value) => {
  if (typeof (value as { alloc?: unknown } | null)?.alloc === 'function') return
  throw new ValueError(`${what}: ${name} must be a backend, such as await getBackend('wasm'), got ${describeValue(value)}.`)
}

/**
 * Yields `[x, y]` batches for a training loop of your own. A batch is freed when the next one is asked for.
 *
 * @throws ValueError or ShapeError at once, for wrong data or options
 * @example
 * ```ts
 * for (const [x, y] of batches(xTrain, yTrain, { batchSize: 128, order: permutation(foldKey(key(7), epoch), 60000) })) {
 *   const { value, grads } = valueAndGrad(model.params, () => loss(model.apply(x), y).mean())
 *   optimizer.step(model.params, grads)
 * }
 * ```
 */
export function batches(x: Data, y: Data, options?: SpelledOptions<BatchesOptions>): Generator<[x: Tensor, y: Tensor], void, undefined> {
  const settings = readOptions<BatchesOptions & { batchSize: number }>(
    'batches',
    options,
    { batchSize: 32, order: undefined, backend: undefined, dtype: undefined },
    {
      batchSize: whole({ least: 1 }),
      backend: isBackend,
      dtype: (what, name, value) => requireChoice(what, name, value, ['float32', 'float64', 'int32', 'uint8', 'bool']),
    },
    'batches(x, y, { batchSize: 128 })',
  )
  const backend = settings.backend ?? (x instanceof Tensor ? x.backend : currentBackend())
  const xs = rowsOf('batches: x', x, backend)
  const ys = rowsOf('batches: y', y, backend)
  if (xs.count !== ys.count) throw new ShapeError(`batches: x has ${xs.count} samples and y has ${ys.count}.`)
  const order = settings.order === undefined ? identityOrder(xs.count) : requireOrder(settings.order, xs.count)
  return cut(xs, ys, order, { batchSize: settings.batchSize, dtype: settings.dtype ?? backend.defaultDType ?? 'float32' })
}

function* cut(
  xs: Rows,
  ys: Rows,
  order: Int32Array,
  { batchSize, dtype }: { batchSize: number; dtype: DType },
): Generator<[x: Tensor, y: Tensor], void, undefined> {
  for (let begin = 0; begin < order.length; begin += batchSize) {
    const end = Math.min(order.length, begin + batchSize)
    const pair = scope((): [Tensor, Tensor] => [xs.take(order, begin, end, dtype).keep(), ys.take(order, begin, end, dtype).keep()])
    try {
      yield pair
    } finally {
      pair[0].dispose()
      pair[1].dispose()
    }
  }
}

/** Throws for a position that is no sample; without this check its values would be NaN. */
function requireOrder(order: unknown, count: number): Int32Array {
  if (!(order instanceof Int32Array || Array.isArray(order))) {
    throw new ValueError(`batches: order must be an Int32Array, such as permutation(key(7), ${count}), got ${describeValue(order)}.`)
  }
  const places = order as readonly unknown[]
  const wrong = places.findIndex((place) => !(Number.isInteger(place) && (place as number) >= 0 && (place as number) < count))
  if (wrong < 0) return order instanceof Int32Array ? order : Int32Array.from(order)
  const range = count > 0 ? `must be whole numbers from 0 to ${count - 1}` : 'must be empty, as the data are'
  throw new ValueError(`batches: order[${wrong}] is ${describeValue(places[wrong])}, but places of samples ${range}.`)
}

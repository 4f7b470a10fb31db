/** New values for weights. All of them are checked before the first weight changes. */
import { type Parameter, type Shape, ShapeError, scope, showShape, Tensor, tensor, ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import { type Data, isTyped, type NumericArray, readHost } from '../host-data.js'

/** A value for a weight: data of its shape, a typed array of its elements row by row, or a number for a scalar. */
export type WeightValue = Data | NumericArray | number

/**
 * Replaces all weights. Nothing changes unless all values fit.
 *
 * @throws ValueError for a wrong number of values, ShapeError for a value of another shape
 */
export function assignWeights(whose: string, weights: readonly Parameter[], values: readonly WeightValue[]): void {
  if (!Array.isArray(values)) {
    throw new ValueError(
      `setWeights: expected a list of values, one for each of the ${weights.length} weights, got ${describeValue(values)}.`,
    )
  }
  if (values.length !== weights.length) {
    const names = weights.map((weight) => `${weight.name} ${showShape(weight.shape)}`).join(', ')
    throw new ValueError(
      `setWeights: ${whose} has ${weights.length} weights, got ${values.length}.${weights.length > 0 ? ` They are ${names}.` : ''}`,
    )
  }
  scope(() => {
    const fresh = weights.map((weight, i) => newWeight(`setWeights: value ${i} ("${weight.name}")`, values[i], weight))
    for (const [i, weight] of weights.entries()) weight.assign(fresh[i])
  })
}

/**
 * A copy of the value in the weight's dtype, in the current scope. Its shape is checked.
 *
 * @param what `setWeights: value 0 ("dense/kernel")`, for messages
 */
export function newWeight(what: string, value: WeightValue, weight: Tensor): Tensor {
  const requireFit = (shape: Shape): void => {
    if (shape.length === weight.rank && shape.every((n, i) => n === weight.shape[i])) return
    throw new ShapeError(`${what}: has shape ${showShape(shape)}, the weight ${showShape(weight.shape)}.`)
  }
  const { dtype, backend } = weight
  if (value instanceof Tensor) {
    value.requireLive(what)
    requireFit(value.shape)
    if (value.backend !== backend) {
      throw new ValueError(`${what}: is on ${value.backend.name}, the weight on ${backend.name}. Move it: await value.to(backend).`)
    }
    // A cast or reshape may share memory with the value. Picking the only row of [1, ..] always copies.
    return value
      .expandDims(0)
      .gather(tensor(Int32Array.of(0), { backend }))
      .cast(dtype)
      .reshape(value.shape)
  }
  const { data, shape } = typeof value === 'number' ? { data: Float64Array.of(value), shape: [] } : readHost(what, value)
  if (!isTyped(value)) requireFit(shape)
  else if (data.length !== weight.size)
    throw new ShapeError(`${what}: has ${data.length} elements, the weight ${showShape(weight.shape)} has ${weight.size}.`)
  return tensor(data, { shape: weight.shape, dtype, backend })
}

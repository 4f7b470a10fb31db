/** Options of all layers, and checks that layers share. Every message begins with the layer's class. */
import { addContext, type DType, type Shape, ShapeError, sizeOf, ValueError } from '@cotangent/core'
import { describeValue, requireBoolean, requireOptions, requireWhole } from '@cotangent/core/arguments'
import type { LayerOptions } from './layer-types.js'

/** Names of the options that every layer takes. */
export const layerOptions = ['name', 'trainable', 'inputShape', 'batchInputShape', 'inputDim', 'weights']

/** Throws for an option that is neither the layer's nor one of all layers, and for a wrong value of the latter. */
export function requireLayerOptions(className: string, options: LayerOptions, own: readonly string[]): void {
  requireOptions(className, options, [...own, ...layerOptions])
  const { name, trainable, inputShape, batchInputShape, inputDim, weights } = options
  if (name !== undefined && typeof name !== 'string') throw new ValueError(`${className}: name must be text, got ${describeValue(name)}.`)
  if (trainable !== undefined) requireBoolean(className, 'trainable', trainable)
  if (inputShape !== undefined) requireSizes(className, 'inputShape', 'the shape of one sample', inputShape)
  if (batchInputShape !== undefined) requireSizes(className, 'batchInputShape', 'the shape of a batch', batchInputShape)
  if (batchInputShape?.length === 0)
    throw new ValueError(`${className}: batchInputShape must begin with the batch axis, which is null where it is open: [null, 4].`)
  if (inputDim !== undefined) requireWhole(className, 'inputDim', inputDim, { least: 1 })
  if (weights !== undefined && !Array.isArray(weights))
    throw new ValueError(`${className}: weights must be a list with a value for each weight, got ${describeValue(weights)}.`)
}

/** Throws unless a shape is a list of whole numbers, at least 1, or null where a size is open. */
function requireSizes(className: string, option: string, meaning: string, value: unknown): void {
  if (!Array.isArray(value)) {
    const example = typeof value === 'number' ? `, such as [${value}]` : ', such as [28, 28]'
    throw new ValueError(`${className}: ${option} must be ${meaning} in a list${example}, got ${describeValue(value)}.`)
  }
  const wrong = value.findIndex((n) => n !== null && !(Number.isSafeInteger(n) && n >= 1))
  if (wrong < 0) return
  throw new ValueError(
    `${className}: ${option} must hold whole numbers, at least 1, or null where a size is open; ${option}[${wrong}] is ${describeValue(value[wrong])}.`,
  )
}

/** Throws unless an option is a whole number, at least 1. */
export const requireCount = (className: string, option: string, value: number): void => requireWhole(className, option, value, { least: 1 })

/** Throws unless an option is a list of whole numbers. */
export function requireWholeList(className: string, option: string, value: readonly number[], example: string, least = -Infinity): void {
  if (!Array.isArray(value))
    throw new ValueError(`${className}: ${option} must be a list of whole numbers, ${example}, got ${describeValue(value)}.`)
  for (const [i, entry] of value.entries()) requireWhole(className, `${option}[${i}]`, entry, least === -Infinity ? {} : { least })
}

/** Reads one option. An error gets the names of option and layer. */
export function readOption<Options extends object, Option extends keyof Options & string, Result>(
  className: string,
  option: Option,
  options: Options,
  read: (value: Options[Option]) => Result,
): Result {
  try {
    return read(options[option])
  } catch (error) {
    throw addContext(error, `in ${option} of ${className}`)
  }
}

/** The largest tensor on the wasm backend, in bytes. */
const MOST_BYTES = 2 ** 31 - 1024

/** Throws for a weight larger than any backend can hold, before it is made. */
export function requireWeightSize(layer: { describe(): string }, name: string, shape: Shape, dtype: DType): void {
  const bytes = sizeOf(shape) * (dtype === 'float64' ? 8 : 4)
  if (bytes <= MOST_BYTES) return
  throw new ShapeError(
    `${layer.describe()}: its weight "${name}" [${shape.join(', ')}] would have ${sizeOf(shape)} elements, ${(bytes / 2 ** 30).toFixed(1)} GiB; ` +
      'one tensor holds at most 2 GiB. Make the layer smaller.',
  )
}

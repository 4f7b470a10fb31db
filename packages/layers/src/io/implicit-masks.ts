/**
 * Masks in Keras 3's functional models. A mask made by Embedding or Masking travels with its tensor, in Keras 3 and here. But Keras 3 also writes it into the
 * file: as operations (`NotEqual`, `LogicalOr` …) whose result is the argument `mask` of calls. These operations are left out here.
 */
import { ValueError } from '@cotangent/core'
import { isObject, type Json, type KerasObject, plainClassName } from './keras-object.js'

/** Whether a node is an operation on tensors, not a layer. */
const isOperation = (object: KerasObject): boolean => /^keras\.(src\.)?ops(\.|$)/.test(String(object.module ?? ''))

/** The places `[layer, node, tensor]` of all tensors in the arguments of a call. */
function histories(value: unknown): readonly unknown[][] {
  if (Array.isArray(value)) return value.flatMap(histories)
  if (!isObject(value)) return []
  const history = isObject(value.config) ? value.config.keras_history : undefined
  return value.class_name === '__keras_tensor__' && Array.isArray(history) ? [history] : Object.values(value).flatMap(histories)
}

const callsOf = (object: KerasObject): Json[] => (Array.isArray(object.inbound_nodes) ? object.inbound_nodes.filter(isObject) : [])

/** Arguments of calls that are masks. */
const maskArguments = ['mask', 'query_mask', 'value_mask', 'key_mask']

/**
 * The layers of a functional model, without the operations that only compute masks which travel anyway.
 *
 * @throws ValueError for operations with another purpose
 */
export function withoutMaskOperations(objects: readonly KerasObject[], part: string): KerasObject[] {
  const operations = new Map(objects.filter(isOperation).map((object) => [nameOf(object), object]))
  if (operations.size === 0) return [...objects]
  const layers = objects.filter((object) => !isOperation(object))
  const ofMasks = new Set<string>()
  const follow = (value: unknown): void => {
    for (const [name] of histories(value)) {
      const operation = operations.get(String(name))
      if (!operation || ofMasks.has(String(name))) continue
      ofMasks.add(String(name))
      for (const call of callsOf(operation)) follow([call.args, call.kwargs])
    }
  }
  for (const layer of layers)
    for (const { kwargs } of callsOf(layer)) if (isObject(kwargs)) for (const key of maskArguments) follow(kwargs[key])
  for (const [name, operation] of operations) {
    const calls = callsOf(operation)
    const given = calls.flatMap(({ args, kwargs }) => histories([args, kwargs])).filter(([from]) => !operations.has(String(from)))
    if (ofMasks.has(name) && (given.length === 0 || calls.every((call) => isImplicit(operation, call, layers)))) continue
    throw new ValueError(
      ofMasks.has(name)
        ? `${part}: the mask made by operation "${name}" (${operation.class_name}) is not one of an Embedding or a Masking layer, and no other is supported.`
        : `${part}: operation "${name}" (${operation.class_name}) on tensors is not supported. Build the model of layers: Add, Multiply, Concatenate, Reshape …`,
    )
  }
  return layers
}

const nameOf = ({ name, config }: KerasObject): string => String(name ?? config.name)

/** Whether a call is x ≠ 0 on the input of an Embedding with mask_zero, or x ≠ mask_value on the input of a Masking. */
function isImplicit(operation: KerasObject, { args }: Json, layers: readonly KerasObject[]): boolean {
  if (plainClassName(operation.class_name) !== 'NotEqual' || !Array.isArray(args)) return false
  const place = JSON.stringify(histories(args[0])[0])
  return layers.some((layer) => {
    const { mask_zero, mask_value } = layer.config
    const value =
      layer.class_name === 'Embedding' && mask_zero === true ? 0 : layer.class_name === 'Masking' ? (mask_value ?? 0) : undefined
    return value === args[1] && callsOf(layer).some((call) => JSON.stringify(histories(call.args)[0]) === place)
  })
}

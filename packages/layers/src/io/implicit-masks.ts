/**
 * Masks in Keras 3's functional models. A mask made by Embedding or Masking travels with its tensor, in Keras 3 and here. But Keras 3 also writes it into the
 * file: as operations (`NotEqual`, `LogicalOr` …) whose result is the argument `mask` of calls. These operations are left out here, so that no mask counts twice.
 */
import { ValueError } from '@cotangent/core'
import { isObject, isPlace, type Json, type KerasObject, plainClassName } from './keras-object.js'
import { historyOf, isOperation } from './operations.js'

type Place = readonly [layer: string, node: number, tensor: number]

/** The places `[layer, node, tensor]` of all tensors in the arguments of a call. */
function placesIn(value: unknown): Place[] {
  const place = historyOf(value) ?? (isPlace(value) ? ([value[0], value[1], value[2]] as const) : undefined)
  if (place) return [place]
  if (Array.isArray(value)) return value.flatMap(placesIn)
  return isObject(value) ? Object.values(value).flatMap(placesIn) : []
}

const callsOf = (object: KerasObject): Json[] => (Array.isArray(object.inbound_nodes) ? object.inbound_nodes.map(callOf) : [])
/** A call as Keras 3 has it. Before it, a call was the list of the places of its tensors. */
function callOf(node: unknown): Json {
  if (isObject(node)) return node
  const places = isPlace(node) ? [node] : Array.isArray(node) ? node : []
  return {
    args: places.map((place) => (isPlace(place) ? place.slice(0, 3) : place)),
    kwargs: Object.assign({}, ...places.filter(isPlace).map((place) => place[3])),
  }
}
const nameOf = ({ name, config }: KerasObject): string => String(name ?? config.name)

/** Arguments of calls that are masks. */
const maskArguments = ['mask', 'query_mask', 'value_mask', 'key_mask']

/** The arguments of a call that are masks, and the others. */
function splitArguments({ args, kwargs }: Json): { masks: unknown[]; values: unknown[] } {
  const named = isObject(kwargs) ? Object.entries(kwargs) : []
  const isMask = ([key]: [string, unknown]): boolean => maskArguments.includes(key)
  return {
    masks: named.filter(isMask).map(([, value]) => value),
    values: [args, ...named.filter((entry) => !isMask(entry)).map(([, value]) => value)],
  }
}

/**
 * The layers of a functional model, without the operations that only compute masks which travel anyway.
 *
 * @param outputs the places of the model's outputs, as the file has them
 * @throws ValueError for a mask of another kind
 */
export function withoutMaskOperations(objects: readonly KerasObject[], outputs: unknown, part: string): KerasObject[] {
  const masked = objects.some((object) => callsOf(object).some((call) => placesIn(splitArguments(call).masks).length > 0))
  if (!masked && !objects.some(isOperation)) return [...objects]
  requireImplicit(objects, part)
  // An operation stays if an output or a layer needs it other than as a mask; so do those that it needs.
  const operations = new Map(objects.filter(isOperation).map((object) => [nameOf(object), object]))
  const needed = new Set<string>()
  const open = objects
    .filter((object) => !isOperation(object))
    .flatMap((object) => callsOf(object).flatMap((call) => placesIn(splitArguments(call).values)))
  const names = [...open.map(([name]) => name), ...JSON.stringify(outputs ?? []).matchAll(/\["((?:[^"\\]|\\.)*)",/g)].map((name) =>
    typeof name === 'string' ? name : (JSON.parse(`"${name[1]}"`) as string),
  )
  for (let name = names.pop(); name !== undefined; name = names.pop()) {
    const operation = operations.get(name)
    if (!operation || needed.has(name)) continue
    needed.add(name)
    for (const call of callsOf(operation)) names.push(...placesIn([call.args, call.kwargs]).map(([before]) => before))
  }
  return objects.filter((object) => !isOperation(object) || needed.has(nameOf(object)))
}

/**
 * Throws for a mask that would not come with the tensor. Each mask is followed as a text that says what it is: `["x",0,0] != 0`. The objects stand in an order in
 * which each follows those it needs.
 */
function requireImplicit(objects: readonly KerasObject[], part: string): void {
  /** The masks that travel with tensors, and those that operations compute. */
  const masks = new Map<string, string | undefined>()
  const key = (place: Place | undefined): string => JSON.stringify(place)
  for (const object of objects) {
    const name = nameOf(object)
    for (const [node, call] of callsOf(object).entries()) {
      const inputs = placesIn(splitArguments(call).values)
      if (isOperation(object)) {
        masks.set(
          key([name, node, 0]),
          computed(
            object,
            call,
            inputs.map((place) => masks.get(key(place))),
            key(inputs[0]),
          ),
        )
        continue
      }
      const given = placesIn(splitArguments(call).masks)
      const travelling = inputs.map((place) => masks.get(key(place)))
      for (const mask of given) {
        const text = masks.get(key(mask))
        if (text !== undefined && travelling.includes(text)) continue
        throw new ValueError(
          `${part}, layer "${name}" (${object.class_name}): its mask is not the one that comes with its input from an Embedding or a Masking layer, and no other is supported.`,
        )
      }
      const passed = passedOn(object, travelling, inputs)
      for (let output = 0; output < 3; output++) masks.set(key([name, node, output]), output === 0 ? passed : undefined)
    }
  }
}

/** The function of an operation, if it may be a mask. */
function computed(
  { class_name: className }: KerasObject,
  { args }: Json,
  masks: readonly (string | undefined)[],
  input: string,
): string | undefined {
  if (className === 'NotEqual' && Array.isArray(args)) return `${input} != ${JSON.stringify(args[1])}`
  if (className === 'Any') return masks[0]
  return className === 'LogicalOr' && masks[0] === masks[1] ? masks[0] : undefined
}

/** The mask that travels with the output of a layer. Here and in Keras the layers agree on this. */
function passedOn(
  { class_name, config }: KerasObject,
  masks: readonly (string | undefined)[],
  inputs: readonly Place[],
): string | undefined {
  const made = (value: unknown): string => `${JSON.stringify(inputs[0])} != ${JSON.stringify(value)}`
  const className = plainClassName(class_name)
  if (className === 'Embedding') return config.mask_zero === true ? made(0) : undefined
  if (className === 'Masking') return made(config.mask_value ?? 0)
  if (Object.hasOwn(config, 'return_sequences') && config.return_sequences !== true) return undefined
  return masks.find((mask) => mask !== undefined)
}

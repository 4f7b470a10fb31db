/**
 * Models that take texts. A text is no tensor, so what turns it into numbers stands beside the model, not in it, and works on the host before a batch is made.
 */
import { ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import type { BatchShape } from '../layer.js'
import { Hashing } from './hashing.js'
import { StringLookup } from './string-lookup.js'
import { TextVectorization } from './text-vectorization.js'
import type { Nested } from './values.js'

/** A layer that turns texts into numbers. */
export type TextLayer = TextVectorization | StringLookup | Hashing

/** For a model, what stands before its inputs, by their places. */
const before = new WeakMap<object, ReadonlyMap<number, TextLayer>>()

/** The layers of texts before the inputs of a model. */
export const textLayersOf = (model: object): ReadonlyMap<number, TextLayer> => before.get(model) ?? new Map()

/** @internal */
export const setTextLayers = (model: object, layers: ReadonlyMap<number, TextLayer>): void => {
  before.set(model, layers)
}

/** The shape of a batch that comes out, for samples of this shape. */
export function textShape(layer: TextLayer, sampleShape: readonly (number | null)[]): BatchShape {
  if (layer instanceof TextVectorization) {
    return [null, layer.outputMode === 'int' ? (layer.outputSequenceLength ?? null) : layer.columns]
  }
  const { outputMode } = layer
  if (outputMode === 'int') return [null, ...sampleShape]
  const lead = outputMode === 'one_hot' && sampleShape.at(-1) !== 1 ? sampleShape : sampleShape.slice(0, -1)
  return [null, ...lead, layer instanceof Hashing ? layer.numBins : layer.columns]
}

interface Ports {
  readonly name: string
  readonly inputPorts: readonly { readonly name: string }[]
}

/**
 * Lets a model take texts: `predict`, `fit` and `evaluate` turn them into numbers first, and a `.keras` file holds what does it as the first layer.
 *
 * @param layer for a model of one input; for several a record by the names of inputs
 * @throws ValueError if there is no such input, or something else than such a layer is given
 * @example
 * ```ts
 * const vectorize = textVectorization({ outputSequenceLength: 4 })
 * vectorize.adapt(['a good film', 'a bad film'])
 * const model = new Sequential([embedding(vectorize.vocabularySize, 2, { inputShape: [4] }), flatten(), dense(1)])
 * takeTexts(model, vectorize)
 * console.log((await model.predict(['good', 'a bad one'])).shape)   // [2, 1]
 * ```
 */
export function takeTexts(model: Ports, layer: TextLayer | Readonly<Record<string, TextLayer>>): void {
  const what = 'takeTexts'
  if (typeof model !== 'object' || model === null || !Array.isArray((model as Partial<Ports>).inputPorts)) {
    throw new ValueError(`${what}: expected a model that is built, got ${describeValue(model)}.`)
  }
  const names = model.inputPorts.map(({ name }) => name)
  const isLayer = (value: unknown): value is TextLayer =>
    value instanceof TextVectorization || value instanceof StringLookup || value instanceof Hashing
  if (isLayer(layer) && names.length > 1)
    throw new ValueError(`${what}: the model "${model.name}" has the inputs ${names.join(', ')}: give a record by name.`)
  const record: Readonly<Record<string, unknown>> = isLayer(layer) ? { [names[0]]: layer } : { ...layer }
  const layers = Object.entries(record).map(([name, value]): [number, TextLayer] => {
    if (!isLayer(value))
      throw new ValueError(`${what}: expected a textVectorization, stringLookup or hashing, got ${describeValue(value)}.`)
    if (!names.includes(name))
      throw new ValueError(`${what}: the model "${model.name}" has no input "${name}". It has ${names.join(', ')}.`)
    return [names.indexOf(name), value]
  })
  if (layers.length === 0)
    throw new ValueError(`${what}: expected a textVectorization, stringLookup or hashing, got ${describeValue(layer)}.`)
  setTextLayers(model, new Map(layers))
}

/** Whether data are text, or lists of it. */
function isText(data: unknown): boolean {
  let first = data
  while (Array.isArray(first)) first = first[0]
  return typeof first === 'string'
}

/** The data of a model with numbers in the place of texts. */
export function numbersForTexts<Given>(model: Ports, data: Given): Given {
  const layers = textLayersOf(model)
  if (layers.size === 0) return data
  const one = (value: unknown, i: number): unknown => {
    const layer = layers.get(i)
    return layer && isText(value) ? (layer as { rows(texts: Nested<string>): unknown }).rows(value as Nested<string>) : value
  }
  const names = model.inputPorts.map(({ name }) => name)
  if (names.length === 1 && isText(data)) return one(data, 0) as Given
  if (Array.isArray(data)) return (names.length > 1 ? data.map(one) : data) as Given
  if (Object.prototype.toString.call(data) !== '[object Object]' || 'shape' in (data as object)) return data
  return Object.fromEntries(Object.entries(data as object).map(([name, value]) => [name, one(value, names.indexOf(name))])) as Given
}

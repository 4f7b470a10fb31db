/**
 * Layers of texts in Keras 3's files: they stand behind an input of strings. Here they stand beside the model (`text/text-inputs.ts`), so reading takes them
 * out of the description, and the input becomes that of their numbers; writing puts them back. Vocabularies that were adapted are assets:
 * `assets/layers/text_vectorization/vocabulary.txt`, a line for each value.
 */
import { addContext, ValueError } from '@cotangent/core'
import type { Model } from '../models/model.js'
import { camelKeys, snakeKeys } from '../spelling/names.js'
import { Hashing, StringLookup, TextVectorization } from '../text/index.js'
import { type TextLayer, textLayersOf, textShape } from '../text/text-inputs.js'
import { type CustomObjects, customFunction } from './custom.js'
import { isObject, type Json, type KerasObject, requireKerasObject } from './keras-object.js'

const classes: Readonly<Record<string, { fromConfig(options: never): TextLayer }>> = { TextVectorization, StringLookup, Hashing }
const containers: Readonly<Record<string, string>> = {
  TextVectorization: 'text_vectorization',
  StringLookup: 'string_lookup',
  Hashing: 'hashing',
}

/** Other parts of the file: the text of an entry, and the weights of `tf_idf` under a path. */
export interface TextAssets {
  text(path: string): string | undefined
  numbers(path: string): readonly number[] | undefined
}

/** A description without layers of texts, and what makes these once it is known which functions the user has. */
export interface TakenOut {
  readonly topology: KerasObject
  readonly texts: ReadonlyMap<number, TextLayer>
}

const isText = (object: unknown): object is KerasObject =>
  isObject(object) && typeof object.class_name === 'string' && Object.hasOwn(classes, object.class_name)

/** Keys that mean what happens here anyway, with the values that do. */
const harmless: Readonly<Record<string, readonly unknown[]>> = {
  sparse: [false],
  ragged: [false],
  invert: [false],
  encoding: ['utf-8'],
}

/** The layer of a description. */
function readText(object: KerasObject, container: string, assets: TextAssets, custom: CustomObjects): TextLayer {
  const { class_name: className, config } = object
  const options: Json = {}
  for (const [key, value] of Object.entries(config)) {
    if (['name', 'trainable', 'dtype', 'vocabulary_size'].includes(key)) continue
    if (key in harmless) {
      if (value !== null && !harmless[key].includes(value))
        throw new ValueError(`config key "${key}": ${JSON.stringify(value)} is not supported.`)
      continue
    }
    const name = isObject(value) && typeof value.config === 'string' ? value.config : value
    const given = typeof name === 'string' ? customFunction(name, custom) : undefined
    // Only here null is a value: no standardising, no splitting.
    if (value !== null || key === 'standardize' || key === 'split') options[key] = given ?? value
  }
  if (className !== 'Hashing' && options.vocabulary === undefined) {
    const text = assets.text(`assets/layers/${container}/vocabulary.txt`) ?? assets.text(`assets/layers/${config.name}/vocabulary.txt`)
    if (text === undefined) throw new ValueError(`the vocabulary is missing: assets/layers/${container}/vocabulary.txt.`)
    options.vocabulary = text.split(/\r?\n/)
    if (options.output_mode === 'tf_idf') options.idf_weights = assets.numbers(`layers/${container}/vars`)
  }
  return classes[className].fromConfig(camelKeys(options) as never)
}

/** Takes the layers of texts out of a description of Keras 3. */
export function withoutTexts(topology: KerasObject, assets: TextAssets, custom: CustomObjects, part: string): TakenOut {
  const layers = Array.isArray(topology.config.layers) ? topology.config.layers : []
  const texts = new Map<number, TextLayer>()
  if (!layers.some(isText)) return { topology, texts }
  const used = new Map<string, number>()
  const read = (object: KerasObject): TextLayer => {
    const name = containers[object.class_name]
    const count = used.get(name) ?? 0
    used.set(name, count + 1)
    try {
      return readText(object, count === 0 ? name : `${name}_${count}`, assets, custom)
    } catch (error) {
      throw addContext(error, `in ${part}, layer "${object.config.name}" (${object.class_name})`)
    }
  }
  const misplaced = (object: KerasObject): ValueError =>
    new ValueError(
      `${part}, layer "${object.config.name}" (${object.class_name}): texts are turned into numbers before a model, so this layer must be the only one behind an input of strings.`,
    )
  const copy = structuredClone(topology)
  const objects = copy.config.layers as KerasObject[]
  if (topology.class_name === 'Sequential') {
    const [first, second, ...rest] = objects
    if (first?.class_name !== 'InputLayer' || !isText(second) || rest.some(isText)) throw misplaced(objects.find(isText) as KerasObject)
    const layer = read(second)
    texts.set(0, layer)
    const shape = numbersInput(first, layer)
    copy.config.layers = [first, ...rest]
    copy.config.build_input_shape = shape
    return { topology: { ...copy, build_config: { input_shape: shape } }, texts }
  }
  const places = placesOf(copy.config.input_layers)
  for (const object of objects.filter(isText)) {
    const name = String(object.name ?? object.config.name)
    const sources = histories(object.inbound_nodes)
    const from = sources[0]
    const input = objects.find((one) => one.class_name === 'InputLayer' && (one.name ?? one.config.name) === from?.[0])
    const others = objects.filter((one) => one !== object && histories(one.inbound_nodes).some(([source]) => source === from?.[0]))
    if (sources.length !== 1 || !input || others.length > 0) throw misplaced(object)
    const layer = read(object)
    texts.set(places.indexOf(String(from[0])), layer)
    numbersInput(input, layer)
    for (const one of objects) for (const history of histories(one.inbound_nodes)) if (history[0] === name) history.splice(0, 2, from[0], 0)
  }
  copy.config.layers = objects.filter((object) => !isText(object))
  return { topology: copy, texts }
}

/** Makes an input of strings that of the layer's numbers. */
function numbersInput({ config }: KerasObject, layer: TextLayer): readonly (number | null)[] {
  const given = config.batch_shape
  const shape = textShape(layer, Array.isArray(given) ? (given.slice(1) as (number | null)[]) : [])
  Object.assign(config, { batch_shape: shape, dtype: layer.outputMode === 'int' ? 'int32' : 'float32' })
  return shape
}

/** The names of the inputs, in order. */
function placesOf(value: unknown): string[] {
  const isPlace = Array.isArray(value) && typeof value[0] === 'string'
  if (isPlace) return [value[0] as string]
  const list = Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []
  return list.flatMap(placesOf)
}

/** The places of all symbolic tensors in the calls of a layer: `[layer, node, tensor]`, as they are in the description. */
function histories(value: unknown): unknown[][] {
  if (Array.isArray(value)) return value.flatMap(histories)
  if (!isObject(value)) return []
  if (value.class_name === '__keras_tensor__' && isObject(value.config)) return [value.config.keras_history as unknown[]]
  return Object.values(value).flatMap(histories)
}

/** Throws for a model that takes texts: only `.keras` files hold what turns them into numbers, and a model without it would predict nothing. */
export function requireNoTexts(what: string, format: string, model: Model): void {
  const [layer] = textLayersOf(model).values()
  if (!layer) return
  throw new ValueError(
    `${what}: the model "${model.name}" takes texts, and ${format} cannot hold its ${layer.className}. Save it as .keras: modelToBytes(model, { format: 'keras' }), or saveModel to a path that ends in .keras.`,
  )
}

/** Layers of texts put into a written description. */
export interface PutIn {
  /** Entries of the archive. */
  readonly assets: readonly (readonly [string, string])[]
  /** Weights of `tf_idf`, with their paths. */
  readonly numbers: readonly (readonly [string, readonly number[]])[]
}

/** Puts the layers before a model's inputs into its description of Keras 3. */
export function withTexts(model: Model, topology: Json): PutIn {
  const assets: [string, string][] = []
  const numbers: [string, readonly number[]][] = []
  const used = new Map<string, number>()
  const config = requireKerasObject(topology, 'model').config
  const objects = config.layers as KerasObject[]
  for (const [i, layer] of textLayersOf(model)) {
    const base = containers[layer.className]
    const count = used.get(base) ?? 0
    used.set(base, count + 1)
    const name = count === 0 ? base : `${base}_${count}`
    const isSequential = topology.class_name === 'Sequential'
    const from = isSequential ? undefined : model.inputPorts[i].name
    const input = objects.find((one) => one.class_name === 'InputLayer' && (isSequential || one.config.name === from)) as KerasObject
    const shape =
      layer instanceof TextVectorization
        ? [null, 1]
        : (input.config.batch_shape as unknown[]).slice(0, layer.outputMode === 'int' ? undefined : -1)
    const strings = shape.length > 1 || layer instanceof TextVectorization ? shape : [...shape, 1]
    Object.assign(input.config, { batch_shape: strings, dtype: 'string' })
    const object = written(layer, name)
    const nodes: Json[] = []
    if (isSequential) {
      config.build_input_shape = strings
      topology.build_config = { input_shape: strings }
    } else {
      for (const one of objects) for (const history of histories(one.inbound_nodes)) if (history[0] === from) history.splice(0, 2, name, 0)
      const tensor = { class_name: '__keras_tensor__', config: { shape: strings, dtype: 'string', keras_history: [from, 0, 0] } }
      nodes.push({ args: [tensor], kwargs: {} })
    }
    objects.splice(objects.indexOf(input) + 1, 0, { ...object, ...(!isSequential && { name, inbound_nodes: nodes }) } as KerasObject)
    if (layer instanceof Hashing) continue
    assets.push([`assets/layers/${name}/vocabulary.txt`, layer.getVocabulary().join('\n')])
    if (layer.outputMode === 'tf_idf') numbers.push([`layers/${name}/vars/idf_weights`, layer.idfWeights])
  }
  return { assets, numbers }
}

/** The description of a layer; its vocabulary is an asset. */
function written(layer: TextLayer, name: string): KerasObject {
  const { vocabulary, idfWeights: _, ...config } = layer.getConfig()
  for (const [key, value] of Object.entries(config)) {
    if (typeof value === 'function')
      throw new ValueError(`${layer.className}: ${key} is a function, which a file cannot hold. Give a name, or save the model without it.`)
  }
  if (Array.isArray(vocabulary) && vocabulary.some((token) => /[\r\n]/.test(token))) {
    throw new ValueError(`${layer.className}: a value of the vocabulary has a line break, which Keras' files cannot hold.`)
  }
  const own = snakeKeys(Object.fromEntries(Object.entries(config).map(([key, value]) => [key, value ?? null])))
  const extra =
    layer instanceof Hashing
      ? { sparse: false }
      : layer instanceof TextVectorization
        ? { ragged: false, sparse: false, encoding: 'utf-8', vocabulary: null, idf_weights: null }
        : { sparse: false, encoding: 'utf-8', invert: false, vocabulary: null, idf_weights: null, vocabulary_size: layer.vocabularySize }
  const policy = { module: 'keras', class_name: 'DTypePolicy', config: { name: 'float32' }, registered_name: null }
  return {
    module: 'keras.layers',
    class_name: layer.className,
    config: { name, trainable: true, dtype: policy, ...own, ...extra },
    registered_name: null,
  } as KerasObject
}

/**
 * Vocabularies of `IntegerLookup` in `.keras` files. One that was given is in the layer's config; one that was adapted is an asset,
 * `assets/layers/integer_lookup/vocabulary.txt`, a line for each number, special ones included. Source: keras/src/layers/preprocessing/index_lookup.py 3.16.
 */
import { ValueError } from '@cotangent/core'
import type { Layer } from '../layer.js'
import { IntegerLookup } from '../layers/index.js'
import { containerName, isKerasObject, isObject, type Json, type KerasObject } from './keras-object.js'
import type { PutIn, TextAssets } from './keras-texts.js'
import { isOperation } from './operations.js'

const isLookup = (value: unknown): boolean => isKerasObject(value) && value.class_name === 'IntegerLookup'

/** All descriptions of such layers, wherever they are. */
function lookupsIn(value: unknown): KerasObject[] {
  if (Array.isArray(value)) return value.flatMap(lookupsIn)
  if (!isObject(value)) return []
  return isLookup(value) ? [value as unknown as KerasObject] : Object.values(value).flatMap(lookupsIn)
}

/** The descriptions with the places of their layers, `layers/functional/layers/integer_lookup`, and those by the names of layers. */
function* placesIn({ config }: KerasObject, prefixes: readonly string[]): Generator<[KerasObject, string[]]> {
  const used = new Map<string, number>()
  for (const object of Array.isArray(config.layers) ? config.layers.filter(isKerasObject) : []) {
    if (isOperation(object)) continue
    const container = containerName(object.class_name)
    const count = used.get(container) ?? 0
    used.set(container, count + 1)
    const own = [count === 0 ? container : `${container}_${count}`, String(object.config.name)]
    const paths = prefixes.flatMap((prefix) => own.map((name) => `${prefix}layers/${name}`))
    const inside = object.config.layer
    if (isLookup(object)) yield [object, paths]
    else if (isLookup(inside)) yield [inside as KerasObject, paths.map((path) => `${path}/layer`)]
    else if (Array.isArray(object.config.layers))
      yield* placesIn(
        object,
        paths.slice(0, 8).map((path) => `${path}/`),
      )
  }
}

/** A description of Keras 3 with the adapted vocabularies in it. */
export function withVocabularies(topology: KerasObject, assets: TextAssets): KerasObject {
  const isAdapted = ({ config }: KerasObject): boolean => (config.vocabulary ?? null) === null
  if (!lookupsIn(topology).some(isAdapted)) return topology
  const copy = structuredClone(topology)
  for (const [{ config }, paths] of placesIn(copy, [''])) {
    if (!isAdapted({ config } as KerasObject)) continue
    const path = paths.find((each) => assets.text(`assets/${each}/vocabulary.txt`) !== undefined)
    // Without one it was never adapted, and says so when it is called.
    if (path === undefined) continue
    const lines = (assets.text(`assets/${path}/vocabulary.txt`) as string).trimEnd().split(/\r?\n/)
    const wrong = lines.find((line) => !/^-?\d+$/.test(line))
    if (wrong !== undefined) throw new ValueError(`assets/${path}/vocabulary.txt: ${JSON.stringify(wrong)} is no whole number.`)
    config.adapted_vocabulary = lines.map(Number)
    if (config.output_mode === 'tf_idf') config.adapted_idf_weights = assets.numbers(`${path}/vars`)
  }
  return copy
}

/**
 * Takes the adapted vocabularies out of a description of Keras 3.
 *
 * @param layers all layers of the model with their places
 */
export function withoutVocabularies(layers: Iterable<readonly [path: string, layer: Layer]>, topology: Json): PutIn {
  const assets: [string, string][] = []
  const numbers: [string, readonly number[]][] = []
  const objects = new Set(lookupsIn(topology))
  for (const [path, layer] of layers) {
    if (!(layer instanceof IntegerLookup)) continue
    const object = [...objects].find(({ config }) => config.name === layer.name)
    if (!object) continue
    objects.delete(object)
    const { config } = object
    if (config.vocabulary === null) continue
    config.vocabulary_size = layer.vocabularySize
    if (layer.isGiven) continue
    Object.assign(config, { vocabulary: null, idf_weights: null })
    assets.push([`assets/${path}/vocabulary.txt`, layer.getVocabulary().join('\n')])
    if (layer.outputMode === 'tf_idf') numbers.push([`${path}/vars/idf_weights`, layer.idfWeights])
  }
  return { assets, numbers }
}

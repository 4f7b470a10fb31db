/** The fuzzed readers, each with the mutants of its files. */
import { CotangentError, zeros } from '@cotangent/core'
import { glove, jenaClimate, parseIdx, parseNpy, parseNpyLists, parseNpz, tokenizerFromJson, unzip, zip } from '@cotangent/datasets'
import { type Model, modelFromBytes, modelFromJSON, modelFromTfjs, readSafetensors, weightsFromBytes } from '../../src/index.js'
import { readH5, writeH5 } from '../../src/io/h5-tree.js'
import { mutateBytes, mutateJson, type Random, randomFrom } from './mutate.js'
import * as seeds from './seeds.js'

/** The name of the file, which errors must contain. */
export const FILE = 'the-file'
const quiet = { name: FILE, onWarning: () => {} }

export interface Reader {
  /** A function that reads the mutant with this number, to be run and timed. */
  mutant(number: number): Promise<() => unknown>
}

/** Runs a model that could be loaded. A foreign error then is the reader's fault, too. An error of ours is not. */
async function used(model: Model): Promise<void> {
  try {
    const inputs = model.built ? model.inputPorts.map(({ shape }) => shape.slice(1).map((n) => n ?? 2)) : []
    const sizes = inputs.map((shape) => shape.reduce((a, b) => a * b, 1))
    if (inputs.length === 0 || sizes.some((size) => size > 10_000) || model.countParams() > 1e6) return
    const x = inputs.map((shape) => zeros([1, ...shape]))
    await model.predictAll((x.length === 1 ? x[0] : x) as never)
  } catch (error) {
    if (!(error instanceof CotangentError)) throw error
  } finally {
    model.dispose()
  }
}

const later = <Value>(make: () => Promise<Value>): (() => Promise<Value>) => {
  let made: Promise<Value> | undefined
  return () => {
    made ??= make()
    return made
  }
}

/** A reader of bytes. */
function ofBytes(name: string, files: () => Promise<Uint8Array[]> | Uint8Array[], read: (bytes: Uint8Array) => unknown): Reader {
  const list = later(async () => files())
  return {
    async mutant(number) {
      const all = await list()
      const random = randomFrom(hash(name) + number)
      const bytes = mutateBytes(all[number % all.length], random, all[random(all.length)])
      return () => read(bytes)
    },
  }
}

/** A reader of JSON: every third mutant is damaged as text, the others in their structure. */
function ofJson(name: string, texts: () => Promise<string[]> | string[], read: (text: string) => unknown): Reader {
  const list = later(async () => texts())
  return {
    async mutant(number) {
      const all = await list()
      const random = randomFrom(hash(name) + number)
      const text = all[number % all.length]
      const changed = number % 3 === 0 ? damagedText(text, random) : JSON.stringify(mutateJson(JSON.parse(text), random))
      return () => read(changed)
    },
  }
}

const utf8 = new TextEncoder()
const text = new TextDecoder()
const damagedText = (whole: string, random: Random): string => text.decode(mutateBytes(utf8.encode(whole), random, utf8.encode(whole)))

/** FNV-1a, so that readers get other mutants. */
function hash(name: string): number {
  let value = 0x811c9dc5
  for (const byte of utf8.encode(name)) value = Math.imul(value ^ byte, 0x01000193)
  return value >>> 0
}

const model = async (bytes: Uint8Array): Promise<void> => used(await modelFromBytes(bytes, quiet))

/** Loads weights into the models of the seeds. A file of another model is refused. */
const targets = later(seeds.models)
const weights = async (bytes: Uint8Array): Promise<void> => {
  for (const target of await targets()) {
    const copy = modelFromJSON((await import('../../src/index.js')).modelToJSON(target))
    try {
      await weightsFromBytes(copy, bytes, { name: FILE })
      return
    } catch (error) {
      if (target === (await targets()).at(-1) || !/in the file, but|arrays in the file|layers with weights/.test(String(error))) throw error
    } finally {
      copy.dispose()
    }
  }
}

/** Archives of Keras 3 with one entry damaged, put together again with right checksums. */
function insideKeras(name: string): Reader {
  const list = later(seeds.kerasFiles)
  return {
    async mutant(number) {
      const all = await list()
      const random = randomFrom(hash(name) + number)
      const entries = [...unzip(all[number % all.length])]
      const damage = name === 'keras-config' ? (random(6) === 0 ? 'metadata.json' : 'config.json') : 'model.weights.h5'
      const changed = entries.map(([entry, bytes]): [string, Uint8Array] => {
        if (entry !== damage) return [entry, bytes]
        if (entry.endsWith('.h5')) return [entry, mutateBytes(bytes, random, bytes)]
        return [entry, utf8.encode(JSON.stringify(mutateJson(JSON.parse(text.decode(bytes)), random)))]
      })
      const bytes = zip(changed)
      return () => model(bytes)
    },
  }
}

/** HDF5 models with a JSON attribute, or a name, changed in its structure. */
const insideH5: Reader = {
  async mutant(number) {
    const all = await h5Models()
    const random = randomFrom(hash('h5-config') + number)
    const root = await readH5(all[number % all.length], 'seed')
    const key = ['model_config', 'training_config', 'cotangent'].filter((one) => root.attributes.has(one))[random(3)] ?? 'model_config'
    root.attributes.set(key, JSON.stringify(mutateJson(JSON.parse(String(root.attributes.get(key))), random)))
    const bytes = await writeH5(root)
    return () => model(bytes)
  },
}
const h5Models = later(async () => (await seeds.h5Files()).slice(0, 5))

const tfjsModels = later(seeds.tfjsModels)
const tfjs: Reader = {
  async mutant(number) {
    const all = await tfjsModels()
    const random = randomFrom(hash('tfjs') + number)
    const { modelJson, shards } = all[number % all.length]
    const [json, files] =
      number % 4 === 0
        ? [modelJson, new Map([...shards].map(([name, bytes]) => [name, random(3) === 0 ? mutateBytes(bytes, random, bytes) : bytes]))]
        : [number % 4 === 1 ? damagedText(modelJson, random) : JSON.stringify(mutateJson(JSON.parse(modelJson), random)), shards]
    return async () => used(await modelFromTfjs(json, files, quiet))
  },
}

const stream = (bytes: Uint8Array): ReadableStream<Uint8Array> => new Blob([bytes as Uint8Array<ArrayBuffer>]).stream()
const tokenizerText =
  '{"class_name": "Tokenizer", "config": {"num_words": 5, "filters": "!", "lower": true, "split": " ", "char_level": false, "oov_token": null, "document_count": 1, "word_counts": "{\\"a\\": 1}", "word_docs": "{\\"a\\": 1}", "index_docs": "{\\"1\\": 1}", "index_word": "{\\"1\\": \\"a\\"}", "word_index": "{\\"a\\": 1}"}}'

const single: Readonly<Record<string, Reader>> = {
  h5: ofBytes('h5', seeds.h5Files, model),
  'h5-config': insideH5,
  'h5-weights': ofBytes('h5-weights', () => seeds.weightFiles('h5'), weights),
  hdf5: ofBytes('hdf5', seeds.goldenNewH5, (bytes) => readH5(bytes, FILE)),
  keras: ofBytes('keras', seeds.kerasFiles, model),
  'keras-config': insideKeras('keras-config'),
  'keras-weights': insideKeras('keras-weights'),
  json: ofJson('json', seeds.jsonTexts, (json) => used(modelFromJSON(json, quiet))),
  tfjs,
  safetensors: ofBytes(
    'safetensors',
    () => seeds.weightFiles('safetensors'),
    (bytes) => readSafetensors(bytes, FILE),
  ),
  'safetensors-weights': ofBytes('safetensors-weights', () => seeds.weightFiles('safetensors'), weights),
  'npz-weights': ofBytes('npz-weights', () => seeds.weightFiles('npz'), weights),
  npz: ofBytes('npz', seeds.npzFiles, (bytes) => parseNpz(bytes, FILE)),
  npy: ofBytes('npy', seeds.npyFiles, (bytes) => parseNpy(bytes, FILE)),
  pickle: ofBytes('pickle', seeds.pickleFiles, (bytes) => parseNpyLists(bytes, FILE)),
  idx: ofBytes('idx', seeds.idxFiles, (bytes) => parseIdx(bytes, FILE)),
  csv: ofBytes('csv', seeds.csvFiles, (bytes) => jenaClimate.parseCsv(text.decode(bytes), FILE)),
  glove: ofBytes('glove', seeds.gloveFiles, (bytes) => glove.readVectors(stream(bytes), { dim: 3, name: FILE })),
  zip: ofBytes('zip', seeds.npzFiles, (bytes) => unzip(bytes, { name: FILE })),
  tokenizer: ofJson(
    'tokenizer',
    () => [tokenizerText],
    (json) => tokenizerFromJson(json),
  ),
}

const inTurn = Object.keys(single).filter((name) => name !== 'tokenizer')

/** Reads some mutants of every reader in one process. The test calls this. */
const mixed: Reader = { mutant: (number) => single[inTurn[number % inTurn.length]].mutant(Math.floor(number / inTurn.length)) }

/** The readers that are fuzzed one by one. */
export const names: readonly string[] = Object.keys(single)

export const readers: Readonly<Record<string, Reader>> = { ...single, mixed }

/** Readers whose callers give no name of a file. */
export const unnamed: readonly string[] = ['tokenizer']

/** Damaged, truncated and malicious files. The error is clear, and the model has not changed. */

import { deflateRawSync } from 'node:zlib'
import { CotangentError } from '@cotangent/core'
import { fc } from '@fast-check/vitest'
import { beforeAll, describe, expect, test } from 'vitest'
import { archive } from '../../datasets/test/archive.js'
import {
  dense,
  type Model,
  modelFromBytes,
  modelFromTfjs,
  modelToBytes,
  modelToTfjs,
  readSafetensors,
  Sequential,
  type TfjsModel,
  weightsFromBytes,
  weightsToBytes,
  writeSafetensors,
} from '../src/index.js'

const build = (units = 3): Sequential => new Sequential([dense(units, { inputShape: [4] }), dense(2)], { seed: 1 })
let model: Model
let tfjs: TfjsModel
const files: Record<string, Uint8Array> = {}
beforeAll(async () => {
  model = build()
  model.compile({ optimizer: 'adam', loss: 'mse' })
  await model.trainOnBatch([[1, 2, 3, 4]], [[0, 1]])
  for (const format of ['h5', 'keras'] as const) files[format] = await modelToBytes(model, { format })
  for (const format of ['safetensors', 'npz'] as const) files[format] = await weightsToBytes(model, { format })
  tfjs = await modelToTfjs(model, { shardBytes: 40 })
})

/** The error of reading bytes; it must be one of ours and name the file. Undefined if they can be read. */
async function reading(bytes: Uint8Array, asWeights: boolean): Promise<CotangentError | undefined> {
  const target = build()
  const before = await target.getWeights()
  try {
    if (asWeights) await weightsFromBytes(target, bytes, { name: 'the-file' })
    else (await modelFromBytes(bytes, { name: 'the-file', onWarning: () => {} })).dispose()
    return undefined
  } catch (error) {
    expect(error, String(error)).toBeInstanceOf(CotangentError)
    expect((error as Error).message).toContain('the-file')
    expect(await target.getWeights(), 'nothing half loaded').toEqual(before)
    return error as CotangentError
  } finally {
    target.dispose()
  }
}

describe.each(['h5', 'keras', 'safetensors', 'npz'])('%s', (format) => {
  const weightsOnly = format === 'safetensors' || format === 'npz'

  test('whole, it is read; cut off anywhere, the error names the file', async () => {
    expect(await reading(files[format], weightsOnly)).toBeUndefined()
    const { length } = files[format]
    const cuts = [0, 1, 7, 8, 20, 100, ...Array.from({ length: 12 }, (_, i) => Math.floor(((i + 1) * length) / 13)), length - 1]
    for (const cut of cuts.filter((n) => n < length)) {
      for (const asWeights of weightsOnly ? [true] : [true, false]) {
        expect(await reading(files[format].subarray(0, cut), asWeights), `${cut} of ${length} bytes`).toBeDefined()
      }
    }
  })

  test('with bytes changed anywhere: read, or an error of ours', async () => {
    // The same changes every time.
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }))
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
        const bytes = files[format].slice()
        for (const [at, value] of changes) bytes[at % bytes.length] = value
        await reading(bytes, weightsOnly)
      }),
      { numRuns: 60, seed: 17 },
    )
    expect(await reading(files[format], weightsOnly), 'good files are still read').toBeUndefined()
  })
})

describe('archives', () => {
  test('a flipped bit of the weights in a .keras is found by its CRC', async () => {
    const bytes = files.keras.slice()
    bytes[Math.floor(bytes.length / 2)] ^= 1
    expect((await reading(bytes, false))?.message).toContain('CRC-32 of model.weights.h5 is wrong')
  })

  test('an archive that unpacks to more than expected is refused before it does; the limit is an option', async () => {
    const zeros = new Uint8Array(deflateRawSync(new Uint8Array(2 ** 24)))
    const entries = Array.from({ length: 17 }, (_, i) => ({
      fields: { name: `${i}.npy`, method: 8, packedSize: zeros.length, size: 2 ** 24 },
      bytes: zeros,
      block: i,
    }))
    for (const asWeights of [true, false]) {
      expect((await reading(archive(entries, entries), asWeights))?.message).toBe(
        `the-file: unpacks to ${17 * 2 ** 24} bytes, more than the ${2 ** 28} expected at most; if you trust it, pass a larger maxBytes`,
      )
    }
    await expect(modelFromBytes(files.keras, { maxBytes: 1000 })).rejects.toThrow('more than the 1000 expected at most')
    await expect(weightsFromBytes(build(), files.npz, { maxBytes: 100 })).rejects.toThrow('more than the 100 expected at most')
    ;(await modelFromBytes(files.keras, { maxBytes: files.keras.length })).dispose()
  })

  test('entries that are missing are named', async () => {
    const { unzip, zip } = await import('@cotangent/datasets')
    const entries = unzip(files.keras)
    for (const missing of ['metadata.json', 'config.json', 'model.weights.h5']) {
      const error = await reading(zip([...entries].filter(([name]) => name !== missing)), false)
      expect(error?.message).toContain(`"${missing}" is missing in the archive`)
    }
    const swapped = [...entries].map(
      ([name, content]) => [name, name === 'config.json' ? new TextEncoder().encode('{"a": NaN}') : content] as const,
    )
    expect((await reading(zip(swapped), false))?.message).toContain('config.json: not JSON')
    const noWeights = [...entries].map(([name, content]) => [name, name.endsWith('.h5') ? new Uint8Array(9) : content] as const)
    expect((await reading(zip(noWeights), false))?.message).toContain('model.weights.h5 in the archive is not an HDF5 file')
  })

  test('weights of another shape, or of another number of layers', async () => {
    const other = build(5)
    for (const format of ['h5', 'safetensors', 'npz'] as const) {
      const error = await reading(await weightsToBytes(other, { format }), true)
      expect(error?.message).toMatch(/kernel(:0)?" is \[4, 5\] in the file, but the weight ".*kernel" is \[4, 3\]/)
    }
    const one = new Sequential([dense(3, { inputShape: [4] })])
    expect((await reading(await weightsToBytes(one), true))?.message).toContain('1 layers with weights in the file')
    expect((await reading(await weightsToBytes(one, { format: 'npz' }), true))?.message).toContain(
      '2 arrays in the file, but the model has 4 weights',
    )
  })
})

describe('safetensors', () => {
  /** A file with this header and `length` bytes of data. */
  const made = (header: unknown, data: number, length?: bigint): Uint8Array => {
    const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
    const bytes = new Uint8Array(8 + text.length + data)
    new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true)
    bytes.set(text, 8)
    return bytes
  }
  const entry = (begin: number, end: number, shape: unknown = [(end - begin) / 4], dtype = 'F32'): object => ({
    dtype,
    shape,
    data_offsets: [begin, end],
  })

  test.each<[string, Uint8Array, RegExp]>([
    ['too short for a length', new Uint8Array(5), /truncated: 5 bytes/],
    ['a header beyond the file', made({}, 0, 1000n), /header of 1000 bytes goes beyond the file/],
    ['a huge header', made({}, 0, 2n ** 60n), /is too long/],
    ['a header that is no JSON', made('{"a": NaN}', 0), /header: not JSON/],
    ['a header that is no object', made('[]', 0), /object was expected, got an array/],
    ['a header that is no UTF-8', made('{"a":0}', 0).map((byte, i) => (i === 10 ? 0xff : byte)), /not UTF-8/],
    ['offsets beyond the file', made({ a: entry(0, 8) }, 4), /array "a": data_offsets \[0, 8\] go beyond the file, which has 4/],
    ['offsets that overlap', made({ a: entry(0, 8), b: entry(4, 12) }, 12), /array "b": overlaps the one before it/],
    ['a gap', made({ a: entry(0, 4), b: entry(8, 12) }, 12), /array "b": there is a gap before it/],
    ['bytes left over', made({ a: entry(0, 4) }, 8), /4 bytes are left over/],
    ['a shape of another size', made({ a: entry(0, 8, [3]) }, 8), /array "a": F32 of shape \[3\] takes 12 bytes, its offsets say 8/],
    ['a shape that is none', made({ a: entry(0, 8, [-2]) }, 8), /\[-2\] is not a shape/],
    ['a shape without end', made({ a: entry(0, 8, [1e15, 1e15]) }, 8), /takes 4e\+30 bytes/],
    ['offsets that are none', made({ a: { dtype: 'F32', shape: [1], data_offsets: [4] } }, 8), /data_offsets \[4\] are not two offsets/],
    ['offsets that go backwards', made({ a: entry(4, 0, [1]) }, 8), /are not two offsets/],
    ['a type we do not read', made({ a: entry(0, 8, [1], 'U64') }, 8), /type U64 is not supported/],
    [
      'a name twice',
      made(`{"a": ${JSON.stringify(entry(0, 4))}, "b": ${JSON.stringify(entry(4, 8))}, "\\u0061": ${JSON.stringify(entry(0, 4))}}`, 8),
      /the name "a" twice/,
    ],
    [
      'an offset twice',
      made('{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4], "data_offsets": [0, 4]}}', 4),
      /"data_offsets" twice/,
    ],
    ['metadata that are no text', made({ __metadata__: { a: 1 }, b: entry(0, 4) }, 4), /__metadata__ "a" must be text, got 1/],
    ['metadata that are a list', made({ __metadata__: ['a'] }, 0), /__metadata__ must be an object of texts, got an array of 1/],
    ['an entry that is none', made({ a: 3 }, 8), /array "a": an object with dtype, shape and data_offsets/],
  ])('%s', (_, bytes, message) => {
    expect(() => readSafetensors(bytes, 'x.safetensors')).toThrow(message)
  })

  test('what it writes it reads; half precision becomes float32; any order of data', () => {
    const arrays = new Map([
      ['b', { shape: [2], data: Float32Array.of(1.5, -2) }],
      ['a', { shape: [], data: Float64Array.of(Math.PI) }],
      ['none', { shape: [0, 3], data: new Float32Array(0) }],
      ['i', { shape: [1, 2], data: Int32Array.of(7, -7) }],
    ])
    const bytes = writeSafetensors(arrays, { note: 'ü' })
    const read = readSafetensors(bytes)
    expect([...read.arrays]).toEqual([...arrays])
    expect(read.metadata).toEqual({ note: 'ü' })
    expect((8 + Number(new DataView(bytes.buffer).getBigUint64(0, true))) % 8).toBe(0)
    const halves = made({ h: entry(4, 8, [2], 'F16'), g: entry(0, 4, [2], 'BF16') }, 8)
    halves.set([0x80, 0x3f, 0x00, 0xc0, 0x00, 0x3c, 0x01, 0x80], halves.length - 8)
    expect([...(readSafetensors(halves).arrays.get('g')?.data ?? [])]).toEqual([1, -2])
    expect([...(readSafetensors(halves).arrays.get('h')?.data ?? [])]).toEqual([1, -(2 ** -24)])
    expect(() => writeSafetensors([['a', { shape: [3], data: new Float32Array(2) }]])).toThrow('[3] has not 2 elements')
    expect(() => writeSafetensors([['__metadata__', { shape: [1], data: new Float32Array(1) }]], { a: 'b' })).toThrow('is taken')
  })
})

describe('TensorFlow.js', () => {
  test('a shard that is missing, too short or too long is named', async () => {
    const [first] = [...tfjs.shards.keys()]
    const shards = (change: (bytes: Uint8Array) => Uint8Array | undefined): Map<string, Uint8Array> =>
      new Map(
        [...tfjs.shards].flatMap(([path, bytes]): [string, Uint8Array][] => {
          const changed = path === first ? change(bytes) : bytes
          return changed ? [[path, changed]] : []
        }),
      )
    await expect(
      modelFromTfjs(
        tfjs.modelJson,
        shards(() => undefined),
      ),
    ).rejects.toThrow(`the shard "${first}" is missing`)
    await expect(
      modelFromTfjs(
        tfjs.modelJson,
        shards((bytes) => bytes.subarray(4)),
      ),
    ).rejects.toThrow(/weight "dense.*is a shard missing or truncated/)
    await expect(
      modelFromTfjs(
        tfjs.modelJson,
        shards((bytes) => new Uint8Array([...bytes, 0])),
      ),
    ).rejects.toThrow(/the weights take 92 bytes, but .* have 93/)
    await expect(modelFromTfjs(tfjs.modelJson.slice(0, -5), tfjs.shards)).rejects.toThrow('model.json: not JSON')
    const changed = (
      edit: (file: { weightsManifest: { weights: Record<string, unknown>[] }[]; [key: string]: unknown }) => void,
    ): string => {
      const file = JSON.parse(tfjs.modelJson)
      edit(file)
      return JSON.stringify(file)
    }
    const load = (edit: Parameters<typeof changed>[0]): Promise<Model> => modelFromTfjs(changed(edit), tfjs.shards)
    await expect(load((file) => Object.assign(file, { format: 'graph-model' }))).rejects.toThrow('a graph model, which has no layers')
    await expect(load((file) => Object.assign(file, { weightsManifest: undefined }))).rejects.toThrow('weightsManifest is missing')
    await expect(load((file) => Object.assign(file.weightsManifest[0].weights[0], { quantization: { dtype: 'uint8' } }))).rejects.toThrow(
      /"dense_\d+\/kernel" has quantization {"dtype":"uint8"}, which is not supported/,
    )
    await expect(load((file) => Object.assign(file.weightsManifest[0].weights[0], { shape: [100, 3] }))).rejects.toThrow('goes beyond')
    await expect(load((file) => Object.assign(file.weightsManifest[0].weights[0], { shape: [1e9, 1e9] }))).rejects.toThrow(
      'asks for 4000000000000000000 bytes, more than the 2147483648 expected at most',
    )
    await expect(load((file) => Object.assign(file.weightsManifest[0].weights[0], { shape: [-1] }))).rejects.toThrow(
      'is not a weight with name and shape',
    )
  })
})

test('what cannot be used of a training configuration is said, and the weights are there', async () => {
  const { readH5, writeH5 } = await import('../src/io/h5-tree.js')
  const root = await readH5(files.h5, 'x')
  const training = JSON.parse(root.attributes.get('training_config') as string)
  const load = async (change: object): Promise<[Model, string[]]> => {
    root.attributes.set('training_config', JSON.stringify({ ...training, ...change }))
    const warnings: string[] = []
    const loaded = await modelFromBytes(await writeH5(root), { onWarning: (message) => warnings.push(message) })
    expect((await loaded.getWeights()).map(({ data }) => data)).toEqual((await model.getWeights()).map(({ data }) => data))
    return [loaded, warnings]
  }
  const scheduled = (class_name: string, config: object): object => ({
    optimizer_config: { class_name: 'Adam', config: { learning_rate: { module: 'keras.optimizers.schedules', class_name, config } } },
  })
  for (const [schedule, problem] of [
    [scheduled('ExponentialDecay', {}), /call compile before training.*"learning_rate": exponentialDecay: initialLearningRate is missing/s],
    [scheduled('NoamDecay', {}), /"learning_rate": There is no learning-rate schedule "NoamDecay"/],
  ] as const) {
    const [uncompiled, why] = await load(schedule)
    expect(why).toEqual([expect.stringMatching(problem)])
    expect(() => uncompiled.optimizer).toThrow('call compile')
  }
  const config = { initial_learning_rate: 0.1, decay_steps: 10, decay_rate: 0.5, staircase: false, name: 'ExponentialDecay' }
  const [follows] = await load(scheduled('ExponentialDecay', config))
  expect(follows.optimizer.schedule?.at(20)).toBeCloseTo(0.025, 12)
  const [other, state] = await load({ optimizer_config: { class_name: 'RMSprop', config: {} }, metrics: ['mae', 'f2_score'] })
  expect(state).toEqual([
    expect.stringContaining('A metric is left out'),
    expect.stringContaining('The state of the optimizer is left out'),
  ])
  expect([other.optimizer.className, other.optimizer.iterations]).toEqual(['RMSprop', 0])
})

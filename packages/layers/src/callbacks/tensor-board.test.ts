/** Event files, read by a reader of this test's own, and the files that the callbacks of Node write. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dense, type FitOptions, type Model, Sequential, sgd } from '../index.js'
import { csvLogger, loadModel, loadWeights, modelCheckpoint, tensorBoard } from '../node/index.js'
import { crc32c, scalarsEvent, versionEvent } from './event-file.js'

interface Event {
  wallTime: number
  step: number
  version?: string
  values: Record<string, number>
}

/** CRC-32C bit by bit, from the polynomial as the standard writes it (RFC 3720, B.4): another way than the table of the writer. */
function slowCrc(bytes: Uint8Array): number {
  const flip = (value: number, bits: number): number => {
    let flipped = 0
    for (let i = 0; i < bits; i++) if (value & (1 << i)) flipped |= 1 << (bits - 1 - i)
    return flipped >>> 0
  }
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc = (crc ^ (flip(byte, 8) << 24)) >>> 0
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x80000000 ? 0x1edc6f41 : 0)) >>> 0
  }
  return (flip(crc, 32) ^ 0xffffffff) >>> 0
}

/** Fields of a protocol buffer: number, and what follows as raw bytes or a number. */
function* fields(bytes: Uint8Array): Generator<[number: number, value: bigint | Uint8Array]> {
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return value
    }
  }
  while (at < bytes.length) {
    const key = Number(varint())
    const type = key & 7
    if (type === 0) {
      yield [key >> 3, varint()]
      continue
    }
    const size = type === 1 ? 8 : type === 5 ? 4 : Number(varint())
    expect([1, 2, 5]).toContain(type)
    yield [key >> 3, bytes.slice(at, at + size)]
    at += size
  }
}

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

function readEvents(file: Uint8Array): Event[] {
  const events: Event[] = []
  for (let at = 0; at < file.length; ) {
    const size = Number(view(file).getBigUint64(at, true))
    const data = file.slice(at + 12, at + 12 + size)
    for (const [bytes, where] of [
      [file.slice(at, at + 8), at + 8],
      [data, at + 12 + size],
    ] as const) {
      const crc = slowCrc(bytes)
      expect(view(file).getUint32(where, true)).toBe((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0)
    }
    const event: Event = { wallTime: Number.NaN, step: 0, values: {} }
    for (const [number, value] of fields(data)) {
      if (number === 1) event.wallTime = view(value as Uint8Array).getFloat64(0, true)
      if (number === 2) event.step = Number(value)
      if (number === 3) event.version = text(value as Uint8Array)
      if (number !== 5) continue
      for (const [, summary] of fields(value as Uint8Array)) {
        const entry = Object.fromEntries(fields(summary as Uint8Array)) as Record<number, Uint8Array>
        event.values[text(entry[1])] = view(entry[2]).getFloat32(0, true)
      }
    }
    events.push(event)
    at += size + 16
  }
  return events
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cotangent-callbacks-'))
})
afterAll(() => rm(folder, { recursive: true }))

const x = Array.from({ length: 10 }, (_, i) => [Math.sin(i)])
const y = x.map(([a]) => [a])
async function train(options: FitOptions) {
  const model = new Sequential([dense(1, { inputShape: [1] })], { seed: 1 })
  model.compile({ optimizer: sgd({ learningRate: 0.25 }), loss: 'mse' })
  const { history } = await model.fit(x, y, { batchSize: 4, epochs: 2, verbose: 0, ...options })
  return { model, history }
}
const eventsIn = async (run: string): Promise<Event[][]> => {
  const names = (await readdir(run)).sort()
  for (const name of names) expect(name).toMatch(/^events\.out\.tfevents\.\d{10}\..+/)
  return Promise.all(names.map(async (name) => readEvents(await readFile(join(run, name)))))
}

describe('event files', () => {
  test("CRC-32C's published values", () => {
    // The check value of the catalogue, and RFC 3720, B.4: 32 zeros, 32 ones, 0 to 31.
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283)
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
    expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43)
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e)
  })

  test('what is written is read back: large steps, names beyond ASCII, values that are no numbers', () => {
    const values = { epoch_손실: 0.5, b: Number.NaN, c: -Infinity }
    const [version, event] = readEvents(Uint8Array.from([...versionEvent(1.5), ...scalarsEvent(1.75, 2 ** 40 + 3, values)]))
    expect(version).toMatchObject({ wallTime: 1.5, version: 'brain.Event:2' })
    expect(event).toEqual({ wallTime: 1.75, step: 2 ** 40 + 3, values })
  })

  test('a training: curves of both runs under one tag, the rate, and a new file each time', async () => {
    const logs = join(folder, 'epochs')
    const callback = tensorBoard(logs)
    expect(callback.onBatchEnd).toBeUndefined()
    const { history, model } = await train({ validationSplit: 0.2, callbacks: [callback] })
    const [[version, ...training]] = await eventsIn(join(logs, 'train'))
    const [[, ...validation]] = await eventsIn(join(logs, 'validation'))
    expect(version.version).toBe('brain.Event:2')
    expect(Math.abs(version.wallTime - Date.now() / 1000)).toBeLessThan(3600)
    expect(training.map(({ step, values }) => [step, values])).toEqual(
      [0, 1].map((i) => [i, { epoch_loss: Math.fround(history.loss[i]), epoch_learning_rate: 0.25 }]),
    )
    expect(validation.map(({ values }) => values)).toEqual(history.val_loss.map((loss) => ({ epoch_loss: Math.fround(loss) })))

    await model.fit(x, y, { initialEpoch: 2, epochs: 3, verbose: 0, callbacks: [callback] })
    const files = await eventsIn(join(logs, 'train'))
    expect(files.map((events) => events.slice(1).map(({ step }) => step))).toEqual([[0, 1], [2]])
  })

  test('after batches, counted by the optimizer', async () => {
    const steps = async (updateFreq: 'batch' | number): Promise<number[]> => {
      const logs = join(folder, `batches-${updateFreq}`)
      await train({ callbacks: [tensorBoard(logs, { updateFreq })] })
      const [events] = await eventsIn(join(logs, 'train'))
      return events.filter(({ values }) => 'batch_loss' in values).map(({ step }) => step)
    }
    expect(await steps('batch')).toEqual([1, 2, 3, 4, 5, 6])
    expect(await steps(2)).toEqual([2, 4, 6])
    expect(() => tensorBoard(folder, { update_freq: 0 })).toThrow(
      /update_freq must be 'epoch', 'batch' or a whole number of batches, got 0/,
    )
  })
})

describe('files of the others', () => {
  test('csvLogger writes, goes on behind a line that was cut off, and starts anew', async () => {
    const path = join(folder, 'log.csv')
    const lines = async (): Promise<string[]> => (await readFile(path, 'utf8')).split('\r\n')
    await writeFile(path, 'something else')
    const { history, model } = await train({ callbacks: [csvLogger(path, { separator: ';' })] })
    expect(await lines()).toEqual(['epoch;loss', ...history.loss.map((loss, i) => `${i};${loss}`), ''])
    await writeFile(path, (await readFile(path, 'utf8')).slice(0, -4))
    await model.fit(x, y, { initialEpoch: 2, epochs: 3, verbose: 0, callbacks: [csvLogger(path, { separator: ';', append: true })] })
    const after = await lines()
    expect(after).toHaveLength(5)
    expect(after[3]).toMatch(/^2;/)
    await expect(train({ callbacks: [csvLogger(join(folder, 'nowhere', 'log.csv'))] })).rejects.toThrow(
      /csvLogger: .*the folder .* is not there/,
    )
  })

  test('modelCheckpoint saves models and weights that load again', async () => {
    const { model } = await train({
      callbacks: [modelCheckpoint(join(folder, 'm-{epoch:02d}.h5')), modelCheckpoint(join(folder, 'w.h5'), { saveWeightsOnly: true })],
    })
    expect((await readdir(folder)).filter((name) => name.endsWith('.h5'))).toEqual(['m-01.h5', 'm-02.h5', 'w.h5'])
    const trained = await model.getWeights()
    const values = async (other: Model) => (await other.getWeights()).map(({ data }) => data)
    const saved = await loadModel(join(folder, 'm-02.h5'))
    expect(await values(saved)).toEqual(trained.map(({ data }) => data))
    const first = await loadModel(join(folder, 'm-01.h5'))
    expect(await values(first)).not.toEqual(trained.map(({ data }) => data))
    await loadWeights(first, join(folder, 'w.h5'))
    expect(await values(first)).toEqual(trained.map(({ data }) => data))
    for (const other of [model, saved, first]) other.dispose()
  })
})

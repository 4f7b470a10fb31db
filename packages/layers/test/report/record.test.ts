/** The record that a training keeps: its figures are those of the training, and keeping it changes no bit of the weights. */
import { type Tensor, tensor } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import {
  add,
  batchNormalization,
  type Callback,
  dense,
  dropout,
  earlyStopping,
  input,
  model,
  reLU,
  Sequential,
  sgd,
} from '../../src/index.js'
import { type RecordOptions, readRecord, recordRun } from '../../src/report/index.js'
import { pageOf } from '../../src/report/page.js'
import { fixture } from './fixture.js'

const count = 50
const x = Array.from({ length: count }, (_, i) => [Math.sin(i), Math.cos(3 * i), (i % 7) / 7])
const y = x.map(([a, b]) => [a * b])

const small = (): Sequential => {
  const net = new Sequential([dense(6, { inputShape: [3] }), batchNormalization(), reLU(), dropout(0.3), dense(1)], { seed: 3 })
  net.compile({ optimizer: 'adam', loss: 'mse', metrics: ['mae'] })
  return net
}
const fitting = (callbacks: Callback[], more: object = {}) => ({ epochs: 6, batchSize: 8, verbose: 0 as const, callbacks, ...more })
const bits = async (net: { getWeights(): Promise<{ data: ArrayLike<number> }[]> }): Promise<string[]> =>
  (await net.getWeights()).map(({ data }) => Array.from(data).join())

test('the record holds the history, the rate and the seconds of each epoch, and what it knows of the network', async () => {
  const net = small()
  const run = recordRun({ title: 'small', facts: [{ name: 'seed', value: 'three' }], remarks: ['A remark.'] })
  const { history, epoch } = await net.fit(x, y, fitting([run], { validationSplit: 0.2 }))
  const { record } = run
  expect(record).toMatchObject({ title: 'small', state: 'finished', remarks: ['A remark.'] })
  expect(record.training).toMatchObject({ planned: 6, epochs: epoch, history })
  expect(record.training.learningRate).toEqual(new Array(6).fill(0.001))
  expect(record.training.seconds.every((seconds) => seconds !== null && seconds > 0)).toBe(true)
  expect(record.seconds).toBeGreaterThanOrEqual(record.training.seconds.reduce((a, b) => (a as number) + (b as number), 0) as number)
  expect(Object.keys(record.training.gradientNorms ?? {})).toEqual([net.layers[0], net.layers[1], net.layers[4]].map(({ name }) => name))
  expect(record.network?.summary).toBe(net.summaryLines().join('\n'))
  expect(record.network?.layers.map(({ from }) => from)).toEqual([[], ...net.layers.slice(0, -1).map(({ name }) => [name])])
  expect(record.network).toMatchObject({ optimizer: { name: 'Adam', settings: { learningRate: '0.001' } }, loss: 'meanSquaredError' })
  // A fact that is given stands in the place of the one that is known.
  expect(record.facts.filter(({ name }) => name.toLowerCase() === 'seed')).toEqual([{ name: 'seed', value: 'three' }])
  expect(readRecord(JSON.stringify(record))).toEqual(record)
})

test('with batch normalization, dropout and recorded steps, the weights and the history are the same bits with and without it', async () => {
  const [plain, watched] = [small(), small()]
  const before = await plain.fit(x, y, fitting([], { validationSplit: 0.2 }))
  const run = recordRun()
  const after = await watched.fit(x, y, fitting([run], { validationSplit: 0.2 }))
  expect(after.history).toEqual(before.history)
  expect(await bits(watched)).toEqual(await bits(plain))
  expect(
    Object.values(run.record.training.gradientNorms ?? {})
      .flat()
      .every((norm) => norm !== null && norm > 0),
  ).toBe(true)
  // The step that is looked at runs as a program; those before it are recorded.
  expect(watched.stepInfo.recorded).toBe(true)
})

test('a gradient norm is that of the step: with plain descent and one batch, the change of the weights by the rate', async () => {
  const net = new Sequential([dense(4, { inputShape: [3], activation: 'tanh' }), dense(1)], { seed: 5 })
  net.compile({ optimizer: sgd(0.25), loss: 'mse' })
  const moves: Record<string, number[]> = {}
  let before: number[][][] = []
  const weights = () => Promise.all(net.layers.map(async (layer) => (await layer.getWeights()).map(({ data }) => Array.from(data))))
  const run = recordRun()
  const watch: Callback = {
    async onEpochBegin() {
      before = await weights()
    },
    async onEpochEnd() {
      for (const [i, now] of (await weights()).entries()) {
        const square = now.reduce(
          (sum, data, w) => sum + data.reduce((all, value, k) => all + ((value - before[i][w][k]) / 0.25) ** 2, 0),
          0,
        )
        const { name } = net.layers[i]
        moves[name] = [...(moves[name] ?? []), Math.sqrt(square)]
      }
    },
  }
  await net.fit(x, y, fitting([run, watch], { batchSize: count, epochs: 3 }))
  for (const [name, norms] of Object.entries(run.record.training.gradientNorms ?? {}))
    for (const [k, norm] of norms.entries()) expect(norm).toBeCloseTo(moves[name][k], 4) // differences of float32 weights
  expect(Object.keys(moves)).toHaveLength(2)
})

test('without gradient norms the step is left alone, and the record has none', async () => {
  const run = recordRun({ gradientNorms: false })
  await small().fit(x, y, fitting([run]))
  expect(run.record.training.gradientNorms).toBeUndefined()
})

test('with an iterable of batches the last batch is known from the second epoch on', async () => {
  const batches = [0, 1, 2].map((i) => [tensor(x.slice(8 * i, 8 * i + 8)), tensor(y.slice(8 * i, 8 * i + 8))] as [Tensor, Tensor])
  const run = recordRun()
  await small().fit({ [Symbol.iterator]: () => batches[Symbol.iterator]() }, { epochs: 3, verbose: 0, callbacks: [run] })
  for (const norms of Object.values(run.record.training.gradientNorms ?? {})) {
    expect(norms[0]).toBeNull()
    expect(norms.slice(1).every((norm) => norm !== null && norm > 0)).toBe(true)
  }
  expect(Object.keys(run.record.training.gradientNorms ?? {})).toHaveLength(3)
})

test('a graph with branches and a merge says what each layer reads', async () => {
  const at = input({ shape: [3], name: 'at' })
  const left = dense(4, { name: 'left' }).apply(at)
  const right = dense(4, { name: 'right', trainable: false }).apply(left)
  const net = model({ inputs: at, outputs: dense(1, { name: 'out' }).apply(add({ name: 'sum' }).apply([left, right])) })
  net.compile({ optimizer: 'sgd', loss: 'mse' })
  const run = recordRun()
  await net.fit(x, y, fitting([run], { epochs: 1 }))
  const { layers } = run.record.network as NonNullable<typeof run.record.network>
  expect(Object.fromEntries(layers.map(({ name, from }) => [name, from]))).toEqual({
    at: [],
    left: ['at'],
    right: ['left'],
    sum: ['left', 'right'],
    out: ['sum'],
  })
  expect(layers.find(({ name }) => name === 'right')).toMatchObject({ trainable: false, parameters: 20, outputShape: '(None, 4)' })
  expect(Object.keys(run.record.training.gradientNorms ?? {}).sort()).toEqual(['left', 'out'])
  // Each layer stands behind those that it reads.
  for (const [i, { from }] of layers.entries())
    for (const name of from) expect(layers.findIndex((layer) => layer.name === name)).toBeLessThan(i)
})

test('a training that a callback ends is stopped, and says after which epoch', async () => {
  const run = recordRun()
  const stop = earlyStopping({ monitor: 'loss', patience: 0, minDelta: 1e9 })
  await small().fit(x, y, fitting([stop, run]))
  expect(run.record).toMatchObject({ state: 'stopped', why: 'A callback ended the training after epoch 2 of 6.' })
})

test('a training that throws is stopped, says why, and the error of fit is the first one', async () => {
  const run = recordRun()
  const failing: Callback = {
    onEpochEnd(epoch) {
      if (epoch === 1) throw new Error('the disk is full\nat …')
    },
    onTrainError() {
      throw new Error('another')
    },
  }
  const { tensors } = await import('@cotangent/core').then(({ memory }) => memory())
  const net = small()
  await expect(net.fit(x, y, fitting([run, failing]))).rejects.toThrow('the disk is full')
  expect(run.record).toMatchObject({ state: 'stopped', why: 'The training failed: the disk is full' })
  expect(run.record.training.epochs).toEqual([0, 1])
  net.dispose()
  const { memory } = await import('@cotangent/core')
  expect(memory().tensors).toBeLessThanOrEqual(tensors)
})

test('callbacks that were not told of a training are not told of its error', async () => {
  const told: unknown[] = []
  const net = Object.assign(small(), { trainStep: () => ({ loss: 0 }) }) // a step of its own needs no loss, but validation does
  net.compile({ optimizer: 'sgd' })
  const watching: Callback = { onTrainError: (error) => void told.push(error) }
  await expect(net.fit(x, y, { ...fitting([watching]), validationData: [x, y] })).rejects.toThrow('needs a loss')
  expect(told).toEqual([])
})

test('an error before the training began here, or after its end, leaves the record as it is', async () => {
  const run = recordRun({ title: 'kept' })
  const net = small()
  await net.fit(x, y, fitting([run], { epochs: 1 }))
  const kept = structuredClone(run.record)
  const atOnce: Callback = {
    onTrainBegin() {
      throw new Error('no')
    },
  }
  await expect(net.fit(x, y, fitting([atOnce, run]))).rejects.toThrow('no')
  expect(run.record).toEqual(kept)
  const late: Callback = {
    onTrainEnd() {
      throw new Error('late')
    },
  }
  await expect(net.fit(x, y, fitting([run, late], { epochs: 1 }))).rejects.toThrow('late')
  expect(run.record.state).toBe('finished')
})

test('what is not finite is null, and JSON keeps it', async () => {
  const net = small()
  const run = recordRun()
  const spoil: Callback = { onEpochEnd: (_, logs) => void Object.assign(logs, { up: Number.POSITIVE_INFINITY, ['__proto__']: 1 }) }
  const nan = y.map(() => [Number.NaN])
  await net.fit(x, nan, fitting([spoil, run], { epochs: 2 }))
  expect(run.record.training.history).toMatchObject({ loss: [null, null], up: [null, null] })
  expect(readRecord(JSON.stringify(run.record)).training.history.loss).toEqual([null, null])
})

test('values that come in some epochs only have null in the others', async () => {
  const run = recordRun()
  await small().fit(x, y, fitting([run], { validationSplit: 0.2, validationFreq: 2, epochs: 4 }))
  const { val_loss } = run.record.training.history
  expect(val_loss.map((value) => value === null)).toEqual([true, false, true, false])
})

test('sections may be made of the model at the end, and one that no view can draw is refused', async () => {
  const run = recordRun({ sections: async (net) => [{ kind: 'text', title: 'Name', text: net.name }] })
  const net = small()
  await net.fit(x, y, fitting([run], { epochs: 1 }))
  expect(run.record.sections).toEqual([{ kind: 'text', title: 'Name', text: net.name }])
  const wrong = recordRun({ sections: () => [{ kind: 'table', title: 'T', columns: ['a'], rows: [[1, 2]] }] })
  await expect(small().fit(x, y, fitting([wrong], { epochs: 1 }))).rejects.toThrow('rows[0] must be a list of 1, got an array of 2')
  expect(wrong.record.state).toBe('stopped')
})

describe('options and records that are wrong are refused with what and where', () => {
  test.each<[object, RegExp]>([
    [{ titel: 'a' }, /recordRun: .*titel.*title/],
    [{ facts: [{ name: 'a' }] }, /recordRun: facts\[0\]\.value must be a text, got undefined/],
    [{ remarks: 'a' }, /recordRun: remarks must be a list/],
    [{ remarks: [1] }, /recordRun: remarks\[0\] must be a text/],
    [{ sections: 3 }, /recordRun: sections must be a list/],
    [{ sections: [{ kind: 'text', title: 't' }] }, /recordRun: sections\[0\]\.text must be a text/],
  ])('%j', (options, message) => {
    expect(() => recordRun(options as RecordOptions)).toThrow(message)
  })

  const damaged = (change: (record: ReturnType<typeof fixture>) => void): unknown => {
    const record = fixture({ epochs: 3 })
    change(record)
    return record
  }
  test.each<[string, unknown, RegExp]>([
    ['a number', 3, /no record of a run/],
    ['no JSON', '{', /holds no JSON/],
    ['a page without a record', '<!doctype html><p>', /page without a record/],
    ['another format', { format: 'x' }, /"format" must be "cotangent-run"/],
    ['a later version', damaged((r) => Object.assign(r, { version: 2 })), /version 2 of the format, and this release reads version 1/],
    ['a missing list', damaged((r) => Object.assign(r, { facts: undefined })), /damaged: facts must be a list, got undefined/],
    ['a short history', damaged((r) => r.training.history.loss.pop()), /training\.history\.loss must be a list of 3/],
    [
      'a text among numbers',
      damaged((r) => Object.assign(r.training.history.loss, ['a'])),
      /training\.history\.loss\[0\] must be a finite number/,
    ],
    [
      'counts of another size',
      damaged((r) => Object.assign(r.sections[0], { labels: ['a'] })),
      /sections\[0\]\.counts must be a list of 1/,
    ],
    [
      'bytes of another size',
      damaged((r) => Object.assign(r.sections[3], { images: { count: 9, height: 2, width: 2, channels: 1, bytes: 'AAAA' } })),
      /bytes holds 3 bytes, but 9 images/,
    ],
  ])('%s', (_, source, message) => {
    expect(() => readRecord(source)).toThrow(message)
  })

  test('a section of a kind that is not known yet passes', () => {
    const record = fixture({ epochs: 1 })
    record.sections.push({ kind: 'hologram', title: 'Later' } as never)
    expect(readRecord(record).sections.at(-1)).toMatchObject({ kind: 'hologram' })
  })
})

test('a page gives its record back, whatever stands in it', () => {
  const record = fixture({ epochs: 2, title: '</script><script>alert(1)</script><!-- \u2028 "&' })
  record.facts.push({ name: '<img src=x onerror=alert(1)>', value: '</SCRIPT >' })
  const page = pageOf(record, 'const a = "</script>"')
  expect(readRecord(page)).toEqual(record)
  // Only the tags that the page itself has: the data, the answer, the view.
  expect(page.match(/<script/gi)).toHaveLength(3)
  expect(page.match(/<\/script/gi)).toHaveLength(3)
  expect(page).not.toContain('<img')
})

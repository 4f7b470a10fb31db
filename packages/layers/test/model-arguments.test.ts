/**
 * Replaces every argument and every option of the methods of models by junk. Each call must end in an error of this package that names the method. No weight may
 * change, and the model must work as before. Junk that is right for an argument is listed with it.
 */
import { CotangentError, type Tensor, tensor, zeros } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import { add, batches, dense, input, type Model, model, Sequential } from '../src/index.js'

const disposed = (): Tensor => {
  const t = zeros([2, 2])
  t.dispose()
  return t
}

/** Junk, made for each call. The names are for the lists of what a slot accepts. */
const junk: Record<string, () => unknown> = {
  undefined: () => undefined,
  null: () => null,
  text: () => 'abc',
  'text of a number': () => '2',
  NaN: () => Number.NaN,
  Infinity: () => Number.POSITIVE_INFINITY,
  minus: () => -1,
  zero: () => 0,
  fraction: () => 1.5,
  true: () => true,
  BigInt: () => 2n,
  symbol: () => Symbol('s'),
  function: () => () => 1,
  Promise: () => Promise.resolve([[1, 2]]),
  'empty array': () => [],
  'empty object': () => ({}),
  Map: () => new Map(),
  Date: () => new Date(0),
  'array of text': () => ['a', 'b'],
  'array of null': () => [null, null],
  ragged: () => [[1, 2], [1]],
  BigInts: () => BigInt64Array.of(1n, 2n),
  buffer: () => new ArrayBuffer(8),
  'empty tensor': () => zeros([0, 2]),
  scalar: () => tensor(1),
  'five axes': () => zeros([2, 2, 1, 1, 1]),
  'disposed tensor': disposed,
  'open shape': () => ({ data: [1, 2], shape: [-1, 2] }),
  'wrong shape': () => ({ data: [1, 2, 3], shape: [2, 2] }),
}

/** One place of a call that gets junk. */
interface Slot {
  call: (value: unknown) => unknown
  /** Names of the junk that is right here. */
  takes?: readonly string[]
}

const x = [
  [0, 1],
  [2, 3],
]
const y = [[1], [0]]
const quiet = { verbose: 0 } as const

/** Slots for options: each option by itself, an unknown one, a misspelled one, and junk in the place of the whole object. */
function optionSlots(call: (options: unknown) => unknown, takes: Readonly<Record<string, readonly string[]>>): Record<string, Slot> {
  return {
    options: { call, takes: ['undefined', 'empty object'] },
    'an option there is not': { call: () => call({ nonsense: 1 }) },
    'a misspelt option': { call: () => call({ [`${Object.keys(takes)[0]}e`]: 1 }) },
    ...Object.fromEntries(
      Object.entries(takes).map(([name, own]) => [
        name,
        { call: (value: unknown) => call({ ...quietFor(takes), [name]: value }), takes: ['undefined', ...own] },
      ]),
    ),
  }
}
const quietFor = (takes: object): object => ('verbose' in takes ? quiet : {})

const isPlain = (value: unknown): value is object => Object.prototype.toString.call(value) === '[object Object]'

const anyWhole = ['zero']
const fitOptions = {
  batchSize: [],
  epochs: anyWhole,
  verbose: ['zero', 'true'],
  callbacks: ['empty array'],
  validationSplit: ['zero'],
  validationData: [],
  validationFreq: [],
  shuffle: ['true'],
  seed: anyWhole,
  initialEpoch: anyWhole,
  style: [],
  output: [],
  sampleWeight: [],
  classWeight: [],
  stepsPerEpoch: [],
  validationSteps: [],
}
type Method = (...args: unknown[]) => unknown
const method = (of: Model, name: keyof Model): Method => (of[name] as Method).bind(of)

/** The slots of each method. */
function slots(of: Model): Record<string, Record<string, Slot>> {
  const fit = method(of, 'fit')
  const evaluate = method(of, 'evaluate')
  const predicting = (name: keyof Model): Record<string, Slot> => {
    const predict = method(of, name)
    return {
      x: { call: (value) => predict(value), takes: ['empty tensor'] },
      ...optionSlots((options) => predict(x, options), { batchSize: [] }),
    }
  }
  const onBatch = (name: keyof Model, takes: Record<string, readonly string[]>): Record<string, Slot> => {
    const call = method(of, name)
    return {
      x: { call: (value) => call(value, y) },
      y: { call: (value) => call(x, value) },
      ...optionSlots((options) => call(x, y, options), takes),
    }
  }
  /** The parts of batches. */
  const inBatches = (call: (source: unknown) => unknown): Record<string, Slot> => ({
    'a batch': { call: (value) => call([value]) },
    'x of a batch': { call: (value) => call([[value, y]]) },
    'y of a batch': { call: (value) => call([[x, value]]) },
    'sampleWeight of a batch': { call: (value) => call([[x, y, value]]), takes: ['undefined'] },
    'what next gives': { call: (value) => call({ [Symbol.iterator]: () => ({ next: () => value }) }) },
  })
  const setWeights = method(of, 'setWeights')
  const layerOf = method(of, 'getLayer')
  const summary = method(of, 'summary')
  return {
    fit: {
      x: { call: (value) => fit(value, y, quiet) },
      y: { call: (value) => fit(x, value, quiet) },
      'x alone': { call: (value) => fit(value, quiet) },
      ...optionSlots((options) => fit(x, y, options), fitOptions),
      'x for validation': { call: (value) => fit(x, y, { ...quiet, validationData: [value, y] }) },
      ...inBatches((source) => fit(source, { ...quiet, stepsPerEpoch: 1 })),
      'a batch for validation': { call: (value) => fit(x, y, { ...quiet, validationData: new Set([value]), validationSteps: 1 }) },
      'steps of batches': { call: (value) => fit([[x, y]], { ...quiet, stepsPerEpoch: value }), takes: ['undefined'] },
      'batchSize of batches': { call: (value) => fit([[x, y]], { ...quiet, batchSize: value }), takes: ['undefined'] },
      'a callback': { call: (value) => fit(x, y, { ...quiet, callbacks: [value] }) },
      'a stage of a callback': {
        call: (value) => fit(x, y, { ...quiet, epochs: 0, callbacks: [{ onBatchEnd() {}, onEpochEnd: value }] }),
        takes: ['undefined', 'function'],
      },
    },
    evaluate: {
      x: { call: (value) => evaluate(value, y) },
      y: { call: (value) => evaluate(x, value) },
      ...optionSlots((options) => evaluate(x, y, options), {
        batchSize: [],
        verbose: ['zero', 'true'],
        style: [],
        output: [],
        sampleWeight: [],
        steps: [],
      }),
      ...inBatches((source) => evaluate(source)),
      'steps of batches': { call: (value) => evaluate([[x, y]], { steps: value }), takes: ['undefined'] },
    },
    predict: predicting('predict'),
    predictAll: predicting('predictAll'),
    predictProba: predicting('predictProba'),
    predictClasses: predicting('predictClasses'),
    trainOnBatch: onBatch('trainOnBatch', { sampleWeight: [], classWeight: [] }),
    testOnBatch: onBatch('testOnBatch', { sampleWeight: [] }),
    setWeights: {
      values: { call: (value) => setWeights(value) },
      'one value': { call: (value) => setWeights([value, [0]]) },
      'the last value': { call: (value) => setWeights([[[0], [0]], value]) },
      'data of a value': { call: (data) => setWeights([[[0], [0]], { data, shape: [1] }]) },
      'shape of a value': { call: (shape) => setWeights([[[0], [0]], { data: [0], shape }]) },
    },
    getLayer: { name: { call: (value) => layerOf(value) } },
    summary: optionSlots((options) => summary(isPlain(options) ? { print: () => {}, ...options } : options), {
      style: [],
      print: ['function'],
    }),
    batches: {
      x: { call: (value) => batches(value as never, y), takes: ['five axes'] },
      y: { call: (value) => batches(x, value as never), takes: ['five axes'] },
      ...optionSlots((options) => batches(x, y, options as never), { batchSize: [], order: ['empty array'], backend: [], dtype: [] }),
    },
  }
}

/** The fault of a call with junk; undefined if it behaves. */
async function problem(name: string, slot: Slot, value: unknown, taken: boolean): Promise<string | undefined> {
  try {
    await slot.call(value)
    return taken ? undefined : 'was taken'
  } catch (error) {
    const { message } = error as Error
    if (!(error instanceof CotangentError)) return `${(error as Error).name}: ${message}`
    return new RegExp(`\\b${name}\\b`).test(message) ? undefined : `does not name ${name}: ${message}`
  }
}

const made: Record<string, () => Model> = {
  'a Sequential': () => new Sequential([dense(1, { inputShape: [2] })], { seed: 1 }),
  'a graph': () => {
    const a = input({ shape: [2] })
    return model({ inputs: a, outputs: dense(1).apply(a), seed: 1 })
  },
}

describe.each(Object.entries(made))('%s', (_, make) => {
  const net = make()
  net.compile({ optimizer: 'adam', loss: 'mse', metrics: ['mae'] })
  const state = async (): Promise<unknown> => [await net.getWeights(), net.optimizer.steps, await (await net.predict(x)).array()]

  test.each(Object.keys(slots(net)))('%s refuses junk by its name, and changes nothing', async (name) => {
    const before = await state()
    const problems: string[] = []
    for (const [place, slot] of Object.entries(slots(net)[name])) {
      for (const [kind, value] of Object.entries(junk)) {
        const taken = slot.takes?.includes(kind) ?? false
        if (taken && (name === 'fit' || name === 'trainOnBatch')) continue // it would train
        const wrong = await problem(name, slot, value(), taken)
        if (wrong) problems.push(`${place} = ${kind}: ${wrong}`)
      }
    }
    expect(problems).toEqual([])
    expect(await state()).toEqual(before)
  })

  test('and what is right is still taken', async () => {
    await net.evaluate(x, y, { batch_size: 1, sample_weight: [1, 2] })
    await net.fit(x, y, { ...quiet, batch_size: 1, epochs: 2, validation_split: 0.5, initial_epoch: 1, validation_freq: 1 })
    await net.fit([[x, y]] as never, { verbose: false, steps_per_epoch: 1 })
    await net.trainOnBatch(x, y, { class_weight: { 0: 1, 1: 2 } })
    expect(net.optimizer.steps).toBe(3)
  })
})

test('several inputs and outputs: junk for one of them', async () => {
  const [a, b] = ['a', 'b'].map((name) => input({ shape: [2], name }))
  const sum = add().apply([a, b])
  const outputs = ['p', 'q'].map((name) => dense(1, { name }).apply(sum))
  const net = model({ inputs: [a, b], outputs, seed: 1 })
  net.compile({ optimizer: 'sgd', loss: 'mse' })
  const before = await net.getWeights()
  const [fit, predictAll] = [method(net, 'fit'), method(net, 'predictAll')]
  const problems: string[] = []
  const places: Record<string, [name: string, slot: Slot]> = {
    'x of two': ['fit', { call: (value) => fit(value, [y, y], quiet) }],
    'x in a list': ['fit', { call: (value) => fit([x, value], [y, y], quiet) }],
    'x in a record': ['fit', { call: (value) => fit({ a: x, b: value }, [y, y], quiet) }],
    'y in a record': ['fit', { call: (value) => fit([x, x], { p: y, q: value }, quiet) }],
    'sampleWeight in a record': [
      'fit',
      { call: (value) => fit([x, x], [y, y], { ...quiet, sampleWeight: { p: value } }), takes: ['undefined', 'null'] },
    ],
    'classWeight in a record': [
      'fit',
      { call: (value) => fit([x, x], [y, y], { ...quiet, classWeight: { p: value } }), takes: ['undefined', 'null'] },
    ],
    'x for predictAll': ['predictAll', { call: (value) => predictAll([value, x]) }],
  }
  for (const [place, [name, slot]] of Object.entries(places)) {
    for (const [kind, value] of Object.entries(junk)) {
      if (slot.takes?.includes(kind)) continue
      const wrong = await problem(name, slot, value(), false)
      if (wrong) problems.push(`${place} = ${kind}: ${wrong}`)
    }
  }
  expect(problems).toEqual([])
  expect(await net.getWeights()).toEqual(before)
  await fit([x, x], [y, y], quiet)
})

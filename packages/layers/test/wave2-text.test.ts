/** Golden vectors of TextVectorization, StringLookup, IntegerLookup and Hashing; each again from its config; wrong arguments. */
import { scope, type Tensor, tensor, withBackend } from '@cotangent/core'
import { expect, test } from 'vitest'
import { expectClose, type GoldenTensor, loadGolden } from '../../core/test/golden.js'
import { places } from '../../core/test/wave2.js'
import * as l from '../src/index.js'
import { fingerprint } from '../src/text/hashes.js'
import { byBytes } from '../src/text/lookup.js'

interface Case {
  readonly name: string
  readonly layer: 'TextVectorization' | 'StringLookup' | 'IntegerLookup' | 'Hashing'
  readonly params: { invert?: boolean; numBins?: number; salt?: number | [number, number] | null }
  readonly inputs: { adapt?: never[]; texts?: string[]; values?: never }
  readonly expected: { vocabulary?: unknown[]; output: GoldenTensor | unknown[]; idf_weights?: GoldenTensor; fingerprints?: string[] }
}

const { TextVectorization, StringLookup, IntegerLookup, Hashing } = l
const classes = { TextVectorization, StringLookup, IntegerLookup, Hashing }

const golden = loadGolden('wave2/text_vectorization')
const cases = golden.cases as unknown as readonly Case[]
const exact = { atol: 1e-6, rtol: 1e-6 } // outputs are float32

/** The layer of whole numbers on tensors: in a model, and alone on numbers of either type. */
async function checkOnTensors(layer: l.IntegerLookup, { values }: Case['inputs'], { output }: Case['expected']): Promise<void> {
  const wanted = (Array.isArray(output) ? { shape: [output.length], data: output } : output) as GoldenTensor
  for (const { backend, name } of places) {
    for (const dtype of ['int32', 'float32'] as const) {
      const before = backend.memory()
      const got = withBackend(backend, () =>
        scope(() => layer.call(tensor(values as unknown as number[], { dtype, backend }), { training: false }).keep()),
      )
      expect(got.shape).toEqual(layer.outputShape(tensor(values as unknown as number[]).shape))
      await expectClose(got, wanted, exact, `${name}, ${dtype}`)
      got.dispose()
      expect(backend.memory()).toEqual(before)
    }
  }
}

test('has its cases', () => expect(cases.length).toBe(41))

test.each(cases.map((each) => [each.name, each] as const))('%s', async (_, { layer: name, params, inputs, expected }) => {
  const { invert, ...options } = params
  const first = classes[name].fromConfig(options as never)
  if (!(first instanceof l.Hashing) && inputs.adapt?.length) await first.adapt(inputs.adapt)
  if (first instanceof l.IntegerLookup) await checkOnTensors(l.IntegerLookup.fromConfig({ ...first.getConfig(), invert }), inputs, expected)
  // The same again from JSON.
  const config = JSON.parse(JSON.stringify(first.getConfig()))
  for (const layer of [first, classes[name].fromConfig(config as never)]) {
    if (!(layer instanceof l.Hashing)) {
      expect(layer.getVocabulary()).toEqual(expected.vocabulary)
      expect(layer.vocabularySize).toBe(expected.vocabulary?.length)
      if (expected.idf_weights) {
        for (const [i, weight] of layer.idfWeights.entries()) expect(weight).toBeCloseTo(Number(expected.idf_weights.data[i]), 9)
      }
    }
    if (invert) {
      expect((layer as l.StringLookup).tokens(inputs.values as never)).toEqual(expected.output)
      continue
    }
    const output = layer.apply((inputs.texts ?? inputs.values) as never) as Tensor
    expect(output.dtype).toBe((expected.output as GoldenTensor).dtype === 'int32' ? 'int32' : 'float32')
    await expectClose(output, expected.output as GoldenTensor, exact, 'output')
    output.dispose()
  }
  for (const [i, hex] of (expected.fingerprints ?? []).entries()) {
    expect(
      fingerprint((inputs.values as unknown as string[])[i], params.salt)
        .toString(16)
        .padStart(16, '0'),
    ).toBe(hex)
  }
})

test('ties stand in the order of UTF-8, beyond 16 bits, too', () => {
  const words = ['a', 'é', '\uffff', '😀', '', 'ab', '\ue000', '𝄞']
  const sorted = [...words].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  expect([...words].sort(byBytes)).toEqual(sorted)
})

test('words like constructor and __proto__ are words', async () => {
  const layer = l.textVectorization({ split: 'whitespace' })
  layer.adapt(['constructor toString constructor', 'hasOwnProperty'])
  expect(await layer.apply(['toString __proto__ constructor']).array()).toEqual([[3, 1, 2]])
})

test('functions for standardize and split; a text classifier learns', async () => {
  const layer = l.textVectorization({
    standardize: (text) => text.replace(/good|fine/, 'nice'),
    split: (text) => text.split('-'),
    outputMode: 'multi_hot',
  })
  const texts = ['good-film', 'bad-film', 'fine-plot', 'bad-plot']
  layer.adapt(texts)
  const x = layer.apply(texts)
  const model = new l.Sequential([l.dense(1, { activation: 'sigmoid', inputShape: [layer.vocabularySize] })], { seed: 1 })
  model.compile({ optimizer: 'adam', loss: 'binaryCrossentropy' })
  model.optimizer.learningRate = 0.1
  await model.fit(x, [1, 0, 1, 0], { epochs: 60, verbose: 0 })
  const [good, bad] = [...(await model.predict(layer.apply(['good', 'bad'])).then((y) => y.data()))]
  expect(good).toBeGreaterThan(0.8)
  expect(bad).toBeLessThan(0.2)
})

test.each<[string, () => unknown, string]>([
  ['no vocabulary', () => l.stringLookup().apply(['a']), 'StringLookup: has no vocabulary yet. Call adapt(…) or setVocabulary(…) first.'],
  ['adapting a given one', () => l.stringLookup({ vocabulary: ['a'] }).adapt(['b']), 'the vocabulary was given, so it cannot be adapted.'],
  ['a value twice', () => l.stringLookup({ vocabulary: ['a', 'a'] }), 'the vocabulary has "a" twice.'],
  [
    'a special value inside',
    () => l.stringLookup({ vocabulary: ['a', '[UNK]'] }),
    'the vocabulary has "[UNK]" not at its place among the special values.',
  ],
  [
    'too many',
    () => l.integerLookup({ vocabulary: [1, 2], maxTokens: 2 }),
    'the vocabulary has 3 values, the special ones included; maxTokens is 2.',
  ],
  [
    'numbers among texts',
    () => l.stringLookup({ vocabulary: ['a'] }).apply(['a', 3] as never),
    'StringLookup.apply: values[1] must be text, got 3.',
  ],
  ['fractions', () => l.integerLookup({ vocabulary: [1] }).apply([0.5]), 'IntegerLookup.apply: values[0] must be whole numbers, got 0.5.'],
  ['ragged lists', () => l.stringLookup({ vocabulary: ['a'] }).apply([['a'], ['a', 'b']]), 'Lists must be equally long.'],
  [
    'a value outside without indices for it',
    () => l.stringLookup({ vocabulary: ['a'], numOovIndices: 0 }).apply(['b']),
    '"b" is not in the vocabulary, and numOovIndices is 0.',
  ],
  ['weights that lack', () => l.stringLookup({ vocabulary: ['a'], outputMode: 'tf_idf' }), "outputMode 'tf_idf' needs idfWeights"],
  ['padding without a limit', () => l.stringLookup({ padToMaxTokens: true }), 'padToMaxTokens needs maxTokens.'],
  [
    'one text',
    () => l.textVectorization({ vocabulary: ['a'] }).apply('a' as never),
    'texts must be a list of texts, got one text: pass [text].',
  ],
  [
    'a length of counts',
    () => l.textVectorization({ outputMode: 'count', outputSequenceLength: 3 }),
    "outputSequenceLength goes with outputMode: 'int'",
  ],
  ['an unknown name', () => l.textVectorization({ standardize: 'upper' as never }), 'TextVectorization: standardize must be'],
  ['Keras spelling', () => l.textVectorization({ max_tokens: 3 } as never), 'Did you mean "maxTokens"?'],
  ['half a bin', () => l.hashing(2.5), 'Hashing: numBins must be a whole number from 1'],
  ['a salt of text', () => l.hashing(2, { salt: 'x' as never }), 'Hashing: salt must be a whole number'],
  ['mixed values', () => l.hashing(2).apply(['a', 1] as never), 'Hashing.apply: values[1] must be text, got 1.'],
])('refuses %s', (_, run, message) => expect(run).toThrow(message))

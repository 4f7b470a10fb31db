/**
 * Programs of layers from recipes of plain numbers, which fast-check draws and shrinks. A step takes one of the newest values and a layer that fits its rank, or merges
 * two. What refuses its input is left out. In the end every value that nobody took is flattened; all are joined, and a dense layer makes the outputs.
 */
import { CotangentError, createReferenceBackend, scope, ValueError, zeros } from '@cotangent/core'
import * as fc from 'fast-check'
import { type Layer, resetNames, type SymbolicTensor } from '../../src/index.js'
import { applied, type Input, inputsOf, type LayerLine, made, modelOf, type Program } from './program.js'

const reference = createReferenceBackend()

interface Step {
  readonly pick: number
  readonly from: number
  readonly other: number
  readonly bits: number
}

interface Recipe {
  readonly inputs: readonly Input[]
  readonly steps: readonly Step[]
  readonly sequential: boolean
  readonly optimizer: number
  readonly loss: number
  readonly batch: number
  readonly seed: number
}

/** A value larger than this, for a sample, is not taken further. */
const MOST_ELEMENTS = 300

const oneOf = (bits: number, list: readonly string[]): string => list[bits % list.length]
const yes = (bits: number): boolean => bits % 2 === 1
const activation = (bits: number): string =>
  oneOf(bits, ['linear', 'relu', 'tanh', 'sigmoid', 'elu', 'gelu', 'silu', 'softplus', 'selu', 'hardSigmoid'])
const padding = (bits: number): string => oneOf(bits, ['valid', 'same'])

type Row = (bits: number) => string
/** Layers for any rank. */
const everywhere: Row[] = [
  (b) => `dense(${1 + (b % 5)}, { activation: '${activation(b >> 3)}', useBias: ${yes(b >> 2)} })`,
  (b) => `activation('${activation(b)}')`,
  (b) => `dropout(${yes(b) ? 0.3 : 0.1})`,
  (b) => `batchNormalization({ momentum: ${yes(b) ? 0.5 : 0.9}, scale: ${yes(b >> 1)}, center: ${yes(b >> 2)} })`,
  (b) => `layerNormalization({ scale: ${yes(b)}, center: ${yes(b >> 1)} })`,
  () => 'rmsNormalization()',
  () => 'unitNormalization()',
  (b) => `leakyReLU({ alpha: ${yes(b) ? 0.1 : 0.3} })`,
  () => 'prelu()',
  (b) => `gaussianNoise(${yes(b) ? 0.1 : 0.2})`,
  () => 'flatten()',
  (b) =>
    `dense(3, { kernelRegularizer: '${oneOf(b, ['l1', 'l2'])}', kernelConstraint: '${oneOf(b >> 1, ['maxNorm', 'nonNeg', 'unitNorm'])}' })`,
  () => 'spectralNormalization(dense(3))',
]
const recurrent = (b: number, last: string): string =>
  oneOf(b, ['simpleRNN', 'lstm', 'gru']) +
  `(${1 + (b % 4)}, { returnSequences: ${yes(b >> 2) || last === 'always'}, goBackwards: ${yes(b >> 3) && last !== 'always'}, dropout: ${yes(b >> 4) ? 0.2 : 0}, recurrentDropout: ${yes(b >> 5) ? 0.1 : 0} })`
const byRank: Record<number, Row[]> = {
  1: [(b) => `repeatVector(${2 + (b % 3)})`, () => 'reshape([-1, 1])', () => 'alphaDropout(0.1)'],
  2: [
    (b) => recurrent(b, ''),
    (b) => recurrent(b, ''),
    (b) => `bidirectional(${recurrent(b, 'always')}, { mergeMode: '${oneOf(b >> 6, ['concat', 'sum', 'ave', 'mul'])}' })`,
    (b) => `gru(${1 + (b % 4)}, { resetAfter: ${yes(b)}, returnSequences: ${yes(b >> 1)} })`,
    (b) => `rnn([lstmCell(2), gruCell(3)], { returnSequences: ${yes(b)} })`,
    (b) =>
      `conv1d(${1 + (b % 4)}, ${1 + ((b >> 2) % 3)}, { padding: '${oneOf(b, ['valid', 'same', 'causal'])}', activation: '${activation(b >> 2)}' })`,
    (b) => `conv1d(3, 2, { strides: 2, padding: '${padding(b)}' })`,
    (b) => `separableConv1d(3, 2, { padding: '${padding(b)}' })`,
    (b) => `maxPooling1d({ poolSize: 2, padding: '${padding(b)}' })`,
    (b) => `averagePooling1d({ poolSize: 2, padding: '${padding(b)}' })`,
    () => 'globalMaxPooling1d()',
    () => 'globalAveragePooling1d()',
    (b) => `timeDistributed(dense(${1 + (b % 3)}, { activation: 'tanh' }))`,
    () => 'masking()',
    () => 'permute([2, 1])',
    () => 'spatialDropout1d(0.2)',
    () => 'zeroPadding1d(1)',
    () => 'cropping1d([1, 0])',
    () => 'upSampling1d(2)',
    () => 'multiHeadAttention(2, 3)',
    () => 'attention()',
  ],
  3: [
    (b) => `conv2d(${1 + (b % 4)}, ${1 + ((b >> 2) % 3)}, { padding: '${padding(b)}', activation: '${activation(b >> 2)}' })`,
    (b) => `conv2d(${2 * (1 + (b % 2))}, 2, { strides: 2, padding: '${padding(b >> 1)}' })`,
    (b) => `depthwiseConv2d(2, { depthMultiplier: ${1 + (b % 2)}, padding: '${padding(b >> 1)}' })`,
    (b) => `separableConv2d(3, 2, { padding: '${padding(b)}' })`,
    (b) => `conv2dTranspose(2, 2, { strides: ${1 + (b % 2)}, padding: '${padding(b >> 1)}' })`,
    (b) => `maxPooling2d({ poolSize: 2, padding: '${padding(b)}' })`,
    (b) => `averagePooling2d({ poolSize: [2, 1], padding: '${padding(b)}' })`,
    () => 'globalMaxPooling2d()',
    () => 'globalAveragePooling2d()',
    () => 'groupNormalization({ groups: 1 })',
    () => 'upSampling2d(2)',
    () => 'zeroPadding2d(1)',
    () => 'cropping2d(1)',
    () => 'spatialDropout2d(0.2)',
    () => 'permute([2, 3, 1])',
    () => 'reshape([-1, 2])',
  ],
}
const merges: Row[] = [
  () => 'add()',
  () => 'multiply()',
  () => 'average()',
  () => 'maximum()',
  () => 'minimum()',
  () => 'subtract()',
  () => 'concatenate()',
  () => 'concatenate({ axis: 1 })',
  () => 'additiveAttention()',
  () => 'attention({ useScale: true })',
  () => 'multiHeadAttention(2, 2)',
]
const takesTwo = new Set(['multiHeadAttention(2, 3)', 'attention()'])
const optimizers = [
  'sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true })',
  'adam({ learningRate: 0.01, clipnorm: 1 })',
  'rmsprop({ learningRate: 0.01, centered: true })',
  'adagrad()',
  'adadelta()',
  'adamax()',
  'nadam()',
  'adamw({ weightDecay: 0.01 })',
  'ftrl()',
  'lion()',
  'lamb()',
  'adafactor()',
  'adam({ amsgrad: true, clipvalue: 0.5, learningRate: exponentialDecay({ initialLearningRate: 0.01, decaySteps: 2, decayRate: 0.9 }) })',
]
const losses = ['mse', 'mae', 'huber', 'logcosh'] as const

/** Rows of numbers for one or two inputs. */
const number = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max })
const inputs: fc.Arbitrary<Input> = fc.oneof(
  number(6).map((n) => ({ shape: [n] })),
  fc.tuple(number(6), number(4)).map((shape) => ({ shape })),
  fc.tuple(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 2, max: 6 }), number(3)).map((shape) => ({ shape })),
  number(6).map((n) => ({ shape: [n], below: 5 })),
)

/** A program of the recipe: with masks, unless they meet a layer that refuses them, which shows when the model runs. */
export function buildProgram(recipe: Recipe): Program {
  const masked = programOf(recipe, true)
  return runs(masked) ? masked : programOf(recipe, false)
}

function runs(program: Program): boolean {
  const net = modelOf(program, reference)
  try {
    scope(() => {
      const xs = program.inputs.map(({ shape, below }) =>
        zeros([2, ...shape], { backend: reference, dtype: below === undefined ? 'float32' : 'int32' }),
      )
      net.callAll(xs, { training: false, masks: xs.map(() => undefined) })
    })
    return true
  } catch (error) {
    if (error instanceof ValueError && error.message.includes('does not support masking')) return false
    throw error
  } finally {
    net.dispose()
  }
}

function programOf({ inputs, steps, sequential, optimizer, loss, batch, seed }: Recipe, masks: boolean): Program {
  resetNames()
  const values: SymbolicTensor[] = inputsOf({ inputs } as Program)
  const lines: LayerLine[] = []
  const shapeOf = (i: number): readonly number[] => values[i].shape.slice(1) as number[]
  const sizeOf = (i: number): number => shapeOf(i).reduce((a, b) => a * b, 1)
  const attempt = (layer: string, args: readonly number[]): boolean => {
    if (layer === 'masking()' && !masks) return false
    try {
      const value = applied(
        made<Layer>(layer),
        args.map((i) => values[i]),
      )
      if (value.shape.slice(1).some((n) => n === null || n === 0)) return false
      values.push(value)
      lines.push({ layer, args })
      return true
    } catch (error) {
      if (error instanceof CotangentError) return false
      throw error
    }
  }
  for (const [i, { below, shape }] of inputs.entries())
    if (below !== undefined) attempt(`embedding(${below}, 3, { maskZero: ${masks && yes(seed + i)}, inputLength: ${shape[0]} })`, [i])
  const usable = (): number[] =>
    values.flatMap((_, i) => (i < inputs.length && inputs[i].below !== undefined ? [] : sizeOf(i) > MOST_ELEMENTS ? [] : [i]))
  for (const { pick, from, other, bits } of steps) {
    const all = usable()
    const x = sequential ? all[all.length - 1] : all[all.length - 1 - (from % Math.min(3, all.length))]
    const same = all.filter((i) => i !== x && shapeOf(i).length === shapeOf(x).length)
    const rows = [...everywhere, ...(byRank[shapeOf(x).length] ?? []), ...(byRank[shapeOf(x).length] ?? [])]
    if (!sequential && same.length > 0 && pick % 4 === 0)
      attempt(
        oneOf(
          bits,
          merges.map((row) => row(bits)),
        ),
        [x, same[other % same.length]],
      )
    else {
      const layer = rows[pick % rows.length](bits)
      attempt(layer, takesTwo.has(layer) ? [x, x] : [x])
    }
  }
  const taken = new Set(lines.flatMap(({ args }) => args))
  const ends = values.flatMap((_, i) => (taken.has(i) ? [] : [i]))
  const flat = ends.map((i) => (shapeOf(i).length === 1 ? i : attempt('flatten()', [i]) ? values.length - 1 : i))
  if (flat.length > 1) attempt('concatenate()', flat)
  attempt('dense(2)', [flat.length > 1 ? values.length - 1 : flat[0]])
  return { inputs, lines, sequential, optimizer: oneOf(optimizer, optimizers), loss: losses[loss % losses.length], batch, seed }
}

export const programs = fc
  .record({
    inputs: fc.array(inputs, { minLength: 1, maxLength: 2 }),
    steps: fc.array(
      fc.record({ pick: fc.nat({ max: 999 }), from: fc.nat({ max: 9 }), other: fc.nat({ max: 9 }), bits: fc.nat({ max: 255 }) }),
      {
        minLength: 1,
        maxLength: 7,
      },
    ),
    sequential: fc.boolean(),
    optimizer: fc.nat({ max: 99 }),
    loss: fc.nat({ max: 99 }),
    batch: fc.integer({ min: 1, max: 5 }),
    seed: fc.nat({ max: 999 }),
  })
  .map(buildProgram)

/** Losses of Keras 3 compared with golden vectors: each loss by itself, reductions, sample weights, masks, and gradients. */
import { grad, gradCheck, ones, type Tensor, tensor, vjp } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import { expectClose, type GoldenTensor, loadGolden, tensorOf } from '../../core/test/golden.js'
import { places, toleranceOf } from '../../core/test/wave2.js'
import { dense, losses, Sequential } from '../src/index.js'
import { lossOf } from '../src/io/training-words.js'

interface Inputs {
  readonly y_true: GoldenTensor
  readonly y_pred: GoldenTensor
  readonly sample_weight?: GoldenTensor
  readonly mask?: GoldenTensor
}
type Expected = Readonly<
  Record<'per_sample' | 'sumOverBatchSize' | 'sum' | 'meanWithSampleWeight' | 'grad_y_pred_of_sumOverBatchSize', GoldenTensor>
>
type Masked = Readonly<Record<'sumOverBatchSize' | 'grad_y_pred', GoldenTensor>>

const golden = loadGolden<Record<string, unknown>, Inputs, Expected>('wave2/losses')
const masks = loadGolden<Record<string, unknown>, Inputs, Masked>('wave2/masks')
const reductions = { sumOverBatchSize: 'sum_over_batch_size', sum: 'sum', meanWithSampleWeight: 'mean_with_sample_weight' } as const

/** A loss by the class and options of a case. */
const made = ({ loss, epsilon: _, ...options }: Record<string, unknown>, reduction: losses.Reduction): losses.Loss =>
  losses.getLoss(lossOf(loss as string) ?? (loss as losses.LossIdentifier), {
    ...(loss === 'BinaryCrossentropy' && { form: '3' }),
    ...options,
    reduction,
  })
const reduced = (loss: losses.Loss, ...given: Parameters<NonNullable<losses.Loss['reduce']>>): Tensor => {
  if (!loss.reduce) throw new Error(`${loss.name} has no reduction`)
  return loss.reduce(...given)
}

describe.each(places)('golden losses of Keras 3, $name', (place) => {
  const { backend, floats } = place
  const tolerance = toleranceOf(golden, place)
  const given = ({ y_true, y_pred, sample_weight, mask }: Inputs) => ({
    t: tensorOf(y_true, backend, floats),
    p: tensorOf(y_pred, backend, floats),
    weights: sample_weight && tensorOf(sample_weight, backend, floats),
    mask: mask && tensorOf(mask, backend, floats),
  })
  test.each(golden.cases.map((each) => [each.name, each] as const))('%s', async (_, { params, inputs, expected }) => {
    const { t, p, weights } = given(inputs)
    // Keras' PyTorch backend multiplied the weights of the ignoreClass case in place, by 8 places / 6 that count, before they were written down.
    const first = params.ignoreClass === 0 ? weights?.mul(6 / 8) : weights
    await expectClose(reduced(made(params, 'none'), t, p), expected.per_sample, tolerance, 'per sample')
    for (const [name, reduction] of Object.entries(reductions))
      await expectClose(
        reduced(made(params, reduction), t, p, undefined, name === 'sumOverBatchSize' ? first : weights),
        expected[name as 'sum'],
        tolerance,
        name,
      )
    const loss = made(params, 'sum_over_batch_size')
    const one = ones([], { dtype: floats, backend })
    const { grads } = vjp((y) => reduced(loss, t, y, undefined, weights), [p], one)
    await expectClose(grads[0], expected.grad_y_pred_of_sumOverBatchSize, tolerance, 'gradient')
  })
  test.each(masks.cases.filter(({ params }) => params.loss).map((each) => [each.name, each] as const))('%s', async (_, each) => {
    const { t, p, weights, mask } = given(each.inputs)
    const loss = made(each.params, 'sum_over_batch_size')
    const one = ones([], { dtype: floats, backend })
    const { value, grads } = vjp((y) => reduced(loss, t, y, mask, weights), [p], one)
    await expectClose(value, each.expected.sumOverBatchSize, toleranceOf(masks, place))
    await expectClose(grads[0], each.expected.grad_y_pred, toleranceOf(masks, place), 'gradient')
  })
})

describe('ctc', () => {
  const z = (steps: number) => Array.from({ length: steps }, (_, i) => [Math.sin(i), Math.cos(3 * i), 0.3 * i])
  test('equals the sum over all alignments', async () => {
    const logits = tensor([z(4)])
    const [rows] = (await logits.softmax().array()) as number[][][]
    const read = (path: readonly number[]): string => path.filter((c, i) => c !== 0 && c !== path[i - 1]).join('')
    let probability = 0
    for (let code = 0; code < 3 ** 4; code++) {
      const path = [0, 1, 2, 3].map((i) => Math.floor(code / 3 ** i) % 3)
      if (read(path) === '12') probability += path.reduce((p, c, i) => p * rows[i][c], 1)
    }
    expect(await losses.ctc(tensor([[1, 2, 0]]), logits).item()).toBeCloseTo(-Math.log(probability), 5)
  })
  test('its gradient is that of differences', async () => {
    await expect(
      gradCheck((x) => losses.ctc(tensor([[1, 1, 2]], { backend: x.backend }), x).sum(), [tensor([z(6)])]),
    ).resolves.toBeDefined()
  })
  test('a label that is too long: infinite, without a gradient', async () => {
    const labels = tensor([
      [1, 1],
      [1, 0],
    ])
    const logits = tensor([z(2), z(2)])
    const [long, short] = await losses.ctc(labels, logits).data()
    expect([long, Number.isFinite(short)]).toEqual([Infinity, true])
    const d = (await grad((x) => losses.ctc(labels, x).sum())(logits).array()) as number[][][]
    expect(d[0].flat().every((v) => v === 0) && d[1].flat().some((v) => v !== 0)).toBe(true)
  })
  test('shapes are checked', () => {
    expect(() => losses.ctc(tensor([1, 2]), tensor([z(2)]))).toThrow(
      /ctc: targets \[n, length\] and logits \[n, steps, classes\] are needed, got \[2\] and \[1, 2, 3\]/,
    )
  })
})

describe('in a training', () => {
  test('ignoreClass: its places neither count nor teach, also a number that is no class', async () => {
    const net = () => new Sequential([dense(3, { inputShape: [2], useBias: false, kernelInitializer: 'ones', activation: 'softmax' })])
    const [all, some] = [net(), net()]
    all.compile({ optimizer: 'sgd', loss: losses.getLoss('sparseCategoricalCrossentropy', { ignoreClass: 255 }) })
    some.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy' })
    await all.fit(
      [
        [1, 2],
        [9, 9],
        [3, 1],
      ],
      [0, 255, 2],
      { epochs: 3, verbose: 0 },
    )
    await some.fit(
      [
        [1, 2],
        [3, 1],
      ],
      [0, 2],
      { epochs: 3, verbose: 0, shuffle: false },
    )
    const [a, b] = await Promise.all([all, some].map((model) => model.weights[0].data()))
    a.forEach((v, i) => {
      expect(v).toBeCloseTo(b[i], 5)
    })
    await expect(some.fit([[1, 2]], [255], { verbose: 0 })).rejects.toThrow(/Label 255/)
  })
  test('a mean by weights; none is refused', async () => {
    const model = new Sequential([dense(1, { inputShape: [1], useBias: false, kernelInitializer: 'ones' })])
    model.compile({ optimizer: 'sgd', loss: losses.getLoss('mse', { reduction: 'mean_with_sample_weight' }) })
    expect(await model.evaluate([[1], [2]], [[0], [0]], { sampleWeight: [3, 1] })).toEqual([(3 + 4) / 4])
    expect(() => model.compile({ optimizer: 'sgd', loss: losses.getLoss('mse', { reduction: 'none' }) })).toThrow(/reduction "none"/)
  })
  test.each([
    'dice',
    'tversky',
    'binaryFocalCrossentropy',
    'circle',
    'categoricalGeneralizedCrossEntropy',
    'categoricalFocalCrossentropy',
  ] as const)('%s falls', async (loss) => {
    const model = new Sequential([dense(2, { inputShape: [2], activation: 'softmax' })], { seed: 1 })
    model.compile({ optimizer: 'adam', loss })
    const x = [
      [1, 0],
      [0, 1],
      [2, 0],
      [0, 2],
    ]
    const labels = loss === 'circle' || loss === 'categoricalGeneralizedCrossEntropy'
    const { history } = await model.fit(
      x,
      labels
        ? [0, 1, 0, 1]
        : [
            [1, 0],
            [0, 1],
            [1, 0],
            [0, 1],
          ],
      { epochs: 20, verbose: 0 },
    )
    expect(history.loss.at(-1)).toBeLessThan(history.loss[0])
  })
})

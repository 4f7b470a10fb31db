/** Losses compared with the golden vectors in both arithmetics; logits, masks, names and messages. */
import { grad, key, normal, ones, scope, type Tensor, tensor, uniform, vjp } from '@cotangent/core'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { arithmetics, expectClose, float64, golden, numbers } from '../../test/arithmetic.js'
import { loadGolden } from '../../test/golden.js'
import { checkLabels, getLoss, type Loss, type LossIdentifier, type LossOptions, lossNames } from './index.js'

/** The loss that a golden case names. */
function lossOf(name: string): Loss {
  if (name === 'huber_elementwise') return getLoss('huber')
  const options: LossOptions = { form: name.endsWith('_v22') ? '2.2' : '2.3', fromLogits: name.endsWith('_from_logits') }
  return getLoss(name.replace(/_(v22|v23|from_logits)$/, '') as LossIdentifier, options)
}

describe.each(arithmetics)('golden losses, $name', (arithmetic) => {
  for (const { name, params, inputs, expected } of loadGolden('losses.json')) {
    test(name, async () => {
      const loss = lossOf(params.loss as string)
      const [t, p] = [golden(inputs.y_true, arithmetic), golden(inputs.y_pred, arithmetic)]
      const one = ones([], { dtype: arithmetic.dtype, backend: arithmetic.backend })
      const other = params.edge && expected.per_sample_float32_arithmetic ? numbers(expected.per_sample_float32_arithmetic) : undefined
      const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length

      // Keras' huber is one value an element: there, elements are samples of one.
      const flat = (x: Tensor): Tensor => (params.loss === 'huber_elementwise' ? x.reshape([-1, 1]) : x)
      const perSample = await loss.call(flat(t), flat(p)).data()
      expectClose('per_sample', perSample, numbers(expected.per_sample), arithmetic, other)

      const { value, grads } = vjp((y) => loss.call(t, y).mean(), [p], one)
      expectClose('mean', await value.data(), numbers(expected.mean), arithmetic, other && [mean(other)])
      expectClose('grad_y_pred_of_mean', await grads[0].data(), numbers(expected.grad_y_pred_of_mean), arithmetic)
    })
  }
})

const { backend } = float64
const on64 = { dtype: 'float64', backend } as const
const values = (list: number[] | number[][]): Tensor => tensor(list, on64)
const close = { rtol: 1e-9, atol: 1e-12 }

/** The losses of rows of predictions: ctc takes sequences, circle pairs of embeddings. */
const ofRows = lossNames.filter((name) => !['ctc', 'circle'].includes(name))

/** Targets and predictions that fit a loss: probabilities or class numbers where it wants them. */
function sample(name: string, seed: number, n: number, classes: number): [Tensor, Tensor] {
  const p = /ategorical.*Cross|ullback/.test(name)
    ? normal(key(seed), [n, classes], on64).softmax()
    : uniform(key(seed), [n, classes], { ...on64, low: 0.05, high: 0.95 })
  if (['sparseCategoricalCrossentropy', 'categoricalGeneralizedCrossEntropy'].includes(name))
    return [
      uniform(key(seed + 1), [n], { ...on64, high: classes })
        .floor()
        .cast('int32'),
      p,
    ]
  const t = uniform(key(seed + 1), [n, classes], on64)
  return [
    /hinge|binary/i.test(name)
      ? t.round()
      : /ategorical.*Cross|ullback/.test(name)
        ? t.add(0.1).div(t.add(0.1).sum({ axis: -1, keepDims: true }))
        : t,
    p,
  ]
}

describe('losses', () => {
  test.each(ofRows)('%s: one value a sample, the same for [n, k] and [n, 1, k]', async (name) => {
    const loss = getLoss(name)
    const [t, p] = sample(name, 5, 6, 4)
    const whole = await loss.call(t, p).data()
    expect(whole.length).toBe(6)
    const deeper = (x: Tensor): Tensor => x.reshape([6, 1, ...x.shape.slice(1)])
    expectClose(name, await loss.call(deeper(t), deeper(p)).data(), [...whole], close)
  })

  property.prop({
    seed: fc.nat(1e6),
    name: fc.constantFrom(...ofRows.filter((name) => !['poisson', 'cosineProximity'].includes(name))),
  })('is never negative', async ({ seed, name }) => {
    const [t, p] = sample(name, seed, 3, 4)
    for (const value of await getLoss(name).call(t, p).data()) expect(value).toBeGreaterThanOrEqual(-1e-12)
  })

  property.prop({
    seed: fc.nat(1e6),
    name: fc.constantFrom('categoricalCrossentropy', 'sparseCategoricalCrossentropy', 'binaryCrossentropy'),
  })('from logits equals the composed form where nothing is clipped', async ({ seed, name }) => {
    const loss = getLoss(name as LossIdentifier)
    const z = normal(key(seed), [3, 4], { ...on64, stddev: 2 })
    const [t] = sample(name, seed + 7, 3, 4)
    const p = loss.fromLogits?.activation === 'softmax' ? z.softmax() : z.sigmoid()
    const logits = await loss.fromLogits?.call(t, z).data()
    // Keras' ε inside the logarithms shifts the composed binary form a little.
    const tolerance = name === 'binaryCrossentropy' ? { rtol: 1e-3, atol: 1e-5 } : close
    expectClose(name, await loss.call(t, p).data(), [...(logits ?? [])], tolerance)
  })

  test('sparse and one-hot targets agree', async () => {
    const z = normal(key(3), [4, 3], on64)
    const labels = tensor(Int32Array.of(2, 0, 1, 1), { backend })
    const dense = await getLoss('categoricalCrossentropy').fromLogits?.call(labels.oneHot(3), z).data()
    for (const y of [labels, labels.reshape([4, 1]), labels.cast('float32')]) {
      expectClose('sparse', (await getLoss('sparseCategoricalCrossentropy').fromLogits?.call(y, z).data()) ?? [], [...(dense ?? [])], close)
    }
  })

  test('integer, byte and bool targets count as numbers; [n] fits [n, 1]', async () => {
    const p = values([[0.2], [0.9]])
    const want = [
      ...(await getLoss('bce')
        .call(values([[0], [1]]), p)
        .data()),
    ]
    for (const dtype of ['int32', 'uint8', 'bool'] as const) {
      expectClose(
        dtype,
        await getLoss('bce')
          .call(tensor([0, 1], { dtype, backend }), p)
          .data(),
        want,
        close,
      )
    }
  })

  test('label smoothing and the huber δ', async () => {
    const p = values([[0.7, 0.2, 0.1]])
    const smooth = getLoss('categoricalCrossentropy', { labelSmoothing: 0.3 })
    const want = -(0.8 * Math.log(0.7) + 0.1 * Math.log(0.2) + 0.1 * Math.log(0.1))
    expectClose('smoothed', await smooth.call(values([[1, 0, 0]]), p).data(), [want], close)
    expectClose(
      'huber',
      await getLoss('huber', { delta: 2 })
        .call(values([[0, 0]]), values([[1, 5]]))
        .data(),
      [(0.5 + 8) / 2],
      close,
    )
  })

  test('names, aliases, functions and objects', () => {
    for (const id of ['meanSquaredError', 'mean_squared_error', 'mse', 'MSE'] as const)
      expect(getLoss(id as 'mse').name).toBe('meanSquaredError')
    expect(getLoss('kld').name).toBe('kullbackLeiblerDivergence')
    expect(getLoss('sparse_categorical_crossentropy').sparse).toBe(true)
    expect(getLoss('categorical_crossentropy').fromLogits?.activation).toBe('softmax')
    expect(getLoss('binary_crossentropy', { form: '2.2' }).fromLogits).toBeUndefined()
    const mine = getLoss(function half(t, p) {
      return p.sub(t).square().mul(0.5)
    })
    expect(mine.name).toBe('half')
    expect(mine.call(values([[1, 2]]), values([[1, 2]])).shape).toEqual([1])
    expect(getLoss((t, p) => p.sub(t).sum()).call(values([[1], [2]]), values([[1], [2]])).shape).toEqual([2])
    expect(getLoss(mine)).toBe(mine)
    expect(() => getLoss('mean_square_error' as 'mse')).toThrow(/no loss "mean_square_error"\. Did you mean "meanSquaredError"\?/)
    expect(() => getLoss(3 as unknown as 'mse')).toThrow(/expected a name or an object, got 3/)
  })

  test('shapes that would broadcast silently are errors', () => {
    expect(() =>
      getLoss('mse').call(
        values([1, 2, 3]),
        values([
          [1, 2],
          [3, 4],
          [5, 6],
        ]),
      ),
    ).toThrow(/targets and predictions have different shapes/)
    expect(() =>
      getLoss('categoricalCrossentropy').call(
        values([[1], [2]]),
        values([
          [1, 2],
          [3, 4],
        ]),
      ),
    ).toThrow(/sparseCategoricalCrossentropy/)
    expect(() => getLoss('sparseCategoricalCrossentropy').call(values([[1, 0]]), values([[1, 2]]))).toThrow(/One-hot targets go with/)
  })

  test('labels out of range are found on the host', () => {
    expect(() => checkLabels([0, 1, 2], 3)).not.toThrow()
    expect(() => checkLabels(Float32Array.of(0, 2.5), 3)).toThrow(
      /Label 2.5 at position 1 is not a class number: .* 3 classes.* from 0 to 2/,
    )
    expect(() => checkLabels([1, 2, 3], 3)).toThrow(/Label 3 at position 2.*count from 1 must be shifted/)
    expect(() => checkLabels([-1], 3)).toThrow(/Label -1 at position 0/)
  })

  test('the derivative of a dead output is 0, of a saturated logit exact', async () => {
    // Document 002's linear Conv1D model: a negative output is clipped, and nothing comes back.
    const dead = grad((p) =>
      getLoss('binaryCrossentropy')
        .call(values([[1]]), p)
        .sum(),
    )(values([[-0.03]]))
    expect(await dead.item()).toBe(0)
    const { value, grads } = vjp(
      (z) =>
        getLoss('bce', { fromLogits: true })
          .call(values([[1]]), z)
          .sum(),
      [values([[-80]])],
      ones([], on64),
    )
    expect(await value.item()).toBe(80)
    expect(await grads[0].item()).toBe(-1)
  })

  test('nothing is left behind', () => {
    const [t, p] = sample('mse', 1, 3, 2)
    const before = backend.memory().buffers
    for (const name of ofRows)
      scope(
        () =>
          void getLoss(name)
            .call(...sample(name, 1, 3, 2))
            .mean(),
      )
    expect(backend.memory().buffers).toBe(before)
    t.dispose()
    p.dispose()
  })
})

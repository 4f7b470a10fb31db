/** Initializers compared with the golden vectors; means and variances of random ones within four standard errors; orthogonality. */
import { createReferenceBackend, foldKey, key, type Shape, tensor } from '@cotangent/core'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { expectClose, float64, numbers } from '../../test/arithmetic.js'
import { goldenTensor, loadGolden } from '../../test/golden.js'
import { lstm } from '../layers/index.js'
import { Sequential } from '../models/sequential.js'
import { savedForm } from '../spelling/names.js'
import {
  constant,
  fansOf,
  getInitializer,
  type InitializerIdentifier,
  orthogonal,
  orthogonalFrom,
  randomNormal,
  varianceScaling,
} from './initializers.js'

const place = { dtype: float64.dtype, backend: float64.backend }
const draw = async (id: InitializerIdentifier, shape: Shape, seed = 1) => getInitializer(id).build(key(seed), shape).data()

interface Moments {
  mean: number
  variance: number
  maxAbs: number
}
function momentsOf(values: ArrayLike<number>): Moments {
  let [sum, squares, maxAbs] = [0, 0, 0]
  for (let i = 0; i < values.length; i++) {
    sum += values[i]
    squares += values[i] ** 2
    maxAbs = Math.max(maxAbs, Math.abs(values[i]))
  }
  const mean = sum / values.length
  return { mean, variance: squares / values.length - mean ** 2, maxAbs }
}

/** Enough keys for a hundred thousand values. */
async function sampleOf(id: InitializerIdentifier, shape: Shape): Promise<Float32Array> {
  const size = shape.reduce((a, b) => a * b, 1)
  const parts: number[] = []
  for (let i = 0; parts.length < 100_000; i++)
    parts.push(
      ...(
        await getInitializer(id)
          .build(foldKey(key(42), i), shape)
          .data()
      ).slice(0, Math.min(size, 100_000)),
    )
  return Float32Array.from(parts)
}

/** Four standard errors: of a mean √(σ²/n); of a variance at most √(2σ⁴/n), the normal's. */
function expectMoments(values: ArrayLike<number>, variance: number): Moments {
  const moments = momentsOf(values)
  expect(Math.abs(moments.mean)).toBeLessThan(4 * Math.sqrt(variance / values.length))
  expect(Math.abs(moments.variance - variance)).toBeLessThan(4 * variance * Math.sqrt(2 / values.length))
  return moments
}

describe('golden initializers', () => {
  for (const { name, params, inputs, expected } of loadGolden('initializers.json')) {
    const id = params.initializer as InitializerIdentifier
    const shape = (params.shape ?? []) as number[]
    if (params.layer === 'LSTM') {
      test(name, async () => {
        const { units, unit_forget_bias: unitForgetBias } = params as { units: number; unit_forget_bias: boolean }
        const model = new Sequential([lstm(units, { unitForgetBias, inputShape: [2, 1] })], { seed: 1 })
        expect(Array.from((await model.getWeights())[2].data)).toEqual(expected.bias)
        model.dispose()
      })
    } else if (id === 'orthogonal') {
      test(name, async () => {
        const { rows, cols } = expected as { rows: number; cols: number }
        const gain = params.gain as number
        const scaled = (values: Float64Array): Float64Array => values.map((v) => gain * v)
        const tall = goldenTensor(inputs.gaussian_for_qr_tall).data
        expectClose('qr', scaled(orthogonalFrom(tall, rows, cols)), numbers(expected.qr_variant_with_positive_diag_R), float64)

        // Keras 2 takes the decomposition of [rows, cols]; ours is of the tall matrix.
        const given = goldenTensor(inputs.gaussian_for_svd_rows_cols).data
        const source =
          rows >= cols ? given : Float64Array.from({ length: rows * cols }, (_, i) => given[(i % rows) * cols + Math.floor(i / rows)])
        expectClose(
          '|svd|',
          scaled(orthogonalFrom(source, rows, cols, 'svd')).map(Math.abs),
          numbers(expected.svd_variant_abs).map((v) => v),
          float64,
        )

        for (const method of ['qr', 'svd'] as const) {
          const q = await orthogonal({ gain, method }).build(key(8), shape, place).data()
          expectOrthonormal(q, rows, cols, gain, 1e-12)
        }
      })
    } else if ('distribution' in expected) {
      test(name, async () => {
        const { fanIn, fanOut } = fansOf(shape)
        expectClose('fans', [fanIn, fanOut], [expected.fan_in as number, expected.fan_out as number], float64)
        const values = await sampleOf(id, shape)
        if (expected.distribution === 'uniform') {
          const { maxAbs } = expectMoments(values, expected.variance as number)
          expect(maxAbs).toBeLessThanOrEqual((expected.limit as number) * (1 + 1e-6))
          expect(maxAbs).toBeGreaterThan((expected.limit as number) * 0.999)
          return
        }
        const { maxAbs } = expectMoments(values, expected.variance_keras_ge_2_2 as number)
        expect(maxAbs / (2 * (expected.stddev_before_truncation_keras_ge_2_2 as number))).toBeCloseTo(1, 2)
        // Before Keras 2.2 the truncation was not made up for.
        const old = varianceScaling({ ...getInitializer(id).getConfig(), correctTruncation: false })
        const { maxAbs: oldMax } = momentsOf(await sampleOf(old, shape))
        expect(oldMax / (2 * (expected.stddev_before_truncation_keras_lt_2_2 as number))).toBeCloseTo(1, 2)
      })
    } else {
      test(name, async () => {
        for (const spelling of [id, ...((expected.alias ?? []) as InitializerIdentifier[])]) {
          const initializer = getInitializer(spelling)
          if ('value' in expected || 'value_default' in expected) {
            const values = await initializer.build(key(1), shape).data()
            expect([...values]).toEqual([...values].map(() => expected.value ?? expected.value_default))
            continue
          }
          const values = await sampleOf(initializer, shape)
          const stddev = (expected.stddev ?? expected.actual_stddev) as number
          const { maxAbs } = expectMoments(values, stddev ** 2)
          const limit = (expected.max_abs ?? expected.maxval) as number | undefined
          if (limit !== undefined) expect(maxAbs).toBeLessThanOrEqual(limit * (1 + 1e-6))
        }
      })
    }
  }
})

/** The columns of q / gain (or its rows, if it is wide) are orthonormal. */
function expectOrthonormal(q: ArrayLike<number>, rows: number, cols: number, gain: number, tolerance: number): void {
  const [count, length] = [Math.min(rows, cols), Math.max(rows, cols)]
  const at = (vector: number, i: number): number => (rows >= cols ? q[i * cols + vector] : q[vector * cols + i]) / gain
  for (let a = 0; a < count; a++) {
    for (let b = 0; b <= a; b++) {
      let product = 0
      for (let i = 0; i < length; i++) product += at(a, i) * at(b, i)
      expect(Math.abs(product - (a === b ? 1 : 0))).toBeLessThan(tolerance)
    }
  }
}

describe('initializers', () => {
  property.prop({
    seed: fc.nat(1e6),
    rows: fc.integer({ min: 1, max: 12 }),
    cols: fc.integer({ min: 1, max: 12 }),
    method: fc.constantFrom('qr', 'svd'),
  })('orthogonal is orthogonal', async ({ seed, rows, cols, method }) => {
    const q = await orthogonal({ method: method as 'qr' })
      .build(key(seed), [rows, cols], place)
      .data()
    expectOrthonormal(q, rows, cols, 1, 1e-10)
  })

  test('orthogonal survives columns that nearly depend on each other', () => {
    const q = orthogonalFrom([1, 1, 1, 1e-7, 0, 0, 0, 1e-7, 0, 0, 0, 1e-7], 4, 3)
    expectOrthonormal(q, 4, 3, 1, 1e-12)
  })

  test('the same key and shape give the same values; a seed takes the place of the key', async () => {
    for (const id of ['glorotUniform', 'heNormal', 'orthogonal', 'normal', 'uniform', 'truncatedNormal'] as const) {
      expect(await draw(id, [4, 3])).toEqual(await draw(id, [4, 3]))
      expect(await draw(id, [4, 3], 2)).not.toEqual(await draw(id, [4, 3]))
    }
    const seeded = randomNormal({ seed: 9 })
    expect(await draw(seeded, [5], 1)).toEqual(await draw(seeded, [5], 2))
    expect(await draw(seeded, [5])).toEqual(await draw('normal', [5], 9))
  })

  test('a description makes an equal initializer', async () => {
    for (const id of [
      'zeros',
      'ones',
      'constant',
      'random_normal',
      'random_uniform',
      'truncated_normal',
      'variance_scaling',
      'glorot_uniform',
      'orthogonal',
      'identity',
    ] as const) {
      const original = getInitializer(id)
      const copy = getInitializer(JSON.parse(JSON.stringify(savedForm(original))))
      expect(copy.className).toBe(original.className)
      expect(copy.getConfig()).toEqual(original.getConfig())
      expect(await draw(copy, [3, 3])).toEqual(await draw(original, [3, 3]))
    }
    const keras = { class_name: 'VarianceScaling', config: { scale: 1, mode: 'fan_avg', distribution: 'uniform', seed: null } }
    expect(await draw(keras, [6, 4])).toEqual(await draw('glorot_uniform', [6, 4]))
    expect(await draw({ className: 'GlorotUniform', config: { seed: null } }, [6, 4])).toEqual(await draw('glorotUniform', [6, 4]))
  })

  test('identity, constant, and a function', async () => {
    expect([...(await draw('identity', [2, 3]))]).toEqual([1, 0, 0, 0, 1, 0])
    expect([...(await draw(constant(2.5), [2]))]).toEqual([2.5, 2.5])
    expect([...(await draw((_, shape) => tensor([7, 8], { shape }), [2]))]).toEqual([7, 8])
    expect(() => getInitializer('identity').build(key(1), [2, 2, 2])).toThrow(/only a matrix/)
    expect(() => getInitializer('orthogonal').build(key(1), [4])).toThrow(/at least 2 axes/)
  })

  test('values are made on the backend and in the dtype asked for', () => {
    const backend = createReferenceBackend()
    for (const id of [
      'zeros',
      'constant',
      'normal',
      'uniform',
      'truncatedNormal',
      'glorotUniform',
      'glorotNormal',
      'orthogonal',
      'identity',
    ] as const) {
      const made = getInitializer(id).build(key(1), [2, 2], { backend, dtype: 'float64' })
      expect([made.backend, made.dtype]).toEqual([backend, 'float64'])
    }
  })

  test('mistakes are named', () => {
    expect(() => getInitializer('glorot_unifrom' as 'glorot_uniform')).toThrow(/Did you mean "glorotUniform"\? There are: zeros, ones/)
    expect(() => randomNormal({ sttdev: 1 } as object)).toThrow(/randomNormal: there is no option "sttdev"\. Did you mean "stddev"\?/)
    expect(() => varianceScaling({ scale: -1 })).toThrow(/scale must be a number above 0/)
    expect(() => varianceScaling({ mode: 'fanin_' as 'fanIn' }).build(key(1), [2])).not.toThrow()
    expect(() => varianceScaling({ mode: 'average' as 'fanIn' })).toThrow(/no mode of varianceScaling "average"/)
  })
})

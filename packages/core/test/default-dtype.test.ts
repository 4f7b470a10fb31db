/** A backend whose new floats are float64: everything follows it, nothing that has a dtype changes, and no other backend does so. */
import { afterEach, describe, expect, test } from 'vitest'
import * as c from '../src/index.js'
import { setDefaultBackend } from '../src/runtime.js'
import { isFloat } from '../src/tensor/dtype.js'
import { drawInputs, firstDerivatives, hasGradient, place } from './sweep.js'

const { key, tensor } = c
type Tensor = c.Tensor

const exact = c.createReferenceBackend({ dtype: 'float64' })
const usual = c.currentBackend()
const on = <R>(f: () => R, backend = exact): R => c.withBackend(backend, f)
const random = key(7)
const whole = (): Tensor => tensor([1, 2, 3], { dtype: 'int32' })

/** New floats for which no dtype is asked. */
const floats: Record<string, () => Tensor> = {
  'a number': () => tensor(0.1),
  numbers: () => tensor([0.1, 0.2]),
  'a Float64Array': () => tensor(Float64Array.of(0.1)),
  'a Float32Array': () => tensor(Float32Array.of(0.1)),
  scalar: () => c.scalar(0.1),
  full: () => c.full([2], 0.1),
  zeros: () => c.zeros([2]),
  ones: () => c.ones([2]),
  arange: () => c.arange(3),
  linspace: () => c.linspace(0, 1, 4),
  eye: () => c.eye(2),
  uniform: () => c.uniform(random, [3]),
  normal: () => c.normal(random, [3]),
  truncatedNormal: () => c.truncatedNormal(random, [3]),
  bernoulli: () => c.bernoulli(random, [3], 0.5),
  gamma: () => c.gamma(random, [3], 2),
  beta: () => c.beta(random, [3], 2, 3),
  oneHot: () => c.oneHot([0, 1], 3),
  'whole numbers and a fraction': () => whole().mul(0.5),
  'a quotient of whole numbers': () => whole().div(whole()),
  'where of numbers': () => c.where(tensor([true, false]), 1, 0),
  'a mean of whole numbers': () => whole().mean(),
  'a product of whole matrices': () => c.matMul(tensor([[1]], { dtype: 'int32' }), tensor([[2]], { dtype: 'int32' })),
  einsum: () => c.einsum('i,i->', whole(), whole()),
  norm: () => c.norm(whole()),
  inverse: () => c.inverse(tensor([[2]], { dtype: 'int32' })),
  rfft: () => c.rfft(whole()).real,
  stft: () => c.stft(tensor(Int32Array.from({ length: 8 }, (_, i) => i)), { sequenceLength: 4, sequenceStride: 2 }).real,
  hypot: () => c.hypot(whole(), whole()),
}

describe('with float64 as the default of the backend', () => {
  test.each(Object.entries(floats))('%s', (_, make) => {
    expect(on(make).dtype).toBe('float64')
    expect(on(make, c.createReferenceBackend()).dtype).toBe('float32')
    expect(on(make, usual).dtype).toBe('float32')
  })

  test('values have the digits of float64', async () => {
    expect(await on(() => tensor([0.1]).add(0.2)).array()).toEqual([0.1 + 0.2])
    expect(await on(() => c.linspace(0, 1, 4)).array()).toEqual([0, 1 / 3, 2 / 3, 1])
    const drawn = Array.from(await on(() => c.normal(random, [4])).data())
    expect(drawn.map(Math.fround)).toEqual(Array.from(await on(() => c.normal(random, [4]), usual).data()))
    expect(drawn.map(Math.fround)).not.toEqual(drawn)
  })

  test('what has a dtype keeps it', () => {
    const dtypes = on(() => [
      tensor([0.1], { dtype: 'float32' }).add(1).exp(),
      tensor([0.1], { dtype: 'float32' }).mean(),
      whole().add(1),
      tensor([true]),
      tensor(Uint8Array.of(3)),
      c.randomInteger(random, [2], 0, 5),
      c.poisson(random, [2], 3),
      c.ones([2], { dtype: 'float32' }),
      c.zerosLike(whole()),
    ]).map(({ dtype }) => dtype)
    expect(dtypes).toEqual(['float32', 'float32', 'int32', 'bool', 'uint8', 'int32', 'int32', 'float32', 'int32'])
  })

  test('no op of the registry mixes the float types, nor does its derivative', () => {
    const wrong: string[] = []
    for (const op of c.registry.values()) {
      for (const [i, sample] of op.samples.slice(0, 3).entries()) {
        for (const dtype of ['float32', 'float64'] as const) {
          on(() =>
            c.scope(() => {
              const xs = place(exact, drawInputs(op, sample, i), dtype)
              if (!xs.some((x) => isFloat(x.dtype))) return
              const y = op.call(xs, sample.options ?? {})
              // An op whose option is a dtype gives that one.
              const grads = hasGradient(op, sample, xs, y) ? firstDerivatives(op, xs, sample.options ?? {}) : []
              const found = [...(op.name === 'cast' ? [] : [y]), ...grads].filter((t) => t && isFloat(t.dtype) && t.dtype !== dtype)
              if (found.length > 0) wrong.push(`${op.name}, sample ${i}, ${dtype}`)
            }),
          )
        }
      }
    }
    expect(wrong).toEqual([])
  })

  test('derivatives are float64, and gradCheck takes such tensors from outside', async () => {
    const weight = on(() => tensor([0.3, 0.7]))
    const x = on(() => tensor([0.1, 0.2]))
    expect(c.grad((t) => t.mul(weight).sin().sum())(x).dtype).toBe('float64')
    expect((await c.gradCheck((t) => t.mul(weight).sin(), [x])).checked).toBe(2)
  })
})

describe('choosing it', () => {
  afterEach(() => setDefaultBackend(usual))

  test('useBackend and getBackend', async () => {
    const backend = await c.useBackend('reference', { dtype: 'float64' })
    expect(tensor([1]).dtype).toBe('float64')
    expect(await c.getBackend('reference', { dtype: 'float64' })).toBe(backend)
    const plain = await c.useBackend('reference')
    expect(plain).not.toBe(backend)
    expect(await c.getBackend('reference', { dtype: 'float32' })).toBe(plain)
    expect(tensor([1]).dtype).toBe('float32')
    expect([plain.name, backend.name]).toEqual(['reference', 'reference:float64'])
    expect(() => c.add(tensor([1]), c.ones([1], { backend }))).toThrow('two backends, "reference" and "reference:float64"')
  })

  test('only reference has it', async () => {
    await expect(c.useBackend('wasm', { dtype: 'float64' })).rejects.toThrow(
      "useBackend: wasm has no float64. Write await useBackend('reference', { dtype: 'float64' }).",
    )
    await expect(c.getBackend('gpu:webgl2', { dtype: 'float64' })).rejects.toThrow('getBackend: gpu:webgl2 has no float64.')
    expect(await c.useBackend('wasm', { dtype: 'float32' })).toBe(usual)
    await expect(c.useBackend('reference', { dtype: 'int32' as never })).rejects.toThrow(
      "useBackend: dtype must be 'float32' or 'float64', got text \"int32\".",
    )
    expect(() => c.createReferenceBackend('float64' as never)).toThrow("Write createReferenceBackend({ dtype: 'float64' }).")
  })
})

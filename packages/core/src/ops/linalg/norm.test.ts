/** Norms: NumPy's values, derivatives where a norm has a corner, and numbers whose squares are out of range. */
import { describe, expect, test } from 'vitest'
import * as c from '../../index.js'

const { grad, norm, tensor } = c
type Tensor = c.Tensor

const reference = c.createReferenceBackend()
const backends = [reference, c.createWasmBackend()]

const x = [1, -2, 3, -4, 5, -6]
/** y[i, j, k] = 12i + 4j + k − 7. */
const y = Array.from({ length: 24 }, (_, i) => i - 7)
const matrix = (): Tensor => tensor(Float64Array.from(x), { shape: [2, 3], dtype: 'float32' })
const volume = (): Tensor => tensor(Float64Array.from(y), { shape: [2, 3, 4], dtype: 'float32' })

/** Values of numpy.linalg.norm (NumPy 2.4). */
const byNumPy: [options: c.NormOptions, make: () => Tensor, values: number[]][] = [
  [{}, matrix, [9.539392014169456]],
  [{}, volume, [40.44749683231337]],
  [{}, () => tensor(-5), [5]],
  [{}, () => c.zeros([0]), [0]],
  [{ axis: 1 }, matrix, [3.74165739, 8.77496439]],
  [{ ord: 1, axis: 0 }, matrix, [5, 7, 9]],
  [{ ord: 3, axis: 1 }, matrix, [3.30192725, 7.39863622]],
  [{ ord: -1.5, axis: 1 }, matrix, [0.74792782, 2.32275816]],
  [{ ord: 0.5, axis: 1 }, matrix, [17.19150823, 44.69668203]],
  [{ ord: 0, axis: 1 }, matrix, [3, 3]],
  [{ ord: Infinity, axis: 0 }, matrix, [4, 5, 6]],
  [{ ord: -Infinity, axis: 1 }, matrix, [1, 4]],
  [{ ord: -1 }, () => tensor([0, 3]), [0]],
  [{ ord: -1 }, () => tensor([Infinity, 3]), [3]],
  [{ ord: 'fro' }, matrix, [9.539392014169456]],
  [{ ord: 'nuc' }, matrix, [10.280901636369208]],
  [{ ord: 1 }, matrix, [9]],
  [{ ord: 1, axis: [1, 0] }, matrix, [15]],
  [{ ord: -1, axis: [-1, -2] }, matrix, [6]],
  [{ ord: 2 }, matrix, [9.508032000695724]],
  [{ ord: -2 }, matrix, [0.7728696356734843]],
  [{ ord: Infinity }, matrix, [15]],
  [{ ord: -Infinity }, matrix, [6]],
  [{ ord: 2, axis: [0, 2] }, volume, [17.03148292, 21.29909657, 29.54149449]],
  [{ ord: 1, axis: [2, 0] }, volume, [26, 42, 58]],
  [{ axis: [0, 1] }, volume, [18.27566688, 19.39071943, 20.73644135, 22.27105745]],
]

describe.each(backends.map((backend) => [backend.name, backend] as const))('norm on %s', (_, backend) => {
  /** Runs f on the backend and reads its result. */
  const on = async (f: () => Tensor): Promise<number[]> => {
    const result = c.withBackend(backend, f)
    return Array.from(await result.data())
  }

  test.each(byNumPy)('%j of %o', async (options, make, values) => {
    const got = await on(() => norm(make(), options))
    expect(got).toHaveLength(values.length)
    for (const [i, value] of got.entries()) expect(Math.abs(value - values[i])).toBeLessThanOrEqual(2e-6 * Math.abs(values[i]))
  })

  test('the axes go, or stay with size 1', () => {
    const shapes = c.withBackend(backend, () => [
      norm(volume(), { keepDims: true }).shape,
      norm(volume(), { ord: 'nuc', axis: [2, 0], keepDims: true }).shape,
      norm(volume(), { ord: 1, axis: [2, 0] }).shape,
      norm(volume(), { axis: -1 }).shape,
    ])
    expect(shapes).toEqual([[1, 1, 1], [1, 3, 1], [3], [2, 3]])
  })

  test('at 0 the derivative is 0, also the second', async () => {
    for (const ord of [2, 1, 3, 1.5, 0.5, Infinity, -1]) {
      expect(await on(() => grad((v) => norm(v, { ord }))(tensor([0, 0])))).toEqual([0, 0])
    }
    expect(
      await on(() =>
        grad((v) => norm(v, { axis: 1 }).sum())(
          tensor([
            [0, 0],
            [3, 4],
          ]),
        ),
      ),
    ).toEqual([0, 0, Math.fround(0.6), Math.fround(0.8)])
    expect(await on(() => c.hessian((v) => norm(v))(tensor([0, 0])))).toEqual([0, 0, 0, 0])
    expect(await on(() => grad((v) => norm(v, { ord: 0.5 }))(tensor([0, 4])))).toEqual([0, 1])
  })

  test('equal extremes share the derivative', async () => {
    expect(await on(() => grad((v) => norm(v, { ord: Infinity }))(tensor([-2, 2, 1])))).toEqual([-0.5, 0.5, 0])
    expect(await on(() => grad((v) => norm(v, { ord: 2 }))(c.eye(2)))).toEqual([0.5, 0, 0, 0.5])
  })

  test('squares and powers beyond the range of float32', async () => {
    const near = async (f: () => Tensor, value: number): Promise<void> => {
      const [got] = await on(f)
      expect(Math.abs(got / value - 1)).toBeLessThan(1e-6)
    }
    await near(() => norm(tensor([3e30, 4e30])), 5e30)
    await near(() => norm(tensor([3e-30, 4e-30])), 5e-30)
    await near(() => norm(tensor([2e10, 2e10]), { ord: 10 }), 2e10 * 2 ** 0.1)
    await near(() => norm(tensor([2e10, 2e10]), { ord: -10 }), 2e10 * 2 ** -0.1)
    await near(() => grad((v) => norm(v))(tensor([3e30, 4e30])).at(0), 0.6)
    expect(await on(() => norm(tensor([1, Number.NaN])))).toEqual([Number.NaN])
    expect(await on(() => norm(tensor([1, -Infinity])))).toEqual([Infinity])
  })

  test('whole numbers become float32', () => {
    expect(c.withBackend(backend, () => norm(tensor([3, 4], { dtype: 'int32' })).dtype)).toBe('float32')
  })
})

test('derivatives of every norm against central differences, in float64', async () => {
  const v = tensor(Float64Array.from([1, -2, 3, -4, 5, -6.5]), { shape: [2, 3], dtype: 'float64', backend: reference })
  for (const ord of [2, 1, 3, 0.5, -1.5, Infinity, -Infinity]) await c.gradCheck((a) => norm(a, { ord, axis: 1 }).square().sum(), [v])
  for (const ord of ['fro', 'nuc', 1, -1, 2, -2, Infinity, -Infinity] as const) await c.gradCheck((a) => norm(a, { ord }), [v])
})

test('what cannot be', () => {
  const v = c.ones([2, 3, 4])
  expect(() => norm(v, { ord: 2 })).toThrow('norm: x has 3 axes, ord is for vectors and matrices')
  expect(() => norm(v, { ord: 3, axis: [0, 1] })).toThrow(
    "norm: ord must be 'fro', 'nuc', 1, -1, 2, -2, Infinity or -Infinity for matrices, got 3.",
  )
  expect(() => norm(v, { ord: 'nuc', axis: 0 })).toThrow('norm: ord must be a number for vectors, got text "nuc".')
  expect(() => norm(v, { axis: [0, 1, 2] })).toThrow('norm: axis must be one axis or two in an array, got an array of 3.')
  expect(() => norm(v, { axis: [0, -3] })).toThrow('norm: axes [0, -3] name one axis twice.')
  expect(() => norm(v, 1 as never)).toThrow('norm: expected an object of options, got 1. Write norm(x, { ord: 1, axis: -1 }).')
})

/** Linear algebra: refusals, matrices without full rank, equal eigenvalues, and accuracy at 200 × 200. */
import { describe, expect, test } from 'vitest'
import * as c from '../../index.js'

type Tensor = c.Tensor
const { cholesky, determinant, eigh, inverse, leastSquares, logDeterminant, lu, matMul, matrixExp, matrixPower, pseudoInverse } = c
const { grad, mul, qr, solve, sub, svd, tensor, triangularSolve } = c

const reference = c.createReferenceBackend()
const wasm = c.createWasmBackend()

/** A tensor of values in the order of rows. */
const of = (shape: number[], values: number[], dtype: c.DType = 'float32'): Tensor => tensor(Float64Array.from(values), { shape, dtype })

/** Runs f on a backend and reads its results. */
const on = async (backend: c.Backend, f: () => Tensor | Tensor[]): Promise<number[][]> => {
  const results = c.withBackend(backend, () => c.scope(() => [f()].flat()))
  const values = await Promise.all(results.map(async (x) => Array.from(await x.data())))
  for (const x of results) x.dispose()
  return values
}

const singular = [1, 2, 3, 4, 5, 6, 7, 8, 9]

describe('refusals name the op, the matrix and what to do', () => {
  test('a singular matrix, of which rounding leaves a tiny pivot', () => {
    expect(() => inverse(of([3, 3], singular))).toThrow(
      'inverse: the matrix is singular: its column 2 depends on the columns before it. Use pseudoInverse, or add a small multiple of the identity.',
    )
    const batch = of([2, 2, 2], [1, 0, 0, 1, 1, 2, 2, 4])
    expect(() => solve(batch, tensor([1, 1]))).toThrow('solve: matrix 1 of the batch is singular: its column 1')
    expect(() => triangularSolve(of([2, 2], [1, 0, 3, 0]), tensor([1, 1]))).toThrow('triangularSolve: the matrix is singular: element 1')
    expect(() => matrixPower(of([3, 3], singular), -1)).toThrow('inverse: the matrix is singular')
  })
  test('small rows and columns do not make a matrix singular', async () => {
    const scaled = [1e-20, 2e-10, 3e-10, 4]
    const [product] = await on(reference, () => {
      const a = of([2, 2], scaled, 'float64')
      return matMul(a, inverse(a))
    })
    for (const [i, x] of product.entries()) expect(x).toBeCloseTo(i % 3 === 0 ? 1 : 0, 5)
  })
  test('a matrix that is not positive definite', () => {
    expect(() => cholesky(of([2, 2], [1, 2, 2, 1]))).toThrow(
      'cholesky: the matrix is not positive definite: row 1 has no positive pivot. Add a small multiple of the identity, or use eigh.',
    )
  })
  test('shapes', () => {
    expect(() => inverse(c.ones([2, 3]))).toThrow('inverse: a must be square, it has 2 rows and 3 columns')
    expect(() => svd(c.ones([3]))).toThrow('svd: a needs at least 2 axes, it has 1')
    expect(() => solve(c.ones([3, 3]), c.ones([2, 1]))).toThrow('solve: a has 3 rows, b has 2')
    expect(() => solve(c.ones([2, 3, 3]), c.ones([4, 3, 1]))).toThrow('solve: shapes do not broadcast')
  })
})

describe('matrices without full rank', () => {
  test('lu, qr, svd and eigh take them', async () => {
    await expect(
      on(reference, () => {
        const a = of([3, 3], singular, 'float64')
        const { p, l, u } = lu(a)
        const { q, r } = qr(a)
        const { u: left, s, vT } = svd(a)
        return [matMul(matMul(p, l), u), matMul(q, r), matMul(mul(left, s), vT)].map((product) => sub(product, a).abs().max().less(1e-13))
      }),
    ).resolves.toEqual([[1], [1], [1]])
  })
  test('columns of U that no singular value makes are orthonormal all the same', async () => {
    const [products] = await on(reference, () => {
      const { u } = svd(c.zeros([5, 3], { dtype: 'float64' }))
      return matMul(u, u, { transposeA: true })
    })
    expect(products).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1])
  })
  test('determinants are 0, and have a gradient', async () => {
    const [sign, log, slope] = await on(reference, () => {
      const a = of([2, 2], [1, 2, 2, 4], 'float64')
      const { sign, log } = logDeterminant(a)
      return [sign, log, grad((x: Tensor) => determinant(x))(a)]
    })
    expect([sign, log]).toEqual([[0], [-Infinity]])
    for (const [i, x] of [4, -2, -2, 1].entries()) expect(slope[i]).toBeCloseTo(x, 12)
  })
  test('least squares gives the shortest solution', async () => {
    const [x] = await on(wasm, () => leastSquares(of([2, 2], [1, 1, 1, 1]), tensor([2, 4])))
    for (const value of x) expect(value).toBeCloseTo(1.5, 6)
  })
})

test('values alone have a gradient where some are equal', async () => {
  const slopes = await on(reference, () => {
    const one = c.eye(3, 3, { dtype: 'float64' })
    return [grad((x: Tensor) => eigh(x).values.sum())(one), grad((x: Tensor) => svd(x).s.sum())(one)]
  })
  for (const slope of slopes) expect(slope).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1])
})

test('a vector is solved as a vector, also beside a batch', async () => {
  const [x] = await on(wasm, () => solve(of([2, 2, 2], [2, 0, 0, 4, 1, 0, 0, 1]), tensor([2, 4])))
  expect(x).toEqual([1, 1, 2, 4])
})

test('an infinity or NaN gives NaN for its matrix alone', async () => {
  const results = await on(wasm, () => {
    const a = of([2, 2, 2], [2, 0, 0, Number.NaN, 2, 0, 0, 3])
    return [eigh(a).values, svd(a).s, qr(a).r, matrixExp(a), pseudoInverse(a)]
  })
  for (const values of results) {
    const half = values.length / 2
    expect(values.slice(0, half).every(Number.isNaN)).toBe(true)
    expect(values.slice(half).every(Number.isFinite)).toBe(true)
  }
})

test('exponentials of large matrices are squared up: a turn by 1000 radians', async () => {
  const [turn] = await on(reference, () => matrixExp(of([2, 2], [0, -1000, 1000, 0], 'float64')))
  expect(turn[0]).toBeCloseTo(Math.cos(1000), 10)
  expect(turn[2]).toBeCloseTo(Math.sin(1000), 10)
})

describe.each([
  { name: 'reference', backend: reference, dtype: 'float64', limit: 1e-10 },
  { name: 'wasm', backend: wasm, dtype: 'float32', limit: 1e-4 },
] as const)('200 × 200 on $name', ({ backend, dtype, limit }) => {
  const n = 200
  /** The largest |x − y|, relative to the largest |y|. */
  const error = (x: Tensor, y: Tensor): Tensor => sub(x, y).abs().max().div(y.abs().max())
  test('solve, eigh and svd give their matrix back', async () => {
    const errors = await on(backend, () => {
      const a = c.normal(c.key(1), [n, n], { dtype })
      const x = c.normal(c.key(2), [n, 3], { dtype })
      const one = c.eye(n, n, { dtype })
      const s = a.add(a.transpose())
      const { values, vectors } = eigh(s)
      const { u, s: singular, vT } = svd(a)
      return [
        error(solve(a, matMul(a, x)), x),
        error(matMul(mul(vectors, values), vectors, { transposeB: true }), s),
        error(matMul(vectors, vectors, { transposeA: true }), one),
        error(matMul(mul(u, singular), vT), a),
        error(matMul(u, u, { transposeA: true }), one),
        error(matMul(vT, vT, { transposeB: true }), one),
      ]
    })
    for (const [e] of errors) expect(e).toBeLessThan(limit)
  })
})

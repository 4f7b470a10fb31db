/** The Cholesky factor, and systems of equations with a triangular matrix. */
import { requireBoolean, requireOptions } from '../../arguments.js'
import { defineOp } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { ops } from '../../autodiff/op.js'
import { sample, sampleWith } from '../../autodiff/samples.js'
import { scope } from '../../tensor/scope.js'
import type { Tensor } from '../../tensor/tensor.js'
import { choleskyInPlace, substitute, type Triangle } from './algorithms/triangular.js'
import { matrices, matrixByMatrix, products, symmetric, systems, transposed, triangle } from './matrices.js'

const callCholesky = defineOp({
  name: 'cholesky',
  rule: 'dA = sym(L⁻ᵀ·Φ(Lᵀ·dL)·L⁻¹), where Φ takes the lower triangle and half the diagonal',
  shape: ([a]) => a,
  forward: matrixByMatrix('cholesky', ([a], { rows, refuse }) => {
    const row = choleskyInPlace(a, rows)
    if (row < 0) return a
    throw refuse(`is not positive definite: row ${row} has no positive pivot. Add a small multiple of the identity, or use eigh.`)
  }),
  // Murray 2016, "Differentiation of the Cholesky decomposition", eq. 10.
  vjp: ({ dY, y }, _, ops) => [
    () => {
      const inner = triangle(products(ops).aTb(y, dY), 'lower', 0.5, ops)
      const left = triangularSolve(y, inner, { transpose: true }) // L⁻ᵀ·Φ
      const whole = triangularSolve(y, transposed(left, ops), { transpose: true }) // (L⁻ᵀ·Φ·L⁻¹)ᵀ
      return symmetric(whole, ops)
    },
  ],
  samples: choleskySamples(),
})
/**
 * The lower triangle L with A = L·Lᵀ, for positive definite A. A is taken as (A + Aᵀ)/2.
 *
 * Shape:    [..b, n, n] → [..b, n, n]
 * Gradient: dA = sym(L⁻ᵀ·Φ(Lᵀ·dL)·L⁻¹), where Φ takes the lower triangle and half the diagonal (Murray 2016)
 * Cost:     n³/3 flops a matrix, on the host
 *
 * @throws ValueError if a matrix is not positive definite, ShapeError if it is not square.
 * @example
 * ```ts
 * const factor = cholesky(tensor([[4, 2], [2, 5]]))   // [[2, 0], [1, 2]]
 * ```
 */
export function cholesky(a: Tensor): Tensor {
  return scope(() => callCholesky([matrices('cholesky', 'a', a, true)], {}))
}

/** How `triangularSolve` reads its matrix. */
export interface TriangularSolveOptions {
  /** Reads the part on and below the diagonal, else that on and above it. True if left out. */
  lower?: boolean
  /** Solves Aᵀ·X = B. */
  transpose?: boolean
  /** Takes the diagonal as ones, without reading it. */
  unitDiagonal?: boolean
}

const callTriangularSolve = defineOp<Triangle>({
  name: 'triangularSolve',
  rule: 'dB = A⁻ᵀ·dY, dA = −triangle(dB·Yᵀ)',
  shape: ([, b]) => b,
  forward: matrixByMatrix<Triangle>('triangularSolve', ([a, b], { rows, columns, options, refuse }) => {
    const row = substitute(a, b, rows, columns, options)
    if (row < 0) return b
    throw refuse(`is singular: element ${row} of its diagonal is 0. Add a small multiple of the identity, or use leastSquares.`)
  }),
  vjp: ({ dY, y, options }, [a], ops) => {
    const { lower, transpose, unitDiagonal } = options
    let solution: Tensor | undefined
    const dB = (): Tensor => {
      solution ??= callTriangularSolve([a, dY], { ...options, transpose: !transpose })
      return solution
    }
    return [
      () => {
        const { abT } = products(ops)
        const whole = transpose ? abT(y, dB()) : abT(dB(), y)
        return ops.neg(triangle(whole, lower ? 'lower' : 'upper', unitDiagonal ? 0 : 1, ops))
      },
      dB,
    ]
  },
  samples: triangularSolveSamples(),
})
/**
 * X with A·X = B for a triangular A. Only that triangle of A is read. Leading axes are a batch and broadcast.
 *
 * Shape:    a [..b, n, n], b [..b, n, k] → [..b, n, k]; or a [..b, n, n], b [n] → [..b, n]
 * Gradient: dB = A⁻ᵀ·dX, dA = the triangle of −dB·Xᵀ (Giles 2008)
 * Cost:     n²·k flops a matrix, on the host
 *
 * @throws ValueError if a diagonal element is 0, ShapeError if shapes do not fit.
 * @example
 * ```ts
 * const x = triangularSolve(tensor([[2, 0], [1, 4]]), tensor([2, 9]))   // 1 and 2
 * ```
 */
export function triangularSolve(a: Tensor, b: Tensor, options: TriangularSolveOptions = {}): Tensor {
  requireOptions('triangularSolve', options, ['lower', 'transpose', 'unitDiagonal'], 'triangularSolve(a, b, { lower: false })')
  const { lower = true, transpose = false, unitDiagonal = false } = options
  for (const [name, value] of Object.entries({ lower, transpose, unitDiagonal })) requireBoolean('triangularSolve', name, value)
  return solveWith('triangularSolve', a, b, (x, y) => callTriangularSolve([x, y], { lower, transpose, unitDiagonal }))
}

/** Runs a solver of matrices on b, which may also be a vector. */
export function solveWith(op: string, a: Tensor, b: Tensor, solver: (a: Tensor, b: Tensor) => Tensor, square = true): Tensor {
  return scope(() => {
    const left = matrices(op, 'a', a, square)
    const vector = (b as Partial<Tensor> | null)?.rank === 1
    const right = matrices(op, 'b', vector ? ops.expandDims(b, 1) : b)
    const x = solver(...systems(op, left, right))
    return vector ? ops.squeeze(x, -1) : x
  })
}

function choleskySamples(): Sample<object>[] {
  return [
    sample({ shape: [3, 3], diagonal: 6 }),
    sample({ shape: [2, 5, 5], diagonal: 9 }),
    sample({ shape: [1, 1], diagonal: 3 }),
    sample([0, 0]),
    sample([0, 2, 2]),
    sample({ shape: [37, 37], diagonal: 70 }),
  ]
}

function triangularSolveSamples(): Sample<Triangle>[] {
  const [lower, transpose, unitDiagonal] = [true, true, true]
  const upper = { lower: false, transpose: false, unitDiagonal: false }
  const matrix = { shape: [3, 3], diagonal: 4 }
  return [
    sampleWith({ ...upper, lower }, matrix, [3, 2]),
    sampleWith(upper, matrix, [3, 1]),
    sampleWith({ ...upper, transpose }, { shape: [2, 5, 5], diagonal: 6 }, [2, 5, 3]),
    sampleWith({ lower, transpose, unitDiagonal }, matrix, [3, 2]),
    sampleWith(upper, { shape: [1, 1], diagonal: 3 }, [1, 1]),
    sampleWith(upper, [0, 0], [0, 3]),
    sampleWith({ ...upper, lower }, { shape: [37, 37], diagonal: 50 }, [37, 41]),
  ]
}

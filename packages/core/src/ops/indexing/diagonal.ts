/** Diagonals of matrices, and matrices of diagonals. `k` counts from the main diagonal: above it is 1, below it −1. */
import { requireWhole } from '../../arguments.js'
import { shapeError } from '../../errors.js'
import { scope } from '../../tensor/scope.js'
import type { Shape } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { arange } from '../create.js'
import { greaterEqual, lessEqual } from '../elementwise/binary.js'
import { where } from '../elementwise/select.js'
import { sum } from '../reduce/reduce.js'
import { expandDims, reshape } from '../shape/move.js'
import { type Strides, spread, stridedSlice } from './strided-slice.js'

function requireMatrix(op: string, x: unknown, k: unknown): asserts x is Tensor {
  requireTensor(op, 'x', x)
  requireWhole(op, 'k', k)
  if (x.rank < 2) throw shapeError(op, `x needs at least 2 axes [.., m, n], it has ${x.rank}`, [{ name: 'x', shape: x.shape }])
}

/** Where diagonal k of m×n matrices stands in their rows written one after another: every (n + 1)-th element. */
function diagonalStrides(lead: Shape, m: number, n: number, k: number): Strides {
  const count = Math.max(0, Math.min(m + Math.min(k, 0), n - Math.max(k, 0)))
  const start = count === 0 ? 0 : k < 0 ? -k * n : k
  return { start: [...lead.map(() => 0), start], step: [...lead.map(() => 1), n + 1], count: [...lead, count] }
}

/**
 * Diagonal k of each matrix: x[i, i + k].
 *
 * Shape:    [..b, m, n] → [..b, length of the diagonal]
 * Gradient: dY on the diagonal, zeros elsewhere
 *
 * @example
 * ```ts
 * diagonal(tensor([[1, 2], [3, 4]]))   // [1, 4]
 * ```
 */
export function diagonal(x: Tensor, k = 0): Tensor {
  requireMatrix('diagonal', x, k)
  const lead = x.shape.slice(0, -2)
  const [m, n] = x.shape.slice(-2)
  return scope(() => stridedSlice(reshape(x, [...lead, m * n]), diagonalStrides(lead, m, n, k)))
}

/**
 * Matrices that have x on diagonal k and zeros elsewhere.
 *
 * Shape:    [..b, n] → [..b, n + |k|, n + |k|]
 * Gradient: diagonal k of dY
 *
 * @example
 * ```ts
 * diagEmbed(tensor([1, 2]))   // [[1, 0], [0, 2]]
 * ```
 */
export function diagEmbed(x: Tensor, k = 0): Tensor {
  requireTensor('diagEmbed', 'x', x)
  requireWhole('diagEmbed', 'k', k)
  if (x.rank === 0) throw shapeError('diagEmbed', 'a scalar has no axis to put on a diagonal', [{ name: 'x', shape: x.shape }])
  const lead = x.shape.slice(0, -1)
  const n = x.shape[x.rank - 1] + Math.abs(k)
  return scope(() => reshape(spread(x, diagonalStrides(lead, n, n, k), [...lead, n * n]), [...lead, n, n]))
}

/**
 * NumPy's `diag`: of a vector, the matrix that has it on diagonal k; of a matrix, its diagonal k.
 *
 * Shape:    [n] → [n + |k|, n + |k|], [m, n] → [length of the diagonal]
 * Gradient: diagonal k of dY, or dY on the diagonal and zeros elsewhere
 *
 * @throws ShapeError for other ranks. `diagonal` and `diagEmbed` take batches.
 * @example
 * ```ts
 * diag(tensor([1, 2]), 1)   // [[0, 1, 0], [0, 0, 2], [0, 0, 0]]
 * ```
 */
export function diag(x: Tensor, k = 0): Tensor {
  requireTensor('diag', 'x', x)
  requireWhole('diag', 'k', k)
  if (x.rank === 1) return diagEmbed(x, k)
  if (x.rank === 2) return diagonal(x, k)
  throw shapeError(
    'diag',
    `takes a vector or a matrix, x has ${x.rank} axes`,
    [{ name: 'x', shape: x.shape }],
    'For batches: diagonal(x) reads diagonals, diagEmbed(x) makes matrices of vectors.',
  )
}

/**
 * The sum of diagonal k of each matrix: Σ x[i, i + k].
 *
 * Shape:    [..b, m, n] → [..b]
 * Gradient: dY at each element of the diagonal, zeros elsewhere
 *
 * @example
 * ```ts
 * trace(tensor([[1, 2], [3, 4]]))   // 5
 * ```
 */
export function trace(x: Tensor, k = 0): Tensor {
  requireMatrix('trace', x, k)
  return scope(() => sum(diagonal(x, k), { axis: -1 }))
}

/**
 * The lower triangle of each matrix, up to diagonal k; zeros above it.
 *
 * Shape:    [..b, m, n] → [..b, m, n]
 * Gradient: the lower triangle of dY
 *
 * @example
 * ```ts
 * tril(tensor([[1, 2], [3, 4]]))   // [[1, 0], [3, 4]]
 * ```
 */
export function tril(x: Tensor, k = 0): Tensor {
  requireMatrix('tril', x, k)
  return triangle(x, k, greaterEqual)
}

/**
 * The upper triangle of each matrix, from diagonal k on; zeros below it.
 *
 * Shape:    [..b, m, n] → [..b, m, n]
 * Gradient: the upper triangle of dY
 *
 * @example
 * ```ts
 * triu(tensor([[1, 2], [3, 4]]), 1)   // [[0, 2], [0, 0]]
 * ```
 */
export function triu(x: Tensor, k = 0): Tensor {
  requireMatrix('triu', x, k)
  return triangle(x, k, lessEqual)
}

/** x where row + k compares with the column, zeros elsewhere. */
function triangle(x: Tensor, k: number, compare: typeof lessEqual): Tensor {
  const [m, n] = x.shape.slice(-2)
  // No farther than the corners, which int32 can count.
  const from = Math.max(-m, Math.min(n, k))
  return scope(() => {
    const made = { dtype: 'int32', backend: x.backend } as const
    return where(compare(expandDims(arange(from, from + m, 1, made), 1), arange(0, n, 1, made)), x, 0)
  })
}

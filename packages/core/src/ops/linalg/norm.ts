/** Norms of vectors and of matrices. */
import { describeValue, requireBoolean, requireOptions } from '../../arguments.js'
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Ops, Sample } from '../../autodiff/op.js'
import { sampleWith, withoutGradient } from '../../autodiff/samples.js'
import { shapeError, ValueError } from '../../errors.js'
import { floatOf, requireDType } from '../../tensor/dtype.js'
import { scope } from '../../tensor/scope.js'
import { normalizeAxis } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { cast } from '../elementwise/elementwise.js'
import { svd } from './spectra.js'

/** Which norm, over which axes. */
export interface NormOptions {
  /** p of a vector norm, 2 by default; 'fro' (the default), 'nuc', 1, −1, 2, −2, ∞ or −∞ for matrices. */
  ord?: number | 'fro' | 'nuc'
  /** One axis holds vectors; two hold the rows and the columns of matrices. */
  axis?: number | readonly number[]
  /** Whether these axes stay with size 1. */
  keepDims?: boolean
}

interface Settings {
  ord: number | 'nuc'
  /** All axes of a vector norm; rows and columns of a matrix norm. */
  axes: readonly number[]
  matrix: boolean
  keepDims: boolean
}

const call = defineComposed<Settings>({
  name: 'norm',
  compose: ([x], { ord, axes, matrix, keepDims }, ops) => {
    const y = matrix ? matrixNorm(x, ord, axes, ops) : vectorNorm(x, ord as number, axes, ops)
    const shape = x.shape.flatMap((n, i) => (!axes.includes(i) ? [n] : keepDims ? [1] : []))
    return ops.reshape(y, shape)
  },
  samples: samples(),
})

/** (Σ |x|ᵖ)^(1/p) and its limits, the axes at size 1. */
function vectorNorm(x: Tensor, p: number, axes: readonly number[], ops: Ops): Tensor {
  const over = { axis: axes, keepDims: true }
  if (p === 0) return ops.sum(ops.cast(ops.notEqual(x, 0), x.dtype), over)
  if (p === 2) return scaled(x, p, axes, ops, (z) => rootOf(ops.sum(ops.square(z), over), ops.sqrt, 0, ops))
  const size = ops.abs(x)
  if (p === 1) return ops.sum(size, over)
  if (p === Infinity) return ops.max(size, over)
  if (p === -Infinity) return ops.min(size, over)
  const [ofZero, rootOfZero] = p > 0 ? [0, 0] : [Infinity, Infinity]
  return scaled(size, p, axes, ops, (z) => {
    const powers = rootOf(z, (each) => ops.pow(each, p), ofZero, ops)
    return rootOf(ops.sum(powers, over), (each) => ops.pow(each, 1 / p), rootOfZero, ops)
  })
}

/** f(x), and `atZero` with the derivative 0 where x is 0: f has no finite derivative there. */
function rootOf(x: Tensor, f: (x: Tensor) => Tensor, atZero: number, ops: Ops): Tensor {
  const zero = ops.equal(x, 0)
  return ops.where(zero, atZero, f(ops.where(zero, 1, x)))
}

/**
 * s·f(x/s), which is f(x) for every s > 0. With the element of largest magnitude as s (of least for p < 0) no power leaves the range. The result does not
 * depend on s, so s needs no derivative.
 */
function scaled(x: Tensor, p: number, axes: readonly number[], ops: Ops, f: (x: Tensor) => Tensor): Tensor {
  if (axes.some((axis) => x.shape[axis] === 0)) return f(x)
  const extreme = p > 0 ? ops.max : ops.min
  const s = ops.stopGradient(extreme(ops.abs(x), { axis: axes, keepDims: true }))
  const usable = ops.logicalAnd(ops.isFinite(s), ops.greater(s, 0))
  const scale = ops.where(usable, s, 1)
  return ops.mul(f(ops.div(x, scale)), scale)
}

/** Norms of matrices but for 'fro', which is the vector norm of all elements. */
function matrixNorm(x: Tensor, ord: number | 'nuc', [rows, columns]: readonly number[], ops: Ops): Tensor {
  if (ord === 'nuc' || Math.abs(ord) === 2) {
    const others = x.shape.flatMap((_, i) => (i === rows || i === columns ? [] : [i]))
    const { s } = svd(ops.transpose(x, [...others, rows, columns]))
    return (ord === 'nuc' ? ops.sum : ord > 0 ? ops.max : ops.min)(s, { axis: -1 })
  }
  const [first, second] = Math.abs(ord) === 1 ? [rows, columns] : [columns, rows]
  const sums = ops.sum(ops.abs(x), { axis: first, keepDims: true })
  return (ord > 0 ? ops.max : ops.min)(sums, { axis: second })
}

/**
 * A norm, as NumPy's `linalg.norm`. Without options it is √Σx² over all elements.
 *
 * - One axis (or a vector): the vector norm (Σ|x|ᵖ)^(1/p), with p = `ord`, 2 by default. ∞ is the largest magnitude, −∞ the least; 0 counts what is not 0.
 * - Two axes (or a matrix and `ord`): 'fro' √Σx², 'nuc' the sum of the singular values, 2 the largest of them, −2 the least, 1 the largest sum of magnitudes
 *   of a column, −1 the least, ∞ and −∞ the same of rows.
 *
 * No square or power overflows on the way. Whole numbers become float32.
 *
 * Shape:    without the axes; they stay with size 1 under `keepDims`
 * Gradient: of the 2-norm dX = dY·x/y, and 0 at x = 0. Where a vector norm has no derivative: 0 for elements that are 0; equal extremes share it equally.
 *           None for ord 0.
 * Cost:     that of `svd` for 'nuc', 2 and −2 of matrices
 *
 * @throws ValueError for an `ord` that does not exist, ShapeError for `ord` without `axis` if x is neither a vector nor a matrix.
 * @example
 * ```ts
 * norm(tensor([3, 4])) // 5
 * norm(tensor([[3, 4], [5, 12]]), { axis: 1 }) // [5, 13]
 * norm(tensor([[1, 2], [3, 4]]), { ord: 1 }) // 6
 * ```
 */
export function norm(x: Tensor, options: NormOptions = {}): Tensor {
  requireTensor('norm', 'x', x)
  requireDType('norm', 'x', x.dtype, ['float32', 'float64', 'int32', 'uint8'])
  requireOptions('norm', options, ['ord', 'axis', 'keepDims'], 'norm(x, { ord: 1, axis: -1 })')
  const { ord, axis, keepDims = false } = options
  requireBoolean('norm', 'keepDims', keepDims)
  const axes = axesOf(x, ord, axis)
  // A Frobenius norm is a 2-norm. So is that of all axes, which may be any number of them.
  const matrix = axes.length === 2 && ord !== undefined && ord !== 'fro'
  if (ord !== undefined) requireOrder(ord, axes.length === 2)
  const settings: Settings = { ord: ord === undefined || ord === 'fro' ? 2 : ord, axes, matrix, keepDims }
  return scope(() => call([cast(x, floatOf(x.dtype, x.backend))], settings))
}

/** The axes of the norm, without sorting: the first of two counts rows. */
function axesOf(x: Tensor, ord: NormOptions['ord'], axis: NormOptions['axis']): number[] {
  if (axis === undefined) {
    if (ord !== undefined && x.rank !== 1 && x.rank !== 2) {
      throw shapeError(
        'norm',
        `x has ${x.rank} axes, ord is for vectors and matrices`,
        [{ name: 'x', shape: x.shape }],
        'Say which: norm(x, { ord, axis: -1 }).',
      )
    }
    return x.shape.map((_, i) => i)
  }
  const list = typeof axis === 'number' ? [axis] : axis
  if (!Array.isArray(list) || list.length < 1 || list.length > 2) {
    throw new ValueError(`norm: axis must be one axis or two in an array, got ${describeValue(axis)}.`)
  }
  const axes = list.map((each) => normalizeAxis('norm', each, x.rank))
  if (axes[0] === axes[1]) throw new ValueError(`norm: axes [${list.join(', ')}] name one axis twice.`)
  return axes
}

const MATRIX_ORDERS: readonly unknown[] = ['fro', 'nuc', 1, -1, 2, -2, Infinity, -Infinity]

function requireOrder(ord: unknown, matrix: boolean): void {
  if (matrix ? MATRIX_ORDERS.includes(ord) : typeof ord === 'number' && !Number.isNaN(ord)) return
  const choices = matrix ? "'fro', 'nuc', 1, -1, 2, -2, Infinity or -Infinity for matrices" : 'a number for vectors'
  throw new ValueError(`norm: ord must be ${choices}, got ${describeValue(ord)}.`)
}

function samples(): Sample<Settings>[] {
  const vector = (ord: number, axes: number[], keepDims = false): Settings => ({ ord, axes, matrix: false, keepDims })
  const matrix = (ord: number | 'nuc', axes: number[], keepDims = false): Settings => ({ ord, axes, matrix: true, keepDims })
  return [
    sampleWith(vector(2, [0]), [7]),
    sampleWith(vector(2, [0, 1, 2], true), [2, 3, 1]),
    sampleWith(vector(2, []), []),
    sampleWith(vector(1, [0]), [3, 5]),
    sampleWith(vector(3, [1], true), [3, 5]),
    sampleWith(vector(0.5, [0]), { shape: [5], low: 0.5, high: 2 }),
    sampleWith(vector(-1.5, [1]), { shape: [2, 3], low: 0.5, high: 2 }),
    sampleWith(vector(Infinity, [1]), [3, 5]),
    sampleWith(vector(-Infinity, [0], true), [3, 5]),
    withoutGradient('a count is constant', sampleWith(vector(0, [0]), [4])),
    sampleWith(vector(2, [1]), [3, 0]),
    sampleWith(vector(2, [1]), [67, 130]),
    sampleWith(matrix('nuc', [0, 1]), { shape: [3, 3], diagonal: 4 }),
    sampleWith(matrix('nuc', [2, 0], true), [3, 2, 5]),
    sampleWith(matrix(2, [0, 1]), [3, 4]),
    sampleWith(matrix(-2, [1, 2]), { shape: [2, 3, 3], diagonal: 4 }),
    sampleWith(matrix(1, [0, 1]), [3, 4]),
    sampleWith(matrix(-1, [1, 0]), [3, 4]),
    sampleWith(matrix(Infinity, [1, 2], true), [2, 3, 4]),
    sampleWith(matrix(-Infinity, [0, 1]), [1, 4]),
  ]
}

/** Shared by the ops on matrices: checks of arguments, the loop over a batch, and triangles. The last two axes are a matrix; the axes before them are a batch. */

import type { Ops } from '../../autodiff/op.js'
import type { Kernels } from '../../backends/backend.js'
import { shapeError, ValueError } from '../../errors.js'
import { convert, type DType, floatOf, promote, requireDType } from '../../tensor/dtype.js'
import { broadcastShapes, type Shape, sameShape, sizeOf } from '../../tensor/shape.js'
import { fromHost, requireTensor, type Tensor } from '../../tensor/tensor.js'
import { cast } from '../elementwise/elementwise.js'
import { broadcastTo } from '../reduce/broadcast.js'

/** Rows and columns. */
export const sizesOf = (shape: Shape): readonly [rows: number, columns: number] => [shape[shape.length - 2], shape[shape.length - 1]]

/** The axes before the last two. */
export const batchOf = (shape: Shape): Shape => shape.slice(0, -2)

/** x as a batch of matrices of floats; whole numbers become float32. Throws for fewer than two axes, and for rows ≠ columns if `square`. */
export function matrices(op: string, name: string, x: unknown, square = false): Tensor {
  requireTensor(op, name, x)
  requireDType(op, name, x.dtype, ['float32', 'float64', 'int32', 'uint8'])
  if (x.rank < 2) {
    throw shapeError(
      op,
      `${name} needs at least 2 axes, it has ${x.rank}`,
      [{ name, shape: x.shape }],
      'The last two axes are the rows and columns of a matrix.',
    )
  }
  const [rows, columns] = sizesOf(x.shape)
  if (square && rows !== columns) {
    throw shapeError(op, `${name} must be square, it has ${rows} rows and ${columns} columns`, [{ name, shape: x.shape, bad: [-2, -1] }])
  }
  return cast(x, floatOf(x.dtype, x.backend))
}

/** Square matrices a [..b, n, n] and matrices b [..b, n, k] with equal leading axes (broadcast) and equal dtype. */
export function systems(op: string, a: Tensor, b: Tensor): readonly [Tensor, Tensor] {
  if (a.shape[a.rank - 2] !== b.shape[b.rank - 2]) {
    throw shapeError(
      op,
      `a has ${a.shape[a.rank - 2]} rows, b has ${b.shape[b.rank - 2]}`,
      [
        { name: 'a', shape: a.shape, bad: [-2] },
        { name: 'b', shape: b.shape, bad: [-2] },
      ],
      'b is a matrix with as many rows as a, or a vector with one axis.',
    )
  }
  const dtype = promote(a.dtype, b.dtype)
  const lead = broadcastShapes(op, batchOf(a.shape), batchOf(b.shape))
  const spread = (x: Tensor): Tensor => {
    const y = cast(x, dtype)
    return sameShape(batchOf(x.shape), lead) ? y : broadcastTo(y, [...lead, ...sizesOf(x.shape)])
  }
  return [spread(a), spread(b)]
}

/** Xᵀ of each matrix. */
export function transposed(x: Tensor, ops: Ops): Tensor {
  const axes = x.shape.map((_, i) => i)
  return ops.transpose(x, [...axes.slice(0, -2), x.rank - 1, x.rank - 2])
}

/** (X + Xᵀ)/2 of each matrix. */
export const symmetric = (x: Tensor, ops: Ops): Tensor => ops.mul(ops.add(x, transposed(x, ops)), 0.5)

/** Rows `from` to `to` of each matrix. */
export const rowsOf = (x: Tensor, from: number, to: number, ops: Ops): Tensor =>
  ops.slice(x, [...batchOf(x.shape).map(() => 0), from, 0], [...batchOf(x.shape), to - from, x.shape[x.rank - 1]])

/** Columns `from` to `to` of each matrix. */
export const columnsOf = (x: Tensor, from: number, to: number, ops: Ops): Tensor =>
  ops.slice(x, [...x.shape.slice(0, -1).map(() => 0), from], [...x.shape.slice(0, -1), to - from])

/** One triangle of each matrix, zeros elsewhere; the diagonal times `diagonal`. */
export function triangle(x: Tensor, part: 'lower' | 'upper', diagonal: number, ops: Ops): Tensor {
  const [rows, columns] = sizesOf(x.shape)
  const weights = new Float64Array(rows * columns)
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) weights[i * columns + j] = i === j ? diagonal : Number(part === 'lower' ? j < i : j > i)
  }
  return ops.mulNoNaN(x, fromHost(x.backend, convert(weights, x.dtype), [rows, columns], x.dtype))
}

/** The identity [n, n] with x's dtype, on x's backend. */
export const identityLike = (x: Tensor, n: number, ops: Ops): Tensor => ops.eye(n, n, { dtype: x.dtype, backend: x.backend })

/** A·B, and Aᵀ·B, and A·Bᵀ of batches. */
export const products = (ops: Ops) => ({
  ab: (a: Tensor, b: Tensor): Tensor => ops.matMul(a, b),
  aTb: (a: Tensor, b: Tensor): Tensor => ops.matMul(a, b, { transposeA: true }),
  abT: (a: Tensor, b: Tensor): Tensor => ops.matMul(a, b, { transposeB: true }),
})

/** Arguments of an algorithm beside its matrices. */
export interface MatrixCall<O> {
  /** The size of the last input's matrices. */
  rows: number
  columns: number
  /** The dtype of the output. */
  dtype: DType
  options: O
  /** The error for a matrix that the algorithm cannot take: `solve: matrix 3 of the batch is singular: …`. */
  refuse(problem: string): ValueError
}

/**
 * The forward of an op that takes its batch matrix by matrix, on the host: f gets one matrix of each input, as float64 values that it may use up, and
 * returns one of the output.
 */
export const matrixByMatrix =
  <O extends object>(op: string, f: (matrices: readonly Float64Array[], call: MatrixCall<O>) => Float64Array) =>
  (kernels: Kernels, out: Tensor, inputs: readonly Tensor[], options: O): void => {
    const { shape } = inputs[inputs.length - 1]
    const [rows, columns] = sizesOf(shape)
    const count = sizeOf(batchOf(shape))
    const call = (index: number): MatrixCall<O> => ({
      rows,
      columns,
      dtype: out.dtype,
      options,
      refuse: (problem) => new ValueError(`${op}: ${shape.length === 2 ? 'the matrix' : `matrix ${index} of the batch`} ${problem}`),
    })
    kernels.host(out, inputs, (y, values) => {
      for (let i = 0; i < count; i++) {
        const parts = values.map((x) => new Float64Array(x.subarray((i * x.length) / count, ((i + 1) * x.length) / count)))
        y.set(f(parts, call(i)), (i * y.length) / count)
      }
    })
  }

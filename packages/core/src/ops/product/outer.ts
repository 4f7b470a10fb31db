/** Products of vectors and matrices that are no matrix products, sums of products over named axes, and grids. All are made of other ops. */
import { describeValue, requireChoice, requireOptions, requireWhole } from '../../arguments.js'
import { shapeError, ValueError } from '../../errors.js'
import { scope } from '../../tensor/scope.js'
import { broadcastShapes, normalizeAxis } from '../../tensor/shape.js'
import { requireTensor, requireTensors, type Tensor } from '../../tensor/tensor.js'
import { mul, sub } from '../elementwise/binary.js'
import { roll } from '../indexing/repeat.js'
import { broadcastTo } from '../reduce/broadcast.js'
import { reshape } from '../shape/move.js'
import { einsum } from './einsum.js'

/**
 * Every element of a times every element of b: y[i, j] = a[i]·b[j]. Tensors of other ranks count as one row.
 *
 * Shape:    [m], [n] → [m, n]
 * Gradient: dA = dY·b, dB = aᵀ·dY
 *
 * @example
 * ```ts
 * outer(tensor([1, 2]), tensor([3, 4]))   // [[3, 4], [6, 8]]
 * ```
 */
export function outer(a: Tensor, b: Tensor): Tensor {
  requireTensor('outer', 'a', a)
  requireTensor('outer', 'b', b)
  return scope(() => mul(reshape(a, [a.size, 1]), reshape(b, [1, b.size])))
}

/**
 * The Kronecker product: a copy of b for each element of a, times that element.
 *
 * Shape:    [m, n], [p, q] → [m·p, n·q]; an operand of fewer axes gets axes of size 1 in front
 * Gradient: through the products
 *
 * @example
 * ```ts
 * kron(tensor([1, 10]), tensor([1, 2]))   // [1, 2, 10, 20]
 * ```
 */
export function kron(a: Tensor, b: Tensor): Tensor {
  requireTensor('kron', 'a', a)
  requireTensor('kron', 'b', b)
  const rank = Math.max(a.rank, b.rank)
  const [m, n] = [a, b].map(({ shape }) => [...new Array<number>(rank - shape.length).fill(1), ...shape])
  return scope(() => {
    const product = mul(
      reshape(
        a,
        m.flatMap((size) => [size, 1]),
      ),
      reshape(
        b,
        n.flatMap((size) => [1, size]),
      ),
    )
    return reshape(
      product,
      m.map((size, i) => size * n[i]),
    )
  })
}

/**
 * The cross product of vectors of three elements, over the last axis.
 *
 * Shape:    [.., 3], [.., 3], which broadcast → [.., 3]
 * Gradient: dA = b × dY, dB = dY × a
 *
 * @throws ShapeError unless the last axes have 3 elements.
 * @example
 * ```ts
 * cross(tensor([1, 0, 0]), tensor([0, 1, 0]))   // [0, 0, 1]
 * ```
 */
export function cross(a: Tensor, b: Tensor): Tensor {
  for (const [name, x] of [
    ['a', a],
    ['b', b],
  ] as const) {
    requireTensor('cross', name, x)
    if (x.shape[x.rank - 1] !== 3) throw shapeError('cross', 'vectors of 3 elements are needed', [{ name, shape: x.shape, bad: [-1] }])
  }
  broadcastShapes('cross', a.shape, b.shape)
  const next = (x: Tensor, by: number): Tensor => roll(x, -by, { axis: -1 })
  return scope(() => sub(mul(next(a, 1), next(b, 2)), mul(next(a, 2), next(b, 1))))
}

/** Axes to sum over: the last n of a with the first n of b, or a list of axes of each. */
export type TensorDotAxes = number | readonly [ofA: readonly number[], ofB: readonly number[]]

/**
 * The sum of products over axes of a and b: the last `axes` of a with the first of b, or the lists of axes in pairs.
 *
 * Shape:    [..m, ..k], [..k, ..n] → [..m, ..n]
 * Gradient: through the product, as `einsum`
 *
 * @throws ShapeError where the sizes of a pair of axes differ.
 * @example
 * ```ts
 * const y = tensorDot(ones([2, 3, 4]), ones([4, 3, 5]), [[1, 2], [1, 0]])   // [2, 5]
 * ```
 */
export function tensorDot(a: Tensor, b: Tensor, axes: TensorDotAxes = 2): Tensor {
  requireTensor('tensorDot', 'a', a)
  requireTensor('tensorDot', 'b', b)
  const [ofA, ofB] = dotAxes(a, b, axes)
  const bad = ofA.findIndex((axis, i) => a.shape[axis] !== b.shape[ofB[i]])
  if (bad >= 0) {
    throw shapeError('tensorDot', `axes ${ofA[bad]} of a and ${ofB[bad]} of b have different sizes`, [
      { name: 'a', shape: a.shape, bad: [ofA[bad]] },
      { name: 'b', shape: b.shape, bad: [ofB[bad]] },
    ])
  }
  const letters = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ']
  const labelsA = a.shape.map((_, i) => letters[i])
  const labelsB = b.shape.map((_, i) => (ofB.includes(i) ? labelsA[ofA[ofB.indexOf(i)]] : letters[a.rank + i]))
  const output = [...labelsA.filter((_, i) => !ofA.includes(i)), ...labelsB.filter((_, i) => !ofB.includes(i))]
  return einsum(`${labelsA.join('')},${labelsB.join('')}->${output.join('')}`, a, b)
}

function dotAxes(a: Tensor, b: Tensor, axes: TensorDotAxes): [number[], number[]] {
  if (typeof axes === 'number') {
    requireWhole('tensorDot', 'axes', axes, { least: 0, most: Math.min(a.rank, b.rank) })
    const counted = Array.from({ length: axes }, (_, i) => i)
    return [counted.map((i) => a.rank - axes + i), counted]
  }
  const pair = Array.isArray(axes) && axes.length === 2 && axes.every(Array.isArray) && axes[0].length === axes[1].length
  if (!pair) {
    throw new ValueError(`tensorDot: axes must be a number or two lists of as many axes, [[1], [0]], got ${describeValue(axes)}.`)
  }
  const [ofA, ofB] = [a, b].map((x, i) => axes[i].map((axis: number) => normalizeAxis('tensorDot', axis, x.rank)))
  if (new Set(ofA).size !== ofA.length || new Set(ofB).size !== ofB.length) throw new ValueError('tensorDot: axes name one axis twice.')
  return [ofA, ofB]
}

/**
 * Coordinates of a grid: each vector repeated along the axes of the others. With `indexing: 'xy'`, the default, the first two axes of the results are
 * swapped, so that the first vector runs along the columns; with 'ij' vector i runs along axis i.
 *
 * Shape:    vectors [a], [b], [c] → three of [b, a, c], or of [a, b, c] with 'ij'
 * Gradient: the sum of dY over the repeats
 *
 * @throws ShapeError for what is no vector.
 * @example
 * ```ts
 * const [x, y] = meshGrid([tensor([1, 2, 3]), tensor([10, 20])])
 * console.log(x.shape, await y.array())   // [2, 3] [[10, 10, 10], [20, 20, 20]]
 * ```
 */
export function meshGrid(vectors: readonly Tensor[], options: { indexing?: 'xy' | 'ij' } = {}): Tensor[] {
  requireTensors('meshGrid', 'vectors', vectors)
  requireOptions('meshGrid', options, ['indexing'], "meshGrid([x, y], { indexing: 'ij' })")
  const { indexing = 'xy' } = options
  requireChoice('meshGrid', 'indexing', indexing, ['xy', 'ij'])
  const other = vectors.find(({ rank }) => rank !== 1)
  if (other) throw shapeError('meshGrid', 'vectors of one axis are needed', [{ name: 'x', shape: other.shape }])
  const swapped = indexing === 'xy' && vectors.length > 1
  const axisOf = (i: number): number => (swapped && i < 2 ? 1 - i : i)
  const shape = vectors.map((_, i) => vectors[axisOf(i)].size)
  return scope(() => {
    return vectors.map((x, i) => {
      const along = shape.map((_, axis) => (axis === axisOf(i) ? x.size : 1))
      return broadcastTo(reshape(x, along), shape)
    })
  })
}

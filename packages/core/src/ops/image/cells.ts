/** Cutting borders off, the inverse of `pad`, and repeating cells. */
import { describeValue } from '../../arguments.js'
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import { shapeError, ValueError } from '../../errors.js'
import { requireWholes } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { type Pads, slice } from '../shape/move.js'

/**
 * x without a border: `cuts[i]` elements before and after are left out on axis i.
 *
 * Shape:    [..n] → [..n − before − after]
 * Gradient: dX = pad(dY) with zeros
 *
 * @throws ShapeError if more is cut than there is.
 * @example
 * ```ts
 * crop(tensor([1, 2, 3, 4]), [[1, 2]])   // [2]
 * ```
 */
export function crop(x: Tensor, cuts: Pads): Tensor {
  requireTensor('crop', 'x', x)
  const isPair = (pair: unknown): boolean =>
    Array.isArray(pair) && pair.length === 2 && pair.every((n) => Number.isSafeInteger(n) && n >= 0)
  if (!Array.isArray(cuts) || cuts.length !== x.rank || !cuts.every(isPair)) {
    throw new ValueError(
      `crop: one pair [before, after] of whole numbers from 0 is needed for each of the ${x.rank} axes, got ${describeValue(cuts)}.`,
    )
  }
  const left = (cuts as Pads).map(([before, after], i) => x.shape[i] - before - after)
  const bad = left.findIndex((n) => n < 0)
  if (bad >= 0) {
    throw shapeError('crop', `axis ${bad} has ${x.shape[bad]} elements, and ${cuts[bad][0]} + ${cuts[bad][1]} are to be cut off`, [
      { name: 'x', shape: x.shape, bad: [bad] },
    ])
  }
  return slice(
    x,
    (cuts as Pads).map(([before]) => before),
    left,
  )
}

const callUpSample = defineComposed<{ factors: readonly number[] }>({
  name: 'upSample',
  compose: ([x], { factors }, ops) => {
    const [n, c] = [x.shape[0], x.shape[x.rank - 1]]
    const sizes = x.shape.slice(1, -1)
    const apart = ops.reshape(x, [n, ...sizes.flatMap((size) => [size, 1]), c]) // [n, h, 1, w, 1, c]
    const repeated = ops.broadcastTo(apart, [n, ...sizes.flatMap((size, i) => [size, factors[i]]), c])
    return ops.reshape(repeated, [n, ...sizes.map((size, i) => size * factors[i]), c])
  },
  samples: samples(),
})
/**
 * Each cell as a block of equal cells, of sequences, images or volumes.
 *
 * Shape:    [n, ..sizes, c] → [n, ..sizes·factors, c]
 * Gradient: the sum of each block
 *
 * @throws ShapeError unless there is a factor for each axis between the batch and the channels.
 * @example
 * ```ts
 * upSample(tensor([[[1], [2]]]), [2])   // [[[1], [1], [2], [2]]]
 * ```
 */
export function upSample(x: Tensor, factors: readonly number[]): Tensor {
  requireTensor('upSample', 'x', x)
  requireWholes('upSample', 'factors', factors)
  if (factors.some((n) => n < 1)) throw new ValueError(`upSample: factors must be whole numbers from 1, got [${factors.join(', ')}].`)
  if (x.rank !== factors.length + 2) {
    throw shapeError('upSample', `x needs a batch axis, ${factors.length} axes that the factors are for, and channels`, [
      { name: 'x', shape: x.shape },
    ])
  }
  return callUpSample([x], { factors })
}

function samples(): Sample<{ factors: readonly number[] }>[] {
  return [
    sampleWith({ factors: [3] }, [2, 3, 2]),
    sampleWith({ factors: [2, 3] }, [1, 2, 3, 2]),
    sampleWith({ factors: [1, 2, 3] }, [2, 1, 2, 3, 1]),
    sampleWith({ factors: [2] }, [0, 3, 2]),
    sampleWith({ factors: [2, 2] }, { shape: [1, 2, 2, 1], dtype: 'uint8', low: 0, high: 255 }),
  ]
}

/** Reductions over rows that have the same segment number. The numbers need no order, and a segment may have no rows. */
import { requireOptions, requireWhole } from '../../arguments.js'
import { defineOp } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import { shapeError, ValueError } from '../../errors.js'
import { scope } from '../../tensor/scope.js'
import { reduceExtent } from '../../tensor/shape.js'
import type { Tensor } from '../../tensor/tensor.js'
import { onesLike } from '../create.js'
import { div, equal, maximum, mul } from '../elementwise/binary.js'
import { cast } from '../elementwise/elementwise.js'
import { requireFloats } from '../requirements.js'
import { gather, scatterAdd } from '../shape/gather.js'
import { expandDims } from '../shape/move.js'
import { addRows } from './add-rows.js'
import { type Indices, wholeIndices } from './whole-indices.js'

/** How many segments there are. */
export interface SegmentOptions {
  numSegments: number
}

/** The segment numbers as int32 [n], checked. */
function segmentsOf(op: string, x: unknown, segmentIds: Indices, options: SegmentOptions): Tensor {
  requireFloats(op, 'x', x)
  requireOptions(op, options ?? null, ['numSegments'], `${op}(x, segmentIds, { numSegments: 3 })`)
  requireWhole(op, 'numSegments', options.numSegments, { least: 0 })
  const ids = wholeIndices(op, segmentIds, x.backend)
  if (ids.rank === 1 && ids.shape[0] === x.shape[0]) return ids
  throw shapeError(op, 'one segment number is needed for each row of x', [
    { name: 'x', shape: x.shape, bad: [0] },
    { name: 'segmentIds', shape: ids.shape },
  ])
}

/**
 * The sum of the rows of each segment; zeros for a segment without rows.
 *
 * Shape:    x [n, ..rest], segmentIds [n] → [numSegments, ..rest]
 * Gradient: each row gets dY of its segment
 *
 * @throws ValueError for a segment number out of range.
 * @example
 * ```ts
 * segmentSum(tensor([1, 2, 4]), [0, 1, 0], { numSegments: 2 })   // [5, 2]
 * ```
 */
export function segmentSum(x: Tensor, segmentIds: Indices, options: SegmentOptions): Tensor {
  return scope(() => addRows('segmentSum', x, segmentsOf('segmentSum', x, segmentIds, options), options.numSegments))
}

/**
 * The mean of the rows of each segment; zeros for a segment without rows.
 *
 * Shape:    x [n, ..rest], segmentIds [n] → [numSegments, ..rest]
 * Gradient: each row gets its share of dY of its segment
 *
 * @throws ValueError for a segment number out of range.
 * @example
 * ```ts
 * segmentMean(tensor([1, 2, 4]), [0, 1, 0], { numSegments: 2 })   // [2.5, 2]
 * ```
 */
export function segmentMean(x: Tensor, segmentIds: Indices, options: SegmentOptions): Tensor {
  return scope(() => {
    const ids = segmentsOf('segmentMean', x, segmentIds, options)
    const rows = x.rank > 1 ? x.shape.slice(1).reduce<Tensor>((r) => expandDims(r, -1), cast(onesLike(ids), x.dtype)) : onesLike(x)
    const { numSegments } = options
    return div(addRows('segmentMean', x, ids, numSegments), maximum(scatterAdd(rows, ids, numSegments), 1))
  })
}

const callSegmentMax = defineOp<SegmentOptions>({
  name: 'segmentMax',
  rule: 'dX = dY of the segment where x = y, shared equally',
  shape: ([x], { numSegments }) => ({ shape: [numSegments, ...x.shape.slice(1)], dtype: x.dtype }),
  forward: (k, out, [x, ids], { numSegments }) =>
    k.host(out, [x, ids], (y, [values, segments]) => {
      const { inner } = reduceExtent(x.shape, 0, 0)
      y.fill(-Infinity)
      for (let row = 0; row < segments.length; row++) {
        const segment = segments[row]
        if (!(segment >= 0 && segment < numSegments)) {
          throw new ValueError(`segmentMax: segment ${segment} of row ${row} is out of range: there are ${numSegments}.`)
        }
        for (let i = 0; i < inner; i++) y[segment * inner + i] = Math.max(y[segment * inner + i], values[row * inner + i])
      }
    }),
  vjp: ({ dY, y, options }, [x, ids]) => [
    () => {
      const hit = cast(equal(x, gather(y, ids)), x.dtype)
      const hits = gather(scatterAdd(hit, ids, options.numSegments), ids)
      return mul(div(hit, hits), gather(dY, ids))
    },
    null,
  ],
  samples: segmentSamples(),
})

/**
 * The greatest of the rows of each segment, element by element; −∞ for a segment without rows, NaN if any is.
 *
 * Shape:    x [n, ..rest], segmentIds [n] → [numSegments, ..rest]
 * Gradient: dY goes to the rows that are greatest, shared equally
 *
 * @throws ValueError for a segment number out of range.
 * @example
 * ```ts
 * segmentMax(tensor([1, 2, 4]), [0, 1, 0], { numSegments: 2 })   // [4, 2]
 * ```
 */
export function segmentMax(x: Tensor, segmentIds: Indices, options: SegmentOptions): Tensor {
  return scope(() => callSegmentMax([x, segmentsOf('segmentMax', x, segmentIds, options)], { numSegments: options.numSegments }))
}

function segmentSamples(): Sample<SegmentOptions>[] {
  const ids = (n: number, high: number) => ({ shape: [n], dtype: 'int32', low: 0, high }) as const
  return [
    sampleWith({ numSegments: 3 }, [7], ids(7, 3)),
    sampleWith({ numSegments: 2 }, [9, 2, 3], ids(9, 2)),
    sampleWith({ numSegments: 1 }, [5, 1], ids(5, 1)),
    sampleWith({ numSegments: 9 }, [130, 67], ids(130, 9)),
  ]
}

/** Joining tensors and taking them apart: `concat`, `stack`, `split`, `unstack`, `tile`. All are composed of ops that move elements. */
import { requireWhole } from '../../arguments.js'
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { isTracked } from '../../autodiff/recording.js'
import { sampleWith } from '../../autodiff/samples.js'
import { shapeError, ValueError } from '../../errors.js'
import { scope } from '../../tensor/scope.js'
import { checkShape, normalizeAxis, requireWholes, sameShape } from '../../tensor/shape.js'
import { requireTensor, requireTensors, type Tensor } from '../../tensor/tensor.js'
import { expandDims, slice, squeeze } from './move.js'

const callConcat = defineComposed<{ axis: number }>({
  name: 'concat',
  // No primitive writes into part of an output. So two halves are padded with zeros to full length and added: [a, 0] + [0, b]. The halves are
  // made the same way, so n parts cost log n passes.
  compose: (parts, { axis }, ops) => {
    const { dtype } = parts[0]
    const narrow = dtype === 'bool' || dtype === 'uint8'
    const around = (x: Tensor, before: number, after: number): Tensor =>
      ops.pad(
        x,
        x.shape.map((_, i): [number, number] => (i === axis ? [before, after] : [0, 0])),
      )
    const join = (from: number, to: number): Tensor => {
      if (to - from === 1) return narrow ? ops.cast(parts[from], 'int32') : parts[from]
      const middle = (from + to) >> 1
      // Each pass has a scope, which frees the passes before it.
      return scope(() => {
        const [left, right] = [join(from, middle), join(middle, to)]
        return ops.add(around(left, 0, right.shape[axis]), around(right, left.shape[axis], 0))
      })
    }
    return ops.cast(join(0, parts.length), dtype)
  },
  samples: concatSamples(),
})
/**
 * Tensors one after another along an axis. All other sizes must agree.
 *
 * Shape:    k × [.., nᵢ, ..] → [.., Σ nᵢ, ..]
 * Gradient: each part gets its slice of dY
 * Cost:     log k passes for k parts
 *
 * @throws ShapeError if another size differs, ValueError if the dtypes differ.
 * @example
 * ```ts
 * concat([tensor([1, 2]), tensor([3])]) // [1, 2, 3]
 * ```
 */
export function concat(parts: readonly Tensor[], axis = 0): Tensor {
  requireTensors('concat', 'parts', parts)
  if (parts.length === 0) throw new ValueError('concat: at least one tensor is needed.')
  const at = normalizeAxis('concat', axis, parts[0].rank)
  for (const x of parts) {
    const bad = x.rank === parts[0].rank ? x.shape.findIndex((n, i) => i !== at && n !== parts[0].shape[i]) : -2
    if (bad !== -1) {
      throw shapeError('concat', bad < 0 ? 'the tensors differ in rank' : `sizes differ on axis ${bad}, and only axis ${at} may differ`, [
        { name: 'first', shape: parts[0].shape, bad: bad < 0 ? [] : [bad] },
        { name: 'other', shape: x.shape, bad: bad < 0 ? [] : [bad] },
      ])
    }
    if (x.dtype !== parts[0].dtype) throw new ValueError(`concat: dtypes differ (${parts[0].dtype} and ${x.dtype}). Cast them to one.`)
  }
  return parts.length === 1 ? parts[0] : callConcat(parts, { axis: at })
}

/**
 * Tensors of one shape, side by side on a new axis.
 *
 * Shape:    k × [..] → [.., k, ..]
 * Gradient: each part gets its slice of dY
 * Cost:     log k passes for k parts
 *
 * @throws ShapeError if the shapes differ.
 * @example
 * ```ts
 * stack([tensor([1, 2]), tensor([3, 4])], 1) // [[1, 3], [2, 4]]
 * ```
 */
export function stack(parts: readonly Tensor[], axis = 0): Tensor {
  requireTensors('stack', 'parts', parts)
  if (parts.length === 0) throw new ValueError('stack: at least one tensor is needed.')
  const other = parts.find((x) => !sameShape(x.shape, parts[0].shape))
  if (other) {
    throw shapeError('stack', 'the tensors differ in shape', [
      { name: 'first', shape: parts[0].shape },
      { name: 'other', shape: other.shape },
    ])
  }
  normalizeAxis('stack', axis, parts[0].rank + 1)
  return scope(() =>
    concat(
      parts.map((x) => expandDims(x, axis)),
      axis,
    ),
  )
}

/**
 * x cut along an axis, into `parts` equal parts or into parts of the given sizes.
 *
 * Shape:    [.., n, ..] → parts [.., nᵢ, ..] with Σ nᵢ = n
 * Gradient: dX = pad(dY of the part) with zeros, summed over the parts
 *
 * @throws ShapeError if the sizes do not add up to n.
 * @example
 * ```ts
 * const [a, b] = split(tensor([1, 2, 3, 4, 5]), [2, 3])
 * console.log(await a.array(), await b.array()) // [1, 2] [3, 4, 5]
 * ```
 */
export function split(x: Tensor, parts: number | readonly number[], axis = 0): Tensor[] {
  requireTensor('split', 'x', x)
  const at = normalizeAxis('split', axis, x.rank)
  const n = x.shape[at]
  if (typeof parts === 'number') requireWhole('split', 'parts', parts, { least: 1, most: Math.max(1, n) })
  else requireWholes('split', 'parts', parts)
  const sizes = typeof parts === 'number' ? new Array<number>(parts).fill(n / parts) : parts
  if (sizes.reduce((a, b) => a + b, 0) !== n || sizes.some((size) => !Number.isInteger(size) || size < 0)) {
    throw shapeError(
      'split',
      `axis ${at} has ${n} elements, which do not split into ${typeof parts === 'number' ? `${parts} equal parts` : `parts of [${sizes.join(', ')}]`}`,
      [{ name: 'x', shape: x.shape, bad: [at] }],
    )
  }
  let begin = 0
  return sizes.map((size) => {
    const part = slice(
      x,
      x.shape.map((_, i) => (i === at ? begin : 0)),
      x.shape.map((m, i) => (i === at ? size : m)),
    )
    begin += size
    return part
  })
}

/**
 * x taken apart along an axis, into tensors without that axis: the inverse of `stack`.
 *
 * Shape:    [.., n, ..] → n × [.., ..]
 * Gradient: dX = stack(dY of the parts)
 * Cost:     one pass. While a tape follows x: log n passes, by halves, so that the derivative takes log n passes too, not n
 *
 * @throws ValueError if the axis is out of range.
 * @example
 * ```ts
 * const [a, b] = unstack(tensor([[1, 2], [3, 4]]), 1)
 * console.log(await a.array(), await b.array()) // [1, 3] [2, 4]
 * ```
 */
export function unstack(x: Tensor, axis = 0): Tensor[] {
  requireTensor('unstack', 'x', x)
  const at = normalizeAxis('unstack', axis, x.rank)
  const part = (from: Tensor, begin: number, size: number): Tensor =>
    slice(
      from,
      from.shape.map((_, i) => (i === at ? begin : 0)),
      from.shape.map((m, i) => (i === at ? size : m)),
    )
  const takeApart = (from: Tensor): Tensor[] => {
    const n = from.shape[at]
    if (n > 2 && isTracked(from)) return [part(from, 0, n >> 1), part(from, n >> 1, n - (n >> 1))].flatMap(takeApart)
    return Array.from({ length: n }, (_, i) => squeeze(part(from, i, 1), at))
  }
  return scope(() => takeApart(x))
}

const callTile = defineComposed<{ repeats: readonly number[] }>({
  name: 'tile',
  compose: ([x], { repeats }, ops) => {
    const between = x.shape.flatMap((n) => [1, n])
    const spread = x.shape.flatMap((n, i) => [repeats[i], n])
    return ops.reshape(
      ops.broadcastTo(ops.reshape(x, between), spread),
      x.shape.map((n, i) => n * repeats[i]),
    )
  },
  samples: tileSamples(),
})
/**
 * x repeated `repeats[i]` times along axis i.
 *
 * Shape:    [n₀, n₁, ..] → [n₀·repeats[0], n₁·repeats[1], ..]
 * Gradient: dX = Σ dY over the repetitions
 *
 * @throws ValueError unless there is one count for each axis.
 * @example
 * ```ts
 * tile(tensor([[1, 2]]), [2, 2]) // [[1, 2, 1, 2], [1, 2, 1, 2]]
 * ```
 */
export function tile(x: Tensor, repeats: readonly number[]): Tensor {
  requireTensor('tile', 'x', x)
  checkShape('tile', repeats)
  if (repeats.length !== x.rank)
    throw new ValueError(`tile: one count for each of the ${x.rank} axes is needed, got [${repeats.join(', ')}].`)
  return callTile([x], { repeats })
}

function concatSamples(): Sample<{ axis: number }>[] {
  return [
    sampleWith({ axis: 0 }, [3], [2]),
    sampleWith({ axis: 1 }, [2, 3], [2, 1], [2, 4]),
    sampleWith({ axis: 0 }, [0, 3], [2, 3]),
    sampleWith({ axis: 0 }, [5, 3]),
    sampleWith({ axis: 0 }, [1, 2], [2, 2], [3, 2], [1, 2], [2, 2]),
    sampleWith({ axis: 0 }, { shape: [3], dtype: 'uint8', low: 0, high: 255 }, { shape: [2], dtype: 'uint8', low: 0, high: 255 }),
  ]
}

function tileSamples(): Sample<{ repeats: readonly number[] }>[] {
  return [sampleWith({ repeats: [2] }, [3]), sampleWith({ repeats: [2, 3] }, [2, 3]), sampleWith({ repeats: [0, 2] }, [2, 1])]
}

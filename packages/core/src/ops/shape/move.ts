/**
 * Ops that move elements and do not change them. `reshape` and its relatives share the memory of x; `transpose`, `slice`, `pad` and `flip` copy with strides.
 *
 * The file is a little over 300 lines because every function has a comment of its own.
 */
import { describeValue, requireNumeric } from '../../arguments.js'
import { defineOp } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import type { View } from '../../backends/backend.js'
import { shapeError, showShape, ValueError } from '../../errors.js'
import { checkShape, listed, normalizeAxes, normalizeAxis, requireWholes, type Shape, sameShape, sizeOf } from '../../tensor/shape.js'
import type { Made, ReshapedShape, ReversedShape } from '../../tensor/static-shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'

const callReshape = defineOp<{ shape: Shape }>({
  name: 'reshape',
  rule: 'dX = reshape(dY)',
  shape: ([x], { shape }) => {
    if (sizeOf(shape) !== sizeOf(x.shape)) {
      throw shapeError('reshape', `${sizeOf(x.shape)} elements do not fill ${showShape(shape)}, which has ${sizeOf(shape)}`, [
        { name: 'x', shape: x.shape },
        { name: 'to', shape },
      ])
    }
    return { shape, dtype: x.dtype }
  },
  forward: 'view',
  vjp: ({ dY }, [x], ops) => [() => ops.reshape(dY, x.shape)],
  linear: true,
  samples: reshapeSamples(),
})
/**
 * The same elements under another shape, without a copy. One axis may be −1: its size is worked out.
 *
 * Shape:    any → the given shape
 * Gradient: dX = reshape(dY)
 *
 * @throws ShapeError if the elements do not fill the shape.
 * @example
 * ```ts
 * reshape(tensor([1, 2, 3, 4]), [2, -1]) // [[1, 2], [3, 4]]
 * const rows = reshape(images, [-1, 784])   // [60000, 28, 28] → [60000, 784]
 * ```
 */
export function reshape<N extends number, S extends readonly N[] | readonly []>(x: Tensor, shape: S): Made<ReshapedShape<S>> {
  requireTensor('reshape', 'x', x)
  if (!Array.isArray(shape)) checkShape('reshape', shape)
  let known: Shape = shape
  const open = known.indexOf(-1)
  if (open >= 0) {
    const rest = shape.reduce((n, size, i) => (i === open ? n : n * size), 1)
    if (known.indexOf(-1, open + 1) >= 0) throw new ValueError(`reshape: only one axis may be -1, got ${showShape(shape)}.`)
    if (rest === 0 || x.size % rest !== 0) {
      throw shapeError('reshape', `${x.size} elements do not divide into ${showShape(shape)}`, [{ name: 'x', shape: x.shape }])
    }
    known = shape.map((size, i) => (i === open ? x.size / rest : size))
  }
  checkShape('reshape', known)
  return (sameShape(known, x.shape) ? x : callReshape([x], { shape: known })) as Made<ReshapedShape<S>>
}

/**
 * @internal A new tensor over the memory of x. (`reshape` to the same shape returns x itself.)
 *
 * Shape:    any → the same
 * Gradient: dX = dY
 */
export function viewOf<S extends Shape>(x: Tensor<S>): Tensor<S> {
  requireTensor('viewOf', 'x', x)
  return callReshape([x], { shape: x.shape }) as Tensor<S>
}

/**
 * All elements on one axis, row by row, without a copy.
 *
 * Shape:    any → [size]
 * Gradient: dX = reshape(dY)
 *
 * @example
 * ```ts
 * flatten(tensor([[1, 2], [3, 4]])) // [1, 2, 3, 4]
 * ```
 */
export function flatten(x: Tensor): Tensor {
  requireTensor('flatten', 'x', x)
  return reshape(x, [x.size])
}

/**
 * x with a new axis of size 1 before position `axis`, without a copy. A negative axis counts from the end of the result.
 *
 * Shape:    [a, b] → [1, a, b], [a, 1, b] or [a, b, 1]
 * Gradient: dX = reshape(dY)
 *
 * @throws ValueError if the axis is out of range.
 * @example
 * ```ts
 * const column = expandDims(tensor([1, 2]), -1) // [2, 1]
 * ```
 */
export function expandDims(x: Tensor, axis: number): Tensor {
  requireTensor('expandDims', 'x', x)
  const at = normalizeAxis('expandDims', axis, x.rank + 1)
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)])
}

/**
 * x without axes of size 1, all of them or the named ones, without a copy.
 *
 * Shape:    [a, 1, b] → [a, b]
 * Gradient: dX = reshape(dY)
 *
 * @throws ShapeError if a named axis has another size.
 * @example
 * ```ts
 * const row = squeeze(ones([1, 3, 1]), 0) // [3, 1]
 * ```
 */
export function squeeze(x: Tensor, axis?: number | readonly number[]): Tensor {
  requireTensor('squeeze', 'x', x)
  const axes = axis === undefined ? x.shape.flatMap((n, i) => (n === 1 ? [i] : [])) : normalizeAxes('squeeze', axis, x.rank)
  const bad = axes.find((i) => x.shape[i] !== 1)
  if (bad !== undefined)
    throw shapeError('squeeze', `axis ${bad} has size ${x.shape[bad]}, not 1`, [{ name: 'x', shape: x.shape, bad: [bad] }])
  return reshape(
    x,
    x.shape.filter((_, i) => !axes.includes(i)),
  )
}

const identityView = (rank: number): { axis: number[]; start: number[]; step: number[]; fill: number } => ({
  axis: Array.from({ length: rank }, (_, i) => i),
  start: new Array<number>(rank).fill(0),
  step: new Array<number>(rank).fill(1),
  fill: 0,
})

const callTranspose = defineOp<{ axes: readonly number[] }>({
  name: 'transpose',
  rule: 'dX = transpose(dY), with the axes in their old order',
  shape: ([x], { axes }) => ({ shape: axes.map((axis) => x.shape[axis]), dtype: x.dtype }),
  forward: (k, out, [x], { axes }) => k.copy(out, x, { ...identityView(axes.length), axis: axes }),
  vjp: ({ dY, options: { axes } }, _, ops) => [
    () =>
      ops.transpose(
        dY,
        axes.map((_, i) => axes.indexOf(i)),
      ),
  ],
  linear: true,
  samples: transposeSamples(),
})
/**
 * x with its axes in another order: axis i of the result is axis `axes[i]` of x. Without `axes` the order is reversed.
 *
 * Shape:    [a, b, c] → [c, b, a], or as `axes` says
 * Gradient: dX = transpose(dY) in the inverse order
 *
 * @throws ValueError unless `axes` names every axis once.
 * @example
 * ```ts
 * transpose(tensor([[1, 2], [3, 4]])) // [[1, 3], [2, 4]]
 * const y = transpose(ones([2, 3, 4]), [0, 2, 1]) // [2, 4, 3]
 * ```
 */
export function transpose<S extends Shape>(x: Tensor<S>): Tensor<ReversedShape<S>>
export function transpose(x: Tensor, axes: readonly number[]): Tensor
export function transpose(x: Tensor, axes?: readonly number[]): Tensor {
  requireTensor('transpose', 'x', x)
  if (axes !== undefined && !Array.isArray(axes)) {
    throw new ValueError(`transpose: axes must be an array, got ${describeValue(axes)}. Write x.transpose([1, 0]).`)
  }
  const order = axes ? axes.map((axis) => normalizeAxis('transpose', axis, x.rank)) : x.shape.map((_, i) => x.rank - 1 - i)
  if (order.length !== x.rank || new Set(order).size !== x.rank) {
    throw new ValueError(`transpose: axes must name each of the ${x.rank} axes once, got [${axes?.join(', ')}].`)
  }
  return order.every((axis, i) => axis === i) ? x : callTranspose([x], { axes: order })
}

const callSlice = defineOp<{ begin: readonly number[]; size: readonly number[] }>({
  name: 'slice',
  rule: 'dX = pad(dY) with zeros',
  shape: ([x], { size }) => ({ shape: size, dtype: x.dtype }),
  forward: (k, out, [x], { begin }) => k.copy(out, x, { ...identityView(x.rank), start: begin }),
  vjp: ({ dY, options: { begin, size } }, [x], ops) => [
    () =>
      ops.pad(
        dY,
        x.shape.map((n, i) => [begin[i], n - begin[i] - size[i]] as const),
      ),
  ],
  linear: true,
  samples: sliceSamples(),
})
/**
 * A block of x: `size[i]` elements from position `begin[i]` of axis i. A size of −1 means to the end; axes that are left out are whole.
 *
 * Shape:    [n₀, n₁, ..] → [size₀, size₁, ..]
 * Gradient: dX = pad(dY) with zeros
 *
 * @throws ShapeError if the block is not inside x.
 * @example
 * ```ts
 * slice(tensor([[1, 2, 3], [4, 5, 6]]), [0, 1], [2, 2]) // [[2, 3], [5, 6]]
 * ```
 */
export function slice(x: Tensor, begin: readonly number[], size: readonly number[] = []): Tensor {
  requireTensor('slice', 'x', x)
  requireWholes('slice', 'begin', begin)
  requireWholes('slice', 'size', size)
  const from = x.shape.map((n, i) => {
    const b = begin[i] ?? 0
    return b < 0 ? b + n : b
  })
  const count = x.shape.map((n, i) => (size[i] === undefined || size[i] === -1 ? n - from[i] : size[i]))
  const bad = x.shape.findIndex((n, i) => from[i] < 0 || count[i] < 0 || from[i] + count[i] > n)
  if (bad >= 0 || begin.length > x.rank || size.length > x.rank) {
    const range =
      bad >= 0
        ? `axis ${bad} has ${x.shape[bad]} elements, asked for ${count[bad]} from ${from[bad]}`
        : `x has ${x.rank} axes, ${Math.max(begin.length, size.length)} were given`
    throw shapeError('slice', range, [{ name: 'x', shape: x.shape, bad: bad >= 0 ? [bad] : [] }])
  }
  return sameShape(count, x.shape) ? x : callSlice([x], { begin: from, size: count })
}

/** One pair for each axis: how many elements to add before and after. */
export type Pads = readonly (readonly [before: number, after: number])[]

const callPad = defineOp<{ pads: Pads; value: number }>({
  name: 'pad',
  rule: 'dX = slice(dY)',
  shape: ([x], { pads }) => ({ shape: x.shape.map((n, i) => n + pads[i][0] + pads[i][1]), dtype: x.dtype }),
  forward: (k, out, [x], { pads, value }) =>
    k.copy(out, x, { ...identityView(x.rank), start: pads.map(([before]) => -before), fill: value }),
  vjp: ({ dY, options: { pads } }, [x], ops) => [
    () =>
      ops.slice(
        dY,
        pads.map(([before]) => before),
        x.shape,
      ),
  ],
  jvp: ({ options: { pads } }, _, ops) => [(v) => ops.pad(v, pads)],
  samples: padSamples(),
})
/**
 * x with a border of `value`: `pads[i]` elements before and after axis i.
 *
 * Shape:    [n₀, ..] → [before₀ + n₀ + after₀, ..]
 * Gradient: dX = slice(dY)
 *
 * @throws ValueError unless there is a pair for each axis.
 * @example
 * ```ts
 * pad(tensor([1, 2]), [[1, 2]]) // [0, 1, 2, 0, 0]
 * ```
 */
export function pad(x: Tensor, pads: Pads, value = 0): Tensor {
  requireTensor('pad', 'x', x)
  requireNumeric('pad', 'value', value)
  const pairs =
    Array.isArray(pads) && pads.every((p) => Array.isArray(p) && p.length === 2 && p.every((n) => Number.isSafeInteger(n) && n >= 0))
  if (!pairs || pads.length !== x.rank) {
    const got = Array.isArray(pads)
      ? `[${pads.map((p) => (Array.isArray(p) ? listed(p) : describeValue(p))).join(', ')}]`
      : describeValue(pads)
    throw new ValueError(
      `pad: one pair [before, after] of whole numbers, at least 0, is needed for each of the ${x.rank} axes, got ${got}.`,
    )
  }
  return pads.every(([before, after]) => before + after === 0) ? x : callPad([x], { pads, value })
}

const callFlip = defineOp<{ axes: readonly number[] }>({
  name: 'flip',
  rule: 'dX = flip(dY)',
  shape: ([x]) => x,
  forward: (k, out, [x], { axes }) => {
    const view: View = {
      ...identityView(x.rank),
      start: x.shape.map((n, i) => (axes.includes(i) ? n - 1 : 0)),
      step: x.shape.map((_, i) => (axes.includes(i) ? -1 : 1)),
    }
    k.copy(out, x, view)
  },
  vjp: ({ dY, options: { axes } }, _, ops) => [() => ops.flip(dY, axes)],
  linear: true,
  samples: flipSamples(),
})
/**
 * x in reverse order along the axes, by default along all.
 *
 * Shape:    any → the same
 * Gradient: dX = flip(dY)
 *
 * @throws ValueError if an axis is out of range.
 * @example
 * ```ts
 * flip(tensor([[1, 2], [3, 4]]), 1) // [[2, 1], [4, 3]]
 * ```
 */
export function flip<S extends Shape>(x: Tensor<S>, axis?: number | readonly number[]): Tensor<S> {
  requireTensor('flip', 'x', x)
  return callFlip([x], { axes: normalizeAxes('flip', axis, x.rank) }) as Tensor<S>
}

function reshapeSamples(): Sample<{ shape: Shape }>[] {
  return [sampleWith({ shape: [3, 4] }, [2, 6]), sampleWith({ shape: [] }, [1]), sampleWith({ shape: [3, 0, 2] }, [0, 3])]
}

function transposeSamples(): Sample<{ axes: readonly number[] }>[] {
  return [
    ...everyDType([3, 5], { axes: [1, 0] }),
    sampleWith({ axes: [2, 0, 3, 1] }, [2, 3, 4, 5]),
    sampleWith({ axes: [1, 2, 0] }, [1, 4, 1]),
    sampleWith({ axes: [1, 0] }, [0, 2]),
    sampleWith({ axes: [1, 0] }, [67, 130]),
  ]
}

function sliceSamples(): Sample<{ begin: readonly number[]; size: readonly number[] }>[] {
  return [
    ...everyDType([5], { begin: [1], size: [3] }),
    sampleWith({ begin: [1, 2], size: [2, 3] }, [4, 6]),
    sampleWith({ begin: [1, 0, 0], size: [1, 4, 5] }, [3, 4, 5]),
    sampleWith({ begin: [2, 0], size: [0, 3] }, [4, 3]),
    sampleWith({ begin: [3, 1], size: [61, 127] }, [67, 130]),
  ]
}

function padSamples(): Sample<{ pads: Pads; value: number }>[] {
  const around = (value: number, ...pads: Pads) => ({ pads, value })
  return [
    ...everyDType([3], around(0, [1, 2])),
    sampleWith(around(-1.5, [0, 1], [2, 0]), [2, 3]),
    sampleWith(around(3, [1, 1], [0, 0]), [0, 2]),
    sampleWith(around(0, [3, 3], [1, 2]), [61, 127]),
  ]
}

function flipSamples(): Sample<{ axes: readonly number[] }>[] {
  return [...everyDType([7], { axes: [0] }), sampleWith({ axes: [0, 2] }, [3, 4, 2]), sampleWith({ axes: [0] }, [0])]
}

/** A sample for each kind of dtype: float32, uint8 (one byte) and int32. */
function everyDType<O>(shape: Shape, options: O): Sample<O>[] {
  const inputs = [shape, { shape, dtype: 'uint8', low: 0, high: 255 }, { shape, dtype: 'int32', low: -99, high: 99 }] as const
  return inputs.map((x) => sampleWith(options, x))
}

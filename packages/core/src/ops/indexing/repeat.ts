/** Elements moved around an axis, and elements repeated. */
import { requireOptions, requireWhole } from '../../arguments.js'
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import { ValueError } from '../../errors.js'
import { scope } from '../../tensor/scope.js'
import { normalizeAxis, requireWholes, type Shape } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { broadcastTo } from '../reduce/broadcast.js'
import { gather } from '../shape/gather.js'
import { flatten, reshape } from '../shape/move.js'

const callRoll = defineComposed<{ shift: number; axis: number }>({
  name: 'roll',
  // The axis twice, one after the other, holds every rotation of it as a block.
  compose: ([x], { shift, axis }, ops) => {
    const n = x.shape[axis]
    const twice = ops.tile(
      x,
      x.shape.map((_, i) => (i === axis ? 2 : 1)),
    )
    return ops.slice(
      twice,
      x.shape.map((_, i) => (i === axis ? n - shift : 0)),
      x.shape,
    )
  },
  samples: rollSamples(),
})

/**
 * Elements shifted along an axis; those that leave at the end come in at the front. Without `axis`, x counts as one row. Several shifts go with
 * several axes.
 *
 * Shape:    [..] → [..]
 * Gradient: dY rolled back
 *
 * @example
 * ```ts
 * roll(tensor([1, 2, 3, 4]), 1)   // [4, 1, 2, 3]
 * ```
 */
export function roll<S extends Shape>(
  x: Tensor<S>,
  shift: number | readonly number[],
  options: { axis?: number | readonly number[] } = {},
): Tensor<S> {
  requireTensor('roll', 'x', x)
  requireOptions('roll', options, ['axis'], 'x.roll(1, { axis: 0 })')
  const { axis } = options
  const shifts = typeof shift === 'number' ? [shift] : shift
  requireWholes('roll', 'shift', shifts)
  const axes = axis === undefined || typeof axis === 'number' ? [axis] : axis
  if (!Array.isArray(axes) || axes.length !== shifts.length) {
    throw new ValueError(`roll: one shift for each axis is needed, got ${shifts.length} shifts. Write x.roll([1, 2], { axis: [0, 1] }).`)
  }
  const along = axes.map((one) => (one === undefined ? undefined : normalizeAxis('roll', one, x.rank)))
  return scope(() =>
    along.reduce<Tensor>((y, one, i) => {
      const from = one === undefined ? flatten(y) : y
      const n = from.shape[one ?? 0]
      const steps = n === 0 ? 0 : ((shifts[i] % n) + n) % n
      return steps === 0 ? y : reshape(callRoll([from], { shift: steps, axis: one ?? 0 }), y.shape)
    }, x),
  ) as Tensor<S>
}

/**
 * Each element of an axis repeated, all as often or each as often as its count says. Without `axis`, x counts as one row.
 *
 * Shape:    [..a, n, ..b] → [..a, n·repeats, ..b]
 * Gradient: the sum of dY over the repeats
 *
 * @example
 * ```ts
 * repeat(tensor([1, 2]), 2)        // [1, 1, 2, 2]
 * repeat(tensor([1, 2]), [3, 1])   // [1, 1, 1, 2]
 * ```
 */
export function repeat(x: Tensor, repeats: number | readonly number[], options: { axis?: number } = {}): Tensor {
  requireTensor('repeat', 'x', x)
  requireOptions('repeat', options, ['axis'], 'x.repeat(2, { axis: 0 })')
  const at = options.axis === undefined ? 0 : normalizeAxis('repeat', options.axis, x.rank)
  const n = options.axis === undefined ? x.size : x.shape[at]
  if (typeof repeats === 'number') requireWhole('repeat', 'repeats', repeats, { least: 0 })
  else {
    requireWholes('repeat', 'repeats', repeats, n)
    for (const count of repeats) requireWhole('repeat', 'a count', count, { least: 0 })
  }
  return scope(() => {
    const from = options.axis === undefined ? flatten(x) : x
    if (typeof repeats !== 'number') {
      const positions = repeats.flatMap((count, i) => new Array<number>(count).fill(i))
      return gather(from, positions, { axis: at })
    }
    const [before, after] = [from.shape.slice(0, at), from.shape.slice(at + 1)]
    const wide = broadcastTo(reshape(from, [...before, n, 1, ...after]), [...before, n, repeats, ...after])
    return reshape(wide, [...before, n * repeats, ...after])
  })
}

function rollSamples(): Sample<{ shift: number; axis: number }>[] {
  return [
    sampleWith({ shift: 2, axis: 0 }, [5]),
    sampleWith({ shift: 1, axis: 1 }, [3, 7]),
    sampleWith({ shift: 1, axis: 0 }, { shape: [4, 3], dtype: 'uint8', low: 0, high: 255 }),
    sampleWith({ shift: 30, axis: 0 }, [67, 130]),
  ]
}

/** Choosing between two values, element by element: `where`, and `clip`. */
import { requireNumeric } from '../../arguments.js'
import { defineComposed, defineOp } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { sample, sampleWith } from '../../autodiff/samples.js'
import { ValueError } from '../../errors.js'
import { defaultFloat, promote, requireDType } from '../../tensor/dtype.js'
import { broadcastShapes, type Shape } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { cast } from './elementwise.js'
import { callWith, scalarOf, toTensor } from './operands.js'

const callWhere = defineOp({
  name: 'where',
  rule: 'dA = dY where condition, dB = dY where not',
  shape: ([condition, a, b]) => {
    requireDType('where', 'condition', condition.dtype, ['bool'])
    return { shape: broadcastShapes('where', condition.shape, broadcastShapes('where', a.shape, b.shape)), dtype: a.dtype }
  },
  forward: (k, out, [condition, a, b]) => k.select(out, condition, a, b),
  vjp: ({ dY }, [condition, a, b], ops) => [
    null,
    () => ops.sumTo(ops.where(condition, dY, 0), a.shape),
    () => ops.sumTo(ops.where(condition, 0, dY), b.shape),
  ],
  jvp: ({ y }, [condition], ops) => [
    null,
    (v) => ops.broadcastTo(ops.where(condition, v, 0), y.shape),
    (v) => ops.broadcastTo(ops.where(condition, 0, v), y.shape),
  ],
  samples: whereSamples(),
})

const isNumber = (value: unknown): boolean => typeof value === 'number' || typeof value === 'boolean'

/**
 * a where the condition is true, b elsewhere.
 *
 * Shape:    condition, a, b → broadcast
 * Gradient: dA = dY where the condition is true, dB = dY where it is false; none for the condition
 *
 * Keep NaN out of the side that is not taken. Its value does not show, but its derivative does, because 0·NaN is NaN:
 * write `where(x.greater(0), log(where(x.greater(0), x, 1)), 0)`.
 *
 * @throws ShapeError if the shapes do not broadcast, DTypeError unless the condition is bool.
 * @example
 * ```ts
 * where(tensor([true, false]), tensor([1, 2]), -1) // [1, -1]
 * ```
 */
export function where(condition: Tensor, a: Tensor | number, b: Tensor | number): Tensor {
  requireTensor('where', 'the condition', condition)
  const numbers = isNumber(a) && isNumber(b)
  const left = numbers ? scalarOf(Number(a), condition.backend, defaultFloat(condition.backend)) : toTensor('where', a, b)
  const right = numbers ? scalarOf(Number(b), condition.backend, defaultFloat(condition.backend)) : toTensor('where', b, a)
  const common = promote(left.dtype, right.dtype)
  const operands = [condition, cast(left, common), cast(right, common)]
  const temporaries = [left, right, operands[1], operands[2]].filter((t) => t !== a && t !== b)
  return callWith(operands, temporaries, (all) => callWhere(all, {}))
}

const callClip = defineComposed<{ min: number; max: number }>({
  name: 'clip',
  compose: ([x], { min, max }, ops) => ops.minimum(ops.maximum(x, min), max),
  samples: clipSamples(),
})
/**
 * x limited to [min, max].
 *
 * Shape:    any → the same
 * Gradient: dX = dY where min ≤ x ≤ max, elsewhere 0
 *
 * @throws ValueError if min is above max.
 * @example
 * ```ts
 * clip(tensor([-2, 0.5, 2]), -1, 1) // [-1, 0.5, 1]
 * ```
 */
export function clip<S extends Shape>(x: Tensor<S>, min: number, max: number): Tensor<S> {
  requireTensor('clip', 'x', x)
  requireNumeric('clip', 'min', min)
  requireNumeric('clip', 'max', max)
  if (!(min <= max)) throw new ValueError(`clip: min ${min} must not be above max ${max}.`)
  return callClip([x], { min, max }) as Tensor<S>
}

function whereSamples(): Sample<object>[] {
  return [
    sample({ shape: [], dtype: 'bool' }, [], []),
    sample({ shape: [7], dtype: 'bool' }, [7], [7]),
    sample({ shape: [3, 5], dtype: 'bool' }, [5], []),
    sample({ shape: [3, 1], dtype: 'bool' }, [1, 4], [2, 1, 1]),
    sample({ shape: [0], dtype: 'bool' }, [0], [1]),
    sample({ shape: [129, 67], dtype: 'bool' }, [129, 67], [129, 67]),
    sample({ shape: [5], dtype: 'bool' }, { shape: [5], dtype: 'int32' }, { shape: [5], dtype: 'int32' }),
  ]
}

function clipSamples(): Sample<{ min: number; max: number }>[] {
  return [
    sampleWith({ min: -0.5, max: 0.5 }, []),
    sampleWith({ min: -0.4, max: 0.8 }, [3, 7]),
    sampleWith({ min: -1, max: 1 }, [0]),
    sampleWith({ min: -3, max: 4 }, { shape: [6], dtype: 'int32', low: -9, high: 9 }),
  ]
}

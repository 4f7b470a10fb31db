/** Two functions of two operands whose plain formulas overflow. */
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { sample } from '../../autodiff/samples.js'
import { floatOf, promote } from '../../tensor/dtype.js'
import { scope } from '../../tensor/scope.js'
import { broadcastShapes } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { cast } from './elementwise.js'

const callLogAddExp = defineComposed({
  name: 'logAddExp',
  // The greater plus ln(1 + e^−|a − b|). Equal infinities have no difference.
  compose: ([a, b], _, ops) => {
    const same = ops.equal(a, b)
    const difference = ops.sub(ops.where(same, 0, a), ops.where(same, 0, b))
    return ops.add(ops.maximum(a, b), ops.softplus(ops.neg(ops.abs(difference))))
  },
  derivative: {
    rule: 'dA = dY·σ(a − b), dB = dY·σ(b − a)',
    vjp: ({ dY }, [a, b], ops) => {
      const share = (x: Tensor, other: Tensor) => () =>
        ops.sumTo(ops.mul(dY, ops.sigmoid(ops.where(ops.equal(x, other), 0, ops.sub(x, other)))), x.shape)
      return [share(a, b), share(b, a)]
    },
  },
  samples: pairs(),
})

/**
 * ln(eᵃ + eᵇ), without overflow.
 *
 * Shape:    a and b broadcast together
 * Gradient: dA = dY·σ(a − b), dB = dY·σ(b − a)
 *
 * @example
 * ```ts
 * logAddExp(tensor([-Infinity]), tensor([3]))   // [3]
 * ```
 */
export function logAddExp(a: Tensor, b: Tensor): Tensor {
  return both('logAddExp', a, b, (x, y) => callLogAddExp([x, y], {}))
}

const callHypot = defineComposed({
  name: 'hypot',
  // Both by the greater, so that no square overflows.
  compose: ([a, b], _, ops) => {
    const greater = ops.maximum(ops.abs(a), ops.abs(b))
    const scale = ops.stopGradient(ops.where(ops.logicalAnd(ops.greater(greater, 0), ops.isFinite(greater)), greater, 1))
    return ops.mul(ops.sqrt(ops.add(ops.square(ops.div(a, scale)), ops.square(ops.div(b, scale)))), scale)
  },
  samples: pairs(),
})

/**
 * √(a² + b²), without overflow: the length of the vector (a, b).
 *
 * Shape:    a and b broadcast together
 * Gradient: dA = dY·a/y, dB = dY·b/y; NaN where both are 0
 *
 * @example
 * ```ts
 * hypot(tensor([3]), tensor([4]))   // [5]
 * ```
 */
export function hypot(a: Tensor, b: Tensor): Tensor {
  return both('hypot', a, b, (x, y) => callHypot([x, y], {}))
}

/** Both operands as floats of one dtype. */
function both(op: string, a: Tensor, b: Tensor, call: (a: Tensor, b: Tensor) => Tensor): Tensor {
  requireTensor(op, 'a', a)
  requireTensor(op, 'b', b)
  broadcastShapes(op, a.shape, b.shape)
  const common = floatOf(promote(a.dtype, b.dtype), a.backend)
  return scope(() => call(cast(a, common), cast(b, common)))
}

function pairs(): Sample<object>[] {
  return [sample([], []), sample([3, 1], [1, 4]), sample([7], []), sample([0, 3], [3]), sample([67, 130], [130])]
}

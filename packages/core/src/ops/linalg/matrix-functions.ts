/** Powers and the exponential of square matrices. */
import { requireWhole } from '../../arguments.js'
import { defineComposed, defineOp } from '../../autodiff/dispatch.js'
import type { Ops, Sample } from '../../autodiff/op.js'
import { sample, sampleWith, withoutGradient } from '../../autodiff/samples.js'
import { scope } from '../../tensor/scope.js'
import type { Tensor } from '../../tensor/tensor.js'
import { exponential } from './algorithms/exp.js'
import { columnsOf, identityLike, matrices, matrixByMatrix, rowsOf, sizesOf, transposed } from './matrices.js'
import { inverse } from './solve.js'

const callMatrixPower = defineComposed<{ n: number }>({
  name: 'matrixPower',
  // From the highest binary digit of n down: square, and multiply where the digit is 1.
  compose: ([a], { n }, ops) => {
    const base = n < 0 ? inverse(a) : a
    if (n === 0) return ops.broadcastTo(identityLike(a, sizesOf(a.shape)[0], ops), a.shape)
    let y = base
    for (const digit of Math.abs(n).toString(2).slice(1)) {
      y = ops.matMul(y, y)
      if (digit === '1') y = ops.matMul(y, base)
    }
    return ops.viewOf(y)
  },
  samples: matrixPowerSamples(),
})
/**
 * Aⁿ for a whole number n; of a negative n the power of the inverse.
 *
 * Shape:    [..b, n, n] → [..b, n, n]
 * Gradient: through the products
 * Cost:     at most 2·log₂ n products
 *
 * @throws ValueError if n is negative and a matrix singular, ShapeError if it is not square.
 * @example
 * ```ts
 * const y = matrixPower(tensor([[1, 1], [1, 0]]), 10)   // [[89, 55], [55, 34]]
 * ```
 */
export function matrixPower(a: Tensor, n: number): Tensor {
  requireWhole('matrixPower', 'n', n)
  return scope(() => callMatrixPower([matrices('matrixPower', 'a', a, true)], { n }))
}

const callMatrixExp: (inputs: readonly Tensor[], options: object) => Tensor = defineOp({
  name: 'matrixExp',
  rule: 'dA = the upper right block of exp([[Aᵀ, dY], [0, Aᵀ]])',
  shape: ([a]) => a,
  forward: matrixByMatrix('matrixExp', ([a], { rows }) => exponential(a, rows)),
  // The derivative of exp at A in the direction E is that block of exp([[A, E], [0, A]]); its adjoint is the derivative at Aᵀ (Higham 2008, eq. 10.43).
  vjp: ({ dY }, [a], ops) => [() => upperRight(callMatrixExp([doubled(transposed(a, ops), dY, ops)], {}), ops)],
  samples: matrixExpSamples(),
})

/** [[A, E], [0, A]] */
function doubled(a: Tensor, e: Tensor, ops: Ops): Tensor {
  const upper = ops.concat([a, e], -1)
  return ops.concat([upper, ops.concat([ops.zerosLike(a), a], -1)], -2)
}

function upperRight(x: Tensor, ops: Ops): Tensor {
  const n = sizesOf(x.shape)[0] / 2
  return columnsOf(rowsOf(x, 0, n, ops), n, 2 * n, ops)
}

/**
 * The exponential of a matrix, Σ Aᵏ/k!. A matrix with an infinity or NaN gives NaN.
 *
 * Shape:    [..b, n, n] → [..b, n, n]
 * Gradient: dA = the derivative of exp at Aᵀ in the direction dY, from an exponential of twice the size
 * Cost:     about 16n³ flops a matrix and 2n³ more for each doubling of its norm above 5, on the host (Higham 2005)
 *
 * @throws ShapeError if a matrix is not square.
 * @example
 * ```ts
 * const turn = matrixExp(tensor([[0, -1], [1, 0]]))   // [[cos 1, −sin 1], [sin 1, cos 1]]
 * ```
 */
export function matrixExp(a: Tensor): Tensor {
  return scope(() => callMatrixExp([matrices('matrixExp', 'a', a, true)], {}))
}

function matrixPowerSamples(): Sample<{ n: number }>[] {
  return [
    sampleWith({ n: 3 }, [3, 3]),
    sampleWith({ n: 6 }, [2, 2, 2]),
    sampleWith({ n: -2 }, { shape: [5, 5], diagonal: 6 }),
    withoutGradient('A⁰ is constant', sampleWith({ n: 0 }, [2, 3, 3])),
    sampleWith({ n: 1 }, [1, 1]),
    sampleWith({ n: 2 }, [0, 0]),
  ]
}

function matrixExpSamples(): Sample<object>[] {
  return [
    sample([3, 3]),
    sample({ shape: [2, 5, 5], low: -0.5, high: 0.5 }),
    sample([1, 1]),
    sample([0, 0]),
    sample([0, 2, 2]),
    sample({ shape: [3, 3], low: -4, high: 4 }),
  ]
}

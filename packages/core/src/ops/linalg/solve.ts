/** Systems of linear equations, inverses, and determinants: all by Gaussian elimination on the host. */
import { defineOp } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { sample } from '../../autodiff/samples.js'
import { scope } from '../../tensor/scope.js'
import type { Tensor } from '../../tensor/tensor.js'
import { eliminate, identity, solveByFactors } from './algorithms/lu.js'
import { solveWith } from './cholesky.js'
import { type MatrixCall, matrices, matrixByMatrix, products, transposed } from './matrices.js'

/** A⁻¹·B, or the error, which recommends the op `instead`. */
function solved(a: Float64Array, b: Float64Array, { rows, columns, refuse }: MatrixCall<object>, instead: string): Float64Array {
  const { order, singular } = eliminate(a, rows, rows)
  if (singular < 0) return solveByFactors(a, order, b, rows, columns)
  throw refuse(
    `is singular: its column ${singular} depends on the columns before it. Use ${instead}, or add a small multiple of the identity.`,
  )
}

const callSolve = defineOp({
  name: 'solve',
  rule: 'dB = A⁻ᵀ·dY, dA = −dB·Yᵀ',
  shape: ([, b]) => b,
  forward: matrixByMatrix('solve', ([a, b], call) => solved(a, b, call, 'leastSquares')),
  vjp: ({ dY, y }, [a], ops) => {
    let solution: Tensor | undefined
    const dB = (): Tensor => {
      solution ??= callSolve([transposed(a, ops), dY], {})
      return solution
    }
    return [() => ops.neg(products(ops).abT(dB(), y)), dB]
  },
  samples: solveSamples(),
})
/**
 * X with A·X = B. Leading axes are a batch and broadcast. A matrix counts as singular if a pivot is no larger than its rounding error.
 *
 * Shape:    a [..b, n, n], b [..b, n, k] → [..b, n, k]; or a [..b, n, n], b [n] → [..b, n]
 * Gradient: dB = A⁻ᵀ·dX, dA = −dB·Xᵀ (Giles 2008)
 * Cost:     ⅔n³ + 2n²·k flops a matrix, on the host; the gradient costs the same again
 *
 * @throws ValueError if a matrix is singular, ShapeError if shapes do not fit.
 * @example
 * ```ts
 * const x = solve(tensor([[2, 1], [1, 3]]), tensor([3, 5]))   // [0.8, 1.4]
 * ```
 */
export function solve(a: Tensor, b: Tensor): Tensor {
  return solveWith('solve', a, b, (x, y) => callSolve([x, y], {}))
}

const callInverse = defineOp({
  name: 'inverse',
  rule: 'dA = −Yᵀ·dY·Yᵀ',
  shape: ([a]) => a,
  forward: matrixByMatrix('inverse', ([a], call) => solved(a, identity(call.rows), call, 'pseudoInverse')),
  vjp: ({ dY, y }, _, ops) => {
    const { aTb, abT } = products(ops)
    return [() => ops.neg(aTb(y, abT(dY, y)))]
  },
  samples: squareSamples(),
})
/**
 * A⁻¹. To solve equations, `solve(a, b)` is faster and more exact.
 *
 * Shape:    [..b, n, n] → [..b, n, n]
 * Gradient: dA = −A⁻ᵀ·dY·A⁻ᵀ (Giles 2008)
 * Cost:     8/3·n³ flops a matrix, on the host
 *
 * @throws ValueError if a matrix is singular, ShapeError if it is not square.
 * @example
 * ```ts
 * const y = inverse(tensor([[2, 0], [0, 4]]))   // [[0.5, 0], [0, 0.25]]
 * ```
 */
export function inverse(a: Tensor): Tensor {
  return scope(() => callInverse([matrices('inverse', 'a', a, true)], {}))
}

export function squareSamples(): Sample<object>[] {
  return [
    sample({ shape: [3, 3], diagonal: 4 }),
    sample({ shape: [2, 5, 5], diagonal: 6 }),
    sample({ shape: [1, 1], diagonal: 3 }),
    sample([0, 0]),
    sample([0, 2, 2]),
  ]
}

function solveSamples(): Sample<object>[] {
  return [
    sample({ shape: [3, 3], diagonal: 4 }, [3, 2]),
    sample({ shape: [2, 5, 5], diagonal: 6 }, [2, 5, 1]),
    sample({ shape: [1, 1], diagonal: 3 }, [1, 3]),
    sample([0, 0], [0, 3]),
    sample([3, 3], [3, 0]),
    sample({ shape: [37, 37], diagonal: 50 }, [37, 41]),
  ]
}

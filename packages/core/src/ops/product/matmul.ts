/** The matrix product, in batches too. */
import { requireBoolean, requireOptions } from '../../arguments.js'
import { defineOp } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import { shapeError } from '../../errors.js'
import { floatOf, promote, requireDType } from '../../tensor/dtype.js'
import { scope } from '../../tensor/scope.js'
import { broadcastShapes, type Shape, sameShape, sizeOf } from '../../tensor/shape.js'
import type { CheckMatMul, MatMulShape } from '../../tensor/static-shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { cast } from '../elementwise/elementwise.js'
import { broadcastTo } from '../reduce/broadcast.js'
import { reshape } from '../shape/move.js'

/** Whether to swap the last two axes of an operand first. No copy is made. */
export interface MatMulOptions {
  /** Swaps the last two axes of a. */
  transposeA?: boolean
  /** Swaps the last two axes of b. */
  transposeB?: boolean
}

const MATMUL_OPTIONS = ['transposeA', 'transposeB'] as const

/** The type of `matMul`. Where sizes are known at compile time, it checks that they fit. */
export type MatMul = <A extends Tensor, B extends Tensor, const O extends MatMulOptions = object>(
  a: A,
  b: B & CheckMatMul<A['shape'], B['shape'], O>,
  options?: O,
) => Tensor<MatMulShape<A['shape'], B['shape'], O>>

/** Rows and columns of the product of the last two axes; throws if the inner sizes differ. */
function innerSizes(a: Shape, b: Shape, { transposeA = false, transposeB = false }: MatMulOptions): readonly [number, number] {
  const [m, k] = [a.at(transposeA ? -1 : -2), a.at(transposeA ? -2 : -1)] as [number, number]
  const [l, n] = [b.at(transposeB ? -1 : -2), b.at(transposeB ? -2 : -1)] as [number, number]
  if (k === l) return [m, n]
  throw shapeError(
    'matMul',
    `inner dimensions differ (${k} vs ${l})`,
    [
      { name: 'a', shape: a, bad: [transposeA ? -2 : -1] },
      { name: 'b', shape: b, bad: [transposeB ? -1 : -2] },
    ],
    k === n && !transposeB
      ? 'If b is stored as [out, in], pass { transposeB: true }.'
      : l === m && !transposeA
        ? 'If a is stored as [in, batch], pass { transposeA: true }.'
        : `Axis ${transposeA ? -2 : -1} of a must have as many elements as axis ${transposeB ? -1 : -2} of b.`,
  )
}

const call = defineOp<MatMulOptions>({
  name: 'matMul',
  rule: 'dA = dY·Bᵀ, dB = Aᵀ·dY',
  shape: ([a, b], options) => {
    requireDType('matMul', 'a', a.dtype, ['float32', 'float64'])
    return { shape: [...a.shape.slice(0, -2), ...innerSizes(a.shape, b.shape, options)], dtype: a.dtype }
  },
  forward: (k, out, [a, b], { transposeA = false, transposeB = false }) => k.matMul(out, a, b, transposeA, transposeB),
  // Let A' and B' be the operands after transposing. Then dA' = dY·B'ᵀ and dB' = A'ᵀ·dY. A transposed operand needs its cotangent transposed.
  vjp: ({ dY, options: { transposeA = false, transposeB = false } }, [a, b], ops) => [
    transposeA
      ? () => ops.matMul(b, dY, { transposeA: transposeB, transposeB: true })
      : () => ops.matMul(dY, b, { transposeB: !transposeB }),
    transposeB
      ? () => ops.matMul(dY, a, { transposeA: true, transposeB: transposeA })
      : () => ops.matMul(a, dY, { transposeA: !transposeA }),
  ],
  linear: true,
  samples: matMulSamples(),
})

/**
 * The matrix product over the last two axes. Leading axes are batches and broadcast. Integers are multiplied as float32.
 *
 * Shape:    a [..b, m, k], b [..b, k, n] → [..b, m, n]
 * Gradient: dA = dY·Bᵀ, dB = Aᵀ·dY
 * Cost:     2·b·m·k·n flops
 *
 * @throws ShapeError if the inner dimensions differ or an operand has fewer than two axes.
 * @example
 * ```ts
 * matMul(tensor([[1, 2]]), tensor([[3], [4]])) // [[11]]
 * const y = matMul(ones([32, 784]), ones([10, 784]), { transposeB: true })   // [32, 10]
 * ```
 */
export const matMul: MatMul = ((a: Tensor, b: Tensor, options: MatMulOptions = {}): Tensor => {
  requireTensor('matMul', 'a', a)
  requireTensor('matMul', 'b', b)
  requireOptions('matMul', options, MATMUL_OPTIONS, 'matMul(a, b, { transposeB: true })')
  const { transposeA = false, transposeB = false } = options
  requireBoolean('matMul', 'transposeA', transposeA)
  requireBoolean('matMul', 'transposeB', transposeB)
  if (a.rank < 2 || b.rank < 2) {
    const bad = a.rank < 2 ? 'a' : 'b'
    throw shapeError(
      'matMul',
      `both operands need at least 2 axes, ${bad} has ${Math.min(a.rank, b.rank)}`,
      [
        { name: 'a', shape: a.shape },
        { name: 'b', shape: b.shape },
      ],
      bad === 'a' ? 'For one sample add a batch axis: a.expandDims(0).' : 'For a vector add an axis: b.expandDims(1).',
    )
  }
  const common = floatOf(promote(a.dtype, b.dtype), a.backend)
  if (a.rank === 2 && b.rank === 2 && a.dtype === common && b.dtype === common) return call([a, b], options)
  innerSizes(a.shape, b.shape, options)
  return scope(() => {
    const [x, y] = [cast(a, common), cast(b, common)]
    if (y.rank === 2 && !options.transposeA) {
      // b is one matrix for the whole batch, so the batch becomes rows of one product.
      const rows = x.shape.slice(0, -1)
      const out = call([reshape(x, [sizeOf(rows), x.shape[x.rank - 1]]), y], options) // [b·m, n]
      return reshape(out, [...rows, out.shape[1]])
    }
    const lead = broadcastShapes('matMul', x.shape.slice(0, -2), y.shape.slice(0, -2))
    const broadcastBatch = (t: Tensor): Tensor =>
      sameShape(t.shape.slice(0, -2), lead) ? t : broadcastTo(t, [...lead, ...t.shape.slice(-2)])
    return call([broadcastBatch(x), broadcastBatch(y)], options)
  })
}) as unknown as MatMul

function matMulSamples(): Sample<MatMulOptions>[] {
  return [
    sampleWith({}, [2, 3], [3, 4]),
    sampleWith({ transposeA: true }, [3, 2], [3, 4]),
    sampleWith({ transposeB: true }, [2, 3], [4, 3]),
    sampleWith({ transposeA: true, transposeB: true }, [3, 2], [4, 3]),
    sampleWith({}, [1, 5], [5, 1]),
    sampleWith({}, [5, 2, 3], [5, 3, 4]),
    sampleWith({ transposeA: true }, [2, 3, 3, 2], [2, 3, 3, 4]),
    sampleWith({}, [0, 3], [3, 2]),
    sampleWith({}, [2, 0], [0, 3]),
    sampleWith({}, [67, 130], [130, 71]),
    sampleWith({ transposeA: true }, [2, 40, 18], [2, 40, 24]),
  ]
}

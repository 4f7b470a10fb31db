/**
 * The rows of `operations`: sorting, sums of products, Fourier transforms, linear algebra, images and attention. One step is one call on float32 operands.
 *
 * Libraries differ in one element as easily as in all, so results are compared as a whole, by `fingerprint`.
 */
import type { Row } from './networks.js'
import { uniformValues } from './random.js'

/** A float32 operand: uniform in [−1, 1), or a square matrix made from such values. */
export interface Operand {
  shape: readonly number[]
  /** (A + Aᵀ)/2, for `positive` with 2√n more on the diagonal, which makes it positive definite. */
  form?: 'symmetric' | 'positive'
}

/** One step: one call of an op. */
export interface OperationWorkload extends Row {
  kind: 'operation'
  op: OperationName
  operands: readonly Operand[]
  /** How it is written without the op, for the row "by hand". */
  byHand?: string
  /** Vectors of the result may have either sign. */
  eitherSign?: true
  equation?: string
  /** How many values `topK` takes. */
  k?: number
  /** The groups of a convolution. */
  groups?: number
  /** Height and width after `resize`. */
  size?: readonly [number, number]
}

export type OperationName =
  | 'sort'
  | 'argSort'
  | 'topK'
  | 'einsum'
  | 'fft'
  | 'solve'
  | 'inverse'
  | 'cholesky'
  | 'eigh'
  | 'svd'
  | 'conv2d'
  | 'depthwiseConv2d'
  | 'resize'
  | 'attention'
  | 'attentionGradient'
  | 'cumSum'
  | 'logSumExp'

type Extra = Omit<OperationWorkload, keyof Row | 'kind' | 'op' | 'operands'>

const row = (id: string, name: string, title: string, op: OperationName, operands: Operand[], extra: Extra = {}): OperationWorkload => ({
  kind: 'operation',
  id,
  name,
  title,
  op,
  operands,
  ...extra,
})

const million = 10 ** 6
const matrix = (form?: Operand['form']): Operand => ({ shape: [200, 200], ...(form && { form }) })
const images = { shape: [32, 28, 28, 64] }
const heads = { shape: [12, 64, 4, 32] }
const signal = (n: number): Operand[] => [{ shape: [n] }, { shape: [n] }]

export const operations: OperationWorkload[] = [
  row('O1', 'sort', 'sort of 10⁶ values', 'sort', [{ shape: [million] }], { byHand: 'Float32Array.prototype.sort' }),
  row('O2', 'arg-sort', 'argSort of 10⁶ values, stable', 'argSort', [{ shape: [million] }]),
  row('O3', 'top-k', 'the 5 greatest of each row of [1000, 1000]', 'topK', [{ shape: [1000, 1000] }], { k: 5 }),
  row('O4', 'einsum', 'bij,bjk->bik, 32 times 128×128 by 128×128', 'einsum', [{ shape: [32, 128, 128] }, { shape: [32, 128, 128] }], {
    equation: 'bij,bjk->bik',
    byHand: 'matMul',
  }),
  row('O5', 'einsum-8', 'bij,bjk->bik, twice 8×8 by 8×8', 'einsum', [{ shape: [2, 8, 8] }, { shape: [2, 8, 8] }], {
    equation: 'bij,bjk->bik',
    byHand: 'matMul',
  }),
  row('O6', 'fft', 'fft of 2¹⁸ complex values', 'fft', signal(2 ** 18)),
  row('O7', 'fft-prime', 'fft of 262139 complex values, a prime', 'fft', signal(262139)),
  row('O8', 'solve', 'A·X = B, [200, 200] and [200, 10]', 'solve', [matrix(), { shape: [200, 10] }]),
  row('O9', 'inverse', 'inverse of [200, 200]', 'inverse', [matrix()]),
  row('O10', 'cholesky', 'Cholesky factor of [200, 200]', 'cholesky', [matrix('positive')]),
  row('O11', 'eigh', 'eigenvalues and vectors of a symmetric [200, 200]', 'eigh', [matrix('symmetric')], { eitherSign: true }),
  row('O12', 'svd', 'singular values and vectors of [200, 200]', 'svd', [matrix()], { eitherSign: true }),
  row('O13', 'conv-groups', '[32, 28, 28, 64] ∗ 64 3×3 same, 4 groups', 'conv2d', [images, { shape: [3, 3, 16, 64] }], { groups: 4 }),
  row('O14', 'conv-depthwise', '[32, 28, 28, 64] ∗ 3×3 same, each channel alone', 'depthwiseConv2d', [images, { shape: [3, 3, 64, 1] }]),
  row('O15', 'resize', '[8, 224, 224, 3] to 320×320, bilinear', 'resize', [{ shape: [8, 224, 224, 3] }], {
    size: [320, 320],
    byHand: 'a loop over pixels',
  }),
  row('O16', 'attention', 'causal attention, [12, 64, 4, 32]', 'attention', [heads, heads, heads], { byHand: 'matMul and softmax' }),
  row('O17', 'attention-gradient', 'the same with its three gradients', 'attentionGradient', [heads, heads, heads, heads], {
    byHand: 'matMul and softmax',
  }),
  row('O18', 'cum-sum', 'running sums of each row of [1000, 1000]', 'cumSum', [{ shape: [1000, 1000] }]),
  row('O19', 'log-sum-exp', 'logSumExp of each row of [1000, 1000]', 'logSumExp', [{ shape: [1000, 1000] }], {
    byHand: 'max, exp, sum, log',
  }),
]

/** The values of the operands, from the seed. */
export function operandsOf({ operands }: OperationWorkload, seed: number): Float32Array[] {
  return operands.map(({ shape, form }, i) => {
    const values = uniformValues(seed + i, sizeOf(shape))
    if (!form) return values
    const [n] = shape
    const shift = form === 'positive' ? Math.ceil(2 * Math.sqrt(n)) : 0
    return values.map((x, at) => {
      const [r, c] = [Math.floor(at / n), at % n]
      return Math.fround(x + values[c * n + r]) / 2 + (r === c ? shift : 0)
    })
  })
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

const directions = new Map<number, Float32Array>()

/**
 * One number that says whether all values of a result are right: for each part of it the logarithm of its length, and its share in a random direction of
 * its space. Both change by about ε if the values have an error of ε times their length.
 */
export function fingerprint(parts: readonly ArrayLike<number>[], eitherSign = false): number {
  let print = 0
  for (const values of parts) {
    const n = values.length
    const direction = directions.get(n) ?? uniformValues(99, n)
    directions.set(n, direction)
    let [square, along] = [0, 0]
    for (let i = 0; i < n; i++) {
      const x = eitherSign ? Math.abs(values[i]) : values[i]
      square += x * x
      along += x * direction[i]
    }
    const length = Math.sqrt(square)
    print += Math.log(length / Math.sqrt(n)) + along / length
  }
  return print
}

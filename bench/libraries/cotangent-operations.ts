/** The rows of `operations` with Cotangent, and some of them by hand: without the op, in the same process. */
import {
  add,
  argSort,
  type Backend,
  cholesky,
  conv2d,
  cumSum,
  depthwiseConv2d,
  eigh,
  einsum,
  exp,
  fft,
  inverse,
  log,
  logSumExp,
  matMul,
  max,
  mul,
  resize,
  scaledDotProductAttention,
  scope,
  softmax,
  solve,
  sort,
  squeeze,
  sub,
  sum,
  svd,
  type Tensor,
  tensor,
  topK,
  transpose,
  vjp,
  withBackend,
} from '@cotangent/core'
import type { Prepared } from '../adapter.js'
import { fingerprint, type OperationName, type OperationWorkload, operandsOf } from '../operations.js'

type Operation = (inputs: readonly Tensor[], workload: OperationWorkload) => Tensor | readonly Tensor[]

const attention = (q: Tensor, k: Tensor, v: Tensor): Tensor => scaledDotProductAttention(q, k, v, { causal: true })

const withGradients =
  (f: (q: Tensor, k: Tensor, v: Tensor) => Tensor): Operation =>
  ([q, k, v, dY]) => {
    const { value, grads } = vjp(f, [q, k, v], dY)
    return [value, ...grads]
  }

/** Each op's results. The decompositions' vectors come as NumPy gives them. */
export const calls: Record<OperationName, Operation> = {
  sort: ([x]) => sort(x),
  argSort: ([x]) => argSort(x),
  topK([x], { k = 1 }) {
    const { values, indices } = topK(x, k)
    return [values, indices]
  },
  einsum: (inputs, { equation = '' }) => einsum(equation, ...inputs),
  fft([re, im]) {
    const { real, imag } = fft(re, im)
    return [real, imag]
  },
  solve: ([a, b]) => solve(a, b),
  inverse: ([a]) => inverse(a),
  cholesky: ([a]) => cholesky(a),
  eigh([a]) {
    const { values, vectors } = eigh(a)
    return [values, vectors]
  },
  svd([a]) {
    const { u, s, vT } = svd(a)
    return [u, s, vT]
  },
  conv2d: ([x, filter], { groups }) => conv2d(x, filter, { padding: 'same', groups }),
  depthwiseConv2d: ([x, filter]) => depthwiseConv2d(x, filter, { padding: 'same' }),
  resize: ([x], { size = [1, 1] }) => resize(x, size),
  attention: ([q, k, v]) => attention(q, k, v),
  attentionGradient: withGradients(attention),
  cumSum: ([x]) => cumSum(x),
  logSumExp: ([x]) => logSumExp(x),
}

function attentionByHand(q: Tensor, k: Tensor, v: Tensor): Tensor {
  const [, steps, , depth] = q.shape
  const [queries, keys, values] = [q, k, v].map((x) => transpose(x, [0, 2, 1, 3]))
  const closed = Float32Array.from({ length: steps * steps }, (_, i) => (i % steps > Math.floor(i / steps) ? -1e9 : 0))
  const scores = mul(matMul(queries, keys, { transposeB: true }), 1 / Math.sqrt(depth))
  const weights = softmax(add(scores, tensor(closed, { shape: [steps, steps] })))
  return transpose(matMul(weights, values), [0, 2, 1, 3])
}

const byHand: Partial<Record<OperationName, Operation>> = {
  einsum: ([a, b]) => matMul(a, b),
  attention: ([q, k, v]) => attentionByHand(q, k, v),
  attentionGradient: withGradients(attentionByHand),
  logSumExp([x]) {
    const most = max(x, { axis: -1, keepDims: true })
    return add(log(sum(exp(sub(x, most)), { axis: -1 })), squeeze(most, -1))
  },
}

/** Two pixels and the weight of the second, for each position of an axis in another size. */
function mixed(from: number, to: number): { first: Int32Array; second: Int32Array; weight: Float32Array } {
  const at = Float64Array.from({ length: to }, (_, i) => Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1))
  const first = Int32Array.from(at, Math.floor)
  return { first, second: first.map((i) => Math.min(i + 1, from - 1)), weight: Float32Array.from(at, (x, i) => x - first[i]) }
}

function resizeLoop(x: Float32Array, { operands: [{ shape }], size = [1, 1] }: OperationWorkload): () => Float32Array {
  const [n, h, w, c] = shape
  const [height, width] = size
  const [rows, columns] = [mixed(h, height), mixed(w, width)]
  return () => {
    const y = new Float32Array(n * height * width * c)
    let out = 0
    for (let image = 0; image < n; image++) {
      for (let i = 0; i < height; i++) {
        const [above, below, down] = [(image * h + rows.first[i]) * w * c, (image * h + rows.second[i]) * w * c, rows.weight[i]]
        for (let j = 0; j < width; j++) {
          const [left, right, across] = [columns.first[j] * c, columns.second[j] * c, columns.weight[j]]
          for (let channel = 0; channel < c; channel++) {
            const top = x[above + left + channel] * (1 - across) + x[above + right + channel] * across
            const bottom = x[below + left + channel] * (1 - across) + x[below + right + channel] * across
            y[out++] = top * (1 - down) + bottom * down
          }
        }
      }
    }
    return y
  }
}

/** Results of plain JavaScript. */
const loops: Partial<Record<OperationName, (operands: readonly Float32Array[], workload: OperationWorkload) => () => Float32Array>> = {
  sort:
    ([x]) =>
    () =>
      x.slice().sort(),
  resize: ([x], workload) => resizeLoop(x, workload),
}

/** The operands of a workload as tensors. */
export const inputsOf = (workload: OperationWorkload, seed: number, dtype: 'float32' | 'float64' = 'float32'): Tensor[] =>
  operandsOf(workload, seed).map((values, i) => tensor(values, { shape: [...workload.operands[i].shape], dtype }))

/** Repeats an operation. The last results are read whole, outside the time of a step. */
function repeated(operation: Operation, workload: OperationWorkload, seed: number): Prepared {
  const inputs = inputsOf(workload, seed)
  return {
    async run(steps) {
      const results = scope(() => {
        for (let i = 1; i < steps; i++) scope(() => void operation(inputs, workload))
        return [operation(inputs, workload)].flat()
      })
      return async () => {
        const values = await Promise.all(results.map((result) => result.data()))
        for (const result of results) result.dispose()
        return fingerprint(values, workload.eitherSign)
      }
    },
    dispose() {
      for (const input of inputs) input.dispose()
    },
  }
}

export const operation = (workload: OperationWorkload, seed: number): Prepared => repeated(calls[workload.op], workload, seed)

export function operationByHand(workload: OperationWorkload, seed: number): Prepared {
  const { op, name } = workload
  const loop = loops[op]?.(operandsOf(workload, seed), workload)
  if (loop) {
    return {
      async run(steps) {
        for (let i = 1; i < steps; i++) loop()
        const result = loop()
        return async () => fingerprint([result])
      },
      dispose() {},
    }
  }
  const call = byHand[op]
  if (!call) throw new Error(`${name} is not written by hand.`)
  return repeated(call, workload, seed)
}

/** All values of an operation's results on a backend. */
export async function resultsOf(
  workload: OperationWorkload,
  seed: number,
  dtype: 'float32' | 'float64',
  backend: Backend,
): Promise<number[][]> {
  const results = withBackend(backend, () => scope(() => [calls[workload.op](inputsOf(workload, seed, dtype), workload)].flat()))
  const values = await Promise.all(results.map(async (result) => Array.from(await result.data())))
  for (const result of results) result.dispose()
  return values
}

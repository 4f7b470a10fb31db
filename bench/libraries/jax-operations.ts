/** The rows of `operations` with jax-js. */
import type { Prepared } from '../adapter.js'
import { fingerprint, type OperationName, type OperationWorkload, operandsOf } from '../operations.js'
import { channelsFirst, channelsLast, turnedFilter } from './jax-layout.js'
import type { Flat, Jax, JaxArray } from './jax-library.js'

type Operation = (inputs: Flat, workload: OperationWorkload) => JaxArray | Flat

/** Each op's results, in the order of ours; images are [n, c, h, w]. */
function callsOf({ numpy: np, lax, nn, vjp }: Jax): Partial<Record<OperationName, Operation>> {
  const turned = (x: JaxArray): JaxArray => np.transpose(x, [0, 2, 1, 3])
  // Its own attention calls einsum, which needs Node 22.
  const attention = (...[q, k, v]: Flat): JaxArray => {
    const [, steps, , depth] = q.shape
    const closed = np.array(
      Float32Array.from({ length: steps * steps }, (_, i) => (i % steps > Math.floor(i / steps) ? -1e9 : 0)),
      { shape: [steps, steps] },
    )
    const scores = np
      .matmul(turned(q), np.matrixTranspose(turned(k)))
      .mul(1 / Math.sqrt(depth))
      .add(closed)
    return turned(np.matmul(nn.softmax(scores, -1), turned(v)))
  }
  return {
    sort: ([x]) => np.sort(x),
    argSort: ([x]) => np.argsort(x),
    topK: ([x], { k = 1 }) => lax.topK(x, k),
    einsum: (inputs, { equation = '' }) => np.einsum(equation, ...inputs),
    fft([re, im]) {
      const { real, imag } = np.fft.fft({ real: re, imag: im })
      return [real, imag]
    },
    solve: ([a, b]) => np.linalg.solve(a, b),
    inverse: ([a]) => np.linalg.inv(a),
    cholesky: ([a]) => np.linalg.cholesky(a),
    eigh: ([a]) => np.linalg.eigh(a),
    svd: ([a]) => np.linalg.svd(a, { fullMatrices: false }),
    conv2d: ([x, filter], { groups = 1 }) => lax.convGeneralDilated(x, filter, [1, 1], 'SAME', { featureGroupCount: groups }),
    depthwiseConv2d: ([x, filter], { operands }) =>
      lax.convGeneralDilated(x, filter, [1, 1], 'SAME', { featureGroupCount: operands[0].shape[3] }),
    attention: ([q, k, v]) => attention(q, k, v),
    attentionGradient([q, k, v, dY]) {
      const [y, back] = vjp(attention, [q, k, v])
      return [y, ...back(dY)]
    },
    cumSum: ([x]) => np.cumsum(x, -1),
    logSumExp: ([x]) => nn.logsumexp(x, -1),
  }
}

/** Names that it refuses inside of `jit`. */
const withoutJit = new Set<OperationName>(['solve', 'inverse'])

/** Repeats an operation in one `jit`. The last results are read whole, outside the time of a step. */
export function operation(jax: Jax, workload: OperationWorkload, seed: number): Prepared {
  const call = callsOf(jax)[workload.op]
  if (!call) throw new Error(`it has no ${workload.op}`)
  const [[length]] = workload.operands.map(({ shape }) => shape)
  if (workload.op === 'fft' && !Number.isInteger(Math.log2(length))) throw new Error('a prime factor p costs it p² products, minutes here')
  const convolution = workload.op === 'conv2d' || workload.op === 'depthwiseConv2d'
  const held = operandsOf(workload, seed).map((values, i) => {
    const { shape } = workload.operands[i]
    if (!convolution) return jax.numpy.array(values, { shape: [...shape] })
    const [a, b, c, d] = shape
    if (i === 0) return jax.numpy.array(channelsFirst(values, shape), { shape: [a, d, b, c] })
    // A depthwise filter [kh, kw, c, 1] is one of c filters that see one channel each.
    const [channels, filters] = workload.op === 'conv2d' ? [c, d] : [1, c * d]
    return jax.numpy.array(turnedFilter(values, a, channels, filters), { shape: [filters, channels, a, b] })
  })
  const run = (...inputs: Flat): JaxArray | Flat => call(inputs, workload)
  const compiled = withoutJit.has(workload.op) ? run : jax.jit(run)
  const step = async (): Promise<Flat> => {
    const results = [compiled(...held.map((x) => x.ref))].flat()
    for (const each of results) await each.blockUntilReady()
    return results
  }
  return {
    async run(steps) {
      for (let i = 1; i < steps; i++) for (const each of await step()) each.dispose()
      const last = await step()
      return async () => {
        const shapes = last.map(({ shape }) => [...shape])
        const values: ArrayLike<number>[] = []
        for (const each of last) values.push(await each.data())
        return fingerprint(convolution ? values.map((y, i) => channelsLast(y, shapes[i])) : values, workload.eitherSign)
      }
    },
    dispose() {
      for (const each of held) each.dispose()
    },
  }
}

/**
 * A process for node-versions.test.ts. It runs every op, with first and second derivatives, and trains networks, so that this version of V8 compiles and runs every
 * family of kernels. It prints one line of JSON: digests of all results.
 */
import { createWasmBackend, registry, type TypedArray } from '@cotangent/core'
import { digest } from '../../core/test/digest.js'
import { drawInputs, type Outcome, run } from '../../core/test/sweep.js'
import { bidirectional, dense, embedding, gru, lstm, optimizerNames, Sequential, simpleRNN } from '../src/index.js'
import { train } from './training.js'

/** The printed results. */
export interface NodeVersionResults {
  node: string
  /** Kernels were 256 bits wide. */
  simd256: boolean
  /** A digest for each op. */
  ops: Record<string, string>
  /** Losses and weights of each network. */
  trainings: Record<string, unknown>
}

const arraysOf = ({ value, grads = [], second = [] }: Outcome): TypedArray[] =>
  [value, ...grads, ...second].filter((array) => array !== undefined)

const wasm = createWasmBackend({ threads: 2, ...(process.argv.includes('narrow') && { simd256: false }) })

const results: NodeVersionResults = { node: process.version, simd256: wasm.info?.().simd256 ?? false, ops: {}, trainings: {} }
for (const op of registry.values()) {
  const arrays: TypedArray[] = []
  for (const [i, sample] of op.samples.entries())
    arrays.push(...arraysOf(await run(op, sample, drawInputs(op, sample, i), wasm, 'float32')))
  results.ops[op.name] = digest(arrays)
}

for (const name of ['perceptron', 'convolutional'] as const) results.trainings[name] = await train(wasm, 3, name)

const words = Float32Array.from({ length: 64 * 40 }, (_, i) => (i * 7919) % 50)
for (const optimizer of optimizerNames) {
  const model = new Sequential(
    [
      embedding(50, 12, { inputLength: 40 }),
      bidirectional(lstm(9, { returnSequences: true })),
      gru(7, { returnSequences: true }),
      simpleRNN(5),
      dense(1),
    ],
    { seed: 5, backend: wasm },
  )
  model.compile({ optimizer, loss: 'mse' })
  const { history } = await model.fit(
    { data: words, shape: [64, 40] },
    { data: words.slice(0, 64), shape: [64, 1] },
    { epochs: 2, verbose: 0 },
  )
  results.trainings[optimizer] = { losses: history.loss, weights: digest((await model.getWeights()).map(({ data }) => data)) }
}

console.log(JSON.stringify(results))

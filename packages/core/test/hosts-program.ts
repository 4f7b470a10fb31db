/** The program that hosts.test.ts runs in Deno and Bun, and in Node to compare. It prints JSON. */
import { currentBackend, key, matMul, normal, ones, scope, valueAndGrad, withBackend } from '../src/index.js'
import { digest } from './digest.js'
import { threadedBackend } from './threads.js'

/** A digest of a loss and its gradients on a number of threads, and whether workers ran parts of kernels. */
async function train(threads: number): Promise<{ bits: string; helped: boolean }> {
  const { backend, helped } = await threadedBackend({ threads, relaxedSimd: false })
  const { x, w } = withBackend(backend, () => ({ x: normal(key(1), [300, 200]), w: normal(key(2), [200, 100]) }))
  const values: Float32Array[] = []
  // Some workers get messages only in turns of the event loop, so the rounds await something in between.
  for (let round = 0; round < 20; round++) {
    const { value, grads } = valueAndGrad([w], () => matMul(x, w).tanh().softmax().log().mean())
    values.push((await value.data()) as Float32Array, (await grads[0].data()) as Float32Array)
    for (const tensor of [value, ...grads]) tensor.dispose()
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const result = { bits: digest(values), helped: helped() > 0 }
  await backend.dispose?.()
  return result
}

const [one, two] = [await train(1), await train(2)]
// The default backend reads its settings from the environment.
const sum = await scope(() => ones([2, 3]).sum().keep()).item()
console.log(JSON.stringify({ one, two, sum, backend: currentBackend().name }))

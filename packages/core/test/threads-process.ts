/**
 * A process for threads.test.ts. It makes and disposes many backends with threads, then works with one more and ends without disposing
 * it.
 */
import { existsSync, readdirSync } from 'node:fs'
import { createWasmBackend, matMul, ones } from '../src/index.js'

/** The number of threads of this process, on systems that list them. */
const threadsNow = (): number => (existsSync('/proc/self/task') ? readdirSync('/proc/self/task').length : 0)

async function main(): Promise<void> {
  const before = threadsNow()
  for (let i = 0; i < 12; i++) {
    const backend = createWasmBackend({ threads: 3 })
    const x = ones([300, 300], { backend })
    matMul(x, x).dispose()
    await backend.dispose?.()
  }
  if (threadsNow() > before) throw new Error(`${threadsNow() - before} threads are left`)
  console.log('disposed')

  const backend = createWasmBackend({ threads: 2 })
  const x = ones([300, 300], { backend })
  for (let i = 0; i < 200; i++) matMul(x, x).dispose()
  await new Promise((resolve) => setTimeout(resolve, 100))
  for (let i = 0; i < 200; i++) matMul(x, x).dispose()
  const product = matMul(x, x)
  if ((await product.data()).some((value) => value !== 300)) throw new Error('wrong product')
  console.log('worked')
}

await main()

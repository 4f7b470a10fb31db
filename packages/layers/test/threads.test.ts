/** A whole training has the same bits for any number of threads. */
import { createWasmBackend } from '@cotangent/core'
import { expect, test } from 'vitest'
import { dense, dropout, Sequential } from '../src/index.js'

/** Weights after 20 steps of a network whose kernels are large enough to be split. */
async function weightsAfterTraining(threads: number): Promise<{ weights: Buffer; loss: number[] }> {
  const backend = createWasmBackend({ threads })
  await new Promise((resolve) => setTimeout(resolve, 200)) // usually enough for workers to start; without them the result is the same
  try {
    const model = new Sequential(
      [dense(201, { activation: 'relu', inputShape: [403] }), dropout(0.3), dense(10, { activation: 'softmax' })],
      {
        seed: 3,
        backend,
      },
    )
    model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy' })
    const [rows, columns, classes] = [640, 403, 10]
    const x = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i * 0.7) + Math.cos(i * 0.013))
    const y = Float32Array.from({ length: rows * classes }, (_, i) => Number(i % classes === Math.floor(i / classes) % classes))
    // 5 epochs of 4 steps.
    const { history } = await model.fit(
      { data: x, shape: [rows, columns] },
      { data: y, shape: [rows, classes] },
      { epochs: 5, batchSize: 160, verbose: 0 },
    )
    const parts = (await model.getWeights()).map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength))
    return { weights: Buffer.concat(parts), loss: history.loss }
  } finally {
    await backend.dispose?.()
  }
}

test('training with 1, 2 and 4 threads', async () => {
  const one = await weightsAfterTraining(1)
  expect(one.loss.at(-1)).toBeLessThan(one.loss[0])
  for (const threads of [2, 4]) {
    const more = await weightsAfterTraining(threads)
    expect(more.loss).toEqual(one.loss)
    expect(more.weights.equals(one.weights)).toBe(true)
  }
})

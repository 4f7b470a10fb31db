/** A whole training has the same bits for any number of threads. */
import { createWasmBackend } from '@cotangent/core'
import { expect, test } from 'vitest'
import { train, trainShared } from './training.js'

test.each(['perceptron', 'convolutional'] as const)('training a %s network with 1, 2, 4 and 16 threads', async (name) => {
  const one = await train(createWasmBackend(), undefined, name)
  expect(one.losses.at(-1)).toBeLessThan(one.losses[0])
  // The workers must do a part of the work; otherwise this would compare one thread with itself.
  for (const threads of [2, 4, 16])
    expect(await trainShared({ threads }, name)).toEqual({ ...one, info: expect.objectContaining({ threads }) })
  await expect(trainShared({ threads: 1 }, name)).rejects.toThrow('no worker ran any part')
})

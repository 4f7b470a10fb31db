/** A whole training has the same bits for any number of threads. */
import { createWasmBackend } from '@cotangent/core'
import { expect, test } from 'vitest'
import { train, trainShared } from './training.js'

test('training with 1, 2 and 4 threads', async () => {
  const one = await train(createWasmBackend())
  expect(one.losses.at(-1)).toBeLessThan(one.losses[0])
  // With workers that do take parts: else this would compare one thread with one thread.
  for (const threads of [2, 4]) expect(await trainShared({ threads })).toEqual({ ...one, info: expect.objectContaining({ threads }) })
  await expect(trainShared({ threads: 1 })).rejects.toThrow('no worker ran any part')
})

/** The networks of the MNIST experiments on a browser's devices. On real digits the losses are those of the wasm backend in Node. */
import { mnist } from '@cotangent/datasets'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { gpuFlags, openSite, type Site, withoutChromium } from '../../../core/test/browser/harness.js'
import * as here from '../gpu-digits.js'
import { allGpuTests } from '../gpu-training-expectations.js'

/** Digits, digits in a step, and steps. Software rendering is slow, so there are few here and more in `npm run test:gpu`. */
const [count, batch, steps] = allGpuTests ? [64, 16, 12] : [8, 8, 3]

describe.skipIf(withoutChromium)(`networks of the MNIST experiments in Chromium${withoutChromium}`, () => {
  let site: Site<typeof here>
  let digits: here.Digits
  beforeAll(async () => {
    site = await openSite<typeof here>(new URL('../gpu-digits.ts', import.meta.url), { flags: gpuFlags })
    const { xTrain, yTrain } = await mnist.loadData()
    digits = { pixels: xTrain.data.slice(0, count * 784), labels: yTrain.data.slice(0, count) }
  })
  afterAll(() => site?.close())

  describe.each(['webgl2', 'webgpu'] as const)('%s', (mode) => {
    test.each(['mnist-mlp', 'mnist-cnn-light', 'mnist-lstm-confusion'] as const)(
      '%s',
      async (name) => {
        const page = await site.open()
        try {
          const [got, want] = [
            await page.call('trainDigits', mode, name, digits, batch, steps),
            await here.trainDigits('wasm', name, digits, batch, steps),
          ]
          expect(got.length).toBe(steps)
          for (let i = 0; i < steps; i++)
            expect(Math.abs(got[i] - want[i]) / want[i], `step ${i}: ${got} beside ${want}`).toBeLessThan(1e-3)
          expect(got[steps - 1]).toBeLessThan(got[0])
        } finally {
          await page.close()
        }
      },
      900_000,
    )
  })
})

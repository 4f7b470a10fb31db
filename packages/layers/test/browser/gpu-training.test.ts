/** Trainings on a browser's devices, compared with the wasm backend and the reference in Node. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { gpuFlags, openSite, type Site, withoutChromium } from '../../../core/test/browser/harness.js'
import type * as module from '../gpu-training.js'
import { allGpuTests, expectFlat, expectSameTraining } from '../gpu-training-expectations.js'

/** The functions that the page runs. The list of names is no function. */
type Trainings = Omit<typeof module, 'networkNames'>
const networks: module.GpuNetwork[] = ['perceptron', 'convolutional', 'recurrent']

describe.skipIf(withoutChromium)(`trainings on devices in Chromium${withoutChromium}`, () => {
  let site: Site<Trainings>
  beforeAll(async () => {
    site = await openSite<Trainings>(new URL('../gpu-training.ts', import.meta.url), { flags: gpuFlags })
  })
  afterAll(() => site?.close())

  async function inPage(work: (there: Parameters<typeof expectFlat>[0]) => Promise<void>): Promise<void> {
    const page = await site.open()
    try {
      await work({
        trainOn: (...values) => page.call('trainOn', ...values),
        gradientsOn: (...values) => page.call('gradientsOn', ...values),
        memoryOn: (...values) => page.call('memoryOn', ...values),
      })
      // drivers remark on speed
      expect(page.said.filter((line) => !/GL Driver Message|GPU stall/.test(line))).toEqual([])
    } finally {
      await page.close()
    }
  }

  describe.each(['webgl2', 'webgpu'] as const)('%s', (mode) => {
    // WebGPU runs the same WGSL in Node, where all of this is always tested
    const quick = mode === 'webgl2' || allGpuTests
    const slow = quick ? '' : ' (skipped: slow; npm run test:gpu)'
    for (const name of networks) {
      const train = () => inPage((page) => expectSameTraining(page, mode, name))
      const skipped = name === 'perceptron' ? '' : slow
      test.skipIf(skipped)(`a ${name} network trains as on wasm${skipped}`, train, 900_000)
    }
    test.skipIf(slow)(`memory is flat over 500 steps${slow}`, () => inPage((page) => expectFlat(page, mode)), 900_000)
  })
})

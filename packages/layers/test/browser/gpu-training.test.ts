/** Trainings on a browser's devices, against the wasm backend and the reference in Node. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { gpuFlags, openSite, type Site, withoutChromium } from '../../../core/test/browser/harness.js'
import type * as module from '../gpu-training.js'
import { expectFlat, expectSameTraining } from '../gpu-training-expectations.js'

/** What the page runs; its list of names is no function. */
type Trainings = Omit<typeof module, 'networkNames'>
const networks: module.GpuNetwork[] = ['perceptron', 'convolutional', 'recurrent']

describe.skipIf(withoutChromium)(`trainings on devices in Chromium${withoutChromium}`, () => {
  let site: Site<Trainings>
  beforeAll(async () => {
    site = await openSite<Trainings>(new URL('../gpu-training.ts', import.meta.url), gpuFlags)
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

  // WebGPU runs the same WGSL in Node, where all of them are trained.
  test.each(networks)(
    'a %s network trains on webgl2 as on wasm',
    (name) => inPage((page) => expectSameTraining(page, 'webgl2', name)),
    900_000,
  )
  test('a perceptron trains on webgpu as on wasm', () => inPage((page) => expectSameTraining(page, 'webgpu', 'perceptron')), 900_000)
  test('memory is flat over 500 steps on webgl2', () => inPage((page) => expectFlat(page, 'webgl2')), 900_000)
})

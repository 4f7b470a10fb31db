/**
 * Trainings on the gpu backend's engines that run in Node, compared with the wasm backend and the reference. browser/gpu-training.test.ts does it in browsers.
 */
import { describe, test } from 'vitest'
import { withoutHeadlessGl } from '../../core/test/headless-gl.js'
import { withoutWebGpu } from '../../core/test/webgpu-node.js'
import * as training from './gpu-training.js'
import { expectFlat, expectSameTraining } from './gpu-training-expectations.js'

describe('on webasm', () => {
  test.each(training.networkNames)('a %s network trains as on wasm', (name) => expectSameTraining(training, 'webasm', name), 600_000)
  test('memory is flat over 500 steps', () => expectFlat(training, 'webasm'), 600_000)
})

describe('on cpu', () => {
  test.each(training.networkNames)('a %s network trains as on wasm', (name) => expectSameTraining(training, 'cpu', name), 600_000)
})

describe.skipIf(withoutWebGpu)(`on webgpu${withoutWebGpu}`, () => {
  test.each(training.networkNames)('a %s network trains as on wasm', (name) => expectSameTraining(training, 'webgpu', name), 600_000)
  test('memory is flat over 500 steps', () => expectFlat(training, 'webgpu'), 600_000)
})

describe.skipIf(withoutHeadlessGl)(`on headlessgl${withoutHeadlessGl}`, () => {
  test.each(training.networkNames)('a %s network trains as on wasm', (name) => expectSameTraining(training, 'headlessgl', name), 1_200_000)
  test('memory is flat over 500 steps', () => expectFlat(training, 'headlessgl'), 1_200_000)
})

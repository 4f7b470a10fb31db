/** Expectations of a training on an engine of the gpu backend, wherever it runs. */
import type { GpuMode } from '@cotangent/core'
import { expect } from 'vitest'
import * as here from './gpu-training.js'

/** The functions of gpu-training.ts, called here or in a page. */
type Training = {
  [N in 'trainOn' | 'gradientsOn' | 'memoryOn']: (...values: Parameters<(typeof here)[N]>) => Promise<Awaited<ReturnType<(typeof here)[N]>>>
}

/** Whether to run the slow trainings, too: `npm run test:gpu` sets this. */
export const allGpuTests = process.env.COTANGENT_GPU_TESTS === 'all'

const STEPS = 200

/**
 * Gradients of the first step agree with the reference's within 2e-5: they are sums of up to 50 products in float32. Losses agree with those of wasm within 1e-3
 * of their value for 100 steps of SGD, during which rounding hardly grows. The last accuracy of Adam agrees within a point.
 */
export async function expectSameTraining(there: Training, mode: GpuMode, name: here.GpuNetwork): Promise<void> {
  const [got, want] = [await there.gradientsOn(mode, name), await here.gradientsOn('reference', name)]
  expect(got.length).toBe(want.length)
  expect(Math.max(...want.map(Math.abs))).toBeGreaterThan(0.01)
  expect(Math.max(...got.map((g, i) => Math.abs(g - want[i])))).toBeLessThan(2e-5)

  const [ours, wasms] = [await there.trainOn(mode, name, 0.05, STEPS), await here.trainOn('wasm', name, 0.05, STEPS)]
  expect(ours.losses.length).toBe(STEPS)
  expect(ours.losses[STEPS - 1]).toBeLessThan(ours.losses[0])
  for (let i = 0; i < 100; i++) expect(Math.abs(ours.losses[i] - wasms.losses[i]) / wasms.losses[i]).toBeLessThan(1e-3)

  const [adam, wasmAdam] = [await there.trainOn(mode, name, 'adam', STEPS), await here.trainOn('wasm', name, 'adam', STEPS)]
  expect(Math.abs(adam.accuracy - wasmAdam.accuracy)).toBeLessThanOrEqual(0.01)
}

/** The same number of textures or buffers, kernels and tensors after 100 steps as after 500. */
export async function expectFlat(there: Training, mode: GpuMode): Promise<void> {
  const counts = await there.memoryOn(mode, 500)
  if (mode !== 'webasm' && mode !== 'cpu') expect(counts[0].objects).toBeGreaterThan(10)
  expect(counts.slice(1)).toEqual(counts.slice(1).map(() => counts[1]))
}

/** Calls a stage of callbacks, in their order. The weights stand still meanwhile. */
import type { Callback, TestContext } from '../callbacks/callback.js'
import { paused, type Use } from './model-use.js'

/** Calls a stage of all callbacks. */
export type Tell = (stage: (callback: Callback) => void | Promise<void> | undefined) => Promise<void>

/** @param use the use that waits for the callbacks */
export const tellAll =
  (callbacks: readonly Callback[], use: Use | undefined): Tell =>
  async (stage) => {
    for (const callback of callbacks) {
      const waiting = paused(use, () => stage(callback))
      if (waiting) await waiting
    }
  }

/** Does work between a stage at its beginning and one at its end. If it fails, the end is told, too, and the error is thrown. */
export async function between<Result>(
  begin: () => Promise<void>,
  work: () => Promise<Result>,
  end: (result?: Result) => Promise<void>,
): Promise<Result> {
  await begin()
  let result: Result
  try {
    result = await work()
  } catch (error) {
    await end().catch(() => {})
    throw error
  }
  await end(result)
  return result
}

/** The plan that a test or a prediction tells to callbacks at its beginning. */
export const testContext = (model: object, { steps, samples }: Pick<TestContext, 'steps' | 'samples'>): TestContext => ({
  model: model as TestContext['model'],
  steps,
  samples,
})

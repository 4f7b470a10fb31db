/** The numbers that the code of a step imports (code.ts), computed again from the seed in the explorer's worker. */
import { type Key, type Tensor, tensor } from '@cotangent/core'
import { samplesOf } from './data.js'
import { Run, type Shown, useSameBits } from './run.js'
import type { Setup } from './setup.js'

/** The numbers of a step: with these its loss is a function without any state. */
export interface StepNumbers {
  /** The weights before the update. */
  readonly weights: readonly Shown[]
  readonly x: Shown
  readonly y: Shown
  /** The key of dropout. */
  readonly key: Key
  readonly loss: number
}

/** Replays a training from its seed to a step. */
export async function stepOf(setup: Setup, step: number, onStep: (step: number) => void = () => {}): Promise<StepNumbers> {
  await useSameBits()
  const run = new Run(setup, (await samplesOf(setup)).data)
  return numbersAt(run, step, onStep)
}

export async function numbersAt(run: Run, step: number, onStep: (step: number) => void = () => {}): Promise<StepNumbers> {
  const moment = await run.at(step, (now) => {
    onStep(now)
    return false
  })
  if (!moment || !run.fed) throw new Error(`There is no step ${step}.`)
  return { weights: moment.parameters.map(({ weight }) => weight), loss: moment.loss, ...run.fed }
}

/** The module "time-machine" on the current backend. */
export function moduleOf({ weights, x, y, key }: StepNumbers): Record<string, unknown> {
  const made = ({ values, shape }: Shown): Tensor => tensor(values, { shape })
  return { weights: weights.map(made), x: made(x), y: made(y), key }
}

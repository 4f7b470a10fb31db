/** The samples of a setup: points that are drawn, or digits that are loaded. */
import { inked, loadDigits, PIXELS } from '../shared/digits.js'
import { pointsOf } from './points.js'
import type { Data } from './run.js'
import type { Setup } from './setup.js'

/** Digits to learn from, and others to count with. */
const TRAIN = 2560
const TEST = 500

export interface Samples {
  readonly data: Data
  /** Digits that it does not learn from. */
  readonly test?: { readonly x: Float32Array; readonly y: Uint8Array }
}

export async function samplesOf({ problem }: Setup): Promise<Samples> {
  if (problem !== 'digits') return { data: pointsOf(problem) }
  const { train, test } = await loadDigits()
  return {
    data: { x: inked(train).subarray(0, TRAIN * PIXELS), y: train.labels.subarray(0, TRAIN), count: TRAIN },
    test: { x: inked(test).subarray(0, TEST * PIXELS), y: test.labels.subarray(0, TEST) },
  }
}

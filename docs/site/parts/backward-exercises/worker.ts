/** Runs the reader's rules: checks them, trains with them. */

import type { Vjp } from '@cotangent/core'
import * as core from '@cotangent/core'
import { loadDigits, NoDigits } from '../shared/digits.js'
import type { Told } from '../shared/engine.js'
import { runReaderCode } from '../shared/reader-code.js'
import { serve, type Tell, toldOf } from '../shared/serve.js'
import { type CaseResult, checkRule } from './check.js'
import type { Diagnosis } from './diagnose.js'
import { type DigitSet, drawnDigits, type Learned, learnDigits, type Progress } from './digits.js'
import { ruleOf } from './rule.js'
import { type Trained, trainBoth } from './trainings.js'

export interface Checked {
  readonly passed: boolean
  readonly cases: readonly (Omit<CaseResult, 'error'> & { readonly told?: Told })[]
  readonly diagnosis?: Diagnosis
  /** The lines that the code printed. */
  readonly printed: readonly string[]
}

/** The rules that codes export, on a new backend: what the last call left is gone. */
async function rulesIn(codes: readonly string[], print: (line: string) => void = () => {}): Promise<Vjp<object>[]> {
  await core.useBackend('wasm')
  const rules: Vjp<object>[] = []
  for (const code of codes) rules.push(await ruleIn(code, print))
  return rules
}

async function ruleIn(code: string, print: (line: string) => void): Promise<Vjp<object>> {
  const { exports } = await runReaderCode(code, { '@cotangent/core': core }, print)
  return ruleOf(exports.vjp)
}

async function digitSets(tell?: Tell): Promise<{ train: DigitSet; test: DigitSet; real: boolean }> {
  try {
    const { train, test } = await loadDigits((share) => tell?.({ loading: share }))
    const inked = ({ images, labels }: { images: Uint8Array; labels: Uint8Array }): DigitSet => ({
      images: Float32Array.from(images, (x) => x / 255),
      labels,
    })
    return { train: inked(train), test: inked(test), real: true }
  } catch (error) {
    if (!(error instanceof NoDigits)) throw error
    return { train: drawnDigits(2000, 100), test: drawnDigits(400, 200), real: false }
  }
}

export interface DigitsResult extends Learned {
  /** Whether the digits are MNIST's. */
  readonly real: boolean
  readonly seconds: number
}

/** Messages on the way. */
export type DigitsTold = { readonly loading: number } | Progress

export const functions = {
  /** Checks the rule that the code exports. */
  async check(id: string, code: string, tell?: Tell): Promise<Checked> {
    const printed: string[] = []
    const [rule] = await rulesIn([code], (line) => {
      if (printed.length < 200) printed.push(line.slice(0, 2000))
    })
    const { passed, cases, diagnosis } = await checkRule(id, rule, (done) => tell?.(done))
    return { passed, diagnosis, printed, cases: cases.map(({ error, ...rest }) => ({ ...rest, told: error && toldOf(error) })) }
  },

  /** Trains a small network with the rule, and one with the right rule. */
  async train(id: string, code: string): Promise<Trained> {
    const [rule] = await rulesIn([code])
    return trainBoth(id, rule)
  },

  /** Learns digits with the reader's rules; `codes` holds those that are solved, by the id of the exercise. */
  async digits(codes: Record<string, string>, steps: number, tell?: Tell): Promise<DigitsResult> {
    const ids = Object.keys(codes)
    const loaded = await rulesIn(Object.values(codes))
    const rules = new Map(ids.map((id, i) => [id, loaded[i]]))
    const { real, ...data } = await digitSets(tell)
    const begin = performance.now()
    const learned = await learnDigits(data, rules, steps, (progress) => {
      tell?.(progress)
    })
    return { ...learned, real, seconds: (performance.now() - begin) / 1000 }
  },
}

serve(functions)

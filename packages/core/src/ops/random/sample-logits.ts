/** Drawing the next piece of a text from a network's logits: fewer candidates, sharper or flatter probabilities. */
import { requireNumber, requireOptions, requireWhole } from '../../arguments.js'
import { defineOp } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { sample, sampleWith } from '../../autodiff/samples.js'
import { type Key, requireKey } from '../../random.js'
import { scope } from '../../tensor/scope.js'
import type { Tensor } from '../../tensor/tensor.js'
import { uniform } from '../create.js'
import { requireLogits } from './draws.js'

/** Which candidates stay, in this order. */
export interface SamplingOptions {
  /** Logits are divided by it: below 1 the likely become likelier, above 1 less so. */
  temperature?: number
  /** The k largest logits stay, and those that equal the k-th. */
  topK?: number
  /** The likeliest stay whose probabilities together exceed p; at least one. Of equal ones the first stay. */
  topP?: number
  /** Those stay that are at least p times as likely as the likeliest. */
  minP?: number
}

type Values = ArrayLike<number>

/** The probabilities of one row of logits, those of candidates that go being 0. */
function probabilitiesOf(logits: Values, { temperature = 1, topK = Infinity, topP = 1, minP = 0 }: SamplingOptions): Float64Array {
  const scaled = Float64Array.from(logits, (z) => z / temperature)
  const least = topK < scaled.length ? scaled.slice().sort()[scaled.length - topK] : -Infinity
  const top = scaled.reduce((a, b) => Math.max(a, b), -Infinity)
  let p = normalized(scaled.map((z) => (z < least ? 0 : Math.exp(z - top))))
  if (topP < 1) {
    const order = Array.from(p.keys()).sort((i, j) => p[j] - p[i] || i - j)
    let sum = 0
    let kept = 0
    while (kept < order.length && (kept === 0 || sum <= topP)) sum += p[order[kept++]]
    for (const i of order.slice(kept)) p[i] = 0
    p = normalized(p)
  }
  const limit = minP * p.reduce((a, b) => Math.max(a, b), 0)
  return minP > 0 ? normalized(p.map((value) => (value >= limit ? value : 0))) : p
}

function normalized(weights: Float64Array): Float64Array {
  const sum = weights.reduce((a, b) => a + b, 0)
  return weights.map((w) => w / sum)
}

const callProbabilities = defineOp<SamplingOptions>({
  name: 'samplingProbabilities',
  rule: '(none)',
  shape: ([logits]) => logits,
  forward: (k, out, [logits], options) =>
    k.host(out, [logits], (p, [z]) => {
      const n = logits.shape[logits.rank - 1]
      for (let i = 0; i < z.length; i += n) p.set(probabilitiesOf(z.subarray(i, i + n), options), i)
    }),
  vjp: 'it is there to draw from, and what stays changes by leaps.',
  samples: probabilitySamples(),
})

const callPick = defineOp({
  name: 'pickByProbability',
  rule: '(none)',
  shape: ([, u]) => ({ shape: u.shape, dtype: 'int32' }),
  forward: (k, out, [probabilities, u]) =>
    k.host(out, [probabilities, u], (y, [p, at]) => {
      const n = probabilities.shape[probabilities.rank - 1]
      for (let i = 0; i < y.length; i++) y[i] = pick(p.subarray(i * n, i * n + n), at[i])
    }),
  vjp: 'a position is piecewise constant.',
  samples: pickSamples(),
})

/** The first position whose cumulative probability exceeds u; rounding may leave the sum below u, then the last that has a probability. */
function pick(p: Values, u: number): number {
  let sum = 0
  let last = 0
  for (let i = 0; i < p.length; i++) {
    if (p[i] > 0) last = i
    sum += p[i]
    if (sum > u) return i
  }
  return last
}

function requireSampling(what: string, logits: Tensor, options: SamplingOptions): void {
  requireLogits(what, logits)
  requireOptions(what, options, ['temperature', 'topK', 'topP', 'minP'], `${what}(…, { temperature: 0.8, topK: 40 })`)
  const { temperature, topK, topP, minP } = options
  if (temperature !== undefined) requireNumber(what, 'temperature', temperature, { above: 0 })
  if (topK !== undefined) requireWhole(what, 'topK', topK, { least: 1 })
  if (topP !== undefined) requireNumber(what, 'topP', topP, { above: 0, most: 1 })
  if (minP !== undefined) requireNumber(what, 'minP', minP, { least: 0, most: 1 })
}

/**
 * The probabilities that `sampleLogits` draws with, over the last axis: softmax(logits / temperature), then topK, topP and minP, each renormalised.
 *
 * Shape:    [.., v] → [.., v]
 * Gradient: none, the candidates that stay change by leaps
 *
 * @example
 * ```ts
 * const p = samplingProbabilities(tensor([2, 1, 0]), { topK: 1 })   // p = [1, 0, 0]
 * ```
 */
export function samplingProbabilities(logits: Tensor, options: SamplingOptions = {}): Tensor {
  requireSampling('samplingProbabilities', logits, options)
  return callProbabilities([logits], options)
}

/**
 * Positions on the last axis, drawn with `samplingProbabilities`. They are computed on the host; `categorical` draws without options on the device.
 *
 * Shape:    [.., v] → int32 [..]
 * Gradient: none, a position is piecewise constant
 *
 * @example
 * ```ts
 * const next = sampleLogits(key(7), tensor([[2, 1, 0]]), { temperature: 0.8, topP: 0.9 })   // [1]: one position for each row
 * ```
 */
export function sampleLogits(key: Key, logits: Tensor, options: SamplingOptions = {}): Tensor {
  requireKey('sampleLogits', key)
  requireSampling('sampleLogits', logits, options)
  return scope(() =>
    pickByProbability(callProbabilities([logits], options), uniform(key, logits.shape.slice(0, -1), { backend: logits.backend })),
  )
}

/** @internal For each row of probabilities, the first position whose cumulative probability exceeds u. */
export const pickByProbability = (probabilities: Tensor, u: Tensor): Tensor => callPick([probabilities, u], {})

function probabilitySamples(): Sample<SamplingOptions>[] {
  return [
    sampleWith({}, [7]),
    sampleWith({ temperature: 0.7, topK: 3 }, [2, 5]),
    sampleWith({ topP: 0.6 }, [2, 1, 6]),
    sampleWith({ topK: 4, topP: 0.9, minP: 0.2 }, [3, 130]),
    sampleWith({ minP: 0.1 }, [0, 4]),
    sampleWith({}, [1]),
  ]
}

function pickSamples(): Sample<object>[] {
  const u = (...shape: number[]) => ({ shape, low: 0, high: 1 })
  const p = (...shape: number[]) => ({ shape, low: 0.1, high: 0.3 })
  return [sample(p(7), u()), sample(p(2, 5), u(2)), sample(p(2, 3, 1), u(2, 3)), sample(p(0, 4), u(0))]
}

/**
 * How exact each op is on each backend: the worst error over its samples, of the value and of the first and second derivatives, beside the reference, which computes in
 * float64 and rounds each primitive once. The sweep's runs and distances (sweep.ts).
 */
import type { Backend, OpDefinition } from '../src/index.js'
import { isFloat } from '../src/tensor/dtype.js'
import { distance, drawInputs, type Outcome, run } from './sweep.js'

/** |a − b| / (1 + |b|) at worst; `ulp` is the error of the value in units in the last place of the largest element of the result. */
export interface Errors {
  value: number
  ulp: number
  first?: number
  second?: number
}

/** By op, then by backend. */
export type Numbers = Record<string, Record<string, Errors>>

/** The distance from x to the next float32. */
const ulpOf = (x: number): number => 2 ** (Math.max(-126, Math.floor(Math.log2(x))) - 23)

function ulps({ value: got }: Outcome, { value: want, dtype }: Outcome): number {
  if (!isFloat(dtype)) return 0
  let [largest, error] = [0, 0]
  for (let i = 0; i < want.length; i++) {
    if (!Number.isFinite(want[i]) || !Number.isFinite(got[i])) continue
    largest = Math.max(largest, Math.abs(want[i]))
    error = Math.max(error, Math.abs(got[i] - want[i]))
  }
  return error === 0 ? 0 : error / ulpOf(largest)
}

/** Two digits say enough, and stay when a kernel changes its last bit. */
const rounded = (x: number): number => Number(x.toPrecision(2))

const worst = (got: Outcome['grads'], want: Outcome['grads']): number =>
  Math.max(0, ...(want ?? []).map((w, i) => (w ? distance(got?.[i] ?? [], w) : 0)))

export async function errorsOf(op: OpDefinition, backend: Backend, reference: Backend): Promise<Errors> {
  const errors: Errors = { value: 0, ulp: 0 }
  for (const [i, sample] of op.samples.entries()) {
    const inputs = drawInputs(op, sample, i)
    const [got, want] = [await run(op, sample, inputs, backend, 'float32'), await run(op, sample, inputs, reference, 'float32')]
    errors.value = Math.max(errors.value, rounded(distance(got.value, want.value)))
    errors.ulp = Math.max(errors.ulp, rounded(ulps(got, want)))
    if (!want.grads) continue
    errors.first = Math.max(errors.first ?? 0, rounded(worst(got.grads, want.grads)))
    errors.second = Math.max(errors.second ?? 0, rounded(worst(got.second, want.second)))
  }
  return errors
}

const shown = (x: number | undefined): string => (x === undefined ? '–' : x === 0 ? '0' : x.toExponential(1))

/** The table in Markdown: a row for each op, four columns for each backend. */
export function tableOf(numbers: Numbers): string {
  const backends = Object.keys(Object.values(numbers)[0])
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const head = ['op', ...backends.flatMap((name) => [`${name}: value`, 'ulp', "f'", "f''"])]
  return [
    row(head),
    row(head.map((_, i) => (i === 0 ? '---' : '---:'))),
    ...Object.entries(numbers).map(([op, of]) =>
      row([
        `\`${op}\``,
        ...backends.flatMap((name) => [shown(of[name].value), String(of[name].ulp), shown(of[name].first), shown(of[name].second)]),
      ]),
    ),
  ].join('\n')
}

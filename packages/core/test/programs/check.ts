/**
 * Runs a program everywhere and compares.
 *
 * - The reference in float64 is the definition.
 * - wasm on one thread must be within a bound of it. Wasm on two threads, and a recorded step, must have the bits of wasm on one thread.
 * - The engines of gpu.js must be within the bound, too.
 * - Nothing may leak.
 */
import { type Backend, compileStep, memory, scope, type Tensor, withBackend } from '../../src/index.js'
import { runStep } from '../../src/step-listener.js'
import { convert, type DType, isFloat, type TypedArray } from '../../src/tensor/dtype.js'
import { fromHost } from '../../src/tensor/tensor.js'
import { reference } from '../helpers.js'
import { soil } from '../sweep.js'
import { compareWithin, EPSILON, furthest, largestComparable, noise } from './bound.js'
import { type Change, named, type Program, placeInputs, run } from './program.js'

export interface Result {
  readonly name: string
  readonly data: TypedArray
  readonly shape: string
}

export interface Places {
  readonly one: Backend
  readonly two: Backend
  /** Other backends with float32: engines of gpu.js. */
  readonly others: readonly Backend[]
}

/** Moved runs of the reference. Each result moves by a random amount, so that a few runs may all miss the worst. */
const MOVED = 3
/** Multiplies each element by 1 + ε·r. */
const moved =
  (turn: number): Change =>
  (value, line) => {
    if (!isFloat(value.dtype)) return value
    const factors = Float64Array.from({ length: value.size }, (_, i) => 1 + EPSILON * noise(1 + turn * 7919 + line * 104.729 + i * 1.31))
    return value.mul(fromHost(value.backend, convert(factors, value.dtype), value.shape, value.dtype))
  }

async function read(tensors: readonly [string, Tensor][]): Promise<Result[]> {
  try {
    return await Promise.all(tensors.map(async ([name, t]) => ({ name, data: await t.data(), shape: `${t.dtype} [${t.shape}]` })))
  } finally {
    for (const [, t] of tensors) t.dispose()
  }
}

/** Runs a program on a backend. */
export const resultsOn = (program: Program, backend: Backend, floats: DType, change?: Change): Promise<Result[]> =>
  read(
    withBackend(backend, () =>
      // As a step would, without the record that valueAndGrad keeps of its last value.
      runStep(undefined, () => scope(() => named(run(program, placeInputs(program, backend, floats), floats, change), program))),
    ),
  )

/** The last two of five calls of the recorded program. */
async function recordedResults(program: Program, backend: Backend): Promise<{ results: Result[]; reason?: string }> {
  const step = compileStep((...xs: Tensor[]) => run(program, xs, 'float32'))
  try {
    let results: Result[] = []
    for (let call = 0; call < 5; call++) {
      const xs = placeInputs(program, backend, 'float32')
      // Other values in between, so that a step that kept old values is found.
      const given = call % 2 === 1 ? xs.map((x) => x.mul(1.25)) : xs
      results = await read(withBackend(backend, () => named(step(...given), program)))
      for (const x of new Set([...xs, ...given])) x.dispose()
    }
    const { recorded, reason } = step.info()
    return { results, reason: recorded ? undefined : reason }
  } finally {
    step.dispose()
  }
}

/** The faults of a program, and the largest part of its bound that a result used. */
export interface Verdict {
  readonly wrong: string[]
  used: number
  /** Results compared within a bound, and those that rounding moves by too much to compare. */
  compared: number
  skipped: number
}

const orderOf = (name: string): number => (name.startsWith('the second') ? 2 : name.startsWith('the gradient') ? 1 : 0)

function compare(where: string, got: readonly Result[], want: readonly Result[], others: readonly Result[][], verdict: Verdict): void {
  const largestOf = [0, 1, 2].map((order) => largestComparable(want.filter(({ name }) => orderOf(name) <= order).map(({ data }) => data)))
  for (const [i, { name, data, shape }] of want.entries()) {
    if (got[i].shape !== shape.replace('float64', 'float32')) {
      verdict.wrong.push(`${where}: ${name} is ${got[i].shape}, reference ${shape}`)
      continue
    }
    const moved = others.map((results) => results[i].data)
    const found = compareWithin(got[i].data, data, moved, largestOf[orderOf(name)], shape.startsWith('float'))
    if (!found) {
      verdict.skipped++
      continue
    }
    if (found.moves) verdict.skipped++
    else verdict.compared++
    verdict.used = Math.max(verdict.used, found.used)
    if (!(found.used <= 1)) verdict.wrong.push(`${where}: ${name} ${found.text}`)
  }
}

const sameBits = (a: TypedArray, b: TypedArray): boolean => a.length === b.length && a.every((v, i) => Object.is(v, b[i]))

function requireSameBits(where: string, got: readonly Result[], want: readonly Result[], wrong: string[]): void {
  for (const [i, { name, data }] of want.entries())
    if (!sameBits(got[i].data, data))
      wrong.push(`${where}: ${name} has other bits than wasm on one thread, by ${furthest(got[i].data, data)}`)
}

/** Runs `work` and notes the buffers, bytes and tensors that are left. */
async function withoutLeaks<R>(where: string, backend: Backend, wrong: string[], work: () => Promise<R>): Promise<R> {
  const [before, tensors] = [backend.memory(), memory().tensors]
  soil(backend)
  const result = await work()
  const [after, left] = [backend.memory(), memory().tensors - tensors]
  if (after.buffers !== before.buffers || after.bytes !== before.bytes || left !== 0)
    wrong.push(`${where}: ${after.buffers - before.buffers} buffers, ${after.bytes - before.bytes} bytes and ${left} tensors are left`)
  return result
}

export async function checkProgram(program: Program, { one, two, others }: Places): Promise<Verdict> {
  const verdict: Verdict = { wrong: [], used: 0, compared: 0, skipped: 0 }
  const { wrong } = verdict
  const want = await withoutLeaks('reference', reference, wrong, () => resultsOn(program, reference, 'float64'))
  const around = [await resultsOn(program, reference, 'float32')]
  for (let turn = 0; turn < MOVED; turn++) around.push(await resultsOn(program, reference, 'float64', moved(turn)))
  const wasm = await withoutLeaks('wasm', one, wrong, () => resultsOn(program, one, 'float32'))
  compare('wasm', wasm, want, around, verdict)
  requireSameBits('two threads', await withoutLeaks('two threads', two, wrong, () => resultsOn(program, two, 'float32')), wasm, wrong)
  const recorded = await withoutLeaks('recorded', one, wrong, () => recordedResults(program, one))
  if (recorded.reason !== undefined) wrong.push(`recorded: the step is not recorded: ${recorded.reason}`)
  requireSameBits('recorded', recorded.results, wasm, wrong)
  for (const backend of others)
    compare(
      backend.name,
      await withoutLeaks(backend.name, backend, wrong, () => resultsOn(program, backend, 'float32')),
      want,
      around,
      verdict,
    )
  return verdict
}

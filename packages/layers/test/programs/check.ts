/**
 * Trains the model of a program everywhere and compares.
 *
 * - Recorded steps, and steps on two threads, have the bits of the program on one thread: losses, weights, predictions.
 * - A model that is saved and read again predicts the same bits, and its next step has the same loss.
 * - Predictions, the loss, and the weights after a step of gradient descent are within a bound of those of the reference in float64 (core/test/programs/bound.ts).
 * - Nothing is left of a model that was disposed.
 */
import { type Backend, createReferenceBackend, type DType, key, memory, normal } from '@cotangent/core'
import { compareWithin, EPSILON, largestComparable, noise } from '../../../core/test/programs/bound.js'
import { soil } from '../../../core/test/sweep.js'
import { type HostArray, type Model, modelFromBytes, modelToBytes } from '../../src/index.js'
import { modelOf, optimizerOf, type Program } from './program.js'

const reference = createReferenceBackend()

export interface Places {
  readonly one: Backend
  readonly two: Backend
}

export interface Verdict {
  readonly wrong: string[]
  used: number
  compared: number
  moved: number
  readonly recorded: boolean
}

/** More steps than a recording needs. */
const STEPS = 6

type Weight = Awaited<ReturnType<Model['getWeights']>>[number]

interface Data {
  readonly x: HostArray[]
  readonly y: HostArray
}

/** Inputs and targets. Some rows of sequences are zeros, as padding is, so that `masking` masks them. */
function dataOf({ inputs, batch, seed }: Program, change: (v: number, i: number) => number = (v) => v): Data {
  const draw = (shape: readonly number[], which: number): Float64Array => {
    const values = normal(key(1000 * seed + which), [...shape], { backend: reference })
    const data = Float64Array.from(reference.readSync?.(values.storage) ?? [], Math.fround)
    values.dispose()
    return data
  }
  const x = inputs.map(({ shape, below }, which) => {
    const full = [batch, ...shape]
    const data = draw(full, which)
    if (below !== undefined) return { shape: full, data: Int32Array.from(data, (v) => Math.floor(Math.abs(v) * 1000) % below) }
    const row = shape.length > 1 ? (shape.at(-1) as number) : 0
    return { shape: full, data: data.map((v, i) => (row > 0 && Math.floor(i / row) % 3 === 2 ? 0 : change(v, i + 977 * which))) }
  })
  return { x, y: { shape: [batch, 2], data: draw([batch, 2], 99) } }
}

const bitsOf = (data: ArrayLike<number>): string => {
  const floats = Float64Array.from(data)
  return Buffer.from(floats.buffer).toString('base64')
}

const inputOf = (x: readonly HostArray[]): HostArray | HostArray[] => (x.length === 1 ? x[0] : [...x])

async function predicted(model: Model, { x }: Data): Promise<ArrayLike<number>> {
  const y = await model.predict(inputOf(x))
  const tensor = Array.isArray(y) ? y[0] : y
  const data = await tensor.data()
  tensor.dispose()
  return data
}

/** Everything that two ways to train must have in common, by name. */
type Trained = Record<string, string>

async function bits(model: Model, data: Data): Promise<Trained> {
  const weights = await model.getWeights()
  return {
    ...Object.fromEntries(weights.map(({ name, data: w }) => [`weight ${name}`, bitsOf(w)])),
    predictions: bitsOf(await predicted(model, data)),
  }
}

async function fitted(program: Program, backend: Backend, data: Data, runEagerly?: boolean): Promise<{ model: Model; losses: string }> {
  const model = modelOf(program, backend)
  model.compile({ optimizer: optimizerOf(program), loss: program.loss, runEagerly })
  const { history } = await model.fit(inputOf(data.x), data.y, { epochs: STEPS, batchSize: program.batch, verbose: 0 })
  return { model, losses: bitsOf(history.loss) }
}

/** Predictions, loss, and weights after one step of gradient descent, from given weights. */
async function oneStep(
  program: Program,
  backend: Backend,
  dtype: DType,
  weights: readonly Weight[],
  data: Data,
): Promise<[string, ArrayLike<number>][]> {
  const model = modelOf(program, backend, dtype)
  model.setWeights(weights)
  model.compile({ optimizer: 'sgd', loss: program.loss })
  model.optimizer.learningRate = 0.5
  const predictions = await predicted(model, data)
  const [loss] = await model.trainOnBatch(inputOf(data.x), data.y)
  const after = await model.getWeights()
  model.dispose()
  return [
    ['predictions', predictions],
    ['the loss', [loss]],
    ...after.map(({ name, data: w }): [string, ArrayLike<number>] => [`weight ${name} after a step`, w]),
  ]
}

const moved = (weights: readonly Weight[], turn: number): Weight[] =>
  weights.map(({ data, ...rest }, k) => ({
    ...rest,
    data: Float64Array.from(data, (v, i) => v * (1 + EPSILON * noise(turn * 7919 + k * 104.729 + i * 1.31))),
  }))

function requireSame(where: string, got: Trained, want: Trained, wrong: string[]): void {
  const different = Object.keys(want).filter((name) => got[name] !== want[name])
  if (different.length > 0) wrong.push(`${where}: other bits in ${different.join(', ')}`)
}

export async function checkProgram(program: Program, { one, two }: Places): Promise<Verdict> {
  const wrong: string[] = []
  const data = dataOf(program)
  const [before, tensors] = [[one.memory(), two.memory()], memory().tensors]
  soil(one)
  soil(two)
  const eager = await fitted(program, one, data, true)
  const want = { ...(await bits(eager.model, data)), losses: eager.losses }
  const recorded = await fitted(program, one, data)
  const { stepInfo } = recorded.model
  requireSame('recorded', { ...(await bits(recorded.model, data)), losses: recorded.losses }, want, wrong)
  if (!stepInfo.recorded) wrong.push(`recorded: the step is not recorded: ${stepInfo.reason}`)
  const threads = await fitted(program, two, data)
  requireSame('two threads', { ...(await bits(threads.model, data)), losses: threads.losses }, want, wrong)

  const read = await modelFromBytes(await modelToBytes(eager.model), {
    backend: one,
    onWarning: (message) => wrong.push(`saved: ${message}`),
  })
  requireSame('saved', { ...(await bits(read, data)), losses: eager.losses }, want, wrong)
  const next = async (model: Model): Promise<string> => bitsOf(await model.trainOnBatch(inputOf(data.x), data.y))
  if ((await next(read)) !== (await next(recorded.model))) wrong.push('saved: the next step has another loss')
  for (const model of [eager.model, recorded.model, threads.model, read]) model.dispose()

  const start = modelOf(program, one)
  const weights = await start.getWeights()
  start.dispose()
  const got = await oneStep(program, one, 'float32', weights, data)
  for (const [i, backend] of [one, two].entries()) {
    const { buffers, bytes } = backend.memory()
    if (buffers !== before[i].buffers || bytes !== before[i].bytes)
      wrong.push(`wasm ${i + 1}: ${buffers - before[i].buffers} buffers and ${bytes - before[i].bytes} bytes are left`)
  }
  if (memory().tensors !== tensors) wrong.push(`${memory().tensors - tensors} tensors are left`)

  const exact = await oneStep(program, reference, 'float64', weights, data)
  const around = [await oneStep(program, reference, 'float32', weights, data)]
  for (const turn of [1, 2, 3]) {
    const changed = dataOf(program, (v, i) => v * (1 + EPSILON * noise(turn * 31 + i * 1.7)))
    around.push(await oneStep(program, reference, 'float64', moved(weights, turn), changed))
  }
  const verdict: Verdict = { wrong, used: 0, compared: 0, moved: 0, recorded: stepInfo.recorded }
  const largest = largestComparable(exact.map(([, values]) => values))
  for (const [i, [name, values]] of exact.entries()) {
    const found = compareWithin(
      got[i][1],
      values,
      around.map((results) => results[i][1]),
      largest,
    )
    if (!found || found.moves) verdict.moved++
    else verdict.compared++
    if (!found) continue
    verdict.used = Math.max(verdict.used, found.used)
    if (!(found.used <= 1)) wrong.push(`reference: ${name} ${found.text}`)
  }
  return verdict
}

/**
 * The training loop and evaluation over data: splitting, shuffling, batches, callbacks, progress.
 *
 * As in Keras 2.3: validation data are the last part of x, taken before shuffling; every epoch has its own order; the last batch may be
 * smaller; the loss of an epoch is the mean over samples of the losses before each update, dropout on.
 */
import { foldKey, type Key, key, permutation, scope, ValueError } from '@cotangent/core'
import { type Callback, History, type Logs } from './callbacks/callback.js'
import { targetRows } from './checks.js'
import type { Compiled } from './compiled.js'
import { type Data, identityOrder, type Rows } from './data.js'
import type { Model } from './model.js'
import { hostTurns, standardOutput } from './platform.js'
import { ProgressBar, type ProgressStyle } from './progress.js'

export { History } from './callbacks/callback.js'

export interface EvaluateOptions {
  /** 32 by default. */
  batchSize?: number
  /** 0: silent (default), 1: a progress bar. */
  verbose?: 0 | 1 | 2
  /** Which Keras' lines to print: '2.3' (default) or '2.0.8'. */
  style?: ProgressStyle
  /** Where lines go; standard output by default. */
  output?: { write(text: string): void; isTerminal?: boolean }
}

export interface FitOptions {
  /** 32 by default. */
  batchSize?: number
  /** 1 by default. */
  epochs?: number
  /** 1: a progress bar (default), 2: a line for each epoch, 0: silent. */
  verbose?: 0 | 1 | 2
  callbacks?: readonly Callback[]
  /** Share of the samples, from the end of x, that is kept for validation. */
  validationSplit?: number
  /** Data for validation; wins over the split. */
  validationData?: readonly [x: Data, y: Data]
  /** Validate every so many epochs; 1 by default. */
  validationFreq?: number
  /** true by default; 'batch' shuffles whole batches. */
  shuffle?: boolean | 'batch'
  /** Replaces the model's key for shuffling. */
  seed?: number
  /** The number of the first epoch, for resuming. */
  initialEpoch?: number
  /** Which Keras' lines to print: '2.3' (default) or '2.0.8'. */
  style?: ProgressStyle
  /** Where lines go; standard output by default. */
  output?: { write(text: string): void; isTerminal?: boolean }
}

interface Part {
  x: Rows
  y: Rows
}

export async function fit(model: Model, x: Data, y: Data, options: FitOptions): Promise<History> {
  const { batchSize = 32, epochs = 1, verbose = 1, initialEpoch = 0, validationFreq = 1, shuffle = true } = options
  requireWhole('fit: batchSize', batchSize, 1)
  requireWhole('fit: epochs', epochs, 0)
  requireWhole('fit: initialEpoch', initialEpoch, 0)
  requireWhole('fit: validationFreq', validationFreq, 1)
  const inputs = model.inputRows('fit: x', x)
  const all: Part = { x: inputs, y: targetRows(model, 'fit: y', y, inputs.count) }
  const { training, validation } = divide(model, all, options)
  if (training.x.count === 0) throw new ValueError('fit: there are no samples to train on.')
  const compiled = model.compiled()

  const output = options.output ?? standardOutput()
  const history = new History()
  const callbacks: Callback[] = [...(options.callbacks ?? []), history]
  const wantsBatches = callbacks.some((callback) => callback.onBatchEnd)
  const shuffleKey = options.seed === undefined ? model.keyFor('shuffle') : key(options.seed)
  const steps = Math.ceil(training.x.count / batchSize)

  // One for all epochs: they may be shorter than a turn.
  const hostTurn = hostTurns()
  model.stopTraining = false
  model.history = history
  const tell = async (stage: (callback: Callback) => void | Promise<void> | undefined): Promise<void> => {
    for (const callback of callbacks) await stage(callback)
  }
  await tell((c) => c.onTrainBegin?.({ model, epochs, steps, samples: training.x.count }))
  if (verbose > 0 && validation) output.write(`Train on ${training.x.count} samples, validate on ${validation.x.count} samples\n`)

  for (let epoch = initialEpoch; epoch < epochs && !model.stopTraining; epoch++) {
    if (verbose > 0) output.write(`Epoch ${epoch + 1}/${epochs}\n`)
    const bar = progressBar(training.x.count, verbose, options.style, output)
    await tell((c) => c.onEpochBegin?.(epoch))
    const order = epochOrder(training.x.count, batchSize, shuffle, foldKey(shuffleKey, epoch))
    const totals = compiled.newTotals()
    const logs: Logs = {}
    try {
      for (let batch = 0; batch < steps; batch++) {
        await tell((c) => c.onBatchBegin?.(batch))
        const begin = batch * batchSize
        const end = Math.min(training.x.count, begin + batchSize)
        scope(() => {
          compiled.trainStep(
            training.x.take(order, begin, end, model.dtype),
            training.y.take(order, begin, end, model.dtype),
            model.keyFor('dropout'),
            totals,
          )
        })
        if (wantsBatches) {
          const values = await compiled.read(totals)
          await tell((c) => c.onBatchEnd?.(batch, values))
        }
        if (bar && end < training.x.count && bar.due()) bar.update(end, Object.entries(await compiled.read(totals)))
        await hostTurn()
        if (model.stopTraining) break
      }
      Object.assign(logs, await compiled.read(totals))
    } finally {
      compiled.release(totals)
    }
    if (validation && (epoch + 1) % validationFreq === 0) {
      const values = await evaluatePart(model, compiled, validation, batchSize, hostTurn)
      for (const name of compiled.names) logs[`val_${name}`] = values[name]
    }
    bar?.update(training.x.count, Object.entries(logs))
    await tell((c) => c.onEpochEnd?.(epoch, logs))
  }
  await tell((c) => c.onTrainEnd?.())
  return history
}

export async function evaluate(model: Model, x: Data, y: Data, options: EvaluateOptions): Promise<number[]> {
  const { batchSize = 32, verbose = 0 } = options
  requireWhole('evaluate: batchSize', batchSize, 1)
  const inputs = model.inputRows('evaluate: x', x)
  const part: Part = { x: inputs, y: targetRows(model, 'evaluate: y', y, inputs.count) }
  const bar = progressBar(part.x.count, verbose === 1 ? 1 : 0, options.style, options.output ?? standardOutput())
  const compiled = model.compiled()
  const values = await evaluatePart(model, compiled, part, batchSize, hostTurns(), bar)
  return compiled.names.map((name) => values[name])
}

async function evaluatePart(
  model: Model,
  compiled: Compiled,
  { x, y }: Part,
  batchSize: number,
  hostTurn: () => Promise<void> | undefined,
  bar?: ProgressBar,
): Promise<Logs> {
  const order = identityOrder(x.count)
  const totals = compiled.newTotals()
  try {
    for (let begin = 0; begin < x.count; begin += batchSize) {
      const end = Math.min(x.count, begin + batchSize)
      scope(() => compiled.testStep(x.take(order, begin, end, model.dtype), y.take(order, begin, end, model.dtype), totals))
      bar?.update(end, [])
      await hostTurn()
    }
    return await compiled.read(totals)
  } finally {
    compiled.release(totals)
  }
}

function progressBar(
  target: number,
  verbose: 0 | 1 | 2,
  style: ProgressStyle | undefined,
  output: NonNullable<FitOptions['output']>,
): ProgressBar | undefined {
  if (verbose === 0) return undefined
  return new ProgressBar({ target, verbose, style, write: (text) => output.write(text), isTerminal: output.isTerminal ?? false })
}

/** Training and validation parts; the validation part is the end of the data. */
function divide(model: Model, all: Part, { validationData, validationSplit = 0 }: FitOptions): { training: Part; validation?: Part } {
  if (validationData) {
    const inputs = model.inputRows('fit: validationData x', validationData[0])
    return { training: all, validation: { x: inputs, y: targetRows(model, 'fit: validationData y', validationData[1], inputs.count) } }
  }
  if (!(validationSplit >= 0 && validationSplit < 1))
    throw new ValueError(`fit: validationSplit must be from 0 to below 1, got ${validationSplit}.`)
  if (validationSplit === 0) return { training: all }
  const at = Math.trunc(all.x.count * (1 - validationSplit))
  const part = (begin: number, end: number): Part => ({ x: all.x.slice(begin, end), y: all.y.slice(begin, end) })
  return { training: part(0, at), validation: part(at, all.x.count) }
}

/** The order of samples in an epoch. */
function epochOrder(count: number, batchSize: number, shuffle: boolean | 'batch', epochKey: Key): Int32Array {
  if (!shuffle) return identityOrder(count)
  if (shuffle === true) return permutation(epochKey, count)
  const whole = Math.floor(count / batchSize)
  const order = identityOrder(count)
  permutation(epochKey, whole).forEach((from, to) => {
    for (let i = 0; i < batchSize; i++) order[to * batchSize + i] = from * batchSize + i
  })
  return order
}

function requireWhole(what: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least) throw new ValueError(`${what} must be a whole number from ${least}, got ${value}.`)
}

/** One run of an experiment: makes its context from the flags, runs it, then makes its result and the files. */
import { join } from 'node:path'
import { configure, useBackend } from '@cotangent/core'
import { mnist, slice } from '@cotangent/datasets'
import type { History } from '@cotangent/layers'
import type { RunRecord, Section } from '@cotangent/layers/report'
import { type Settings, UsageError } from './arguments.js'
import { Clock } from './clock.js'
import { curvesSvg } from './curves.js'
import { type Environment, environment } from './environment.js'
import {
  type Context,
  type DataSource,
  documents,
  type Experiment,
  type Measure,
  type Reported,
  showMeasure,
  thousands,
  withoutPath,
} from './experiment.js'
import { prepareOutput, writeWhole } from './files.js'
import { dataHash, WeightsWitness } from './hash.js'
import { type BestEpoch, bestEpoch, historyCsv } from './history.js'
import { progressOutput } from './output.js'
import { addEnvironment, figuresOf, Recording, reportFile } from './recording.js'

/** The result of a run with its conditions: `--json` writes it, and `npm run reproduce` keeps it. */
export interface RunResult {
  id: string
  document: string
  /** The document's result: errors in per cent, accuracies as fractions. */
  reported: Reported
  /** The result after the last epoch. */
  result: Measure
  /** A remark about this run alone. */
  remark?: string
  /** Other figures of the experiment, by name. */
  also?: Readonly<Record<string, number>>
  /** Present if there are validation data. */
  best?: BestEpoch
  data: DataUsed
  epochs: number
  batchSize: number
  /** Present only if it was given. */
  learningRate?: number
  seed: number
  /** With its engine, as in `gpu:webgpu`. */
  backend: string
  threads: number
  secondsPerEpoch: number
  /** By name and epoch; in the file, null stands for a value that is not finite. */
  history: History['history']
  /** SHA-256 of the final weights (hash.ts). */
  weights: string
  environment: Environment
  /** Parts of the report that are small, such as the confusion matrix: no images, no curves. Made if somebody keeps the result. */
  sections?: Section[]
}

export interface DataUsed {
  name: string
  source: string
  /** Samples trained on in an epoch; for drawn windows, the rows that they are drawn from. */
  train: number
  /** Samples for validation that are not the test data. */
  validation?: number
  test?: number
  /** Not all training samples were used: the result is not comparable. */
  partial?: true
  /** Other differences from the document's data. */
  departures?: readonly string[]
  /** SHA-256 of the numbers trained on. */
  sha256?: string
}

/** A run of a few seconds: one epoch of few samples, to see whether it runs and whether its numbers are what they were. */
const quickRun = { epochs: 1, samples: 256, stepsPerEpoch: 2 }

const DEFAULT_SEED = 1

interface RunOptions {
  /** One epoch of at most 256 samples, or of two drawn batches; MNIST has 256 test images, too. */
  quick?: boolean
  /** Whether the result gets its sections. By default they are made for `--json`. */
  sections?: boolean
}

/** Runs an experiment and writes the files that the flags ask for. The options are those of `npm run reproduce`. */
export async function runExperiment(
  experiment: Experiment,
  settings: Settings,
  { quick = false, sections: kept = settings.json !== undefined }: RunOptions = {},
): Promise<RunResult> {
  const {
    epochs = quick ? quickRun.epochs : experiment.defaults.epochs,
    'batch-size': batchSize = experiment.defaults.batchSize,
    lr: learningRate,
  } = settings
  const { seed = DEFAULT_SEED, backend: backendName = 'wasm', threads, json, out, 'train-rows': trainRows } = settings
  if (trainRows !== undefined && !experiment.flags?.includes('train-rows'))
    throw new UsageError(`--train-rows means nothing to ${experiment.id}; it is for the experiments on the weather.`)
  if (settings.model !== undefined) throw new UsageError(`--model means nothing to ${experiment.id}; it is for keras-import.`)
  const file = settings.report === undefined ? undefined : reportFile(experiment.id, settings.report, out)
  await prepareOutput({ ...settings, report: file })
  if (threads !== undefined) configure({ threads })
  const backend = await useBackend(backendName)

  const clock = new Clock()
  const witness = new WeightsWitness()
  const recording = new Recording(`${experiment.id}, seed ${seed}`, { file, figures: kept })
  let used: DataSource | undefined
  const context: Context = {
    epochs,
    batchSize,
    learningRate,
    seed,
    callbacks: [clock, witness, ...recording.callbacks],
    output: progressOutput(),
    data: settings.data,
    trainRows,
    ...(quick ? { stepsPerEpoch: quickRun.stepsPerEpoch } : {}),
    limited(available, unit) {
      // Drawn windows have no number of samples.
      if (quick) return available === Number.MAX_SAFE_INTEGER ? available : Math.min(available, quickRun.samples)
      const { limit = available } = settings
      if (limit > available) throw new UsageError(`--limit ${limit} is more than the ${available} training ${unit} there are.`)
      return limit
    },
    uses(data) {
      used = { ...data, source: withoutPath(data.source) }
    },
    async mnist() {
      const { source, ...all } = await mnist.loadData({ dir: settings.data })
      const available = all.xTrain.shape[0]
      const train = context.limited(available, 'images')
      const test = quick ? quickRun.samples : all.xTest.shape[0]
      const digits = {
        xTrain: slice(all.xTrain, 0, train),
        yTrain: slice(all.yTrain, 0, train),
        xTest: slice(all.xTest, 0, test),
        yTest: slice(all.yTest, 0, test),
      }
      const contents = Object.values(digits).map(({ data }) => data)
      context.uses({ name: 'MNIST', source, train, available, test, unit: 'images', contents })
      return digits
    },
    out,
    async draw(name, content) {
      if (out) await writeWhole(join(out, name), content())
    },
    shows: (...makers) => recording.shows(...makers),
  }

  const { value, history, remark, also } = await experiment.run(context)
  if (!used) throw new Error(`${experiment.id}: the experiment did not say what data it uses.`)
  if (!witness.sha256) throw new Error(`${experiment.id}: the experiment did not give its callbacks to fit.`)

  // Batches of a generator do not count as samples.
  const train = clock.samples || used.train
  const validation = used.validation ?? (used.train > train ? used.train - train : undefined)
  const best = bestEpoch(history)
  const run: RunResult = {
    id: experiment.id,
    document: experiment.document,
    reported: experiment.reported,
    result: { metric: experiment.reported.metric, value },
    ...(remark === undefined ? {} : { remark }),
    ...(also ? { also } : {}),
    ...(best ? { best } : {}),
    data: {
      name: used.name,
      source: used.source,
      train,
      ...(validation === undefined ? {} : { validation }),
      ...(used.test === undefined ? {} : { test: used.test }),
      ...(used.train < used.available ? { partial: true } : {}),
      ...(used.departures?.length ? { departures: used.departures } : {}),
      ...(used.contents ? { sha256: dataHash(used.contents) } : {}),
    },
    epochs: history.epoch.length,
    batchSize,
    ...(learningRate === undefined ? {} : { learningRate }),
    seed,
    backend: backend.name,
    threads: backend.info?.().threads ?? 1,
    secondsPerEpoch: clock.secondsPerEpoch,
    history: history.history,
    weights: witness.sha256,
    environment: environment(backend),
  }
  const departures = departuresOf(experiment, run, used)
  for (const line of closingLines(experiment, run, departures, clock.samples ? 'samples' : used.unit)) console.log(line)

  const record = await finishRecord(recording, experiment, run, departures)
  const sections = record && kept ? figuresOf(record) : []
  if (sections.length > 0) run.sections = sections
  if (json) await writeWhole(json, `${JSON.stringify(run, undefined, 2)}\n`)
  if (out) {
    await writeWhole(join(out, 'history.json'), `${JSON.stringify({ epoch: history.epoch, history: history.history }, undefined, 2)}\n`)
    await writeWhole(join(out, 'history.csv'), historyCsv(history))
    await writeWhole(join(out, 'curves.svg'), await curvesSvg(history, [`${experiment.id}, seed ${seed}`, ...departures].join(' · ')))
  }
  for (const written of [json, out]) if (written) console.log(`Written: ${written}`)
  return run
}

/** Adds the result and its conditions to the record. */
async function finishRecord(
  recording: Recording,
  { title, document }: Experiment,
  run: RunResult,
  departures: readonly string[],
): Promise<RunRecord | undefined> {
  const { result, reported, best, data, environment: machine } = run
  recording.fact('Experiment', title)
  recording.fact('Result', showMeasure(result))
  recording.fact(`Document ${document}`, `${showMeasure(reported)} (${documents[document]})`)
  if (best) recording.fact('Best epoch', `${best.epoch + 1} of ${run.epochs}, ${best.name} ${best.value.toFixed(4)}`)
  recording.fact('Data', `${data.name} from ${data.source}`)
  recording.fact('Samples', thousands(data.train))
  if (data.validation !== undefined) recording.fact('Samples for validation', thousands(data.validation))
  if (data.test !== undefined) recording.fact('Test samples', thousands(data.test))
  recording.fact('Epochs', run.epochs)
  recording.fact('Batch size', run.batchSize)
  if (run.learningRate !== undefined) recording.fact('Learning rate', run.learningRate)
  recording.fact('Seed', run.seed)
  recording.fact('Backend', `${run.backend}, ${run.threads} ${run.threads === 1 ? 'thread' : 'threads'}`)
  recording.fact('Seconds an epoch', run.secondsPerEpoch.toFixed(1))
  recording.fact('SHA-256 of the weights', run.weights)
  addEnvironment(recording, machine)
  for (const departure of departures) recording.remark(`Not as in the document: ${departure}.`)
  if (run.remark !== undefined) recording.remark(run.remark)
  return recording.finish()
}

/** The differences between the run and the document's. */
function departuresOf(experiment: Experiment, run: RunResult, used: DataSource): string[] {
  const { epochs, batchSize } = experiment.defaults
  const departures: string[] = []
  if (used.train < used.available)
    departures.push(`partial data: ${thousands(used.train)} of ${thousands(used.available)} training ${used.unit}`)
  departures.push(...(used.departures ?? []))
  if (run.epochs !== epochs) departures.push(`${run.epochs} ${run.epochs === 1 ? 'epoch' : 'epochs'} instead of ${epochs}`)
  if (run.batchSize !== batchSize) departures.push(`batches of ${run.batchSize} instead of ${batchSize}`)
  if (run.learningRate !== undefined) departures.push(`learning rate ${run.learningRate}`)
  return departures
}

function closingLines({ document }: Experiment, run: RunResult, departures: readonly string[], unit: string): string[] {
  const { result, reported, best, data, seed, backend, threads, secondsPerEpoch, history } = run
  const lines = [
    '',
    `Here:          ${showMeasure(result)}${departures.length > 0 ? ` (${departures.join('; ')})` : ''}`,
    `Document ${document}:  ${showMeasure(reported)} (${documents[document]})`,
    ...(best && run.epochs > 1 ? [`Best epoch:    ${best.epoch + 1} of ${run.epochs}, ${best.name} ${best.value.toFixed(4)}`] : []),
    `Trained on ${thousands(data.train)} ${unit} from ${data.source}, seed ${seed}, backend ${backend}, threads ${threads}, ${secondsPerEpoch.toFixed(1)} s per epoch`,
  ]
  if (![...history.loss, ...(history.val_loss ?? [])].every(Number.isFinite)) lines.push('The loss is not finite: the training diverged.')
  if (run.remark !== undefined) lines.push(run.remark)
  if (departures.length > 0) lines.push('Not comparable with the document: see the brackets.')
  return lines
}

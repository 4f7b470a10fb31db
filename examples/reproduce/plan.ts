/** The runs of `npm run reproduce`: every experiment and every demonstration that trains, the seeds, and what else only the tables of results need. */
import { demonstrations, experiments } from '../experiments.js'
import type { Settings } from '../lib/arguments.js'
import { isTraining, type Kept } from '../lib/demonstration.js'
import type { documents, Reported } from '../lib/experiment.js'
import { figuresOf, Recording } from '../lib/recording.js'
import { runExperiment } from '../lib/session.js'

export interface Planned {
  readonly id: string
  /** Absent if it belongs to none. */
  readonly document?: keyof typeof documents
  /** The network and its training in one line. */
  readonly model: string
  readonly reported?: Reported
  /** If one of them changes, results that are kept are stale. */
  readonly settings: Readonly<Record<string, string | number>>
  readonly seeds: readonly number[]
  /** About how long a run takes on two idle cores of an AMD EPYC: for the order and for the first estimate. */
  readonly seconds: number
  /** Sentences for the remarks below the table: why our figure is another than the document's. They are shown if it is outside the band, or if one seed makes no band. */
  readonly why?: string
  run(settings: Settings, quick: boolean): Promise<Kept & { reported?: Reported; remark?: string }>
}

interface Facts {
  readonly seconds: number
  readonly seeds?: readonly number[]
  readonly why?: string
}

/** Runs of more than 20 minutes have one seed. */
const one = [1]

const facts: Readonly<Record<string, Facts>> = {
  'mnist-mlp': { seconds: 35 },
  'mnist-cnn-light': { seconds: 120 },
  'mnist-cnn-full': { seconds: 110 },
  'mnist-lstm': {
    seconds: 2100,
    seeds: one,
    why: 'The document shows no training of this network. It says only that the network is not optimised yet, and that 3.58 % is the lowest error its author has seen. So there is no training to compare ours with.',
  },
  'mnist-lstm-confusion': { seconds: 75 },
  'mnist-cnn-confusion': { seconds: 40 },
  'imdb-embedding': { seconds: 15 },
  'imdb-glove': { seconds: 25 },
  'imdb-no-glove': { seconds: 20 },
  'imdb-simple-rnn': {
    seconds: 45,
    why: 'At the end this network knows the training reviews by heart. Its validation accuracy goes up and down by several points from epoch to epoch, so chance decides much of the figure of the last one.',
  },
  'imdb-lstm': { seconds: 130 },
  'imdb-conv1d': { seconds: 270 },
  'jena-dense': { seconds: 30 },
  'jena-lstm': { seconds: 330 },
  'jena-lstm-dropout': { seconds: 650 },
  'jena-gru-dropout': { seconds: 600 },
  'jena-lstm-stacked': { seconds: 850 },
  'jena-lstm-bidirectional': { seconds: 650 },
  'jena-conv1d': { seconds: 100 },
  'jena-conv1d-lstm': { seconds: 1000 },
  'mnist-dropout-mlp': { seconds: 25 },
  'mnist-mlp-rmsprop': { seconds: 80 },
  'mnist-mlp-adadelta': { seconds: 80 },
  'mnist-cnn-adadelta': { seconds: 620 },
  gpt: { seconds: 150 },
  'gpt-core': { seconds: 150 },
  'transformer-imdb': { seconds: 100 },
  transfer: { seconds: 60 },
  augment: { seconds: 40 },
  vae: { seconds: 700 },
  gan: { seconds: 500 },
}

function factsOf(id: string): Facts {
  const found = facts[id]
  if (!found) throw new Error(`reproduce/plan.ts has no row for "${id}": say about how many seconds it takes.`)
  return found
}

/** All of them, in the order of their documents; demonstrations at the end. */
export const planned: readonly Planned[] = [
  ...experiments.map((experiment): Planned => {
    const { id, document, model, reported, defaults } = experiment
    return {
      id,
      document,
      model,
      reported,
      settings: { network: model, metric: reported.metric, ...defaults },
      seeds: [1, 2, 3],
      ...factsOf(id),
      run: (settings, quick) => runExperiment(experiment, settings, { quick, sections: !quick }),
    }
  }),
  ...demonstrations.filter(isTraining).map((training): Planned => {
    const { id, model } = training
    return {
      id,
      model,
      settings: { network: model },
      seeds: [1, 2, 3],
      ...factsOf(id),
      async run(settings, quick) {
        if (quick) return (await training.quick(settings)).kept
        const recording = new Recording(id, { figures: true })
        const { kept } = await training.run(settings, recording)
        const record = await recording.finish()
        const sections = [...(kept.sections ?? []), ...(record ? figuresOf(record) : [])]
        return sections.length > 0 ? { ...kept, sections } : kept
      },
    }
  }),
]

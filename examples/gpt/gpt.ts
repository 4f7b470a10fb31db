/**
 * A GPT that learns to write like Shakespeare, character by character: `npm run example -- gpt` in layers, `gpt-core` in ops alone. README.md beside this file
 * says what it shows.
 */
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { foldKey, key, type Parameter, scope } from '@cotangent/core'
import type { CharacterVocabulary } from '@cotangent/datasets'
import type { Sequential } from '@cotangent/layers'
import { loadModel, saveModel } from '@cotangent/layers/node'
import type { Settings } from '../lib/arguments.js'
import type { Kept, Training } from '../lib/demonstration.js'
import { weightsHash } from '../lib/hash.js'
import { Recording } from '../lib/recording.js'
import { createGpt, createTrainer, type Gpt, loss, type Sizes, small, write } from './gpt-core.js'
import { gptModel, toCore } from './gpt-layers.js'
import { BATCH, loadText, type Text, tensorsOf } from './text.js'

const STEPS = 2000
/** The sizes of a quick run. */
const tiny: Sizes = { vocabulary: 65, context: 16, layers: 2, heads: 2, width: 32 }

/** Smaller things than those of the example make a test short. */
export interface Scale {
  sizes?: Sizes
  text?: Text
  /** Steps between two lines of progress with a piece of text, where it is saved, too. */
  pause?: number
}

export interface GptResult {
  parameters: number
  /** Of the whole validation text, after the last step. */
  validationLoss: number
  /** The median. */
  msPerStep: number
  written: string
  kept: Kept
}

/** Shared by the two ways of training: steps, and the network as core's. */
interface Learner {
  readonly parameters: number
  readonly weights: readonly Parameter[]
  readonly step: number
  /** Trains on a batch; gives the loss before it. */
  train(batch: ReturnType<Text['batches']>['at'] extends (step: number) => infer B ? B : never): Promise<number>
  network(): { gpt: Gpt; release(): void }
  save?(): Promise<void>
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN

/** The mean loss of the windows of a text, or of the first `most` batches of them. */
async function lossOn(gpt: Gpt, windows: ReturnType<Text['validation']>, most = Number.POSITIVE_INFINITY): Promise<number> {
  let [sum, count] = [0, 0]
  for (const batch of windows) {
    if (count >= most * 64) break
    const [ids, next] = tensorsOf(batch)
    const value = scope(() => loss(gpt, ids, next))
    sum += (await value.item()) * ids.shape[0]
    count += ids.shape[0]
    for (const each of [ids, next, value]) each.dispose()
  }
  return sum / count
}

async function writeText(gpt: Gpt, vocabulary: CharacterVocabulary, prompt: string, count: number, seed: number): Promise<string> {
  const tokens: number[] = []
  for await (const id of write(gpt, [...vocabulary.encode(prompt)], { count, seed: foldKey(key(seed), 2) })) tokens.push(id)
  return prompt + vocabulary.decode(tokens)
}

async function run(
  learner: Learner,
  text: Text,
  settings: Settings,
  { sizes: { context } = small, pause = 250 }: Scale,
  recording: Recording,
): Promise<GptResult> {
  const { seed = 1, steps = STEPS, prompt = '\n' } = settings
  const batches = text.batches(context, seed)
  const validation = text.validation(context)
  console.log(`${learner.parameters} parameters, ${steps} steps of 12 × ${context} characters, seed ${seed}; text: ${text.source}`)
  if (learner.step > 0) console.log(`goes on after step ${learner.step}`)
  const times: number[] = []
  let before = Number.NaN
  const history: Record<'loss' | 'val_loss', number[]> = { loss: [], val_loss: [] }
  const stretchEnds = async (valid: number): Promise<void> => {
    history.loss.push(before)
    history.val_loss.push(valid)
    await recording.stretchEnds({ loss: before, val_loss: valid })
  }
  recording.stretchBegins()
  for (let step = learner.step; step < steps; step++) {
    const start = performance.now()
    before = await learner.train(batches.at(step))
    times.push(performance.now() - start)
    if ((step + 1) % pause !== 0 || step + 1 === steps) continue
    const { gpt, release } = learner.network()
    const [valid, piece] = [await lossOn(gpt, validation, 4), await writeText(gpt, text.vocabulary, prompt, 120, seed)]
    release()
    await stretchEnds(valid)
    recording.stretchBegins()
    await learner.save?.()
    const figures = `loss ${before.toFixed(3)}, of 256 validation windows ${valid.toFixed(3)}, ${median(times).toFixed(0)} ms a step`
    console.log(`\nstep ${step + 1}: ${figures}\n${piece.trim()}`)
  }
  await learner.save?.()
  const { gpt, release } = learner.network()
  const validationLoss = await lossOn(gpt, validation)
  const written = await writeText(gpt, text.vocabulary, prompt, 500, seed)
  release()
  console.log(
    `\nAfter ${steps} steps: validation loss ${validationLoss.toFixed(4)} (the whole validation text), ${median(times).toFixed(0)} ms a step\n\n${written.trim()}`,
  )
  await stretchEnds(validationLoss)
  recording.fact('Data', `${text.data.name} from ${text.data.source}`)
  recording.fact('Training', `${steps} steps of ${BATCH} × ${context} characters; a point of the curves is ${pause} steps`)
  recording.fact('Parameters', learner.parameters)
  recording.fact('Validation loss', `${validationLoss.toFixed(4)} (the whole validation text)`)
  recording.fact('ms a step', median(times).toFixed(0))
  await recording.shows(() => ({ kind: 'text', title: `What it writes after ${steps} steps`, text: written.trim() }))
  const kept: Kept = {
    result: { metric: 'validation loss', value: validationLoss },
    also: { steps, secondsPerStep: median(times) / 1000 },
    epochs: 1,
    batchSize: BATCH,
    history,
    data: text.data,
    weights: await weightsHash(learner.weights),
  }
  return { parameters: learner.parameters, validationLoss, msPerStep: median(times), written, kept }
}

const flags = ['seed', 'steps', 'prompt', 'data', 'backend', 'threads', 'report'] as const

export async function trainCore(settings: Settings = {}, scale: Scale = {}, recording = new Recording()): Promise<GptResult> {
  const { seed = 1, steps = STEPS } = settings
  const { sizes = small, text = await loadText(settings.data) } = scale
  const trainer = createTrainer(createGpt({ ...sizes, vocabulary: text.vocabulary.size }, key(seed)), steps)
  const { gpt, state } = trainer
  try {
    const learner: Learner = {
      parameters: gpt.parameters.reduce((sum, { size }) => sum + size, 0),
      weights: gpt.parameters,
      step: 0,
      async train(batch) {
        const tensors = tensorsOf(batch)
        const before = trainer.train(...tensors)
        try {
          return await before.item()
        } finally {
          for (const each of [before, ...tensors]) each.dispose()
        }
      },
      network: () => ({ gpt, release: () => undefined }),
    }
    return await run(learner, text, settings, scale, recording)
  } finally {
    for (const each of [...gpt.parameters, ...state.flat()]) each.dispose()
  }
}

/** With `out`, the model and its optimizer are saved there, and the next run goes on. */
export async function trainLayers(settings: Settings = {}, scale: Scale = {}, recording = new Recording()): Promise<GptResult> {
  const { seed = 1, steps = STEPS, out } = settings
  const { sizes = small, text = await loadText(settings.data) } = scale
  const file = out && join(out, 'gpt.keras')
  if (out) await mkdir(out, { recursive: true })
  const goesOn = file !== undefined && existsSync(file)
  const model = (goesOn ? await loadModel(file) : gptModel({ ...sizes, vocabulary: text.vocabulary.size }, { seed, steps })) as Sequential
  try {
    const learner: Learner = {
      parameters: model.countParams(),
      weights: model.weights,
      step: model.optimizer?.iterations ?? 0,
      async train([x, y]) {
        const result = await model.trainOnBatch(x, y)
        return Array.isArray(result) ? result[0] : (result as number)
      },
      network() {
        const gpt = toCore(model)
        return { gpt, release: () => gpt.parameters.forEach((each) => void each.dispose()) }
      },
      save: file ? () => saveModel(model, file) : undefined,
    }
    const result = await run(learner, text, settings, scale, recording)
    await recording.shows(() => ({ kind: 'text', title: 'The network', text: model.summaryLines().join('\n') }))
    return result
  } finally {
    model.dispose()
  }
}

export const gpt = {
  id: 'gpt',
  title: 'A GPT on Shakespeare, in layers; goes on where it stopped with --out dir',
  model: '4 blocks of attention over 64 characters, 128 numbers each; AdamW, 2,000 steps',
  flags: [...flags, 'out'],
  run: (settings: Settings, recording?: Recording) => trainLayers(settings, {}, recording),
  quick: async (settings) => trainLayers({ ...settings, steps: 20 }, { sizes: tiny, text: await loadText(settings.data, 5000) }),
} satisfies Training

export const gptCore = {
  id: 'gpt-core',
  title: 'The same GPT in ops alone, in one file',
  model: 'the same in ops alone',
  flags,
  run: (settings: Settings, recording?: Recording) => trainCore(settings, {}, recording),
  quick: async (settings) => trainCore({ ...settings, steps: 20 }, { sizes: tiny, text: await loadText(settings.data, 5000) }),
} satisfies Training

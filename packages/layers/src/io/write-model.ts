/** Models in the words of Keras 2.3.1, and apart from them the options that Keras has no words for. */
import { ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import { CompileError } from '../errors.js'
import { Model } from '../models/model.js'
import type { Trainer } from '../training/trainer.js'
import type { Json, KerasObject } from './keras-object.js'
import { LayerWriter, type ModelReader } from './write-layer.js'
import { type BeyondTraining, keras2Words, type TrainingWords, writeTraining } from './write-training.js'

export { keras2Words } from './write-training.js'

/** Our own entries in files, beside those of Keras, which ignores them. */
interface Beyond extends BeyondTraining {
  /** The root of the model's randomness. */
  seed?: number
  /** Options that Keras has no word for, by layer. */
  layers?: Readonly<Record<string, Json>>
}

/** The version of Keras that our files name. */
export const KERAS_VERSION = '2.3.1'

/** Throws unless a value is a model. */
export function requireModel(what: string, model: unknown): void {
  if (!(model instanceof Model)) throw new ValueError(`${what}: expected a model, got ${describeValue(model)}.`)
}

/** The model's trainer; undefined if the model was not compiled, or without a loss, which files have no word for. */
export function compiledOf(model: Model): Trainer | undefined {
  try {
    const trainer = model.trainer()
    return trainer.outputs.length > 0 ? trainer : undefined
  } catch (error) {
    if (error instanceof CompileError) return undefined
    throw error
  }
}

/**
 * Everything about a model except its weights and its optimizer's state: the layers in the words of Keras 2.3.1, the options of `compile` in the words of
 * `words`.
 */
export function describeModel(
  model: Model,
  words: TrainingWords = keras2Words,
  reader: ModelReader = 'keras',
): { topology: KerasObject; optimizer?: KerasObject; training?: Json; beyond: Beyond } {
  const writer = new LayerWriter(model.dtype, reader)
  const topology = writer.write(model)
  const layers = writer.beyond
  const compiled = compiledOf(model)
  const { optimizer, training, beyond } = compiled ? writeTraining(compiled, model.outputPorts, words) : { beyond: {} }
  const has = (object: object): boolean => Object.keys(object).length > 0
  return {
    topology,
    optimizer,
    training,
    beyond: { seed: model.seed, ...(has(layers) && { layers }), ...beyond },
  }
}

/** `training_config` as Keras 2.3.1 wrote it, if the model was compiled. */
export const trainingConfig = ({ optimizer, training }: { optimizer?: KerasObject; training?: Json }): Json | undefined =>
  training && { optimizer_config: optimizer, ...training, sample_weight_mode: null }

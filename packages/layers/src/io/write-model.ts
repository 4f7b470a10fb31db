/** Models in the words of Keras 2.3.1, and what it has no words for. */
import { ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import type { Compiled } from '../compiled.js'
import { CompileError } from '../errors.js'
import { Model } from '../model.js'
import type { Json, KerasObject } from './keras-object.js'
import { type BeyondTraining, writeTraining } from './training-config.js'
import { LayerWriter } from './write-layer.js'

/** What we keep in files beside what Keras knows; Keras does not look there. */
interface Beyond extends BeyondTraining {
  /** The root of the model's randomness. */
  seed?: number
  /** Options without a Keras word, by layer. */
  layers?: Readonly<Record<string, Json>>
}

/** The version of Keras whose files ours are. */
export const KERAS_VERSION = '2.3.1'

/** Throws unless a value is a model. */
export function requireModel(what: string, model: unknown): void {
  if (!(model instanceof Model)) throw new ValueError(`${what}: expected a model, got ${describeValue(model)}.`)
}

/** What a model was compiled with, if it was. */
export function compiledOf(model: Model): Compiled | undefined {
  try {
    return model.compiled()
  } catch (error) {
    if (error instanceof CompileError) return undefined
    throw error
  }
}

/** Everything about a model but its weights and the state of its optimizer. */
export function describeModel(model: Model): { topology: KerasObject; training?: Json; beyond: Beyond } {
  const writer = new LayerWriter(model.dtype)
  const topology = writer.write(model)
  const layers = writer.beyond
  const compiled = compiledOf(model)
  const { training, beyond } = compiled
    ? writeTraining(
        compiled,
        model.outputPorts.map(({ name }) => name),
      )
    : { training: undefined, beyond: {} }
  const has = (object: object): boolean => Object.keys(object).length > 0
  return {
    topology,
    training,
    beyond: { seed: model.seed, ...(has(layers) && { layers }), ...beyond },
  }
}

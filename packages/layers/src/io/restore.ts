/** Makes a model of the parts of a file: architecture, weights, options of `compile`, the optimizer's state. */
import type { Backend } from '@cotangent/core'
import { withBlankWeights } from '../layer.js'
import type { Model } from '../models/model.js'
import { warn } from '../platform.js'
import { setTextLayers, type TextLayer } from '../text/text-inputs.js'
import { withWeightLimit } from '../weights/limit.js'
import type { CustomObjects } from './custom.js'
import { isObject, type Json, type KerasObject } from './keras-object.js'
import { restoreState } from './optimizer-state.js'
import type { Origin } from './origin.js'
import { readModel } from './read-model.js'
import { readTraining } from './read-training.js'
import type { SavedArray } from './saved-weights.js'

/** Options of all functions that load models. */
export interface LoadOptions {
  /** The user's layer classes and functions (activations, losses, metrics, …) by their names in the file; none by default. */
  customObjects?: CustomObjects
  /** Whether to compile the model as it was, with the optimizer's state; true by default. */
  compile?: boolean
  /** The root of the model's randomness. By default the one in the file, or a new one. */
  seed?: number
  /** The backend that holds the weights; the default backend if left out. */
  backend?: Backend
  /** Gets a message for each part of the file that is left out, and why; by default the console prints it. */
  onWarning?: (message: string) => void
  /** The name of the file in messages. */
  name?: string
  /**
   * The bytes that the file may ask for: the weights of the model, the unpacked size of an archive (`.keras`), packed arrays. By default 256 MiB or 100 times its
   * size, whichever is more, up to 2 GiB. For JSON 1 GiB; there, an orthogonal matrix counts by the time that drawing it takes.
   */
  maxBytes?: number
}

/** The parts of a file. */
export interface FileParts {
  readonly origin: Origin
  readonly topology: KerasObject
  /** The bytes that the weights may take. */
  readonly weightBytes: number
  /** The place of the topology in the file, for messages. */
  readonly topologyPart: string
  readonly training?: Json
  /** The vocabularies before the inputs, by their places. */
  readonly texts?: ReadonlyMap<number, TextLayer>
  /** Our own entries beside Keras' words. */
  readonly beyond?: Json
  /** Loads the weights into the model, or throws and changes nothing. */
  loadWeights?(model: Model, byName?: boolean): void
  readonly state?: { readonly arrays: readonly SavedArray[]; readonly together?: boolean }
}

const objectOr = (value: unknown): Json => (isObject(value) ? value : {})

/**
 * The model of a file.
 *
 * @throws ValueError or ShapeError that names the part that is not supported or damaged; then the model is freed
 */
export function restore(parts: FileParts, options: LoadOptions): Model {
  const { origin, beyond = {} } = parts
  const custom = options.customObjects ?? {}
  const say = options.onWarning ?? warn
  const seed = options.seed ?? (typeof beyond.seed === 'number' ? beyond.seed : undefined)
  const context = { origin, custom, beyond: objectOr(beyond.layers) as Record<string, Json>, isOurs: parts.beyond !== undefined, warn: say }
  const read = (): Model => readModel(parts.topology, context, { seed, backend: options.backend }, parts.topologyPart)
  const { loadWeights, topologyPart, weightBytes } = parts
  const model = withWeightLimit(topologyPart, weightBytes, () => (loadWeights ? withBlankWeights(read) : read()))
  if (parts.texts?.size) setTextLayers(model, parts.texts)
  try {
    parts.loadWeights?.(model)
  } catch (error) {
    model.dispose()
    throw error
  }
  if (options.compile === false || !parts.training) return model
  const training = readTraining(parts.training, { origin, custom, beyond, warn: say, outputs: model.outputPorts.map(({ name }) => name) })
  if (!training) return model
  try {
    model.compile(training)
  } catch (error) {
    say(
      `The model is loaded without its training configuration; call compile before training it. ${error instanceof Error ? error.message : error}`,
    )
    return model
  }
  if (!parts.state || !model.built) return model
  try {
    restoreState(model, parts.state.arrays, orderInFile(parts.topology), parts.state.together)
  } catch (error) {
    say(`The state of the optimizer is left out; training goes on with a new one. ${error instanceof Error ? error.message : error}`)
  }
  return model
}

/** The names of the layers as the file lists them. Optimizers order their state by them. */
function orderInFile({ config }: KerasObject): string[] {
  const layers = Array.isArray(config.layers) ? config.layers : []
  return layers.flatMap((layer) => {
    const { name, config: own } = objectOr(layer)
    const known = objectOr(own).name ?? name
    return typeof known === 'string' ? [known] : []
  })
}

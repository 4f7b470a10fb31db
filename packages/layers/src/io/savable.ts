/** Whether a format can hold a model. Found out from its description, before there is anything to save. */
import type { Model } from '../models/model.js'
import { requireNoTexts } from './keras-texts.js'
import { describeKerasZip } from './keras-zip.js'
import { describeModel, keras2Words } from './write-model.js'

/** The names of the formats in messages. */
const names = { h5: '.h5', json: 'JSON', tfjs: 'TensorFlow.js' } as const

/**
 * Throws what a save of a model would throw because of its layers, its texts or the options of `compile`.
 *
 * @param what the function that will save it, for messages
 */
export function requireFormatFor(what: string, model: Model, format: 'h5' | 'keras' | 'json' | 'tfjs'): void {
  if (format === 'keras') return void describeKerasZip(model, true)
  requireNoTexts(what, names[format], model)
  describeModel(model, keras2Words, format === 'h5' ? 'keras' : format)
}

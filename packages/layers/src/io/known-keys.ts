/**
 * Keys of Keras' configs that are no options here: keys about how Keras computes, not what; and keys whose default is what happens here anyway. A key that is
 * neither here nor an option is refused.
 */
import { ValueError } from '@cotangent/core'
import type { Json } from './keras-object.js'
import type { Origin } from './origin.js'

type Family = Origin['family']

interface KnownKey {
  /** The classes that have the key. */
  readonly classes: RegExp
  /** The programs that write it; all if left out. */
  readonly of?: readonly Family[]
  /** The values that mean what happens here anyway; any if left out. */
  readonly values?: readonly unknown[]
  /** The remedy for another value. */
  readonly advice?: string
}

const every = /./
const recurrent = /^(SimpleRNN|LSTM|GRU|ConvLSTM[123]D|RNN)$/
const randomCells = /^(SimpleRNN|LSTM|GRU)(Cell)?$/
const without = 'Build the model without it.'

const known: Readonly<Record<string, readonly KnownKey[]>> = {
  supports_masking: [{ classes: every }],
  autocast: [{ classes: every, of: ['keras3', 'tf2'] }],
  input_dtype: [{ classes: every, of: ['keras1', 'keras2'] }],
  consume_less: [{ classes: randomCells, of: ['keras1'] }],
  lora_rank: [{ classes: every, of: ['keras3'], values: [], advice: 'Merge the LoRA weights before saving.' }],
  lora_alpha: [{ classes: every, of: ['keras3'] }],
  quantization_config: [{ classes: every, of: ['keras3'], values: [], advice: 'Save the model unquantized.' }],
  groups: [{ classes: /^(Depthwise|Separable)Conv|Transpose$/, values: [1], advice: 'Only plain convolutions have groups.' }],
  // These layers have no such kernel; tf.keras writes the options of its base class.
  kernel_initializer: [{ classes: /^(Separable|Depthwise)Conv/, of: ['tf2'] }],
  kernel_regularizer: [{ classes: /^(Separable|Depthwise)Conv/, of: ['tf2'] }],
  kernel_constraint: [{ classes: /^(Separable|Depthwise)Conv/, of: ['tf2'] }],
  sparse: [
    {
      classes: /^(InputLayer|Embedding|CategoryEncoding|Discretization|IntegerLookup)$/,
      values: [false],
      advice: 'Sparse inputs are not supported; feed dense ones.',
    },
  ],
  ragged: [{ classes: /^InputLayer$/, values: [false], advice: 'Ragged inputs are not supported; pad them.' }],
  optional: [{ classes: /^InputLayer$/, values: [false], advice: 'Optional inputs are not supported; feed zeros.' }],
  vocabulary_dtype: [{ classes: /^IntegerLookup$/ }],
  vocabulary_size: [{ classes: /^IntegerLookup$/ }],
  time_major: [
    { classes: recurrent, values: [false], advice: 'Sequences are [batch, steps, features] here; save the model with time_major=False.' },
  ],
  use_cudnn: [{ classes: recurrent }],
  // Random numbers differ from Keras' in any case.
  seed: [
    {
      classes:
        /^(SpatialDropout[123]D|Gaussian(Noise|Dropout)|(Additive|MultiHead|GroupQuery)?Attention|(SimpleRNN|LSTM|GRU)(Cell)?|ConvLSTM[123]D|Random(Flip|Rotation|Zoom|Translation|Crop|Contrast|Brightness))$/,
    },
  ],
  noise_shape: [{ classes: /^SpatialDropout/ }],
  fused: [{ classes: /^BatchNormalization$/ }],
  synchronized: [{ classes: /^BatchNormalization$/ }],
  renorm: [{ classes: /^BatchNormalization$/, values: [false], advice: 'Batch renormalisation is not supported.' }],
  renorm_clipping: [{ classes: /^BatchNormalization$/ }],
  renorm_momentum: [{ classes: /^BatchNormalization$/ }],
  virtual_batch_size: [{ classes: /^BatchNormalization$/, values: [], advice: without }],
  rms_scaling: [{ classes: /^LayerNormalization$/, values: [false], advice: 'Save the model with rms_scaling=False.' }],
  flash_attention: [{ classes: /^(MultiHead|GroupQuery)Attention$/ }],
  query_shape: [{ classes: /^MultiHeadAttention$/, of: ['tf2'] }],
  key_shape: [{ classes: /^MultiHeadAttention$/, of: ['tf2'] }],
  value_shape: [{ classes: /^MultiHeadAttention$/, of: ['tf2'] }],
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/**
 * Whether a key of a layer's config can be ignored.
 *
 * @throws ValueError if its value would change what the layer does
 */
export function isHarmless(className: string, key: string, value: unknown, { family }: Origin): boolean {
  const entries = Object.hasOwn(known, key) ? known[key] : []
  const entry = entries.find(({ classes, of }) => classes.test(className) && (!of || of.includes(family) || family === 'tfjs'))
  if (!entry) return false
  if (!entry.values || value === null || entry.values.some((usual) => same(value, usual))) return true
  const only = entry.values.length > 0 ? `only ${JSON.stringify(entry.values[0])}` : 'it must be null'
  throw new ValueError(`config key "${key}": ${JSON.stringify(value)} is not supported, ${only}. ${entry.advice}`)
}

/** Throws for a key of an input's config that would change what the input takes. */
export function requireHarmless(config: Json, origin: Origin): void {
  for (const [key, value] of Object.entries(config)) isHarmless('InputLayer', key, value, origin)
}

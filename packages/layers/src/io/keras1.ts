/** Translates the words of Keras 1 (up to 1.2.2) into those of Keras 2. Source: keras/legacy/interfaces.py and engine/saving.py of 2.2.4. */
import { entryOf } from '../spelling/names.js'
import type { Json } from './keras-object.js'

const everywhere: Readonly<Record<string, string>> = {
  init: 'kernel_initializer',
  inner_init: 'recurrent_initializer',
  inner_activation: 'recurrent_activation',
  beta_init: 'beta_initializer',
  gamma_init: 'gamma_initializer',
  W_regularizer: 'kernel_regularizer',
  U_regularizer: 'recurrent_regularizer',
  b_regularizer: 'bias_regularizer',
  W_constraint: 'kernel_constraint',
  U_constraint: 'recurrent_constraint',
  b_constraint: 'bias_constraint',
  bias: 'use_bias',
  nb_filter: 'filters',
  filter_length: 'kernel_size',
  subsample: 'strides',
  subsample_length: 'strides',
  border_mode: 'padding',
  dim_ordering: 'data_format',
  atrous_rate: 'dilation_rate',
  pool_length: 'pool_size',
  stride: 'strides',
  p: 'rate',
  dropout_W: 'dropout',
  dropout_U: 'recurrent_dropout',
  length: 'size',
  sigma: 'stddev',
  output_dim: 'units',
}

/** Words that mean something else in one class. */
const byClass: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Embedding: {
    init: 'embeddings_initializer',
    W_regularizer: 'embeddings_regularizer',
    W_constraint: 'embeddings_constraint',
    output_dim: 'output_dim',
  },
  PReLU: { init: 'alpha_initializer' },
}

const formats: Readonly<Record<string, string>> = { th: 'channels_first', tf: 'channels_last' }

/** A layer's config in Keras 2's words. */
export function fromKeras1(className: string, config: Json): Json {
  const names = { ...everywhere, ...entryOf(byClass, className) }
  const out: Json = {}
  for (const [key, value] of Object.entries(config)) {
    if (key === 'nb_row' || key === 'nb_col') out.kernel_size = [config.nb_row, config.nb_col]
    else if (key === 'forget_bias_init') out.unit_forget_bias = value === 'one' || value === 'ones'
    else if (key === 'dim_ordering') out.data_format = entryOf(formats, String(value)) ?? value
    else if (key === 'input_length' && className !== 'Embedding') continue
    else if (key === 'input_dim' && className !== 'Embedding') continue
    else if (className === 'Embedding' && key === 'dropout') continue
    else if (key === 'mode' && className === 'BatchNormalization' && value === 0) continue
    else out[entryOf(names, key) ?? key] = key.endsWith('regularizer') || key.endsWith('constraint') ? described(value) : value
  }
  return out
}

/** Regularizers and constraints were `{name, …options}` in Keras 1. */
function described(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || 'class_name' in value) return value
  const { name, m, low, high, ...config } = value as Json
  const className = String(name).endsWith('Regularizer') ? 'L1L2' : String(name)
  const limits = {
    ...(m !== undefined && { max_value: m }),
    ...(low !== undefined && { min_value: low }),
    ...(high !== undefined && { max_value: high }),
  }
  return { class_name: className, config: { ...config, ...limits } }
}

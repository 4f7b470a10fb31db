/** Translates names of layers and options from the words of Keras 2.3 into those of Keras 3.16. */
import { ValueError } from '@cotangent/core'
import { isObject, type Json, type KerasObject } from './keras-object.js'

/** How the options of some classes change. Keys are Keras' words. */
interface Change {
  readonly classes: RegExp
  /** Written in addition. */
  readonly add?: Json
  /** Left out. If the value is another than this, our files keep it where Keras does not look. */
  readonly lose?: Json
  /** Left out at this value. */
  readonly without?: Json
  readonly rename?: Readonly<Record<string, string>>
}

const changes: readonly Change[] = [
  { classes: /^(Dense|Embedding|EinsumDense|ReversibleEmbedding)$/, add: { quantization_config: null } },
  { classes: /^ReversibleEmbedding$/, add: { reverse_dtype: null } },
  { classes: /^(Dense|RNN)$/, without: { activity_regularizer: null } },
  { classes: /^(Reversible)?Embedding$/, lose: { input_length: null } },
  { classes: /^Conv[123]D$/, add: { groups: 1 } },
  { classes: /^Global(Max|Average)Pooling[123]D$/, add: { keepdims: false } },
  { classes: /^ZeroPadding1D$/, add: { data_format: 'channels_last' } },
  { classes: /^SpatialDropout[123]D$/, add: { seed: null }, lose: { trainable: true } },
  { classes: /^Gaussian(Noise|Dropout)$/, add: { seed: null } },
  { classes: /^LeakyReLU$/, rename: { alpha: 'negative_slope' } },
  { classes: /^BatchNormalization$/, add: { synchronized: false, renorm: false, renorm_clipping: null, renorm_momentum: 0.99 } },
  { classes: /^LayerNormalization$/, add: { rms_scaling: false } },
  { classes: /^Attention$/, add: { score_mode: 'dot' } },
  { classes: /Attention$/, add: { seed: null } },
  { classes: /^MultiHeadAttention$/, add: { use_gate: false, sliding_window: null, attention_axes: [1] } },
  { classes: /^(MultiHead|GroupQuery)Attention$/, add: { activity_regularizer: null } },
  { classes: /^(CategoryEncoding|Discretization)$/, add: { sparse: false } },
  { classes: /^IntegerLookup$/, add: { sparse: false, vocabulary: null, idf_weights: null, vocabulary_dtype: 'int64' } },
  { classes: /^Normalization$/, add: { mean: null, variance: null } },
  { classes: /^Discretization$/, add: { bin_boundaries: null, num_bins: null }, lose: { trainable: true } },
  { classes: /^Random(Flip|Rotation|Zoom|Translation|Crop|Contrast|Brightness)$/, add: { seed: null } },
  { classes: /^(SimpleRNN|LSTM|GRU|ConvLSTM[123]D|RNN)$/, add: { zero_output_for_mask: false } },
  { classes: /^(LSTM|GRU|ConvLSTM[123]D|SimpleRNNCell|LSTMCell|GRUCell)$/, add: { seed: null } },
  { classes: /^(LSTM|GRU|LSTMCell|GRUCell)$/, lose: { implementation: 2 } },
]

const modules: readonly (readonly [RegExp, string])[] = [
  [/initializer$/, 'keras.initializers'],
  [/regularizer$/, 'keras.regularizers'],
  [/constraint$/, 'keras.constraints'],
]

/** Keras 3's class for a scale and fan of VarianceScaling. */
const scalings: Readonly<Record<string, string>> = {
  '1 fan_avg uniform': 'GlorotUniform',
  '1 fan_avg normal': 'GlorotNormal',
  '2 fan_in uniform': 'HeUniform',
  '2 fan_in normal': 'HeNormal',
  '1 fan_in uniform': 'LecunUniform',
  '1 fan_in normal': 'LecunNormal',
}

/** An initializer, regularizer or constraint in the words of Keras 3. */
function described(module: string, { class_name, config }: KerasObject): Json {
  const object = (name: string, options: Json): Json => ({ module, class_name: name, config: options, registered_name: null })
  if (class_name === 'VarianceScaling') {
    const { scale, mode, seed } = config
    const distribution = config.distribution === 'truncated_normal' ? 'normal' : config.distribution
    const axes = { input_axes: null, output_axes: null }
    const name = scalings[`${scale} ${mode} ${distribution}`]
    if (name) return object(name, { seed, ...axes })
    return object(class_name, { ...config, distribution: distribution === 'normal' ? 'truncated_normal' : distribution, ...axes })
  }
  if (class_name === 'L1L2' && config.l1 === 0) return object('L2', { l2: config.l2 })
  if (class_name === 'L1L2' && config.l2 === 0) return object('L1', { l1: config.l1 })
  return object(class_name, config)
}

/** The dtype of a layer's arithmetic, as an object. */
const policy = (name: unknown): Json => ({ module: 'keras', class_name: 'DTypePolicy', config: { name }, registered_name: null })

/** Activations that Keras 3 calls otherwise. */
const activations: ReadonlyMap<unknown, string> = new Map([
  ['swish', 'silu'],
  ['hard_sigmoid6', 'hard_sigmoid'],
])

/** The config with Keras 3's names of activations. Throws for the one that Keras 3 has with another meaning. */
function withActivations(config: Json): Json {
  const out = { ...config }
  for (const key of ['activation', 'recurrent_activation']) {
    if (config[key] === 'hard_sigmoid') {
      throw new ValueError(
        `hard_sigmoid is another function in Keras 3, so layer "${config.name}" cannot be in a .keras file. Save the model as .h5.`,
      )
    }
    const name = activations.get(config[key])
    if (name) out[key] = name
  }
  return out
}

/**
 * A layer's config of Keras 2.3 in the words of Keras 3, without the layers inside it.
 *
 * @returns the config, and the options that Keras 3 has no words for
 * @throws ValueError for an activation whose name means another function there
 */
export function keras3Config(className: string, given: Json): { config: Json; lost: Json } {
  const { batch_input_shape: _, dtype, ...rest } = withActivations(given)
  // In Keras 3's files the variant is Keras 3's unless we say otherwise.
  const lost: Json = className === 'BatchNormalization' ? { variant: 'keras2' } : {}
  const { activity_regularizer: penalty } = rest
  // There it is divided by the number of samples, unless we say otherwise.
  if (isObject(penalty) && (penalty.class_name === 'L1L2' || penalty.class_name === 'OrthogonalRegularizer'))
    lost.activity_regularizer = { className: penalty.class_name, config: penalty.config }
  const config: Json = {}
  for (const [key, value] of Object.entries(rest)) {
    const module = modules.find(([pattern]) => pattern.test(key))?.[1]
    config[key] = module && isObject(value) && typeof value.class_name === 'string' ? described(module, value as KerasObject) : value
  }
  if (className === 'MultiHeadAttention' && typeof config.output_shape === 'number') config.output_shape = [config.output_shape]
  if (className === 'PReLU' && Array.isArray(config.shared_axes) && config.shared_axes.length === 0) config.shared_axes = null
  for (const { classes, add, lose = {}, without = {}, rename = {} } of changes) {
    if (!classes.test(className)) continue
    for (const [key, usual] of Object.entries(lose)) {
      if (Object.hasOwn(config, key) && config[key] !== usual) lost[key] = config[key]
      delete config[key]
    }
    for (const [key, usual] of Object.entries(without)) if (config[key] === usual) delete config[key]
    for (const [from, to] of Object.entries(rename)) {
      config[to] = config[from]
      delete config[from]
    }
    Object.assign(config, { ...add, ...config })
  }
  // Keras says the dtype of this one layer by its name alone.
  const said = className === 'Discretization' ? dtype : policy(dtype)
  return { config: { ...config, ...(dtype !== undefined && { dtype: said }) }, lost }
}

/** Layers that Keras 3 takes as built from the start. No shape is written for them. */
export const builtFromTheStart =
  /^(InputLayer|Identity|Activation|ActivityRegularization|AlphaDropout|Dropout|SpatialDropout|Gaussian|ReLU|LeakyReLU|ThresholdedReLU|ELU|Softmax|UnitNormalization|Masking|Reshape|(Global)?(Max|Average)Pooling)/

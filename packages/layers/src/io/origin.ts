/** The program and version that wrote a file. */
export interface Origin {
  /** Keras 1; Keras 2; tf.keras 2, which spells some things differently; Keras 3; TensorFlow.js. */
  readonly family: 'keras1' | 'keras2' | 'tf2' | 'keras3' | 'tfjs'
  /** The version in the file. */
  readonly version: string
  readonly backend: string
  /** Whether clipping, Adagrad and batch normalisation are those of Keras 3, as in Keras 3 and partly from tf.keras 2.11 on. */
  readonly newOptimizers: boolean
  /** Whether steps that a mask leaves out do not count in the mean of a loss, as in Keras 3 and from tf.keras 2.10 on (utils/losses_utils.py, apply_valid_mask). */
  readonly meansOfCounted: boolean
}

/**
 * The origin, from the version and backend in the file. Keras 1.0 wrote no version. tf.keras ended its versions in `-tf` up to 2.3, and only tf.keras has 2.4 and
 * later.
 */
export function originOf(version: string | undefined, backend: string | undefined): Origin {
  const [major = 1, minor = 0] = (version ?? '1').split('.').map((part) => Number.parseInt(part, 10) || 0)
  const base = { version: version ?? 'none', backend: backend ?? 'tensorflow' }
  if (version?.startsWith('tfjs')) return { ...base, family: 'tfjs', newOptimizers: false, meansOfCounted: false }
  if (major >= 3) return { ...base, family: 'keras3', newOptimizers: true, meansOfCounted: true }
  if (major < 2) return { ...base, family: 'keras1', newOptimizers: false, meansOfCounted: false }
  const ofTensorFlow = minor >= 4 || (version ?? '').includes('-tf')
  const [newOptimizers, meansOfCounted] = [11, 10].map((since) => ofTensorFlow && minor >= since)
  return { ...base, family: ofTensorFlow ? 'tf2' : 'keras2', newOptimizers, meansOfCounted }
}

/** Words that only Keras 1 has. */
const ofKeras1 = [
  'border_mode',
  'nb_filter',
  'nb_row',
  'filter_length',
  'init',
  'inner_init',
  'inner_activation',
  'W_regularizer',
  'dim_ordering',
]
/** Words that came with tf.keras 2. */
const ofTensorFlow = ['ragged', 'time_major', 'groups', 'score_mode', 'keepdims']

/**
 * The version of Keras, guessed from the words of a model, for files that do not say it.
 *
 * @param topology JSON of layers in objects and lists
 */
export function versionByWords(topology: unknown): string {
  const keys = new Set<string>()
  const classes = new Set<unknown>()
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    if (!Array.isArray(value)) classes.add((value as { class_name?: unknown }).class_name)
    for (const [key, item] of Object.entries(value)) {
      if (!Array.isArray(value)) keys.add(key)
      look(item)
    }
  }
  look(topology)
  if (keys.has('registered_name') || keys.has('module')) return '3.16.0'
  if (ofKeras1.some((word) => keys.has(word))) return '1.2.2'
  return classes.has('Functional') || ofTensorFlow.some((word) => keys.has(word)) ? '2.15.0' : '2.3.1'
}

/** Names and options in either spelling are typed; mistakes do not compile. Checked by `npm run types`. */
import { getActivation } from './activations.js'
import { getInitializer, varianceScaling } from './initializers.js'
import { getLoss } from './losses.js'
import { getMetric } from './metrics.js'
import { adam, getOptimizer } from './optimizers/index.js'
import { getRegularizer } from './regularizers.js'

getLoss('categorical_crossentropy')
getLoss('cosine_similarity')
getMetric('top_k_categorical_accuracy')
getMetric('acc')
getMetric('mean_absolute_error')
getOptimizer('RMSprop')
getOptimizer('Adam')
getInitializer('glorot_uniform')
getInitializer('zero')
adam({ learning_rate: 1, beta_1: 2 })
varianceScaling({ mode: 'fan_in' })
getActivation('hard_sigmoid')
getRegularizer('l1_l2')
// @ts-expect-error no such loss
getLoss('mmse')
// @ts-expect-error no such option
adam({ beta3: 1 })
// @ts-expect-error no such initializer
getInitializer('glorot')
// @ts-expect-error no such activation
getActivation('rellu')

/** Names and options in either spelling are typed; mistakes do not compile. Checked by `npm run types`. */
import { getActivation } from '../activations.js'
import { setImageDataFormat } from '../layers/data-format.js'
import { conv2d, maxPooling2d } from '../layers/index.js'
import { getLoss } from '../losses/index.js'
import { getMetric } from '../metrics/index.js'
import { adam, getOptimizer } from '../optimizers/index.js'
import { getConstraint } from '../weights/constraints.js'
import { getInitializer, varianceScaling } from '../weights/initializers.js'
import { getRegularizer } from '../weights/regularizers.js'

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
getConstraint('max_norm')
setImageDataFormat('channels_first')
conv2d(8, 3, { kernelConstraint: 'unit_norm', biasInitializer: 'zero', dataFormat: 'channelsFirst' })
// @ts-expect-error no such loss
getLoss('mmse')
// @ts-expect-error no such option
adam({ beta3: 1 })
// @ts-expect-error no such initializer
getInitializer('glorot')
// @ts-expect-error no such activation
getActivation('rellu')
// @ts-expect-error no such constraint
getConstraint('maxNrm')
// @ts-expect-error pooling has no kernel
maxPooling2d({ kernelConstraint: 'max_norm' })

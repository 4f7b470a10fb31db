/** All experiments, in the order of their documents. A new one is imported and added here. */
import { mnistMlp } from './000-keras-tutorial/mnist-mlp.js'
import { mnistDropoutMlp } from './003-basic/mnist-dropout-mlp.js'
import { mnistMlpAdadelta } from './004-soft-computing/mnist-mlp-adadelta.js'
import { mnistMlpRmsprop } from './004-soft-computing/mnist-mlp-rmsprop.js'
import type { Experiment } from './lib/experiment.js'

export const experiments: readonly Experiment[] = [mnistMlp, mnistDropoutMlp, mnistMlpRmsprop, mnistMlpAdadelta]

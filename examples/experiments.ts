/** The list of all experiments and demonstrations, in the order of their documents. Add a new one here. */
import { mnistCnnFull } from './000-keras-tutorial/mnist-cnn-full.js'
import { mnistCnnLight } from './000-keras-tutorial/mnist-cnn-light.js'
import { mnistLstm } from './000-keras-tutorial/mnist-lstm.js'
import { mnistMlp } from './000-keras-tutorial/mnist-mlp.js'
import { mnistCnnConfusion } from './001-lstm-cnn/mnist-cnn-confusion.js'
import { mnistLstmConfusion } from './001-lstm-cnn/mnist-lstm-confusion.js'
import { imdbConv1d } from './002-text-and-sequences/imdb-conv1d.js'
import { imdbEmbedding } from './002-text-and-sequences/imdb-embedding.js'
import { imdbGlove } from './002-text-and-sequences/imdb-glove.js'
import { imdbLstm } from './002-text-and-sequences/imdb-lstm.js'
import { imdbNoGlove } from './002-text-and-sequences/imdb-no-glove.js'
import { imdbSimpleRnn } from './002-text-and-sequences/imdb-simple-rnn.js'
import { jenaConv1d } from './002-text-and-sequences/jena-conv1d.js'
import { jenaConv1dLstm } from './002-text-and-sequences/jena-conv1d-lstm.js'
import { jenaDense } from './002-text-and-sequences/jena-dense.js'
import { jenaGruDropout } from './002-text-and-sequences/jena-gru-dropout.js'
import { jenaLstm } from './002-text-and-sequences/jena-lstm.js'
import { jenaLstmBidirectional } from './002-text-and-sequences/jena-lstm-bidirectional.js'
import { jenaLstmDropout } from './002-text-and-sequences/jena-lstm-dropout.js'
import { jenaLstmStacked } from './002-text-and-sequences/jena-lstm-stacked.js'
import { textOneHot } from './002-text-and-sequences/text-one-hot.js'
import { mnistDropoutMlp } from './003-basic/mnist-dropout-mlp.js'
import { mnistCnnAdadelta } from './004-soft-computing/mnist-cnn-adadelta.js'
import { mnistMlpAdadelta } from './004-soft-computing/mnist-mlp-adadelta.js'
import { mnistMlpRmsprop } from './004-soft-computing/mnist-mlp-rmsprop.js'
import { augment } from './augment/augment.js'
import { backprop } from './backprop/backprop.js'
import { gan } from './gan/gan.js'
import { gpt, gptCore } from './gpt/gpt.js'
import { kerasImport } from './keras-import/keras-import.js'
import type { Demonstration } from './lib/demonstration.js'
import type { Experiment } from './lib/experiment.js'
import { transfer } from './transfer/transfer.js'
import { transformerImdb } from './transformer-imdb/transformer-imdb.js'
import { vae } from './vae/vae.js'

export const experiments: readonly Experiment[] = [
  mnistMlp,
  mnistCnnLight,
  mnistCnnFull,
  mnistLstm,
  mnistLstmConfusion,
  mnistCnnConfusion,
  imdbEmbedding,
  imdbGlove,
  imdbNoGlove,
  imdbSimpleRnn,
  imdbLstm,
  imdbConv1d,
  jenaDense,
  jenaLstm,
  jenaLstmDropout,
  jenaGruDropout,
  jenaLstmStacked,
  jenaLstmBidirectional,
  jenaConv1d,
  jenaConv1dLstm,
  mnistDropoutMlp,
  mnistMlpRmsprop,
  mnistMlpAdadelta,
  mnistCnnAdadelta,
]

export const demonstrations: readonly Demonstration[] = [
  textOneHot,
  backprop,
  gpt,
  gptCore,
  transformerImdb,
  transfer,
  augment,
  vae,
  gan,
  kerasImport,
]

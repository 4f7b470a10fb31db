/**
 * Document 000, "Neural network tutorial using Keras": a recurrent network that reads an image row by row.
 *
 *   network    LSTM 512 over 28 rows of 28 pixels – Dense 10 softmax; gates by the hard sigmoid, the default of its Keras
 *   training   RMSprop, batches of 200, 10 epochs, the test images as validation data
 *   result     LSTM model error: 3.58% (the lowest that the author has seen)
 */
import { normalize, reshape, toCategorical } from '@cotangent/datasets'
import { dense, lstm, rmsprop, Sequential } from '@cotangent/layers'
import type { Experiment } from '../lib/experiment.js'
import { classifierShows } from '../lib/shown.js'

/** 1,113,098 parameters. */
export function lstmModel(numClasses: number, seed: number): Sequential {
  const model = new Sequential([], { seed })
  // From Keras 2.3 on gates are by the true sigmoid; the document's Keras, which prints acc, is older.
  model.add(lstm(512, { inputShape: [28, 28], recurrentActivation: 'hardSigmoid' }))
  model.add(dense(numClasses, { activation: 'softmax' }))
  return model
}

export const mnistLstm: Experiment = {
  id: 'mnist-lstm',
  document: '000',
  title: 'LSTM over the rows of an image',
  model: 'LSTM 512 over 28 rows – Dense 10 softmax; RMSprop',
  reported: { metric: 'test error %', value: 3.58, remark: 'the best its author saw' },
  defaults: { epochs: 10, batchSize: 200 },

  async run(context) {
    const { epochs, batchSize, learningRate, seed, callbacks, output } = context
    const digits = await context.mnist()
    // A row of 28 pixels is a step of the sequence. An image is [28, 28], without an axis for its channel.
    const xTrain = normalize(reshape(digits.xTrain, [-1, 28, 28]), 255)
    const xTest = normalize(reshape(digits.xTest, [-1, 28, 28]), 255)
    const yTrain = toCategorical(digits.yTrain, 10)
    const yTest = toCategorical(digits.yTest, 10)

    const model = lstmModel(yTest.shape[1], seed)
    model.compile({ loss: 'categoricalCrossentropy', optimizer: rmsprop({ learningRate }), metrics: ['acc'] })
    const history = await model.fit(xTrain, yTrain, { validationData: [xTest, yTest], batchSize, epochs, verbose: 2, callbacks, output })

    const scores = await model.evaluate(xTest, yTest, { verbose: 0 })
    const error = 100 - scores[1] * 100
    await context.shows(...classifierShows(model, xTest, digits.xTest, digits.yTest))
    console.log(`LSTM model error: ${error.toFixed(2)}%`)
    return { value: error, history }
  },
}

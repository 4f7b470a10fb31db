/**
 * Document 003, the basics of neural networks: a perceptron with two hidden layers and dropout.
 *
 *   network    784 – Dense 128 relu – Dropout 0.3 – Dense 128 relu – Dropout 0.3 – Dense 10 softmax
 *   training   Adam, batches of 128, 20 epochs, the last fifth of the training images for validation
 *   result     Test score: 0.07476799268705217, Test accuracy: 0.9804
 *   files      model-01.h5 … after each epoch and mnist.h5 at the end, in the directory of --out, or else in one that is removed again
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { normalize, reshape, slice, toCategorical } from '@cotangent/datasets'
import { activation, adam, type Data, dense, dropout, type Model, Sequential } from '@cotangent/layers'
import { loadModel, modelCheckpoint, saveModel } from '@cotangent/layers/node'
import type { Experiment } from '../lib/experiment.js'
import { classifierShows } from '../lib/shown.js'

const RESHAPED = 784
const NB_CLASSES = 10
const N_HIDDEN = 128
const DROPOUT = 0.3
const VALIDATION_SPLIT = 0.2

/** The document's network; `npm start` trains it, too. */
export function dropoutMlp(seed: number): Sequential {
  const model = new Sequential([], { seed })
  model.add(dense(N_HIDDEN, { inputShape: [RESHAPED] }))
  model.add(activation('relu'))
  model.add(dropout(DROPOUT))
  model.add(dense(N_HIDDEN))
  model.add(activation('relu'))
  model.add(dropout(DROPOUT))
  model.add(dense(NB_CLASSES))
  model.add(activation('softmax'))
  return model
}

async function probabilities(model: Model, x: Data): Promise<Float32Array> {
  const outputs = await model.predict(x)
  const values = (await outputs.data()) as Float32Array
  outputs.dispose()
  return values
}

export const mnistDropoutMlp: Experiment = {
  id: 'mnist-dropout-mlp',
  document: '003',
  title: 'Perceptron with dropout',
  model: '784 – 128 – 128 – 10 with Dropout 0.3; Adam, a fifth for validation',
  reported: { metric: 'test accuracy', value: 0.9804 },
  defaults: { epochs: 20, batchSize: 128 },

  async run(context) {
    const { epochs, batchSize, learningRate, seed, callbacks, output } = context
    const digits = await context.mnist()

    const xTrain = normalize(reshape(digits.xTrain, [-1, RESHAPED]), 255)
    const xTest = normalize(reshape(digits.xTest, [-1, RESHAPED]), 255)
    const yTrain = toCategorical(digits.yTrain, NB_CLASSES)
    const yTest = toCategorical(digits.yTest, NB_CLASSES)

    const model = dropoutMlp(seed)
    // In the style of Keras 2.2.4, which has no line with the model's name.
    model.summary({ style: '2.2.4' })
    // The document ran a Keras before 2.3, which prints accuracy as acc.
    model.compile({ loss: 'categoricalCrossentropy', optimizer: adam({ learningRate }), metrics: ['acc'] })

    const modelDir = context.out ?? (await mkdtemp(join(tmpdir(), 'mnist-')))
    try {
      // {epoch:02d} counts from 1, although the history counts from 0.
      const checkpoint = modelCheckpoint(join(modelDir, 'model-{epoch:02d}.h5'))
      const options = {
        batchSize,
        epochs,
        verbose: 1,
        validationSplit: VALIDATION_SPLIT,
        callbacks: [...callbacks, checkpoint],
        output,
      } as const
      // validation_split takes the last fifth, before anything is shuffled: 48,000 images are left to train on.
      const history = await model.fit(xTrain, yTrain, options)

      const score = await model.evaluate(xTest, yTest, { verbose: 1, output })
      console.log('Test score:', score[0]) // the loss; the accuracy is the second value
      console.log('Test accuracy:', score[1])

      const predictions = await model.predictClasses(slice(xTest, 0, 1))
      console.log(`First test image: predicted ${predictions[0]}, truth [${slice(yTest, 0, 1).data.join(', ')}]`)

      await context.shows(...classifierShows(model, xTest, digits.xTest, digits.yTest))
      const before = await probabilities(model, xTest)
      await saveModel(model, join(modelDir, 'mnist.h5'))
      model.dispose()
      const loaded = await loadModel(join(modelDir, 'mnist.h5'))
      const after = await probabilities(loaded, xTest)
      if (after.some((value, i) => value !== before[i])) throw new Error('mnist.h5, loaded, gives other predictions.')
      const [again] = await loaded.predictClasses(slice(xTest, 0, 1))
      console.log(`mnist.h5, loaded: the same predictions; first test image: ${again}`)
      loaded.dispose()
      return { value: score[1], history }
    } finally {
      if (context.out === undefined) await rm(modelDir, { recursive: true, force: true })
    }
  },
}

/** Callbacks that write files report errors before training starts, not after its first epoch. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type Callback, dense, Sequential, takeTexts, textVectorization } from '../src/index.js'
import { csvLogger, modelCheckpoint } from '../src/node/index.js'

const folder = mkdtempSync(join(tmpdir(), 'callbacks-'))
writeFileSync(join(folder, 'file'), '')
mkdirSync(join(folder, 'x.h5'))
afterAll(() => rmSync(folder, { recursive: true }))

test.each<[string, () => Callback, RegExp]>([
  [
    'a folder that is not there',
    () => modelCheckpoint(join(folder, 'none', 'best.h5')),
    /modelCheckpoint: ".*best.h5" cannot be written \(ENOENT\): the folder ".*none" is not there. Make it first/,
  ],
  [
    'a file in its place',
    () => modelCheckpoint(join(folder, 'file', 'best.h5')),
    /modelCheckpoint: ".*best.h5" cannot .*: ".*file" is a file/,
  ],
  [
    'no format',
    () => modelCheckpoint(join(folder, 'best.pt')),
    /modelCheckpoint: ".*best.pt" ends in ".pt"; the format follows from it: .h5/,
  ],
  ['no format of weights', () => modelCheckpoint(join(folder, 'best.keras'), { saveWeightsOnly: true }), /ends in ".keras"/],
  ['a table in no folder', () => csvLogger(join(folder, 'none', 'log.csv')), /csvLogger: ".*log.csv" cannot .*: the folder/],
  ['a table in place of a folder', () => csvLogger(folder), /csvLogger: ".*" cannot be written \(EISDIR\): it is a folder/],
  [
    'a checkpoint in place of a folder',
    () => modelCheckpoint(join(folder, 'x.h5')),
    /modelCheckpoint: ".*x.h5" cannot be written \(EISDIR\)/,
  ],
  ['too long a name', () => modelCheckpoint(join(folder, `${'x'.repeat(256)}{epoch}.h5`)), /modelCheckpoint: .*ENAMETOOLONG/],
])('%s', async (_, make, message) => {
  const model = new Sequential([dense(1, { inputShape: [1] })])
  model.compile({ optimizer: 'sgd', loss: 'mse' })
  await expect(model.fit([[1]], [[1]], { verbose: 0, callbacks: [make()] })).rejects.toThrow(message)
  expect(model.optimizer.steps).toBe(0)
})

test.each([
  ['texts in .h5', 'texts.h5', /modelCheckpoint: .*\.h5/],
  ['texts for TensorFlow.js', 'model.json', /modelCheckpoint: .*TensorFlow\.js/],
  ['a function that Keras 3 has with another meaning', 'hard.keras', /hard_sigmoid is another function in Keras 3/],
])('a model that the format cannot hold: %s', async (_, file, message) => {
  const texts = file !== 'hard.keras'
  const model = new Sequential([dense(1, { inputShape: [2], ...(!texts && { activation: 'hardSigmoid' }) })])
  if (texts) takeTexts(model, textVectorization({ vocabulary: ['a', 'b'], outputSequenceLength: 2 }))
  model.compile({ optimizer: 'sgd', loss: 'mse' })
  const fit = model.fit(texts ? ['a b'] : [[1, 2]], [[1]], { verbose: 0, callbacks: [modelCheckpoint(join(folder, file))] })
  await expect(fit).rejects.toThrow(message)
  expect(model.optimizer.steps).toBe(0)
})

/** The import of Keras' model files: the accuracy of a saved model, and the messages for other files. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mnist, normalize, reshape, slice } from '@cotangent/datasets'
import { dense, Sequential } from '@cotangent/layers'
import { saveModel } from '@cotangent/layers/node'
import { afterAll, expect, test, vi } from 'vitest'
import { kerasImport } from './keras-import.js'

const folder = mkdtempSync(join(tmpdir(), 'cotangent-import-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a model in a file has the accuracy that it had before; other files are said to be others', async () => {
  const log = vi.spyOn(console, 'log').mockReturnValue()
  const { xTrain, yTrain, xTest, yTest } = await mnist.loadData()
  const model = new Sequential([dense(10, { activation: 'softmax', inputShape: [784] })], { seed: 1 })
  model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
  const rows = (images: typeof xTrain, n: number) => reshape(normalize(slice(images, 0, n)), [n, 784])
  await model.fit(rows(xTrain, 2000), slice(yTrain, 0, 2000), { epochs: 3, verbose: 0 })
  const [, accuracy] = await model.evaluate(rows(xTest, 2000), slice(yTest, 0, 2000), { verbose: 0 })
  const path = join(folder, 'digits.keras')
  await saveModel(model, path)
  const [result] = await kerasImport.run({ model: path })
  expect(result).toMatchObject({ path, parameters: 7850 })
  expect(result.scaled).toBeCloseTo(accuracy, 6)
  expect(result.scaled).toBeGreaterThan(0.7)

  const other = join(folder, 'weather.h5')
  await saveModel(new Sequential([dense(1, { inputShape: [14] })]), other)
  expect(await kerasImport.run({ model: other })).toEqual([])
  expect(log).toHaveBeenLastCalledWith(`${other}: takes [14] and gives [1]: no model of these images`)
})

test('a folder of models that is not there', async () => {
  vi.stubEnv('COTANGENT_MODELS', '/no/such/folder')
  await expect(kerasImport.run({})).rejects.toThrow(
    'COTANGENT_MODELS must name a folder of models, but there is no folder /no/such/folder.',
  )
  vi.unstubAllEnvs()
})

/** Options of Keras 3 in files: RMSprop with a momentum and centered, with its state; the orthogonal regularizer. */
import { tensor } from '@cotangent/core'
import { expect, test } from 'vitest'
import { dense, modelFromBytes, modelToBytes, orthogonalRegularizer, rmsprop, Sequential } from '../src/index.js'
import { jsonOfZip } from './keras-files.js'

const data = [
  tensor([
    [1, 2],
    [0, -1],
  ]),
  tensor([
    [1, 0],
    [0, 2],
  ]),
] as const

test.each([{ centered: true }, { momentum: 0.5 }, { centered: true, momentum: 0.5 }])('RMSprop %j goes on from a file', async (options) => {
  const model = new Sequential([dense(3, { inputShape: [2] }), dense(2)], { seed: 1 })
  model.compile({ optimizer: rmsprop({ learningRate: 0.1, variant: 'keras3', ...options }), loss: 'mse' })
  for (let i = 0; i < 3; i++) await model.trainOnBatch(...data)
  const files = [await modelToBytes(model, { format: 'keras' }), await modelToBytes(model)]
  const { config } = (jsonOfZip(files[0]).compile_config as { optimizer: { config: object } }).optimizer
  expect(config).toMatchObject({ momentum: 0, centered: false, ...options })
  await model.trainOnBatch(...data)
  for (const file of files) {
    const again = await modelFromBytes(file, { onWarning: (message) => expect.fail(message) })
    await again.trainOnBatch(...data)
    expect((await again.getWeights()).map((w) => [...w.data])).toEqual((await model.getWeights()).map((w) => [...w.data]))
  }
})

test('the orthogonal regularizer of weights and of outputs', async () => {
  const kernelRegularizer = orthogonalRegularizer({ factor: 0.3 })
  const activityRegularizer = orthogonalRegularizer({ factor: 0.3, mode: 'columns', perSample: true })
  const model = new Sequential([dense(3, { kernelRegularizer, activityRegularizer, useBias: false, inputShape: [4] })])
  const w = tensor([1, 2, -1, 0.5, 0, 2, 3, -1, 0.25, 0, 1, 1], { shape: [4, 3] })
  await model.setWeights([w])
  const x = w.matMul(w.transpose())
  const files = [await modelToBytes(model, { format: 'keras' }), await modelToBytes(model)]
  const written = (jsonOfZip(files[0]).config as { layers: { config: Record<string, unknown> }[] }).layers[1].config
  expect(written.kernel_regularizer).toMatchObject({
    module: 'keras.regularizers',
    class_name: 'OrthogonalRegularizer',
    config: { factor: 0.3, mode: 'rows' },
  })
  for (const one of [model, await modelFromBytes(files[0]), await modelFromBytes(files[1])]) {
    const losses: (typeof w)[] = []
    one.apply(x, { losses })
    const values = await Promise.all(losses.map((loss) => loss.item()))
    // By the running Keras 3.16.
    expect(values.sort()[1]).toBeCloseTo(0.0920626223, 6)
    expect(values.sort()[0]).toBeCloseTo(0.0334361233, 6)
  }
})

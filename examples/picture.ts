/**
 * `npm run picture`: draws docs/learned.svg, the picture of the README, from a training like that of `npm start`.
 *
 * The same seed gives the same picture on the same kind of machine. A processor with fused multiply-add may give another last digit of the loss.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mnist, normalize, reshape, slice, toCategorical } from '@cotangent/datasets'
import { dropoutMlp } from './003-basic/mnist-dropout-mlp.js'
import { decide } from './lib/decide.js'
import { type Learned, learnedSvg, type Reading } from './lib/learned.js'
import { endWithReader } from './lib/output.js'

const BATCH = 128

/** Trains for `epochs` epochs on the first `limit` images, and returns all that the picture shows. */
export async function learn({ epochs = 4, limit = 60000, seed = 1 } = {}): Promise<Learned> {
  const { xTrain, yTrain, xTest, yTest } = await mnist.loadData()
  const pixels = (images: typeof xTrain) => normalize(reshape(images, [-1, 784]), 255)

  const model = dropoutMlp(seed)
  model.compile({ loss: 'categoricalCrossentropy', optimizer: 'adam' })
  // The logs hold means since the start of the epoch. The differences of their sums are the losses of single batches.
  const losses: number[] = []
  let [samples, sum] = [0, 0]
  const onEpochBegin = (): void => {
    samples = sum = 0
  }
  const onBatchEnd = (_batch: number, { loss }: Readonly<Record<string, number>>): void => {
    const size = Math.min(BATCH, limit - samples)
    samples += size
    losses.push((loss * samples - sum) / size)
    sum = loss * samples
  }
  const [x, y] = [pixels(slice(xTrain, 0, limit)), toCategorical(slice(yTrain, 0, limit), 10)]
  await model.fit(x, y, { epochs, batchSize: BATCH, callbacks: [{ onEpochBegin, onBatchEnd }], verbose: 0 })

  const outputs = await model.predict(pixels(xTest), { batchSize: 500 })
  const { classes, confidence } = await decide(outputs)
  outputs.dispose()
  model.dispose()

  const readings = Array.from(classes, (predicted, index): Reading => ({ index, truth: yTest.data[index], predicted }))
  const mistakes = readings.filter(({ truth, predicted }) => truth !== predicted)
  const right = (readings.length - mistakes.length) / readings.length
  return {
    title: `784 – 128 – 128 – 10 on MNIST, ${epochs} epochs: ${(100 * right).toFixed(1)} % of 10,000 unseen digits right`,
    losses,
    batchesPerEpoch: losses.length / epochs,
    images: xTest,
    first: readings.slice(0, 10),
    mistakes: mistakes.sort((a, b) => confidence[b.index] - confidence[a.index]).slice(0, 5),
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  endWithReader()
  const path = fileURLToPath(new URL('../docs/learned.svg', import.meta.url))
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, await learnedSvg(await learn()))
  console.log('docs/learned.svg')
}

/**
 * `npm start`: trains a small network on the real MNIST and shows in the terminal what it learned.
 *
 * The network is that of document 003, one of the five tutorials in README.md (see 003-basic/mnist-dropout-mlp.ts), trained on all training images, but only for a few
 * epochs. Flags work, too: `npm start -- --epochs 20`. Without a terminal no escape codes are printed.
 */

import { CotangentError } from '@cotangent/core'
import { DatasetError, mnist, normalize, reshape, slice, toCategorical } from '@cotangent/datasets'
import { dropoutMlp } from './003-basic/mnist-dropout-mlp.js'
import { readCommandLine, type Settings, UsageError } from './lib/arguments.js'
import { confusionLines, confusionMatrix } from './lib/confusion.js'
import { decide } from './lib/decide.js'
import { type Caption, digitRow } from './lib/digits.js'
import { thousands, withoutPath } from './lib/experiment.js'
import { endWithReader, progressOutput } from './lib/output.js'
import { hasColours, palette } from './lib/terminal.js'

const CLASSES = 10
/** Digits side by side on the screen. */
const SHOWN = 3

const paint = palette(hasColours())
const say = (...lines: readonly string[]): void => {
  for (const line of lines) console.log(line)
}

async function start({ epochs = 4, limit, seed = 1, data }: Settings): Promise<void> {
  const begun = performance.now()
  say(paint.bold('Cotangent: handwritten digits, learned in pure TypeScript'), '')

  const { xTrain, yTrain, xTest, yTest, source } = await mnist.loadData({ dir: data })
  const train = limit ?? xTrain.shape[0]
  if (train > xTrain.shape[0]) throw new UsageError(`--limit ${train} is more than the ${xTrain.shape[0]} training images there are.`)
  const pixels = (images: typeof xTrain) => normalize(reshape(images, [-1, 784]), 255)
  say(
    `Data     MNIST from ${withoutPath(source)}: ${thousands(train)} images to train on${train < xTrain.shape[0] ? ` (of ${thousands(xTrain.shape[0])})` : ''}, ${thousands(xTest.shape[0])} others to test with`,
    `Network  784 – 128 relu – dropout – 128 relu – dropout – 10 softmax; Adam, batches of 128, seed ${seed}`,
    '',
  )

  const model = dropoutMlp(seed)
  model.compile({ loss: 'categoricalCrossentropy', optimizer: 'adam', metrics: ['accuracy'] })
  const output = progressOutput()
  await model.fit(pixels(slice(xTrain, 0, train)), toCategorical(slice(yTrain, 0, train), CLASSES), { epochs, batchSize: 128, output })

  const outputs = await model.predict(pixels(xTest), { batchSize: 500 })
  const { classes, confidence } = await decide(outputs)
  outputs.dispose()
  model.dispose()

  const truth = yTest.data
  const all = Array.from(classes.keys())
  const wrong = all.filter((i) => classes[i] !== truth[i])
  const right = all.filter((i) => classes[i] === truth[i])
  say(
    '',
    paint.bold(`Test accuracy: ${(right.length / all.length).toFixed(4)}`) +
      ` – ${wrong.length} of ${thousands(all.length)} unseen digits wrong`,
    '',
  )
  say(...confusionLines(confusionMatrix(truth, classes, CLASSES), paint), '')

  const caption = (i: number): Caption => {
    const sure = `${(Math.floor(1000 * confidence[i]) / 10).toFixed(1)} %`
    return classes[i] === truth[i]
      ? { index: i, text: `✓ ${classes[i]} (${sure} sure)`, paint: paint.green }
      : { index: i, text: `✗ ${classes[i]} (${sure}), is ${truth[i]}`, paint: paint.red }
  }
  const show = (indices: readonly number[]): void => say(...digitRow(xTest, indices.map(caption), paint.colours), '')
  if (right.length > 0) {
    say('The first digits of the test set that it reads right:')
    show(right.slice(0, SHOWN))
  }
  if (wrong.length > 0) {
    say('Its mistakes that it is surest of:')
    show(wrong.sort((a, b) => confidence[b] - confidence[a]).slice(0, SHOWN))
  }

  say(
    `All of this took ${((performance.now() - begun) / 1000).toFixed(0)} s. What next?`,
    '  npm start -- --epochs 20                   train longer: about 98 of 100 digits right',
    '  npm run example                            the experiments of the tutorials, beside their results',
    '  npm run example -- mnist-mlp --epochs 2    one of them; add --out out to plot it',
    '  examples/003-basic/mnist-dropout-mlp.ts    the network: change a layer and see what happens',
  )
}

endWithReader()
try {
  const { settings, help, positionals } = readCommandLine(process.argv.slice(2), ['epochs', 'limit', 'seed', 'data'])
  if (positionals.length > 0)
    throw new UsageError(`Unexpected argument "${positionals[0]}". Flags stand after two dashes: npm start -- --epochs 20`)
  if (help) say('npm start -- [--epochs <n>] [--limit <n>] [--seed <n>] [--data <dir>]')
  else await start(settings)
} catch (error) {
  const expected = error instanceof UsageError || error instanceof CotangentError || error instanceof DatasetError
  console.error(expected ? error.message : error)
  process.exitCode = error instanceof UsageError ? 2 : 1
}

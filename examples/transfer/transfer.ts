/** Convolutions that learned on the digits 0 to 4 serve the digits 5 to 9: `npm run example -- transfer`. README.md beside this file says what it shows. */
import { join } from 'node:path'
import type { Callback, Sequential } from '@cotangent/layers'
import type { Settings } from '../lib/arguments.js'
import type { Kept, Training } from '../lib/demonstration.js'
import { thousands, withoutPath } from '../lib/experiment.js'
import { writeWhole } from '../lib/files.js'
import { dataHash, weightsHash } from '../lib/hash.js'
import type { Images } from '../lib/images.js'
import { Recording } from '../lib/recording.js'
import { classifierShows } from '../lib/shown.js'
import { firstOfEach, type Half, loadHalves } from './digits.js'
import { asInKeras, convolutions, digitModel, type Sizes } from './network.js'
import { transferSvg } from './picture.js'

const BATCH = 32

/** A number of images of each digit, all if it is undefined, and how often the training sees them: the fewer there are, the more often. */
export interface Amount {
  each?: number
  epochs: number
}

export const amounts: readonly Amount[] = [{ each: 10, epochs: 30 }, { each: 100, epochs: 10 }, { each: 1000, epochs: 2 }, { epochs: 1 }]

/** Smaller things than those of the example make a test short. */
export interface Scale {
  sizes?: Sizes
  halves?: { low: Half; high: Half; source: string }
  amounts?: readonly Amount[]
  /** Epochs on the digits 0 to 4. */
  epochs?: number
  /** Images in each part of the halves, at most. */
  most?: number
}

export interface Trained {
  /** On the test images of the same digits. */
  accuracy: number
  /** Of processor time, for the training alone: other programs on the machine do not count. */
  seconds: number
}

export interface Compared {
  /** Images of each digit, about as many as there are if all were taken. */
  each: number
  frozen: Trained
  fromNothing: Trained
}

export interface TransferResult {
  low: Trained
  compared: Compared[]
  kept: Kept
}

async function train(
  model: Sequential,
  { x, y }: Images,
  test: Images,
  epochs: number,
  callbacks: readonly Callback[] = [],
): Promise<Trained> {
  const begun = process.cpuUsage()
  await model.fit(x, y, { epochs, batchSize: BATCH, verbose: 0, callbacks })
  const { user, system } = process.cpuUsage(begun)
  const [, accuracy] = (await model.evaluate(test.x, test.y, { verbose: 0 })) as number[]
  return { accuracy, seconds: (user + system) / 1e6 }
}

const shown = ({ accuracy, seconds }: Trained): string => `${(100 * accuracy).toFixed(2).padStart(6)} % ${seconds.toFixed(1).padStart(7)} s`

export async function compare(
  { seed = 1, data, out }: Settings = {},
  scale: Scale = {},
  recording = new Recording(),
): Promise<TransferResult> {
  const { sizes = asInKeras, epochs = 1 } = scale
  const { low, high, source } = scale.halves ?? (await loadHalves(data, scale.most))
  const models: Sequential[] = []
  const made = (model: Sequential): Sequential => {
    models.push(model)
    return model
  }
  try {
    const learned = convolutions(sizes)
    const first = made(digitModel(learned, sizes, seed))
    console.log(
      `Digits 0 to 4: ${thousands(low.train.y.shape[0])} images from ${withoutPath(source)}, ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}, seed ${seed}`,
    )
    const ofLow = await train(first, low.train, low.test, epochs, recording.callbacks)
    console.log(`${shown(ofLow)}\n\nDigits 5 to 9    convolutions frozen    from nothing`)

    for (const layer of learned) layer.trainable = false
    const compared: Compared[] = []
    for (const { each, epochs } of scale.amounts ?? amounts) {
      const images = each === undefined ? high.train : firstOfEach(each, high.train)
      const frozen = await train(made(digitModel(learned, sizes, seed)), images, high.test, epochs)
      const fromNothing = await train(made(digitModel(convolutions(sizes), sizes, seed)), images, high.test, epochs)
      compared.push({ each: Math.round(images.y.shape[0] / 5), frozen, fromNothing })
      console.log(`${each === undefined ? 'all ' : String(each).padStart(4)} of each   ${shown(frozen)}   ${shown(fromNothing)}`)
    }
    recording.fact('Data', `MNIST from ${withoutPath(source)}`)
    recording.fact('Curves', 'of the training on the digits 0 to 4')
    const [frozen] = models.slice(-2)
    await recording.shows(
      () => ({
        kind: 'table',
        title: 'The digits 5 to 9: convolutions of 0 to 4, frozen, beside a training from nothing',
        columns: ['images of each digit', 'frozen: accuracy', 'frozen: s', 'from nothing: accuracy', 'from nothing: s'],
        rows: compared.map((row) => [row.each, ...[row.frozen, row.fromNothing].flatMap(({ accuracy, seconds }) => [accuracy, seconds])]),
      }),
      ...classifierShows(frozen, high.test.x, high.test.x, high.test.y, ['5', '6', '7', '8', '9']),
    )
    const svg = await transferSvg(compared, { low: low.test, high: high.test, seed })
    if (out) {
      await writeWhole(join(out, 'transfer.svg'), svg)
      console.log(`Written: ${join(out, 'transfer.svg')}`)
    }
    const last = compared[compared.length - 1]
    const contents = [low, high].flatMap(({ train, test }) => [train, test]).flatMap(({ x, y }) => [x.data, y.data])
    const kept: Kept = {
      result: { metric: 'test accuracy on 5 to 9, convolutions frozen, all images', value: last.frozen.accuracy },
      also: {
        digits0To4: ofLow.accuracy,
        ...Object.fromEntries(
          compared.flatMap(({ each, frozen, fromNothing }) => [
            [`frozen${each}`, frozen.accuracy],
            [`fromNothing${each}`, fromNothing.accuracy],
          ]),
        ),
      },
      epochs,
      batchSize: BATCH,
      data: {
        name: 'MNIST',
        source: withoutPath(source),
        train: high.train.y.shape[0],
        test: high.test.y.shape[0],
        sha256: dataHash(contents),
      },
      weights: await weightsHash(models.flatMap(({ weights }) => weights)),
      pictures: { 'transfer.svg': svg },
    }
    return { low: ofLow, compared, kept }
  } finally {
    for (const model of models) model.dispose()
  }
}

export const transfer = {
  id: 'transfer',
  title: 'Convolutions learned on the digits 0 to 4 serve 5 to 9, beside training from nothing; draws both with --out dir',
  model: 'Conv 32 3×3 – Conv 32 3×3 of the digits 0 to 4, frozen – pool – Dropout – 128 – Dropout – 5; Adam',
  flags: ['seed', 'data', 'backend', 'threads', 'out', 'report'],
  run: (settings: Settings, recording?: Recording) => compare(settings, {}, recording),
  quick: (settings) => compare(settings, { sizes: { filters: 4, units: 16 }, amounts: [{ each: 10, epochs: 1 }], most: 512 }),
} satisfies Training

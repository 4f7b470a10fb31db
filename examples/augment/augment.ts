/** 2,000 clothes, once as they are and once changed at random: `npm run example -- augment`. README.md beside this file says what it shows. */
import { join } from 'node:path'
import { foldKey, key, scope, tensor } from '@cotangent/core'
import { fashionMnist, slice } from '@cotangent/datasets'
import type { History, Layer } from '@cotangent/layers'
import { imagesSection } from '@cotangent/layers/node'
import type { Settings } from '../lib/arguments.js'
import { Clock } from '../lib/clock.js'
import type { Kept, Training } from '../lib/demonstration.js'
import { thousands, withoutPath } from '../lib/experiment.js'
import { writeWhole } from '../lib/files.js'
import { dataHash, weightsHash } from '../lib/hash.js'
import { type Images, imagesOf } from '../lib/images.js'
import { Recording } from '../lib/recording.js'
import { classifierShows } from '../lib/shown.js'
import { changes, clothesModel, type Sizes, small } from './network.js'
import { augmentSvg } from './picture.js'

const TRAIN = 2000
/** Images whose accuracy is taken after each epoch. They are training pictures that nobody trains on, so that the test pictures choose nothing. */
const WATCHED = 2000
const EPOCHS = 40
const BATCH = 32

export interface Clothes {
  source: string
  train: Images
  watched: Images
  test: Images
}

/** Smaller things than those of the example make a test short. */
export interface Scale {
  sizes?: Sizes
  clothes?: Clothes
}

/** Accuracies by epoch, and that of the test pictures after the last one. */
export interface Curves {
  training: number[]
  watched: number[]
  test: number
}

export interface AugmentResult {
  plain: Curves
  changed: Curves
  kept: Kept
}

interface Trained extends Curves {
  history: History['history']
  secondsPerEpoch: number
  weights: string
}

/** @param most pictures of each part, at most */
export async function loadClothes(dir?: string, most = Number.POSITIVE_INFINITY): Promise<Clothes> {
  const { xTrain, yTrain, xTest, yTest, source } = await fashionMnist.loadData({ dir })
  const part = (x: typeof xTrain, y: typeof yTrain, from: number, count: number): Images => {
    const end = from + Math.min(count, most)
    return imagesOf(slice(x, from, end), slice(y, from, end))
  }
  const [train, watched] = [part(xTrain, yTrain, 0, TRAIN), part(xTrain, yTrain, TRAIN, WATCHED)]
  return { source, train, watched, test: part(xTest, yTest, 0, yTest.shape[0]) }
}

/** One training; with `before`, these layers change the pictures first. */
async function train(
  before: readonly Layer[],
  { train, watched, test }: Clothes,
  sizes: Sizes,
  epochs: number,
  seed: number,
  recording = new Recording(),
): Promise<Trained> {
  const model = clothesModel(before, sizes, { seed, steps: epochs * Math.ceil(train.y.shape[0] / BATCH) })
  try {
    const clock = new Clock()
    const { history } = await model.fit(train.x, train.y, {
      epochs,
      batchSize: BATCH,
      validationData: [watched.x, watched.y],
      verbose: 0,
      callbacks: [clock, ...recording.callbacks],
    })
    const [, accuracy] = (await model.evaluate(test.x, test.y, { verbose: 0 })) as number[]
    await recording.shows(...classifierShows(model, test.x, test.x, test.y, fashionMnist.labels))
    const curves = { training: history.accuracy, watched: history.val_accuracy, test: accuracy }
    return { ...curves, history, secondsPerEpoch: clock.secondsPerEpoch, weights: await weightsHash(model.weights) }
  } finally {
    model.dispose()
  }
}

/** One picture as training sees it in `count` epochs: [count, 28, 28, 1]. */
export async function seen({ x }: Images, row: number, count: number, seed: number): Promise<Float32Array> {
  const picture = slice(x, row, row + 1)
  const rows = scope(() => {
    const copies = tensor(picture.data, { shape: picture.shape }).repeat(count, { axis: 0 })
    return changes().reduce((y, layer, i) => layer.call(y, { training: true, key: foldKey(key(seed), i) }), copies)
  })
  const values = await rows.data()
  rows.dispose()
  return values as Float32Array
}

const last = (values: readonly number[]): number => values.at(-1) ?? Number.NaN

export async function trainBoth(
  { seed = 1, epochs = EPOCHS, data: dir, out }: Settings = {},
  scale: Scale = {},
  recording = new Recording(),
): Promise<AugmentResult> {
  const { sizes = small, clothes = await loadClothes(dir) } = scale
  const { train: own, watched, test, source } = clothes
  console.log(`${thousands(own.y.shape[0])} pictures to train on from ${withoutPath(source)}, ${epochs} epochs, seed ${seed}\n`)
  console.log('                training   others     test')
  const run = async (name: string, before: readonly Layer[], recording?: Recording): Promise<Trained> => {
    const curves = await train(before, clothes, sizes, epochs, seed, recording)
    const figures = [last(curves.training), last(curves.watched), curves.test].map((value) => value.toFixed(4).padStart(9))
    console.log(name.padEnd(15) + figures.join(''))
    return curves
  }
  const plain = await run('as they are', [])
  const pictures = async () => {
    const values = await seen(own, 0, 9, seed)
    return { data: values.map((value) => Math.min(1, Math.max(0, value))), shape: [9, 28, 28] }
  }
  await recording.shows(async () =>
    imagesSection([slice(own.x, 0, 1), await pictures()], {
      title: 'A picture, and as training sees it in nine epochs',
      columns: 10,
      ink: true,
    }),
  )
  const changed = await run('changed', changes(), recording)
  const [better, count] = [changed.test - plain.test, test.y.shape[0]]
  console.log(
    `\nOf ${thousands(count)} test pictures ${thousands(Math.round(Math.abs(better) * count))} ${better >= 0 ? 'more' : 'fewer'} are right with changes.`,
  )
  recording.fact('Data', `${thousands(own.y.shape[0])} pictures of Fashion-MNIST from ${withoutPath(source)}`)
  recording.fact('Test accuracy', `${changed.test.toFixed(4)}; without changes ${plain.test.toFixed(4)}`)
  const rows = [9, 0, 3, 8].map((kind) => own.y.data.indexOf(kind))
  const drawn = await Promise.all(
    rows.map(async (row) => ({ original: slice(own.x, row, row + 1).data, seen: await seen(own, row, 6, seed) })),
  )
  const svg = await augmentSvg({ plain, changed }, drawn, seed)
  if (out) {
    await writeWhole(join(out, 'augment.svg'), svg)
    console.log(`Written: ${join(out, 'augment.svg')}`)
  }
  const data = { name: 'Fashion-MNIST', source: withoutPath(source), train: own.y.shape[0], validation: watched.y.shape[0] }
  const kept: Kept = {
    result: { metric: 'test accuracy, with changes', value: changed.test },
    also: {
      testAccuracyWithoutChanges: plain.test,
      trainingAccuracyWithoutChanges: last(plain.training),
      accuracyOfOthersWithoutChanges: last(plain.watched),
    },
    epochs,
    batchSize: BATCH,
    history: changed.history,
    secondsPerEpoch: changed.secondsPerEpoch,
    data: { ...data, test: count, sha256: dataHash([own, watched, test].flatMap(({ x, y }) => [x.data, y.data])) },
    weights: changed.weights,
    pictures: { 'augment.svg': svg },
  }
  return { plain, changed, kept }
}

export const augment = {
  id: 'augment',
  title: '2,000 clothes of Fashion-MNIST, changed at random in training or not; draws both with --out dir',
  model: 'Conv 16 3×3 – pool – Conv 32 3×3 – pool – 64 – 10, pictures mirrored and zoomed at random; Adam',
  flags: ['seed', 'epochs', 'data', 'backend', 'threads', 'out', 'report'],
  run: (settings: Settings, recording?: Recording) => trainBoth(settings, {}, recording),
  quick: async (settings) => trainBoth({ ...settings, epochs: 1 }, { clothes: await loadClothes(settings.data, 256) }),
} satisfies Training

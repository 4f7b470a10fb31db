/** 2,000 clothes, once as they are and once changed at random: `npm run example -- augment`. README.md beside this file says what it shows. */
import { join } from 'node:path'
import { foldKey, key, scope, tensor } from '@cotangent/core'
import { fashionMnist, slice } from '@cotangent/datasets'
import type { Layer } from '@cotangent/layers'
import { imagesSection } from '@cotangent/layers/node'
import type { Settings } from '../lib/arguments.js'
import type { Demonstration } from '../lib/demonstration.js'
import { thousands, withoutPath } from '../lib/experiment.js'
import { writeWhole } from '../lib/files.js'
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
}

export async function loadClothes(dir?: string): Promise<Clothes> {
  const { xTrain, yTrain, xTest, yTest, source } = await fashionMnist.loadData({ dir })
  const part = (from: number, to: number): Images => imagesOf(slice(xTrain, from, to), slice(yTrain, from, to))
  return { source, train: part(0, TRAIN), watched: part(TRAIN, TRAIN + WATCHED), test: imagesOf(xTest, yTest) }
}

/** One training; with `before`, these layers change the pictures first. */
async function train(
  before: readonly Layer[],
  { train, watched, test }: Clothes,
  sizes: Sizes,
  epochs: number,
  seed: number,
  recording = new Recording(),
): Promise<Curves> {
  const model = clothesModel(before, sizes, { seed, steps: epochs * Math.ceil(train.y.shape[0] / BATCH) })
  try {
    const validationData = [watched.x, watched.y] as const
    const { history } = await model.fit(train.x, train.y, {
      epochs,
      batchSize: BATCH,
      validationData,
      verbose: 0,
      callbacks: recording.callbacks,
    })
    const [, accuracy] = (await model.evaluate(test.x, test.y, { verbose: 0 })) as number[]
    await recording.shows(...classifierShows(model, test.x, test.x, test.y, fashionMnist.labels))
    return { training: history.accuracy, watched: history.val_accuracy, test: accuracy }
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
  { seed = 1, epochs = EPOCHS, data, out }: Settings = {},
  scale: Scale = {},
  recording = new Recording(),
): Promise<AugmentResult> {
  const { sizes = small, clothes = await loadClothes(data) } = scale
  const { train: own, test, source } = clothes
  console.log(`${thousands(own.y.shape[0])} pictures to train on from ${withoutPath(source)}, ${epochs} epochs, seed ${seed}\n`)
  console.log('                training   others     test')
  const run = async (name: string, before: readonly Layer[], recording?: Recording): Promise<Curves> => {
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
  if (out) {
    const rows = [0, 1, 2, 3].map((kind) => own.y.data.indexOf([9, 0, 3, 8][kind]))
    const drawn = await Promise.all(
      rows.map(async (row) => ({ original: slice(own.x, row, row + 1).data, seen: await seen(own, row, 6, seed) })),
    )
    await writeWhole(join(out, 'augment.svg'), augmentSvg({ plain, changed }, drawn, seed))
    console.log(`Written: ${join(out, 'augment.svg')}`)
  }
  return { plain, changed }
}

export const augment = {
  id: 'augment',
  title: '2,000 clothes of Fashion-MNIST, changed at random in training or not; draws both with --out dir',
  flags: ['seed', 'epochs', 'data', 'backend', 'threads', 'out', 'report'],
  run: (settings: Settings, recording?: Recording) => trainBoth(settings, {}, recording),
} satisfies Demonstration

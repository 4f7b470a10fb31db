/** A GAN that learns to draw digits: `npm run example -- gan`. README.md beside this file says what it shows. */
import { join } from 'node:path'
import { foldKey, key, normal } from '@cotangent/core'
import { mnist, type NDArray, slice } from '@cotangent/datasets'
import type { Callback, Sequential } from '@cotangent/layers'
import { imagesSection, saveModel } from '@cotangent/layers/node'
import { type Settings, UsageError } from '../lib/arguments.js'
import { Clock } from '../lib/clock.js'
import type { Kept, Training } from '../lib/demonstration.js'
import { digitRow } from '../lib/digits.js'
import { thousands, withoutPath } from '../lib/experiment.js'
import { writeWhole } from '../lib/files.js'
import { dataHash, weightsHash } from '../lib/hash.js'
import { progressOutput } from '../lib/output.js'
import { Recording } from '../lib/recording.js'
import { largeText, sheet, svgPage, text } from '../lib/svg.js'
import { Gan, NOISE, type Sizes } from './network.js'
import { type Quality, qualityOf, readSection, spread, trainReader } from './quality.js'

const EPOCHS = 10

/** Smaller things than those of the example make a test short. */
export interface Scale {
  sizes?: Sizes
  /** Digits that are made to measure the quality. */
  made?: number
  /** Test digits to compare with. */
  test?: number
}

export interface GanResult {
  history: Readonly<Record<string, number[]>>
  quality: Quality
  /** Of the real test digits. */
  realQuality: Quality
  /** The figure as SVG. */
  svg: string
  kept: Kept
}

/** Ink from −1 to 1, with an axis for the one channel. */
const inks = ({ data, shape }: NDArray<Uint8Array>) => ({
  data: Float32Array.from(data, (value) => value / 127.5 - 1),
  shape: [...shape, 1],
})

/** Images that the generator makes of noise, as bytes. */
async function draw(generator: Sequential, noise: { data: Float32Array; shape: number[] }): Promise<NDArray<Uint8Array>> {
  const made = await generator.predict(noise, { batchSize: 500 })
  const data = Uint8Array.from(await made.data(), (value) => Math.round((value + 1) * 127.5))
  made.dispose()
  return { data, shape: [noise.shape[0], 28, 28] }
}

/** A row of ten for some epochs, then a hundred of the last one. */
function picture(rows: readonly { epoch: number; images: NDArray<Uint8Array> }[], last: NDArray<Uint8Array>): string {
  const [left, scale] = [84, 2]
  const size = 28 * scale
  const lines = rows.flatMap(({ epoch, images }, i) => [
    text(0, 30 + i * (size + 4) + size / 2 + 4, `epoch ${epoch}`),
    sheet(images, 10, { x: left, y: 30 + i * (size + 4), scale }),
  ])
  const top = 30 + rows.length * (size + 4) + 40
  const body = [
    text(0, 16, 'The same ten draws of noise, after more and more epochs', ' class="title"'),
    ...lines,
    text(0, top - 12, 'A hundred others at the end, none of them picked', ' class="title"'),
    sheet(last, 10, { x: left, y: top, scale }),
  ]
  return svgPage([left + 10 * size, top + 10 * size], 'Digits that the generator made', body, largeText)
}

export async function trainGan(settings: Settings = {}, scale: Scale = {}, recording = new Recording()): Promise<GanResult> {
  const { seed = 1, epochs = EPOCHS, 'batch-size': batchSize = 32, lr: learningRate = 5e-4, out } = settings
  const { sizes = { generator: 48, discriminator: 48 }, made = 10_000, test = 10_000 } = scale
  const { xTrain, yTrain, xTest, source } = await mnist.loadData({ dir: settings.data })
  const [available] = xTrain.shape
  const { limit = available } = settings
  if (limit > available) throw new UsageError(`--limit ${limit} is more than the ${available} training images there are.`)
  const images = inks(slice(xTrain, 0, limit))
  const noiseOf = async (purpose: number, count: number) => {
    const noise = normal(foldKey(key(seed), purpose), [count, NOISE])
    const data = (await noise.data()) as Float32Array
    noise.dispose()
    return { data, shape: [count, NOISE] }
  }

  const gan = new Gan(sizes, { seed, learningRate, steps: epochs * Math.ceil(limit / batchSize) })
  const { generator } = gan
  const parameters = `${thousands(generator.countParams())} and ${thousands(gan.countParams())} parameters`
  console.log(`Generator and discriminator have ${parameters}. ${thousands(limit)} digits from ${withoutPath(source)}, seed ${seed}`)

  // Epochs 1, 2, 4, 8 …, and the last.
  const shown = (epoch: number): boolean => Number.isInteger(Math.log2(epoch)) || epoch === epochs
  const rows: { epoch: number; images: NDArray<Uint8Array> }[] = []
  const [ten, hundred] = [await noiseOf(0, 10), await noiseOf(2, 100)]
  let svg = ''
  const drawing: Callback = {
    async onEpochEnd(before) {
      if (!shown(before + 1)) return
      const drawn = await draw(generator, ten)
      rows.push({ epoch: before + 1, images: drawn })
      svg = picture(rows, await draw(generator, hundred))
      if (out) await writeWhole(join(out, 'gan.svg'), svg)
      const captions = [0, 1, 2].map((index) => ({ index, text: '', paint: (words: string) => words }))
      console.log(digitRow(drawn, captions, process.stdout.isTTY === true).join('\n'))
    },
  }
  try {
    const clock = new Clock()
    const callbacks = [clock, ...recording.callbacks, drawing]
    const { history } = await gan.fit(images, { epochs, batchSize, callbacks, output: progressOutput() })

    const reader = await trainReader(images, slice(yTrain, 0, limit), { seed, epochs: 2 })
    const [realQuality, quality] = [
      await qualityOf(reader, inks(slice(xTest, 0, test))),
      await qualityOf(reader, inks(await draw(generator, await noiseOf(1, made)))),
    ]
    reader.dispose()
    const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
    console.log(
      `A reader that learned from the same digits is more than 90 % sure of ${percent(quality.sure)} of ${thousands(made)} made digits`,
    )
    console.log(`(of the real test digits: ${percent(realQuality.sure)}). It reads these as ${spread(quality)}.`)

    recording.fact('Data', `${thousands(limit)} digits from ${withoutPath(source)}`)
    recording.fact('Made digits that a reader is sure of', `${percent(quality.sure)} (real ones: ${percent(realQuality.sure)})`)
    const after = `The same ten draws of noise after epochs ${rows.map(({ epoch }) => epoch).join(', ')}`
    const drawings = rows.map((row) => row.images)
    await recording.shows(
      () => readSection(quality, realQuality),
      () => imagesSection(drawings, { title: after, columns: 10, most: 10 * rows.length, ink: true }),
      async () =>
        imagesSection(await draw(generator, hundred), { title: 'A hundred made digits, none of them picked', columns: 10, ink: true }),
    )
    if (out) {
      await saveModel(generator, join(out, 'generator.keras'))
      console.log(`Written: ${join(out, 'gan.svg')}, ${join(out, 'generator.keras')}`)
    }
    const kept: Kept = {
      result: { metric: 'share of made digits that a reader is sure of', value: quality.sure },
      also: { realDigits: realQuality.sure },
      epochs,
      batchSize,
      history,
      secondsPerEpoch: clock.secondsPerEpoch,
      data: { name: 'MNIST', source: withoutPath(source), train: limit, test, sha256: dataHash([images.data]) },
      weights: await weightsHash([...gan.weights, ...generator.weights]),
      pictures: { 'gan.svg': svg },
    }
    return { history, quality, realQuality, svg, kept }
  } finally {
    gan.dispose()
  }
}

export const gan = {
  id: 'gan',
  title: 'A GAN on MNIST: it learns to draw digits; with --out dir as a picture',
  model: 'transposed convolutions against convolutions; Adam twice',
  flags: ['epochs', 'batch-size', 'lr', 'limit', 'seed', 'data', 'backend', 'threads', 'out', 'report'],
  run: (settings: Settings, recording?: Recording) => trainGan(settings, {}, recording),
  quick: (settings) =>
    trainGan({ ...settings, epochs: 1, limit: 128 }, { sizes: { generator: 8, discriminator: 8 }, made: 100, test: 100 }),
} satisfies Training

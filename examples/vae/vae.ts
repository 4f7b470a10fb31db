/** A variational autoencoder that lays the digits out in a plane: `npm run example -- vae`. README.md beside this file says what it shows. */
import { join } from 'node:path'
import { foldKey, key, scope, type Tensor, tensor } from '@cotangent/core'
import { mnist, type NDArray, normalize, reshape, slice } from '@cotangent/datasets'
import type { Sequential } from '@cotangent/layers'
import { imagesSection, saveModel } from '@cotangent/layers/node'
import { type Settings, UsageError } from '../lib/arguments.js'
import { Clock } from '../lib/clock.js'
import type { Kept, Training } from '../lib/demonstration.js'
import { thousands, withoutPath } from '../lib/experiment.js'
import { writeWhole } from '../lib/files.js'
import { dataHash, weightsHash } from '../lib/hash.js'
import { progressOutput } from '../lib/output.js'
import { Recording } from '../lib/recording.js'
import { type Channels, CODE, createVae, reconstruction } from './network.js'
import { codesSvg, digitsSvg, gridOfCodes, rangeOf } from './picture.js'

const EPOCHS = 10
/** Digits along each side of their figure. It leaves out this share of the test digits' codes at each end of both numbers. */
const [SIDE, OUT] = [15, 0.02]
/** Dots in the figure of codes. More would hide each other. */
const DOTS = 3000

const planeSays =
  'What the decoder makes of codes that lie evenly in the plane. Neighbours are alike, since training draws codes around their mean.'
const tenSays = 'Above the digits, below what the decoder makes of the two numbers that the encoder gives for each.'

/** Smaller things than those of the example make a test short. */
export interface Scale {
  channels?: Channels
  /** Test digits to evaluate with. */
  test?: number
}

export interface VaeResult {
  history: Readonly<Record<string, number[]>>
  /** An upper bound of the mean −log p of the test digits. */
  testBound: number
  /** The figures as SVG. */
  digits: string
  codes: string
  kept: Kept
}

/** The mean loss of images [n, 28, 28, 1] with drawn codes, as in training. A single draw for each is enough for a mean over thousands. */
export async function bound(vae: Sequential, images: { data: Float32Array; shape: readonly number[] }, seed: number): Promise<number> {
  const [count] = images.shape
  let sum = 0
  for (let begin = 0; begin < count; begin += 500) {
    const end = Math.min(count, begin + 500)
    const total = scope(() => {
      const x = tensor(images.data.subarray(begin * 784, end * 784), { shape: [end - begin, 28, 28, 1] })
      const added: Tensor[] = [] // KL
      const drawn = vae.apply(x, { training: true, key: foldKey(key(seed), begin), losses: added })
      return added.reduce((loss, term) => loss.add(term), reconstruction(x, drawn).mean())
    })
    sum += (await total.item()) * (end - begin)
    total.dispose()
  }
  return sum / count
}

/** The images that the decoder makes of codes, as bytes. */
async function draw(decoder: Sequential, codes: Float32Array): Promise<NDArray<Uint8Array>> {
  const count = codes.length / CODE
  const made = await decoder.predict({ data: codes, shape: [count, CODE] }, { batchSize: 500 })
  const data = Uint8Array.from(await made.data(), (p) => Math.round(255 * p))
  made.dispose()
  return { data, shape: [count, 28, 28] }
}

/** The means of the codes of images, [n, 2]. */
async function meansOf(encoder: Sequential, images: { data: Float32Array; shape: readonly number[] }): Promise<Float32Array> {
  const outputs = await encoder.predict(images, { batchSize: 500 })
  const means = scope(() => outputs.slice([0, 0], [outputs.shape[0], CODE]))
  const values = (await means.data()) as Float32Array
  for (const each of [outputs, means]) each.dispose()
  return values
}

export async function trainVae(settings: Settings = {}, scale: Scale = {}, recording = new Recording()): Promise<VaeResult> {
  const { seed = 1, epochs = EPOCHS, 'batch-size': batchSize = 64, lr: learningRate = 1e-3, out } = settings
  const { channels = [32, 64], test = 10_000 } = scale
  const { xTrain, xTest, yTest, source } = await mnist.loadData({ dir: settings.data })
  const [available] = xTrain.shape
  const { limit = available } = settings
  if (limit > available) throw new UsageError(`--limit ${limit} is more than the ${available} training images there are.`)
  const inks = (images: NDArray<Uint8Array>, count: number) => normalize(reshape(slice(images, 0, count), [-1, 28, 28, 1]), 255)
  const [images, others] = [inks(xTrain, limit), inks(xTest, test)]

  const { vae, encoder, decoder } = createVae({ channels, seed, learningRate })
  try {
    const parameters = `Encoder and decoder have ${thousands(encoder.countParams())} and ${thousands(decoder.countParams())} parameters.`
    console.log(`${parameters} ${thousands(limit)} of ${thousands(available)} digits from ${withoutPath(source)}, seed ${seed}`)
    const clock = new Clock()
    const callbacks = [clock, ...recording.callbacks]
    const { history } = await vae.fit(images, images, { epochs, batchSize, callbacks, output: progressOutput() })
    const testBound = await bound(vae, others, seed)
    console.log(`Loss on ${thousands(test)} test digits, with codes drawn as in training: ${testBound.toFixed(2)}`)

    const count = Math.min(DOTS, test)
    const means = await meansOf(encoder, inks(xTest, count))
    const range = rangeOf(means, OUT)
    const plane = await draw(decoder, gridOfCodes(SIDE, range))
    const digits = digitsSvg(plane, SIDE, range)
    const codes = codesSvg(means, yTest.data.subarray(0, count))
    recording.fact('Data', `${thousands(limit)} digits from ${withoutPath(source)}`)
    recording.fact('Loss on test digits', testBound.toFixed(2))
    const ten = async () => [slice(xTest, 0, 10), await draw(decoder, means.subarray(0, 10 * CODE))]
    await recording.shows(
      () => imagesSection(plane, { title: 'The plane of codes', says: planeSays, columns: SIDE, most: SIDE * SIDE, ink: true }),
      async () => imagesSection(await ten(), { title: 'Ten test digits, and what is left of them', says: tenSays, columns: 10, ink: true }),
    )
    if (out) {
      await writeWhole(join(out, 'digits.svg'), digits)
      await writeWhole(join(out, 'codes.svg'), codes)
      await saveModel(vae, join(out, 'vae.keras'))
      console.log(`Written: ${['digits.svg', 'codes.svg', 'vae.keras'].map((name) => join(out, name)).join(', ')}`)
    }
    const kept: Kept = {
      result: { metric: 'test loss', value: testBound },
      epochs,
      batchSize,
      history,
      secondsPerEpoch: clock.secondsPerEpoch,
      data: { name: 'MNIST', source: withoutPath(source), train: limit, test, sha256: dataHash([images.data, others.data]) },
      weights: await weightsHash(vae.weights),
      pictures: { 'digits.svg': digits, 'codes.svg': codes },
    }
    return { history, testBound, digits, codes, kept }
  } finally {
    vae.dispose()
  }
}

export const vae = {
  id: 'vae',
  title: 'A variational autoencoder on MNIST: the digits in a plane; with --out dir as pictures',
  model: 'convolutions – 2 numbers – transposed convolutions; Adam',
  flags: ['epochs', 'batch-size', 'lr', 'limit', 'seed', 'data', 'backend', 'threads', 'out', 'report'],
  run: (settings: Settings, recording?: Recording) => trainVae(settings, {}, recording),
  quick: (settings) => trainVae({ ...settings, epochs: 1, limit: 256 }, { channels: [4, 8], test: 200 }),
} satisfies Training

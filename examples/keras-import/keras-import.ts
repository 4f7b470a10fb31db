/**
 * Models that others saved with Keras or TensorFlow.js, on 2,000 test images of MNIST or Fashion-MNIST:
 * `npm run example -- keras-import --model mnist.h5`, or all models in the folder `COTANGENT_MODELS`.
 *
 * A file does not say which images its model learned, nor how their bytes were scaled. Here the file's name says which images (`fashion` or not), and both
 * usual scales are tried.
 */
import { readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { ValueError } from '@cotangent/core'
import { fashionMnist, mnist, normalize, reshape, slice } from '@cotangent/datasets'
import type { Model } from '@cotangent/layers'
import { loadModel } from '@cotangent/layers/node'
import type { Settings } from '../lib/arguments.js'
import type { Demonstration } from '../lib/demonstration.js'

const IMAGES = 2000
const PIXELS = 28 * 28
const CLASSES = 10

/** A model of images, and the share of images that it gets right. */
export interface Imported {
  path: string
  parameters: number
  /** The share with bytes divided by 255, and the share with bytes as they are. */
  scaled: number
  raw: number
}

/** The models in `COTANGENT_MODELS`. */
function modelsThere(): string[] {
  const folder = process.env.COTANGENT_MODELS
  if (folder === undefined)
    throw new ValueError('keras-import: which model? Say --model file.h5, or name a folder of models in COTANGENT_MODELS.')
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new ValueError(`keras-import: COTANGENT_MODELS must name a folder of models, but there is no folder ${folder}.`)
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return names
    .filter((name) => /\.(h5|hdf5|keras)$/.test(name) || basename(name) === 'model.json')
    .sort()
    .map((name) => join(folder, name))
}

/** The reason why a file does not hold a model of these images; undefined if it does. */
function unsuitable(model: Model): string | undefined {
  const [takes, gives] = [model.inputShapeOf().slice(1), model.outputShapeOf().slice(1)]
  const pixels = takes.reduce<number>((product, n) => product * (n ?? 0), 1)
  if (pixels === PIXELS && gives.length === 1 && gives[0] === CLASSES) return undefined
  return `takes [${takes.map((n) => n ?? '?').join(', ')}] and gives [${gives.map((n) => n ?? '?').join(', ')}]: no model of these images`
}

export const kerasImport = {
  id: 'keras-import',
  title: "Other people's model files, on the images they are about",
  flags: ['model', 'data', 'backend'],

  async run({ model: given, data: dir }: Settings): Promise<Imported[]> {
    const results: Imported[] = []
    for (const path of given === undefined ? modelsThere() : [given]) {
      let model: Model
      try {
        model = await loadModel(path, { compile: false })
      } catch (error) {
        if (given !== undefined || !(error instanceof ValueError)) throw error
        console.log(error.message)
        continue
      }
      const reason = unsuitable(model)
      if (reason) console.log(`${path}: ${reason}`)
      else {
        const { xTest, yTest } = await (path.includes('fashion') ? fashionMnist : mnist).loadData({ dir })
        const truth = slice(yTest, 0, IMAGES).data
        const accuracy = async (divisor: number): Promise<number> => {
          const images = normalize(slice(xTest, 0, IMAGES), divisor)
          const predicted = await model.predictClasses(reshape(images, [IMAGES, ...(model.inputShapeOf().slice(1) as number[])]), {
            batchSize: 200,
          })
          return predicted.reduce((right, digit, i) => right + Number(digit === truth[i]), 0) / IMAGES
        }
        const result = { path, parameters: model.countParams(), scaled: await accuracy(255), raw: await accuracy(1) }
        results.push(result)
        console.log(`${path}: ${result.parameters} weights, accuracy ${result.scaled} with pixels 0 … 1, ${result.raw} with 0 … 255`)
      }
      model.dispose()
    }
    return results
  },
} satisfies Demonstration

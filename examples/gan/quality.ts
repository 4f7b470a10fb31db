/** A measure of made digits: a classifier that never saw them reads them, and says how sure it is of each. */
import type { Tensor } from '@cotangent/core'
import { conv2d, dense, dropout, flatten, type ModelData, maxPooling2d, Sequential } from '@cotangent/layers'
import type { TableSection } from '@cotangent/layers/report'
import { decide } from '../lib/decide.js'

/** From this probability on the reader counts as sure. */
const SURE = 0.9

export interface Quality {
  /** The share of the images that the reader is sure of. */
  sure: number
  /** How many of those it reads as 0, 1, … 9. */
  classes: number[]
}

/** Trains the reader on real digits, each [28, 28, 1]. */
export async function trainReader(x: ModelData, y: ModelData, { seed, epochs }: { seed: number; epochs: number }): Promise<Sequential> {
  const reader = new Sequential(
    [
      conv2d(16, 3, { activation: 'relu', inputShape: [28, 28, 1] }),
      maxPooling2d(),
      conv2d(32, 3, { activation: 'relu' }),
      maxPooling2d(),
      flatten(),
      dropout(0.3),
      dense(10, { activation: 'softmax' }),
    ],
    { seed, name: 'reader' },
  )
  reader.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
  await reader.fit(x, y, { epochs, batchSize: 128, verbose: 0 })
  return reader
}

export async function qualityOf(reader: Sequential, images: Tensor | ModelData): Promise<Quality> {
  const outputs = await reader.predict(images, { batchSize: 500 })
  const { classes, confidence } = await decide(outputs)
  outputs.dispose()
  const counts = new Array<number>(10).fill(0)
  for (const [i, digit] of classes.entries()) if (confidence[i] > SURE) counts[digit]++
  return { sure: counts.reduce((a, b) => a + b, 0) / classes.length, classes: counts }
}

/** `0 9.8 %, 1 11.2 %, …`: the shares of the classes among the images that the reader is sure of. */
export function spread({ classes }: Quality): string {
  const total = classes.reduce((a, b) => a + b, 0)
  return classes.map((count, digit) => `${digit} ${((100 * count) / Math.max(1, total)).toFixed(1)} %`).join(', ')
}

/** How many made and real digits the reader is sure of, class by class. */
export const readSection = (made: Quality, real: Quality): TableSection => ({
  kind: 'table',
  title: 'Digits that a reader is sure of',
  says: 'How many of them it reads as each class. A generator that had learned a single digit would have one class.',
  columns: ['read as', 'made digits', 'real test digits'],
  rows: made.classes.map((count, digit) => [String(digit), count, real.classes[digit]]),
})

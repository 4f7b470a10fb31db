/** The network in two parts: convolutions that find strokes in any digit, and a classifier of five digits on top of them. */
import { conv2d, dense, dropout, flatten, type Layer, maxPooling2d, Sequential } from '@cotangent/layers'

/** How many digits the network tells apart. */
export const CLASSES = 5

/** Numbers of filters and of units in between. */
export interface Sizes {
  filters: number
  units: number
}

/** The sizes of Keras' example: 9,568 weights in the convolutions, 590,597 in the classifier. */
export const asInKeras: Sizes = { filters: 32, units: 128 }

/** [n, 28, 28, 1] → [n, 144·filters] */
export const convolutions = ({ filters }: Sizes): Layer[] => [
  conv2d(filters, 3, { activation: 'relu', inputShape: [28, 28, 1] }),
  conv2d(filters, 3, { activation: 'relu' }),
  maxPooling2d({ poolSize: 2 }),
  dropout(0.25),
  flatten(),
]

/** [n, 144·filters] → p of each digit, [n, 5] */
export const classifier = ({ units }: Sizes): Layer[] => [
  dense(units, { activation: 'relu' }),
  dropout(0.5),
  dense(CLASSES, { activation: 'softmax' }),
]

/** A network of these convolutions, which others may have too, and a new classifier. */
export function digitModel(found: readonly Layer[], sizes: Sizes, seed: number): Sequential {
  const model = new Sequential([...found, ...classifier(sizes)], { seed })
  model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
  return model
}

/** A small network for clothes, and the layers that change pictures at random before it sees them. */
import { adam, conv2d, cosineDecay, dense, flatten, type Layer, maxPooling2d, randomFlip, randomZoom, Sequential } from '@cotangent/layers'

/** Numbers of filters of both convolutions, and of units. */
export interface Sizes {
  filters: readonly [number, number]
  units: number
}

export const small: Sizes = { filters: [16, 32], units: 64 }

/** In training each picture is mirrored or not, and zoomed by up to a twentieth. In inference nothing happens. */
export const changes = (): Layer[] => [
  randomFlip({ mode: 'horizontal', inputShape: [28, 28, 1] }),
  randomZoom(0.05, { fillMode: 'constant' }),
]

/** Pictures [n, 28, 28, 1] of values 0 … 1 → p of each of the ten kinds. In `steps` steps the rate of learning falls to 0. */
export function clothesModel(
  before: readonly Layer[],
  { filters, units }: Sizes,
  { seed, steps }: { seed: number; steps: number },
): Sequential {
  const model = new Sequential(
    [
      ...before,
      conv2d(filters[0], 3, { activation: 'relu', inputShape: [28, 28, 1] }),
      maxPooling2d({ poolSize: 2 }),
      conv2d(filters[1], 3, { activation: 'relu' }),
      maxPooling2d({ poolSize: 2 }),
      flatten(),
      dense(units, { activation: 'relu' }),
      dense(10, { activation: 'softmax' }),
    ],
    { seed },
  )
  const optimizer = adam(cosineDecay({ initialLearningRate: 0.002, decaySteps: steps }))
  model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
  return model
}

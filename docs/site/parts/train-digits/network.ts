/** The network of the front page. The page quotes these lines, so they stand in a file of their own. */
import { adam, conv2d, dense, flatten, maxPooling2d, Sequential } from '@cotangent/layers'

export function digitReader(seed: number): Sequential {
  const model = new Sequential(
    [
      conv2d(8, [5, 5], { activation: 'relu', inputShape: [28, 28, 1] }),
      maxPooling2d(),
      conv2d(16, [3, 3], { activation: 'relu' }),
      maxPooling2d(),
      flatten(),
      dense(10, { activation: 'softmax' }),
    ],
    { seed },
  )
  model.compile({ optimizer: adam({ learningRate: 0.003 }), loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
  return model
}

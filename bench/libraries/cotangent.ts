/** Cotangent as its users write it: a Sequential model, compiled, trained batch by batch from host arrays. */
import { conv2d, dense, dropout, flatten, type Layer, maxPooling2d, Sequential } from '@cotangent/layers'
import type { Adapter, Prepared } from '../adapter.js'
import { classesOf, type LayerSpec, placed, type TrainWorkload } from '../networks.js'
import { batchesOf } from '../random.js'

/** @param first the shape of a sample, for the first layer alone */
function layerOf(layer: LayerSpec, first: { inputShape?: readonly number[] }): Layer {
  switch (layer.type) {
    case 'dense':
      return dense(layer.units, { activation: layer.activation, ...first })
    case 'dropout':
      return dropout(layer.rate)
    case 'conv':
      return conv2d(layer.filters, [layer.size, layer.size], { activation: layer.activation, padding: layer.padding, ...first })
    case 'maxPool':
      return maxPooling2d({ poolSize: [layer.size, layer.size] })
    case 'flatten':
      return flatten()
  }
}

function train(workload: TrainWorkload, seed: number): Prepared {
  const { batch, inputShape, optimizer } = workload
  const batches = batchesOf(workload, seed)
  const classes = classesOf(workload)
  const model = new Sequential(
    placed(workload).map(({ layer }, i) => layerOf(layer, i === 0 ? { inputShape } : {})),
    { seed },
  )
  model.compile({ optimizer, loss: 'categoricalCrossentropy' })
  let t = 0
  return {
    async run(steps) {
      let loss = Number.NaN
      for (let i = 0; i < steps; i++) {
        const { x, y } = batches[t++ % batches.length]
        ;[loss] = await model.trainOnBatch({ data: x, shape: [batch, ...inputShape] }, { data: y, shape: [batch, classes] })
      }
      return loss
    },
    dispose: () => model.dispose(),
  }
}

/** On the engine as it is configured. */
export function cotangent(): Adapter {
  return {
    async prepare(workload, seed) {
      if (workload.kind !== 'train') throw new Error(`The layers package has no part in ${workload.name}.`)
      return train(workload, seed)
    },
  }
}

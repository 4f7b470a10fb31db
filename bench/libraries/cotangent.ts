/** Cotangent as its users write it: a Sequential model, compiled, trained batch by batch from host arrays. */
import { dense, dropout, Sequential } from '@cotangent/layers'
import type { Adapter, Prepared } from '../adapter.js'
import { batchesOf } from '../random.js'
import type { TrainWorkload } from '../workloads.js'

function train(workload: TrainWorkload, seed: number): Prepared {
  const { batch, inputSize, layers, optimizer } = workload
  const batches = batchesOf(workload, seed)
  const classes = batches[0].y.length / batch
  const model = new Sequential(
    layers.map((layer, i) =>
      layer.type === 'dropout'
        ? dropout(layer.rate)
        : dense(layer.units, { activation: layer.activation, ...(i === 0 ? { inputShape: [inputSize] } : {}) }),
    ),
    { seed },
  )
  model.compile({ optimizer, loss: 'categoricalCrossentropy' })
  let t = 0
  return {
    async run(steps) {
      let loss = Number.NaN
      for (let i = 0; i < steps; i++) {
        const { x, y } = batches[t++ % batches.length]
        ;[loss] = await model.trainOnBatch({ data: x, shape: [batch, inputSize] }, { data: y, shape: [batch, classes] })
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

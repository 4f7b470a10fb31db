/** Cotangent as its users write it: a Sequential model, compiled, and trained batch by batch from host arrays. */
import {
  bidirectional,
  conv1d,
  conv2d,
  dense,
  dropout,
  embedding,
  flatten,
  globalMaxPooling1d,
  initializers,
  type Layer,
  lstm,
  maxPooling1d,
  maxPooling2d,
  Sequential,
  simpleRNN,
} from '@cotangent/layers'
import type { Adapter, Prepared } from '../adapter.js'
import type { LayerSpec, TrainWorkload } from '../networks.js'
import { outputsOf, placed } from '../placed.js'
import { batchesOf } from '../random.js'
import { gptInLayers } from './cotangent-gpt.js'

/** @param first the shape of a sample, for the first layer only */
function layerOf(layer: LayerSpec, first: { inputShape?: readonly number[] }, constantWeights?: number): Layer {
  const constant = constantWeights === undefined ? undefined : initializers.constant({ value: constantWeights })
  const kernelInitializer = constant ?? 'glorotUniform'
  switch (layer.type) {
    case 'dense':
      return dense(layer.units, { activation: layer.activation, kernelInitializer, ...first })
    case 'dropout':
      return dropout(layer.rate)
    case 'conv':
      return conv2d(layer.filters, [layer.size, layer.size], {
        activation: layer.activation,
        padding: layer.padding,
        kernelInitializer,
        ...first,
      })
    case 'maxPool':
      return maxPooling2d({ poolSize: [layer.size, layer.size] })
    case 'flatten':
      return flatten()
    case 'embedding':
      return embedding(layer.vocabulary, layer.size, { embeddingsInitializer: constant ?? 'uniform', ...first })
    case 'lstm': {
      const { units, dropout, recurrentDropout } = layer
      const one = lstm(units, { dropout, recurrentDropout, kernelInitializer, recurrentInitializer: kernelInitializer, ...first })
      return layer.bidirectional ? bidirectional(one) : one
    }
    case 'simpleRnn':
      return simpleRNN(layer.units, { kernelInitializer, recurrentInitializer: kernelInitializer, ...first })
    case 'conv1d':
      return conv1d(layer.filters, layer.size, { activation: layer.activation, kernelInitializer, ...first })
    case 'maxPool1d':
      return maxPooling1d({ poolSize: layer.size })
    case 'globalMaxPool1d':
      return globalMaxPooling1d()
  }
}

function train(workload: TrainWorkload, seed: number, runEagerly?: boolean): Prepared {
  const { batch, inputShape, loss: ofModel, optimizer } = workload
  const batches = batchesOf(workload, seed)
  const outputs = outputsOf(workload)
  const model = new Sequential(
    placed(workload).map(({ layer }, i) => layerOf(layer, i === 0 ? { inputShape } : {}, workload.constantWeights)),
    { seed },
  )
  model.compile({ optimizer, loss: ofModel, runEagerly })
  let t = 0
  return {
    async run(steps) {
      let loss = Number.NaN
      for (let i = 0; i < steps; i++) {
        const { x, y } = batches[t++ % batches.length]
        ;[loss] = await model.trainOnBatch({ data: x, shape: [batch, ...inputShape] }, { data: y, shape: [batch, outputs] })
      }
      return loss
    },
    dispose: () => model.dispose(),
  }
}

/** The adapter, on the engine as it is configured. `runEagerly`: no step is recorded. */
export function cotangent({ runEagerly }: { runEagerly?: boolean } = {}): Adapter {
  return {
    async prepare(workload, seed) {
      if (workload.kind === 'gpt') return gptInLayers(workload, seed, runEagerly)
      if (workload.kind !== 'train') throw new Error(`The layers package has no part in ${workload.name}.`)
      return train(workload, seed, runEagerly)
    },
  }
}

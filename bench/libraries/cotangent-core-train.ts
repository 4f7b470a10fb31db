/**
 * Cotangent without its layers package: a network as parameters and ops, `valueAndGrad` and an update program, in a loop written by hand.
 *
 * Cross-entropies take logits here; a Keras-like model takes the logarithm of the result of softmax or sigmoid. The function is the same.
 */
import {
  abs,
  affine,
  applyUpdates,
  bernoulli,
  concat,
  conv1d,
  conv2d,
  expandDims,
  foldKey,
  full,
  gather,
  type Key,
  key,
  lstmSequence,
  max,
  maxPool1d,
  maxPool2d,
  mul,
  Parameter,
  reshape,
  simpleRnnSequence,
  softmaxCrossEntropy,
  softplus,
  sub,
  type Tensor,
  tensor,
  uniform,
  updateProgram,
  valueAndGrad,
  zeros,
} from '@cotangent/core'
import type { Prepared } from '../adapter.js'
import type { LossName, TrainWorkload } from '../networks.js'
import { EMBEDDING_LIMIT, glorotLimit, outputsOf, type PlacedLayer, placed } from '../placed.js'
import { batchesOf } from '../random.js'

/** Adam (Kingma and Ba, 2014), with the bias corrections folded into the rate, as in §2 of the paper. */
const adam = updateProgram(
  'bench-adam',
  { slots: 3, inputs: 1, scalars: 6 },
  ([w, m, v], [g], [rate, beta1, rest1, beta2, rest2, epsilon]) => {
    const m1 = m.mul(beta1).add(g.mul(rest1))
    const v1 = v.mul(beta2).add(g.square().mul(rest2))
    return [w.sub(m1.mul(rate).div(v1.sqrt().add(epsilon))), m1, v1]
  },
)
const rmsprop = updateProgram('bench-rmsprop', { slots: 2, inputs: 1, scalars: 4 }, ([w, a], [g], [rate, rho, rest, epsilon]) => {
  const a1 = a.mul(rho).add(g.square().mul(rest))
  return [w.sub(g.mul(rate).div(a1.sqrt().add(epsilon))), a1]
})
/** ADADELTA (Zeiler, 2012, algorithm 1): a step is as large as past steps were; d is the running mean of their squares. */
const adadelta = updateProgram('bench-adadelta', { slots: 3, inputs: 1, scalars: 4 }, ([w, a, d], [g], [rate, rho, rest, epsilon]) => {
  const a1 = a.mul(rho).add(g.square().mul(rest))
  const step = g.mul(d.add(epsilon).sqrt()).div(a1.add(epsilon).sqrt())
  return [w.sub(step.mul(rate)), a1, d.mul(rho).add(step.square().mul(rest))]
})

type Optimizer = TrainWorkload['optimizer']
/** A parameter with its moments and its gradient. */
interface Target {
  slots: readonly Parameter[]
  inputs: readonly Tensor[]
}

/** The number of moments that an optimizer keeps of each parameter. */
const moments: Record<Optimizer, number> = { adam: 2, rmsprop: 1, adadelta: 2 }

/** Takes step t of the optimizer, with Keras' defaults unless another rate is given. */
export function applyOptimizer(optimizer: Optimizer, targets: readonly Target[], t: number, learningRate = 0.001): void {
  if (optimizer === 'adam') {
    const rate = (learningRate * Math.sqrt(1 - 0.999 ** t)) / (1 - 0.9 ** t)
    applyUpdates(adam, targets, [rate, 0.9, 1 - 0.9, 0.999, 1 - 0.999, 1e-7])
  } else if (optimizer === 'rmsprop') applyUpdates(rmsprop, targets, [learningRate, 0.9, 1 - 0.9, 1e-7])
  else applyUpdates(adadelta, targets, [1, 0.95, 1 - 0.95, 1e-7])
}

/** The function of a layer, in a given step. */
type Apply = (x: Tensor, step: number) => Tensor

/** Makes a weight, uniform within Glorot's limit unless another limit is given. */
type MakeWeight = (k: Key, shape: readonly number[], name: string, limit?: number) => Parameter
const uniformWeight: MakeWeight = (k, shape, name, limit = glorotLimit(shape)) =>
  new Parameter(uniform(k, shape, { low: -limit, high: limit }), { name })
const constantWeight =
  (value: number): MakeWeight =>
  (_, shape, name) =>
    new Parameter(full(shape, value), { name })

/** Where layers put their weights, and how the weights are made. */
interface Weights {
  parameters: Parameter[]
  make: MakeWeight
}

/** Factors of dropout: 0 with probability `rate`, else 1/(1 − rate). */
const dropped = (k: Key, shape: readonly number[], rate: number): Tensor => mul(bernoulli(k, shape, 1 - rate), 1 / (1 - rate))

/** One direction of a recurrent layer, as a function. */
function recurrence(
  { layer, kernel, recurrent }: PlacedLayer,
  k: Key,
  name: string,
  { parameters, make }: Weights,
  goBackwards = false,
): Apply {
  if (!kernel || !recurrent) throw new Error(`A layer of type "${layer.type}" is not recurrent.`)
  const [units, width] = recurrent
  const w = make(foldKey(k, 0), kernel, `kernel_${name}`)
  const u = make(foldKey(k, 1), recurrent, `recurrent_${name}`)
  const simple = layer.type !== 'lstm'
  // The forget gate's bias starts at 1 (Jozefowicz et al., 2015).
  const start = Float32Array.from({ length: width }, (_, i) => (!simple && i >= units && i < 2 * units ? 1 : 0))
  const bias = new Parameter(tensor(start), { name: `bias_${name}` })
  parameters.push(w, u, bias)
  return (x, step) => {
    const mask = (rate: number, size: number, purpose: number): Tensor | undefined =>
      rate === 0 ? undefined : dropped(foldKey(foldKey(k, purpose), step), [x.shape[0], size], rate)
    if (simple) return simpleRnnSequence(x, w, u, bias, { goBackwards, returnSequences: false }).states[0] // [b, units]
    const ofInput = mask(layer.dropout, x.shape[2], 2)
    const seen = ofInput ? mul(x, expandDims(ofInput, 1)) : x
    const recurrentDropout = mask(layer.recurrentDropout, units, 3)
    return lstmSequence(seen, w, u, bias, { goBackwards, recurrentDropout, returnSequences: false }).states[0]
  }
}

/** A layer as a function; its weights go to `parameters`. */
function applied(placed: PlacedLayer, k: Key, name: string, all: Weights): Apply {
  const { layer, output, kernel: shape } = placed
  const { parameters, make } = all
  const weights = (): [Parameter, Parameter] => {
    if (!shape) throw new Error(`A layer of type "${layer.type}" has no weights here.`)
    const kernel = make(k, shape, `kernel_${name}`)
    const bias = new Parameter(zeros([shape[shape.length - 1]]), { name: `bias_${name}` })
    parameters.push(kernel, bias)
    return [kernel, bias]
  }
  switch (layer.type) {
    case 'dense': {
      const [kernel, bias] = weights()
      return (x) => affine(x, kernel, bias, { relu: layer.activation === 'relu' }) // [b, units]
    }
    case 'conv': {
      const [kernel, bias] = weights()
      return (x) => conv2d(x, kernel, { bias, relu: layer.activation === 'relu', padding: layer.padding }) // [b, oh, ow, filters]
    }
    case 'conv1d': {
      const [kernel, bias] = weights()
      return (x) => conv1d(x, kernel, { bias, relu: layer.activation === 'relu' }) // [b, ol, filters]
    }
    case 'embedding': {
      const table = make(k, [layer.vocabulary, layer.size], `embeddings_${name}`, EMBEDDING_LIMIT)
      parameters.push(table)
      return (ids) => gather(table, ids) // [b, length, size]
    }
    case 'lstm': {
      const forward = recurrence(placed, foldKey(k, 0), name, all)
      if (!layer.bidirectional) return forward
      const backward = recurrence(placed, foldKey(k, 1), `${name}_backward`, all, true)
      return (x, step) => concat([forward(x, step), backward(x, step)], -1) // [b, 2·units]
    }
    case 'simpleRnn':
      return recurrence(placed, k, name, all)
    case 'dropout':
      return (x, step) => mul(x, dropped(foldKey(k, step), x.shape, layer.rate))
    case 'maxPool':
      return (x) => maxPool2d(x, [layer.size, layer.size])
    case 'maxPool1d':
      return (x) => maxPool1d(x, layer.size)
    case 'globalMaxPool1d':
      return (x) => max(x, { axis: 1 })
    case 'flatten':
      return (x) => reshape(x, [x.shape[0], ...output])
  }
}

/** The losses, from the last layer's result before its activation and the targets. */
const lossOf: Record<LossName, (z: Tensor, y: Tensor) => Tensor> = {
  categoricalCrossentropy: softmaxCrossEntropy,
  binaryCrossentropy: (z, y) => sub(softplus(z), mul(z, y)),
  meanAbsoluteError: (z, y) => abs(sub(z, y)),
}

/** A network, ready to be trained. */
export function train(workload: TrainWorkload, seed: number): Prepared {
  const { batch, inputShape, loss: lossName, optimizer } = workload
  const root = key(seed)
  const batches = batchesOf(workload, seed)
  const outputs = outputsOf(workload)
  const parameters: Parameter[] = []
  const make = workload.constantWeights === undefined ? uniformWeight : constantWeight(workload.constantWeights)
  const layers = placed(workload).map((layer, i) => applied(layer, foldKey(root, i), String(i), { parameters, make }))
  const slots = parameters.map((parameter) => [
    parameter,
    ...Array.from(
      { length: moments[optimizer] },
      (_, i) => new Parameter(zeros(parameter.shape), { name: `${parameter.name}_moment_${i}` }),
    ),
  ])

  let t = 0
  return {
    async run(steps) {
      let loss = Number.NaN
      for (let i = 0; i < steps; i++) {
        const { x, y } = batches[t++ % batches.length]
        const inputs = tensor(x, { shape: [batch, ...inputShape], dtype: x instanceof Int32Array ? 'int32' : 'float32' })
        const labels = tensor(y, { shape: [batch, outputs] })
        const { value, grads } = valueAndGrad(parameters, () =>
          lossOf[lossName](
            layers.reduce((h, apply) => apply(h, t), inputs as Tensor),
            labels,
          ).mean(),
        )
        const targets = grads.map((g, j) => ({ slots: slots[j], inputs: [g] }))
        applyOptimizer(optimizer, targets, t)
        for (const each of [...grads, inputs, labels]) each.dispose()
        loss = await value.item()
        value.dispose()
      }
      return loss
    },
    dispose() {
      for (const each of slots.flat()) each.dispose()
    },
  }
}

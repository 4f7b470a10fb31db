/**
 * Cotangent without its layers package: a network as parameters and ops, `valueAndGrad` and an update program, in a loop written out.
 *
 * Softmax and cross-entropy are one op on logits here; a Keras-like model takes the logarithm of softmax's output. The function is the
 * same.
 */
import {
  affine,
  applyUpdates,
  bernoulli,
  conv2d,
  foldKey,
  type Key,
  key,
  maxPool2d,
  mul,
  Parameter,
  reshape,
  softmaxCrossEntropy,
  type Tensor,
  tensor,
  uniform,
  updateProgram,
  valueAndGrad,
  zeros,
} from '@cotangent/core'
import type { Prepared } from '../adapter.js'
import { classesOf, type PlacedLayer, placed, type TrainWorkload } from '../networks.js'
import { batchesOf } from '../random.js'

/** Kingma & Ba, "Adam", with the bias corrections folded into the rate as in their §2. */
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
/** Zeiler, "ADADELTA", algorithm 1: steps as large as past steps were, d being the running mean of their squares. */
const adadelta = updateProgram('bench-adadelta', { slots: 3, inputs: 1, scalars: 4 }, ([w, a, d], [g], [rate, rho, rest, epsilon]) => {
  const a1 = a.mul(rho).add(g.square().mul(rest))
  const step = g.mul(d.add(epsilon).sqrt()).div(a1.add(epsilon).sqrt())
  return [w.sub(step.mul(rate)), a1, d.mul(rho).add(step.square().mul(rest))]
})

type Optimizer = TrainWorkload['optimizer']
/** A parameter with its moments, and its gradient. */
interface Target {
  slots: readonly Parameter[]
  inputs: readonly Tensor[]
}

/** How many moments an optimizer keeps of each parameter. */
const moments: Record<Optimizer, number> = { adam: 2, rmsprop: 1, adadelta: 2 }

/** Step t of the optimizer, with Keras' defaults unless another rate is given. */
export function applyOptimizer(optimizer: Optimizer, targets: readonly Target[], t: number, learningRate = 0.001): void {
  if (optimizer === 'adam') {
    const rate = (learningRate * Math.sqrt(1 - 0.999 ** t)) / (1 - 0.9 ** t)
    applyUpdates(adam, targets, [rate, 0.9, 1 - 0.9, 0.999, 1 - 0.999, 1e-7])
  } else if (optimizer === 'rmsprop') applyUpdates(rmsprop, targets, [learningRate, 0.9, 1 - 0.9, 1e-7])
  else applyUpdates(adadelta, targets, [1, 0.95, 1 - 0.95, 1e-7])
}

/** What a layer does to its input in a step. */
type Apply = (x: Tensor, step: number) => Tensor

/** A layer as a function; its weights go to `parameters`. */
function applied({ layer, output, kernel: shape, fans }: PlacedLayer, k: Key, name: string, parameters: Parameter[]): Apply {
  if (shape && fans) {
    const limit = Math.sqrt(6 / (fans[0] + fans[1])) // Glorot uniform
    const kernel = new Parameter(uniform(k, shape, { low: -limit, high: limit }), { name: `kernel_${name}` })
    const bias = new Parameter(zeros([shape[shape.length - 1]]), { name: `bias_${name}` })
    parameters.push(kernel, bias)
    if (layer.type === 'dense') return (x) => affine(x, kernel, bias, { relu: layer.activation === 'relu' }) // [b, units]
    if (layer.type === 'conv') return (x) => conv2d(x, kernel, { bias, relu: layer.activation === 'relu', padding: layer.padding }) // [b, oh, ow, filters]
  }
  switch (layer.type) {
    case 'dropout': {
      const keep = 1 - layer.rate
      return (x, step) => mul(x, mul(bernoulli(foldKey(k, step), x.shape, keep), 1 / keep))
    }
    case 'maxPool':
      return (x) => maxPool2d(x, [layer.size, layer.size])
    case 'flatten':
      return (x) => reshape(x, [x.shape[0], ...output])
    default:
      throw new Error(`A layer of type "${layer.type}" has no weights here.`)
  }
}

/** A network, ready to be trained. */
export function train(workload: TrainWorkload, seed: number): Prepared {
  const { batch, inputShape, optimizer } = workload
  const root = key(seed)
  const batches = batchesOf(workload, seed)
  const classes = classesOf(workload)
  const parameters: Parameter[] = []
  const layers = placed(workload).map((layer, i) => applied(layer, foldKey(root, i), String(i), parameters))
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
        const images = tensor(x, { shape: [batch, ...inputShape] })
        const labels = tensor(y, { shape: [batch, classes] })
        const { value, grads } = valueAndGrad(parameters, () =>
          softmaxCrossEntropy(
            layers.reduce((h, apply) => apply(h, t), images as Tensor),
            labels,
          ).mean(),
        )
        const targets = grads.map((g, j) => ({ slots: slots[j], inputs: [g] }))
        applyOptimizer(optimizer, targets, t)
        for (const each of [...grads, images, labels]) each.dispose()
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

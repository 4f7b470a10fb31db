/**
 * Cotangent without its layers package: parameters, ops, `valueAndGrad` and an update program, in a loop written out. Also the home of the
 * kernel and dispatch rows, which need no layers.
 *
 * Softmax and cross-entropy are one op on logits here; a Keras-like model takes the logarithm of softmax's output. The function is the
 * same.
 */
import {
  add,
  applyUpdate,
  bernoulli,
  exp,
  foldKey,
  grad,
  key,
  log,
  matMul,
  mul,
  Parameter,
  relu,
  scalar,
  scope,
  sigmoid,
  slice,
  softmaxCrossEntropy,
  type Tensor,
  tanh,
  tensor,
  uniform,
  updateProgram,
  valueAndGrad,
  zeros,
} from '@cotangent/core'
import type { Adapter, Prepared } from '../adapter.js'
import { batchesOf, operandOf, uniformValues } from '../random.js'
import type { DispatchWorkload, ElementwiseWorkload, MatMulWorkload, TrainWorkload, UpdateWorkload } from '../workloads.js'

/** Kingma & Ba, "Adam", with the bias corrections folded into the rate as in their §2. */
const adamProgram = updateProgram(
  'bench-adam',
  { slots: 3, inputs: 1, scalars: 6 },
  ([w, m, v], [g], [rate, beta1, rest1, beta2, rest2, epsilon]) => {
    const m1 = m.mul(beta1).add(g.mul(rest1))
    const v1 = v.mul(beta2).add(g.square().mul(rest2))
    return [w.sub(m1.mul(rate).div(v1.sqrt().add(epsilon))), m1, v1]
  },
)
const rmspropProgram = updateProgram('bench-rmsprop', { slots: 2, inputs: 1, scalars: 4 }, ([w, a], [g], [rate, rho, rest, epsilon]) => {
  const a1 = a.mul(rho).add(g.square().mul(rest))
  return [w.sub(g.mul(rate).div(a1.sqrt().add(epsilon))), a1]
})

type Optimizer = TrainWorkload['optimizer']

/** Step t of the optimizer, with Keras' defaults. */
function update(optimizer: Optimizer, slots: readonly Parameter[], g: Tensor, t: number, learningRate = 0.001): void {
  if (optimizer === 'adam') {
    const rate = (learningRate * Math.sqrt(1 - 0.999 ** t)) / (1 - 0.9 ** t)
    applyUpdate(adamProgram, slots, [g], [rate, 0.9, 1 - 0.9, 0.999, 1 - 0.999, 1e-7])
  } else applyUpdate(rmspropProgram, slots, [g], [learningRate, 0.9, 1 - 0.9, 1e-7])
}

function train(workload: TrainWorkload, seed: number): Prepared {
  const { batch, inputSize, optimizer } = workload
  const root = key(seed)
  const batches = batchesOf(workload, seed)
  const parameters: Parameter[] = []
  const parameter = (value: Tensor, name: string): Parameter => {
    const made = new Parameter(value, { name })
    parameters.push(made)
    return made
  }

  let inputs = inputSize
  const layers = workload.layers.map((layer, i): ((x: Tensor, step: number) => Tensor) => {
    if (layer.type === 'dropout') {
      const keep = 1 - layer.rate
      return (x, step) => mul(x, mul(bernoulli(foldKey(foldKey(root, 1000 + i), step), x.shape, keep), 1 / keep))
    }
    const { units, activation } = layer
    const limit = Math.sqrt(6 / (inputs + units)) // Glorot uniform
    const kernel = parameter(uniform(foldKey(root, i), [inputs, units], { low: -limit, high: limit }), `kernel_${i}`)
    const bias = parameter(zeros([units]), `bias_${i}`)
    inputs = units
    return (x) => {
      const y: Tensor = add(matMul(x, kernel), bias) // [b, units]
      return activation === 'relu' ? relu(y) : y
    }
  })
  const moments = parameters.map(({ shape, name }) =>
    Array.from({ length: optimizer === 'adam' ? 2 : 1 }, (_, i) => new Parameter(zeros(shape), { name: `${name}_moment_${i}` })),
  )

  let t = 0
  return {
    async run(steps) {
      let loss = Number.NaN
      for (let i = 0; i < steps; i++) {
        const { x, y } = batches[t++ % batches.length]
        const images = tensor(x, { shape: [batch, inputSize] })
        const labels = tensor(y, { shape: [batch, inputs] })
        const { value, grads } = valueAndGrad(parameters, () =>
          softmaxCrossEntropy(
            layers.reduce((h, layer) => layer(h, t), images as Tensor),
            labels,
          ).mean(),
        )
        for (const [j, g] of grads.entries()) {
          update(optimizer, [parameters[j], ...moments[j]], g, t)
          g.dispose()
        }
        images.dispose()
        labels.dispose()
        loss = await value.item()
      }
      return loss
    },
    dispose() {
      for (const each of [...parameters, ...moments.flat()]) each.dispose()
    },
  }
}

/** Repeats an op that makes a tensor; the last result is read at one element. */
function repeat(work: () => Tensor, held: readonly Tensor[]): Prepared {
  return {
    async run(steps) {
      const probe = scope(() => {
        for (let i = 1; i < steps; i++) scope(() => void work())
        const last = work()
        return slice(
          last,
          last.shape.map(() => 0),
          last.shape.map(() => 1),
        )
      })
      const value = await probe.item()
      probe.dispose()
      return value
    },
    dispose() {
      for (const each of held) each.dispose()
    },
  }
}

function product({ m, k, n, transposeA, transposeB }: MatMulWorkload, seed: number): Prepared {
  const a: Tensor = tensor(uniformValues(seed, m * k), { shape: transposeA ? [k, m] : [m, k] })
  const b: Tensor = tensor(uniformValues(seed + 1, k * n), { shape: transposeB ? [n, k] : [k, n] })
  return repeat(() => matMul(a, b, { transposeA, transposeB }), [a, b])
}

function elementwise({ op, size }: ElementwiseWorkload, seed: number): Prepared {
  const a: Tensor = tensor(operandOf(op, seed, size))
  const b: Tensor = tensor(uniformValues(seed + 1, size))
  return repeat(op === 'add' ? () => add(a, b) : { relu, exp, log, tanh, sigmoid }[op].bind(null, a), [a, b])
}

/** Adam's update alone, in place. The running mean, its start corrected for, is the gradient after any number of steps. */
function updates({ size, learningRate }: UpdateWorkload, seed: number): Prepared {
  const g: Tensor = tensor(uniformValues(seed + 1, size))
  const [w, m, v] = [tensor(uniformValues(seed, size)), zeros([size]), zeros([size])].map((value) => new Parameter(value))
  let t = 0
  return {
    async run(steps) {
      for (let i = 0; i < steps; i++) update('adam', [w, m, v], g, ++t, learningRate)
      const first = slice(m, [0], [1])
      const value = await first.item()
      first.dispose()
      return value / (1 - 0.9 ** t)
    },
    dispose() {
      for (const each of [g, w, m, v]) each.dispose()
    },
  }
}

function dispatch({ what, count }: DispatchWorkload, seed: number): Prepared {
  if (what === 'add') {
    const a: Tensor = tensor(uniformValues(seed, 10))
    const b: Tensor = tensor(uniformValues(seed + 1, 10))
    const many = (): Tensor => {
      for (let i = 1; i < count; i++) add(a, b)
      return add(a, b)
    }
    return repeat(many, [a, b])
  }
  const [x, c] = [scalar(0.5), scalar(1.1)]
  const derivative = grad((start: Tensor) => {
    let y = start
    for (let i = 0; i < 10; i++) y = tanh(mul(y, c))
    return y
  })
  const many = (): Tensor => {
    for (let i = 1; i < count; i++) derivative(x)
    return derivative(x)
  }
  return repeat(many, [x, c])
}

/** On the engine as it is configured. */
export function cotangentCore(): Adapter {
  return {
    async prepare(workload, seed) {
      switch (workload.kind) {
        case 'train':
          return train(workload, seed)
        case 'matMul':
          return product(workload, seed)
        case 'elementwise':
          return elementwise(workload, seed)
        case 'update':
          return updates(workload, seed)
        case 'dispatch':
          return dispatch(workload, seed)
      }
    },
  }
}

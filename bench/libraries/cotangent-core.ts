/** Cotangent without its layers package: the kernel and dispatch rows, which need no layers. (Networks are in cotangent-core-train.ts.) */
import {
  add,
  conv2d,
  exp,
  grad,
  log,
  matMul,
  mul,
  Parameter,
  relu,
  scalar,
  scope,
  sigmoid,
  slice,
  type Tensor,
  tanh,
  tensor,
  vjp,
  zeros,
} from '@cotangent/core'
import type { Adapter, Prepared } from '../adapter.js'
import { operandOf, uniformValues } from '../random.js'
import {
  type ConvWorkload,
  convOutput,
  type DispatchWorkload,
  type ElementwiseWorkload,
  type MatMulWorkload,
  type UpdateWorkload,
} from '../workloads.js'
import { applyOptimizer, train } from './cotangent-core-train.js'
import { gptInCore } from './cotangent-gpt.js'
import { operation, operationByHand } from './cotangent-operations.js'

/** The first element of a tensor. */
const first = (x: Tensor): Tensor =>
  slice(
    x,
    x.shape.map(() => 0),
    x.shape.map(() => 1),
  )

/** Repeats an op that makes one tensor or several. Reads the first element of the last result, or the sum of the first elements. */
function repeat(work: () => Tensor | readonly Tensor[], held: readonly Tensor[]): Prepared {
  return {
    async run(steps) {
      const probes = scope(() => {
        for (let i = 1; i < steps; i++) scope(() => void work())
        const last = work()
        return Array.isArray(last) ? last.map(first) : [first(last as Tensor)]
      })
      let value = 0
      for (const probe of probes) {
        value += await probe.item()
        probe.dispose()
      }
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

function convolution(workload: ConvWorkload, seed: number): Prepared {
  const { batch, image, filters, size, padding, backward, first: leaf } = workload
  const random = (from: number, shape: readonly number[]): Tensor =>
    tensor(
      uniformValues(
        seed + from,
        shape.reduce((a, b) => a * b),
      ),
      { shape },
    )
  const x = random(0, [batch, ...image])
  const filter = random(1, [size, size, image[2], filters])
  if (!backward) return repeat(() => conv2d(x, filter, { padding }), [x, filter])
  const dY = random(2, convOutput(workload))
  const both = (): Tensor[] => {
    const { value, grads } = leaf
      ? vjp((f) => conv2d(x, f, { padding }), [filter], dY)
      : vjp((f, images) => conv2d(images, f, { padding }), [filter, x], dY)
    return [value, ...grads]
  }
  return repeat(both, [x, filter, dY])
}

function elementwise({ op, size }: ElementwiseWorkload, seed: number): Prepared {
  const a: Tensor = tensor(operandOf(op, seed, size))
  const b: Tensor = tensor(uniformValues(seed + 1, size))
  return repeat(op === 'add' ? () => add(a, b) : { relu, exp, log, tanh, sigmoid }[op].bind(null, a), [a, b])
}

/** Adam's update alone, in place. The gradient stays the same, so its running mean, corrected for the start, equals it after any number of steps. */
function updates({ size, learningRate }: UpdateWorkload, seed: number): Prepared {
  const g: Tensor = tensor(uniformValues(seed + 1, size))
  const [w, m, v] = [tensor(uniformValues(seed, size)), zeros([size]), zeros([size])].map((value) => new Parameter(value))
  let t = 0
  return {
    async run(steps) {
      for (let i = 0; i < steps; i++) applyOptimizer('adam', [{ slots: [w, m, v], inputs: [g] }], ++t, learningRate)
      const mean = slice(m, [0], [1])
      const value = await mean.item()
      mean.dispose()
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

/** The adapter, on the engine as it is configured. */
export function cotangentCore(): Adapter {
  return {
    async prepare(workload, seed) {
      switch (workload.kind) {
        case 'train':
          return train(workload, seed)
        case 'gpt':
          return gptInCore(workload, seed)
        case 'matMul':
          return product(workload, seed)
        case 'conv':
          return convolution(workload, seed)
        case 'elementwise':
          return elementwise(workload, seed)
        case 'update':
          return updates(workload, seed)
        case 'dispatch':
          return dispatch(workload, seed)
        case 'operation':
          return operation(workload, seed)
      }
    },
    async prepareByHand(workload, seed) {
      if (workload.kind !== 'operation') throw new Error(`${workload.name} is not written by hand.`)
      return operationByHand(workload, seed)
    },
  }
}

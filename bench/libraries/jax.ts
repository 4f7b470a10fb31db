/**
 * jax-js on its wasm device, from bench/peers. It has no layers or optimizers here, so networks are written out with `valueAndGrad`, a whole
 * training step in one `jit`. Arrays are moved into the function that uses them; `ref` keeps one for another use.
 */
import type { Adapter, Prepared } from '../adapter.js'
import { batchesOf, operandOf, stream, uniformValues } from '../random.js'
import type { DispatchWorkload, ElementwiseWorkload, MatMulWorkload, TrainWorkload } from '../workloads.js'

interface JaxArray {
  readonly ref: JaxArray
  add(other: JaxArray | number): JaxArray
  sub(other: JaxArray | number): JaxArray
  mul(other: JaxArray | number): JaxArray
  div(other: JaxArray | number): JaxArray
  sum(): JaxArray
  neg(): JaxArray
  data(): Promise<ArrayLike<number>>
  blockUntilReady(): Promise<JaxArray>
  dispose(): void
}
type Flat = JaxArray[]
interface Jax {
  init(device: string): Promise<string[]>
  defaultDevice(device: string): unknown
  jit<F>(f: F): F & { dispose(): void }
  valueAndGrad(f: (parameters: Flat, x: JaxArray, y: JaxArray, key: JaxArray) => JaxArray): (...inputs: unknown[]) => [JaxArray, Flat]
  grad(f: (x: JaxArray) => JaxArray): (x: JaxArray) => JaxArray
  numpy: {
    array(values: Float32Array | number, options?: { shape?: number[] }): JaxArray
    matmul(a: JaxArray, b: JaxArray): JaxArray
    matrixTranspose(a: JaxArray): JaxArray
    exp(x: JaxArray): JaxArray
    tanh(x: JaxArray): JaxArray
    log(x: JaxArray): JaxArray
    sqrt(x: JaxArray): JaxArray
    where(condition: JaxArray, x: JaxArray, y: number): JaxArray
  }
  nn: { relu(x: JaxArray): JaxArray; sigmoid(x: JaxArray): JaxArray; logSoftmax(x: JaxArray, axis: number): JaxArray }
  random: {
    key(seed: number): JaxArray
    split(key: JaxArray, count: number): JaxArray
    bernoulli(key: JaxArray, p: number, shape: number[]): JaxArray
  }
}

function train(jax: Jax, workload: TrainWorkload, seed: number): Prepared {
  const { numpy: np, nn, random } = jax
  const { batch, inputSize, layers, optimizer } = workload
  const batches = batchesOf(workload, seed)
  const next = stream(seed + 1)
  let inputs = inputSize
  let parameters: Flat = []
  let moments: Flat = []
  for (const layer of layers) {
    if (layer.type === 'dropout') continue
    const limit = Math.sqrt(6 / (inputs + layer.units)) // Glorot uniform
    const kernel = Float32Array.from({ length: inputs * layer.units }, () => (2 * next() - 1) * limit)
    for (const [values, shape] of [
      [kernel, [inputs, layer.units]],
      [new Float32Array(layer.units), [layer.units]],
    ] as const) {
      parameters.push(np.array(values, { shape: [...shape] }))
      for (let i = 0; i < (optimizer === 'adam' ? 2 : 1); i++)
        moments.push(np.array(new Float32Array(values.length), { shape: [...shape] }))
    }
    inputs = layer.units
  }

  const lossOf = (weights: Flat, x: JaxArray, y: JaxArray, key: JaxArray): JaxArray => {
    let h = x
    let at = 0
    let rest = key
    let width = inputSize
    for (const layer of layers) {
      if (layer.type === 'dropout') {
        const [now, later] = random.split(rest, 2) as unknown as [JaxArray, JaxArray]
        rest = later
        const keep = 1 - layer.rate
        h = np.where(random.bernoulli(now, keep, [batch, width]), h.div(keep), 0)
      } else {
        h = np.matmul(h, weights[at++]).add(weights[at++])
        width = layer.units
        if (layer.activation === 'relu') h = nn.relu(h)
      }
    }
    rest.dispose()
    return nn.logSoftmax(h, -1).mul(y).sum().neg().div(batch)
  }

  const step = jax.jit((weights: Flat, slots: Flat, x: JaxArray, y: JaxArray, key: JaxArray, rate: JaxArray): [JaxArray, Flat, Flat] => {
    const [loss, grads] = jax.valueAndGrad(lossOf)(
      weights.map((weight) => weight.ref),
      x,
      y,
      key,
    )
    const newSlots: Flat = []
    const moved = weights.map((weight, i) => {
      const g = grads[i]
      if (optimizer === 'adam') {
        const m = slots[2 * i].mul(0.9).add(g.ref.mul(1 - 0.9))
        const v = slots[2 * i + 1].mul(0.999).add(g.ref.mul(g).mul(1 - 0.999))
        newSlots.push(m.ref, v.ref)
        return weight.sub(m.mul(rate.ref).div(np.sqrt(v).add(1e-7)))
      }
      const a = slots[i].mul(0.9).add(g.ref.mul(g.ref).mul(1 - 0.9))
      newSlots.push(a.ref)
      return weight.sub(g.mul(rate.ref).div(np.sqrt(a).add(1e-7)))
    })
    rate.dispose()
    return [loss, moved, newSlots]
  })

  let t = 0
  return {
    async run(steps) {
      let value = Number.NaN
      for (let i = 0; i < steps; i++) {
        const { x, y } = batches[t++ % batches.length]
        const images = np.array(x, { shape: [batch, inputSize] })
        const labels = np.array(y, { shape: [batch, inputs] })
        const rate = optimizer === 'adam' ? (0.001 * Math.sqrt(1 - 0.999 ** t)) / (1 - 0.9 ** t) : 0.001
        const [loss, ...state] = step(parameters, moments, images, labels, random.key(t), np.array(rate))
        ;[parameters, moments] = state
        ;[value] = Array.from(await loss.data())
      }
      return value
    },
    dispose() {
      for (const each of [...parameters, ...moments]) each.dispose()
      step.dispose()
    },
  }
}

/**
 * Repeats an op that makes an array. Each result is waited for: nothing is computed of an array that is given back before. The last one can
 * only be read whole, which is no part of a step.
 */
function repeat(work: () => JaxArray, held: readonly JaxArray[], count = 1): Prepared {
  return {
    async run(steps) {
      for (let i = 1; i < steps * count; i++) {
        const result = work()
        await result.blockUntilReady()
        result.dispose()
      }
      const last = await work().blockUntilReady()
      return async () => (await last.data())[0]
    },
    dispose() {
      for (const each of held) each.dispose()
    },
  }
}

function product({ numpy: np, jit }: Jax, { m, k, n, transposeA, transposeB }: MatMulWorkload, seed: number): Prepared {
  const a = np.array(uniformValues(seed, m * k), { shape: transposeA ? [k, m] : [m, k] })
  const b = np.array(uniformValues(seed + 1, k * n), { shape: transposeB ? [n, k] : [k, n] })
  const multiply = jit((x: JaxArray, y: JaxArray) =>
    np.matmul(transposeA ? np.matrixTranspose(x) : x, transposeB ? np.matrixTranspose(y) : y),
  )
  return repeat(() => multiply(a.ref, b.ref), [a, b])
}

function elementwise({ numpy: np, nn, jit }: Jax, { op, size }: ElementwiseWorkload, seed: number): Prepared {
  const a = np.array(operandOf(op, seed, size))
  const b = np.array(uniformValues(seed + 1, size))
  if (op === 'add') {
    const plus = jit((x: JaxArray, y: JaxArray) => x.add(y))
    return repeat(() => plus(a.ref, b.ref), [a, b])
  }
  const of = jit({ relu: nn.relu, sigmoid: nn.sigmoid, exp: np.exp, log: np.log, tanh: np.tanh }[op])
  return repeat(() => of(a.ref), [a, b])
}

function dispatch({ numpy: np, grad }: Jax, { what, count }: DispatchWorkload, seed: number): Prepared {
  if (what === 'add') {
    const [a, b] = [np.array(uniformValues(seed, 10)), np.array(uniformValues(seed + 1, 10))]
    return repeat(() => a.ref.add(b.ref), [a, b], count)
  }
  const x = np.array(0.5)
  const derivative = grad((start) => {
    let y = start
    for (let i = 0; i < 10; i++) y = np.tanh(y.mul(1.1))
    return y
  })
  return repeat(() => derivative(x.ref), [x], count)
}

export async function jax(): Promise<Adapter> {
  const file = new URL('../peers/node_modules/@jax-js/jax/dist/index.js', import.meta.url)
  const library = (await import(file.href)) as Jax
  await library.init('wasm') // without a name it looks for a browser's navigator
  library.defaultDevice('wasm')
  return {
    async prepare(workload, seed) {
      switch (workload.kind) {
        case 'train':
          return train(library, workload, seed)
        case 'matMul':
          return product(library, workload, seed)
        case 'elementwise':
          return elementwise(library, workload, seed)
        case 'update':
          throw new Error('its optimizers are in another package')
        case 'dispatch':
          return dispatch(library, workload, seed)
      }
    },
  }
}

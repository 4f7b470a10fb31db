/**
 * jax-js on its wasm device, from bench/peers. A function consumes the arrays it gets; `ref` keeps one for another use. Networks are
 * in jax-train.ts.
 */
import type { Adapter, Prepared } from '../adapter.js'
import { operandOf, uniformValues } from '../random.js'
import { type ConvWorkload, convOutput, type DispatchWorkload, type ElementwiseWorkload, type MatMulWorkload } from '../workloads.js'
import { trainGpt } from './jax-gpt.js'
import { channelsFirst, turnedFilter } from './jax-layout.js'
import type { Flat, Jax, JaxArray } from './jax-library.js'
import { operation } from './jax-operations.js'
import { train } from './jax-train.js'

/**
 * Repeats an op that makes one array or several. Each result is waited for: an array that is freed before is never computed. The last
 * results can only be read whole, outside the time of a step; their first elements are added up.
 */
function repeat(work: () => JaxArray | Flat, held: readonly JaxArray[], count = 1): Prepared {
  const results = async (): Promise<Flat> => {
    const made = [work()].flat()
    for (const each of made) await each.blockUntilReady()
    return made
  }
  return {
    async run(steps) {
      for (let i = 1; i < steps * count; i++) for (const each of await results()) each.dispose()
      const last = await results()
      return async () => {
        let value = 0
        for (const each of last) value += (await each.data())[0]
        return value
      }
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

function convolution({ numpy: np, lax, jit, vjp }: Jax, workload: ConvWorkload, seed: number): Prepared {
  const { batch, image, filters, size, padding, backward, first } = workload
  const [height, width, channels] = image
  const images = (from: number, [n, h, w, c]: readonly [number, number, number, number]): JaxArray =>
    np.array(channelsFirst(uniformValues(seed + from, n * h * w * c), [n, h, w, c]), { shape: [n, c, h, w] })
  const x = images(0, [batch, height, width, channels])
  const drawn = uniformValues(seed + 1, size * size * channels * filters)
  const filter = np.array(turnedFilter(drawn, size, channels, filters), { shape: [filters, channels, size, size] })
  const conv = (input: JaxArray, f: JaxArray): JaxArray => lax.convGeneralDilated(input, f, [1, 1], padding === 'same' ? 'SAME' : 'VALID')
  if (!backward) {
    const forward = jit(conv)
    return repeat(() => forward(x.ref, filter.ref), [x, filter])
  }
  const dY = images(2, convOutput(workload))
  const both = jit((input: JaxArray, f: JaxArray, cotangent: JaxArray): Flat => {
    const [y, back] = first ? vjp((g) => conv(input, g), [f]) : vjp(conv, [input, f])
    return [y, ...back(cotangent)]
  })
  return repeat(() => both(x.ref, filter.ref, dY.ref), [x, filter, dY])
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
  await library.init('wasm') // without a name it would look for a browser's navigator
  library.defaultDevice('wasm')
  return {
    async prepare(workload, seed) {
      switch (workload.kind) {
        case 'train':
          return train(library, workload, seed)
        case 'gpt':
          return trainGpt(library, workload, seed)
        case 'matMul':
          return product(library, workload, seed)
        case 'conv':
          return convolution(library, workload, seed)
        case 'elementwise':
          return elementwise(library, workload, seed)
        case 'update':
          throw new Error('its optimizers are in another package')
        case 'dispatch':
          return dispatch(library, workload, seed)
        case 'operation':
          return operation(library, workload, seed)
      }
    },
  }
}

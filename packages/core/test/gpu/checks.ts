/**
 * The checks that every engine of the gpu backend must pass, in Node and in pages. Arguments and results can travel as JSON. The file is longer than 300 lines because
 * a page loads it as one module.
 */
import { createGpuBackend, type GpuBackendSeams } from '../../src/backends/gpu/index.js'
import {
  add,
  affine,
  type Backend,
  createReferenceBackend,
  type GpuInfo,
  type GpuMode,
  gather,
  grad,
  type OpDefinition,
  ones,
  registry,
  scope,
  type Tensor,
  tensor,
  withBackend,
  zeros,
} from '../../src/index.js'
import { compareOp, type Tolerance } from '../sweep.js'

/**
 * Tolerances. Devices and WebAssembly compute in float32: sums of up to 130 products were measured within 2e-5 of the sums of magnitudes, elementwise
 * formulas within 2e-6. Derivatives pass through one or two more such sums. The JavaScript engine sums in float64.
 */
export const toleranceOf = (mode: GpuMode): Tolerance =>
  mode === 'cpu' ? { value: 1e-5, first: 1e-4, second: 1e-3 } : { value: 3e-5, first: 2e-4, second: 2e-3 }

/** Runs `work` on a new backend of one mode, and disposes it. */
export async function onMode<R>(mode: GpuMode | undefined, work: (gpu: Backend) => Promise<R>, seams: GpuBackendSeams = {}): Promise<R> {
  const gpu = await createGpuBackend({ mode }, seams)
  try {
    return await work(gpu)
  } finally {
    await gpu.dispose?.()
  }
}

/** How a backend runs. */
const infoOf = (gpu: Backend): GpuInfo => gpu.info?.().gpu as GpuInfo

/** The message of the error that `work` fails with. */
export async function failureOf(work: () => unknown): Promise<string> {
  try {
    await work()
    return 'nothing failed'
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`
  }
}

export interface Swept {
  mode: string
  ops: number
  cases: number
  wrong: string[]
  /** Buffers alive afterwards, as the backend counts them. */
  buffers: number
}

/** The op sweep. */
export function sweep(mode: GpuMode): Promise<Swept> {
  return onMode(mode, async (gpu) => {
    const reference = createReferenceBackend()
    const ops = [...registry.values()].filter((op) => op.samples.length > 0)
    let cases = 0
    const wrong: string[] = []
    for (const op of ops) {
      try {
        const found = await compareOp(op, gpu, reference, toleranceOf(mode))
        cases += found.cases
        wrong.push(...found.wrong)
      } catch (error) {
        wrong.push(`${op.name}: ${error instanceof Error ? error.message : error}`)
      }
    }
    return { mode: infoOf(gpu).mode, ops: ops.length, cases, wrong, buffers: gpu.memory().buffers }
  })
}

/** How the backend runs if no mode is asked for. */
export const chosen = (adapterTimeout?: number): Promise<GpuInfo> => onMode(undefined, async (gpu) => infoOf(gpu), { adapterTimeout })

/** The reason why a mode does not run. */
export const refusal = (mode: string, adapterTimeout?: number): Promise<string> =>
  failureOf(() => onMode(mode as GpuMode, async () => {}, { adapterTimeout }))

/** NaN and infinities in the middle of a chain of kernels. Only the host can test for them. */
export function notFinite(mode: GpuMode): Promise<number[][]> {
  return onMode(mode, async (gpu) => {
    using x = tensor([1, Number.NaN, Infinity, -Infinity, 0], { backend: gpu })
    const results = scope(() => [x.mul(2).isNaN(), x.mul(2).isFinite(), x.isNaN().logicalNot()])
    const values = await Promise.all(results.map(async (y) => [...(await y.data())]))
    for (const y of results) y.dispose()
    return values
  })
}

/**
 * Places where a result is NaN and should not be, or the other way round. The ops are elementwise ones over a table with NaN and with arguments outside their
 * domains, and kernels that end in relu or in the gates of a recurrent cell.
 */
export function misplacedNaN(mode: GpuMode): Promise<string[]> {
  return onMode(mode, async (gpu) => {
    const reference = createReferenceBackend()
    const points = [Number.NaN, -3, -0.5, 0, 0.5, 3]
    const wrong: string[] = []
    const compare = async (name: string, work: (x: Tensor) => Tensor): Promise<void> => {
      const [got, want] = await Promise.all(
        [gpu, reference].map(async (backend) => {
          using y = withBackend(backend, () => scope(() => work(tensor(points))))
          return y.data()
        }),
      )
      want.forEach((v, i) => {
        if (Number.isNaN(v) !== Number.isNaN(got[i])) wrong.push(`${name}, element ${i}: ${got[i]} instead of ${v}`)
      })
    }
    for (const op of registry.values()) {
      const [{ inputs, options } = { inputs: [] }] = op.samples
      // The ops that take numbers or a row of them: their first sample shows it. Ops on matrices do not.
      const scalars =
        inputs.length > 0 &&
        inputs.every((x) =>
          Array.isArray(x) ? x.length < 2 : 'shape' in x && x.shape.length === 0 && (x.dtype ?? 'float32') === 'float32',
        )
      if (options || !scalars) continue
      if (inputs.length === 1) await compare(op.name, (x) => op.call([x], {}))
      else if (inputs.length === 2) {
        await compare(`${op.name} by column`, (x) => {
          const all = [36]
          const column = x.reshape([6, 1]).broadcastTo([6, 6])
          return op.call([column.reshape(all), x.broadcastTo([6, 6]).reshape(all)], {})
        })
      }
    }
    await compare('affine with relu', (x) => affine(x.reshape([6, 1]), ones([1, 4]), zeros([4]), { relu: true }))
    for (const [name, gates, states] of [
      ['lstmSequence', 4, 2],
      ['gruSequence', 3, 1],
      ['simpleRnnSequence', 1, 1],
    ] as const) {
      for (const recurrentActivation of ['sigmoid', 'hardSigmoid']) {
        const options = {
          masked: false,
          goBackwards: false,
          dropped: false,
          recurrentActivation,
          ...(gates === 3 && { resetAfter: false }),
        }
        await compare(`${name} with ${recurrentActivation}`, (x) => {
          const z = x.reshape([6, 1, 1]).broadcastTo([6, 1, gates])
          const before = Array.from({ length: states }, () => ones([6, 1]))
          return (registry.get(name) as OpDefinition).call([z, ...before, zeros([1, gates])], options)
        })
      }
    }
    return wrong
  })
}

/** The errors for bad row indices: for uploaded ones at the call; for computed ones at the call and at the reads after it. */
export function badIndices(
  mode: GpuMode,
): Promise<{ uploaded: string; atCall: string; atRead: string; afterwards: number[]; good: number[] }> {
  return onMode(mode, async (gpu) => {
    using x = tensor(
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      { backend: gpu },
    )
    const indices = (values: number[]) => tensor(values, { dtype: 'int32', backend: gpu })
    const rows = (values: number[], more?: number) => scope(() => gather(x, more ? indices(values).add(more) : indices(values)))
    const uploaded = await failureOf(() => rows([0, 3]).dispose())
    const atCall = await failureOf(() => rows([0, 2], 1).dispose())
    const atRead = await failureOf(() => x.data())
    using good = rows([0, 1], 1)
    return { uploaded, atCall, atRead, afterwards: [...(await x.data())], good: [...(await good.data())] }
  })
}

/**
 * A sum over [3, columns] whose output has a thread dimension for each axis, as every broadcast above 2^22 elements has. Returns the number of wrong
 * elements. `unlimited` ignores the limits of the device's textures.
 */
export function wide(mode: GpuMode, columns: number, unlimited = false): Promise<number> {
  const limits = { division: 64, ...(unlimited ? { texture: Infinity } : {}) }
  return onMode(
    mode,
    async (gpu) => {
      const row = Float32Array.from({ length: 3 * columns }, (_, i) => i % 1021)
      using y = scope(() => add(tensor(row, { shape: [3, columns], backend: gpu }), tensor([[1], [2], [3]], { backend: gpu })))
      const got = await y.data()
      return row.reduce((wrong, value, i) => wrong + Number(got[i] !== value + 1 + Math.floor(i / columns)), 0)
    },
    { limits },
  )
}

/** The same over an axis longer than a thread dimension, once the outer one and once the inner one: the number of wrong elements. */
export function long(mode: GpuMode): Promise<number> {
  return onMode(
    mode,
    async (gpu) => {
      let wrong = 0
      for (const shape of [
        [2503, 4],
        [4, 2500],
      ]) {
        const size = shape[0] * shape[1]
        const x = Float32Array.from({ length: size }, (_, i) => i)
        using y = scope(() => add(tensor(x, { shape, backend: gpu }), tensor(x.subarray(0, shape[1]), { shape: [shape[1]], backend: gpu })))
        const got = await y.data()
        for (let i = 0; i < size; i++) wrong += Number(got[i] !== i + (i % shape[1]))
      }
      return wrong
    },
    { limits: { division: 64, width: 100 } },
  )
}

/** −x for more elements than float32 can count: the number of wrong ones. */
export function huge(mode: GpuMode, size = 2 ** 24 + 5): Promise<number> {
  return onMode(mode, async (gpu) => {
    const values = new Float32Array(size)
    for (let i = 0; i < size; i++) values[i] = i & 1023
    using y = scope(() => tensor(values, { shape: [size], backend: gpu }).neg())
    const got = await y.data()
    let wrong = got.length === size ? 0 : size
    for (let i = 0; i < size; i++) if (got[i] !== -values[i]) wrong++
    return wrong
  })
}

/**
 * Reductions long enough to be made by parts, over whole tensors and over axes: those whose result differs from the host's. `limits` can pretend that float32 does
 * not count the elements, or that the driver's loops are short.
 */
export function longReductions(mode: GpuMode, limits: GpuBackendSeams['limits'] = {}): Promise<string[]> {
  const work = async (gpu: Backend): Promise<string[]> => {
    const reference = createReferenceBackend()
    const wrong: string[] = []
    // Mesa's llvmpipe stops a thread after 65535 turns. 300 = 4·64 + 44, and 20,000 = 64·(4·64 + 56) + 32.
    for (const [shape, axis] of [
      [[100_003], undefined],
      [[300], 0],
      [[20_000, 3], 0],
      [[5, 333, 2], 1],
      [[2, 3, 257], 2],
    ] as const) {
      const size = shape.reduce((product, n) => product * n, 1)
      // Small whole numbers, and a few powers of two among ±1: every order of the sum gives the same result.
      const values = Float32Array.from({ length: size }, (_, i) => (i * 37) % 11)
      const factors = Float32Array.from({ length: size }, (_, i) => (i % 1000 === 7 ? 2 : i % 1000 === 107 ? 0.5 : i % 3 === 1 ? -1 : 1))
      for (const [name, data] of [
        ['sum', values],
        ['max', values],
        ['min', values],
        ['prod', factors],
      ] as const) {
        const [got, want] = await Promise.all(
          [gpu, reference].map((backend) => {
            using y = scope(() => tensor(data, { shape, backend })[name]({ axis }))
            return y.data()
          }),
        )
        if (got.length !== want.length || got.some((v, i) => v !== want[i])) wrong.push(`${name} of [${shape}] over ${axis}`)
      }
    }
    return wrong
  }
  return onMode(mode, work, { limits })
}

/** The sums of columns with more elements than float32 can count, each longer than the loops of some drivers: the number of wrong ones. */
export function tall(mode: GpuMode, [rows, columns]: readonly [number, number] = [70_000, 300]): Promise<number> {
  return onMode(mode, async (gpu) => {
    const values = Float32Array.from({ length: rows * columns }, (_, i) => i % 7)
    const want = new Float32Array(columns)
    values.forEach((v, i) => {
      want[i % columns] += v
    })
    using y = scope(() => tensor(values, { shape: [rows, columns], backend: gpu }).sum({ axis: 0 }))
    const got = await y.data()
    return want.filter((v, i) => v !== got[i]).length
  })
}

/** The gradient of a table from which many rows are taken, mostly the same one, by uploaded indices: the number of wrong cells. */
export function manyIndices(mode: GpuMode, rows = 500, count = 9000): Promise<number> {
  return onMode(mode, async (gpu) => {
    const picks = Int32Array.from({ length: count }, (_, i) => (i % 3 === 0 ? (i * 37) % rows : 7))
    using table = tensor(new Float32Array(rows * 3), { shape: [rows, 3], backend: gpu })
    using indices = tensor(picks, { shape: [count], dtype: 'int32', backend: gpu })
    using cells = tensor(
      Float32Array.from({ length: 3 * count }, (_, i) => i % 5),
      { shape: [count, 3], backend: gpu },
    )
    using gradient = grad((t: Tensor) => gather(t, indices).mul(cells).sum())(table)
    const want = new Float32Array(rows * 3)
    picks.forEach((row, i) => {
      for (let j = 0; j < 3; j++) want[3 * row + j] += (3 * i + j) % 5
    })
    const got = await gradient.data()
    return want.reduce((wrong, value, i) => wrong + Number(got[i] !== value), 0)
  })
}

/** Runs with a cache of two kernels: results must stay readable after their kernels left the cache, and kernels must go when their results do. */
export function evicted(mode: GpuMode): Promise<{ values: number[][]; kernels: number; afterwards: GpuInfo }> {
  return onMode(
    mode,
    async (gpu) => {
      const sizes = [1, 2, 3, 4, 5, 6]
      const inputs = sizes.map((n) => tensor(new Float32Array(n).fill(n), { shape: [n], backend: gpu }))
      const outputs = inputs.map((x) => x.square())
      const values = []
      for (const y of outputs) values.push([...(await y.data())])
      const { kernels } = infoOf(gpu)
      for (const x of [...inputs, ...outputs]) x.dispose()
      using last = tensor([0], { backend: gpu })
      await last.data()
      return { values, kernels, afterwards: infoOf(gpu) }
    },
    { cachedKernels: 2 },
  )
}

/** Makes and disposes backends one after another; returns what the last one computes. */
export async function again(mode: GpuMode, times: number): Promise<number[]> {
  let values: number[] = []
  for (let i = 0; i < times; i++) {
    values = await onMode(mode, async (gpu) => {
      using y = scope(() => tensor([i, 2], { backend: gpu }).square())
      return [...(await y.data())]
    })
  }
  return values
}

/** The errors when the device goes away between two calls. `lose` takes it away. */
export async function losing(
  mode: GpuMode,
  lose: () => unknown,
  seams: GpuBackendSeams = {},
): Promise<{ before: number[]; call: string; read: string; info?: string; fresh: number[] }> {
  const gpu = await createGpuBackend({ mode }, seams)
  const x = tensor([1, 2, 3], { backend: gpu })
  const y = x.square()
  const before = [...(await y.data())]
  await lose()
  const read = await failureOf(() => y.data())
  const call = await failureOf(() => x.square())
  x.dispose()
  y.dispose()
  const { lost } = infoOf(gpu)
  await gpu.dispose?.()
  return { before, call, read, info: lost, fresh: await again(mode, 1) }
}

/**
 * Times our kernels on an engine of gpu.js, the plain kernels that one would write first, and the costs of calls. Runs in Node and in pages; the results can
 * travel as JSON.
 *
 * A plain kernel uses gpu.js alone: one cell a thread, sizes as literals, operands and results on the device if the engine keeps them there.
 */
import '@cotangent/core/gpu'
import { type Backend, conv2d, createGpuBackend, type GpuMode, matMul, type Tensor, tensor, withBackend } from '@cotangent/core'

/** The sizes to measure: a square product, a 3 × 3 convolution of [n, h, w, c] to f channels, and the side of a square to move. */
export interface Sizes {
  product: number
  image: readonly [n: number, h: number, w: number, c: number]
  filters: number
  moved: number
  launches: number
}
export const SIZES: Sizes = { product: 256, image: [4, 28, 28, 16], filters: 32, moved: 1024, launches: 200 }

/** One kernel: milliseconds by round, and the difference of its results from the plain kernel's, relative to the largest. */
export interface KernelFigures {
  name: string
  plain: number[]
  ours: number[]
  difference: number
}
export interface GpuFigures {
  mode: string
  adapter?: string
  kernels: KernelFigures[]
  /** Milliseconds by round: a launch over eight elements, and moving a square to the device and back. */
  launch: number[]
  upload: number[]
  readback: number[]
}

interface Resident {
  toArray(): unknown
  delete(): void
}
type PlainKernel = (...inputs: unknown[]) => unknown
interface GpuJs {
  GPU: new (settings: { mode: string }) => { createKernel(source: string, settings: object): PlainKernel; destroy(): unknown }
  Input: new (values: Float32Array, size: readonly number[]) => object
}

/** In a page, gpu.js' build has its names in a default export. */
async function loadGpuJs(): Promise<GpuJs> {
  const module = (await import('gpu.js')) as unknown as Partial<GpuJs> & { default?: GpuJs }
  return module.GPU && module.Input ? (module as GpuJs) : (module.default as GpuJs)
}

const values = (size: number, seed: number): Float32Array => Float32Array.from({ length: size }, (_, i) => Math.sin(i * 12.9898 + seed))

function flatten(result: unknown): number[] {
  return typeof result === 'number' ? [result] : Array.from(result as ArrayLike<unknown>).flatMap(flatten)
}

/** A plain kernel on operands that are already on the device. Runs it several times and returns its last result. */
async function plainKernel(mode: GpuMode, source: string, output: number[], operands: readonly { data: Float32Array; size: number[] }[]) {
  const { GPU, Input } = await loadGpuJs()
  const resident = mode !== 'webasm' && mode !== 'cpu'
  const gpu = new GPU({ mode })
  const settings = { precision: 'single', tactic: 'precision', loopMaxIterations: 2 ** 31 - 1, pipeline: resident, immutable: true }
  const inputs: unknown[] = []
  for (const { data, size } of operands) {
    const input = new Input(data, size)
    const [x, y, z] = ['this.thread.x', 'this.thread.y', 'this.thread.z']
    const copy = `function (a) { return a[${[z, y, x].slice(3 - size.length).join('][')}]; }`
    inputs.push(resident ? await gpu.createKernel(copy, { ...settings, output: size })(input) : input)
  }
  const kernel = gpu.createKernel(source, { ...settings, output })
  return {
    async run(times: number): Promise<unknown> {
      for (let i = 1; i < times; i++) {
        const result = await kernel(...inputs)
        if (resident) (result as Resident).delete()
      }
      const result = await kernel(...inputs)
      if (!resident) return result
      const there = await (result as Resident).toArray()
      ;(result as Resident).delete()
      return there
    },
    close: () => gpu.destroy(),
  }
}

const now = (): number => performance.now()

/** Times both kernels in turns, in rounds that take some time each; `ours` makes a new tensor each time. */
async function compare(
  name: string,
  rounds: number,
  plain: { run(times: number): Promise<unknown>; close(): unknown },
  ours: () => Tensor,
): Promise<KernelFigures> {
  const runOurs = async (times: number): Promise<ArrayLike<number>> => {
    for (let i = 1; i < times; i++) ours().dispose()
    const last = ours()
    const data = await last.data()
    last.dispose()
    return data
  }
  const want = flatten(await plain.run(1))
  const got = await runOurs(1)
  const largest = want.reduce((most, v) => Math.max(most, Math.abs(v)), 0)
  const difference = want.reduce((most, v, i) => Math.max(most, Math.abs(v - got[i])), 0) / largest
  const start = now()
  await plain.run(1)
  const times = Math.max(1, Math.min(20, Math.round(200 / (now() - start))))
  const figures: KernelFigures = { name, plain: [], ours: [], difference }
  for (let round = 0; round < rounds; round++) {
    for (const [list, run] of [
      [figures.plain, (n: number) => plain.run(n)],
      [figures.ours, runOurs],
    ] as const) {
      const begin = now()
      await run(times)
      list.push((now() - begin) / times)
    }
  }
  await plain.close()
  return figures
}

const place = (backend: Backend, data: Float32Array, shape: readonly number[]): Tensor =>
  withBackend(backend, () => tensor(data, { shape }))

async function product(mode: GpuMode, backend: Backend, { product: n }: Sizes, rounds: number): Promise<KernelFigures> {
  const [a, b] = [values(n * n, 1), values(n * n, 2)]
  const source = `function (a, b) {
    let sum = 0;
    for (let k = 0; k < ${n}; k++) { sum += a[this.thread.y][k] * b[k][this.thread.x]; }
    return sum;
  }`
  const size = [n, n]
  const operands = [
    { data: a, size },
    { data: b, size },
  ]
  const [x, y] = [place(backend, a, size), place(backend, b, size)]
  const figures = await compare(`matMul ${n}³`, rounds, await plainKernel(mode, source, size, operands), () => matMul(x, y))
  for (const operand of [x, y]) operand.dispose()
  return figures
}

async function convolution(mode: GpuMode, backend: Backend, { image, filters }: Sizes, rounds: number): Promise<KernelFigures> {
  const [n, h, w, c] = image
  const [oh, ow] = [h - 2, w - 2]
  const [data, weights] = [values(n * h * w * c, 3), values(9 * c * filters, 4)]
  // Columns come first: images are rows of [w·c], filters are [f] by [9·c].
  const source = `function (x, weights) {
    const ox = Math.floor((this.thread.x + 0.5) / ${filters});
    const f = this.thread.x - ox * ${filters};
    let sum = 0;
    for (let ky = 0; ky < 3; ky++) {
      for (let k = 0; k < ${3 * c}; k++) {
        sum += x[this.thread.z][this.thread.y + ky][ox * ${c} + k] * weights[ky * ${3 * c} + k][f];
      }
    }
    return sum;
  }`
  const operands = [
    { data, size: [w * c, h, n] },
    { data: weights, size: [filters, 9 * c] },
  ]
  const [x, filter] = [place(backend, data, image), place(backend, weights, [3, 3, c, filters])]
  const name = `conv2d ${image.join('×')} → ${filters}, 3×3`
  const figures = await compare(name, rounds, await plainKernel(mode, source, [ow * filters, oh, n], operands), () => conv2d(x, filter))
  for (const operand of [x, filter]) operand.dispose()
  return figures
}

/** Times a launch, an upload and a read. */
async function costs(
  backend: Backend,
  { moved, launches }: Sizes,
  rounds: number,
): Promise<Pick<GpuFigures, 'launch' | 'upload' | 'readback'>> {
  const [launch, upload, readback]: number[][] = [[], [], []]
  const few = place(backend, values(8, 1), [8])
  const data = values(moved * moved, 1)
  for (let round = 0; round <= rounds; round++) {
    let begin = now()
    for (let i = 1; i < launches; i++) few.add(few).dispose()
    const last = few.add(few)
    await last.data()
    const took = [(now() - begin) / launches]
    last.dispose()
    begin = now()
    const large = place(backend, data, [moved, moved])
    const corner = large.slice([0, 0], [1, 1])
    await corner.data()
    took.push(now() - begin)
    begin = now()
    await large.data()
    took.push(now() - begin)
    for (const x of [large, corner]) x.dispose()
    // The first round compiles.
    if (round > 0) for (const [i, list] of [launch, upload, readback].entries()) list.push(took[i])
  }
  few.dispose()
  return { launch, upload, readback }
}

/** All figures of one engine. */
export async function measure(mode: GpuMode, rounds: number, sizes = SIZES): Promise<GpuFigures> {
  const backend = await createGpuBackend({ mode })
  try {
    const kernels = [await product(mode, backend, sizes, rounds), await convolution(mode, backend, sizes, rounds)]
    return { mode, adapter: backend.info?.().gpu?.adapter, kernels, ...(await costs(backend, sizes, rounds)) }
  } finally {
    await backend.dispose?.()
  }
}

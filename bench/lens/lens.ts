/**
 * `bench lens matMul 128x784x512` shows the code that runs when two matrices are multiplied. It catches the modules that the wasm backend compiles for the
 * product, finds the inner loop of the micro-kernel and prints it, with the loads and arithmetic of one turn. Beside it stands the roofline: the peak and the
 * bandwidth measured in this process, between the rounds of the product.
 *
 * Roofline: Williams, Waterman, Patterson, "Roofline", CACM 52 (2009).
 */
import { createWasmBackend, matMul, scope, type Tensor, tensor } from '@cotangent/core'
import { measureLimits } from '../probes.js'
import { uniformValues } from '../random.js'
import { short } from '../report.js'
import { ratios, spread } from '../statistics.js'
import { type Disassembled, disassemble, type Line, textOf } from './disassemble.js'

export interface Shape {
  m: number
  k: number
  n: number
}

const ROUNDS = 5

/** The inner loop of a kernel, and the work of one turn. */
export interface InnerLoop {
  lines: Line[]
  /** Vectors in which products are summed. */
  accumulators: number
  /** Multiply-adds of vectors. */
  multiplyAdds: number
  fused: boolean
  vectorLoads: number
  /** Loads of one float into all lanes. */
  splats: number
}

/** The loops of a function that contain no other loop. */
function innerLoops(lines: readonly Line[]): Line[][] {
  const found: Line[][] = []
  lines.forEach((line, start) => {
    if (line.name !== 'loop') return
    const end = lines.findIndex((other, i) => i > start && other.name === 'end' && other.depth === line.depth)
    const loop = lines.slice(start, end + 1)
    if (!loop.slice(1).some(({ name }) => name === 'loop')) found.push(loop)
  })
  return found
}

function analysed(lines: Line[]): InnerLoop {
  const count = (wanted: string): number => lines.filter(({ name }) => name === wanted).length
  const fused = count('f32x4.relaxed_madd')
  const sums = lines.filter(({ name }, i) => name === 'local.set' && ['f32x4.relaxed_madd', 'f32x4.add'].includes(lines[i - 1].name))
  return {
    lines,
    accumulators: new Set(sums.map(({ operands }) => operands)).size,
    multiplyAdds: fused || count('f32x4.mul'),
    fused: fused > 0,
    vectorLoads: count('v128.load'),
    splats: count('v128.load32_splat'),
  }
}

/** The loop with the largest tile; of several, the most unrolled one. */
export function microKernel({ lines }: Disassembled): InnerLoop {
  const loops = innerLoops(lines).map(analysed)
  const [best] = loops.sort((a, b) => b.accumulators - a.accumulators || b.multiplyAdds - a.multiplyAdds)
  if (!best || best.multiplyAdds === 0) throw new Error('lens: the kernel has no loop of multiply-adds.')
  return best
}

/** Runs `work` and returns the modules compiled during it. */
export function caught(work: () => void): Uint8Array[] {
  const modules: Uint8Array[] = []
  const original = WebAssembly.Module
  WebAssembly.Module = class extends original {
    constructor(bytes: Uint8Array<ArrayBuffer>) {
      super(bytes)
      modules.push(bytes)
    }
  }
  try {
    work()
  } finally {
    WebAssembly.Module = original
  }
  return modules
}

/** The tile as text, rows × columns: each splat belongs to a row, each vector load to four columns. */
function tileText({ accumulators, multiplyAdds, vectorLoads, splats }: InnerLoop): string {
  const unroll = multiplyAdds / accumulators
  if (splats === 0) return `${accumulators} sums of four, ${multiplyAdds} multiply-adds a turn`
  return `${splats / unroll} × ${(4 * vectorLoads) / unroll} floats in ${accumulators} accumulators, ${unroll} step${unroll > 1 ? 's' : ''} of k a turn`
}

/** The work of one turn of the loop, as lines of the page. */
export function loopText(loop: InnerLoop): string[] {
  const flops = 8 * loop.multiplyAdds
  const bytes = 16 * loop.vectorLoads + 4 * loop.splats
  return [
    `tile       ${tileText(loop)}`,
    `a turn     ${loop.vectorLoads} vector loads, ${loop.splats} splatted floats, ${loop.multiplyAdds} ${loop.fused ? 'fused multiply-adds' : 'multiplications and additions'}`,
    `           ${flops} flops for ${bytes} bytes out of the first-level cache: ${short(flops / bytes)} flops a byte`,
  ]
}

/** The speed of the product and the limits, by round. */
async function measured(product: () => Tensor, flops: number, bytes: number, roundMs: number) {
  const rates: number[] = []
  const peaks: number[] = []
  const bandwidths: number[] = []
  const time = (steps: number): number => {
    const start = performance.now()
    for (let i = 0; i < steps; i++) scope(() => void product())
    return performance.now() - start
  }
  time(3)
  const steps = Math.max(1, Math.round(roundMs / Math.max(time(1), 1e-3)))
  for (let round = 0; round < ROUNDS; round++) {
    const { gflops, gigabytesPerSecond } = measureLimits(bytes)
    peaks.push(gflops)
    bandwidths.push(gigabytesPerSecond)
    rates.push((steps * flops) / time(steps) / 1e6)
  }
  return { rate: spread(rates), share: spread(ratios(rates, peaks)), peak: spread(peaks), bandwidth: spread(bandwidths) }
}

/** The whole page; a round takes about `roundMs`. */
export async function lens({ m, k, n }: Shape, roundMs = 100): Promise<string> {
  const backend = createWasmBackend({ simd256: false })
  const a: Tensor = tensor(uniformValues(7, m * k), { shape: [m, k], backend })
  const b: Tensor = tensor(uniformValues(8, k * n), { shape: [k, n], backend })
  const product = (): Tensor => matMul(a, b)
  const kernels = caught(() => scope(() => void product())).flatMap(disassemble)
  const kernel = kernels.find(({ name }) => ['rows', 'packed', 'strided', 'dot'].includes(name))
  if (!kernel) throw new Error('lens: the product compiled no kernel that this reader knows.')
  const loop = microKernel(kernel)

  const flops = 2 * m * k * n
  const bytes = 4 * (m * k + k * n + m * n)
  const { rate, share, peak, bandwidth } = await measured(product, flops, bytes, roundMs)
  a.dispose()
  b.dispose()
  await backend.dispose?.()

  const intensity = flops / bytes
  const roof = Math.min(peak.median, intensity * bandwidth.median)
  const others = kernels.filter((other) => other !== kernel).map(({ name }) => name)
  const range = ({ min, median, max }: typeof rate): string => `${short(median)} (${short(min)}–${short(max)})`
  return [
    `matMul [${m}, ${k}] · [${k}, ${n}]: kernel "${kernel.name}", ${kernel.lines.length} instructions${others.length ? `; compiled with it: ${others.join(', ')}` : ''}`,
    '',
    ...loopText(loop),
    `product    ${flops} flops for ${bytes} bytes of operands and result: ${short(intensity)} flops a byte`,
    `peak       ${range(peak)} GFLOP/s, multiply-adds in registers`,
    `bandwidth  ${range(bandwidth)} GB/s, copying within as many bytes`,
    `roof       ${short(roof)} GFLOP/s: ${roof < peak.median ? 'bandwidth × flops a byte of the product' : 'the peak, since the product reuses what it loads'}`,
    `measured   ${range(rate)} GFLOP/s, ${Math.round(100 * share.median)} % of the peak (${ROUNDS} rounds, the limits before each)`,
    '',
    'The inner loop, a statement a line; local variables by number:',
    '',
    ...textOf(loop.lines).map((line) => `  ${line}`),
  ].join('\n')
}

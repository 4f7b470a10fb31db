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
import { disassemble, textOf } from './disassemble.js'
import { type InnerLoop, microKernel } from './loops.js'
import { caught } from './modules.js'

export interface Shape {
  m: number
  k: number
  n: number
}

const ROUNDS = 5

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

/** What a result depends on besides the code: the machine, its load, and how the engine multiplies and adds. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { type Backend, matMul, scope, tensor } from '@cotangent/core'

export interface Environment {
  cotangent: string
  node: string
  platform: string
  cpu: string
  cores: number
  /** Mean length of the run queue over the last minute; above `cores`, times are too long. */
  load: number
  /** Whether x·y + z is rounded once, as with relaxed SIMD. Results of machines that differ in this differ in their last bits. */
  fusedMultiplyAdd: boolean
  /** The most memory the process held. */
  peakMemoryBytes: number
}

export async function environment(backend: Backend): Promise<Environment> {
  const { version } = JSON.parse(readFileSync(createRequire(import.meta.url).resolve('@cotangent/core/package.json'), 'utf8')) as {
    version: string
  }
  return {
    cotangent: version,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    load: Math.round(loadavg()[0] * 100) / 100,
    fusedMultiplyAdd: await multipliesAndAddsAtOnce(backend),
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  }
}

/**
 * Asks the engine with a product that needs 25 bits: for a = 1 + 2⁻¹², a² = 1 + 2⁻¹¹ + 2⁻²⁴. Added to −(1 + 2⁻¹¹), the last
 * bit is left if the product was not rounded to 24 bits before.
 */
export async function multipliesAndAddsAtOnce(backend: Backend): Promise<boolean> {
  const [rows, columns, a] = [8, 32, 1 + 2 ** -12]
  const left = Float32Array.from({ length: rows * 2 }, (_, i) => (i % 2 === 0 ? -(1 + 2 ** -11) : a))
  const right = Float32Array.from({ length: 2 * columns }, (_, i) => (i < columns ? 1 : a))
  const sum = scope(() => matMul(tensor(left, { shape: [rows, 2], backend }), tensor(right, { shape: [2, columns], backend })).keep())
  const [first] = await sum.data()
  sum.dispose()
  return first !== 0
}

/** The conditions of a result: the machine, its load, and how the engine multiplies and adds. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, cpus, loadavg } from 'node:os'
import type { Backend } from '@cotangent/core'

export interface Environment {
  cotangent: string
  node: string
  platform: string
  cpu: string
  cores: number
  /** Mean number of processes that wanted to run in the last minute. Above `cores`, times are too long. */
  load: number
  /** True if x·y + z is rounded once, as the wasm engine does with relaxed SIMD. Machines that differ in this give results that differ in their last bits. */
  fusedMultiplyAdd: boolean
  /** The most memory the process held. */
  peakMemoryBytes: number
}

export function environment(backend: Backend): Environment {
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
    fusedMultiplyAdd: backend.info?.().relaxedSimd ?? false,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  }
}

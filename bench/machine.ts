/** Where and with what a measurement was made: a number without these says nothing. */
import { readFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'

export interface Machine {
  cpu: string
  cores: number
  memoryGiB: number
  platform: string
  node: string
  v8: string
  /** Whether our kernels can be compiled to 256-bit instructions (Node 24). */
  simd256: boolean
}

export function machine(): Machine {
  const all = cpus()
  return {
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    v8: process.versions.v8,
    simd256: Number.parseInt(process.versions.v8, 10) >= 13,
  }
}

/** Processes wanting to run, over 1, 5 and 15 minutes. Above the number of cores, times are not to be trusted. */
export const load = (): number[] => loadavg().map((value) => Math.round(value * 100) / 100)

/** The version that a package.json states; undefined if there is no such file. */
export function versionIn(file: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as { version?: string }).version
  } catch {
    return undefined
  }
}

export const cotangentVersion = (): string => versionIn('../packages/core/package.json') ?? 'unknown'

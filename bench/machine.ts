/** The machine and the versions of a measurement. A number without them means nothing. */
import { readFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'

export interface Machine {
  cpu: string
  cores: number
  memoryGiB: number
  platform: string
  node: string
  v8: string
  /** Our kernels can be compiled to 256-bit instructions (Node 24 and later). */
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

/** Processes that want to run, averaged over 1, 5 and 15 minutes. If there are more than cores, do not trust the times. */
export const load = (): number[] => loadavg().map((value) => Math.round(value * 100) / 100)

/** The version in a package.json; undefined if there is no such file. */
export function versionIn(file: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as { version?: string }).version
  } catch {
    return undefined
  }
}

export const cotangentVersion = (): string => versionIn('../packages/core/package.json') ?? 'unknown'

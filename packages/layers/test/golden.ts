/** Reads the golden vectors, which stand with core's tests. */
import { readFileSync } from 'node:fs'

export interface GoldenCase {
  name: string
  case_kind?: string
  params: Record<string, unknown>
  inputs: Record<string, unknown>
  expected: Record<string, unknown>
}

export function loadGolden(file: string): GoldenCase[] {
  const path = new URL(`../../core/test/golden/${file}`, import.meta.url)
  return (JSON.parse(readFileSync(path, 'utf8')) as { cases: GoldenCase[] }).cases
}

/** A golden tensor as a host array. */
export function goldenTensor(value: unknown): { shape: number[]; data: Float64Array | Int32Array } {
  const { shape, dtype, data } = value as { shape: number[]; dtype: string; data: number[] }
  return { shape, data: dtype === 'int32' ? Int32Array.from(data) : Float64Array.from(data) }
}

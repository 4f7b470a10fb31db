/** Helpers of tests: IDX files made to order, temporary directories. */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { onTestFinished } from 'vitest'
import { isTypedArray, type NDArray } from '../src/array.js'

const writers = {
  Uint8Array: [0x08, 1, (v: DataView, at: number, x: number) => v.setUint8(at, x)],
  Int8Array: [0x09, 1, (v: DataView, at: number, x: number) => v.setInt8(at, x)],
  Int16Array: [0x0b, 2, (v: DataView, at: number, x: number) => v.setInt16(at, x)],
  Int32Array: [0x0c, 4, (v: DataView, at: number, x: number) => v.setInt32(at, x)],
  Float32Array: [0x0d, 4, (v: DataView, at: number, x: number) => v.setFloat32(at, x)],
  Float64Array: [0x0e, 8, (v: DataView, at: number, x: number) => v.setFloat64(at, x)],
} as const

/** The bytes of an IDX file. */
export function encodeIdx({ shape, data }: NDArray): Uint8Array {
  const kind = data.constructor.name as keyof typeof writers
  if (!isTypedArray(data) || !(kind in writers)) throw new Error(`IDX has no ${kind}`)
  const [code, size, set] = writers[kind]
  const header = 4 + 4 * shape.length
  const bytes = new Uint8Array(header + data.length * size)
  const view = new DataView(bytes.buffer)
  bytes.set([0, 0, code, shape.length])
  for (const [axis, n] of shape.entries()) view.setUint32(4 + 4 * axis, n)
  data.forEach((x: number, i: number) => {
    set(view, header + i * size, x)
  })
  return bytes
}

export const gzip = (bytes: Uint8Array): Uint8Array => new Uint8Array(gzipSync(bytes))

/** A temporary directory for one test. It is removed when the test ends. */
export async function tempDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'cotangent-datasets-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}

/** Names of all files below a directory, sorted; none if it does not exist. */
export async function filesIn(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort()
}

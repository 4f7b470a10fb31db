/**
 * The differences between the engines of gpu.js: what a value is, how it is read, what there is to count, and how an engine is lost. One
 * context for each engine in a process: pages have few WebGL contexts, and WebGPU's device is gpu.js' own single one.
 */

import type { Limits } from '../source/rules.js'
import type { CompiledKernel, DeviceResult, GpuInstance, GpuJs, GpuMode, KernelInput, KernelResult } from './gpujs.js'

/** Flat values: on the host, or memory on the device. */
export type Value = Float32Array | DeviceResult

/**
 * The form of a kernel's results of four numbers a cell: `flat`, a value with all the numbers in a row; `vectors`, a value of vectors of four, which
 * WebGL can read as such.
 */
export type Fours = 'flat' | 'vectors'

/**
 * Four cells a thread: four `columns` of a row, from flat values; the same with neighbouring threads on neighbouring `rows`; or from `vectors` of four.
 */
export type Tiling = 'columns' | 'rows' | 'vectors'

export interface Context {
  readonly mode: GpuMode
  /** gpu.js' name for the class of kernels that ran: for WebGL, 'gpu'. */
  readonly kernelMode: string
  readonly gpu: GpuInstance
  readonly Input: GpuJs['Input']
  /** Whether values stay on the device between kernels. */
  readonly resident: boolean
  /** Whether calls give Promises. */
  readonly async: boolean
  readonly limits: Limits
  /** How kernels that make four cells a thread are faster here, if they are. */
  readonly tiling?: Tiling
  /** The device's name for itself, if it gives one. */
  readonly adapter?: string
  /** The same kernel in the words that this engine runs best. */
  rewrite?(source: string): string
  /** Makes a new kernel give its results as one flat array where gpu.js would cut them up first. */
  keepFlat?(call: CompiledKernel): void
  /** The properties of an argument that a compiled kernel is bound to besides its source. */
  layout(value: Value): string
  /** The result of a kernel with an output of so many dimensions as a flat value of `size` elements that nothing else holds. */
  adopt(result: KernelResult, size: number, rank: number, fours?: Fours): Value
  /** A value as an argument of a kernel. */
  argument(value: Value): KernelInput
  /** Its values on the host; a copy where it is on the device. */
  read(value: Value, size: number): Float32Array | Promise<Float32Array>
  /** Textures or buffers alive on the device, gpu.js' own included; 0 on the host. */
  objects(): number
  /** Why nothing works any more, if so. */
  lost(): string | undefined
  /** Calls back at once when it is lost, where the engine says so by itself. */
  onLost(tell: (reason: string) => void): void
  /** An error nobody waited for, such as memory that ran out; told once. */
  takeError(): string | undefined
  close(): Promise<void>
}

export const isHost = (value: Value): value is Float32Array => value instanceof Float32Array

/** `webasm` and `cpu`: values are arrays, every call returns at once. */
export function hostContext(gpujs: GpuJs, mode: 'webasm' | 'cpu', limits: Limits): Context {
  const gpu = new gpujs.GPU({ mode })
  return {
    mode,
    kernelMode: mode,
    gpu,
    Input: gpujs.Input,
    resident: false,
    async: false,
    limits,
    ...(mode === 'webasm' && { tiling: 'rows', rewrite: wholeCounters, keepFlat }),
    layout: (value) => String((value as Float32Array).length),
    adopt: (result, size) => flatten(result as Nested, size),
    argument: (value) => new gpujs.Input(value as Float32Array, [(value as Float32Array).length]),
    read: (value) => value as Float32Array,
    objects: () => 0,
    lost: () => undefined,
    onLost() {},
    takeError: () => undefined,
    close: () => gpu.destroy(),
  }
}

/** A third of a product's time went into thousands of little arrays. */
function keepFlat({ kernel }: CompiledKernel): void {
  if (kernel._shapeOutput) kernel._shapeOutput = (values) => values
}

/**
 * Every read of a loop's counter as a whole number: gpu.js declares the counter a float in its WebAssembly, and then computes each address that it
 * occurs in with floats, which takes up to three times as long.
 */
function wholeCounters(source: string): string {
  const counters = Array.from(source.matchAll(/\bfor \(let (\w+) =/g), ([, name]) => name)
  if (counters.length === 0) return source
  const reads = new RegExp(`\\b(?:${counters.join('|')})\\b`, 'g')
  const parts = source.split(/(\bfor \([^)]*\))/)
  return parts.map((part, i) => (i % 2 === 0 ? part.replace(reads, '($& | 0)') : part)).join('')
}

type Nested = Float32Array | Nested[]

/** The first `size` values of a result on the host, as one array that nothing else holds. */
function flatten(result: Nested, size: number): Float32Array {
  if (result instanceof Float32Array) return result.length === size ? result : result.slice(0, size)
  let first: Nested = result
  while (!(first instanceof Float32Array)) first = first[0]
  if (first.byteOffset === 0 && first.buffer.byteLength === size * 4) return new Float32Array(first.buffer)
  const rows = result.flat(2) as Float32Array[]
  const width = rows[0].length
  const { buffer } = rows[0]
  // most engines return the rows as views over one buffer
  const shared = buffer.byteLength === rows.length * width * 4 && rows[rows.length - 1].buffer === buffer
  if (shared && rows.length * width === size) return new Float32Array(buffer)
  const flat = new Float32Array(size)
  for (let i = 0; i * width < size; i++) flat.set(rows[i].subarray(0, size - i * width), i * width)
  return flat
}

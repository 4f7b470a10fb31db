/**
 * A context holds everything that differs between gpu.js' engines: what a value is, how it is read, what can be counted, and how an
 * engine is lost. A process has one context for each engine: a page has few WebGL contexts, and gpu.js has one WebGPU device.
 */

import type { Limits } from '../source/rules.js'
import type { CompiledKernel, DeviceResult, GpuInstance, GpuJs, GpuMode, KernelInput, KernelResult } from './gpujs.js'

/** Flat values: on the host, or memory on the device. */
export type Value = Float32Array | DeviceResult

/**
 * The form of a kernel's result if it makes four numbers a cell. `flat`: a value with all the numbers in a row. `vectors`: a value of vectors of four, which
 * WebGL can read as such.
 */
export type Fours = 'flat' | 'vectors'

/**
 * How a thread makes four cells. `columns`: four columns of a row, from flat values. `rows`: the same, and neighbouring threads are on neighbouring rows.
 * `vectors`: from values of vectors of four.
 */
export type Tiling = 'columns' | 'rows' | 'vectors'

export interface Context {
  readonly mode: GpuMode
  /** gpu.js' name for the class of kernels that ran; for WebGL it is 'gpu'. */
  readonly kernelMode: string
  readonly gpu: GpuInstance
  readonly Input: GpuJs['Input']
  /** Values stay on the device between kernels. */
  readonly resident: boolean
  /** Calls give Promises. */
  readonly async: boolean
  readonly limits: Limits
  /** The way to make four cells a thread that is fastest here; undefined if one cell a thread is. */
  readonly tiling?: Tiling
  /** The device's own name, if it tells. */
  readonly adapter?: string
  /** Rewrites a kernel's source so that this engine runs it faster. */
  rewrite?(source: string): string
  /** Makes a new kernel give its results as one flat array, where gpu.js would cut them into rows. */
  keepFlat?(call: CompiledKernel): void
  /** A key for what a kernel depends on besides its source: the layout of this argument. */
  layout(value: Value): string
  /** Turns the result of a kernel whose output has `rank` dimensions into a flat value of `size` elements that nothing else holds. */
  adopt(result: KernelResult, size: number, rank: number, fours?: Fours): Value
  /** The value as a kernel's argument. */
  argument(value: Value): KernelInput
  /** The numbers of a value on the host; a copy if the value is on the device. */
  read(value: Value, size: number): Float32Array | Promise<Float32Array>
  /** Textures or buffers alive on the device, including gpu.js' own; 0 on host engines. */
  objects(): number
  /** Why every call fails from now on; undefined while the engine works. */
  lost(): string | undefined
  /** Calls `tell` at once when the engine is lost, on engines that report it. */
  onLost(tell: (reason: string) => void): void
  /** An error that no call waits for, such as running out of memory. Each is returned once. */
  takeError(): string | undefined
  close(): Promise<void>
}

export const isHost = (value: Value): value is Float32Array => value instanceof Float32Array

/** The context for `webasm` and `cpu`: values are arrays, every call returns at once. */
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

/** Keeps gpu.js from cutting a result into thousands of small arrays, which took a third of a product's time. */
function keepFlat({ kernel }: CompiledKernel): void {
  if (kernel._shapeOutput) kernel._shapeOutput = (values) => values
}

/**
 * Makes every read of a loop's counter a whole number. gpu.js declares the counter as a float in its WebAssembly and would compute each address that
 * contains it with floats, which takes up to three times as long.
 */
function wholeCounters(source: string): string {
  const counters = Array.from(source.matchAll(/\bfor \(let (\w+) =/g), ([, name]) => name)
  if (counters.length === 0) return source
  const reads = new RegExp(`\\b(?:${counters.join('|')})\\b`, 'g')
  const parts = source.split(/(\bfor \([^)]*\))/)
  return parts.map((part, i) => (i % 2 === 0 ? part.replace(reads, '($& | 0)') : part)).join('')
}

type Nested = Float32Array | Nested[]

/** The first `size` numbers of a result, as one array on the host that nothing else holds. */
function flatten(result: Nested, size: number): Float32Array {
  if (result instanceof Float32Array) return result.length === size ? result : result.slice(0, size)
  let first: Nested = result
  while (!(first instanceof Float32Array)) first = first[0]
  if (first.byteOffset === 0 && first.buffer.byteLength === size * 4) return new Float32Array(first.buffer)
  const rows = result.flat(2) as Float32Array[]
  const width = rows[0].length
  const { buffer } = rows[0]
  // Most engines return the rows as views over one buffer.
  const shared = buffer.byteLength === rows.length * width * 4 && rows[rows.length - 1].buffer === buffer
  if (shared && rows.length * width === size) return new Float32Array(buffer)
  const flat = new Float32Array(size)
  for (let i = 0; i * width < size; i++) flat.set(rows[i].subarray(0, size - i * width), i * width)
  return flat
}

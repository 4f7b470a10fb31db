/**
 * The one WebAssembly memory that holds all tensors, and its allocator.
 *
 * Layout, from the bottom: a control area (so that no block has address 0; the thread pool's jobs are written there), a scratch
 * area per part of a job for packed matrices, then the heap. Every block starts at a multiple of 64 bytes and ends with at least 64 bytes of
 * slack, so a kernel may read a few vectors past the end of any array. Kernels write exactly what they own: then any
 * range of outputs can be given to any thread.
 *
 * Allocation: a training loop asks for the same few sizes over and over, so a freed block waits in a bin of its exact size
 * and the next request of that size takes it back at the cost of an array pop. Only when the heap would have to grow are the
 * bins emptied and neighbours joined into spans (deferred coalescing: Wilson et al., "Dynamic storage allocation: a survey",
 * 1995, section 3.6), out of which requests are then served best fit.
 */
import { BackendError } from '../../../errors.js'
import { MAX_PAGES } from '../assembler/assembler.js'
import { PARTS_PER_THREAD } from './worker-program.js'

const PAGE = 65536
const ALIGNMENT = 64
const SLACK = 64

/** Most bytes of one block: kernels count in signed 32-bit integers. */
const LARGEST = 2 ** 31 - 1024

/** Bytes of the control area. */
export const CONTROL_BYTES = PAGE
const SCRATCH_START = CONTROL_BYTES
/** Bytes of each scratch area. */
export const SCRATCH_BYTES = 4 * 1024 * 1024

/** Where the kernels of one part of a job may keep what lives for one job only (packed panels of matrices). */
export const scratchOf = (part: number): number => SCRATCH_START + part * SCRATCH_BYTES

/** Live blocks and bytes, and what the system gave. */
export interface MemoryUse {
  readonly buffers: number
  readonly bytes: number
  readonly reservedBytes: number
}

/** A free range of the heap. */
interface Span {
  start: number
  bytes: number
}

/** Bytes that a block for `bytes` bytes of data takes. */
const blockBytes = (bytes: number): number => Math.ceil((bytes + SLACK) / ALIGNMENT) * ALIGNMENT

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`

/** A WebAssembly.Memory by its members: declarations that users compile against must not need types of browsers or Node. */
export interface HostMemory {
  readonly buffer: ArrayBufferLike
  /** Grows by a number of 64 KiB pages and returns how many there were. */
  grow(pages: number): number
}

/** The memory and its allocator. Views over it are replaced when it grows: use them at once, do not keep them. */
export class WasmMemory {
  readonly memory: HostMemory
  readonly shared: boolean
  bytes8!: Uint8Array
  ints!: Int32Array
  floats!: Float32Array

  private readonly maximumBytes: number
  private capacity: number
  /** End of the used part of the heap. */
  private top: number
  private readonly bins = new Map<number, number[]>()
  private spans: Span[] = []
  private buffers = 0
  private bytes = 0
  private disposed = false

  constructor(options: { shared?: boolean; maximumBytes?: number; threads?: number } = {}) {
    const wanted = Math.min(MAX_PAGES, Math.floor((options.maximumBytes ?? MAX_PAGES * PAGE) / PAGE))
    const { threads = 1 } = options
    this.top = scratchOf(threads === 1 ? 1 : PARTS_PER_THREAD * threads)
    const initial = this.top / PAGE + 16
    this.shared = options.shared ?? typeof SharedArrayBuffer !== 'undefined'
    if (this.shared) {
      // A shared memory reserves addresses up to its maximum at once; some hosts refuse 4 GiB.
      let maximum = Math.max(wanted, initial)
      let memory: WebAssembly.Memory | undefined
      while (!memory) {
        try {
          memory = new WebAssembly.Memory({ initial, maximum, shared: true })
        } catch (error) {
          if (maximum <= initial)
            throw new BackendError(`wasm: the engine gives no shared memory of ${megabytes(maximum * PAGE)} (${error}).`)
          maximum = Math.max(initial, maximum >> 1)
        }
      }
      this.memory = memory
      this.maximumBytes = maximum * PAGE
    } else {
      this.memory = new WebAssembly.Memory({ initial })
      this.maximumBytes = wanted * PAGE
    }
    this.capacity = initial * PAGE
    this.refreshViews()
  }

  /** The address of a block for `bytes` bytes, content unspecified. */
  alloc(bytes: number): number {
    if (this.disposed) throw new BackendError('wasm: this backend has been disposed.')
    // NaN passes every comparison, and one such block would spoil the accounts for good.
    if (!Number.isSafeInteger(bytes) || bytes < 0) throw new BackendError(`wasm: asked for a block of ${bytes} bytes.`)
    if (bytes > LARGEST) throw new BackendError(`wasm: asked for ${bytes} bytes, but one tensor holds at most ${LARGEST}.`)
    const size = blockBytes(bytes)
    const address = this.bins.get(size)?.pop() ?? (this.fromSpans(size) || this.fromTop(size, bytes))
    this.buffers++
    this.bytes += bytes
    return address
  }

  /** Takes back a block; `bytes` as it was asked for. */
  free(address: number, bytes: number): void {
    const size = blockBytes(bytes)
    const bin = this.bins.get(size)
    if (bin) bin.push(address)
    else this.bins.set(size, [address])
    this.buffers--
    this.bytes -= bytes
  }

  use(): MemoryUse {
    return { buffers: this.buffers, bytes: this.bytes, reservedBytes: this.capacity }
  }

  /** The smallest span that is large enough, or 0. */
  private fromSpans(size: number): number {
    let best = -1
    for (let i = 0; i < this.spans.length; i++) {
      const { bytes } = this.spans[i]
      if (bytes >= size && (best < 0 || bytes < this.spans[best].bytes)) best = i
      if (bytes === size) break
    }
    if (best < 0) return 0
    const span = this.spans[best]
    const address = span.start
    span.start += size
    span.bytes -= size
    if (span.bytes === 0) {
      this.spans[best] = this.spans[this.spans.length - 1]
      this.spans.pop()
    }
    return address
  }

  private fromTop(size: number, asked: number): number {
    if (this.top + size > this.capacity) {
      this.coalesce()
      const address = this.fromSpans(size)
      if (address) return address
      if (this.top + size > this.capacity) this.grow(this.top + size, asked)
    }
    const address = this.top
    this.top += size
    return address
  }

  /** Empties the bins, joins free neighbours, and lowers the top if the last span ends there. */
  private coalesce(): void {
    const free = this.spans
    for (const [bytes, addresses] of this.bins) for (const start of addresses) free.push({ start, bytes })
    this.bins.clear()
    free.sort((a, b) => a.start - b.start)
    const joined: Span[] = []
    for (const span of free) {
      const last = joined.at(-1)
      if (last && last.start + last.bytes === span.start) last.bytes += span.bytes
      else joined.push(span)
    }
    const last = joined.at(-1)
    if (last && last.start + last.bytes === this.top) {
      this.top = last.start
      joined.pop()
    }
    this.spans = joined
  }

  /** Grows by half, or to what is needed if that is more. */
  private grow(needed: number, asked: number): void {
    const wanted = Math.min(this.maximumBytes, Math.max(needed, Math.ceil(1.5 * this.capacity)))
    for (const target of [wanted, needed]) {
      const pages = Math.ceil(target / PAGE) - this.capacity / PAGE
      if (target < needed || this.capacity + pages * PAGE > this.maximumBytes) continue
      try {
        this.memory.grow(pages)
      } catch {
        continue
      }
      this.capacity += pages * PAGE
      this.refreshViews()
      return
    }
    throw new BackendError(
      `wasm: out of memory: asked for ${asked} bytes while ${this.buffers} buffers hold ${this.bytes} bytes; ` +
        `${megabytes(this.capacity)} of at most ${megabytes(this.maximumBytes)} are reserved. Free tensors earlier (scope, dispose) or use smaller batches.`,
    )
  }

  /** Lets go of the memory; the engine frees it once nothing else refers to it. */
  dispose(): void {
    this.disposed = true
    this.bins.clear()
    this.spans = []
    this.buffers = 0
    this.bytes = 0
  }

  private refreshViews(): void {
    this.bytes8 = new Uint8Array(this.memory.buffer)
    this.ints = new Int32Array(this.memory.buffer)
    this.floats = new Float32Array(this.memory.buffer)
  }
}

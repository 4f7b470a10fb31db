/**
 * The one WebAssembly memory that holds all tensors, and its allocator.
 *
 * Layout, from the bottom: a control area for the jobs of the threads (so no block has address 0); one scratch area for each
 * part of a job, for packed matrices; then the heap. Every block starts at a multiple of 64 bytes and ends with at least 64
 * bytes of slack, so a kernel may read a few vectors past the end of any array. A kernel writes only its own outputs. So any
 * range of outputs can be given to any thread.
 *
 * Allocation: a training loop asks for the same few sizes over and over. A freed block therefore waits in a bin of its exact
 * size, and the next request of that size takes it back at the cost of an array pop. Only when the heap would have to grow
 * are the bins emptied and neighbouring free blocks joined into spans (deferred coalescing: Wilson et al., "Dynamic storage
 * allocation: a survey", 1995, section 3.6). The smallest span that is large enough then serves a request (best fit).
 */
import { BackendError } from '../../../errors.js'
import { MAX_PAGES } from '../assembler/assembler.js'
import { CONTROL_BYTES, PARTS_PER_THREAD } from './worker-program.js'

const PAGE = 65536
const ALIGNMENT = 64
const SLACK = 64

/** The most bytes of one block: kernels count in signed 32-bit integers. */
const LARGEST = 2 ** 31 - 1024

const SCRATCH_START = CONTROL_BYTES
/** Bytes of each scratch area. */
export const SCRATCH_BYTES = 4 * 1024 * 1024

/** The address of the scratch area of one part of a job. Its contents last for one job (packed panels of matrices, for instance). */
export const scratchOf = (part: number): number => SCRATCH_START + part * SCRATCH_BYTES

/** Live blocks, their bytes, the bytes reserved from the system, and those of recorded steps. */
export interface MemoryUse {
  readonly buffers: number
  readonly bytes: number
  readonly reservedBytes: number
  readonly stepBytes: number
}

/** Temporary memory for one kernel at a time: where its next block goes, and the most bytes so far. */
export interface Temporary {
  readonly start: number
  used: number
  most: number
}

/** A kernel looks at values while calls are collected: it has to run each time. */
export class LooksAtValues extends Error {}

/** Stands for a view of the memory while nobody may look. */
const hidden = (): never =>
  new Proxy([], {
    get: () => {
      throw new LooksAtValues()
    },
    set: () => {
      throw new LooksAtValues()
    },
  }) as never

/** A free range of the heap. */
interface Span {
  start: number
  bytes: number
}

/** The size of a block with room for `bytes` bytes of data and the slack. */
export const blockBytes = (bytes: number): number => Math.ceil((bytes + SLACK) / ALIGNMENT) * ALIGNMENT

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`

/** The members of WebAssembly.Memory that we use, declared here so that users can compile without the types of browsers or Node. */
export interface HostMemory {
  readonly buffer: ArrayBufferLike
  /** Grows the memory by a number of 64 KiB pages and returns how many it had before. */
  grow(pages: number): number
}

/** The memory and its allocator. Growing replaces the views of the memory, so use a view at once and do not keep it. */
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
  private stepBytes = 0
  private disposed = false
  /** Where temporary memory comes from while calls are collected. */
  private temporary: Temporary | undefined

  constructor(options: { shared?: boolean; maximumBytes?: number; threads?: number } = {}) {
    const wanted = Math.min(MAX_PAGES, Math.floor((options.maximumBytes ?? MAX_PAGES * PAGE) / PAGE))
    const { threads = 1 } = options
    this.top = scratchOf(threads === 1 ? 1 : PARTS_PER_THREAD * threads)
    const initial = this.top / PAGE + 16
    this.shared = options.shared ?? typeof SharedArrayBuffer !== 'undefined'
    if (this.shared) {
      // A shared memory reserves addresses up to its maximum at once, and some hosts refuse 4 GiB.
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

  /** Allocates a block with room for `bytes` bytes and returns its address. The content is unspecified. */
  alloc(bytes: number): number {
    if (this.disposed) throw new BackendError('wasm: this backend has been disposed.')
    // NaN passes every comparison below, and one such block would make the byte counts wrong for ever.
    if (!Number.isSafeInteger(bytes) || bytes < 0) throw new BackendError(`wasm: asked for a block of ${bytes} bytes.`)
    if (bytes > LARGEST) throw new BackendError(`wasm: asked for ${bytes} bytes, but one tensor holds at most ${LARGEST}.`)
    const size = blockBytes(bytes)
    if (this.temporary) return this.fromTemporary(this.temporary, size)
    const address = this.bins.get(size)?.pop() ?? (this.fromSpans(size) || this.fromTop(size, bytes))
    this.buffers++
    this.bytes += bytes
    return address
  }

  /** Frees a block; `bytes` is the number it was asked for with. */
  free(address: number, bytes: number): void {
    if (this.temporary) return
    const size = blockBytes(bytes)
    const bin = this.bins.get(size)
    if (bin) bin.push(address)
    else this.bins.set(size, [address])
    this.buffers--
    this.bytes -= bytes
  }

  /** Runs work that only says what it would do: its blocks come from temporary memory, and values cannot be seen. */
  collecting<R>(temporary: Temporary, work: () => R): R {
    this.temporary = temporary
    this.bytes8 = hidden()
    this.ints = hidden()
    this.floats = hidden()
    try {
      return work()
    } finally {
      this.temporary = undefined
      this.refreshViews()
    }
  }

  private fromTemporary(temporary: Temporary, size: number): number {
    const address = temporary.start + temporary.used
    temporary.used += size
    temporary.most = Math.max(temporary.most, temporary.used)
    return address
  }

  /** A block for recorded steps, which is counted apart. All that is free is joined first, so that a large block may come from it. */
  allocForSteps(bytes: number): number {
    this.coalesce()
    const address = this.alloc(bytes)
    this.buffers--
    this.bytes -= bytes
    this.stepBytes += bytes
    return address
  }

  /** Frees a block of `allocForSteps`. */
  freeForSteps(address: number, bytes: number): void {
    if (this.disposed) return
    this.free(address, bytes)
    this.buffers++
    this.bytes += bytes
    this.stepBytes -= bytes
  }

  use(): MemoryUse {
    return { buffers: this.buffers, bytes: this.bytes, reservedBytes: this.capacity, stepBytes: this.stepBytes }
  }

  /** Takes a block out of the smallest span that is large enough; 0 if there is none. */
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

  /** Grows the memory by half, or to the size needed if that is more. */
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

  /** Drops the memory; the engine frees it once nothing else refers to it. */
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

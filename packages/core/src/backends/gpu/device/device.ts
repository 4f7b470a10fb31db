/**
 * The device that kernels run on: handles, the queue, and the bounded cache of compiled kernels, over one context (context.ts).
 *
 * - Every call returns at once. A handle is a promise of a value that the queue keeps in order: what is called later sees it, and a
 *   release comes after whatever was called before it. On engines that answer at once nothing ever waits.
 * - Where calls wait (WebGPU) an error cannot reach its call: it stays in the handle and whatever is computed from it, and a read throws it. What a
 *   deferred check finds is thrown by the next read.
 * - Uploads are kernels of their own, because one that was built for arrays cannot take handles later.
 * - A kernel holds on to its last output, and its outputs cannot be read once it is destroyed: so the cache is bounded, and a
 *   kernel that falls out of it is destroyed when its last output is released and read.
 * - A lost device throws at every later call and read, where gpu.js would go on with zeros.
 */
import { addContext, BackendError } from '../../../errors.js'
import { indexSpace } from '../source/addressing.js'
import { brokenRules, kernelSettings, kernelSource, MAX_ARRAYS } from '../source/rules.js'
import { type Context, type Fours, isHost, type Value } from './context.js'
import type { CompiledKernel, KernelResult } from './gpujs.js'
import { Queue } from './queue.js'

/** A compiled kernel and what keeps it. */
interface Kernel {
  readonly call: CompiledKernel
  /** Outputs on the device that are not released, and reads of outputs that are on their way. */
  outputs: number
  /** Whether it left the cache. */
  dropped: boolean
}

/** Flat float32 values on the device, or on their way there. */
export class Handle {
  /** Set by the queue. */
  value: Value | undefined
  /** Why there is no value. */
  error: Error | undefined
  /** The values where the host knows them: of integers a user uploaded, so that row indices can be checked at the call. */
  host: Float32Array | undefined
  /** Whose output it is. */
  kernel: Kernel | undefined
  readonly size: number

  constructor(size: number) {
    this.size = size
  }
}

/** One call of one kernel. Array arguments come first, then scalars. */
export interface Launch {
  readonly source: string
  readonly output: readonly number[]
  /** Cells wanted; the output's dimensions may hold a few more. */
  readonly size: number
  readonly arrays: readonly Handle[]
  readonly scalars: readonly number[]
  /** Whether the kernel returns four numbers a cell, and what becomes of them. */
  readonly fours?: Fours
}

/** `count` blocks of `length` elements, `stride` apart. */
export interface Blocks {
  readonly first: number
  readonly count: number
  readonly stride: number
  readonly length: number
}

export interface Device {
  readonly context: Context
  /** Takes the values over. */
  upload(values: Float32Array): Handle
  run(launch: Launch): Handle
  /** A handle of what `change` makes of the values on the host, in its turn. Takes its result over. */
  transform(handle: Handle, change: (values: Float32Array) => Float32Array): Handle
  /** Blocks of the values, one after another; on host engines alone, where every call copies its arguments. */
  readonly blocks?: (handle: Handle, where: Blocks) => Handle
  /** Shows the values to a function, which may throw: at once where the engine can read at once, else before the next read, which adds `where` it was called. */
  inspect(handle: Handle, look: (values: Float32Array) => void, where: string): void
  /** The values behind a handle; on host engines not a copy. */
  read(handle: Handle): Promise<Float32Array>
  /** The same at once, where the engine can. */
  readSync?(handle: Handle): Float32Array
  release(handle: Handle): void
  /** Compiled kernels that are alive. */
  kernels(): number
  /** Why nothing works any more, if so. */
  lost(): string | undefined
  destroy(): Promise<void>
}

export interface DeviceOptions {
  /** Compiled kernels to keep; each holds memory for its output, and an upload for its input. */
  cachedKernels: number
  /** Told each source when it is first compiled. */
  onCompile?: (source: string) => void
}

const isPromise = (value: unknown): value is Promise<unknown> => typeof (value as { then?: unknown }).then === 'function'

const errorFrom = (error: unknown, source?: string): Error => {
  if (error instanceof BackendError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new BackendError(`gpu: ${message}${source ? `\n${source}` : ''}`, { cause: error })
}

export function createDevice(context: Context, { cachedKernels, onCompile }: DeviceOptions): Device {
  const { gpu, mode, Input, resident } = context
  const cache = new Map<string, Kernel>()
  /** Kernels outside the cache that wait for their last output to be released. */
  const dropped = new Set<Kernel>()
  const handles = new Set<Handle>()
  const queue = new Queue()
  /** Checks whose values are on their way to the host. */
  const checks = new Set<Promise<void>>()
  /** Reads on their way: the device stays until they are there. */
  const reads = new Set<Promise<unknown>>()
  let failure: unknown
  let ended: string | undefined
  /** Who waits for the device. */
  const waiting = new Set<(error: Error) => void>()
  context.onLost((reason) => {
    ended ??= reason
    for (const reject of waiting) reject(lostError(ended))
  })

  /** The same promise, which also ends when the device is lost: its answer may never come then. */
  const untilLost = <T>(promise: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      waiting.add(reject)
      const done = (): void => void waiting.delete(reject)
      promise.then(
        (value) => {
          done()
          resolve(value)
        },
        (error) => {
          done()
          reject(error)
        },
      )
    })

  const lostError = (reason: string): BackendError =>
    new BackendError(
      `gpu: ${reason}. What was on it is gone: call useBackend('gpu') for a new one, and load what you saved of your model there.`,
    )

  function requireAlive(): void {
    ended ??= context.lost()
    if (ended !== undefined) throw lostError(ended)
  }

  function destroyKernel(kernel: Kernel): void {
    dropped.delete(kernel)
    kernel.call.destroy()
    // the JavaScript engine's kernels stay in the instance's list after destroy
    const listed = gpu.kernels.indexOf(kernel.call.kernel)
    if (listed >= 0) gpu.kernels.splice(listed, 1)
  }

  /** One output less. */
  function letGo(kernel: Kernel): void {
    if (--kernel.outputs === 0 && kernel.dropped) destroyKernel(kernel)
  }

  function drop(signature: string, kernel: Kernel): void {
    cache.delete(signature)
    kernel.dropped = true
    if (kernel.outputs === 0) destroyKernel(kernel)
    else dropped.add(kernel)
  }

  /** The kernel of a signature, moved to the young end of the cache. */
  function kernelFor(signature: string, source: string, output: readonly number[]): Kernel {
    let kernel = cache.get(signature)
    if (kernel) cache.delete(signature)
    else {
      const broken = brokenRules(source)
      if (broken.length > 0) throw new BackendError(`gpu: a kernel breaks the rules (${broken.join('; ')}).\n${source}`)
      const text = context.rewrite?.(source) ?? source
      const call = gpu.createKernel(text, kernelSettings(output, resident))
      context.keepFlat?.(call)
      kernel = { call, outputs: 0, dropped: false }
      onCompile?.(source)
    }
    cache.set(signature, kernel)
    if (cache.size > cachedKernels) {
      const [oldest] = cache
      drop(...oldest)
    }
    return kernel
  }

  /** Calls a kernel and gives its result to a handle. */
  function call(
    out: Handle,
    signature: string,
    source: string,
    output: readonly number[],
    values: readonly (object | number)[],
    fours?: Fours,
  ) {
    const kernel = kernelFor(signature, source, output)
    const adopt = (result: KernelResult): void => {
      // gpu.js falls back to its JavaScript engine silently, which sums in float64 and would hide the difference
      const ran = kernel.call.kernel.constructor.mode
      if (ran && ran !== context.kernelMode) throw new BackendError(`gpu: gpu.js ran a kernel on '${ran}' instead of '${mode}'.\n${source}`)
      out.value = context.adopt(result, out.size, output.length, fours)
      if (!resident) return
      out.kernel = kernel
      kernel.outputs++
    }
    const fail = (error: unknown): never => {
      drop(signature, kernel)
      throw errorFrom(error, source)
    }
    try {
      const result = kernel.call(...values)
      if (isPromise(result))
        return untilLost(result as Promise<KernelResult>)
          .then(adopt)
          .catch(fail)
      adopt(result)
    } catch (error) {
      fail(error)
    }
    return undefined
  }

  /** A handle that `start` fills in its turn. What it throws is thrown here, or stays in the handle if the call is over by then. */
  function produce(size: number, start: (out: Handle) => Promise<void> | undefined): Handle {
    requireAlive()
    const out = new Handle(size)
    handles.add(out)
    const failed = (error: unknown): undefined => {
      if (!context.async) {
        handles.delete(out)
        throw error
      }
      out.error = errorFrom(error)
    }
    queue.add(() => {
      try {
        requireAlive()
        return start(out)?.catch(failed)
      } catch (error) {
        return failed(error)
      }
    })
    return out
  }

  /** Puts host values into a handle. */
  function place(out: Handle, values: Float32Array): Promise<void> | undefined {
    if (!resident || values.length === 0) {
      out.value = values
      return undefined
    }
    const { output, flat } = indexSpace([values.length], context.limits)
    const source = kernelSource(['x'], `return x[${flat}];`)
    return call(out, `upload|${output.join('x')}|${values.length}`, source, output, [new Input(values, [values.length])])
  }

  /** Its value; throws why there is none. */
  function valueOf(handle: Handle): Value {
    if (handle.error) throw handle.error
    if (handle.value === undefined) throw new BackendError('gpu: a handle is used after it was released.')
    return handle.value
  }

  /** The values of a handle, in its turn of the queue. */
  function fetch(handle: Handle): Float32Array | Promise<Float32Array> {
    const value = valueOf(handle)
    if (isHost(value)) return value
    const values = context.read(value, handle.size)
    if (!isPromise(values)) return values as Float32Array
    const there = untilLost(values as Promise<Float32Array>).catch((error) => {
      requireAlive()
      throw errorFrom(error)
    })
    // gpu.js reads through a buffer of the kernel that made the value
    const { kernel } = handle
    if (kernel) kernel.outputs++
    reads.add(there)
    const done = (): void => {
      reads.delete(there)
      if (kernel && ended === undefined) letGo(kernel)
    }
    there.then(done, done)
    return there
  }

  /** Throws what went wrong since the last read and had no call to go to. */
  function takeFailure(): void {
    requireAlive()
    const problem = context.takeError()
    if (problem !== undefined) throw new BackendError(`gpu: ${problem}`)
    const found = failure
    failure = undefined
    if (found !== undefined) throw found
  }

  /** An empty array cannot be an argument; a kernel that gets this instead never reads it. */
  let nothing: Handle | undefined
  const argumentOf = (handle: Handle): Handle => {
    if (handle.size > 0) return handle
    nothing ??= device.upload(new Float32Array(1))
    return nothing
  }

  const device: Device = {
    context,

    upload: (values) => produce(values.length, (out) => place(out, values)),

    run({ source, output, size, arrays, scalars, fours }) {
      if (arrays.length > MAX_ARRAYS) throw new BackendError(`gpu: a kernel takes at most ${MAX_ARRAYS} arrays, got ${arrays.length}.`)
      const inputs = arrays.map(argumentOf)
      return produce(size, (out) => {
        const values = inputs.map(valueOf)
        const signature = `${output.join('x')}|${values.map(context.layout).join(',')}|${source}`
        return call(out, signature, source, output, [...values.map(context.argument), ...scalars], fours)
      })
    },

    transform: (handle, change) =>
      produce(handle.size, (out) => {
        const values = fetch(handle)
        return isPromise(values) ? values.then((there) => place(out, change(there))) : place(out, change(values))
      }),

    blocks: resident
      ? undefined
      : (handle, { first, count, stride, length }) =>
          produce(count * length, (out) => {
            const [values, taken] = [valueOf(handle) as Float32Array, new Float32Array(count * length)]
            for (let i = 0; i < count; i++) taken.set(values.subarray(first + i * stride, first + i * stride + length), i * length)
            out.value = taken
            return undefined
          }),

    inspect(handle, look, where) {
      requireAlive()
      if (handle.host) return look(handle.host)
      queue.add(() => {
        if (!context.async) {
          look(fetch(handle) as Float32Array)
          return undefined
        }
        const check = (async () => look(await fetch(handle)))().catch((error) => {
          failure ??= addContext(error, where)
        })
        checks.add(check)
        void check.then(() => checks.delete(check))
        return undefined
      })
    },

    async read(handle) {
      requireAlive()
      const values = await new Promise<Float32Array>((resolve, reject) => {
        queue.add(() => {
          try {
            requireAlive()
            const before = [...checks]
            const there = fetch(handle)
            resolve(before.length > 0 ? Promise.all(before).then(() => there) : there)
          } catch (error) {
            reject(error)
          }
          return undefined
        })
      })
      takeFailure()
      return values
    },

    readSync: context.async
      ? undefined
      : (handle) => {
          requireAlive()
          const values = fetch(handle) as Float32Array
          takeFailure()
          return values
        },

    release(handle) {
      queue.add(() => {
        const { value, kernel } = handle
        if (!handles.delete(handle)) return undefined
        handle.value = undefined
        handle.host = undefined
        if (value === undefined || isHost(value) || ended !== undefined) return undefined
        value.delete()
        if (kernel) letGo(kernel)
        return undefined
      })
    },

    kernels: () => cache.size + dropped.size,

    lost: () => ended ?? context.lost(),

    async destroy() {
      for (const handle of [...handles]) device.release(handle)
      for (const [signature, kernel] of cache) {
        queue.add(() => {
          if (ended === undefined) drop(signature, kernel)
          return undefined
        })
      }
      await queue.idle()
      await Promise.allSettled(reads)
      ended ??= 'the backend was disposed of'
    },
  }
  return device
}

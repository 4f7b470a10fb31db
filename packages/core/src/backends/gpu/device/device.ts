/**
 * The device that kernels run on: handles, the queue, and the bounded cache of compiled kernels, over one context (context.ts).
 *
 * - Every call returns at once. A handle promises a value. The queue keeps the order: a later call sees the value, and a release
 *   comes after every call made before it. On an engine that answers at once nothing ever waits.
 * - Where calls wait (WebGPU) an error cannot reach the call that caused it. The error stays in the handle and in every handle computed from
 *   it, and a read throws it. An error found by a deferred check is thrown by the next read.
 * - An upload is a kernel of its own, because a kernel built for arrays cannot take handles later.
 * - A kernel keeps its last output, and outputs cannot be read once their kernel is destroyed. So the cache is bounded, and a
 *   kernel that leaves it is destroyed when its last output has been released and read.
 * - A lost device throws at every later call and read; gpu.js would go on with zeros.
 *
 * The file is longer than 300 lines because all of it is one closure: queue, cache and errors depend on each other.
 */
import { addContext, BackendError, CotangentError } from '../../../errors.js'
import { indexSpace } from '../source/addressing.js'
import { brokenRules, kernelSettings, kernelSource, MAX_ARRAYS } from '../source/rules.js'
import { type Context, type Fours, isHost, type Value } from './context.js'
import type { CompiledKernel, KernelResult } from './gpujs.js'
import { Queue } from './queue.js'

/** A compiled kernel, and what keeps it alive. */
interface Kernel {
  readonly call: CompiledKernel
  /** Its outputs on the device that have not been released, plus reads of its outputs that are on their way. */
  outputs: number
  /** It has left the cache. */
  dropped: boolean
}

/** Flat float32 values on the device, or on their way there. */
export class Handle {
  /** The value; the queue sets it. */
  value: Value | undefined
  /** The reason if there will be no value. */
  error: Error | undefined
  /** The values, if the host knows them: the host keeps integers that a user uploaded, so that row indices can be checked at the call. */
  host: Float32Array | undefined
  /** The kernel whose output this is. */
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
  /** Set if the kernel returns four numbers a cell: the form of the result. */
  readonly fours?: Fours
}

/** `count` blocks of `length` elements, which start `stride` elements apart. */
export interface Blocks {
  readonly first: number
  readonly count: number
  readonly stride: number
  readonly length: number
}

export interface Device {
  readonly context: Context
  /** Uploads values. The device may keep the array. */
  upload(values: Float32Array): Handle
  run(launch: Launch): Handle
  /** In its turn, reads the values to the host, calls `change`, and uploads the result. The device may keep that array. */
  transform(handles: readonly Handle[], size: number, change: (values: readonly Float32Array[]) => Float32Array): Handle
  /** Blocks of the values, one after another. Only host engines have this: there every call copies its arguments. */
  readonly blocks?: (handle: Handle, where: Blocks) => Handle
  /** Gives the values to `look`, which may throw: at once if the engine can read at once, else before the next read. An error then says `where` it was called. */
  inspect(handle: Handle, look: (values: Float32Array) => void, where: string): void
  /** The values of a handle; on host engines not a copy. */
  read(handle: Handle): Promise<Float32Array>
  /** The values at once, if the engine can. */
  readSync?(handle: Handle): Float32Array
  release(handle: Handle): void
  /** The number of compiled kernels alive. */
  kernels(): number
  /** Why every call fails from now on; undefined while the device works. */
  lost(): string | undefined
  destroy(): Promise<void>
}

export interface DeviceOptions {
  /** The number of compiled kernels to keep. Each holds memory for its output, and for its input if it is an upload. */
  cachedKernels: number
  /** Gets each source when it is compiled for the first time. */
  onCompile?: (source: string) => void
}

const isPromise = (value: unknown): value is Promise<unknown> => typeof (value as { then?: unknown }).then === 'function'

const errorFrom = (error: unknown, source?: string): Error => {
  if (error instanceof CotangentError) return error // said on purpose: a singular matrix, a bad index
  const message = error instanceof Error ? error.message : String(error)
  return new BackendError(`gpu: ${message}${source ? `\n${source}` : ''}`, { cause: error })
}

export function createDevice(context: Context, { cachedKernels, onCompile }: DeviceOptions): Device {
  const { gpu, mode, Input, resident } = context
  const cache = new Map<string, Kernel>()
  /** Kernels that have left the cache and wait for the release of their last output. */
  const dropped = new Set<Kernel>()
  const handles = new Set<Handle>()
  const queue = new Queue()
  /** Checks whose values are on their way to the host. */
  const checks = new Set<Promise<void>>()
  /** Reads on their way: the device must stay until they are done. */
  const reads = new Set<Promise<unknown>>()
  let failure: unknown
  let ended: string | undefined
  /** Promises that wait for the device; each is rejected if the device is lost. */
  const waiting = new Set<(error: Error) => void>()
  context.onLost((reason) => {
    ended ??= reason
    for (const reject of waiting) reject(lostError(ended))
  })

  /** The same promise, but rejected when the device is lost: the device may never answer then. */
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
    new BackendError(`gpu: ${reason}. Its tensors are lost: call useBackend('gpu') for a new backend, and load your saved model there.`)

  function requireAlive(): void {
    ended ??= context.lost()
    if (ended !== undefined) throw lostError(ended)
  }

  function destroyKernel(kernel: Kernel): void {
    dropped.delete(kernel)
    kernel.call.destroy()
    // gpu.js' JavaScript engine leaves destroyed kernels in the list of its instance.
    const listed = gpu.kernels.indexOf(kernel.call.kernel)
    if (listed >= 0) gpu.kernels.splice(listed, 1)
  }

  /** Counts one output less; destroys the kernel if that was the last one and it has left the cache. */
  function letGo(kernel: Kernel): void {
    if (--kernel.outputs === 0 && kernel.dropped) destroyKernel(kernel)
  }

  function drop(signature: string, kernel: Kernel): void {
    cache.delete(signature)
    kernel.dropped = true
    if (kernel.outputs === 0) destroyKernel(kernel)
    else dropped.add(kernel)
  }

  /** The kernel for a signature, compiled if it is new. It becomes the newest of the cache. */
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

  /** Calls a kernel and puts its result into a handle. */
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
      // gpu.js silently falls back to its JavaScript engine. That engine sums in float64, which would hide the difference.
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

  /** Makes a handle that `start` fills in its turn. An error is thrown here if this call is still running, else it stays in the handle. */
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

  /** The value of a handle; throws the reason if there is none. */
  function valueOf(handle: Handle): Value {
    if (handle.error) throw handle.error
    if (handle.value === undefined) throw new BackendError('gpu: a handle is used after it was released.')
    return handle.value
  }

  /** The numbers of a handle, in its turn of the queue. */
  function fetch(handle: Handle): Float32Array | Promise<Float32Array> {
    const value = valueOf(handle)
    if (isHost(value)) return value
    const values = context.read(value, handle.size)
    if (!isPromise(values)) return values as Float32Array
    const there = untilLost(values as Promise<Float32Array>).catch((error) => {
      requireAlive()
      throw errorFrom(error)
    })
    // gpu.js reads through a buffer of the kernel that made the value, so the kernel must stay.
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

  /** Throws the error that has come since the last read and belongs to no call. */
  function takeFailure(): void {
    requireAlive()
    const problem = context.takeError()
    if (problem !== undefined) throw new BackendError(`gpu: ${problem}`)
    const found = failure
    failure = undefined
    if (found !== undefined) throw found
  }

  /** Stands for an empty array, which cannot be an argument. No kernel reads it. */
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

    transform: (handles, size, change) =>
      produce(size, (out) => {
        const values = handles.map(fetch)
        return values.some(isPromise)
          ? Promise.all(values).then((there) => place(out, change(there)))
          : place(out, change(values as Float32Array[]))
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

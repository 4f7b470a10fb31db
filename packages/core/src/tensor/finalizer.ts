/**
 * Frees tensors that nobody disposes: those made outside every scope, and parameters. They are "in the net". When the garbage collector takes the object, its
 * memory is given back.
 *
 * The collector alone would be late, for two reasons. It sees small objects, not the memory behind them, so it may not run before that memory is full. And
 * it reports dead objects in a turn of the event loop; a loop that awaits only promises never takes one. So the bytes in the net are counted. When
 * there are many, the collector is asked to run (`watch`), and the next read waits for one turn of the event loop (`reclaim`).
 *
 * A collected tensor gives no warning: its memory is back, and the results were right. `debug({ leaks: true })` names the place that made it. An
 * allocation that fails says how many bytes the net holds.
 */
import { addContext, BackendError, showShape } from '../errors.js'
import { collectGarbage, nextTurn, warn } from '../platform.js'
import { bytesPerElement } from './dtype.js'
import type { Tensor } from './tensor.js'

/**
 * How many bytes come into the net before the next collection: half of the bytes that survived the last one, but at least STEP and at most four times STEP.
 */
const STEP = 128 * 2 ** 20

/** Bytes of the tensors in the net, whether the program still uses them or not. */
let held = 0
/** The value of `held` that starts the next collection. */
let limit = STEP
/** Whether the collector ran and its results wait for a turn of the event loop. */
let due = false
let underWay: Promise<void> | undefined

interface Watched {
  release(): void
  readonly bytes: number
  /** The message about the leak. Undefined without debug({ leaks: true }), and for parameters: dropping a model is no leak. */
  readonly leak?: string
}

/** The messages that were printed. Each is printed once. */
const told = new Set<string>()

const net = new FinalizationRegistry<Watched>(({ release, bytes, leak }) => {
  release()
  leave(bytes)
  if (leak === undefined || told.has(leak)) return
  told.add(leak)
  warn(leak)
})

function leave(bytes: number): void {
  held -= bytes
  limit = Math.min(limit, limitAfter(held))
}

const bytesOf = (tensor: Tensor): number => tensor.size * bytesPerElement(tensor.dtype)

/** The next `limit` after a collection that the given bytes survived. */
const limitAfter = (survived: number): number => survived + Math.min(Math.max(STEP, survived / 2), 4 * STEP)

/** Puts a tensor into the net. `quiet` (for parameters) leaves out the message. */
export function watch(tensor: Tensor, quiet = false): void {
  const bytes = bytesOf(tensor)
  const leak = quiet || !tensor.trace ? undefined : leakOf(tensor)
  net.register(tensor, { release: tensor.releaser(), bytes, leak }, tensor)
  held += bytes
  if (held <= limit) return
  limit = limitAfter(held) // a program that never waits asks less and less often
  due = true
  collectGarbage()
}

/** Takes a tensor out of the net. */
export function unwatch(tensor: Tensor): void {
  if (net.unregister(tensor)) leave(bytesOf(tensor))
}

const leakOf = ({ dtype, shape, trace }: Tensor): string =>
  `Cotangent: a tensor (${dtype} ${showShape(shape)}) was garbage collected without dispose(). Its memory is freed now, but late: ` +
  `put the code in scope(() => …), or call dispose(). It was made${trace?.made}`

/** Whether `reclaim` would wait. */
export const reclaimable = (): boolean => due

/**
 * Waits until tensors that nobody refers to any more have given back their memory. Does nothing unless 128 MB or more may be free.
 *
 * `data()`, `array()` and `item()` call it, and so do `fit`, `evaluate` and `predict`. Call it in a loop that makes tensors outside every scope and reads none.
 *
 * @example
 * ```ts
 * for (let i = 0; i < 3; i++) {
 *   const y = x.mul(i)   // left to the garbage collector; scope(() => …) would free it at once
 *   await reclaim()
 * }
 * ```
 */
export async function reclaim(): Promise<void> {
  if (!due) return
  underWay ??= collected()
  await underWay
}

/** Waits for one full collection, and for the turns of the event loop in which the dead objects are reported. */
async function collected(): Promise<void> {
  try {
    // Once the probe is gone, everything that was dead before it is gone too. Where the collector cannot be called, this may take several rounds.
    const probe = new WeakRef({})
    for (let round = 0; round < 8; round++) {
      await nextTurn()
      if (!probe.deref()) break
      collectGarbage()
    }
    await nextTurn()
  } finally {
    underWay = undefined
    due = false
    limit = limitAfter(held)
  }
}

/** Runs `make`, which needs memory. If there is none, waits until dead tensors have given back theirs, and runs it once more. */
export async function withRoom<R>(make: () => R): Promise<R> {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof BackendError)) throw error
    due = true
    collectGarbage()
    await reclaim()
    return make()
  }
}

/** Adds to the error of an allocation how many bytes the net holds, if they are many. */
export function withNet(error: unknown): unknown {
  if (!(error instanceof BackendError) || held < STEP / 2) return error
  return addContext(
    error,
    `Tensors made outside of every scope, and parameters, hold ${(held / 2 ** 20).toFixed(0)} MB. Those that nobody refers to any more are freed ` +
      'when the program waits: put the loop that makes them into scope(() => …), dispose() them, or await reclaim() in it.',
  )
}

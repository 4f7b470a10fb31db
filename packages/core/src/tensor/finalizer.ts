/**
 * The net under tensors that nobody disposes: those made outside of every scope, and parameters. When the garbage collector takes the object, its
 * memory goes back.
 *
 * The collector alone would be late. It sees small objects and not the memory behind them, so it may not run before that memory is full. And what it
 * found dead is handed out in a turn of the event loop, which a loop that awaits nothing but promises never takes. So the bytes in the net are
 * counted: when many have come, the collector is asked to run (`watch`), and the next read waits for one turn (`reclaim`).
 *
 * A collected tensor is not worth a warning: its memory is back, and values were right all along. It is named under debug({ leaks: true }), and an
 * allocation that fails says how much the net holds.
 */

import { addContext, BackendError, showShape } from '../errors.js'
import { collectGarbage, nextTurn, warn } from '../platform.js'
import { bytesPerElement } from './dtype.js'
import type { Tensor } from './tensor.js'

/** Bytes that may come into the net between two collections: at least so many, and half of what survived, but not more than four times as many. */
const STEP = 128 * 2 ** 20

/** Bytes of the tensors in the net, in use or not. */
let held = 0
/** How many of them set off the next collection. */
let limit = STEP
/** Whether the collector ran, and what it found waits for a turn of the event loop. */
let due = false
let underWay: Promise<void> | undefined

interface Watched {
  release(): void
  readonly bytes: number
  /** Its name in messages about leaks; undefined for parameters, whose models are dropped as a matter of course, and without debug({ leaks: true }). */
  readonly leak?: string
}

/** Each place is named once. */
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

/** The bytes that set off the next collection after one that so many survived. */
const limitAfter = (survived: number): number => survived + Math.min(Math.max(STEP, survived / 2), 4 * STEP)

/** Leaves a tensor to the collector; `quiet` for parameters. */
export function watch(tensor: Tensor, quiet = false): void {
  const bytes = bytesOf(tensor)
  const leak = quiet || !tensor.trace ? undefined : leakOf(tensor)
  net.register(tensor, { release: tensor.releaser(), bytes, leak }, tensor)
  held += bytes
  if (held <= limit) return
  limit = limitAfter(held) // code that never waits asks less and less often
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

/** Whether `reclaim` has something to wait for. */
export const reclaimable = (): boolean => due

/**
 * Waits until tensors that nobody refers to any more have given back their memory, if there may be many (from 128 MB on); does nothing otherwise.
 *
 * `data()`, `array()` and `item()` do this, and with them `fit`, `evaluate` and `predict`. A loop that makes tensors outside of every scope and reads none calls it itself.
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

/** One full collection, and the turns in which what it found is handed out. */
async function collected(): Promise<void> {
  try {
    // A probe that is dead was collected, and so was all that was dead before it. Where the collector cannot be called it comes when it likes.
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

/** Makes something that needs room; if there is none, once more after everything that is dead has given back its memory. */
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

/** Adds to an allocation's error how much the net holds, if that is much. */
export function withNet(error: unknown): unknown {
  if (!(error instanceof BackendError) || held < STEP / 2) return error
  return addContext(
    error,
    `Tensors made outside of every scope, and parameters, hold ${(held / 2 ** 20).toFixed(0)} MB. Those that nobody refers to any more are freed ` +
      'when the program waits: put the loop that makes them into scope(() => …), dispose() them, or await reclaim() in it.',
  )
}

/** The walk back as `grad` makes it, which frees as it goes: the bytes alive at each record, and the kernels of its rule. */
import { onesLike, scope, type Tape, type Tensor } from '@cotangent/core'
import type { Alive, Kernel } from './data.js'
import { type Heard, tapeOf } from './listen.js'
import type { Observed } from './observe.js'
import { kernelOf } from './values.js'

/** For each record by its place; nothing for those that the walk passes. */
export interface Measured {
  readonly alive: (Alive | undefined)[]
  readonly kernels: (readonly Kernel[] | undefined)[]
}

export function measureWalk(
  { records }: Tape,
  loss: Tensor,
  sources: readonly Tensor[],
  heard: readonly Heard[],
  observed: Observed,
): Measured {
  const measured: Measured = { alive: [], kernels: [] }
  const bytes = (): number => observed.backend.memory().bytes
  let at = -1
  let base = 0
  let open = 0
  const close = (): void => {
    if (at < 0) return
    measured.alive[at] = { before: open, peak: observed.peak - base }
    measured.kernels[at] = observed.calls.map(kernelOf)
  }
  const places = new Map(records.map(({ output }, i) => [output, i]))
  const tape = tapeOf(heard, sources, ({ op, output }) => {
    const { vjp } = op
    if (typeof vjp !== 'function') return op
    const noted: typeof vjp = (...given) => {
      close()
      at = places.get(output) ?? -1
      open = bytes() - base
      observed.peak = bytes()
      observed.calls.length = 0
      return vjp(...given)
    }
    return { ...op, vjp: noted }
  })
  scope(() => {
    base = bytes()
    tape.backward(loss, onesLike(loss), sources)
    close()
  })
  observed.calls.length = 0
  return measured
}

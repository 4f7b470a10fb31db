/** Hears every op that the reader's code runs. What the sources are is known only at its end, so the tape of these sources is made afterwards. */
import { type DType, labelled, Tape, type TapeRecord, type Tensor } from '@cotangent/core'
import { callsFor, type KernelCall, type Observed } from './observe.js'

/** An op that ran. */
export interface Heard {
  readonly op: TapeRecord['op']
  readonly inputs: readonly Tensor[]
  readonly output: Tensor
  readonly options: object
  readonly path: string
  readonly kernels: readonly KernelCall[]
  /** A tape of this op alone. It notices if a parameter changes afterwards, and knows why no derivative passes. */
  readonly alone: Tape
}

export const isFloat = (dtype: DType): boolean => dtype === 'float32' || dtype === 'float64'

/** More ops than this are no reading matter. */
const MOST = 2000

export class TooLong extends Error {
  override readonly name = 'TooLong'
}

/** A tape that follows every tensor of floats. */
export class Listener extends Tape {
  readonly heard: Heard[] = []
  readonly #taken = new Set<Tensor>()
  readonly #observed: Observed

  constructor(observed: Observed) {
    super([])
    this.#observed = observed
  }

  override tracks(tensor: Tensor): boolean {
    return isFloat(tensor.dtype)
  }

  override holds(tensor: Tensor): boolean {
    return this.#taken.has(tensor)
  }

  override record(op: TapeRecord['op'], inputs: readonly Tensor[], output: Tensor, options: object): void {
    const calls = this.#observed.calls.splice(0)
    const followed = inputs.filter(({ dtype }) => isFloat(dtype))
    if (followed.length === 0) return
    if (this.heard.length >= MOST) throw new TooLong(`The code runs more than ${MOST} ops. Fewer steps, or a smaller model, show the same.`)
    const alone = new Tape(followed)
    alone.record(op, inputs, output, options)
    const path = alone.records[0]?.path ?? ''
    const kernels = callsFor(
      calls,
      output.storage,
      inputs.map(({ storage }) => storage),
    )
    for (const tensor of [...inputs, output]) this.#taken.add(tensor)
    this.heard.push({ op, inputs, output, options, path, kernels, alone })
  }
}

/** The tape of these sources, as it would have been if they had been known. */
export function tapeOf(
  heard: readonly Heard[],
  sources: readonly Tensor[],
  change: (each: Heard) => TapeRecord['op'] = ({ op }) => op,
): Tape {
  const tape = new Tape(sources)
  for (const each of heard) {
    const note = (): void => tape.record(change(each), each.inputs, each.output, each.options)
    if (each.path) labelled(each.path, note)
    else note()
  }
  return tape
}

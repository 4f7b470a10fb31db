/** Derivatives of what is one record on the tape, by computing it again, and the tensors that a function takes from outside. */
import { scope } from '../tensor/scope.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Jvp, type OpDefinition, ops, type Vjp } from './op.js'
import { isTracked, type Recorder, recordingOn, withoutRecording } from './recording.js'
import { Tape } from './tape.js'

/** A computation to run again. `sources` stand for the inputs of the record, or for the first of them: the others are constants. */
interface Again {
  sources: readonly Tensor[]
  run: () => Tensor
}

/** Both derivatives of a record through the ops of `again`: always right, and differentiable again. */
export function recomputing<O>(again: (inputs: readonly Tensor[], options: O) => Again): { vjp: Vjp<O>; jvp: Jvp<O> } {
  const recorded = (inputs: readonly Tensor[], options: O): { sources: readonly Tensor[]; tape: Tape; y: Tensor } => {
    const { sources, run } = again(inputs, options)
    const tape = new Tape(sources)
    return { sources, tape, y: tape.run(run) }
  }
  return {
    vjp: ({ dY, options }, inputs) => {
      const all = once(() => {
        const { sources, tape, y } = recorded(inputs, options)
        return tape.tracks(y) ? tape.backward(y, dY, sources) : []
      })
      return inputs.map((input, i) => () => all()[i] ?? ops.zerosLike(input))
    },
    jvp: ({ options }, inputs) => {
      const made = once(() => recorded(inputs, options))
      return inputs.map((_, i) => (v) => {
        const { sources, tape, y } = made()
        return tape.forward([y], [sources[i]], [v])[0] ?? ops.zerosLike(y)
      })
    },
  }
}

/** A function that computes its value at the first call. */
export function once<R extends object>(f: () => R): () => R {
  let value: R | undefined
  return () => {
    value ??= f()
    return value
  }
}

/** Notes which tensors ops take. */
class Uses implements Recorder {
  readonly taken = new Set<Tensor>()
  readonly #made = new Set<Tensor>()
  record(_op: OpDefinition, inputs: readonly Tensor[], output: Tensor): void {
    for (const input of inputs) if (!this.#made.has(input)) this.taken.add(input)
    this.#made.add(output)
  }
  tracks(): boolean {
    return false
  }
  holds(): boolean {
    return false
  }
}

/**
 * Runs `f` unseen by tapes and frees what it makes, except its result. `inputs` are all tensors that it depends on, each once: its arguments `xs`, and
 * those that it closes over, such as weights. A record that has them as inputs keeps them alive, and passes derivatives to them. Those that a tape
 * follows, `moving`, come first.
 */
export function runUnseen(xs: readonly Tensor[], f: () => Tensor): { y: Tensor; moving: Tensor[]; inputs: Tensor[] } {
  const uses = new Uses()
  const result = withoutRecording(() => recordingOn(uses, () => scope(f)))
  // Tensors that are still there were made outside.
  const outside = [...uses.taken].filter((x) => !x.disposed && x !== result)
  const all = [...new Set([...xs, ...outside])]
  const moving = all.filter(isTracked)
  // A result that tapes know already (f returned its argument) needs a tensor of its own.
  const y = all.includes(result) || isTracked(result) ? withoutRecording(() => ops.viewOf(result)) : result
  return { y, moving, inputs: [...moving, ...all.filter((x) => !moving.includes(x))] }
}

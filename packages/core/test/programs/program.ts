/**
 * Programs of ops as data: a list of lines, each an input, a constant, or an op applied to earlier lines. A program runs on any backend in any float type, and
 * prints as TypeScript that one can paste.
 */
import { differentiate } from '../../src/autodiff/differentiate.js'
import {
  type Backend,
  checkpoint,
  grad,
  jvp,
  type OpDefinition,
  onesLike,
  registry,
  type Shape,
  scope,
  type Tensor,
  viewOf,
  zerosLike,
} from '../../src/index.js'
import { convert, type DType, isFloat } from '../../src/tensor/dtype.js'
import { fromHost } from '../../src/tensor/tensor.js'
import { drawInputs, type HostInput, place, weighted, weightsLike } from '../sweep.js'

/** How a line applies its op: plainly, computed again on the way back, or as the gradient or tangent of the op by one of its arguments. */
export const modes = ['value', 'checkpoint', 'grad', 'jvp'] as const
export type Mode = (typeof modes)[number]

export interface OpLine {
  readonly op: string
  /** Numbers of earlier lines. */
  readonly args: readonly number[]
  readonly options: object
  readonly mode: Mode
  /** The position in `args` that `grad` and `jvp` differentiate by. */
  readonly by: number
}

export type Line =
  | { readonly input: Shape; readonly seed: number }
  | { readonly constant: readonly number[]; readonly shape: Shape; readonly dtype: DType }
  | OpLine

export type Program = readonly Line[]

export const definitionOf = (name: string): OpDefinition => {
  const op = registry.get(name)
  if (!op) throw new Error(`there is no op ${name}`)
  return op
}

/** The host values of the inputs: the same for every backend. */
export const valuesOfInputs = (program: Program): HostInput[] =>
  program.flatMap((line) => ('input' in line ? drawInputs({ name: 'program' }, { inputs: [line.input] }, line.seed) : []))

/** The inputs of a program on a backend. */
export const placeInputs = (program: Program, backend: Backend, floats: DType): Tensor[] => place(backend, valuesOfInputs(program), floats)

/** Where options name float32, they mean the floats of the run. */
const withFloats = (options: object, floats: DType): object =>
  'dtype' in options && options.dtype === 'float32' ? { ...options, dtype: floats } : options

/** Applies the op of a line. */
export function applyLine({ op, args, options, mode, by }: OpLine, values: readonly Tensor[], floats: DType): Tensor {
  const { call } = definitionOf(op)
  const xs = args.map((i) => values[i])
  const given = withFloats(options, floats)
  if (mode === 'value') return call(xs, given)
  if (mode === 'checkpoint') return checkpoint((...ys: Tensor[]) => call(ys, given))(...xs)
  const byOne = (x: Tensor): Tensor => call(xs.with(by, x), given)
  if (mode === 'grad') return grad((x: Tensor) => weighted(byOne(x)), { unconnected: 'zeros' })(xs[by])
  return jvp(byOne, [xs[by]], [weightsLike(xs[by])]).tangent
}

/** Changes a value after each line; tests of rounding do. */
export type Change = (value: Tensor, line: number) => Tensor

/** The values of all lines. */
export function valuesOfLines(program: Program, inputs: readonly Tensor[], floats: DType, change: Change = (value) => value): Tensor[] {
  const values: Tensor[] = []
  let next = 0
  for (const [i, line] of program.entries()) {
    if ('input' in line) values.push(inputs[next++])
    else if ('constant' in line) values.push(constantOf(line, inputs[0].backend, floats))
    else values.push(change(applyLine(line, values, floats), i))
  }
  return values
}

export function constantOf({ constant, shape, dtype }: Extract<Line, { constant: unknown }>, backend: Backend, floats: DType): Tensor {
  const type = isFloat(dtype) ? floats : dtype
  return fromHost(backend, convert(constant, type), shape, type)
}

/** The numbers of the lines that are results: those of ops that no other line uses. */
export function resultsOf(program: Program): number[] {
  const used = new Set(program.flatMap((line) => ('op' in line ? line.args : [])))
  return program.flatMap((line, i) => ('op' in line && !used.has(i) ? [i] : []))
}

/** All that a program gives: its results, the gradient of their weighted sum by each input, and the gradient of the weighted sum of that gradient. */
export interface Given {
  results: Tensor[]
  first: Tensor[]
  second: Tensor[]
}

/** Runs a program. The caller frees what it gives. */
export function run(program: Program, inputs: readonly Tensor[], floats: DType, change?: Change): Given {
  return scope(() => {
    const ends = resultsOf(program)
    const forward = (): { loss: Tensor; results: Tensor[] } => {
      const values = valuesOfLines(program, inputs, floats, change)
      const results = ends.map((i) => values[i])
      const terms = results.filter(({ dtype }) => isFloat(dtype)).map(weighted)
      return { loss: terms.length === 0 ? weighted(inputs[0]) : terms.reduce((a, b) => a.add(b)), results }
    }
    const filled = (grads: readonly (Tensor | undefined)[]): Tensor[] => grads.map((g, i) => g ?? zerosLike(inputs[i]))
    const slopes = (): { loss: Tensor; results: Tensor[]; first: Tensor[] } => {
      const { result, grads } = differentiate('program', inputs, forward, onesLike, ({ loss }) => loss)
      const first = filled(grads)
      return { loss: first.map(weighted).reduce((a, b) => a.add(b)), results: result.results, first }
    }
    const { result, grads } = differentiate('program', inputs, slopes, onesLike, ({ loss }) => loss)
    // Each given tensor is one of its own, so that freeing one leaves the others.
    const taken = new Set<Tensor>(inputs)
    const own = (t: Tensor): Tensor => {
      const mine = taken.has(t) ? viewOf(t) : t
      taken.add(mine)
      return mine
    }
    return { results: result.results.map(own), first: result.first.map(own), second: filled(grads).map(own) }
  })
}

/** All tensors of what a program gives, with their names. */
export const named = ({ results, first, second }: Given, program: Program): [string, Tensor][] => {
  const ends = resultsOf(program)
  return [
    ...results.map((t, i): [string, Tensor] => [`v${ends[i]}`, t]),
    ...first.map((t, i): [string, Tensor] => [`the gradient by input ${i}`, t]),
    ...second.map((t, i): [string, Tensor] => [`the second derivative by input ${i}`, t]),
  ]
}

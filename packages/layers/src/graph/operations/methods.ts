/** The methods of symbolic tensors: those of tensors, `x.add(y).mean({ axis: 1 })`. Each adds an operation to the graph. */
import { type DType, Tensor, ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import { SymbolicTensor } from '../symbolic-tensor.js'
import { alongAxes, binaries, kinds, type OperationName, unaries } from './kinds.js'
import { type Constant, Operation, type OperationOptions } from './operation.js'
import type { Index } from './shapes.js'

/** The other ops with the options that their arguments are. */
const others = {
  reshape: ['shape'],
  transpose: ['axes'],
  expandDims: ['axis'],
  squeeze: ['axis'],
  flip: ['axis'],
  cast: ['dtype'],
  clip: ['min', 'max'],
  pad: ['pads', 'value'],
  tile: ['repeats'],
  broadcastTo: ['shape'],
  tril: ['k'],
  triu: ['k'],
} as const
/** Ops with such arguments and then an object of options, or with that alone. */
const withOptions = { repeat: ['repeats'], roll: ['shift'], oneHot: ['depth'], sort: [], argSort: [] } as const

interface Reduction {
  axis?: number | readonly number[]
  keepDims?: boolean
}

type UnaryMethods = { [Name in keyof typeof unaries]: () => SymbolicTensor }
type BinaryMethods = { [Name in keyof typeof binaries]: (other: SymbolicTensor | Constant) => SymbolicTensor }
type OptionMethods = { [Name in keyof typeof alongAxes]: (options?: Reduction) => SymbolicTensor }

/**
 * The methods of symbolic tensors. Each has the name of the method of tensors that it stands for, and adds a layer, an `Operation`, to the graph. The batch is
 * axis 0.
 *
 * @example
 * ```ts
 * const x = input({ shape: [4, 3] })
 * const centred = x.sub(x.mean({ axis: 1, keepDims: true }))
 * console.log(centred.square().sum({ axis: [1, 2] }).shape, centred.layer.className)   // [null] Subtract
 * ```
 */
export interface SymbolicMethods extends UnaryMethods, BinaryMethods, OptionMethods {
  /** The same elements under another shape, batch included; one axis may be −1. */
  reshape(shape: readonly number[]): SymbolicTensor
  /** The axes in another order, batch included; by default reversed. */
  transpose(axes?: readonly number[]): SymbolicTensor
  /** A new axis of size 1 before position `axis`. */
  expandDims(axis: number): SymbolicTensor
  /** The tensor without axes of size 1. */
  squeeze(axis: number | readonly number[]): SymbolicTensor
  /** The elements in reverse order along the axes. */
  flip(axis: number | readonly number[]): SymbolicTensor
  /** The same values in another dtype. */
  cast(dtype: DType): SymbolicTensor
  /** The values limited to [min, max]. */
  clip(min: number, max: number): SymbolicTensor
  /** A border of `value`, 0 by default: `pads[i]` elements before and after axis i, batch included. */
  pad(pads: readonly (readonly [number, number])[], value?: number): SymbolicTensor
  /** The tensor repeated `repeats[i]` times along axis i, batch included. */
  tile(repeats: readonly number[]): SymbolicTensor
  /** The tensor repeated to a larger shape by NumPy's rule. */
  broadcastTo(shape: readonly number[]): SymbolicTensor
  /** The lower triangle of each matrix, up to diagonal k. */
  tril(k?: number): SymbolicTensor
  /** The upper triangle of each matrix, from diagonal k on. */
  triu(k?: number): SymbolicTensor
  /** Each element repeated along an axis. */
  repeat(repeats: number, options: { axis: number }): SymbolicTensor
  /** The elements shifted along axes; those that leave at the end come in at the front. */
  roll(shift: number | readonly number[], options: { axis: number | readonly number[] }): SymbolicTensor
  /** Rows that are 1 at the index and 0 elsewhere. */
  oneHot(depth: number, options?: { axis?: number; dtype?: DType }): SymbolicTensor
  /** The values in order along an axis, by default the last. */
  sort(options?: { axis?: number }): SymbolicTensor
  /** The positions of the values in their order along an axis, by default the last. */
  argSort(options?: { axis?: number }): SymbolicTensor
  /** The entries at positions of an axis, for all rows the same. */
  gather(indices: SymbolicTensor | Constant, options: { axis: number }): SymbolicTensor
  /** The entries at positions of an axis, for each row its own; by default the last axis. */
  takeAlongAxis(indices: SymbolicTensor | Constant, options?: { axis?: number }): SymbolicTensor
  /** The tensor cut along an axis, into equal parts or into parts of these sizes. */
  split(parts: number | readonly number[], axis: number): SymbolicTensor[]
  /** The k greatest values of the last axis, and their positions. */
  topK(k: number): { values: SymbolicTensor; indices: SymbolicTensor }
  /** The part that the indices name, as NumPy writes it: `x.at(':', -1)` is the last step of each sample. */
  at(...index: readonly Index[]): SymbolicTensor
}

declare module '../symbolic-tensor.js' {
  interface SymbolicTensor extends SymbolicMethods {}
}

const namesOf = <Table extends object>(table: Table): (keyof Table & OperationName)[] =>
  Object.keys(table) as (keyof Table & OperationName)[]

/**
 * The value itself; then symbolic tensors have their methods. Graphs are made by `input` and run by `GraphModel`, which are made by this. A bundle with neither,
 * such as one of a Sequential, needs no operations, and a bundler drops them with the two.
 */
export function withOperations<Value>(value: Value): Value {
  if (!('add' in SymbolicTensor.prototype)) attachOperations()
  return value
}

/** Puts the methods on SymbolicTensor.prototype. */
function attachOperations(): void {
  const attach = (name: OperationName, method: (x: SymbolicTensor, args: readonly unknown[]) => unknown, most: number): void => {
    Object.defineProperty(SymbolicTensor.prototype, name, {
      value(this: SymbolicTensor, ...args: readonly unknown[]): unknown {
        if (args.length > most) throw new ValueError(`${name}: takes at most ${most} arguments, got ${args.map(describeValue).join(', ')}.`)
        return method(this, args)
      },
      configurable: true,
      writable: true,
    })
  }
  const apply = (name: OperationName, x: SymbolicTensor, options: OperationOptions): SymbolicTensor => new Operation(name, options).apply(x)
  for (const name of namesOf(unaries)) attach(name, (x) => apply(name, x, {}), 0)
  for (const name of namesOf(binaries)) attach(name, (x, [other]) => combine(name, x, other), 1)
  for (const name of namesOf(alongAxes)) attach(name, (x, [options]) => apply(name, x, requireOptionsOf(name, options)), 1)
  for (const [name, names] of Object.entries(others) as [keyof typeof others, readonly string[]][])
    attach(name, (x, args) => apply(name, x, Object.fromEntries(names.map((option, i) => [option, args[i]]))), names.length)
  for (const [name, names] of Object.entries(withOptions) as [keyof typeof withOptions, readonly string[]][]) {
    const most = names.length + 1
    attach(
      name,
      (x, args) =>
        apply(name, x, {
          ...requireOptionsOf(name, args[names.length]),
          ...Object.fromEntries(names.map((option, i) => [option, args[i]])),
        }),
      most,
    )
  }
  for (const name of ['gather', 'takeAlongAxis'] as const)
    attach(name, (x, [indices, options]) => combine(name, x, indices, requireOptionsOf(name, options)), 2)
  attach('split', (x, [parts, axis]) => new Operation('split', { parts: parts as number, axis: axis as number }).applyAll(x), 2)
  attach(
    'topK',
    (x, [k]) => {
      const [values, indices] = new Operation('topK', { k: k as number }).applyAll(x)
      return { values, indices }
    },
    1,
  )
  attach('at', (x, index) => apply('at', x, { index: index as Index[] }), Number.POSITIVE_INFINITY)
}

function combine(name: OperationName, x: SymbolicTensor, other: unknown, options: OperationOptions = {}): SymbolicTensor {
  if (other instanceof SymbolicTensor) return new Operation(name, options).apply([x, other])
  if (other instanceof Tensor)
    throw new ValueError(`${name}: a tensor of values is no part of a graph. Give its numbers, as nested arrays, or make it an input.`)
  if (other === undefined) throw new ValueError(`${name}: takes a symbolic tensor, a number or nested arrays of numbers, got nothing.`)
  return new Operation(name, { ...options, constants: { 1: other as Constant } }).apply(x)
}

function requireOptionsOf(name: OperationName, options: unknown): OperationOptions {
  if (options === undefined || (typeof options === 'object' && options !== null && !Array.isArray(options))) return options ?? {}
  const names = Object.keys(kinds[name].options)
  throw new ValueError(`${name}: expected options with ${names.join(', ')}, such as { axis: 1 }, got ${describeValue(options)}.`)
}

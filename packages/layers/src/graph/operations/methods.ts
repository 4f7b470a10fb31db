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
} as const

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
  /** The part that the indices name, as NumPy writes it: `x.at(':', -1)` is the last step of each sample. */
  at(...index: readonly Index[]): SymbolicTensor
}

declare module '../symbolic-tensor.js' {
  interface SymbolicTensor extends SymbolicMethods {}
}

const namesOf = <Table extends object>(table: Table): (keyof Table & OperationName)[] =>
  Object.keys(table) as (keyof Table & OperationName)[]

/** Puts the methods on SymbolicTensor.prototype. Every graph begins with an input layer, whose module calls this. */
export function attachOperations(): void {
  const attach = (name: OperationName, method: (x: SymbolicTensor, args: readonly unknown[]) => SymbolicTensor, most: number): void => {
    Object.defineProperty(SymbolicTensor.prototype, name, {
      value(this: SymbolicTensor, ...args: readonly unknown[]): SymbolicTensor {
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
  attach('at', (x, index) => apply('at', x, { index: index as Index[] }), Number.POSITIVE_INFINITY)
}

function combine(name: OperationName, x: SymbolicTensor, other: unknown): SymbolicTensor {
  if (other instanceof SymbolicTensor) return new Operation(name).apply([x, other])
  if (other instanceof Tensor)
    throw new ValueError(`${name}: a tensor of values is no part of a graph. Give its numbers, as nested arrays, or make it an input.`)
  if (other === undefined) throw new ValueError(`${name}: takes a symbolic tensor, a number or nested arrays of numbers, got nothing.`)
  return new Operation(name, { constants: { 1: other as Constant } }).apply(x)
}

function requireOptionsOf(name: OperationName, options: unknown): OperationOptions {
  if (options === undefined || (typeof options === 'object' && options !== null && !Array.isArray(options))) return options ?? {}
  const names = Object.keys(kinds[name].options)
  throw new ValueError(`${name}: expected options with ${names.join(', ')}, such as { axis: 1 }, got ${describeValue(options)}.`)
}

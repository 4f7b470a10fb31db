/** The type of an operation, the rows of its options, and makers of families of operations. */
import { type DType, type Tensor, ValueError } from '@cotangent/core'
import { describeValue, requireWhole } from '@cotangent/core/arguments'
import { requireWholeList } from '../../layer-options.js'
import type { BatchShape } from '../../layer-types.js'
import { flag } from '../../option-rows.js'
import type { Option, OptionTable } from '../../option-table.js'
import { broadcast, type Index, reduced } from './shapes.js'

/** The options of an operation, as its table has made them. */
// biome-ignore lint/suspicious/noExplicitAny: each operation reads its own options, whose types its table holds.
export type Values = any

/** One operation. */
export interface Kind {
  /** Keras 3's class. */
  readonly className: string
  /** The module of that class below keras.src.ops. */
  readonly module: 'numpy' | 'nn' | 'core' | 'math' | 'image' | 'linalg'
  /** How many operands it takes; a list takes any number, which Keras holds in one argument. */
  readonly operands: number | 'list' | 'any'
  /** Keras' names of operands that may be left out, behind the others; those marked with `=` are named in calls. */
  readonly further?: readonly string[]
  readonly options: OptionTable
  /** Keras' names of options, where they are others. */
  readonly words?: Readonly<Record<string, string>>
  /** Further keys of Keras' config. */
  readonly extra?: Readonly<Record<string, unknown>>
  /** Options that are named arguments of the call in Keras, by Keras' names. */
  readonly inCall?: Readonly<Record<string, string>>
  /** Keras' config, and the shape of the first operand, as options here, where more than names differs. */
  readonly read?: (config: Readonly<Record<string, Values>>, shape: BatchShape, className: string) => Record<string, unknown>
  /** The way back: options as Keras' config. */
  readonly write?: (options: Values) => Record<string, unknown>
  /** The dtype of the result, if it is not that of the operands; of several results a list. */
  readonly dtype?: DType | readonly (DType | undefined)[]
  /** How many results it has, if they are several. */
  readonly count?: (options: Values) => number
  /** The shape of the result, or the shapes of several. */
  shape(shapes: readonly BatchShape[], options: Values): BatchShape | readonly BatchShape[]
  run(operands: readonly Tensor[], options: Values): Tensor | Tensor[]
}

export const optional = <Value>(check: (className: string, name: string, value: unknown) => void): Option<Value | undefined> => ({
  read(given, { className, name }) {
    if (given === undefined || given === null) return undefined
    check(className, name, given)
    return given as Value
  },
})
export const required = <Value>(check: (className: string, name: string, value: unknown) => void): Option<Value> => ({
  read(given, { className, name }) {
    check(className, name, given)
    return given as Value
  },
})
export const whole = (what: string, name: string, value: unknown): void => requireWhole(what, name, value as number)
export const sizes = (what: string, name: string, value: unknown): void =>
  requireWholeList(what, name, value as number[], 'such as [-1, 12], the batch first', -1)
export const wholes = (what: string, name: string, value: unknown): void =>
  requireWholeList(what, name, value as number[], 'such as [0, 2, 1]')
export const oneOrMore = (what: string, name: string, value: unknown): void => (Array.isArray(value) ? wholes : whole)(what, name, value)
export const axis = (usual?: number): Option<number> => ({
  read: (given, place) => required<number>(whole).read(given ?? usual, place),
})
export const axes = (): Option<number | readonly number[] | undefined> => optional(oneOrMore)

export const wholeNumber = (usual: number): Option<number> => axis(usual)

/** Two whole numbers for each axis. */
export function pairs(what: string, name: string, value: unknown): void {
  const fine =
    Array.isArray(value) &&
    value.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every((n) => Number.isInteger(n) && n >= 0))
  if (!fine)
    throw new ValueError(`${what}: ${name} must be two whole numbers for each axis, such as [[0, 0], [1, 2]], got ${describeValue(value)}.`)
}

export const index: Option<readonly Index[]> = {
  read(given, { className, name }) {
    const list = given as readonly Index[]
    const fine = (item: unknown): boolean =>
      item === null || Number.isInteger(item) || (typeof item === 'string' && /^(\.\.\.|-?\d*:-?\d*(:-?\d*)?)$/.test(item))
    if (Array.isArray(list) && list.every(fine)) return list
    throw new ValueError(
      `${className}: ${name} must be a list of positions, slices such as '1:3', '...' or null, got ${describeValue(given)}.`,
    )
  },
}

export const same = ([x]: readonly BatchShape[]): BatchShape => x

/** An op of one tensor that keeps the shape, under its name as a method. */
export const unary = (name: string, className: string, module: Kind['module'] = 'numpy', dtype?: DType): Kind => ({
  className,
  module,
  operands: 1,
  options: {},
  dtype,
  shape: same,
  run: ([x]) => (x as unknown as Record<string, () => Tensor>)[name](),
})
/** An activation that is a function of core. */
export const activation = (
  className: string,
  apply: (x: Tensor, options: Values) => Tensor,
  options: OptionTable = {},
  words?: Kind['words'],
): Kind => ({
  className,
  module: 'nn',
  operands: 1,
  options,
  words,
  shape: same,
  run: ([x], values) => apply(x, values),
})
export const binary = (name: string, className: string, dtype?: DType): Kind => ({
  className,
  module: 'numpy',
  operands: 2,
  options: {},
  dtype,
  shape: ([a, b]) => broadcast(a, b),
  run: ([a, b]) => (a as unknown as Record<string, (other: Tensor) => Tensor>)[name](b),
})
export const reduction = (name: string, className: string, extra?: object, dtype?: DType, module: Kind['module'] = 'numpy'): Kind => ({
  className,
  module,
  operands: 1,
  options: { axis: axes(), keepDims: flag(false) },
  words: { keepDims: 'keepdims' },
  extra: extra as Kind['extra'],
  dtype,
  shape: ([x], { axis, keepDims }) => reduced(x, axis, keepDims),
  run: ([x], { axis, keepDims }) =>
    (x as unknown as Record<string, (options: object) => Tensor>)[name]({ axis: axis ?? x.shape.map((_, i) => i), keepDims }),
})
export const position = (name: 'argMax' | 'argMin', className: string): Kind => ({
  ...reduction(name, className, undefined, 'int32'),
  options: { axis: axis(-1), keepDims: flag(false) },
  run: ([x], { axis, keepDims }) => x[name]({ axis, keepDims }),
})
/** An op of one tensor with options of its own. */
export const move = (kind: Omit<Kind, 'module' | 'operands'>): Kind => ({ module: 'numpy', operands: 1, ...kind })

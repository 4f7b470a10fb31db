/** Indices as callers write them: tensors of whole numbers, or nested lists of numbers. */
import { describeValue, requireFunction, requireText } from '../../arguments.js'
import type { Backend } from '../../backends/backend.js'
import { showShape, ValueError } from '../../errors.js'
import { stepListener } from '../../step-listener.js'
import { isFloat, requireDType, type TypedArray } from '../../tensor/dtype.js'
import { requireWholes } from '../../tensor/shape.js'
import { notATensor, requireTensor, Tensor } from '../../tensor/tensor.js'
import { tensor } from '../create.js'
import { cast } from '../elementwise/elementwise.js'

/** Nested lists of whole numbers: `[2, 0]`, `[[0, 1], [2, 0]]`. */
export type IndexList = readonly (number | IndexList)[]

/** Indices for ops. */
export type Indices = Tensor | IndexList

/**
 * Indices as int32. `name` is what messages call them. Lists and tensors of other numbers will do if all are whole; a NaN or a fraction is an error, where `cast` would make a row
 * number of it. What only a GPU holds cannot be looked at here: those have to be cast first.
 */
export function wholeIndices(op: string, indices: Indices, backend?: Backend, name = 'indices'): Tensor {
  if (Array.isArray(indices)) {
    const flat: number[] = []
    const shape = flatten(op, name, indices, flat)
    return tensor(Int32Array.from(flat), { shape, backend })
  }
  if (!(indices instanceof Tensor)) throw notATensor(op, name, indices, 'a tensor or a list of whole numbers')
  if (indices.dtype === 'int32') return indices
  if (indices.dtype === 'bool') requireDType(op, name, indices.dtype, ['int32'])
  if (isFloat(indices.dtype) && !requireWholeValues(op, indices, name)) requireDType(op, name, indices.dtype, ['int32'])
  return cast(indices, 'int32')
}

/** Adds the numbers of a nested list to `flat`; returns the list's shape. */
function flatten(op: string, name: string, list: IndexList, flat: number[]): number[] {
  if (!list.some(Array.isArray)) {
    requireWholes(op, name, list)
    flat.push(...(list as readonly number[]))
    return [list.length]
  }
  const shapes = list.map((item) => {
    if (!Array.isArray(item)) throw new ValueError(`${op}: ${name} mix lists and ${describeValue(item)}.`)
    return flatten(op, name, item, flat)
  })
  const other = shapes.find((shape) => shape.join() !== shapes[0].join())
  if (other) throw new ValueError(`${op}: lists of ${name} differ in shape, ${showShape(shapes[0])} and ${showShape(other)}.`)
  return [list.length, ...shapes[0]]
}

/** Throws for the first value that is no whole number; false where values are not on the host. */
export const requireWholeValues = (op: string, indices: Tensor, name = 'indices'): boolean =>
  checkValues(op, indices, (values) => {
    const bad = values.findIndex((value: number) => !Number.isInteger(value))
    if (bad < 0) return
    throw new ValueError(`${op}: ${name} are whole numbers, but element ${bad} of ${showShape(indices.shape)} is ${values[bad]}.`)
  })

/**
 * Runs a check on the values of a tensor, where they are on the host; a compiled step runs it each time.
 *
 * Shape:    any
 * Gradient: none, nothing is computed
 *
 * @param what begins the message for a disposed tensor
 * @param check gets the values, row by row; it throws if they are wrong
 * @returns whether the check ran: a device does not give its values at once
 * @example
 * ```ts
 * checkValues('mine', tensor([1, 2]), (values) => {
 *   if (values.includes(0)) throw new ValueError('mine: 0 is not allowed.')
 * }) // true
 * ```
 */
export function checkValues(what: string, x: Tensor, check: (values: TypedArray) => void): boolean {
  requireText('checkValues', 'what', what)
  requireTensor('checkValues', 'x', x)
  requireFunction('checkValues', 'check', check)
  x.requireLive(what)
  const { backend } = x
  if (backend.info?.().gpu || !backend.readSync) return false
  const listener = stepListener()
  if (listener) listener.checks(x.storage, check)
  else check(backend.readSync(x.storage))
  return true
}

/** The values of a tensor, where they are on the host. */
export function valuesOnHost(op: string, x: Tensor): TypedArray | undefined {
  x.requireLive(op)
  const { backend } = x
  return backend.info?.().gpu ? undefined : backend.readSync?.(x.storage)
}

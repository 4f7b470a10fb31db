/** Goes back from a NaN or infinity to the record that made it. */
import { debug, labelled, onesLike, scope, type Tape, type TapeRecord, type Tensor } from '@cotangent/core'
import type { TensorValue } from '../shared/tensor-value.js'
import type { Broken } from './data.js'
import { isFloat } from './listen.js'
import { valuesOf } from './values.js'

const isBroken = (values: ArrayLike<number>): boolean => Array.prototype.some.call(values, (value) => !Number.isFinite(value))
const bad = (tensor: Tensor): boolean => isFloat(tensor.dtype) && isBroken(valuesOf(tensor))

/** The way from a loss that is not finite to the first cause. */
export function brokenForward({ records }: Tape, loss: Tensor, nameOf: (tensor: Tensor) => string): Broken | undefined {
  if (!bad(loss)) return undefined
  const makers = new Map(records.map((record, i) => [record.output, i]))
  const chain: number[] = []
  let tensor: Tensor | undefined = loss
  let last = loss
  while (tensor) {
    last = tensor
    const at = makers.get(tensor)
    if (at === undefined) break
    chain.push(at)
    tensor = records[at].inputs.find(bad)
  }
  const at = makers.get(last)
  const message = at === undefined ? `${nameOf(last)} holds it already: no op of the tape made it.` : checked(records[at])
  return { backward: false, step: chain.at(-1), chain, message }
}

/** The record whose rule sends the first cotangent that is not finite. */
export function brokenBackward(
  tape: Tape,
  loss: Tensor,
  sources: readonly Tensor[],
  visited: readonly ({ readonly arrives: TensorValue; readonly sends: readonly (TensorValue | null)[] } | undefined)[],
): Broken | undefined {
  const first = visited.findLastIndex(
    (each) => each && !isBroken(each.arrives.values) && each.sends.some((sent) => sent && isBroken(sent.values)),
  )
  if (first < 0) return undefined
  const message = messageOf(() => scope(() => tape.backward(loss, onesLike(loss), sources))) ?? ''
  return { backward: true, step: 2 * tape.records.length - 1 - first, chain: [first], message }
}

/** The message of the library's check for numbers that are not finite, when `fn` runs. */
function messageOf(fn: () => unknown): string | undefined {
  debug({ nonFinite: true })
  try {
    fn()
    return undefined
  } catch (error) {
    return (error as Error).message
  } finally {
    debug({ nonFinite: false })
  }
}

/** The library's message when a record runs again under its check. */
function checked({ op, inputs, options, path }: TapeRecord): string {
  const again = (): unknown => scope(() => op.call(inputs, options))
  return messageOf(() => (path ? labelled(path, again) : again())) ?? `${op.name} made it.`
}

/**
 * debug({ nonFinite: true }): every output is looked at, and remembered by its memory as one line of text: its op with the path ("dense_1/log") and its range. An error tells
 * the lines that led to it. Nothing here runs while the switch is off.
 */
import type { Storage } from '../backends/backend.js'
import { NonFiniteError, showShape } from '../errors.js'
import type { Tensor } from '../tensor/tensor.js'
import { currentPath } from './recording.js'

/** The lines that led to a value, the newest last, and the largest number in it. */
interface History {
  readonly lines: readonly string[]
  readonly largest: number
}

/** The most lines that are kept of a history: a recurrent state has no end of them. */
const MOST_LINES = 8
const histories = new WeakMap<Storage, History>()

const valuesOf = ({ storage }: Tensor): ArrayLike<number> => storage.backend.readSync?.(storage) ?? []

/** The least and the largest number; NaN if there is one. */
export function rangeOf(x: Tensor): [low: number, high: number] {
  const values = valuesOf(x)
  let [low, high] = [Infinity, -Infinity]
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i])
    high = Math.max(high, values[i])
  }
  return [low, high]
}

/** The history of the input with the largest number: most often it is the one to blame. */
const pathTo = (inputs: readonly Tensor[]): readonly string[] =>
  inputs.reduce<History>(
    (worst, { storage }) => {
      const history = histories.get(storage)
      return history && history.largest >= worst.largest ? history : worst
    },
    { lines: [], largest: 0 },
  ).lines

/** Throws at a NaN or an infinity, with the op, the ranges of its inputs, and how the largest of them came about. */
export function requireFinite(op: string, inputs: readonly Tensor[], out: Tensor): void {
  const values = valuesOf(out)
  const path = currentPath()
  const name = `${path && `${path}/`}${op}`
  const shape = showShape(out.shape)
  const lines = pathTo(inputs)
  let at = 0
  while (at < values.length && Number.isFinite(values[at])) at++
  if (at === values.length) {
    if (at === 0) return // empty, or on a device that cannot be read at once
    const [low, high] = rangeOf(out)
    histories.set(out.storage, {
      lines: [...lines, `${name} ${shape} from ${low} to ${high}`].slice(-MOST_LINES),
      largest: Math.max(-low, high),
    })
    return
  }
  const ranges = inputs.map((x, i) => `\n  input ${i}: ${x.dtype} ${showShape(x.shape)} from ${rangeOf(x).join(' to ')}`)
  const led = lines.map((line, i) => `${i === 0 ? '\n  What led there:' : ''}\n    ${line}`)
  const error = new NonFiniteError(`${name}: element ${at} of its output ${shape} is ${values[at]}.${[...ranges, ...led].join('')}`)
  out.dispose()
  throw error
}

/** Comparing two recordings of a step. */
import { type Recorded, RecordedOperand, type Recording, type Value } from './recorder.js'

/** Whether two recordings are the same but for the contents of what changes from step to step: then the next step will be so, too. */
export function sameStep(a: Recording, b: Recording): boolean {
  const numbers = [a, b].map(({ changing }) => new Map(changing.map((held, i) => [held, i])))
  const same = (x: unknown, y: unknown): boolean => {
    if (Object.is(x, y)) return true
    if (typeof x === 'function' && typeof y === 'function') return x.toString() === y.toString()
    if (typeof x !== 'object' || typeof y !== 'object' || x === null || y === null) return false
    const [i, j] = [numbers[0].get(x), numbers[1].get(y)]
    if (i !== undefined || j !== undefined) return i === j
    if (x instanceof RecordedOperand && y instanceof RecordedOperand)
      return x.value === y.value && x.dtype === y.dtype && same(x.shape, y.shape)
    const [left, right] = [Object.entries(x), Object.entries(y)]
    return left.length === right.length && left.every(([name, item]) => name in y && same(item, (y as Record<string, unknown>)[name]))
  }
  const sameCall = (x: Recorded, y: Recorded): boolean => {
    if (x.kind === 'numbers') return y.kind === 'numbers' && same(x.held, y.held)
    if (x.kind === 'check') return y.kind === 'check' && x.of === y.of
    if (x.kind === 'draw') return y.kind === 'draw' && x.to === y.to
    return same(x, y)
  }
  const sameValue = (x: Value, y: Value): boolean =>
    x.dtype === y.dtype &&
    x.size === y.size &&
    x.input === y.input &&
    x.parameter === y.parameter &&
    (x.parameter !== undefined || x.storage === y.storage)
  const assigned = [...a.assigned]
  return (
    a.calls.length === b.calls.length &&
    a.values.length === b.values.length &&
    a.guards.length === b.guards.length &&
    a.assigned.size === b.assigned.size &&
    a.values.every((value, i) => sameValue(value, b.values[i])) &&
    assigned.every(([parameter, value]) => b.assigned.get(parameter) === value) &&
    a.guards.every(({ was }, i) => Object.is(was, b.guards[i].was)) &&
    a.calls.every((call, i) => sameCall(call, b.calls[i]))
  )
}

/** Another derivative in the place of an op's, for a moment: to check it, to learn from it, to see what it does to a training. */
import { requireFunction, requireText } from '../arguments.js'
import { ValueError } from '../errors.js'
import { type OpDefinition, registry, replacements, type Vjp } from './op.js'
import { transposed } from './transpose.js'

/**
 * Runs `fn` while an op has another derivative; the op's own is back when `fn` returns or throws, or when its Promise settles. A composed op is one record
 * meanwhile, on every backend, so that the derivative is asked for it. A step that `compileStep` recorded before keeps the derivative it was recorded with.
 *
 * @param op the name in the registry, such as `tanh`
 * @throws ValueError if there is no such op, it has no derivative, or it already has another one.
 * @example
 * ```ts
 * const slope = () => grad((x) => x.tanh().sum())(tensor([0]))
 * withDerivative('tanh', ({ dY }, _, ops) => [() => ops.mul(dY, 2)], slope) // [2]
 * slope() // [1]
 * ```
 */
export function withDerivative<R>(op: string, vjp: Vjp<object>, fn: () => R): R {
  requireText('withDerivative', 'op', op)
  requireFunction('withDerivative', 'vjp', vjp, "withDerivative('tanh', ({ dY, y }, [x], ops) => [() => dX], fn)")
  requireFunction('withDerivative', 'fn', fn)
  const own = registry.get(op)
  if (!own) throw new ValueError(`withDerivative: there is no op named "${op}".`)
  if (typeof own.vjp === 'string') throw new ValueError(`withDerivative: op "${op}" has no derivative to replace: ${own.vjp}`)
  if (replacements.has(op)) throw new ValueError(`withDerivative: op "${op}" already has another derivative. Let that call end first.`)
  replacements.set(op, { ...own, rule: '(given by withDerivative)', vjp, jvp: transposed(vjp) } as OpDefinition)
  const restore = (): boolean => replacements.delete(op)
  let result: R
  try {
    result = fn()
  } catch (error) {
    restore()
    throw error
  }
  if (result instanceof Promise) return result.finally(restore) as R
  restore()
  return result
}

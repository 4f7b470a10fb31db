/** The reader's rule in the place of an op's: looked at before the library's walk sees it, and counted. */
import * as core from '@cotangent/core'
import { Tensor, type Vjp } from '@cotangent/core'

/** The argument `ops` of rules: besides the ops of the library's own rules all that the package exports, such as `conv2dTranspose`. */
const withAll = (ops: object): never => ({ ...ops, ...core }) as never

/** The result of the rule for one input of one record. */
export interface Part {
  readonly shape?: readonly number[]
  readonly values?: ArrayLike<number>
  readonly error?: Error
}

/** The rule is no rule: it does not return a function for each input, or a function returns no tensor. */
export class RuleError extends Error {
  override readonly name: string = 'RuleError'
}

const described = (value: unknown): string =>
  value === undefined
    ? 'nothing (undefined)'
    : value === null
      ? 'null'
      : value instanceof Tensor
        ? `a tensor [${value.shape.join(', ')}]`
        : Array.isArray(value)
          ? `an array of ${value.length}`
          : typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean'
            ? String(value)
            : `a ${typeof value === 'object' ? 'plain object' : typeof value}`

/** The reader's export, as a rule. */
export function ruleOf(exported: unknown): Vjp<object> {
  if (typeof exported === 'function') return exported as Vjp<object>
  throw new RuleError(`The code must export a function named vjp: export const vjp = (…) => […]. It exports ${described(exported)}.`)
}

/** The functions for the inputs, as the rule returns them. */
function functionsOf(
  returned: unknown,
  inputs: readonly Tensor[],
  names: readonly string[],
): readonly (((...none: never[]) => unknown) | null)[] {
  const wanted = `an array with a function for each input: [${names.map((name) => `() => the derivative by ${name}`).join(', ')}]`
  if (!Array.isArray(returned)) throw new RuleError(`vjp must return ${wanted}. It returns ${described(returned)}.`)
  if (returned.length !== inputs.length)
    throw new RuleError(`vjp must return ${wanted}. There are ${inputs.length} inputs, and it returns ${returned.length} entries.`)
  returned.forEach((entry, i) => {
    if (typeof entry === 'function' || (entry === null && !inputs[i].dtype.startsWith('float'))) return
    const hint = entry instanceof Tensor ? ' Put () => before it, so that it is computed only when somebody asks.' : ''
    throw new RuleError(`The entry for ${names[i] ?? `input ${i}`} must be a function. It is ${described(entry)}.${hint}`)
  })
  return returned
}

/**
 * The rule, with its results told to `see` before the walk gets them. All functions are called, so that a wrong shape of the first does not hide the second.
 */
export function watched(rule: Vjp<object>, names: readonly string[], see: (parts: readonly Part[]) => void): Vjp<object> {
  return (at, inputs, ops) => {
    const functions = functionsOf(rule(at, inputs, withAll(ops)), inputs, names)
    const results = functions.map((f, i): { tensor?: Tensor; error?: Error } => {
      if (!f || !inputs[i].dtype.startsWith('float')) return {}
      try {
        const tensor = f()
        if (tensor instanceof Tensor) return { tensor }
        const hint = typeof tensor === 'number' ? ' ops.mul(dY, 0) and the like make a tensor.' : ''
        throw new RuleError(`The function for ${names[i]} must return a tensor. It returns ${described(tensor)}.${hint}`)
      } catch (error) {
        return { error: error instanceof Error ? error : new RuleError(`The rule threw ${String(error)}.`) }
      }
    })
    see(
      results.map(({ tensor, error }) => ({
        error,
        shape: tensor?.shape,
        values: tensor && Float64Array.from(tensor.backend.readSync?.(tensor.storage) ?? []),
      })),
    )
    return results.map(({ tensor, error }) =>
      tensor || error
        ? () => {
            if (error) throw error
            return tensor as Tensor
          }
        : null,
    )
  }
}

/** The rule, counting the records that it was asked for. */
export function counted(rule: Vjp<object>, count: () => void): Vjp<object> {
  return (at, inputs, ops) => {
    count()
    return rule(at, inputs, withAll(ops))
  }
}

/** Names the mistake in a rule, if it is one that is often made. It compares the reader's results with those of the op's own rule and of known wrong ones. */
import { createReferenceBackend, record, registry, scope, tensor, type Vjp, withBackend, withDerivative } from '@cotangent/core'
import { type Case, inputOf, type Mistake, noise } from './cases/case.js'
import type { CaseResult } from './check.js'
import type { Exercise } from './ladder.js'
import { type Part, RuleError, watched } from './rule.js'

export interface Diagnosis {
  readonly title: string
  readonly text: string
}

type Filled = Required<Pick<Part, 'shape' | 'values'>>
const filled = (part: Part | undefined): Filled | undefined => (part?.shape && part.values ? (part as Filled) : undefined)

/** The result of the rule for each input of each record of the op, in float64, from a cotangent of the result that is `scale` times some numbers. */
function partsOf({ op, inputs: names }: Exercise, given: Case, vjp: Vjp<object>, scale = 1): (readonly Part[])[] {
  const seen: (readonly Part[])[] = []
  withBackend(createReferenceBackend(), () =>
    scope(() => {
      const sources = given.inputs.map((input, i) => inputOf(input, i))
      const xs = sources.map((x) => (x.dtype === 'float32' ? x.cast('float64') : x))
      try {
        withDerivative(
          op,
          watched(vjp, names, (parts) => seen.push(parts)),
          () => {
            const { result, tape } = record(xs, () => given.run(...xs))
            const seed = tensor(
              Array.from({ length: result.size }, (_, i) => scale * (noise(40, i) < 0.5 ? -0.3 - noise(41, i) : 0.3 + noise(41, i))),
              { shape: result.shape, dtype: 'float64' },
            )
            tape.backward(result, seed, xs)
          },
        )
      } catch {
        // The message is known from the check.
      }
    }),
  )
  return seen
}

const close = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-7 * (1 + Math.abs(b))
const sameShape = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((n, i) => n === b[i])
const all = (a: ArrayLike<number>, f: (value: number, i: number) => boolean): boolean => Array.from(a).every(f)
const equalParts = (a: Part, b: Part): boolean => {
  if (a.error || b.error) return a.error?.message === b.error?.message && a.error !== undefined
  const [x, y] = [filled(a), filled(b)]
  return (
    x !== undefined &&
    y !== undefined &&
    sameShape(x.shape, y.shape) &&
    all(x.values, (v, i) => close(v, y.values[i]) || Object.is(v, y.values[i]))
  )
}

/** Records and inputs of the case for which the rule differs from the op's own. */
function differing(own: (readonly Part[])[], reader: (readonly Part[])[]): [number, number][] {
  return reader.flatMap((parts, r) =>
    parts.flatMap((part, i): [number, number][] =>
      own[r]?.[i] && (own[r][i].shape || part.error) && !equalParts(part, own[r][i]) ? [[r, i]] : [],
    ),
  )
}

/**
 * @param failing the cases in which the rule is wrong, shown ones first
 * @param first what the check says of the first of them
 */
export function diagnose(
  exercise: Exercise,
  failing: readonly Case[],
  mistakes: readonly Mistake[],
  vjp: Vjp<object>,
  first: CaseResult,
): Diagnosis {
  if (first.error instanceof RuleError) return { title: 'This is no rule yet', text: first.error.message }
  const right = registry.get(exercise.op)?.vjp as Vjp<object>
  const looks = failing.map((given) => {
    const [own, reader] = [partsOf(exercise, given, right), partsOf(exercise, given, vjp)]
    const known = new Map<Mistake, (readonly Part[])[]>()
    const wrong = differing(own, reader)
    /** Whether the reader is wrong here just as this mistake is. */
    const same = (mistake: Mistake): boolean => {
      const parts = known.get(mistake) ?? partsOf(exercise, given, mistake.vjp as Vjp<object>)
      known.set(mistake, parts)
      return wrong.length > 0 && wrong.every(([r, i]) => parts[r]?.[i] && equalParts(reader[r][i], parts[r][i]))
    }
    return { given, own, reader, wrong, same }
  })
  // In all cases at best; else in the first, where two mistakes that look alike elsewhere may differ.
  const [{ given, own, reader, wrong }, ...others] = looks
  const found = mistakes.find((mistake) => looks.every(({ same }) => same(mistake))) ?? mistakes.find((mistake) => looks[0].same(mistake))
  if (found) return { title: found.title, text: found.text }
  for (const [r, i] of wrong) {
    const name = exercise.inputs[i]
    const general =
      ofShape(name, own[r][i], reader[r][i]) ??
      ofNumbers(name, own[r][i], reader[r][i]) ??
      ofCotangent(name, reader[r][i], partsOf(exercise, given, vjp, 2)[r]?.[i]) ??
      ofSwap(exercise.inputs, i, own[r], reader[r][i]) ??
      ofFactor(name, own[r][i], reader[r][i], given)
    if (general) return general
  }
  const why = first.why ? ` ${first.why}` : ''
  if (first.error && first.error.name !== 'GradientError')
    return { title: 'The rule stops with an error', text: `This happened in the case "${first.name}".${why}` }
  const later = mistakes.find((mistake) => others.some(({ same }) => same(mistake)))
  if (later) return { title: later.title, text: later.text }
  const place = first.hidden ? 'It is right in other shapes, but not in the case' : 'It is wrong in the case'
  return { title: 'The numbers differ', text: `${place} "${first.name}".${why} The marked places show where.` }
}

const shown = (shape: readonly number[]): string => `[${shape.join(', ')}]`
/** Whether a broadcasts to b. */
const spreads = (a: readonly number[], b: readonly number[]): boolean =>
  a.length <= b.length && a.every((n, i) => n === 1 || n === b[b.length - a.length + i])

function ofShape(name: string, own: Part, reader: Part): Diagnosis | undefined {
  const [expected, got] = [filled(own)?.shape, filled(reader)?.shape]
  if (!expected || !got || sameShape(expected, got)) return undefined
  const shapes = `${name} is ${shown(expected)}, and its derivative must be, too. Yours is ${shown(got)}.`
  if (spreads(expected, got))
    return {
      title: 'The sum over the repeated axes is missing',
      text: `${shapes} A number that was repeated gets the sum of the derivatives of all its uses: ops.sumTo(…, ${name}.shape).`,
    }
  if (spreads(got, expected))
    return {
      title: 'It is not repeated to the shape of the input',
      text: `${shapes} Each number of ${name} gets a derivative of its own: ops.broadcastTo(…, ${name}.shape).`,
    }
  if (got.length === expected.length && sameShape([...got].reverse(), expected))
    return { title: 'It is transposed', text: `${shapes} The axes are in the wrong order.` }
  if (got.reduce((n, each) => n * each, 1) === expected.reduce((n, each) => n * each, 1))
    return { title: 'The numbers are in another shape', text: `${shapes} It has as many numbers, but other axes.` }
  return { title: 'The wrong shape', text: shapes }
}

function ofNumbers(name: string, own: Part, reader: Part): Diagnosis | undefined {
  const [right, got] = [filled(own), filled(reader)]
  if (!right || !got) return undefined
  const broken = Array.from(got.values).findIndex((value) => !Number.isFinite(value))
  if (broken >= 0)
    return {
      title: `${got.values[broken]} in the derivative by ${name}`,
      text: 'A division by 0, an infinity minus or over an infinity, or the logarithm of a negative number makes such a value. Is there a form that avoids it?',
    }
  if (all(got.values, (value) => value === 0))
    return {
      title: `The derivative by ${name} is 0 everywhere`,
      text: `But y does move when ${name} moves. Is something multiplied by 0, or cut off?`,
    }
  return undefined
}

/** A rule is linear in dY: twice the cotangent gives twice the result. */
function ofCotangent(name: string, once: Part, twice: Part | undefined): Diagnosis | undefined {
  const [a, b] = [filled(once), filled(twice)]
  if (!a || !b) return undefined
  if (all(a.values, (value, i) => close(value, b.values[i])))
    return {
      title: 'dY is missing',
      text: `The derivative by ${name} does not depend on dY: you return the slope. Multiply it with what arrives from behind.`,
    }
  if (all(a.values, (value, i) => close(4 * value, b.values[i])))
    return { title: 'dY is used twice', text: `The derivative by ${name} grows with the square of dY. It is multiplied with dY once.` }
  if (!all(a.values, (value, i) => close(2 * value, b.values[i])))
    return {
      title: 'Not proportional to dY',
      text: `Twice the dY must give twice the derivative by ${name}. Here something is added that has no dY in it, or dY went through a function.`,
    }
  return undefined
}

function ofSwap(names: readonly string[], i: number, own: readonly Part[], reader: Part): Diagnosis | undefined {
  const other = own.findIndex((part, j) => j !== i && part.shape && equalParts(part, reader))
  if (other < 0) return undefined
  return {
    title: 'The derivative of another input',
    text: `What you return for ${names[i]} is the derivative by ${names[other]}. The functions stand in the order of the inputs.`,
  }
}

function ofFactor(name: string, own: Part, reader: Part, given: Case): Diagnosis | undefined {
  const [right, got] = [filled(own), filled(reader)]
  if (!right || !got) return undefined
  const { shape, values } = right
  const transposed = shape.length === 2 && shape[0] === shape[1]
  if (transposed && all(got.values, (value, at) => close(value, values[(at % shape[0]) * shape[0] + Math.floor(at / shape[0])])))
    return { title: 'It is transposed', text: `The derivative by ${name} has its rows and columns swapped.` }
  const at = Array.from(values).findIndex((value) => Math.abs(value) > 1e-6)
  if (at < 0) return undefined
  const factor = got.values[at] / values[at]
  if (!all(got.values, (value, i) => close(value, factor * values[i]))) return undefined
  if (close(factor, -1))
    return { title: 'The sign is wrong', text: `The derivative by ${name} is the right one times −1. With it, training walks uphill.` }
  const written = close(factor, Math.round(factor))
    ? String(Math.round(factor))
    : close(1 / factor, Math.round(1 / factor))
      ? `1/${Math.round(1 / factor)}`
      : factor.toPrecision(4)
  const sizes = new Map<number, string>()
  given.inputs.forEach((input, k) => {
    sizes.set(
      input.shape.reduce((n, each) => n * each, 1),
      `there are as many numbers in input ${k}`,
    )
    input.shape.forEach((n, axis) => {
      sizes.set(n, `axis ${axis} of input ${k} has that size`)
    })
  })
  const size = [...sizes].find(([n]) => n > 1 && (close(factor, n) || close(factor, 1 / n)))
  const because = size ? ` The number ${size[0]} is no chance: ${size[1]}. A mean stands where a sum belongs, or the other way round.` : ''
  return {
    title: `Wrong by a factor of ${written}`,
    text: `The derivative by ${name} is the right one times ${written}, everywhere.${because}`,
  }
}

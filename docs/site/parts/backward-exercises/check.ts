/** Checks a rule: the reader's takes the place of the op's, and the library's gradCheck compares it with central differences. */
import { type GradCheckElement, gradCheck, type Tensor, type Vjp, withDerivative } from '@cotangent/core'
import { type Case, inputOf } from './cases/case.js'
import { checks } from './cases/index.js'
import { type Diagnosis, diagnose } from './diagnose.js'
import { ladder } from './ladder.js'
import { type Part, watched } from './rule.js'

/** One input of a case, with both derivatives. */
export interface Compared {
  readonly name: string
  readonly shape: readonly number[]
  readonly analytic: number[]
  readonly numeric: number[]
  /** The places where the two differ. */
  readonly wrong: number[]
}

export interface CaseResult {
  readonly name: string
  readonly hidden: boolean
  readonly passed: boolean
  readonly shapes: readonly (readonly number[])[]
  /** How many numbers were compared. */
  readonly checked: number
  /** The message of the library, if the rule is wrong. */
  readonly message?: string
  /** Where in the reader's code it happened. */
  readonly error?: Error
  readonly compared: readonly Compared[]
  readonly why?: string
}

export interface CheckResult {
  readonly passed: boolean
  readonly cases: readonly CaseResult[]
  readonly diagnosis?: Diagnosis
}

const inputsOf = (given: Case): Tensor[] => given.inputs.map((input, i) => inputOf(input, i))

/** @param onCase hears after each case that the check goes on */
export async function checkRule(id: string, vjp: Vjp<object>, onCase: (done: number) => void = () => {}): Promise<CheckResult> {
  const exercise = ladder.find((each) => each.id === id)
  if (!exercise) throw new Error(`There is no exercise "${id}".`)
  const { cases, mistakes } = checks[id]
  const results: CaseResult[] = []
  for (const given of cases) onCase(results.push(await checkCase(exercise.op, exercise.inputs, given, vjp)))
  const failing = cases.filter((_, i) => !results[i].passed)
  if (failing.length === 0) return { passed: true, cases: results }
  const first = results.find(({ passed }) => !passed) as CaseResult
  return { passed: false, cases: results, diagnosis: diagnose(exercise, failing, mistakes, vjp, first) }
}

async function checkCase(op: string, names: readonly string[], given: Case, vjp: Vjp<object>): Promise<CaseResult> {
  const inputs = inputsOf(given)
  const seen: GradCheckElement[] = []
  let error: Error | undefined
  const ignore = (_: readonly Part[]): void => {}
  try {
    await withDerivative(op, watched(vjp, names, ignore), () =>
      gradCheck((...xs) => given.run(...xs), inputs, { onElement: (element) => seen.push(element) }),
    )
  } catch (thrown) {
    error = thrown as Error
  }
  // A case may give one tensor twice, so its names are those of the op only if the counts are equal.
  const nameOf = (i: number): string => (inputs.length === names.length ? names[i] : 'x')
  const compared = inputs.flatMap(({ shape, dtype }, i): Compared[] => {
    const own = seen.filter(({ input }) => input === i)
    if (!dtype.startsWith('float') || own.length === 0) return []
    return [
      {
        name: nameOf(i),
        shape,
        analytic: own.map(({ analytic }) => analytic),
        numeric: own.map(({ numeric }) => numeric),
        wrong: own.flatMap(({ agrees, index }) => (agrees ? [] : [index])),
      },
    ]
  })
  return {
    name: given.name,
    hidden: given.hidden ?? false,
    passed: error === undefined,
    shapes: inputs.map(({ shape }) => shape),
    checked: seen.length,
    message: error?.message,
    error,
    compared,
    why: given.why,
  }
}

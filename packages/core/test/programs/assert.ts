/** Runs random programs until one fails; shrinks it, and throws with what is left of it as text. */
import * as fc from 'fast-check'

export interface Found {
  readonly wrong: readonly string[]
}

export async function assertPrograms<P>(
  programs: fc.Arbitrary<P>,
  print: (program: P) => string,
  { count, seed }: { count: number; seed: number },
  check: (program: P, run: number) => Promise<Found>,
): Promise<void> {
  let run = 0
  const property = fc.asyncProperty(programs, async (program) => {
    const { wrong } = await check(program, run++)
    if (wrong.length > 0) throw new Error(wrong.join('\n'))
  })
  const found = await fc.check(property, { numRuns: count, seed })
  if (!found.failed) return
  const [program] = found.counterexample as [P]
  const problem = found.errorInstance instanceof Error ? (found.errorInstance.stack ?? '') : ''
  throw new Error(
    `program ${found.numRuns} of seed ${found.seed}, shrunk ${found.numShrinks} times (path ${found.counterexamplePath}):\n${problem}\n\n${print(program)}`,
  )
}

/** Ends a walk with what is wrong, unless it holds. */
export function need(holds: unknown, wrong: string): asserts holds {
  if (!holds) throw new Error(wrong)
}

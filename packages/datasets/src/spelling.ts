/** Names of options in Keras' spelling and ours, and the nearest to one that does not exist. */

/** `batchSize` → `batch_size`, at the type level. */
export type SnakeCase<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? First extends Lowercase<First>
    ? `${First}${SnakeCase<Rest>}`
    : `_${Lowercase<First>}${SnakeCase<Rest>}`
  : Name

/** Options in camelCase or in Keras' snake_case. */
export type SpelledOptions<Options> = Options & { [Key in keyof Options as SnakeCase<Key & string>]?: Options[Key] }

/** `batch_size` → `batchSize`. */
export const camelCase = (name: string): string => name.replace(/_+([a-z0-9])/gi, (_, next: string) => next.toUpperCase())

/** The part that all spellings of a name share: its letters and digits in lower case. */
export const canonical = (name: string): string => name.replace(/[^a-z0-9]/gi, '').toLowerCase()

/**
 * The fewest insertions, deletions, replacements and swaps of neighbours that turn a into b (optimal string alignment; Damerau 1964), by rows.
 */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) next[j] = Math.min(next[j], before[j - 2] + 1)
    }
    before = row
    row = next
  }
  return row[b.length]
}

/** The candidate nearest to a mistyped name, if one is near: at most a third of its letters differ. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  // Longer than any name there is: not a mistyped one, and the distance would take time quadratic in it.
  if (name.length > 100) return undefined
  const wanted = canonical(name)
  const ranked = candidates.map((candidate) => ({ candidate, distance: editDistance(wanted, canonical(candidate)) }))
  const best = ranked.sort((a, b) => a.distance - b.distance)[0]
  if (best === undefined) return undefined
  return best.distance <= Math.max(1, Math.floor(Math.max(canonical(best.candidate).length, wanted.length) / 3))
    ? best.candidate
    : undefined
}

/** The reader's code and solved exercises: kept in this browser, and as a file to take along. */
import { ladder } from './ladder.js'

export interface Entry {
  /** The text of the editor. */
  readonly code?: string
  /** The code that passed the check last. */
  readonly solved?: string
  /** How many hints were opened. */
  readonly hints?: number
}
export type Progress = Readonly<Record<string, Entry>>

const KEY = 'cotangent-exercises'
const FORMAT = 'cotangent-exercises-1'

export function load(): Progress {
  try {
    return entriesOf(JSON.parse(localStorage.getItem(KEY) ?? '{}'))
  } catch {
    return {} // no storage here, or what is there is damaged
  }
}

/** False if the browser keeps nothing. */
export function save(progress: Progress): boolean {
  try {
    localStorage.setItem(KEY, JSON.stringify(progress))
    return true
  } catch {
    return false
  }
}

export function clear(): void {
  try {
    localStorage.removeItem(KEY)
  } catch {
    // nothing is kept
  }
}

export const asFile = (progress: Progress): string => `${JSON.stringify({ format: FORMAT, exercises: progress }, null, 1)}\n`

/** @throws Error that says what is wrong with the file */
export function fromFile(text: string): Progress {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    throw new Error('This file is no JSON. Choose a file that this page has saved.')
  }
  const { format, exercises } = (content ?? {}) as { format?: unknown; exercises?: unknown }
  if (format !== FORMAT) throw new Error('This file holds no exercises. Choose a file that this page has saved.')
  return entriesOf(exercises)
}

/** Only what belongs there, whatever else the file or the storage holds. */
function entriesOf(given: unknown): Progress {
  const all = (typeof given === 'object' && given !== null ? given : {}) as Record<string, unknown>
  const text = (value: unknown): string | undefined => (typeof value === 'string' && value.length < 50_000 ? value : undefined)
  return Object.fromEntries(
    ladder.flatMap(({ id }): [string, Entry][] => {
      const entry = (Object.hasOwn(all, id) ? all[id] : undefined) as Record<string, unknown> | undefined
      if (typeof entry !== 'object' || entry === null) return []
      const hints = [0, 1, 2, 3].find((count) => count === entry.hints)
      return [[id, { code: text(entry.code), solved: text(entry.solved), hints }]]
    }),
  )
}

/** The walks, by the names that `--only` takes, in the order in which they run. */
import type { Page } from 'playwright-core'
import * as book from './book.js'
import * as exercises from './exercises.js'
import * as explorer from './explorer.js'
import * as front from './front.js'
import * as lens from './lens.js'
import * as machine from './machine.js'
import * as source from './source.js'
import * as timeMachine from './time-machine.js'

/** A walk: does what a reader would, and tells what it saw. It throws if something is wrong. */
export type Walk = (page: Page, base: string) => Promise<string[]>

export const walks: Readonly<Record<string, Walk>> = {
  book: book.walk,
  exercises: exercises.walk,
  explorer: explorer.walk,
  front: front.walk,
  lens: lens.walk,
  machine: machine.walk,
  source: source.walk,
  'time-machine': timeMachine.walk,
}

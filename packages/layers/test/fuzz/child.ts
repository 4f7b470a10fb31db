/** Reads mutants one after the other, and reports the outcome of each. */
import { CotangentError } from '@cotangent/core'
import { DatasetError } from '@cotangent/datasets'
import { FILE, readers, unnamed } from './readers.js'

/** The work of a process. */
export interface Task {
  readonly reader: string
  readonly from: number
  readonly to: number
}
export interface Outcome {
  readonly number: number
  /** 'starts' is sent before a mutant is read; another kind, with the further entries, after it. */
  readonly kind: 'starts' | 'loads' | 'refused' | 'nameless' | 'foreign' | 'broken'
  readonly said?: string
  /** The growth of the process's peak memory. */
  readonly megabytes?: number
  readonly milliseconds?: number
}

const say = (outcome: Outcome): Promise<void> =>
  new Promise((done, fail) => {
    process.send?.(outcome, undefined, undefined, (error) => (error ? fail(error) : done()))
  })

const megabytes = (): number => process.resourceUsage().maxRSS / 1024

/** Whether an error is one of this project's. */
const isOurs = (error: unknown): boolean => error instanceof CotangentError || error instanceof DatasetError

async function read(reader: string, number: number): Promise<Outcome> {
  let run: () => unknown
  try {
    run = await readers[reader].mutant(number)
  } catch (error) {
    return { number, kind: 'broken', said: String((error as Error).stack) }
  }
  await say({ number, kind: 'starts' })
  const [before, start] = [megabytes(), performance.now()]
  const end = (): { megabytes: number; milliseconds: number } => ({
    megabytes: megabytes() - before,
    milliseconds: performance.now() - start,
  })
  try {
    await run()
    return { number, kind: 'loads', ...end() }
  } catch (error) {
    const cost = end()
    if (!isOurs(error)) return { number, kind: 'foreign', said: String((error as Error)?.stack ?? error), ...cost }
    const { message } = error as Error
    return { number, kind: message.includes(FILE) || unnamed.includes(reader) ? 'refused' : 'nameless', said: message, ...cost }
  }
}

process.on('message', async ({ reader, from, to }: Task) => {
  for (let number = from; number < to; number++) await say(await read(reader, number))
  process.exit(0)
})

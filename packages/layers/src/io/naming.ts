/** The one place that makes errors name the file: readers deep inside know a layer or a key, and not what the file is called. */
import { CotangentError } from '@cotangent/core'

/** The error with the name of the file in front, if it is one of ours that does not have it. */
function named(error: unknown, what: string): unknown {
  if (!(error instanceof CotangentError) || [`${what}:`, `${what},`, `in ${what}`].some((place) => error.message.includes(place)))
    return error
  const { message, stack } = error
  error.message = `${what}: ${message}`
  // The stack, which is what an uncaught error prints, was written with the message of before.
  if (stack) error.stack = stack.replace(message, () => error.message)
  return error
}

/** Runs work on a file; errors of ours name it. */
export function naming<T>(what: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw named(error, what)
  }
}

/** The same for work that waits. */
export async function namingLater<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw named(error, what)
  }
}

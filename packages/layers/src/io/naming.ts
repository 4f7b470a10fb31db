/** Adds the name of the file to errors. This is the only place that does so: readers know a layer or a key, but not the file's name. */
import { CotangentError } from '@cotangent/core'

/** The error with the name of the file in front, if it is an error of ours without it. */
function named(error: unknown, what: string): unknown {
  if (!(error instanceof CotangentError) || [`${what}:`, `${what},`, `in ${what}`].some((place) => error.message.includes(place)))
    return error
  const { message, stack } = error
  error.message = `${what}: ${message}`
  // An uncaught error prints its stack, which holds the former message. So the stack is changed, too.
  if (stack) error.stack = stack.replace(message, () => error.message)
  return error
}

/** Runs work on a file; errors of ours get its name. */
export function naming<T>(what: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw named(error, what)
  }
}

/** Runs asynchronous work on a file; errors of ours get its name. */
export async function namingLater<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw named(error, what)
  }
}

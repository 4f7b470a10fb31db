/** Errors of this package beyond those of the core. */
import { CotangentError } from '@cotangent/core'

/** A model used before it was compiled or built. */
export class CompileError extends CotangentError {
  override name = 'CompileError'
}

/** Errors of this package in addition to core's. */
import { CotangentError } from '@cotangent/core'

/** Thrown when a model is used before it was compiled or built. */
export class CompileError extends CotangentError {
  override name = 'CompileError'
}

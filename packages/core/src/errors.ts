/**
 * Every error the library throws, and the wording of all messages about shapes.
 *
 * A message says what failed, shows the shapes with the bad axes underlined, and says what to do. Layers add where it happened (`addContext`).
 */
import type { Shape } from './tensor/shape.js'

/** The base of all errors that the library throws on purpose. Catch it to tell them from bugs. */
export class CotangentError extends Error {
  override name = 'CotangentError'
}
/** The error for shapes that do not fit. */
export class ShapeError extends CotangentError {
  override name = 'ShapeError'
}
/** The error for an element type that a function cannot take. */
export class DTypeError extends CotangentError {
  override name = 'DTypeError'
}
/** The error for any other wrong argument: an axis, a rate, a name, a value out of range. */
export class ValueError extends CotangentError {
  override name = 'ValueError'
}
/** The error for a tensor that is used after its memory was given back. */
export class DisposedError extends CotangentError {
  override name = 'DisposedError'
}
/** The error for a derivative that does not exist: the loss does not depend on a source, a parameter changed in between, or an op has no derivative. */
export class GradientError extends CotangentError {
  override name = 'GradientError'
}
/** The error for NaN or infinity where a finite number was expected. */
export class NonFiniteError extends CotangentError {
  override name = 'NonFiniteError'
}
/** The error for a backend that is missing, mixed with another, or out of memory. */
export class BackendError extends CotangentError {
  override name = 'BackendError'
}

/** An operand in a message about shapes. */
export interface ShownShape {
  name: string
  shape: Shape
  /** The axes to underline; a negative one counts from the end. */
  bad?: readonly number[]
}

/**
 * A shape as text. An axis of any size (null) shows as `?`.
 *
 * @example
 * ```ts
 * console.log(showShape([null, 784])) // [?, 784]
 * ```
 */
export const showShape = (shape: readonly (number | null)[]): string => `[${shape.map((n) => n ?? '?').join(', ')}]`

/**
 * Makes a ShapeError that shows its operands side by side, with the wrong axes underlined:
 *
 * ```
 * matMul: inner dimensions differ (784 vs 128)
 *   a  [32, 784]    b  [128, 10]
 *           ^^^        ^^^
 *   If b is stored as [out, in], pass { transposeB: true }.
 * ```
 *
 * @example
 * ```ts
 * const { message } = shapeError('pair', 'sizes differ', [{ name: 'x', shape: [2, 3], bad: [1] }])
 * console.log(message) // pair: sizes differ
 *                      //   x  [2, 3]
 *                      //         ^
 * ```
 */
export function shapeError(op: string, problem: string, operands: readonly ShownShape[], hint?: string): ShapeError {
  let line = '  '
  let marks = '  '
  for (const { name, shape, bad = [] } of operands) {
    const wrong = new Set(bad.map((axis) => (axis < 0 ? axis + shape.length : axis)))
    line += `${name}  [`
    marks = marks.padEnd(line.length)
    shape.forEach((size, axis) => {
      const text = String(size)
      line += text
      marks += (wrong.has(axis) ? '^' : ' ').repeat(text.length)
      if (axis < shape.length - 1) {
        line += ', '
        marks += '  '
      }
    })
    line += ']    '
    marks = marks.padEnd(line.length)
  }
  const lines = [`${op}: ${problem}`, line.trimEnd()]
  if (marks.trim()) lines.push(marks.trimEnd())
  if (hint) lines.push(`  ${hint}`)
  return new ShapeError(lines.join('\n'))
}

/** The error for a reduction of whole numbers whose result int32 cannot hold. */
export const beyondInt32 = (op: 'sum' | 'prod' | 'cumSum'): ValueError =>
  new ValueError(`${op}: the result is beyond int32, which holds −2147483648 to 2147483647. Cast first: x.cast('float32').`)

/**
 * Adds to the message of an error where it happened, once: `in layer "dense_2" (Dense, units 10)`. Returns the error.
 *
 * @example
 * ```ts
 * const error = addContext(new ShapeError('shapes differ'), 'in layer "dense_1"')
 * console.log(error.message) // shapes differ
 *                            //   in layer "dense_1"
 * ```
 */
export function addContext(error: unknown, context: string): unknown {
  if (error instanceof CotangentError && !error.message.includes(context)) {
    const { message, stack } = error
    error.message += `\n  ${context}`
    // An uncaught error prints its stack, which holds a copy of the old message.
    if (stack) error.stack = stack.replace(message, () => error.message)
  }
  return error
}

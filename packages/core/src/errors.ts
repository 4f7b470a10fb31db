/**
 * Every error the library throws, and the one place that words messages about shapes.
 *
 * A message says what failed, shows the shapes with the bad axes marked, and says what to do. Layers add where it happened
 * with `addContext`.
 */
import type { Shape } from './tensor/shape.js'

/** Base of all errors thrown on purpose; catch this to tell them from bugs. */
export class CotangentError extends Error {
  override name = 'CotangentError'
}
/** Shapes that do not fit. */
export class ShapeError extends CotangentError {
  override name = 'ShapeError'
}
/** An element type that an operation cannot take. */
export class DTypeError extends CotangentError {
  override name = 'DTypeError'
}
/** An argument that is not a shape or a dtype: an axis, a rate, a name, a value out of range. */
export class ValueError extends CotangentError {
  override name = 'ValueError'
}
/** A tensor used after its memory was given back. */
export class DisposedError extends CotangentError {
  override name = 'DisposedError'
}
/** A derivative that does not exist: an unconnected loss, a changed parameter, an op without one. */
export class GradientError extends CotangentError {
  override name = 'GradientError'
}
/** NaN or infinity where a finite number was expected. */
export class NonFiniteError extends CotangentError {
  override name = 'NonFiniteError'
}
/** A backend that is missing, mixed with another, or out of memory. */
export class BackendError extends CotangentError {
  override name = 'BackendError'
}

/** One line of a shape message: an operand and the axes that are wrong. */
export interface ShownShape {
  name: string
  shape: Shape
  /** Axes to underline; negative counts from the end. */
  bad?: readonly number[]
}

/** `[32, 784]`; a null axis (any size) shows as `?`. */
export const showShape = (shape: readonly (number | null)[]): string => `[${shape.map((n) => n ?? '?').join(', ')}]`

/**
 * A ShapeError that shows its operands side by side with the offending axes underlined.
 *
 * ```
 * matMul: inner dimensions differ (784 vs 128)
 *   a  [32, 784]    b  [128, 10]
 *           ^^^        ^^^
 *   If b is stored as [out, in], pass { transposeB: true }.
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

/** A reduction of whole numbers whose result is none that int32 holds. */
export const beyondInt32 = (op: 'sum' | 'prod' | 'cumSum'): ValueError =>
  new ValueError(`${op}: the result is beyond int32, which holds −2147483648 to 2147483647. Cast first: x.cast('float32').`)

/** Appends where an error happened (`in layer "dense_2" (Dense, units 10)`) to its message, once. */
export function addContext(error: unknown, context: string): unknown {
  if (error instanceof CotangentError && !error.message.includes(context)) {
    const { message, stack } = error
    error.message += `\n  ${context}`
    // The stack, which is what an uncaught error prints, was written with the message of before.
    if (stack) error.stack = stack.replace(message, () => error.message)
  }
  return error
}

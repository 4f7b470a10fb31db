/** The shapes that the equation of an `EinsumDense` asks for. Source: Keras 3, layers/core/einsum_dense.py. */
import { ShapeError, ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import type { BatchShape } from '../../layer-types.js'

/** The letters of input, kernel and output. The ellipsis of input and output stands before the letters, after them, or nowhere. */
interface DenseEquation {
  readonly input: string
  readonly kernel: string
  readonly output: string
  readonly open: 'before' | 'after' | undefined
}

export interface DenseShapes {
  readonly kernel: number[]
  readonly bias?: number[]
  readonly output: (number | null)[]
}

/** @throws ValueError for anything but an equation such as 'abc,cd->abd', '...x,xy->...y' or 'abc...,cd->abd...' */
export function readDenseEquation(className: string, name: string, given: unknown): DenseEquation {
  const forms: readonly [RegExp, DenseEquation['open']][] = [
    [/^([a-zA-Z]+),([a-zA-Z]+)->([a-zA-Z]+)$/, undefined],
    [/^\.\.\.([a-zA-Z]+),([a-zA-Z]+)->\.\.\.([a-zA-Z]+)$/, 'before'],
    [/^([a-zA-Z]+)\.\.\.,([a-zA-Z]+)->([a-zA-Z]+)\.\.\.$/, 'after'],
  ]
  const text = typeof given === 'string' ? given.replaceAll(' ', '') : ''
  for (const [form, open] of forms) {
    const [, input, kernel, output] = form.exec(text) ?? []
    if (!input) continue
    const twice = [input, kernel, output].some((letters) => new Set(letters).size < letters.length)
    if (!twice && [...output].every((letter) => (input + kernel).includes(letter))) return { input, kernel, output, open }
  }
  throw new ValueError(
    `${className}: ${name} must be letters of input, kernel and output, such as 'abc,cd->abd' or '...x,xy->...y', got ${describeValue(given)}.`,
  )
}

/** The shapes of kernel, bias and output for an input. `sizes` are those of the output without the batch and without what an ellipsis stands for. */
export function denseShapes(
  layer: { readonly className: string; describe(): string },
  equation: string,
  sizes: readonly (number | null)[],
  biasAxes: string | undefined,
  inputShape: BatchShape,
): DenseShapes {
  const { input, kernel, output, open } = readDenseEquation(layer.className, 'equation', equation)
  const rest = inputShape.length - input.length
  const shape = `[${inputShape.map((n) => n ?? '?').join(', ')}]`
  if (rest < 0 || (rest > 0 && !open))
    throw new ShapeError(`${layer.describe()}: the equation has ${input.length} axes of the input, got ${shape}.`)
  const before = open === 'before' ? rest : 0
  const known = new Map([...input].map((letter, i) => [letter, inputShape[before + i]]))
  const full: (number | null)[] = [inputShape[0], ...(open === 'before' ? inputShape.slice(1, Math.max(rest, 1)) : []), ...sizes]
  if (full.length !== before + output.length) {
    throw new ShapeError(
      `${layer.describe()}: outputShape [${sizes.map((n) => n ?? 'null').join(', ')}] does not fit the letters of the output, "${output}".`,
    )
  }
  for (const [i, letter] of [...output].entries()) {
    const at = before + i
    const given = known.get(letter)
    if (given !== undefined && given !== null && full[at] !== null && full[at] !== given)
      throw new ShapeError(`${layer.describe()}: outputShape says ${full[at]} for "${letter}", but the input ${shape} has ${given}.`)
    full[at] ??= given ?? null
    if (!known.has(letter)) known.set(letter, full[at])
  }
  const size = (letter: string): number => {
    const n = known.get(letter)
    if (typeof n === 'number') return n
    throw new ShapeError(
      `${layer.describe()}: the size of "${letter}" must be known to make the weights; it is neither in the input ${shape} nor in outputShape.`,
    )
  }
  const bias =
    biasAxes &&
    [...output.slice(Math.min(...[...biasAxes].map((letter) => output.indexOf(letter))))].map((letter) =>
      biasAxes.includes(letter) ? size(letter) : 1,
    )
  return {
    kernel: [...kernel].map(size),
    bias: bias ? [...bias, ...(open === 'after' ? new Array<number>(rest).fill(1) : [])] : undefined,
    output: open === 'after' ? [...full, ...inputShape.slice(input.length)] : full,
  }
}

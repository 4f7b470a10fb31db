/** The tensors that the reader's code differentiates by, and the names of all its tensors. */
import { GradientError, Parameter, ShapeError, Tensor } from '@cotangent/core'
import { type Heard, isFloat } from './listen.js'

/** The names of tensors among the variables at the top of the code: `W`, `weights.W`, `layers[0]`. */
export function namesIn(variables: Readonly<Record<string, unknown>>): Map<Tensor, string> {
  const names = new Map<Tensor, string>()
  const name = (value: unknown, text: string): void => {
    if (value instanceof Tensor && !names.has(value)) names.set(value, text)
  }
  for (const [text, value] of Object.entries(variables)) name(value, text)
  for (const [text, value] of Object.entries(variables)) {
    if (Array.isArray(value)) for (const [i, each] of value.entries()) name(each, `${text}[${i}]`)
    else if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype)
      for (const [key, each] of Object.entries(value)) name(each, `${text}.${key}`)
  }
  return names
}

/** The tensor called `loss`. */
export function lossIn(variables: Readonly<Record<string, unknown>>): Tensor {
  const { loss } = variables
  if (loss === undefined)
    throw new GradientError(
      'There is no variable "loss" at the top of the code. Give the number to differentiate this name: const loss = …',
    )
  if (!(loss instanceof Tensor)) {
    const kind =
      typeof loss === 'function'
        ? 'a function: call it'
        : `${typeof loss === 'number' ? 'a plain number' : typeof loss}: make it of tensors`
    throw new GradientError(`The variable "loss" is no tensor, but ${kind}.`)
  }
  if (loss.size !== 1)
    throw new ShapeError(`The loss must be one number, and it has shape [${loss.shape.join(', ')}]. End with .mean() or .sum().`)
  return loss
}

/**
 * The variable `sources` names them. Otherwise they are all parameters that the code used or named; without a parameter, the named tensors that are not made of
 * other named tensors.
 */
export function sourcesOf(
  variables: Readonly<Record<string, unknown>>,
  names: ReadonlyMap<Tensor, string>,
  heard: readonly Heard[],
  loss: Tensor,
): Tensor[] {
  const { sources } = variables
  if (sources !== undefined) {
    const given = sources instanceof Tensor ? [sources] : typeof sources === 'object' && sources !== null ? Object.values(sources) : []
    if (given.length === 0 || !given.every((each) => each instanceof Tensor))
      throw new GradientError('The variable "sources" must be a list of tensors: const sources = [W, b]')
    return [...new Set(given as Tensor[])]
  }
  const used = heard.flatMap(({ inputs }) => inputs)
  const parameters = [...new Set([...used, ...names.keys()])].filter((each) => each instanceof Parameter && isFloat(each.dtype))
  if (parameters.length > 0) return parameters
  const dependent = new Set<Tensor>()
  for (const { inputs, output } of heard) if (inputs.some((input) => names.has(input) || dependent.has(input))) dependent.add(output)
  return [...names.keys()].filter((each) => isFloat(each.dtype) && !dependent.has(each) && each !== loss)
}

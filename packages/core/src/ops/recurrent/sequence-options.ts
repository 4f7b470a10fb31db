/** The common part of the public sequence ops: their options and checks, the inputs of the op, and the results taken from its output. */
import { requireBoolean, requireOptions } from '../../arguments.js'
import { shapeError, showShape, ValueError } from '../../errors.js'
import type { Shape } from '../../tensor/shape.js'
import { requireTensor, requireTensors, type Tensor } from '../../tensor/tensor.js'
import { zeros } from '../create.js'
import { greater } from '../elementwise/binary.js'
import { cast } from '../elementwise/elementwise.js'
import { where } from '../elementwise/select.js'
import { affine } from '../product/affine.js'
import { matMul } from '../product/matmul.js'
import { requireFloats } from '../requirements.js'
import { reshape, slice, transpose } from '../shape/move.js'

/** Options of `lstmSequence`, `gruSequence` and `simpleRnnSequence`. */
export interface SequenceOptions {
  /** The states before the first step, each [n, u]; zeros by default. */
  initialState?: readonly Tensor[]
  /** Which steps count, [n, t]. At steps where it is false (or 0), the states stay as they are. */
  mask?: Tensor
  /** Whether to take the steps from the last to the first. The outputs are then in that order too. */
  goBackwards?: boolean
  /** Dropout factors [n, u], 0 or 1/(1 − rate), the same for all steps: h₋ is multiplied by them before the recurrent product. */
  recurrentDropout?: Tensor
  /** Whether to return `outputs`; true by default. */
  returnSequences?: boolean
}

/** The result of a sequence op. */
export interface SequenceResult {
  /** The state h after each step, in the order the steps were taken, [n, t, u]; absent with `returnSequences: false`. */
  outputs?: Tensor
  /** The states after the last step, each [n, u]. */
  states: Tensor[]
}

const SEQUENCE_OPTIONS = ['initialState', 'mask', 'goBackwards', 'recurrentDropout', 'returnSequences'] as const

/**
 * Throws unless the shapes fit: x [n, t, in], kernel [in, g·u], recurrentKernel [u, g·u], bias as `biasShape` says, states and dropout [n, u],
 * mask [n, t].
 */
export function requireSequence(
  op: string,
  { x, kernel, recurrentKernel, bias }: { x: Tensor; kernel: Tensor; recurrentKernel: Tensor; bias?: Tensor },
  biasShape: (width: number) => Shape,
  gates: number,
  states: number,
  options: SequenceOptions,
  more: readonly string[] = [],
): void {
  requireFloats(op, 'x', x)
  requireTensor(op, 'kernel', kernel)
  requireTensor(op, 'recurrentKernel', recurrentKernel)
  if (bias !== undefined) requireTensor(op, 'bias', bias)
  requireOptions(op, options, [...SEQUENCE_OPTIONS, ...more])
  const { initialState, mask, recurrentDropout, goBackwards, returnSequences } = options
  if (mask !== undefined) requireTensor(op, 'mask', mask)
  if (recurrentDropout !== undefined) requireTensor(op, 'recurrentDropout', recurrentDropout)
  if (initialState !== undefined) requireTensors(op, 'initialState', initialState)
  if (goBackwards !== undefined) requireBoolean(op, 'goBackwards', goBackwards)
  if (returnSequences !== undefined) requireBoolean(op, 'returnSequences', returnSequences)
  const fail = (name: string, tensor: Tensor, expected: string): never => {
    throw shapeError(
      op,
      `${name} is ${showShape(tensor.shape)}, expected ${expected}`,
      [
        { name: 'x', shape: x.shape },
        { name, shape: tensor.shape },
      ],
      `Shapes: x [n, t, in], kernel [in, ${gates}u], recurrentKernel [u, ${gates}u], states [n, u], mask [n, t].`,
    )
  }
  if (x.rank !== 3) fail('x', x, 'three axes [n, t, in]')
  if (recurrentKernel.rank !== 2) fail('recurrentKernel', recurrentKernel, `two axes [u, ${gates}u]`)
  const [n, t, inputs] = x.shape
  if (t === 0) fail('x', x, 'at least one step')
  const units = recurrentKernel.shape[0]
  const width = gates * units
  const require = (name: string, tensor: Tensor | undefined, ...shape: number[]): void => {
    if (tensor && showShape(tensor.shape) !== showShape(shape)) fail(name, tensor, showShape(shape))
  }
  require('recurrentKernel', recurrentKernel, units, width)
  require('kernel', kernel, inputs, width)
  require('bias', bias, ...biasShape(width))
  require('mask', mask, n, t)
  require('recurrentDropout', recurrentDropout, n, units)
  if (initialState && initialState.length !== states) {
    throw new ValueError(`${op}: ${states} initial state${states > 1 ? 's are' : ' is'} needed, got ${initialState.length}.`)
  }
  for (const [i, state] of (initialState ?? []).entries()) require(`initialState[${i}]`, state, n, units)
}

/** x with 0 at masked steps. Otherwise a NaN there would spoil the products of the walk back. */
export const countedSteps = (x: Tensor, { mask }: SequenceOptions): Tensor =>
  mask ? where(reshape(mask.dtype === 'bool' ? mask : greater(mask, 0), [...mask.shape, 1]), x, 0) : x

/**
 * x·W + b for all steps at once, with x 0 at masked steps.
 *
 * Shape: [n, t, in] → [n, t, g·u]
 */
export function project(x: Tensor, kernel: Tensor, bias: Tensor | undefined, options: SequenceOptions): Tensor {
  const counted = countedSteps(x, options)
  return bias ? affine(counted, kernel, bias) : matMul(counted, kernel)
}

/** The given initial states, or zeros. */
export const initialStates = (x: Tensor, units: number, count: number, given: readonly Tensor[] | undefined): readonly Tensor[] =>
  given ?? Array.from({ length: count }, () => zeros([x.shape[0], units], { dtype: x.dtype, backend: x.backend }))

/** The inputs that only some calls have: dropout factors, then the mask. They come last. */
export const optionalInputs = (x: Tensor, { recurrentDropout, mask }: SequenceOptions): Tensor[] => [
  ...(recurrentDropout ? [recurrentDropout] : []),
  ...(mask ? [cast(mask, x.dtype)] : []),
]

/** Takes the outputs and the last states out of the output of the op, [parts, t, n, u]. */
export function takeResult(packed: Tensor, states: number, { returnSequences = true }: SequenceOptions): SequenceResult {
  const [, t, n, u] = packed.shape
  const last = Array.from({ length: states }, (_, p) => reshape(slice(packed, [p, t - 1, 0, 0], [1, 1, n, u]), [n, u]))
  if (!returnSequences) return { states: last }
  const outputs = transpose(reshape(slice(packed, [0, 0, 0, 0], [1, t, n, u]), [t, n, u]), [1, 0, 2])
  return { outputs, states: last }
}

/**
 * The contract of an op. An op states in one place its shape rule, its forward, its derivative, and samples that test it. There are two kinds:
 *
 * - a *primitive* op computes its output with kernels, and its derivative rule is made of public ops;
 * - a *composed* op is defined by other ops and differentiates through them. Where the backend has a fused kernel for it, the kernel runs
 *   instead and the composition remains the definition: a test holds the two equal.
 */
import type { FusedKernels, Kernels } from '../backends/backend.js'
import { CotangentError } from '../errors.js'
import type { DType } from '../tensor/dtype.js'
import type { Shape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'

/** Every op that rules and compositions may call, by its name. They get it as an argument, so op files need not import each other; ops/index.ts says what is in it. */
// biome-ignore lint/suspicious/noEmptyInterface: ops/index.ts fills it
export interface Ops {}

/** Shape and dtype: a shape rule gets those of each input and gives that of the output. */
export interface TensorSpec {
  readonly shape: Shape
  readonly dtype: DType
}

/** A test input: its shape, and how its values are drawn (default: float32, both signs, away from 0). */
export interface SampleInput {
  shape: Shape
  dtype?: DType
  /** Values are drawn uniformly from [low, high); whole numbers for integer dtypes. */
  low?: number
  high?: number
}

/** One call that the sweep makes: inputs, by shape alone or in full, and options. */
export interface Sample<O> {
  inputs: readonly (Shape | SampleInput)[]
  options?: O
  /** Why gradients are not checked here (a kink, a size that is too slow); values still are. */
  skipGradient?: string
}

/**
 * Pushes dY, the cotangent of the output y, to the inputs: one thunk an input, run only if somebody asks; null where the input
 * has no derivative (indices, conditions).
 */
export type Vjp<O> = (at: { dY: Tensor; y: Tensor; options: O }, inputs: readonly Tensor[], ops: Ops) => readonly ((() => Tensor) | null)[]

/** A primitive op. */
export interface PrimitiveOp<O extends object> {
  name: string
  /** The derivative as people write it, e.g. `dA = dY·Bᵀ, dB = Aᵀ·dY`; printed with the tape. */
  rule: string
  /** Pure: checks the inputs (throws ShapeError, DTypeError) and says what comes out. */
  shape(inputs: readonly TensorSpec[], options: O): TensorSpec
  /** Fills `out`, which has unspecified content. `'view'` means: the same memory under the new shape. */
  forward: 'view' | ((kernels: Kernels, out: Tensor, inputs: readonly Tensor[], options: O) => void)
  /** The derivative; or, in words, why there is none. */
  vjp: Vjp<O> | string
  samples: readonly Sample<O>[]
}

/** A composed op. */
export interface ComposedOp<O extends object> {
  name: string
  /** The definition, in other ops. */
  compose(inputs: readonly Tensor[], options: O, ops: Ops): Tensor
  /**
   * A better derivative than through the records of the composition, say one that keeps less. With it the composition runs unseen by tapes,
   * and the op is one record on every backend. `fused` has its own, for where its kernel ran.
   */
  derivative?: { rule: string; vjp: Vjp<O> }
  /** A kernel that does the same in one go, where a backend has it. */
  fused?: {
    kernel: keyof FusedKernels | ((options: O) => keyof FusedKernels)
    rule: string
    shape(inputs: readonly TensorSpec[], options: O): TensorSpec
    forward(fused: Required<FusedKernels>, out: Tensor, inputs: readonly Tensor[], options: O): void
    /** A faster derivative than through the composition, if there is one. */
    vjp?: Vjp<O>
    /** Positions of float inputs that only choose (as an argMax does), and so have no derivative. */
    choosing?: readonly number[]
  }
  samples: readonly Sample<O>[]
}

/** An op of either kind, as the tape, the walk backwards and the tests see it. */
export interface OpDefinition {
  readonly name: string
  readonly rule: string
  readonly vjp: Vjp<object> | string
  readonly samples: readonly Sample<object>[]
  /** Present on composed ops. */
  readonly compose?: ComposedOp<object>['compose']
  readonly fused?: ComposedOp<object>['fused']
  /** Runs it. */
  readonly call: (inputs: readonly Tensor[], options: object) => Tensor
}

/** All ops by name. */
export const registry = new Map<string, OpDefinition>()

/** Registers an op, so that tests find it. */
export function register(op: OpDefinition): OpDefinition {
  if (registry.has(op.name)) throw new CotangentError(`defineOp: there is already an op named "${op.name}".`)
  registry.set(op.name, op)
  return op
}

/** All ops, for derivative rules and compositions. */
export let ops: Ops
/** @internal Hands over the ops; index.ts of the package calls it once. */
export function provideOps(namespace: Ops): void {
  ops = namespace
}

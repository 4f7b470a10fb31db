/**
 * The contract of an op. An op states in one place its shape rule, its forward computation, its derivative, and samples that test it. There are two kinds:
 *
 * - A *primitive* op, such as `tanh`, computes its output with kernels. Its derivative rule is made of public ops.
 * - A *composed* op, such as `mean`, is defined by other ops and differentiates through them. If the backend has a fused kernel for it, the kernel runs
 *   and the composition stays the definition: a test checks that the two are equal.
 */
import type { FusedKernels, KernelFamily, Kernels } from '../backends/backend.js'
import { CotangentError } from '../errors.js'
import type { DType } from '../tensor/dtype.js'
import type { Shape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'

/** Every op that rules and compositions may call, by name. They get it as an argument, so op files need not import each other. ops/index.ts declares its members. */
// biome-ignore lint/suspicious/noEmptyInterface: ops/index.ts fills it
export interface Ops {}

/** Shape and dtype of a tensor. A shape rule gets those of the inputs and returns that of the output. */
export interface TensorSpec {
  readonly shape: Shape
  readonly dtype: DType
}

/** An input of a test: its shape, and how its values are drawn. By default they are float32, of both signs, away from 0. */
export interface SampleInput {
  shape: Shape
  dtype?: DType
  /** Values are drawn uniformly from [low, high); whole numbers for integer dtypes. */
  low?: number
  high?: number
  /** The diagonal of the last two axes lies between this and this + 1: a large number makes matrices that are far from singular. */
  diagonal?: number
}

/** A call of the op that the sweep makes: its inputs (a shape alone, or more about it) and its options. */
export interface Sample<O> {
  inputs: readonly (Shape | SampleInput)[]
  options?: O
  /** Why the gradient is not checked here, such as a kink. Values are checked all the same. */
  skipGradient?: string
}

/**
 * The derivative of an op. It turns dY, the cotangent of the output y, into a cotangent for each input. It returns a function for each input, so that only
 * those that somebody asks for run; null for an input without a derivative, such as indices.
 */
export type Vjp<O> = (at: { dY: Tensor; y: Tensor; options: O }, inputs: readonly Tensor[], ops: Ops) => readonly ((() => Tensor) | null)[]

/**
 * Pushes tangents forward: for each input a function from its tangent v to its part Jᵢ·v of the tangent of y, which is the sum of the parts; null where
 * the input has no derivative.
 */
export type Jvp<O> = (at: { y: Tensor; options: O }, inputs: readonly Tensor[], ops: Ops) => readonly (((v: Tensor) => Tensor) | null)[]

/** A primitive op: one with kernels and a rule. */
export interface PrimitiveOp<O extends object> {
  /** The name in messages, on the tape and in the registry. */
  name: string
  /** The derivative as a formula, e.g. `dA = dY·Bᵀ, dB = Aᵀ·dY`; printed with the tape. */
  rule: string
  /** The shape and dtype of the output. Throws a ShapeError or DTypeError if the inputs do not fit. */
  shape(inputs: readonly TensorSpec[], options: O): TensorSpec
  /** Fills `out`, whose content is unspecified before. `'view'`: no computation, the output is the memory of the input under the new shape. */
  forward: 'view' | ((kernels: Kernels, out: Tensor, inputs: readonly Tensor[], options: O) => void)
  /** The derivative, or a sentence that says why there is none. */
  vjp: Vjp<O> | string
  /** The derivative forwards. Without it and without `linear`, a tangent takes two reverse passes through the op (transpose.ts). */
  jvp?: Jvp<O>
  /** Says that the op is linear in each float input while the others stay, as a product is. Then its `jvp` follows: Jᵢ·v is the op with v as input i. */
  linear?: boolean
  /** The family of its kernels, if programs without such ops do without those kernels. */
  family?: KernelFamily
  /** Calls that the sweep tests. */
  samples: readonly Sample<O>[]
}

/** A composed op: one that is defined by other ops. */
export interface ComposedOp<O extends object> {
  /** The name in messages, on the tape and in the registry. */
  name: string
  /** The definition, in other ops. */
  compose(inputs: readonly Tensor[], options: O, ops: Ops): Tensor
  /**
   * A better derivative than that of the composition, for example one that keeps less memory. With it, tapes do not see the ops of the composition: the
   * op is one record on every backend. Where the fused kernel ran, `fused.vjp` holds instead.
   */
  derivative?: { rule: string; vjp: Vjp<O> }
  /** A kernel that computes the op in one pass, for backends that have it. */
  fused?: {
    kernel: keyof FusedKernels | ((options: O) => keyof FusedKernels)
    /** As in a primitive op. */
    family?: KernelFamily
    rule: string
    shape(inputs: readonly TensorSpec[], options: O): TensorSpec
    forward(fused: Required<FusedKernels>, out: Tensor, inputs: readonly Tensor[], options: O): void
    /** A faster derivative than that of the composition. */
    vjp?: Vjp<O>
    /** The kernel takes inputs that are no floats, such as a mask or class numbers. Else an op with such an input runs its composition. */
    mixed?: boolean
    /** Positions of float inputs that have no derivative because they only choose: x in `maxPool2dGradient`. */
    choosing?: readonly number[]
  }
  /** Calls that the sweep tests. */
  samples: readonly Sample<O>[]
}

/** An op of either kind, as the tape, the walk backwards and the tests see it. */
export interface OpDefinition {
  readonly name: string
  readonly rule: string
  readonly vjp: Vjp<object> | string
  /** Present if `vjp` is no sentence. */
  readonly jvp?: Jvp<object>
  readonly samples: readonly Sample<object>[]
  /** Present on composed ops. */
  readonly compose?: ComposedOp<object>['compose']
  readonly fused?: ComposedOp<object>['fused']
  /** Runs the op. */
  readonly call: (inputs: readonly Tensor[], options: object) => Tensor
}

/**
 * All ops by name.
 *
 * @example
 * ```ts
 * console.log(registry.get('tanh')?.rule) // dX = dY·(1 − y²)
 * ```
 */
export const registry = new Map<string, OpDefinition>()

/** @internal Ops that have another derivative at the moment, by name (with-derivative.ts). */
export const replacements = new Map<string, OpDefinition>()

/** Adds an op to the registry. */
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

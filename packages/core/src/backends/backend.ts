/**
 * The contract of a backend: four memory primitives and twelve compute primitives. Every op is written in them, so every op trains
 * on every backend. On top come optional *fused* kernels for speed, each defined elsewhere by a composition of primitives.
 *
 * The contract (what a GPU behind gpu.js can keep):
 *
 * - Buffers are contiguous and row-major. Calls run in the order they are made. Shapes have been checked before.
 * - A primitive has at most seven inputs and exactly one output. `out` is a slot the backend fills: a pointer it writes through,
 *   or a handle it puts into `out.storage`. It is never read before, and never an alias of an input.
 * - No primitive needs atomics or writes in place.
 * - float64 may be missing (`dtypes` says so). A device may hold int32 and bool as float32, exact up to 2^24.
 * - bool holds 0 or 1. A kernel whose table row returns a truth value has a bool `out`.
 * - A size of 0 is legal everywhere; a sum over nothing is 0.
 * - Operands may share storage with each other (`mul(x, x)`).
 */
import type { DType, TypedArray } from '../tensor/dtype.js'
import type { ReduceExtent, Shape, Window } from '../tensor/shape.js'

/** The memory behind one or more tensors (a reshape shares it). The backend alone knows what `handle` is. */
export interface Storage {
  handle: unknown
  readonly backend: Backend
  readonly dtype: DType
  readonly size: number
  /** Tensors that point here; at zero the memory goes back. */
  references: number
}

/** A tensor as kernels see it. */
export interface Operand {
  readonly storage: Storage
  readonly shape: Shape
  readonly dtype: DType
  readonly size: number
}

/** Elementwise functions of one argument. float → float unless noted. */
export type MapKernel =
  | 'cast' // any → any, as dtype.ts converts
  | 'neg'
  | 'abs'
  | 'sign'
  | 'square'
  | 'relu' // also int32
  | 'sqrt'
  | 'rsqrt'
  | 'reciprocal'
  | 'exp'
  | 'expm1'
  | 'log'
  | 'log1p'
  | 'sin'
  | 'cos'
  | 'tan'
  | 'asin'
  | 'acos'
  | 'atan'
  | 'sinh'
  | 'cosh'
  | 'tanh'
  | 'sigmoid'
  | 'softplus'
  | 'erf'
  | 'floor'
  | 'ceil'
  | 'round' // round: half to even
  | 'isNaN'
  | 'isFinite' // → bool
  | 'logicalNot' // bool → bool

/** Elementwise functions of two arguments of one dtype, broadcast to `out` by NumPy's rule. */
export type ZipKernel =
  | 'add'
  | 'sub'
  | 'mul'
  | 'maximum'
  | 'minimum' // float, int32. maximum and minimum give NaN if either is
  | 'div'
  | 'mulNoNaN' // 0 where b is 0, whatever a is
  | 'pow' // by IEEE 754: x⁰, 1ʸ and (−1)^±∞ are 1
  | 'atan2'
  | 'gate' // float. gate(a, b) is a where b > 0, else 0
  | 'mod'
  | 'floorDiv' // float, int32; as Python: the sign of the divisor, mod exact. int32 by 0 gives 0
  | 'equal'
  | 'notEqual'
  | 'less'
  | 'lessEqual'
  | 'greater'
  | 'greaterEqual' // any → bool
  | 'logicalAnd'
  | 'logicalOr'
  | 'logicalXor' // bool → bool

/** Reductions. argMax and argMin give the first position, as int32. NaN wins max, min, argMax and argMin. */
export type ReduceKernel = 'sum' | 'prod' | 'max' | 'min' | 'argMax' | 'argMin'

/**
 * A strided read with a border: output axis i walks input axis `axis[i]` from `start[i]` by `step[i]`; outside the input the
 * value is `fill`. `axis[i] = -1` repeats. Covers transpose, slice, flip, broadcast and pad. Input axes that no output
 * axis walks have size 1.
 */
export interface View {
  axis: readonly number[]
  start: readonly number[]
  step: readonly number[]
  fill: number
}

/** The primitives that compute. `out` first. */
export interface Kernels {
  /** out[i] = value */
  fill(out: Operand, value: number): void
  /** out = the view of x; any dtype, the same for both. */
  copy(out: Operand, x: Operand, view: View): void
  /** out[i] = f(x[i]) */
  map(out: Operand, x: Operand, kernel: MapKernel): void
  /** out[i] = f(a[i], b[i]), a and b broadcast to out's shape. */
  zip(out: Operand, a: Operand, b: Operand, kernel: ZipKernel): void
  /** out[i] = condition[i] ? a[i] : b[i], all three broadcast to out's shape; condition is bool, a and b any one dtype. */
  select(out: Operand, condition: Operand, a: Operand, b: Operand): void
  /**
   * out[o, i] = f over l of x[o, l, i]; float, int32, for max and min bool, for sum bool and uint8 with an int32 `out`. length 0 only for sum and prod.
   * Throws a ValueError where a sum or product of whole numbers is beyond int32.
   */
  reduce(out: Operand, x: Operand, kernel: ReduceKernel, extent: ReduceExtent): void
  /** Running sum along `length`: out[o, l, i] = Σ x[o, j, i] over j ≤ l (j < l if exclusive; from the end if reverse). Of int32 as `reduce`. */
  scan(out: Operand, x: Operand, extent: ReduceExtent, exclusive: boolean, reverse: boolean): void
  /** out[.., m, n] = op(a)[.., m, k] · op(b)[.., k, n] with equal leading axes; op transposes the last two axes if asked. float. */
  matMul(out: Operand, a: Operand, b: Operand, transposeA: boolean, transposeB: boolean): void
  /** im2col. x [n, h, w, c] → out [n, oh, ow, kh, kw, c]; outside x the value is `fill`. */
  unfold(out: Operand, x: Operand, window: Window, fill: number): void
  /** col2im, the adjoint of unfold with fill 0: x [n, oh, ow, kh, kw, c] → out [n, h, w, c], overlapping cells summed. */
  fold(out: Operand, x: Operand, window: Window): void
  /** out[i, :] = x[indices[i], :] with x [rows, inner], indices int32 [count]. Throws a ValueError that names a bad index. */
  gather(out: Operand, x: Operand, indices: Operand): void
  /** out [rows, inner] = zeros, then out[indices[i], :] += x[i, :] in order of i. */
  scatterAdd(out: Operand, x: Operand, indices: Operand): void
}

/**
 * Optional kernels for speed. An op that names one carries its definition by primitives; a test holds the two equal. The
 * exception to "one output" is `update`, whose slots a backend may write in place or swap.
 */
export interface FusedKernels {
  /** out [m, n] = x [m, k] · weights [k, n] + bias [n], then max(0, ·) if `relu`. */
  affine?(out: Operand, x: Operand, weights: Operand, bias: Operand, relu: boolean): void
  /** x [n, h, w, c] ∗ filter [kh, kw, c, f] → out [n, oh, ow, f], plus bias [f] if there is one, and then max(0, ·) if `relu`. */
  conv2d?(out: Operand, x: Operand, filter: Operand, bias: Operand | undefined, window: Window, relu: boolean): void
  /** The gradient of conv2d for its input, from dY [n, oh, ow, f]: out [n, h, w, c] = dX; `window` is conv2d's. */
  conv2dInput?(out: Operand, dY: Operand, filter: Operand, window: Window): void
  /** out [kh, kw, c, f] = dF from x [n, h, w, c] and dY [n, oh, ow, f]; `window` is conv2d's. */
  conv2dFilter?(out: Operand, x: Operand, dY: Operand, window: Window): void
  /** out [2, c] = the mean and then the variance of each channel of x [.., c], of which there is at least one row. */
  moments?(out: Operand, x: Operand): void
  /** out [2, c] = Σ dY and then Σ dY·(x − center) of each channel; x and dY [.., c], center [c]. */
  channelSums?(out: Operand, x: Operand, dY: Operand, center: Operand): void
  /** out [.., c] = (x − center)·scale + shift; x [.., c], the others [c], a missing shift 0. */
  normalize?(out: Operand, x: Operand, center: Operand, scale: Operand, shift: Operand | undefined): void
  /** Each row of x [.., c] with mean 0 and variance 1, times gamma [c] (or 1), plus beta [c] (or 0); ε is added to the variance. */
  layerNorm?(out: Operand, x: Operand, gamma: Operand | undefined, beta: Operand | undefined, epsilon: number): void
  /** out [.., c] = dX of layerNorm from x and dY [.., c]. */
  layerNormGradient?(out: Operand, x: Operand, dY: Operand, gamma: Operand | undefined, epsilon: number): void
  /** Each channel of x [n, h, w, c] ∗ its own filter of [kh, kw, c] → out [n, oh, ow, c]. */
  depthwiseConv2d?(out: Operand, x: Operand, filter: Operand, window: Window): void
  /** out [n, h, w, c] = dX from dY [n, oh, ow, c] and the filter; `window` is depthwiseConv2d's. */
  depthwiseConv2dInput?(out: Operand, dY: Operand, filter: Operand, window: Window): void
  /** out [kh, kw, c] = dF from x [n, h, w, c] and dY [n, oh, ow, c]; `window` is depthwiseConv2d's. */
  depthwiseConv2dFilter?(out: Operand, x: Operand, dY: Operand, window: Window): void
  /** out [n, oh, ow, c] = the largest of each window of x [n, h, w, c]; NaN wins. */
  maxPool2d?(out: Operand, x: Operand, window: Window): void
  /** out [n, h, w, c] = dX from x and dY [n, oh, ow, c]: to the first largest (or first NaN) of each window, row by row. */
  maxPool2dGradient?(out: Operand, x: Operand, dY: Operand, window: Window): void
  /** out [n, oh, ow, c] = the mean of the cells of each window that are inside x [n, h, w, c]. */
  averagePool2d?(out: Operand, x: Operand, window: Window): void
  /** out [n, h, w, c] = dX from dY [n, oh, ow, c]. */
  averagePool2dGradient?(out: Operand, dY: Operand, window: Window): void
  /** One LSTM step: out [2, n, u] holds h' then c'. Gates in Keras' order i, f, c, o. */
  lstmCell?(out: Operand, x: Operand, h: Operand, c: Operand, kernel: Operand, recurrentKernel: Operand, bias: Operand): void
  /**
   * An LSTM over a sequence: out [6, t, n, u] = h, c, i, f, c̃, o after each step taken. Inputs: z [n, t, 4u] (what does not depend on the state), h and c
   * before [n, u], recurrent weights [u, 4u], then dropout factors of h [n, u] if `dropped`, then a mask [n, t] if `masked`.
   */
  lstmSequence?(out: Operand, inputs: readonly Operand[], options: SequenceKernelOptions): void
  /**
   * Back through it: out [t + 1, n, 4u] = dZ of each step in the order they were taken, then dH and dC before the first, [n, 2u], and zeros.
   * Inputs: dY and y [6, t, n, u], then what lstmSequence has after h.
   */
  lstmSequenceGradient?(out: Operand, inputs: readonly Operand[], options: SequenceKernelOptions): void
  /** A GRU with the reset before the product: out [4, t, n, u] = h, z, r, h̃ from z [n, t, 3u], h before, recurrent weights [u, 3u], and so on. */
  gruSequence?(out: Operand, inputs: readonly Operand[], options: SequenceKernelOptions): void
  /** out [t + 1, n, 3u] = dZ, then dH before the first step, and zeros. Inputs: dY and y, then what gruSequence has after z. */
  gruSequenceGradient?(out: Operand, inputs: readonly Operand[], options: SequenceKernelOptions): void
  /** The same with the reset after the product, whose bias [3u] follows the weights: out [5, t, n, u] = h, z, r, h̃, q, the candidate's product with its bias. */
  gruResetAfterSequence?(out: Operand, inputs: readonly Operand[], options: SequenceKernelOptions): void
  /** out [t + 1, n, 4u] = dZ and dq of each step, then dH. Inputs: dY and y, then what gruResetAfterSequence has after z, but no bias. */
  gruResetAfterSequenceGradient?(out: Operand, inputs: readonly Operand[], options: SequenceKernelOptions): void
  /** The same of a simple recurrent network: out [1, t, n, u] = h from z [n, t, u], h before, recurrent weights [u, u], and so on. */
  simpleRnnSequence?(out: Operand, inputs: readonly Operand[], options: SequenceKernelOptions): void
  /** out [t + 1, n, u] = dZ, then dH before the first step. */
  simpleRnnSequenceGradient?(out: Operand, inputs: readonly Operand[], options: SequenceKernelOptions): void
  /** out [rows, classes] = exp(x − max) / Σ, row by row. */
  softmax?(out: Operand, x: Operand): void
  /** out [rows] = −Σ labels · log softmax(logits), row by row. */
  softmaxCrossEntropy?(out: Operand, logits: Operand, labels: Operand): void
  /** One elementwise program over each target's slots and inputs; see update.ts. */
  update?(targets: readonly UpdateTarget[], program: UpdateProgram, scalars: readonly number[]): void
  /** Threefry bits of counters first, first+1, … as floats in [0, 1): the same values as random.ts makes on the host. */
  uniform?(out: Operand, key: readonly [number, number]): void
}

/** How a recurrent cell runs over a sequence. */
export interface SequenceKernelOptions {
  /** Whether the last input is a mask: where it is not above 0 the states stay. */
  readonly masked: boolean
  /** From the last step to the first. */
  readonly goBackwards: boolean
  /** Whether there are factors of the state wherever it meets the recurrent weights. */
  readonly dropped: boolean
  /** Of the gates, where there are any. */
  readonly recurrentActivation?: 'sigmoid' | 'hardSigmoid'
}

/** The operands of an update: a parameter with its state, and its gradient; all of one size. */
export interface UpdateTarget<T = Operand> {
  readonly slots: readonly T[]
  readonly inputs: readonly T[]
}

/** A value in an update program: a slot or input or scalar by position, or the result of an earlier step. */
export type UpdateValue = { slot: number } | { input: number } | { scalar: number } | { step: number }

/**
 * An optimizer's rule as data: elementwise steps in order, then which step each slot becomes. Reference backends interpret it,
 * fast ones compile it to one loop.
 */
export interface UpdateProgram {
  /** Unique: backends cache the compiled form under it. */
  readonly name: string
  readonly steps: readonly { kernel: UpdateKernel; arguments: readonly UpdateValue[] }[]
  /** results[i] is the step whose value slot i takes. */
  readonly results: readonly number[]
}

/** The subset of map and zip kernels that update programs use. */
export type UpdateKernel = 'add' | 'sub' | 'mul' | 'div' | 'maximum' | 'minimum' | 'sqrt' | 'square' | 'abs' | 'neg'

/** Memory that a backend holds right now. */
export interface MemoryInfo {
  /** Live buffers. */
  buffers: number
  /** Bytes of live buffers, as the backend stores them. */
  bytes: number
  /** Bytes the backend has reserved from the system. */
  reservedBytes: number
}

/** How a backend runs on this machine. */
export interface BackendInfo {
  /** Threads that large kernels are shared between. */
  threads: number
  /** Whether x·y + z may be rounded once (relaxed SIMD); machines that differ in this differ in the last bits. */
  relaxedSimd: boolean
  /** Whether the heaviest kernels use 256-bit instructions. */
  simd256: boolean
  /** Whether its memory can be shared between threads. */
  sharedMemory: boolean
  /** Of a gpu backend. */
  gpu?: GpuInfo
}

/** How a gpu backend runs. */
export interface GpuInfo {
  /** The engine of gpu.js that runs: `webgpu`, `webgl2`, `headlessgl`, `webasm` or `cpu`. */
  mode: string
  /** The device's name for itself, if it gives one. */
  adapter?: string
  /** Why better engines were not taken, when none was asked for. */
  passedOver: readonly string[]
  /** Textures or buffers alive on the device, those that compiled kernels hold included. */
  objects: number
  /** Compiled kernels. */
  kernels: number
  /** Why nothing works any more, once the device is lost. */
  lost?: string
}

/** A place where tensors live and are computed with. */
export interface Backend {
  readonly name: string
  readonly dtypes: ReadonlySet<DType>
  readonly kernels: Kernels
  readonly fused: FusedKernels
  /** A handle for `size` elements with unspecified content. Throws a BackendError that says how much was asked and held. */
  alloc(size: number, dtype: DType): unknown
  /** Copies host values (already of the storage's dtype) in. */
  write(storage: Storage, values: TypedArray): void
  /** A copy of the values on the host. */
  read(storage: Storage): Promise<TypedArray>
  /** The same, at once, where the backend can; debugging needs it. */
  readSync?(storage: Storage): TypedArray
  free(storage: Storage): void
  memory(): MemoryInfo
  /** How it runs here, where a backend can say. */
  info?(): BackendInfo
  /** Gives everything back; the backend is unusable afterwards. */
  dispose?(): Promise<void>
}

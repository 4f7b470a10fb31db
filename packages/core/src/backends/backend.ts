/**
 * The contract of a backend: four memory primitives and thirteen compute primitives. Every op is written in them, so every op
 * trains on every backend. A backend may add *fused* kernels for speed. The definition of each fused kernel is a composition of
 * primitives, in ops/.
 *
 * The rules (a GPU behind gpu.js can keep all of them):
 *
 * - Buffers are contiguous and row-major. Calls run in the order they are made. The caller has checked the shapes.
 * - A primitive has at most seven inputs and exactly one output. `out` is a slot that the backend fills: either an address it
 *   writes to, or a handle it puts into `out.storage`. `out` is never read first, and never shares memory with an input.
 * - No primitive needs atomics or writes in place.
 * - float64 may be missing; `dtypes` says so. A device may hold int32 and bool as float32, exact up to 2^24.
 * - bool holds 0 or 1. A kernel that returns a truth value (see its row in the tables below) has a bool `out`.
 * - A size of 0 is legal everywhere; a sum over nothing is 0.
 * - Inputs may share storage with each other (`mul(x, x)`).
 *
 * The file is longer than 300 lines because the whole contract should be readable in one place.
 */
import type { DType, TypedArray } from '../tensor/dtype.js'
import type { ReduceExtent, Shape, Window } from '../tensor/shape.js'
import type { Engine } from './wasm/engine/engine.js'

/** The memory behind one or more tensors (a reshape shares it). The backend alone knows what `handle` is. */
export interface Storage {
  handle: unknown
  readonly backend: Backend
  readonly dtype: DType
  readonly size: number
  /** Tensors that use this memory; at zero it is freed. */
  references: number
  /** How often a parameter that had this memory got another. */
  left?: number
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

/** Activations that are several functions of their argument: x·Φ(x), its approximation by tanh, x·sigmoid(x). */
export type ActivationKernel = 'gelu' | 'geluTanh' | 'silu'

/** Reductions. argMax and argMin give the first position, as int32. NaN wins max, min, argMax and argMin. */
export type ReduceKernel = 'sum' | 'prod' | 'max' | 'min' | 'argMax' | 'argMin'

/**
 * A strided read with a border. Output axis i walks input axis `axis[i]`, starting at index `start[i]`, in steps of `step[i]`.
 * An index outside the input reads `fill`. `axis[i] = -1` repeats the input along that output axis. An input axis that no
 * output axis walks must have size 1.
 *
 * One copy kernel thus covers transpose, slice, flip, broadcast and pad. Example: x [2, 3] transposed is
 * `{ axis: [1, 0], start: [0, 0], step: [1, 1], fill: 0 }`.
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
  /** out = x seen through the view; any dtype, the same for both. */
  copy(out: Operand, x: Operand, view: View): void
  /** out[i] = f(x[i]) */
  map(out: Operand, x: Operand, kernel: MapKernel): void
  /** out[i] = f(a[i], b[i]), a and b broadcast to out's shape. */
  zip(out: Operand, a: Operand, b: Operand, kernel: ZipKernel): void
  /** out[i] = condition[i] ? a[i] : b[i], all three broadcast to out's shape; condition is bool, a and b any one dtype. */
  select(out: Operand, condition: Operand, a: Operand, b: Operand): void
  /**
   * out[o, i] = f over l of x[o, l, i]. Dtypes: float and int32; also bool for max and min; also bool and uint8 for sum, with an int32 `out`.
   * `length` is 0 only for sum and prod. Throws a ValueError if a sum or product of whole numbers does not fit int32.
   */
  reduce(out: Operand, x: Operand, kernel: ReduceKernel, extent: ReduceExtent): void
  /** Running sum along `length`: out[o, l, i] = Σ x[o, j, i] over j ≤ l (j < l if exclusive; from the end if reverse). int32 as in `reduce`. */
  scan(out: Operand, x: Operand, extent: ReduceExtent, exclusive: boolean, reverse: boolean): void
  /** out[.., m, n] = op(a)[.., m, k] · op(b)[.., k, n], leading axes equal; op transposes the last two axes if asked. float. */
  matMul(out: Operand, a: Operand, b: Operand, transposeA: boolean, transposeB: boolean): void
  /** im2col. x [n, h, w, c] → out [n, oh, ow, kh, kw, c]; outside x the value is `fill`. */
  unfold(out: Operand, x: Operand, window: Window, fill: number): void
  /** col2im, the adjoint of unfold with fill 0: x [n, oh, ow, kh, kw, c] → out [n, h, w, c], overlapping cells summed. */
  fold(out: Operand, x: Operand, window: Window): void
  /** out[i, :] = x[indices[i], :] with x [rows, inner], indices int32 [count]. Throws a ValueError that names a bad index. */
  gather(out: Operand, x: Operand, indices: Operand): void
  /** out [rows, inner] = zeros, then out[indices[i], :] += x[i, :] in order of i. */
  scatterAdd(out: Operand, x: Operand, indices: Operand): void
  /**
   * out = f of the inputs' values, computed on the host. For algorithms that are no loop over independent outputs: sorting, decompositions, Fourier
   * transforms. A device reads, computes and uploads in its turn, which is slow; the call itself does not wait.
   */
  host(out: Operand, inputs: readonly Operand[], f: HostFunction): void
}

/** Values on the host. Which array class a dtype has depends on the backend (bool may be an Int32Array); the numbers do not. */
export type HostValues = Float32Array | Float64Array | Int32Array | Uint8Array

/** Fills `out` from the inputs, row-major arrays that it must neither change nor keep. It makes no tensors. */
export type HostFunction = (out: HostValues, inputs: readonly HostValues[]) => void

/**
 * Optional kernels for speed. An op that uses one also has a definition by primitives; a test holds the two equal. `update` is
 * the exception to "exactly one output": it changes several slots, in place or by swapping their handles.
 */
export interface FusedKernels {
  /** out [m, n] = x [m, k] · weights [k, n] + bias [n], then max(0, ·) if `relu`. */
  affine?(out: Operand, x: Operand, weights: Operand, bias: Operand, relu: boolean): void
  /** out [n, oh, ow, f] = x [n, h, w, c] ∗ filter [kh, kw, c, f], plus bias [f] if there is one, then max(0, ·) if `relu`. */
  conv2d?(out: Operand, x: Operand, filter: Operand, bias: Operand | undefined, window: Window, relu: boolean): void
  /** Gradient of conv2d for its input: out [n, h, w, c] = dX from dY [n, oh, ow, f] and the filter. `window` is conv2d's. */
  conv2dInput?(out: Operand, dY: Operand, filter: Operand, window: Window): void
  /** Gradient of conv2d for its filter: out [kh, kw, c, f] = dF from x [n, h, w, c] and dY [n, oh, ow, f]. `window` is conv2d's. */
  conv2dFilter?(out: Operand, x: Operand, dY: Operand, window: Window): void
  /** out [2, c]: the mean of each channel of x [.., c], then the variance. x has at least one row. */
  moments?(out: Operand, x: Operand): void
  /** out [2, c]: Σ dY of each channel, then Σ dY·(x − center). x and dY [.., c], center [c]. */
  channelSums?(out: Operand, x: Operand, dY: Operand, center: Operand): void
  /** out [.., c] = (x − center)·scale + shift, with x [.., c] and the others [c]; without `shift` nothing is added. */
  normalize?(out: Operand, x: Operand, center: Operand, scale: Operand, shift: Operand | undefined): void
  /** out [.., c] = (x − mean)/√(variance + ε)·gamma + beta, mean and variance of each row of x [.., c]; gamma and beta [c], 1 and 0 if missing. */
  layerNorm?(out: Operand, x: Operand, gamma: Operand | undefined, beta: Operand | undefined, epsilon: number): void
  /** Gradient of layerNorm for x: out [.., c] = dX from x and dY [.., c]. */
  layerNormGradient?(out: Operand, x: Operand, dY: Operand, gamma: Operand | undefined, epsilon: number): void
  /** Gradients of layerNorm for gamma and beta: out [2, c] = Σ dY·u over the rows, then Σ dY, where u is layerNorm of x [.., c] without gamma and beta. */
  layerNormSums?(out: Operand, x: Operand, dY: Operand, epsilon: number): void
  /** out [.., c] = x/√(mean x² + ε)·gamma, the mean of each row of x [.., c]; gamma [c], 1 if missing. */
  rmsNorm?(out: Operand, x: Operand, gamma: Operand | undefined, epsilon: number): void
  /** Gradient of rmsNorm for x: out [.., c] = dX from x and dY [.., c]. */
  rmsNormGradient?(out: Operand, x: Operand, dY: Operand, gamma: Operand | undefined, epsilon: number): void
  /** Gradient of rmsNorm for gamma: out [c] = Σ dY·u over the rows, where u is rmsNorm of x [.., c] without gamma. */
  rmsNormSums?(out: Operand, x: Operand, dY: Operand, epsilon: number): void
  /** out [n, oh, ow, c] = each channel of x [n, h, w, c] ∗ the filter of that channel, from [kh, kw, c]. */
  depthwiseConv2d?(out: Operand, x: Operand, filter: Operand, window: Window): void
  /** Gradient of depthwiseConv2d for its input: out [n, h, w, c] = dX from dY [n, oh, ow, c] and the filter. `window` is depthwiseConv2d's. */
  depthwiseConv2dInput?(out: Operand, dY: Operand, filter: Operand, window: Window): void
  /** Gradient of depthwiseConv2d for its filter: out [kh, kw, c] = dF from x [n, h, w, c] and dY [n, oh, ow, c]. `window` is depthwiseConv2d's. */
  depthwiseConv2dFilter?(out: Operand, x: Operand, dY: Operand, window: Window): void
  /** out [n, oh, ow, c] = the maximum of each window of x [n, h, w, c]; NaN if the window has a NaN. */
  maxPool2d?(out: Operand, x: Operand, window: Window): void
  /**
   * Gradient of maxPool2d: out [n, h, w, c] = dX from x and dY [n, oh, ow, c]. Each dY goes to the first maximum (or first NaN) of its window, row by row.
   * `gated`: 0 where x is not above 0, as the kernel `gate` would make it; only recorded steps ask for it.
   */
  maxPool2dGradient?(out: Operand, x: Operand, dY: Operand, window: Window, gated?: boolean): void
  /** out [n, oh, ow, c] = the mean over those cells of each window that lie inside x [n, h, w, c]. */
  averagePool2d?(out: Operand, x: Operand, window: Window): void
  /** Gradient of averagePool2d: out [n, h, w, c] = dX from dY [n, oh, ow, c]. */
  averagePool2dGradient?(out: Operand, dY: Operand, window: Window): void
  /**
   * Attention: out [b, t, heads, e] = softmax(Q·Kᵀ·scale + bias, where open)·V for each head. Inputs: query [b, t, heads, d], key [b, s, groups, d] and value
   * [b, s, groups, e], of which each head serves heads/groups neighbouring query heads; then a bool mask if `masked`, true where open; then a bias if `biased`, of which
   * what is below the least float32 counts as that. Both broadcast to [b, heads, t, s]. `causal` closes the keys j > i of query i. A closed score is the least
   * float32, so a row of nothing else has equal weights. s is at least 1.
   */
  attention?(out: Operand, inputs: readonly Operand[], options: AttentionKernelOptions): void
  /**
   * Gradient of attention: out holds dQ, then dK, then dV, each in the shape of its input. Inputs: dY and y [b, t, heads, e], then the inputs of attention. The
   * cotangents of the scores are P·(dY·Vᵀ − Σ dY·y) where open, with P the weights; closed scores have none.
   */
  attentionGradient?(out: Operand, inputs: readonly Operand[], options: AttentionKernelOptions): void
  /** out[i] = f(x[i]) */
  activate?(out: Operand, x: Operand, kernel: ActivationKernel): void
  /** out[i] = dY[i]·f'(x[i]) */
  activateGradient?(out: Operand, x: Operand, dY: Operand, kernel: ActivationKernel): void
  /** One LSTM step: out [2, n, u] holds the new h, then the new c. The gates stand in Keras' order i, f, c, o. */
  lstmCell?(out: Operand, x: Operand, h: Operand, c: Operand, kernel: Operand, recurrentKernel: Operand, bias: Operand): void
  /**
   * An LSTM over a sequence: out [6, t, n, u] = h, c, i, f, c̃, o after each step, in the order the steps were taken. Inputs:
   * z [n, t, 4u] (x·W + b of every step), the first h and c [n, u], recurrent weights [u, 4u], then dropout factors of h [n, u]
   * if `dropped`, then a mask [n, t] if `masked`.
   */
  lstmSequence?(out: Operand, inputs: readonly Operand[], options: SequenceKernelOptions): void
  /**
   * Gradient of lstmSequence: out [t + 1, n, 4u]. The first t rows hold dZ of each step, in the order the steps were taken. The
   * last row holds dH and dC before the first step, [n, 2u], and zeros behind them. Inputs: dY and y [6, t, n, u], then the
   * inputs of lstmSequence from c on.
   */
  lstmSequenceGradient?(out: Operand, inputs: readonly Operand[], options: SequenceKernelOptions): void
  /**
   * lstmSequence with the product of its inputs: x [n, t, in], W [in, 4u] and, if `biased`, b [4u] are in the place of z. No size is 0, and there are at most two
   * megabytes of weights.
   */
  lstmFromInputs?(out: Operand, inputs: readonly Operand[], options: InputsKernelOptions): void
  /**
   * Gradient of lstmFromInputs: one behind the other, dX (if `wantsX`), dW, dU, db = Σ dZ, and the cotangents of the states before the first step, [n, 2u]. Inputs:
   * dY and y, x, W, then those of lstmFromInputs after b. Options have `biased: false`.
   */
  lstmFromInputsGradient?(out: Operand, inputs: readonly Operand[], options: InputsKernelOptions): void
  /** A GRU with the reset before the product: out [4, t, n, u] = h, z, r, h̃. Inputs: z [n, t, 3u], the first h, recurrent weights [u, 3u], then as in lstmSequence. */
  gruSequence?(out: Operand, inputs: readonly Operand[], options: SequenceKernelOptions): void
  /** Gradient of gruSequence: out [t + 1, n, 3u] = dZ of each step, then dH before the first step and zeros. Inputs: dY and y, then those of gruSequence after z. */
  gruSequenceGradient?(out: Operand, inputs: readonly Operand[], options: SequenceKernelOptions): void
  /**
   * A GRU with the reset after the product: out [5, t, n, u] = h, z, r, h̃, q, where q is the candidate's product with its bias. The product's bias [3u]
   * follows the recurrent weights; the other inputs are those of gruSequence.
   */
  gruResetAfterSequence?(out: Operand, inputs: readonly Operand[], options: SequenceKernelOptions): void
  /** Gradient of gruResetAfterSequence: out [t + 1, n, 4u] = dZ and dq of each step, then dH. Inputs: dY and y, then those of gruResetAfterSequence after z, without the bias. */
  gruResetAfterSequenceGradient?(out: Operand, inputs: readonly Operand[], options: SequenceKernelOptions): void
  /** A simple recurrent network: out [1, t, n, u] = h. Inputs: z [n, t, u], the first h, recurrent weights [u, u], then as in lstmSequence. */
  simpleRnnSequence?(out: Operand, inputs: readonly Operand[], options: SequenceKernelOptions): void
  /** Gradient of simpleRnnSequence: out [t + 1, n, u] = dZ of each step, then dH before the first step. */
  simpleRnnSequenceGradient?(out: Operand, inputs: readonly Operand[], options: SequenceKernelOptions): void
  /** simpleRnnSequence with the product of its inputs, as lstmFromInputs. */
  simpleRnnFromInputs?(out: Operand, inputs: readonly Operand[], options: InputsKernelOptions): void
  /** Gradient of simpleRnnFromInputs, as lstmFromInputsGradient; the states' cotangents are [n, u]. */
  simpleRnnFromInputsGradient?(out: Operand, inputs: readonly Operand[], options: InputsKernelOptions): void
  /** out [rows, classes] = exp(x − max) / Σ exp(x − max), row by row. */
  softmax?(out: Operand, x: Operand): void
  /** out [rows] = −Σ labels · log softmax(logits), row by row. */
  softmaxCrossEntropy?(out: Operand, logits: Operand, labels: Operand): void
  /** Gradient of softmaxCrossEntropy for the logits: out [rows, classes] = (softmax(logits)·Σ labels − labels)·dY, with dY [rows]. */
  softmaxCrossEntropyGradient?(out: Operand, logits: Operand, labels: Operand, dY: Operand): void
  /** out [rows] = −log softmax(logits) at the class number, labels int32 [rows]; 0 where there is no such class. */
  classCrossEntropy?(out: Operand, logits: Operand, labels: Operand): void
  /** Gradient of classCrossEntropy: out [rows, classes] = dY·(softmax(logits) − 1 at the class number), labels and dY [rows]; 0 where there is no such class. */
  classCrossEntropyGradient?(out: Operand, logits: Operand, labels: Operand, dY: Operand): void
  /** Runs an optimizer's formula, elementwise, on each target's slots and inputs; see update.ts. A subnormal value of a slot behind the first may become 0. */
  update?(targets: readonly UpdateTarget[], program: UpdateProgram, scalars: readonly number[]): void
  /** out[i] = Threefry bits of counter i as a float in [0, 1): the same values that random.ts makes on the host. */
  uniform?(out: Operand, key: readonly [number, number]): void
  /** out[i] = 1 where the float that `uniform` gives at i is below p, else 0; `out` of any dtype. */
  bernoulli?(out: Operand, key: readonly [number, number], p: number): void
  /** out[i] = x[i]·(mask[i]·factor), with a uint8 mask. */
  maskedScale?(out: Operand, x: Operand, mask: Operand, factor: number): void
}

/** Which scores of attention are open, and their factor. */
export interface AttentionKernelOptions {
  /** A mask, and then a bias, follow the other inputs. */
  readonly masked: boolean
  readonly biased: boolean
  readonly causal: boolean
  readonly scale: number
}

/** How a recurrent cell runs over a sequence of inputs. */
export interface InputsKernelOptions extends SequenceKernelOptions {
  /** There is a bias b among the inputs. */
  readonly biased: boolean
  /** In a gradient: dX is wanted. */
  readonly wantsX?: boolean
  /** In a gradient: dY is 0 but for the states after the last step, so it need not be read elsewhere. */
  readonly lastOnly?: boolean
}

/** How a recurrent cell runs over a sequence. */
export interface SequenceKernelOptions {
  /** The last input is a mask: where it is not above 0 the states stay as they are. */
  readonly masked: boolean
  /** Steps run from the last to the first. */
  readonly goBackwards: boolean
  /** There is an input of dropout factors: they multiply h wherever it meets the recurrent weights. */
  readonly dropped: boolean
  /** In a gradient: dY is 0 in all parts but the states, so it need not be read there. */
  readonly statesOnly?: boolean
  /** The function of the gates, in cells that have gates. */
  readonly recurrentActivation?: 'sigmoid' | 'hardSigmoid'
}

/** One parameter for an update program: `slots` change (the parameter and its state), `inputs` are read (its gradient). All have one size. */
export interface UpdateTarget<T = Operand> {
  readonly slots: readonly T[]
  readonly inputs: readonly T[]
}

/** A value in an update program: a slot, an input or a scalar by position, or the result of an earlier step. */
export type UpdateValue = { slot: number } | { input: number } | { scalar: number } | { step: number }

/**
 * An optimizer's rule as data: elementwise steps in order, then which step's value each slot takes. The reference backend
 * interprets it; the fast backends compile it to one loop.
 */
export interface UpdateProgram {
  /** Unique: backends keep the compiled form under this name. */
  readonly name: string
  readonly steps: readonly { kernel: UpdateKernel; arguments: readonly UpdateValue[] }[]
  /** results[i] is the step whose value slot i takes. */
  readonly results: readonly number[]
}

/** The subset of map and zip kernels that update programs use. */
export type UpdateKernel = 'add' | 'sub' | 'mul' | 'div' | 'maximum' | 'minimum' | 'sqrt' | 'square' | 'abs' | 'neg' | 'sign'

/** Memory in use by a backend. */
export interface MemoryInfo {
  /** Live buffers. */
  buffers: number
  /** Bytes of live buffers, in the form the backend stores them in. */
  bytes: number
  /** Bytes the backend has reserved from the system. */
  reservedBytes: number
  /** Bytes that recorded steps work in (`compileStep`); they are in neither `buffers` nor `bytes`. */
  stepBytes?: number
}

/** How a backend runs on this machine. */
export interface BackendInfo {
  /** Threads that share large kernels. */
  threads: number
  /** x·y + z may be rounded once (relaxed SIMD). Machines that differ in this differ in the last bits of results. */
  relaxedSimd: boolean
  /** The heaviest kernels use 256-bit instructions, which have passed their self-test. */
  simd256: boolean
  /** Threads can share its memory. */
  sharedMemory: boolean
  /** Present on a gpu backend. */
  gpu?: GpuInfo
}

/** How a gpu backend runs. */
export interface GpuInfo {
  /** The engine of gpu.js that runs: `webgpu`, `webgl2`, `headlessgl`, `webasm` or `cpu`. */
  mode: string
  /** The device's own name, if it tells. */
  adapter?: string
  /** Better engines that were tried first and why they do not run here. Empty if one engine was asked for by name. */
  passedOver: readonly string[]
  /** Textures or buffers alive on the device, including those that compiled kernels hold. */
  objects: number
  /** Compiled kernels. */
  kernels: number
  /** Why every call fails from now on: set once the device is lost. */
  lost?: string
}

/**
 * Kernels that a program carries only if it names one of their ops. An op names its family (`family` in its definition), so a bundle without the op is without
 * the kernels. The gpu backend is a file that loads by itself and the reference backend is small; they have all kernels from the start.
 */
export interface KernelFamily {
  readonly wasm: (engine: Engine) => Partial<Kernels> & FusedKernels
}

/** A place where tensors live and are computed with. */
export interface Backend {
  readonly name: string
  readonly dtypes: ReadonlySet<DType>
  /** The dtype of new floats where none is asked for; float32 if left out. */
  readonly defaultDType?: DType
  readonly kernels: Kernels
  readonly fused: FusedKernels
  /** Adds a family of kernels, if it is not there; only backends that leave families out have it. Every op with a family calls it first. */
  add?(family: KernelFamily): void
  /** A handle for `size` elements with unspecified content. Throws a BackendError that says how much was asked and held. */
  alloc(size: number, dtype: DType): unknown
  /** Copies host values (already of the storage's dtype) in. */
  write(storage: Storage, values: TypedArray): void
  /** A copy of the values on the host. */
  read(storage: Storage): Promise<TypedArray>
  /** The same, at once, where the backend can; debugging needs it. */
  readSync?(storage: Storage): TypedArray
  /** The values where they lie, if the host reaches them as its own; good until the next tensor is made. */
  values?(storage: Storage): TypedArray | undefined
  free(storage: Storage): void
  memory(): MemoryInfo
  /** How it runs here, where a backend can say. */
  info?(): BackendInfo
  /** Gives everything back; the backend is unusable afterwards. */
  dispose?(): Promise<void>
}

/** Running an op: the output is allocated, the kernel fills it, and the tapes are told. Every op of every kind passes through here. */
import { describeValue } from '../arguments.js'
import type { FusedKernels } from '../backends/backend.js'
import { addContext, BackendError, showShape, ValueError } from '../errors.js'
import { debugging, defaultBackend } from '../runtime.js'
import { isFloat } from '../tensor/dtype.js'
import { scope } from '../tensor/scope.js'
import { checkShape } from '../tensor/shape.js'
import { emptyTensor, notATensor, requireBackendDType, Tensor } from '../tensor/tensor.js'
import { requireFinite } from './non-finite.js'
import {
  type ComposedOp,
  type Jvp,
  type OpDefinition,
  ops,
  type PrimitiveOp,
  register,
  replacements,
  type TensorSpec,
  type Vjp,
} from './op.js'
import { recomputing } from './recompute.js'
import { isRecording, labelled, recordOp, withoutRecording } from './recording.js'
import { transposed } from './transpose.js'

/** Registers an op and returns the function that runs it: `(inputs, options) => output`. */
export function defineOp<O extends object = object>(definition: PrimitiveOp<O>): (inputs: readonly Tensor[], options: O) => Tensor {
  requireDefinition('defineOp', definition, ['shape'])
  const call = (inputs: readonly Tensor[], options: O): Tensor => {
    const backend = commonBackend(definition.name, inputs)
    const spec = definition.shape(inputs, options)
    if (definition.forward === 'view') {
      checkShape(definition.name, spec.shape)
      inputs[0].storage.references++
      const view = new Tensor(inputs[0].storage, spec.shape)
      recordOp(current(registered), inputs, view, options)
      return view
    }
    const { forward, family } = definition
    if (family) backend.add?.(family)
    const out = run(definition.name, inputs, spec, backend, (output) => forward(backend.kernels, output, inputs, options), options)
    recordOp(current(registered), inputs, out, options)
    return out
  }
  const { vjp } = definition
  const jvp = typeof vjp === 'string' ? undefined : definition.linear ? linearJvp(call) : (definition.jvp ?? transposed(vjp))
  const registered = register({ ...definition, jvp, call } as unknown as OpDefinition)
  return call
}

/** The op as tapes record it now: with another derivative while `withDerivative` runs. */
const current = (op: OpDefinition): OpDefinition => (replacements.size === 0 ? op : (replacements.get(op.name) ?? op))

const replaced = (inputs: readonly Tensor[], i: number, v: Tensor): Tensor[] => inputs.map((x, j) => (j === i ? v : x))

/** The tangents of an op that is linear in each float input: the op itself, with the tangent in the place of the input. */
const linearJvp =
  <O extends object>(call: (inputs: readonly Tensor[], options: O) => Tensor): Jvp<O> =>
  ({ options }, inputs) =>
    inputs.map((x, i) => (isFloat(x.dtype) ? (v) => call(replaced(inputs, i, v), options) : null))

/** Registers a composed op and returns the function that runs it. */
export function defineComposed<O extends object = object>(definition: ComposedOp<O>): (inputs: readonly Tensor[], options: O) => Tensor {
  requireDefinition('defineComposed', definition, ['compose'])
  const { name, fused, derivative } = definition
  const runsFused = (inputs: readonly Tensor[], options: O): boolean => {
    // Kernels compute in float32; a mask and class numbers have dtypes of their own, where an op says that its kernel takes them.
    if (!fused || inputs.some(({ dtype }) => dtype !== 'float32' && (isFloat(dtype) || !fused.mixed))) return false
    const { backend } = inputs[0]
    if (fused.family) backend.add?.(fused.family)
    const kernel = typeof fused.kernel === 'function' ? fused.kernel(options) : fused.kernel
    return backend.fused[kernel] !== undefined
  }
  const compose = (inputs: readonly Tensor[], options: O): Tensor => {
    try {
      return labelled(name, () => scope(() => definition.compose(inputs, options, ops)))
    } catch (error) {
      throw inOp(error, name, inputs)
    }
  }

  /** Through the composition, recomputing it: always right, and differentiable again. */
  const throughComposition = recomputing<O>((inputs, options) => {
    // Views of their own, so that one tensor at two positions gets a cotangent for each.
    const sources = inputs.map((input) => ops.viewOf(input))
    return { sources, run: () => compose(sources, options) }
  })
  const composedVjp: Vjp<O> = (at, inputs, namespace) =>
    throughComposition.vjp(at, inputs, namespace).map((thunk, i) => (fused?.choosing?.includes(i) ? null : thunk))

  /** A faster rule, if there is one; but while the derivative is itself being recorded, the composition, which is made of ops with rules. */
  const ruleWith = (own: Vjp<O> | undefined): Vjp<O> =>
    own ? (at, inputs, namespace) => (isRecording() ? composedVjp : own)(at, inputs, namespace) : composedVjp

  const call = (inputs: readonly Tensor[], options: O): Tensor => {
    const backend = commonBackend(name, inputs)
    if (!fused || !runsFused(inputs, options)) {
      if (!derivative && !replacements.has(name)) return compose(inputs, options)
      const out = withoutRecording(() => compose(inputs, options))
      recordOp(current(registered), inputs, out, options)
      return out
    }
    const kernels = backend.fused as Required<FusedKernels>
    const out = run(name, inputs, fused.shape(inputs, options), backend, (output) => fused.forward(kernels, output, inputs, options))
    recordOp(current(byKernel), inputs, out, options)
    return out
  }
  const rule = fused?.rule ?? derivative?.rule ?? '(through its composition)'
  const registered = register({
    ...definition,
    rule,
    vjp: ruleWith(derivative?.vjp),
    jvp: throughComposition.jvp,
    call,
  } as unknown as OpDefinition)
  /** The op as tapes record it where the kernel ran. */
  const byKernel = { ...registered, vjp: ruleWith(fused?.vjp ?? derivative?.vjp) } as OpDefinition
  return call
}

/** Throws unless a definition has what the dispatcher calls. */
function requireDefinition(what: string, definition: object, functions: readonly string[]): void {
  const fields = (typeof definition === 'object' ? definition : undefined) as Record<string, unknown> | null | undefined
  if (typeof fields?.name === 'string' && functions.every((name) => typeof fields[name] === 'function') && Array.isArray(fields.samples))
    return
  throw new ValueError(`${what}: expected a definition with name, ${functions.join(', ')} and samples, got ${describeValue(definition)}.`)
}

/** Allocates the output, runs the kernel, and cleans up and names the op if it fails. */
function run(
  name: string,
  inputs: readonly Tensor[],
  spec: TensorSpec,
  backend: Tensor['backend'],
  forward: (out: Tensor) => void,
  options?: object,
): Tensor {
  requireBackendDType(name, backend, spec.dtype)
  let out: Tensor | undefined
  try {
    out = emptyTensor(backend, spec.shape, spec.dtype)
    forward(out)
  } catch (error) {
    out?.dispose()
    throw inOp(error, name, inputs)
  }
  // An op told to write an infinity (the border of max pooling) may.
  if (debugging.nonFinite && !Object.values(options ?? {}).includes(-Infinity)) requireFinite(name, inputs, out)
  return out
}

/** An error that says in which op it happened. */
const inOp = (error: unknown, name: string, inputs: readonly Tensor[]): unknown =>
  addContext(error, `in op ${name}(${inputs.map((x) => showShape(x.shape)).join(', ')})`)

function commonBackend(name: string, inputs: readonly Tensor[]): Tensor['backend'] {
  if (inputs.length === 0) return defaultBackend()
  const backend = inputs[0]?.storage?.backend
  for (let i = 0; i < inputs.length; i++) {
    const input = inputs[i]
    if (!(input instanceof Tensor)) {
      throw notATensor(name, `input ${i}`, input)
    }
    if (input.disposed) input.requireLive(name)
    if (input.storage.backend !== backend) {
      throw new BackendError(
        `${name}: its inputs are on two backends, "${backend.name}" and "${input.storage.backend.name}". Move one: await t.to(other.backend).`,
      )
    }
  }
  return backend
}

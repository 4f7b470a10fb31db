/**
 * A step that is recorded once. The first calls run the program. Then two calls are written down kernel by kernel, and if both are the same, later calls
 * do only what was written down, on memory that is planned for the whole step: no tensors, scopes, tapes or checks of shapes. The bits are those of the program.
 *
 * Only the wasm backend records (backends/wasm/recorded/). Elsewhere, and wherever a step cannot be recorded, the program runs.
 */
import { describeValue, requireFunction } from './arguments.js'
import { isRecording } from './autodiff/recording.js'
import type { Backend } from './backends/backend.js'
import { engineOf } from './backends/wasm/index.js'
import { Recorder, type Recording, Refusal } from './backends/wasm/recorded/recorder.js'
import { Replay } from './backends/wasm/recorded/replay.js'
import { sameStep } from './backends/wasm/recorded/same-step.js'
import { addContext, BackendError, ValueError } from './errors.js'
import { isKey, type Key } from './random.js'
import { debugging, defaultBackend } from './runtime.js'
import { isInStep, runStep } from './step-listener.js'
import type { DType } from './tensor/dtype.js'
import { requireSynchronous, scope, tensorsIn } from './tensor/scope.js'
import { type Shape, sameShape, sizeOf } from './tensor/shape.js'
import { newStorage, Tensor } from './tensor/tensor.js'

/** An argument of a compiled step: a tensor, or a random key. */
export type StepArgument = Tensor | Key

/** How a compiled step runs. */
export interface StepInfo {
  /** Whether the last call did what was recorded. */
  readonly recorded: boolean
  /** Why the program runs; undefined while it is recorded, and before that is known. */
  readonly reason?: string
  /** The calls of kernels in a recorded step. */
  readonly calls?: number
  /** Bytes of the memory that a recorded step works in. All steps of a backend share it. */
  readonly bytes?: number
}

/** A function of tensors and keys, compiled by `compileStep`. */
export interface CompiledStep<A extends readonly StepArgument[], R> {
  (...values: A): R
  /** How the last call ran. */
  info(): StepInfo
  /** Forgets what was recorded and frees its memory. */
  dispose(): void
}

/** Calls of one kind that run the program before it is recorded. The first makes what lasts, such as the state of an optimizer. */
const FIRST = 1
/** Attempts to record a kind of call; a step that still changes then runs as a program. */
const ATTEMPTS = 4
/** Kinds of calls that are kept. */
const MOST_KINDS = 16

/** Arguments as far as calls of one kind have them in common: dtypes and shapes, and for each tensor the first argument that has its memory. */
type Signature = readonly ('key' | { readonly dtype: DType; readonly shape: Shape; readonly first: number })[]

/** The calls with arguments of the same shapes. */
interface Kind {
  readonly signature: Signature
  readonly backend: Backend
  calls: number
  /** The last recording, to be compared with the next, and the attempts so far; for each set of values of the guards. */
  readonly recorded: Map<string, { before?: Step; attempts: number }>
  /** How often a recording was refused. */
  refusals: number
  readonly steps: (Step & { readonly replay: Replay; readonly info: StepInfo })[]
  /** Why the program runs from now on. */
  reason?: string
}

/** A recorded step, and what it gives. */
interface Step {
  readonly recording: Recording
  readonly result: Template
}

/** A result with the numbers of values in the place of tensors. A tensor that the step was given, or that was there before, stays as it is. */
type Template =
  | { readonly made: number; readonly shape: Shape; readonly dtype: DType }
  | { readonly given: number }
  | { readonly same: unknown }
  | { readonly list: readonly Template[] }
  | { readonly fields: readonly (readonly [string, Template])[] }

/** Frees what a step recorded when the step itself is gone. */
const forgotten = new FinalizationRegistry<Kind[]>((kinds) => release(kinds))

function release(kinds: Kind[]): void {
  for (const { steps } of kinds) for (const { replay } of steps) replay.dispose()
  kinds.length = 0
}

/**
 * Compiles a step of training: a function that is called over and over with tensors of the same shapes. The first three calls run it; from then on the
 * kernels that it called are called again, in the same order, with the same bits, and the function itself does not run.
 *
 * Whatever changes from call to call must be an argument (tensors of the same shapes, random keys), a `Parameter`, or a number of `eachStep`; optimizers
 * of the layers package use that. Anything else is as it was when the step was recorded. The function runs again for other shapes, for a
 * parameter that was assigned, or if it reads values, keeps tensors or draws on the host: `info()` says why.
 *
 * Everything made inside is freed but the result, which is the caller's: tensors, in arrays or plain objects.
 *
 * Shape: arguments and results have the shapes of those of `f`
 *
 * @param f takes tensors and keys, and returns tensors
 * @throws ValueError if an argument is neither a tensor nor a key; whatever f throws
 * @example
 * ```ts
 * const descent = updateProgram('compiledDescent', { slots: 1, inputs: 1, scalars: 1 }, ([w], [g], [rate]) => [w.sub(rate.mul(g))])
 * const w = new Parameter(tensor([1, 2]))
 * const step = compileStep((x: Tensor) => {
 *   const { value, grads } = valueAndGrad([w], () => w.mul(x).square().sum())
 *   applyUpdate(descent, [w], grads, [0.1])
 *   return value
 * })
 * for (let i = 0; i < 5; i++) step(tensor([0.5, 0.5])).dispose()
 * console.log(step.info().recorded) // true
 * ```
 */
export function compileStep<A extends readonly StepArgument[], R>(f: (...values: A) => R): CompiledStep<A, R> {
  requireFunction('compileStep', 'f', f, 'compileStep((x, y) => loss)')
  const kinds: Kind[] = []
  let last: StepInfo = { recorded: false, reason: 'it was not called yet' }
  let calls = 0

  const step = (...values: A): R => {
    calls++
    const kind = kindOf(kinds, values)
    const { backend } = kind
    const runBecause = (reason: string): R => {
      last = { recorded: false, reason }
      return runStep(undefined, () => program(f, values))
    }
    const engine = engineOf(backend)
    if (!engine) return runBecause(`the ${backend.name} backend records no steps`)
    if (isInStep() || isRecording()) return runBecause('it runs inside another step or derivative')
    if (debugging.nonFinite || debugging.leaks) {
      try {
        return runBecause('checks of debug() are on')
      } catch (error) {
        throw addContext(error, `in call ${calls} of a compiled step`)
      }
    }
    const [tensors, keys]: [Tensor[], Key[]] = [[], []]
    for (const value of values) {
      if (value instanceof Tensor) tensors.push(value)
      else keys.push(value)
    }
    const inputs = tensors.map(({ storage }) => storage)
    dropStale(kind)
    for (const { replay, result, info } of kind.steps) {
      if (!replay.fits) continue
      if (!replay.run(inputs, keys)) return runBecause('a kernel refused its input')
      last = info
      return filled(result, replay, tensors) as R
    }
    if (kind.calls++ < FIRST) return runBecause('the first calls run the program')
    if (kind.reason !== undefined) return runBecause(kind.reason)
    last = { recorded: false, reason: 'it is being recorded' }
    // Keys are known by their arrays, of which one may be two arguments.
    const copies = keys.map(([a, b]): [number, number] => [a, b])
    const recorder = new Recorder(backend, inputs, copies)
    let key = 0
    const traced = values.map((value) => (value instanceof Tensor ? value : copies[key++])) as unknown as A
    const value = runStep(recorder, () => recorder.listen(() => program(f, traced)))
    try {
      const made = [...tensorsIn(value)]
      const { recording, results } = recorder.finish(made.map(({ storage }) => storage))
      const now = { recording, result: templateOf(value, (tensor) => [results[made.indexOf(tensor)], recording]) }
      const phase = recording.guards.map(({ was }) => String(was)).join()
      const { before, attempts = 0 } = kind.recorded.get(phase) ?? {}
      if (before && sameStep(before.recording, recording) && sameTemplate(before.result, now.result)) {
        const replay = new Replay(engine, backend, recording, results)
        kind.steps.push({ ...now, replay, info: { recorded: true, calls: replay.length, bytes: replay.bytes } })
        kind.recorded.delete(phase)
      } else if (attempts + 1 === ATTEMPTS) kind.reason = 'it differs from call to call'
      else kind.recorded.set(phase, { before: now, attempts: attempts + 1 })
    } catch (error) {
      // The step itself is done, so that a lack of memory for its recording is no failure.
      if (!(error instanceof Refusal || error instanceof BackendError)) throw error
      if (++kind.refusals === ATTEMPTS) kind.reason = error.message
      last = { recorded: false, reason: error.message }
    }
    return value
  }
  const compiled = Object.assign(step, { info: () => last, dispose: () => release(kinds) })
  forgotten.register(compiled, kinds)
  return compiled
}

/** Runs the program of a step; everything made in it is freed but the result. */
const program = <A extends readonly StepArgument[], R>(f: (...values: A) => R, values: A): R =>
  scope(() => {
    const result = f(...values)
    requireSynchronous('compileStep', result)
    return result
  })

/** The kind of a call. */
function kindOf(kinds: Kind[], values: readonly StepArgument[]): Kind {
  for (const kind of kinds) if (isOfKind(kind, values)) return kind
  const signature = values.map((value, i) => {
    if (value instanceof Tensor) {
      value.requireLive('a compiled step')
      return { dtype: value.dtype, shape: value.shape, first: firstWith(values, value) }
    }
    if (isKey(value)) return 'key'
    throw new ValueError(`compileStep: argument ${i} must be a tensor or a random key, got ${describeValue(value)}.`)
  })
  if (kinds.length >= MOST_KINDS) release(kinds)
  const kind = { signature, backend: backendOf(values), calls: 0, recorded: new Map(), refusals: 0, steps: [] }
  kinds.push(kind)
  return kind
}

/** Whether a call is of the kind; not if an argument is none. */
function isOfKind({ signature, backend }: Kind, values: readonly StepArgument[]): boolean {
  if (values.length !== signature.length || backendOf(values) !== backend) return false
  for (let i = 0; i < values.length; i++) {
    const [value, was] = [values[i], signature[i]]
    if (was === 'key') {
      if (!isKey(value)) return false
    } else {
      if (!(value instanceof Tensor) || value.disposed || value.dtype !== was.dtype) return false
      if (!sameShape(value.shape, was.shape) || firstWith(values, value) !== was.first) return false
    }
  }
  return true
}

/** The position of the first argument with the memory of this one: two may be views of one memory. */
function firstWith(values: readonly StepArgument[], { storage }: Tensor): number {
  return values.findIndex((value) => value instanceof Tensor && value.storage === storage)
}

/** The backend of the first tensor. */
function backendOf(values: readonly StepArgument[]): Backend {
  for (const value of values) if (value instanceof Tensor) return value.backend
  return defaultBackend()
}

/** Drops recorded steps that can never be done again. */
function dropStale({ steps }: Kind): void {
  for (let i = steps.length - 1; i >= 0; i--) {
    if (!steps[i].replay.stale) continue
    steps[i].replay.dispose()
    steps.splice(i, 1)
  }
}

/** The template of a result. `valueOf` gives the value of a tensor, and the recording that it belongs to. */
function templateOf(result: unknown, valueOf: (tensor: Tensor) => readonly [number, Recording]): Template {
  if (result instanceof Tensor) {
    const [value, { values }] = valueOf(result)
    const { input, storage } = values[value]
    if (input !== undefined) return { given: input }
    return storage ? { same: result } : { made: value, shape: result.shape, dtype: result.dtype }
  }
  if (Array.isArray(result)) return { list: result.map((item) => templateOf(item, valueOf)) }
  const isPlain = typeof result === 'object' && result !== null && Object.getPrototypeOf(result) === Object.prototype
  if (!isPlain) return { same: result }
  return { fields: Object.entries(result).map(([name, item]) => [name, templateOf(item, valueOf)] as const) }
}

function sameTemplate(a: Template, b: Template): boolean {
  if ('same' in a) return 'same' in b && Object.is(a.same, b.same)
  if ('list' in a) return 'list' in b && a.list.length === b.list.length && a.list.every((item, i) => sameTemplate(item, b.list[i]))
  if ('fields' in a)
    return (
      'fields' in b &&
      a.fields.length === b.fields.length &&
      a.fields.every(([name, item], i) => name === b.fields[i][0] && sameTemplate(item, b.fields[i][1]))
    )
  if ('given' in a) return 'given' in b && a.given === b.given
  return 'made' in b && a.made === b.made && sameShape(a.shape, b.shape)
}

/** The result of a step that was done: fresh tensors with the values of the step. */
function filled(template: Template, replay: Replay, inputs: readonly Tensor[]): unknown {
  if ('made' in template) {
    const { made, shape, dtype } = template
    const storage = newStorage(replay.backend, sizeOf(shape), dtype)
    replay.copyTo(storage, made)
    return new Tensor(storage, shape)
  }
  if ('same' in template) return template.same
  if ('given' in template) return inputs[template.given]
  if ('list' in template) return template.list.map((item) => filled(item, replay, inputs))
  const result: Record<string, unknown> = {}
  for (const [name, item] of template.fields) result[name] = filled(item, replay, inputs)
  return result
}

/**
 * The op sweep: every op of the registry with each of its samples. On a backend, values, gradients, second derivatives and tangents must equal those of
 * the reference, and nothing may leak. On the reference itself, in float64, first and second derivatives must equal central differences, and derivatives
 * forwards must equal those backwards.
 */

import { differentiate } from '../src/autodiff/differentiate.js'
import type { SampleInput } from '../src/autodiff/op.js'
import { Tape } from '../src/autodiff/tape.js'
import type { Backend, OpDefinition, Sample, Shape, Tensor } from '../src/index.js'
import { mul, scope, sizeOf, sum, withBackend, zerosLike } from '../src/index.js'
import { fold, key, threefry2x32 } from '../src/random.js'
import { convert, type DType, isFloat, type TypedArray } from '../src/tensor/dtype.js'
import { fromHost } from '../src/tensor/tensor.js'

/** The host values of one input of a sample. */
export interface HostInput {
  values: Float64Array
  shape: Shape
  dtype: DType
}

const uniformOf = (k: readonly [number, number], i: number): number => (threefry2x32(k, [i, 0])[0] >>> 8) * 2 ** -24

/** Draws the inputs of a sample, the same for every backend: on a grid that float32 holds exactly, and away from 0 unless the sample says otherwise. */
export function drawInputs({ name }: { readonly name: string }, sample: Sample<object>, index: number): HostInput[] {
  const seed = [...name].reduce((h, c) => (h * 31 + c.charCodeAt(0)) >>> 0, index)
  return sample.inputs.map((input, position) => {
    const spec = 'shape' in input ? input : { shape: input }
    const { shape, dtype = 'float32', low, high, diagonal = 0 } = spec as SampleInput
    const k = fold(key(seed), position)
    const [rows, columns] = [shape.at(-2) ?? 0, shape.at(-1) ?? 0]
    const values = Float64Array.from({ length: sizeOf(shape) }, (_, i) => {
      const u = uniformOf(k, i)
      if (diagonal !== 0 && Math.floor(i / columns) % rows === i % columns) return diagonal + u
      if (dtype === 'bool') return u < 0.5 ? 0 : 1
      if (low !== undefined && high !== undefined) return isFloat(dtype) ? low + u * (high - low) : Math.floor(low + u * (high - low))
      return u < 0.5 ? -2 + 3.8 * u : 0.1 + 3.8 * (u - 0.5)
    })
    return { values: isFloat(dtype) ? values.map((v) => Math.round(v * 4096) / 4096) : values, shape, dtype }
  })
}

/** Puts the inputs of a sample on a backend. */
export const place = (backend: Backend, inputs: readonly HostInput[], floats: DType): Tensor[] =>
  inputs.map(({ values, shape, dtype }) => {
    const type = isFloat(dtype) ? floats : dtype
    return fromHost(backend, convert(values, type), shape, type)
  })

/** Fixed weights, different for each element, whose sum with an output is a scalar. */
const weightsOf = (size: number): Float64Array => Float64Array.from({ length: size }, (_, i) => Math.fround(Math.sin(1 + 2.7 * i)))

/** Weights in the shape of a tensor: of the elements of an output in a sum, or the direction in which an input moves. */
export const weightsLike = (y: Tensor): Tensor => fromHost(y.backend, convert(weightsOf(y.size), y.dtype), y.shape, y.dtype)

/** Σ w·y */
export const weighted = (y: Tensor): Tensor => sum(mul(y, weightsLike(y)))

const differentiable = (op: OpDefinition): boolean => typeof op.vjp === 'function'

/** Whether there is a derivative to check for this sample. */
export const hasGradient = (op: OpDefinition, sample: Sample<object>, xs: readonly Tensor[], y: Tensor): boolean =>
  differentiable(op) && isFloat(y.dtype) && !sample.skipGradient && xs.some((x) => isFloat(x.dtype))

/** The results of a sample on a backend: the output, and first and second derivatives for each float input. */
export interface Outcome {
  value: TypedArray
  shape: Shape
  dtype: DType
  grads?: (TypedArray | undefined)[]
  second?: (TypedArray | undefined)[]
  /** The tangent of the output while each float input moves along its weights. */
  tangent?: TypedArray
}

const ones = (y: Tensor): Tensor => fromHost(y.backend, convert([1], y.dtype), y.shape, y.dtype)

/** The gradient of Σ w·op(x) for each float input. */
export const firstDerivatives = (op: OpDefinition, xs: readonly Tensor[], options: object): (Tensor | undefined)[] =>
  differentiate(
    'sweep',
    xs.filter((x) => isFloat(x.dtype)),
    () => weighted(op.call(xs, options)),
    ones,
  ).grads

/** The gradient of Σ w·op(x), and the gradient of Σ w·(that gradient). A constant has no second derivative: it is undefined. */
function derivatives(
  op: OpDefinition,
  xs: readonly Tensor[],
  options: object,
): { first: (Tensor | undefined)[]; second: (Tensor | undefined)[] } {
  const sources = xs.filter((x) => isFloat(x.dtype))
  const { value, grads } = differentiateMany(sources, () => firstDerivatives(op, xs, options))
  return { first: value, second: grads }
}

function differentiateMany(
  sources: readonly Tensor[],
  f: () => (Tensor | undefined)[],
): { value: (Tensor | undefined)[]; grads: (Tensor | undefined)[] } {
  let value: (Tensor | undefined)[] = []
  const { grads } = differentiate(
    'sweep',
    sources,
    () => {
      value = f().map((g) => g?.keep())
      const terms = value.flatMap((g) => (g ? [weighted(g)] : []))
      return terms.reduce((a, b) => a.add(b))
    },
    ones,
  )
  return { value, grads }
}

/** The tangents of what `f` gives while the float inputs move along their weights. */
function pushed(xs: readonly Tensor[], f: () => readonly Tensor[]): (Tensor | undefined)[] {
  const sources = xs.filter((x) => isFloat(x.dtype))
  const tape = new Tape(sources)
  return tape.forward(tape.run(f), sources, sources.map(weightsLike))
}

/** Reads the tensors that exist and disposes each. */
export async function readAll(tensors: readonly (Tensor | undefined)[]): Promise<(TypedArray | undefined)[]> {
  try {
    return await Promise.all(tensors.map((t) => t?.data()))
  } finally {
    for (const t of tensors) t?.dispose()
  }
}

/** Runs a sample on a backend in the given float type. */
export async function run(
  op: OpDefinition,
  sample: Sample<object>,
  inputs: readonly HostInput[],
  backend: Backend,
  floats: DType,
): Promise<Outcome> {
  const { y, derived } = withBackend(backend, () =>
    scope(() => {
      const xs = place(backend, inputs, floats)
      const y = op.call(xs, sample.options ?? {})
      if (!hasGradient(op, sample, xs, y)) return { y, derived: undefined }
      const [tangent] = pushed(xs, () => [op.call(xs, sample.options ?? {})])
      return { y, derived: { ...derivatives(op, xs, sample.options ?? {}), tangent } }
    }),
  )
  const { shape, dtype } = y
  const tensors = [y, derived?.tangent, ...(derived?.first ?? []), ...(derived?.second ?? [])]
  const [value, tangent, ...rest] = (await readAll(tensors)) as [TypedArray, ...(TypedArray | undefined)[]]
  if (!derived) return { value, shape, dtype }
  const sources = derived.first.length
  return { value, shape, dtype, tangent, grads: rest.slice(0, sources), second: rest.slice(sources) }
}

/** The largest |a − b| / (1 + |b|). NaN and infinities must be equal. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let worst = a.length === b.length ? 0 : Infinity
  for (let i = 0; i < a.length; i++) {
    if (Object.is(a[i], b[i]) || a[i] === b[i]) continue
    const error = Math.abs(a[i] - b[i]) / (1 + Math.abs(b[i]))
    worst = Number.isNaN(error) ? Infinity : Math.max(worst, error)
  }
  return worst
}

/** Compares a backend's results with the reference's; returns the names of those that differ by more than the tolerances. */
export function differences(got: Outcome, want: Outcome, tolerance: Tolerance): string[] {
  const bad: string[] = []
  const check = (name: string, a: ArrayLike<number> | undefined, b: ArrayLike<number> | undefined, limit: number): void => {
    if (!a !== !b) bad.push(`${name}: ${a ? 'present' : 'absent'}, reference ${b ? 'present' : 'absent'}`)
    else if (a && b) {
      const d = distance(a, b)
      if (!(d <= limit)) bad.push(`${name} differs by ${d}`)
    }
  }
  if (got.dtype !== want.dtype || got.shape.join() !== want.shape.join())
    bad.push(`${got.dtype} [${got.shape}] instead of ${want.dtype} [${want.shape}]`)
  check('value', got.value, want.value, tolerance.value)
  check('tangent', got.tangent, want.tangent, tolerance.first)
  for (const [i, g] of want.grads?.entries() ?? []) check(`gradient ${i}`, got.grads?.[i], g, tolerance.first)
  for (const [i, g] of want.second?.entries() ?? []) check(`second derivative ${i}`, got.second?.[i], g, tolerance.second)
  return bad
}

/**
 * Compares first and second derivatives of a sample with central differences, in float64 on the reference. Moves at most
 * `maxElements` elements of each input. Throws at the first one that differs.
 */
export async function checkAgainstDifferences(
  op: OpDefinition,
  sample: Sample<object>,
  inputs: readonly HostInput[],
  reference: Backend,
): Promise<number> {
  if (!differentiable(op) || sample.skipGradient) return 0
  const large = inputs.some((x) => x.values.length > 200)
  const maxElements = large ? 3 : 24
  const outcome = await run(op, sample, inputs, reference, 'float64')
  if (!outcome.grads) return 0
  await checkForwards(op, sample, inputs, reference, outcome)
  const step = 1e-5
  let checked = 0
  let source = 0
  for (const [position, input] of inputs.entries()) {
    if (!isFloat(input.dtype)) continue
    const { values } = input
    const k = source++
    const stride = Math.max(1, Math.ceil(values.length / maxElements))
    for (let i = 0; i < values.length; i += stride) {
      const moved = async (by: number): Promise<{ scalar: number; slopes: number }> => {
        const shifted = inputs.map((x, p) => (p === position ? { ...x, values: x.values.map((v, j) => (j === i ? v + by : v)) } : x))
        const result = await (large ? runValue : run)(op, sample, shifted, reference, 'float64')
        return { scalar: dot(result.value), slopes: (result.grads ?? []).reduce((s, g) => s + (g ? dot(g) : 0), 0) }
      }
      const [above, below] = [await moved(step), await moved(-step)]
      const compare = (name: string, analytic: number, numeric: number): void => {
        checked++
        if (Math.abs(analytic - numeric) <= 1e-6 * (1 + Math.abs(numeric))) return
        throw new Error(`${op.name}: ${name} for element ${i} of input ${position} is ${analytic}, the central difference ${numeric}`)
      }
      compare('derivative', outcome.grads?.[k]?.[i] ?? 0, (above.scalar - below.scalar) / (2 * step))
      if (!large) compare('second derivative', outcome.second?.[k]?.[i] ?? 0, (above.slopes - below.slopes) / (2 * step))
    }
  }
  return checked
}

const dot = (a: ArrayLike<number>): number => weightsOf(a.length).reduce((s, w, j) => s + w * a[j], 0)

/**
 * Holds the derivatives forwards against those backwards: ⟨w, J·v⟩ = ⟨w·J, v⟩; and the gradient's change along v, forward over reverse, against the second
 * derivatives, which are reverse over reverse of the same: the gradient of ⟨w·J, v⟩. Throws where they differ.
 */
async function checkForwards(
  op: OpDefinition,
  sample: Sample<object>,
  inputs: readonly HostInput[],
  reference: Backend,
  { tangent, grads = [], second = [] }: Outcome,
): Promise<void> {
  const same = (name: string, forwards: number, backwards: number): void => {
    if (Math.abs(forwards - backwards) <= 1e-9 * (1 + Math.abs(backwards))) return
    throw new Error(`${op.name}: ${name} is ${forwards} forwards, ${backwards} backwards`)
  }
  const total = (list: readonly (TypedArray | undefined)[]): number => list.reduce((s, g) => s + (g ? dot(g) : 0), 0)
  if (grads.every((g) => g?.length === 0)) return // nothing moves, but a result over nothing may be infinite, and its tangent NaN
  same('the tangent', total([tangent]), total(grads))
  const changes = withBackend(reference, () =>
    scope(() => {
      const xs = place(reference, inputs, 'float64')
      const filled = (): Tensor[] =>
        firstDerivatives(op, xs, sample.options ?? {}).map((g, i) => g ?? zerosLike(xs.filter((x) => isFloat(x.dtype))[i]))
      return pushed(xs, filled)
    }),
  )
  for (const [i, change] of (await readAll(changes)).entries()) {
    const none = new Float64Array(change?.length ?? second[i]?.length ?? 0)
    const d = distance(change ?? none, second[i] ?? none)
    if (!(d <= 1e-9)) throw new Error(`${op.name}: second derivative ${i} is another forward over reverse: they differ by ${d}`)
  }
}

async function runValue(
  op: OpDefinition,
  sample: Sample<object>,
  inputs: readonly HostInput[],
  backend: Backend,
  floats: DType,
): Promise<Outcome> {
  const y = withBackend(backend, () => scope(() => op.call(place(backend, inputs, floats), sample.options ?? {})))
  const { shape, dtype } = y
  const [value] = (await readAll([y])) as [TypedArray]
  return { value, shape, dtype }
}

/** How far a backend's results may be from the reference's, relative to 1 + |reference|. */
export interface Tolerance {
  value: number
  first: number
  second: number
}

/** Leaves memory full of NaN to be used again: a kernel that does not write all of its output gives some of it. */
export function soil(backend: Backend): void {
  const made = [1, 4, 16, 64, 256, 1024, 4096, 16384].flatMap((size) =>
    Array.from({ length: 24 }, () => fromHost(backend, new Float32Array(size).fill(Number.NaN), [size], 'float32')),
  )
  for (const t of made) t.dispose()
}

/**
 * The tolerance of wasm. Kernels round to float32 (6e-8) and sum up to 130 products in float32, where the reference sums in float64; derivatives go through one and two
 * more such sums of values up to about 100. (The gpu backend has a sweep of its own.)
 */
export const wasmTolerance: Tolerance = { value: 1e-5, first: 1e-4, second: 1e-3 }

/** Runs the samples of one op on a backend and on the reference: how many there are, and what is wrong. */
export async function compareOp(
  op: OpDefinition,
  backend: Backend,
  reference: Backend,
  tolerance: Tolerance,
): Promise<{ cases: number; wrong: string[] }> {
  const wrong: string[] = []
  for (const [i, sample] of op.samples.entries()) {
    const inputs = drawInputs(op, sample, i)
    const want = await run(op, sample, inputs, reference, 'float32')
    const before = backend.memory()
    soil(backend)
    const found = differences(await run(op, sample, inputs, backend, 'float32'), want, tolerance)
    const after = backend.memory()
    if (after.buffers !== before.buffers || after.bytes !== before.bytes) found.push(`leaked ${after.buffers - before.buffers} buffers`)
    if (found.length > 0) wrong.push(`${op.name}, sample ${i} (${JSON.stringify(sample)}): ${found.join('; ')}`)
  }
  return { cases: op.samples.length, wrong }
}

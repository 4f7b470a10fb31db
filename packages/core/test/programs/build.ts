/**
 * Makes a program from a recipe of plain numbers, which fast-check draws and shrinks. Ops come from the registry: one with the shapes and ranges of one of its
 * samples, an elementwise op on whatever shapes broadcast, or an op along an axis of any shape. Arguments are adapted by ops: reshaped, repeated, and brought
 * into the range that the sample states. Each line is tried on the reference in float64; one that is refused, is not finite or is large is left out.
 */
import { differentiate } from '../../src/autodiff/differentiate.js'
import {
  type Backend,
  CotangentError,
  type OpDefinition,
  onesLike,
  registry,
  type Sample,
  type Shape,
  scope,
  sizeOf,
  type Tensor,
} from '../../src/index.js'
import { type DType, isFloat } from '../../src/tensor/dtype.js'
import { reference, valuesOf } from '../helpers.js'
import { applyLine, constantOf, definitionOf, type Line, modes, type OpLine, type Program, placeInputs } from './program.js'

/** A step of a recipe: which op (`group` says from which list), its arguments counted back from the newest value, and bits for the rest. */
export interface RecipeStep {
  readonly group: number
  readonly pick: number
  readonly args: readonly number[]
  readonly bits: number
  readonly mode: number
}

export interface Recipe {
  readonly inputs: readonly Shape[]
  readonly seed: number
  readonly steps: readonly RecipeStep[]
}

/** Larger values make a program slow, and its derivatives slower. */
const MOST_ELEMENTS = 400
/** Values beyond this are scaled before an op takes them, by a power of two. */
const LARGE = 8

type Spec = { shape: Shape; dtype: DType; low?: number; high?: number; diagonal?: number }
const specOf = (input: Sample<object>['inputs'][number]): Spec =>
  'shape' in input ? { dtype: 'float32', ...input } : { shape: input, dtype: 'float32' }

const small = (sample: Sample<object>): boolean =>
  sample.inputs.length > 0 && sample.inputs.every((input) => sizeOf(specOf(input).shape) <= 200)

/** Every small sample of every op. */
const sampled = [...registry.values()].flatMap((op) => op.samples.filter(small).map((sample) => ({ op, sample })))

/** Whether an op takes any shapes that broadcast: it has a sample of scalars, and a matrix with rows gives a matrix, and has a derivative. */
function isElementwise(op: OpDefinition): boolean {
  const sample = op.samples.find(({ inputs }) => inputs.length > 0 && inputs.every((input) => specOf(input).shape.length === 0))
  if (!sample) return false
  try {
    return scope(() => {
      const xs = sample.inputs.map((input, i) =>
        constantOf(
          { constant: new Array(6).fill(0.5), shape: i === 0 ? [2, 3] : [1, 3], dtype: specOf(input).dtype },
          reference,
          'float64',
        ),
      )
      const given = (): Tensor => op.call(xs, sample.options ?? {})
      const floats = xs.filter(({ dtype }) => isFloat(dtype))
      if (isFloat(given().dtype)) differentiate('isElementwise', floats, given, onesLike)
      return !op.name.endsWith('Gradient') && given().shape.join() === '2,3'
    })
  } catch {
    return false
  }
}
const elementwise = [...registry.values()].filter(isElementwise).flatMap((op) =>
  op.samples
    .filter(({ inputs }) => inputs.every((input) => specOf(input).dtype === specOf(op.samples[0].inputs[0]).dtype || op.name === 'where'))
    .slice(0, 4)
    .map((sample) => ({ op, sample })),
)

/** Options of an op along an axis, for a shape of rank 1 or more. */
type AxisRule = (shape: Shape, axis: number, bits: number) => { options: object; others?: readonly Spec[] }
const float = (shape: Shape): Spec => ({ shape, dtype: 'float32' })
const reduction: AxisRule = (shape, axis, bits) => ({ options: { first: axis, last: bits % 2 ? axis : shape.length - 1 } })
const along: AxisRule = (_, axis, bits) => ({ options: { axis, exclusive: bits % 2 === 1, reverse: bits % 4 > 1 } })
const sorting: AxisRule = (_, axis, bits) => ({ options: { axis, descending: bits % 2 === 1 } })
const lastAxis: AxisRule = () => ({ options: {} })
const rules: readonly (readonly [string, AxisRule])[] = [
  ['sum', reduction],
  ['prod', reduction],
  ['max', reduction],
  ['min', reduction],
  ['argMax', reduction],
  ['mean', (_, axis, bits) => ({ options: { axis, keepDims: bits % 2 === 1 } })],
  ['variance', (_, axis, bits) => ({ options: { axis, keepDims: bits % 2 === 1 } })],
  ['softmax', lastAxis],
  ['logSoftmax', lastAxis],
  ['logSumExp', (_, __, bits) => ({ options: { keepDims: bits % 2 === 1 } })],
  ['cumSum', along],
  ['cumProd', along],
  ['sort', sorting],
  ['argSort', sorting],
  ['flip', (_, axis) => ({ options: { axes: [axis] } })],
  ['roll', (shape, axis, bits) => ({ options: { shift: bits % Math.max(1, shape[axis]), axis } })],
  ['transpose', (shape, axis) => ({ options: { axes: [axis, ...shape.map((_, i) => i).filter((i) => i !== axis)] } })],
  ['reshape', (shape, axis) => ({ options: { shape: [...shape.slice(0, axis), sizeOf(shape.slice(axis))] } })],
  ['reshape', (shape, axis) => ({ options: { shape: shape.toSpliced(axis, 0, 1) } })],
  ['broadcastTo', (shape, _, bits) => ({ options: { shape: [1 + (bits % 3), ...shape] } })],
  [
    'pad',
    (shape, axis, bits) => ({ options: { pads: shape.map((_, i) => (i === axis ? [bits % 2, bits % 3] : [0, 0])), value: bits % 2 } }),
  ],
  ['slice', (shape, axis, bits) => cut(shape, axis, bits)],
  ['concat', (shape, axis) => ({ options: { axis }, others: [float(shape)] })],
  ['matMul', (shape, _, bits) => ({ options: {}, others: [float([...shape.slice(0, -2), shape.at(-1) ?? 1, 1 + (bits % 4)])] })],
  [
    'affine',
    (shape, _, bits) => ({
      options: { relu: bits % 2 === 1 },
      others: [float([shape.at(-1) ?? 1, 1 + (bits % 4)]), float([1 + (bits % 4)])],
    }),
  ],
  ['gather', (shape, _, bits) => ({ options: {}, others: [{ shape: [1 + (bits % 4)], dtype: 'int32', low: 0, high: shape[0] }] })],
]

/** Ops whose public functions bring x into a matrix. */
const needsMatrix = new Set(['affine', 'gather'])

function cut(shape: Shape, axis: number, bits: number): { options: object } {
  const begin = bits % (shape[axis] + 1)
  const size = Math.floor(bits / 8) % (shape[axis] - begin + 1)
  return { options: { begin: shape.map((_, i) => (i === axis ? begin : 0)), size: shape.map((n, i) => (i === axis ? size : n)) } }
}

/** The shape with some axes of size 1 and some leading axes gone: it broadcasts to the shape. */
const broadcasting = (shape: Shape, bits: number): Shape =>
  shape.map((n, i) => ((bits >> (i + 3)) & 1 ? 1 : n)).slice((bits & 7) === 0 ? Math.min(1, shape.length) : 0)

/** A program while it is made: its lines, and their values on the reference. */
class Builder {
  readonly lines: Line[] = []
  readonly values: Tensor[] = []
  /** The lines that steps take as arguments: inputs, and what steps gave. */
  readonly ends: number[] = []
  readonly #backend: Backend = reference

  add(line: Line, value: Tensor): number {
    this.lines.push(line)
    return this.values.push(value) - 1
  }

  constant(constant: readonly number[], shape: Shape, dtype: DType = 'float32'): number {
    const line = { constant, shape, dtype }
    return this.add(line, constantOf(line, this.#backend, 'float64'))
  }

  apply(op: string, args: readonly number[], options: object = {}, mode: OpLine['mode'] = 'value', by = 0): number {
    const line: OpLine = { op, args, options, mode, by }
    // The second derivative of a product of n numbers is a composition over n² · n² elements.
    if (op === 'prod' && this.values[args[0]].size > 12) throw new Unwanted()
    const value = applyLine(line, this.values, 'float64')
    if (value.size > MOST_ELEMENTS || valuesOf(value).some((v) => !Number.isFinite(v))) throw new Unwanted()
    return this.add(line, value)
  }

  /** Runs a step; what it added is taken back if an op refuses its inputs or gives what nobody wants. */
  attempt(step: () => number): void {
    const before = this.lines.length
    try {
      this.ends.push(step())
    } catch (error) {
      if (!(error instanceof CotangentError || error instanceof Unwanted)) throw error
      this.lines.length = before
      this.values.length = before
    }
  }

  #cast(i: number, dtype: DType): number {
    return this.values[i].dtype === (isFloat(dtype) ? 'float64' : dtype) ? i : this.apply('cast', [i], { dtype })
  }

  /** The value in a shape: flattened, and repeated or cut. */
  #reshaped(i: number, shape: Shape): number {
    const value = this.values[i]
    if (value.shape.join() === shape.join() && value.rank === shape.length) return i
    const wanted = sizeOf(shape)
    if (value.size === 0 && wanted > 0) return this.constant(new Array(wanted).fill(0.5), shape)
    let flat = value.rank === 1 ? i : this.apply('reshape', [i], { shape: [value.size] })
    if (wanted > value.size) flat = this.apply('tile', [flat], { repeats: [Math.ceil(wanted / value.size)] })
    if (this.values[flat].size > wanted) flat = this.apply('slice', [flat], { begin: [0], size: [wanted] })
    return shape.length === 1 ? flat : this.apply('reshape', [flat], { shape })
  }

  #scaled(i: number): number {
    const largest = Math.max(...valuesOf(this.values[i]).map(Math.abs), 0)
    return largest <= LARGE ? i : this.apply('mul', [i, this.constant([2 ** Math.floor(Math.log2(LARGE / largest))], [])])
  }

  /** low + (high − low)·σ(x) */
  #between(i: number, low: number, high: number): number {
    const part = this.apply('mul', [this.apply('sigmoid', [i]), this.constant([high - low], [])])
    return this.apply('add', [part, this.constant([low], [])])
  }

  /** A value as an input of a sample wants it. */
  adapted(from: number, { shape, dtype, low, high, diagonal = 0 }: Spec): number {
    if (dtype === 'bool' && this.values[from].dtype === 'bool') return this.#reshaped(from, shape)
    let i = this.#reshaped(this.#scaled(this.#cast(from, 'float32')), shape)
    if (dtype === 'bool') return this.apply('greater', [i, this.constant([0.2], [])])
    if (!isFloat(dtype)) {
      const [least, beyond] = [low ?? 0, high ?? 3]
      const fits =
        dtype === 'int32' && this.values[from].dtype === dtype && valuesOf(this.values[from]).every((v) => v >= least && v < beyond)
      // Where rounding moves a number over the edge of `floor`, it must still be an index.
      const whole = fits ? this.#reshaped(from, shape) : this.apply('floor', [this.#between(i, least, beyond)])
      return this.#cast(this.apply('clip', [whole], { min: least, max: beyond - 1 }), dtype)
    }
    if (low !== undefined && high !== undefined && valuesOf(this.values[i]).some((v) => !(v >= low && v <= high)))
      i = this.#between(i, low, high)
    if (diagonal === 0) return i
    const [rows, columns] = shape.slice(-2)
    const eye = Array.from({ length: rows * columns }, (_, k) => (Math.floor(k / columns) === k % columns ? 1 : 0))
    const shifted = this.apply('mul', [this.constant(eye, [rows, columns]), this.constant([diagonal], [])])
    return this.apply('add', [this.apply('mul', [i, this.constant([0.25], [])]), shifted])
  }

  /** Applies an op in one of the modes; those that differentiate need a float that has a derivative. */
  applyIn(mode: number, op: string, args: readonly number[], sample: Pick<Sample<object>, 'options' | 'skipGradient'>): number {
    const options = sample.options ?? {}
    const floats = args.flatMap((i, k) => (isFloat(this.values[i].dtype) ? [k] : []))
    const wanted = modes[[0, 0, 0, 0, 1, 2, 2, 3][mode % 8]]
    const fits = floats.length > 0 && typeof definitionOf(op).vjp === 'function' && !sample.skipGradient
    if (wanted === 'value' || !fits || op === 'cast') return this.apply(op, args, options)
    return this.apply(op, args, options, wanted, floats[Math.floor(mode / 8) % floats.length])
  }

  run({ group, pick, args, bits, mode }: RecipeStep): number {
    // One of the newest three values, or any.
    const pickOf = (k: number): number => {
      const n = this.ends.length
      const back = args[k % args.length] + Math.floor(k / args.length)
      return this.ends[n - 1 - (back % 2 === 0 ? Math.floor(back / 2) % Math.min(3, n) : Math.floor(back / 2) % n)]
    }
    if (group % 3 === 2) {
      const { op, sample } = sampled[pick % sampled.length]
      return this.applyIn(
        mode,
        op.name,
        sample.inputs.map((input, k) => this.adapted(pickOf(k), specOf(input))),
        sample,
      )
    }
    const first = pickOf(0)
    const { shape } = this.values[first]
    if (group % 3 === 1 && shape.length > 0) {
      const [op, rule] = rules[pick % rules.length]
      if (needsMatrix.has(op) && shape.length !== 2) throw new Unwanted()
      const { options, others = [] } = rule(shape, Math.floor(bits / 16) % shape.length, bits)
      const x = this.adapted(first, float(shape))
      return this.applyIn(mode, op, [x, ...others.map((spec, k) => this.adapted(pickOf(k + 1), spec))], { options })
    }
    const { op, sample } = elementwise[pick % elementwise.length]
    const whole = bits % sample.inputs.length // this input has the whole shape, so that the result has it
    return this.applyIn(
      mode,
      op.name,
      sample.inputs.map((input, k) =>
        this.adapted(pickOf(k), { ...specOf(input), shape: k === whole ? shape : broadcasting(shape, bits >> k) }),
      ),
      sample,
    )
  }
}

class Unwanted extends Error {}

/** Leaves out lines that no result needs. */
function withoutUnused(lines: readonly Line[], ends: readonly number[]): Program {
  const needed = new Set(ends)
  for (let i = lines.length - 1; i >= 0; i--) {
    const line = lines[i]
    if (needed.has(i) && 'op' in line) for (const k of line.args) needed.add(k)
  }
  const kept = lines.flatMap((line, i) => (needed.has(i) || 'input' in line ? [i] : []))
  return kept.map((i) => {
    const line = lines[i]
    return 'op' in line ? { ...line, args: line.args.map((k) => kept.indexOf(k)) } : line
  })
}

export function buildProgram({ inputs, seed, steps }: Recipe): Program {
  return scope(() => {
    const builder = new Builder()
    const given: Program = inputs.map((input, i) => ({ input, seed: seed + i }))
    for (const [i, value] of placeInputs(given, reference, 'float64').entries()) builder.ends.push(builder.add(given[i], value))
    for (const step of steps) builder.attempt(() => builder.run(step))
    return withoutUnused(builder.lines, builder.ends)
  })
}

/** The number of ways in which a step may apply an op: samples, elementwise ops and rules along an axis. */
export const ways = { sampled: sampled.length, elementwise: elementwise.length, rules: rules.length }

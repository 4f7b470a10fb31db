/**
 * The sweep at the edges: every op of the registry with infinities, NaN, both zeros, and the largest and smallest numbers mixed into
 * its ordinary inputs. A backend must give the values and first derivatives of the reference. (Other tests compare the reference with
 * independent values.) The table `allowed` lists the differences that may occur, and why; a row that nothing needs is an error.
 */

import type { Backend, OpDefinition, Sample } from '../src/index.js'
import { scope, ValueError, withBackend } from '../src/index.js'
import type { TypedArray } from '../src/tensor/dtype.js'
import { isFloat } from '../src/tensor/dtype.js'
import { drawInputs, firstDerivatives, type HostInput, hasGradient, place, readAll } from './sweep.js'

/** The kinds of extremes. A case has one kind only: a sum of infinities of both signs, for instance, is NaN and would hide everything else. */
export const kinds = {
  infinity: [Infinity],
  minusInfinity: [-Infinity],
  nan: [Number.NaN],
  zeros: [0, -0],
  largest: [3.4028234663852886e38],
  minusLargest: [-3.4028234663852886e38],
  /** Numbers whose squares are beyond float32. */
  large: [1e20, -1e25],
  /** Denormals, and the smallest normal number. */
  smallest: [2 ** -149, -(2 ** -140), 2 ** -126],
} satisfies Record<string, readonly number[]>

export type Kind = keyof typeof kinds

/** Where extremes go. `some`: to every seventh element. `all`: to all elements. `pairs`: for two inputs, each extreme or ordinary value meets each other one. */
export type Pattern = 'some' | 'all' | 'pairs'

const EVERY = 7
const FIRST = 3
const mixed = Object.values(kinds).flat()
const ordinary = [1, -1, 0.5, -2.5, 3, 1e8, 8388609.5]

const withExtremes = (input: HostInput, values: readonly number[], pattern: Pattern): HostInput => ({
  ...input,
  values: input.values.map((v, i) =>
    pattern === 'all' || i % EVERY === FIRST % input.values.length ? values[Math.floor(i / EVERY) % values.length] : v,
  ),
})

/** One comparison: a sample of an op, with extremes of one kind in one of its inputs. */
export interface EdgeCase {
  readonly kind: Kind | 'pairs'
  readonly pattern: Pattern
  /** The input that has the extremes. */
  readonly input: number
  readonly sample: Sample<object>
  readonly inputs: readonly HostInput[]
}

/** How much of the sweep to run: samples of an op, kinds of extremes, patterns. */
export interface Extent {
  readonly samples: number
  readonly kinds: readonly Kind[]
  readonly patterns: readonly Exclude<Pattern, 'pairs'>[]
  /** Replace denormals by the smallest normal numbers. A device may take a denormal for zero (WGSL, 15.7.2), which changes signs, logarithms and quotients. */
  readonly normalOnly?: boolean
}

const SMALLEST_NORMAL = 2 ** -126

const extremesOf = (values: readonly number[], { normalOnly = false }: Extent): readonly number[] =>
  normalOnly ? values.map((v) => (v !== 0 && Math.abs(v) < SMALLEST_NORMAL ? Math.sign(v) * SMALLEST_NORMAL : v)) : values

/** The samples that are small enough to run many times. */
const smallSamples = (op: OpDefinition, { samples }: Extent): { sample: Sample<object>; index: number }[] =>
  op.samples
    .map((sample, index) => ({ sample, index }))
    .filter(({ sample, index }) => {
      const sizes = drawInputs(op, sample, index).map((x) => x.values.length)
      return sizes.every((n) => n > 0 && n <= 400) && Math.max(...sizes) > 1
    })
    .slice(0, samples)

/** All cases of an op. */
export function edgeCases(op: OpDefinition, extent: Extent): EdgeCase[] {
  const cases: EdgeCase[] = []
  for (const { sample, index } of smallSamples(op, extent)) {
    const drawn = drawInputs(op, sample, index)
    for (const [input, { dtype }] of drawn.entries()) {
      if (!isFloat(dtype)) continue
      for (const kind of extent.kinds) {
        for (const pattern of extent.patterns) {
          const inputs = drawn.map((x, i) => (i === input ? withExtremes(x, extremesOf(kinds[kind], extent), pattern) : x))
          cases.push({ kind, pattern, input, sample, inputs })
        }
      }
    }
  }
  const scalars = op.samples.find(({ inputs }) => inputs.length > 0 && inputs.every((x) => ('shape' in x ? x.shape : x).length === 0))
  if (scalars && !scalars.options) {
    const points = [...extremesOf(mixed, extent), ...ordinary]
    const pairs = drawInputs(op, scalars, 0).map(
      ({ dtype }, i): HostInput => ({
        dtype,
        shape: [points.length ** 2],
        values: Float64Array.from({ length: points.length ** 2 }, (_, k) => {
          const v = points[i === 0 ? Math.floor(k / points.length) : k % points.length]
          return isFloat(dtype) ? v : Number(v > 0)
        }),
      }),
    )
    cases.push({ kind: 'pairs', pattern: 'pairs', input: 0, sample: scalars, inputs: pairs })
  }
  return cases
}

/** The value of a case, and the gradient of a weighted sum of it, for each float input. Or why an op refused its inputs: a singular matrix, for example. */
type Edge = { value: TypedArray; grads: (TypedArray | undefined)[]; refused?: undefined } | { refused: string }

async function runEdge(op: OpDefinition, { sample, inputs }: EdgeCase, backend: Backend): Promise<Edge> {
  try {
    const tensors = withBackend(backend, () =>
      scope(() => {
        const xs = place(backend, inputs, 'float32')
        const options = sample.options ?? {}
        const y = op.call(xs, options)
        return [y, ...(hasGradient(op, sample, xs, y) ? firstDerivatives(op, xs, options) : [])]
      }),
    )
    const [value, ...grads] = await readAll(tensors)
    return { value: value as TypedArray, grads }
  } catch (error) {
    if (!(error instanceof ValueError)) throw error
    return { refused: error.message.split('\n')[0] }
  }
}

/** An allowed difference. */
export interface Allowed {
  readonly ops: readonly string[]
  /** How the names of the backends begin. */
  readonly backends: readonly string[]
  readonly kinds: readonly (Kind | 'pairs')[]
  /** `value` or `gradient`; both if left out. */
  readonly of?: 'value' | 'gradient'
  /** The elements that may differ, by the backend's number and the reference's. */
  readonly where?: (got: number, want: number) => boolean
  readonly reason: string
}

/** How close finite numbers must be: relative to their own size for elementwise ops, else to the largest number beside them. */
export interface Closeness {
  readonly relative: number
  /** Added to the allowed difference, for the smallest numbers. */
  readonly absolute: number
}

/** A difference that was found. */
export interface Difference {
  readonly op: string
  readonly kind: Kind | 'pairs'
  readonly of: 'value' | 'gradient'
  readonly got: number
  readonly want: number
  readonly text: string
}

const sameKindOfNumber = (a: number, b: number): boolean =>
  Number.isNaN(a) ? Number.isNaN(b) : Number.isFinite(a) ? Number.isFinite(b) : a === b

/** The positions at which two arrays differ. */
function* unequal(got: TypedArray, want: TypedArray, { relative, absolute }: Closeness, alone: boolean): Generator<number> {
  let largest = 1
  for (const v of want) if (Number.isFinite(v)) largest = Math.max(largest, Math.abs(v))
  for (let i = 0; i < want.length; i++) {
    const [a, b] = [got[i], want[i]]
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue
    const limit = relative * (alone ? Math.abs(b) : largest) + absolute
    if (sameKindOfNumber(a, b) && Math.abs(a - b) <= limit) continue
    yield i
  }
}

/** Runs cases on a backend and on the reference: the differences (at most one element of each array), the number of cases, and of leaked buffers. */
export async function edgeDifferences(
  op: OpDefinition,
  backend: Backend,
  reference: Backend,
  closeness: Closeness,
  extent: Extent,
): Promise<{ cases: number; differences: Difference[]; leaked: number }> {
  const differences: Difference[] = []
  const cases = edgeCases(op, extent)
  // For an elementwise op an output element depends on one element of each input.
  const alone = cases.some(({ kind }) => kind === 'pairs')
  const before = backend.memory().buffers
  for (const edge of cases) {
    const [got, want] = [await runEdge(op, edge, backend), await runEdge(op, edge, reference)]
    if (got.refused !== undefined || want.refused !== undefined) {
      if (got.refused === want.refused) continue
      const told = [got, want].map(({ refused }) => refused ?? 'a result').join(', reference: ')
      const where = `${op.name}, ${edge.kind} in ${edge.pattern} of input ${edge.input}`
      differences.push({ op: op.name, kind: edge.kind, of: 'value', got: Number.NaN, want: Number.NaN, text: `${where}: ${told}` })
      continue
    }
    const arrays = [['value', got.value, want.value], ...want.grads.map((w, i) => ['gradient', got.grads[i], w] as const)] as const
    for (const [of, a, b] of arrays) {
      if (!a || !b) continue
      const seen = new Set<string>()
      for (const i of unequal(a, b, closeness, alone && of === 'value')) {
        const sign = `${classOf(a[i])} ${classOf(b[i])}`
        if (seen.has(sign)) continue
        seen.add(sign)
        const inputs = edge.inputs.map((x) => (x.values.length === b.length ? x.values[i] : `[${x.shape}]`)).join(', ')
        const options = edge.sample.options ? ` ${JSON.stringify(edge.sample.options)}` : ''
        differences.push({
          op: op.name,
          kind: edge.kind,
          of,
          got: a[i],
          want: b[i],
          text: `${op.name}(${inputs})${options}, ${edge.kind} in ${edge.pattern} of input ${edge.input}: ${of} [${i}] is ${a[i]}, reference ${b[i]}`,
        })
      }
    }
  }
  return { cases: cases.length, differences, leaked: backend.memory().buffers - before }
}

const classOf = (x: number): string => (Number.isFinite(x) ? 'finite' : String(x))

/** Whether a row of the table allows a difference. */
export const covers = (row: Allowed, backend: string, { op, kind, of, got, want }: Difference): boolean =>
  row.ops.includes(op) &&
  row.backends.some((name) => backend.startsWith(name)) &&
  row.kinds.includes(kind) &&
  (row.of ?? of) === of &&
  (row.where?.(got, want) ?? true)

/**
 * The sweep at the edges: every op of the registry × infinities, NaN, both zeros, the largest and the smallest numbers, mixed into
 * ordinary values. Values and first derivatives of a backend must be the reference's, which other tests hold against independent
 * values. What may differ, and why, is the table `allowed`; a row that nothing needs any more is an error.
 */

import type { Backend, OpDefinition, Sample } from '../src/index.js'
import { scope, withBackend } from '../src/index.js'
import type { TypedArray } from '../src/tensor/dtype.js'
import { isFloat } from '../src/tensor/dtype.js'
import { drawInputs, firstDerivatives, type HostInput, hasGradient, place, readAll } from './sweep.js'

/** Kinds of extremes. One kind at a time: sums of infinities of both signs, say, are NaN by themselves and would hide the rest. */
export const kinds = {
  infinity: [Infinity],
  minusInfinity: [-Infinity],
  nan: [Number.NaN],
  zeros: [0, -0],
  largest: [3.4028234663852886e38],
  minusLargest: [-3.4028234663852886e38],
  /** Whose squares are beyond float32. */
  large: [1e20, -1e25],
  /** Denormals, and the smallest normal number. */
  smallest: [2 ** -149, -(2 ** -140), 2 ** -126],
} satisfies Record<string, readonly number[]>

export type Kind = keyof typeof kinds

/** Where extremes go: to every seventh element; to all of them; or, of two inputs, each extreme and ordinary value with each. */
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

/** One comparison: an op's sample with extremes of a kind in one of its inputs. */
export interface EdgeCase {
  readonly kind: Kind | 'pairs'
  readonly pattern: Pattern
  /** Which input has them. */
  readonly input: number
  readonly sample: Sample<object>
  readonly inputs: readonly HostInput[]
}

/** How much of it to run: samples of an op, kinds of extremes, and patterns. */
export interface Extent {
  readonly samples: number
  readonly kinds: readonly Kind[]
  readonly patterns: readonly Exclude<Pattern, 'pairs'>[]
  /** Whether normal numbers stand in for denormals, which devices may take for zero (WGSL, 15.7.2): their sign, logarithm, quotient are others then. */
  readonly normalOnly?: boolean
}

const SMALLEST_NORMAL = 2 ** -126

const extremesOf = (values: readonly number[], { normalOnly = false }: Extent): readonly number[] =>
  normalOnly ? values.map((v) => (v !== 0 && Math.abs(v) < SMALLEST_NORMAL ? Math.sign(v) * SMALLEST_NORMAL : v)) : values

/** Samples that are small enough to run many times. */
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

/** A value, and the gradient of a weighted sum of it for each float input. */
interface Edge {
  value: TypedArray
  grads: (TypedArray | undefined)[]
}

async function runEdge(op: OpDefinition, { sample, inputs }: EdgeCase, backend: Backend): Promise<Edge> {
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
}

/** A difference that is right as it is. */
export interface Allowed {
  readonly ops: readonly string[]
  /** Beginnings of names of backends. */
  readonly backends: readonly string[]
  readonly kinds: readonly (Kind | 'pairs')[]
  /** `value`, or `gradient`; both if left out. */
  readonly of?: 'value' | 'gradient'
  /** Which elements: by what the backend gave and what the reference did. */
  readonly where?: (got: number, want: number) => boolean
  readonly reason: string
}

/** How close numbers are that are no infinity: relative to their own size for elementwise ops, else to that of the largest beside them. */
export interface Closeness {
  readonly relative: number
  /** Added: what becomes of the smallest numbers. */
  readonly absolute: number
}

/** A difference as found. */
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

/** The elements in which two arrays differ. */
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

/** What differs from the reference, at most one element of each array; and the numbers of cases and leaked buffers. */
export async function edgeDifferences(
  op: OpDefinition,
  backend: Backend,
  reference: Backend,
  closeness: Closeness,
  extent: Extent,
): Promise<{ cases: number; differences: Difference[]; leaked: number }> {
  const differences: Difference[] = []
  const cases = edgeCases(op, extent)
  // Each element of the output comes of the elements at its place alone.
  const alone = cases.some(({ kind }) => kind === 'pairs')
  const before = backend.memory().buffers
  for (const edge of cases) {
    const [got, want] = [await runEdge(op, edge, backend), await runEdge(op, edge, reference)]
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

/** Whether a row of the table covers a difference. */
export const covers = (row: Allowed, backend: string, { op, kind, of, got, want }: Difference): boolean =>
  row.ops.includes(op) &&
  row.backends.some((name) => backend.startsWith(name)) &&
  row.kinds.includes(kind) &&
  (row.of ?? of) === of &&
  (row.where?.(got, want) ?? true)

/** Indexing, counting, quantiles and products of vectors against golden vectors. */
import { describe, expect, test } from 'vitest'
import * as c from '../src/index.js'
import { expectClose, type GoldenTensor, loadGolden, tensorOf } from './golden.js'
import { checkCase, places, toleranceOf } from './wave2.js'

type Tensor = c.Tensor
interface Params {
  op: string
  k: number
  axis: number
  shift: number | number[]
  begin: (number | null)[]
  end: (number | null)[]
  strides: number[]
  shape: number[]
  start: number[]
  repeats: number | number[]
  indexing: 'xy' | 'ij'
  side: 'left' | 'right'
  depth: number
  minLength: number
  q: number | number[]
  method: 'linear'
  numSegments: number
}
type Inputs = Record<string, GoldenTensor> & { operands?: GoldenTensor[]; grad_outputs?: GoldenTensor[] }
type Expected = Record<string, GoldenTensor> & { outputs?: GoldenTensor[]; grad_operands?: GoldenTensor[] }
const file = loadGolden<Params, Inputs, Expected>('wave2/indexing')

/** `null` is an axis that is not given. */
const along = <T>(axis: T | null): { axis?: T } => (axis === null ? {} : { axis })
const slices = ({ begin, end, strides }: Params): string[] => begin.map((b, i) => `${b ?? ''}:${end[i] ?? ''}:${strides[i]}`)

/** Each op of the file: the names of its inputs in the order of the call, and the call. */
const ops: Record<string, [names: string, call: (p: Params, ...xs: Tensor[]) => Tensor]> = {
  tril: ['x', (p, x) => c.tril(x, p.k)],
  triu: ['x', (p, x) => c.triu(x, p.k)],
  diagonal: ['x', (p, x) => c.diagonal(x, p.k)],
  trace: ['x', (p, x) => c.trace(x, p.k)],
  diag: ['x', (p, x) => c.diag(x, p.k)],
  roll: ['x', (p, x) => c.roll(x, p.shift, along(p.axis))],
  stridedSlice: ['x', (p, x) => x.at(...slices(p))],
  takeAlongAxis: ['x indices', (p, x, i) => c.takeAlongAxis(x, i, { axis: p.axis })],
  gather: ['x indices', (p, x, i) => x.at(...new Array<string>(p.axis).fill(':'), i)],
  gatherNd: ['x indices', (_, x, i) => c.gatherNd(x, i)],
  scatterNd: ['indices updates', (p, i, u) => c.scatterNd(i, u, p.shape)],
  indexAdd: ['x indices updates', (_, x, i, u) => x.add(c.scatterNd(i, u, x.shape))],
  indexUpdate: ['x indices updates', (_, x, i, u) => c.scatterUpdate(x, i, u)],
  sliceUpdate: ['x updates', (p, x, u) => c.sliceUpdate(x, p.start, u)],
  repeat: ['x', (p, x) => c.repeat(x, p.repeats, along(p.axis))],
  searchSorted: ['sorted values', (p, s, v) => c.searchSorted(s, v, { side: p.side })],
  oneHot: ['indices', (p, i) => c.oneHot(i, p.depth, { axis: p.axis })],
  digitize: ['x bins', (_, x, b) => c.digitize(x, b)],
  quantile: ['x', (p, x) => c.quantile(x, p.q, { axis: p.axis, method: p.method })],
  median: ['x', (p, x) => c.median(x, { axis: p.axis })],
  segmentSum: ['x segmentIds', (p, x, i) => c.segmentSum(x, i, { numSegments: p.numSegments })],
  segmentMax: ['x segmentIds', (p, x, i) => c.segmentMax(x, i, { numSegments: p.numSegments })],
  outer: ['a b', (_, a, b) => c.outer(a, b)],
  cross: ['a b', (_, a, b) => c.cross(a, b)],
  kron: ['a b', (_, a, b) => c.kron(a, b)],
  logAddExp: ['a b', (_, a, b) => c.logAddExp(a, b)],
  tensordot: [
    'a b',
    (_, a, b) =>
      c.tensorDot(a, b, [
        [1, 2],
        [1, 0],
      ]),
  ],
  hypot: ['a b', (_, a, b) => c.hypot(a, b)],
}

describe.each(places)('golden indexing on $name', (place) => {
  const tolerance = toleranceOf(file, place)
  const exact = { atol: 0, rtol: 0 }
  const put = (given: GoldenTensor): Tensor => tensorOf(given, place.backend, place.floats)
  test.each(file.cases.map((one) => [one.name, one] as const))('%s', async (_, { params, inputs, expected }) => {
    if (params.op === 'unique') {
      const x = put(inputs.x)
      const found = await c.unique(x)
      await expectClose(found.values, expected.values, tolerance, 'values')
      await expectClose(found.firstIndices, expected.first_index, exact, 'firstIndices')
      await expectClose(found.inverse, expected.inverse, exact, 'inverse')
      await expectClose(found.counts, expected.counts, exact, 'counts')
      return
    }
    if (params.op === 'bincount') {
      const length = Math.max(params.minLength, 1 + Math.max(...inputs.x.data))
      const weights = inputs.weights && put(inputs.weights)
      await expectClose(c.binCount(put(inputs.x), length, { weights }), expected.output, tolerance)
      return
    }
    if (params.op === 'meshgrid') {
      for (const [i, output] of (expected.outputs ?? []).entries()) {
        const operands = inputs.operands ?? []
        await checkCase(place, tolerance, operands, (...xs) => c.meshGrid(xs, { indexing: params.indexing })[i], {
          output,
          gradOutput: inputs.grad_outputs?.[i],
          // Each output depends on one operand alone, so its gradient is that of all outputs.
          grads: operands.map((_, j) => (j === i ? expected.grad_operands?.[i] : undefined)),
        })
      }
      return
    }
    const [names, call] = ops[params.op]
    const given = names.split(' ')
    await checkCase(
      place,
      tolerance,
      given.map((name) => inputs[name]),
      (...xs) => call(params, ...xs),
      {
        output: expected.output,
        gradOutput: inputs.grad_output,
        grads: given.map((name) => expected[`grad_${name}`]),
      },
    )
  })
})

test('every gradient of the file is compared', () => {
  for (const { params, expected } of file.cases) {
    const known = ops[params.op]?.[0].split(' ').map((name) => `grad_${name}`) ?? ['grad_operands']
    expect(known).toEqual(expect.arrayContaining(Object.keys(expected).filter((key) => key.startsWith('grad_'))))
  }
})

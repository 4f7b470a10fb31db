/** `sort`, `argSort` and `topK` against golden vectors and against sorting in JavaScript. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { arange, argSort, grad, sort, takeAlongAxis, tensor, topK, ValueError, withBackend } from '../src/index.js'
import { holds } from './arbitraries.js'
import { expectClose, type GoldenTensor, loadGolden, tensorOf } from './golden.js'
import { make, valuesOf, wasm } from './helpers.js'
import { checkCase, places, toleranceOf } from './wave2.js'

type Params = { op: 'sort' | 'topK'; axis: number; descending: boolean; k: number }
type Inputs = { x: GoldenTensor; grad_output?: GoldenTensor }
type Expected = { output: GoldenTensor; indices: GoldenTensor; grad_x?: GoldenTensor }
const file = loadGolden<Params, Inputs, Expected>('wave2/sort')

describe.each(places)('golden sort on $name', (place) => {
  test.each(file.cases.map((c) => [c.name, c] as const))('%s', async (_, { params, inputs, expected }) => {
    const { op, axis, descending, k } = params
    const tolerance = toleranceOf(file, place)
    await checkCase(place, tolerance, [inputs.x], (x) => (op === 'sort' ? sort(x, { axis, descending }) : topK(x, k, { axis }).values), {
      output: expected.output,
      gradOutput: inputs.grad_output,
      grads: [expected.grad_x],
    })
    const x = tensorOf(inputs.x, place.backend, place.floats)
    const indices = op === 'sort' ? argSort(x, { axis, descending }) : topK(x, k, { axis }).indices
    await expectClose(indices, expected.indices, { atol: 0, rtol: 0 }, 'indices')
    if (op === 'sort') expect(valuesOf(takeAlongAxis(x, indices, { axis }))).toEqual(valuesOf(sort(x, { axis, descending })))
  })
})

describe('order', () => {
  /** Positions in order, by JavaScript's stable sort. NaN is greater than everything. */
  const byComparing = (values: readonly number[], descending: boolean): number[] => {
    const compare = (a: number, b: number): number => {
      if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
      return a < b ? -1 : a > b ? 1 : 0
    }
    return values.map((_, i) => i).sort((i, j) => (descending ? -1 : 1) * compare(values[i], values[j]))
  }
  const few = fc.constantFrom(0, -0, 1, -1, 2.5, Number.NaN, Infinity, -Infinity, 1e-300, -1e300, 3, 4)
  const value = fc.oneof(few, fc.double({ noDefaultInfinity: true }))
  test('argSort is stable in both directions, short rows and long ones, in float64', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 90 }), fc.boolean(), (values, descending) =>
        holds(() => valuesOf(argSort(make(values), { descending })).join() === byComparing(values, descending).join()),
      ),
      { numRuns: 300 },
    )
  })
  test('topK is the head of the descending order, for any k', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 60 }), fc.nat({ max: 60 }), (values, most) =>
        holds(() => {
          const k = Math.min(most, values.length)
          return valuesOf(topK(make(values), k).indices).join() === byComparing(values, true).slice(0, k).join()
        }),
      ),
      { numRuns: 300 },
    )
  })
  test.each(['float32', 'int32', 'uint8', 'bool'] as const)('of %s on wasm', (dtype) => {
    const values = Array.from({ length: 3000 }, (_, i) => {
      const v = Math.sin(i) * 1e9
      return dtype === 'float32'
        ? i % 9 === 0
          ? [Number.NaN, Infinity, -Infinity][i % 3]
          : v / 1e7
        : dtype === 'int32'
          ? Math.round(v)
          : dtype === 'uint8'
            ? (i * 37) % 256
            : Number(v > 0)
    }).map((v) => (dtype === 'float32' ? Math.fround(v) : v))
    withBackend(wasm, () => {
      const x = tensor(values, { dtype })
      for (const descending of [false, true]) {
        const order = byComparing(values, descending)
        expect(valuesOf(argSort(x, { descending }))).toEqual(order)
        expect(valuesOf(sort(x, { descending }))).toEqual(order.map((i) => values[i]))
      }
    })
  })
  test('the gradient of equal values goes to each position in its turn', () => {
    const dX = grad((x) => sort(x, { descending: true }).mul(arange(4)).sum())(tensor([5, 7, 5, 7]))
    expect(valuesOf(dX)).toEqual([2, 0, 3, 1])
  })
  test('topK refuses more than there are', () => {
    expect(() => topK(tensor([1, 2]), 3)).toThrow(ValueError)
    expect(() => tensor([1, 2]).topK(3)).toThrow('topK: k must be a whole number from 0 to 2, got 3.')
  })
})

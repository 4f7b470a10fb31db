/** Running sums, products, extremes and sums of exponentials against golden vectors and at the edges. */
import { describe, expect, test } from 'vitest'
import { cumMax, cumMin, cumProd, cumSum, grad, linearRecurrence, logCumSumExp, type Tensor, tensor } from '../src/index.js'
import { type GoldenTensor, loadGolden } from './golden.js'
import { make, near, valuesOf } from './helpers.js'
import { checkCase, places, toleranceOf } from './wave2.js'

interface Params {
  op: 'cumSum' | 'cumProd' | 'cumMax' | 'cumMin' | 'logCumSumExp'
  axis: number
  exclusive: boolean
  reverse: boolean
}
type Inputs = { x: GoldenTensor; grad_output?: GoldenTensor }
type Expected = { output: GoldenTensor; grad_x?: GoldenTensor }
const file = loadGolden<Params, Inputs, Expected>('wave2/cumulative')
const ops = { cumSum, cumProd, logCumSumExp }

describe.each(places)('golden cumulative on $name', (place) => {
  test.each(file.cases.map((c) => [c.name, c] as const))('%s', async (_, { params, inputs, expected }) => {
    const { op, axis, exclusive, reverse } = params
    const f = (x: Tensor): Tensor => {
      if (op !== 'cumMax' && op !== 'cumMin') return ops[op](x, { axis, exclusive, reverse })
      expect(exclusive).toBe(false)
      return (op === 'cumMax' ? cumMax : cumMin)(x, { axis, reverse })
    }
    await checkCase(place, toleranceOf(file, place), [inputs.x], f, {
      output: expected.output,
      gradOutput: inputs.grad_output,
      grads: [expected.grad_x],
    })
  })
})

describe('at the edges', () => {
  test('the extremes keep a NaN', () => {
    expect(valuesOf(cumMax(tensor([1, Number.NaN, 3])))).toEqual([1, Number.NaN, Number.NaN])
    expect(valuesOf(cumMin(tensor([1, Number.NaN, -3]), { reverse: true }))).toEqual([Number.NaN, Number.NaN, -3])
  })
  test('logCumSumExp of −∞ is −∞, with the derivative 0, and exclusive begins with it', () => {
    const x = make([-Infinity, -Infinity, 0, 0])
    expect(near(valuesOf(logCumSumExp(x)), [-Infinity, -Infinity, 0, Math.LN2])).toBe(true)
    expect(near(valuesOf(logCumSumExp(x, { exclusive: true })), [-Infinity, -Infinity, -Infinity, 0])).toBe(true)
    expect(near(valuesOf(grad((t) => logCumSumExp(t).at('2:').sum())(x)), [0, 0, 1.5, 0.5])).toBe(true)
  })
  test('a recurrence is its loop', () => {
    const [a, b] = [make([9, 2, 3]), make([1, 10, 100])]
    expect(valuesOf(linearRecurrence(a, b))).toEqual([1, 12, 136])
    expect(valuesOf(linearRecurrence(a, b, { reverse: true }))).toEqual([1891, 210, 100])
  })
})

/** `einsum` against golden vectors, loops, and what it must refuse. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { einsum, gradCheck, matMul, ones, record, type Shape, ShapeError, sizeOf, ValueError, zeros } from '../src/index.js'
import { holds } from './arbitraries.js'
import { type GoldenTensor, loadGolden } from './golden.js'
import { eachCell, make, near, reader, valuesOf } from './helpers.js'
import { checkCase, places, toleranceOf } from './wave2.js'

type Inputs = { operands: GoldenTensor[]; grad_output: GoldenTensor }
type Expected = { output: GoldenTensor; grad_operands: GoldenTensor[] }
const file = loadGolden<{ equation: string }, Inputs, Expected>('wave2/einsum')

describe.each(places)('golden einsum on $name', (place) => {
  test.each(file.cases.map((c) => [c.name, c] as const))('%s', async (_, { params, inputs, expected }) => {
    await checkCase(place, toleranceOf(file, place), inputs.operands, (...xs) => einsum(params.equation, ...xs), {
      output: expected.output,
      gradOutput: inputs.grad_output,
      grads: expected.grad_operands,
    })
  })
})

/** Σ over all labels of the product of the operands, by loops. */
function byLoops(terms: readonly string[], output: string, sizes: Record<string, number>, values: readonly number[][]): number[] {
  const labels = [...new Set(terms.join(''))]
  const shapeOf = (term: string): Shape => [...term].map((label) => sizes[label])
  const read = terms.map((term, i) => reader(values[i], shapeOf(term)))
  const y = new Array<number>(sizeOf(shapeOf(output))).fill(0)
  const strides = [...output].map((_, i) => sizeOf(shapeOf(output).slice(i + 1)))
  eachCell(shapeOf(labels.join('')), (at) => {
    const of = (label: string): number => at[labels.indexOf(label)]
    const product = terms.reduce((p, term, i) => p * read[i]([...term].map(of)), 1)
    y[[...output].reduce((flat, label, i) => flat + of(label) * strides[i], 0)] += product
  })
  return y
}

test('any equation of one to four operands is what loops say', () => {
  const term = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 3 }).map((labels) => labels.join(''))
  const sizes = fc.record({ a: fc.integer({ min: 1, max: 3 }), b: fc.constant(2), c: fc.integer({ min: 0, max: 2 }), d: fc.constant(3) })
  const cases = fc.tuple(fc.array(term, { minLength: 1, maxLength: 4 }), sizes, fc.nat({ max: 1000 }))
  fc.assert(
    fc.property(cases, ([terms, size, seed]) =>
      holds(() => {
        const labels = [...new Set(terms.join(''))]
        // Some of the labels, in an order of their own.
        const output = labels
          .filter((_, i) => (seed >> i) & 1)
          .sort((p, q) => ((p.charCodeAt(0) * seed) % 7) - ((q.charCodeAt(0) * seed) % 7))
        const shapes = terms.map((t) => [...t].map((label) => size[label as 'a']))
        const values = shapes.map((shape, i) => Array.from({ length: sizeOf(shape) }, (_, j) => Math.sin(seed + 3 * i + j)))
        const y = einsum(`${terms.join(',')}->${output.join('')}`, ...values.map((v, i) => make(v, shapes[i])))
        return near(valuesOf(y), byLoops(terms, output.join(''), size, values))
      }),
    ),
    { numRuns: 200 },
  )
})

describe('einsum', () => {
  const primitives = (equation: string, a: Shape, b: Shape): string[] => {
    const xs = [ones(a), ones(b)]
    return record(xs, () => einsum(equation, ...xs))
      .tape.records.map(({ op }) => op.name)
      .filter((name) => name !== 'reshape')
  }
  test('is one product where the axes stand in order', () => {
    expect(primitives('bij,bjk->bik', [2, 3, 4], [2, 4, 5])).toEqual(['matMul'])
    expect(primitives('bij,bkj->bik', [2, 3, 4], [2, 5, 4])).toEqual(['matMul'])
    expect(primitives('bji,bjk->bki', [2, 4, 3], [2, 4, 5])).toEqual(['matMul'])
    expect(primitives('...a,ab->...b', [2, 3, 4], [4, 5])).toEqual(['matMul'])
    expect(primitives('abcd,cde->abe', [2, 3, 4, 5], [4, 5, 6])).toEqual(['matMul'])
    expect(primitives('i,j->ij', [2], [3])).toEqual(['mul'])
  })
  test('equals matMul', () => {
    const [a, b] = [make([1, 2, 3, 4, 5, 6], [2, 3]), make([1, 0, 2, 1, 0, 3], [3, 2])]
    expect(valuesOf(einsum('ij,jk', a, b))).toEqual(valuesOf(matMul(a, b)))
  })
  test('has right derivatives', async () => {
    const xs = [make([0.3, -1, 2, 0.5], [2, 2]), make([1, -0.2, 0.4], [3]), make([1, 2, 3, -4, 0.5, 6], [2, 3])]
    await gradCheck((a, b, c) => einsum('ii,j,ij->ji', a, b, c).square().sum(), xs)
  })
  test('refuses what is no equation, and says why', () => {
    const [a, b] = [zeros([2, 3]), zeros([4, 5])]
    expect(() => einsum('ij,jk->ik', a, b)).toThrow(/einsum: 'j' in 'ij,jk->ik' has two sizes, 3 and 4/)
    expect(() => einsum('ij,jk->ik', a, b)).toThrow(ShapeError)
    expect(() => einsum('ij->ik', a)).toThrow(/no operand has the 'k' of the output/)
    expect(() => einsum('ij->ii', a)).toThrow(/'i' occurs twice in the output/)
    expect(() => einsum('i->i', a)).toThrow(/names 1 axis, operand 0 has 2/)
    expect(() => einsum('ijk->i', a)).toThrow(/names 3 axes, operand 0 has 2/)
    expect(() => einsum('ii->i', a)).toThrow(/'i' in 'ii->i' has two sizes, 2 and 3/)
    expect(() => einsum('ij,jk', a)).toThrow(/there are 1 operands, but 2 terms/)
    expect(() => einsum('i1->i', a)).toThrow(/'i1' is not made of letters/)
    expect(() => einsum('ij->i->j', a)).toThrow(ValueError)
    expect(() => einsum('......', a)).toThrow(ValueError)
    expect(() => einsum('...ij,...jk', zeros([2, 1, 1]), zeros([3, 1, 1]))).toThrow(/axis -1 of '...'/)
  })
})

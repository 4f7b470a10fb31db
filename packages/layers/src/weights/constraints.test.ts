/** Constraints: lengths of the weights into a unit, names and functions, their effect in training. */
import {
  createReferenceBackend,
  expectNoLeaks,
  key,
  normal,
  type Parameter,
  scope,
  type Tensor,
  tensor,
  ValueError,
  zeros,
} from '@cotangent/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { constraints, dense, Sequential, sgd } from '../index.js'
import { savedForm } from '../spelling/names.js'
import { type Constraint, getConstraint, maxNorm, minMaxNorm, nonNeg, unitNorm } from './constraints.js'

const backend = createReferenceBackend()
const read = (t: Tensor): number[] => [...(t.backend.readSync as NonNullable<Tensor['backend']['readSync']>)(t.storage)]
const apply = (constraint: Constraint, columns: readonly (readonly number[])[]): number[][] =>
  scope(() => {
    const w = tensor(
      columns.map((c) => [...c]),
      { dtype: 'float64', backend },
    ).transpose()
    const values = read(constraint.call(w).transpose())
    return columns.map((c, i) => values.slice(i * c.length, (i + 1) * c.length))
  })
const norm = (v: readonly number[]): number => Math.hypot(...v)

const number = fc.double({ min: -9, max: 9, noNaN: true })
const vectors = fc
  .integer({ min: 1, max: 5 })
  .chain((n) => fc.array(fc.array(number, { minLength: n, maxLength: n }), { minLength: 1, maxLength: 4 }))

describe('the lengths of the weights into a unit', () => {
  test('maxNorm limits long ones and leaves short ones, but for the epsilon', () => {
    fc.assert(
      fc.property(vectors, fc.double({ min: 0, max: 6, noNaN: true }), (columns, limit) => {
        apply(maxNorm(limit), columns).forEach((column, i) => {
          const [length, before] = [norm(column), norm(columns[i])]
          expect(Math.abs(length - (Math.min(before, limit) * before) / (before + 1e-7))).toBeLessThan(1e-9)
        })
      }),
    )
  })
  test('unitNorm makes them 1, and leaves 0', () => {
    expect(apply(unitNorm(), [[3, 4]])[0]).toEqual([3 / (5 + 1e-7), 4 / (5 + 1e-7)])
    expect(apply(unitNorm(), [[0, 0]])[0]).toEqual([0, 0])
  })
  test('minMaxNorm brings them inside, at once or by a share of the way', () => {
    const lengths = (rate: number): number[] =>
      apply(
        minMaxNorm({ minValue: 1, maxValue: 2, rate }),
        [0.5, 1.5, 4].map((n) => [n, 0]),
      ).map(norm)
    for (const [i, wanted] of [1, 1.5, 2].entries()) expect(lengths(1)[i]).toBeCloseTo(wanted, 5)
    for (const [i, wanted] of [0.75, 1.5, 3].entries()) expect(lengths(0.5)[i]).toBeCloseTo(wanted, 5)
  })
  test('axis names what belongs to one unit: of a filter its window and channels', () => {
    scope(() => {
      const w = normal(key(1), [3, 3, 2, 4], { dtype: 'float64', backend })
      const squares = read(
        unitNorm({ axis: [0, 1, 2] })
          .call(w)
          .square()
          .sum({ axis: [0, 1, 2] }),
      )
      for (const sum of squares) expect(sum).toBeCloseTo(1, 6)
    })
  })
  test('nonNeg puts 0 for what is below', () => {
    expect(apply(nonNeg(), [[-1, 0, 2.5]])[0].map(Math.abs)).toEqual([0, 0, 2.5])
  })
})

describe('by name, description and function', () => {
  test.each(['max_norm', 'maxNorm', 'MaxNorm', 'nonNeg', 'unit_norm', 'MinMaxNorm'])('%s', (name) => {
    const found = getConstraint(name as 'maxNorm')
    expect(getConstraint(found && JSON.parse(JSON.stringify(savedForm(found))))?.getConfig()).toEqual(found?.getConfig())
  })
  test("Keras' words", () => {
    expect(getConstraint({ class_name: 'MaxNorm', config: { max_value: 3, axis: [0, 1] } })?.getConfig()).toEqual({
      maxValue: 3,
      axis: [0, 1],
    })
    expect(getConstraint(undefined)).toBeUndefined()
  })
  test.each([
    [() => getConstraint('maxNrom' as 'maxNorm'), 'There is no constraint "maxNrom". Did you mean "maxNorm"?'],
    [() => maxNorm(-1), 'maxNorm: maxValue must be a number, at least 0, got -1.'],
    [() => maxNorm({ max: 1 } as never), 'maxNorm: there is no option "max".'],
    [() => minMaxNorm({ minValue: 2 }), 'minMaxNorm: minValue 2 is above maxValue 1.'],
    [() => minMaxNorm({ rate: Number.NaN }), 'minMaxNorm: rate must be a number from 0 to 1, got NaN.'],
  ])('%s', (make, message) => {
    expect(make).toThrow(ValueError)
    expect(make).toThrow(message)
  })
})

describe('in training', () => {
  test('they hold after each step of fit, on the weights that carry them', async () => {
    const model = new Sequential(
      [dense(6, { activation: 'tanh', kernelConstraint: constraints.maxNorm(0.5), biasConstraint: 'non_neg', inputShape: [4] }), dense(1)],
      { seed: 3 },
    )
    model.compile({ optimizer: sgd({ learningRate: 0.5 }), loss: 'mse' })
    const [x, y] = [normal(key(1), [32, 4]), normal(key(2), [32, 1]).mul(3)]
    const lengths: number[] = []
    const check = async (): Promise<void> => {
      const [kernel, bias, other] = await model.getWeights()
      for (let unit = 0; unit < 6; unit++) lengths.push(norm([0, 1, 2, 3].map((i) => kernel.data[i * 6 + unit])))
      expect(Math.min(...bias.data)).toBeGreaterThanOrEqual(0)
      expect(norm([...other.data])).toBeGreaterThan(0.5)
    }
    await model.fit(x, y, { epochs: 1, batchSize: 8, verbose: 0 })
    await expectNoLeaks(async () => {
      await model.fit(x, y, { epochs: 5, batchSize: 8, verbose: 0, callbacks: [{ onBatchEnd: check }] })
    })
    expect(Math.max(...lengths)).toBeLessThanOrEqual(0.5 + 1e-6)
    expect(Math.max(...lengths), 'some weight reaches the limit').toBeGreaterThan(0.499)
    for (const t of [x, y]) t.dispose()
    model.dispose()
  })
  test('a loop of one’s own has them too, and a function that makes another shape is refused', () => {
    scope(() => {
      const run = (kernelConstraint: (w: Tensor) => Tensor): Parameter => {
        const layer = dense(2, { kernelConstraint, useBias: false })
        layer.build([null, 3], { key: key(1), dtype: 'float64', backend })
        sgd().step(layer.weights, [zeros([3, 2], { dtype: 'float64', backend })])
        return layer.weights[0]
      }
      expect(read(run((w) => w.mul(0).add(7)))).toEqual([7, 7, 7, 7, 7, 7])
      expect(read(run((w) => w)).every((value) => Math.abs(value) < 2)).toBe(true)
      expect(() => run((w) => w.sum())).toThrow(/constraint: made \[\] of the weight "dense_\d+\/kernel", which is \[3, 2\]/)
    })
  })
})

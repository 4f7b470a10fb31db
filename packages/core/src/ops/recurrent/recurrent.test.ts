/** Ops over whole sequences: they equal their cell step by step, masks leave steps out, the tape has one record, and wrong input is refused. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { reference, valuesOf, wasm } from '../../../test/helpers.js'
import {
  expectNoLeaks,
  grad,
  gruSequence,
  key,
  lstmCell,
  lstmSequence,
  normal,
  record,
  scope,
  simpleRnnSequence,
  splitKey,
  stack,
  type Tensor,
  tensor,
  unstack,
} from '../../index.js'

/** Random x, kernel, recurrent kernel and bias for a cell of `gates` gates. */
function draw(n: number, t: number, inputs: number, units: number, gates: number, seed = 1, biases: number[] = [gates * units]): Tensor[] {
  const shapes = [[n, t, inputs], [inputs, gates * units], [units, gates * units], biases]
  return shapes.map((shape, i) => normal(splitKey(key(seed), 4)[i], shape, { backend: reference, dtype: 'float64', stddev: 0.7 }))
}

const distance = (a: Tensor, b: Tensor): number => {
  expect(a.shape).toEqual(b.shape)
  return Math.max(0, ...valuesOf(a.sub(b)).map(Math.abs))
}

describe('lstmSequence', () => {
  test('is lstmCell step by step, in either direction', () => {
    fc.assert(
      fc.property(fc.nat(3), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 4 }), fc.boolean(), (n, t, units, goBackwards) => {
        scope(() => {
          const [x, w, u, b] = draw(n + 1, t, 3, units, 4, t)
          const { outputs, states } = lstmSequence(x, w, u, b, { goBackwards })
          let h: Tensor = x
            .mul(0)
            .sum({ axis: [1, 2], keepDims: true })
            .reshape([n + 1, 1])
            .add(tensor(new Float64Array(units), { dtype: 'float64', backend: reference }))
          let c: Tensor = h
          const steps = unstack(x, 1)
          const byHand = (goBackwards ? steps.reverse() : steps).map((step) => {
            ;[h, c] = unstack(lstmCell(step, h, c, w, u, b))
            return h
          })
          expect(distance(outputs as Tensor, stack(byHand, 1))).toBeLessThan(1e-12)
          expect(distance(states[0], h) + distance(states[1], c)).toBeLessThan(1e-12)
        })
      }),
      { numRuns: 20 },
    )
  })

  test('masked steps change nothing: as if they were not there', () => {
    scope(() => {
      const [x, w, u, b] = draw(1, 5, 3, 2, 4)
      const mask = tensor([[1, 0, 1, 0, 0]], { dtype: 'bool', backend: reference })
      const short = stack(
        [0, 2].map((i) => unstack(x, 1)[i]),
        1,
      )
      const got = lstmSequence(x, w, u, b, { mask })
      const want = lstmSequence(short, w, u, b)
      expect(distance(got.states[0], want.states[0]) + distance(got.states[1], want.states[1])).toBe(0)
      const [first, second] = unstack(want.outputs as Tensor, 1)
      expect(distance(got.outputs as Tensor, stack([first, first, second, second, second], 1))).toBe(0)
      const dX = grad((input: Tensor) => lstmSequence(input, w, u, b, { mask }).states[0].sum())(x)
      for (const [i, step] of unstack(dX, 1).entries())
        expect(Math.abs(valuesOf(step.abs().sum())[0]) > 0, `step ${i}`).toBe(i === 0 || i === 2)
    })
  })

  test('is one record on the tape, whose derivative leaves nothing behind', async () => {
    const parts = draw(2, 9, 3, 4, 4).map((x) => x.keep())
    const [x, w, u, b] = parts
    const names = scope(() =>
      record([w], () => lstmSequence(x, w, u, b, { returnSequences: false }).states[0]).tape.records.map((r) => r.op.name),
    )
    expect(names.filter((name) => name === 'lstmSequence')).toHaveLength(1)
    expect(names).not.toContain('sigmoid')
    await expectNoLeaks(async () => {
      grad((kernel: Tensor) => lstmSequence(x, kernel, u, b).outputs?.square().sum() as Tensor)(w).dispose()
    })
    for (const part of parts) part.dispose()
  })
})

describe('gruSequence and simpleRnnSequence', () => {
  test('a reset after the product equals one before it where the recurrent kernel of the candidate is diagonal', () => {
    scope(() => {
      const [x, w, , b] = draw(2, 4, 3, 1, 3)
      const [, , u] = draw(2, 4, 3, 1, 3, 5)
      const before = gruSequence(x, w, u, b)
      const after = gruSequence(x, w, u, stack([b, b.mul(0)]), { resetAfter: true })
      expect(distance(before.outputs as Tensor, after.outputs as Tensor)).toBeLessThan(1e-12)
    })
  })
  test('the recurrent dropout of a GRU does not touch the state that the update gate keeps', () => {
    scope(() => {
      const [x, w, u] = draw(1, 200, 2, 3, 3)
      const bias = tensor([9, 9, 9, 0, 0, 0, 0, 0, 0], { dtype: 'float64', backend: reference }) // z near 1: everything is kept
      const recurrentDropout = tensor([[1.25, 1.25, 0]], { dtype: 'float64', backend: reference })
      const { states } = gruSequence(x, w, u, bias, { recurrentDropout })
      expect(Math.max(...valuesOf(states[0].abs()))).toBeLessThanOrEqual(1)
    })
  })
  test('initial states are taken, and wasm agrees with the reference', () => {
    scope(() => {
      const parts = draw(3, 6, 5, 4, 1)
      const h = normal(key(8), [3, 4], { backend: reference, dtype: 'float64' })
      const want = simpleRnnSequence(parts[0], parts[1], parts[2], parts[3], { initialState: [h] })
      expect(distance(want.states[0], simpleRnnSequence(parts[0], parts[1], parts[2], parts[3]).states[0])).toBeGreaterThan(1e-6)
      const [x, w, u, b, h32] = [...parts, h].map((p) => tensor(Float32Array.from(valuesOf(p)), { shape: p.shape, backend: wasm }))
      const got = valuesOf(simpleRnnSequence(x, w, u, b, { initialState: [h32] }).outputs as Tensor)
      for (const [i, v] of valuesOf(want.outputs as Tensor).entries()) expect(Math.abs(got[i] - v)).toBeLessThan(1e-5)
    })
  })
})

describe('refused input is named', () => {
  const [x, w, u, b] = draw(2, 5, 3, 4, 4)
  const state = (shape: number[]): Tensor => normal(key(1), shape, { backend: reference, dtype: 'float64' })
  test.each<[string, () => unknown, RegExp]>([
    ['no time axis', () => lstmSequence(x.reshape([10, 3]), w, u, b), /x is \[10, 3\], expected three axes \[n, t, in\]/],
    ['no steps', () => lstmSequence(state([2, 0, 3]), w, u, b), /at least one step/],
    ['a kernel of another cell', () => gruSequence(x, w, u, b), /recurrentKernel is \[4, 16\], expected \[4, 12\]/],
    ['a kernel for other inputs', () => lstmSequence(x, state([2, 16]), u, b), /kernel is \[2, 16\], expected \[3, 16\]/],
    ['a bias of another size', () => lstmSequence(x, w, u, state([4])), /bias is \[4\], expected \[16\]/],
    ['one state for two', () => lstmSequence(x, w, u, b, { initialState: [state([2, 4])] }), /2 initial states are needed, got 1/],
    [
      'states of another batch',
      () => lstmSequence(x, w, u, b, { initialState: [state([2, 4]), state([3, 4])] }),
      /initialState\[1\] is \[3, 4\]/,
    ],
    ['a mask of another length', () => lstmSequence(x, w, u, b, { mask: state([2, 4]) }), /mask is \[2, 4\], expected \[2, 5\]/],
    ['integers', () => lstmSequence(x.cast('int32'), w, u, b), /int32/],
  ])('%s', (_, call, message) => expect(() => scope(call as () => Tensor)).toThrow(message))
})

test('unstack is the inverse of stack on every axis, and so is its derivative', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }), fc.nat(3), (shape, at) => {
      scope(() => {
        const axis = at % shape.length
        const x = normal(key(2), shape, { backend: reference, dtype: 'float64' })
        const parts = unstack(x, axis)
        expect(parts).toHaveLength(shape[axis])
        expect(distance(stack(parts, axis), x)).toBe(0)
        const dX = grad((y: Tensor) => unstack(y, axis).reduce((sum, part, i) => sum.add(part.sum().mul(i + 1)), y.sum().mul(0)))(x)
        for (const [i, part] of unstack(dX, axis).entries()) for (const v of valuesOf(part)) expect(v).toBe(i + 1)
      })
    }),
  )
})

/** Updates of numbers below the least normal float. */
import { expect, test } from 'vitest'
import { valuesOf } from '../../../../test/helpers.js'
import { applyUpdate, createWasmBackend, Parameter, tensor, updateProgram } from '../../../index.js'

test('a decaying mean ends at 0, not among subnormal numbers; the parameter, NaN and infinities stay', () => {
  const decay = updateProgram('decay (update.test)', { slots: 2, inputs: 1, scalars: 1 }, ([w, m], [g], [rate]) => [w, m.mul(rate).add(g)])
  const backend = createWasmBackend({ threads: 1 })
  const of = (values: number[]): Parameter => new Parameter(tensor(values, { backend }))
  const small = 2 ** -130
  const [w, m] = [of([small, 1, 1, 1, 1, small]), of([1, 2 ** -126, Number.NaN, -Infinity, -1, 2 ** -120])]
  const g = tensor([0, 0, 0, 0, 0, 0], { backend })
  applyUpdate(decay, [w, m], [g], [0.5])
  expect(valuesOf(m)).toEqual([0.5, 0, Number.NaN, -Infinity, -0.5, 2 ** -121])
  for (let step = 0; step < 200; step++) applyUpdate(decay, [w, m], [g], [0.5])
  expect(valuesOf(m)).toEqual([0, 0, Number.NaN, -Infinity, 0, 0])
  expect(valuesOf(w)).toEqual([small, 1, 1, 1, 1, small])
})

/** Regularizers compared with the golden vectors in both arithmetics; names, functions and messages. */
import { ones, tensor, vjp } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import { arithmetics, expectClose, float64, golden, numbers } from '../../test/arithmetic.js'
import { loadGolden } from '../../test/golden.js'
import { savedForm } from '../spelling/names.js'
import { getRegularizer, l1, l1L2, l2, orthogonalRegularizer } from './regularizers.js'

describe.each(arithmetics)('golden regularizers, $name', (arithmetic) => {
  for (const { name, params, inputs, expected } of loadGolden('regularizers.json')) {
    test(name, async () => {
      const { dtype, backend } = arithmetic
      const regularizer = l1L2(params as { l1: number; l2: number })
      const { value, grads } = vjp((w) => regularizer.call(w), [golden(inputs.w, arithmetic)], ones([], { dtype, backend }))
      expectClose('value', await value.data(), numbers(expected.value), arithmetic)
      expectClose('grad_w', await grads[0].data(), numbers(expected.grad_w), arithmetic)
    })
  }
})

describe('regularizers', () => {
  test('names mean the rate 0.01', () => {
    expect(getRegularizer('l1')?.getConfig()).toEqual({ l1: 0.01, l2: 0 })
    expect(getRegularizer('l2')?.getConfig()).toEqual({ l1: 0, l2: 0.01 })
    expect(getRegularizer('l1_l2')?.getConfig()).toEqual({ l1: 0.01, l2: 0.01 })
    expect(getRegularizer(null)).toBeUndefined()
  })

  test('a description makes an equal one', () => {
    const original = l1L2({ l1: 0.1, l2: 0.2 })
    expect(getRegularizer(savedForm(original))?.getConfig()).toEqual(original.getConfig())
    expect(getRegularizer({ class_name: 'L1L2', config: { l1: 0.5, l2: 0 } })?.getConfig()).toEqual({ l1: 0.5, l2: 0 })
  })

  test.each(arithmetics)(
    'rows and columns that are not orthogonal, as the running Keras 3.16 has it ($name)',
    async ({ dtype, backend }) => {
      const w = tensor([1, 2, -1, 0.5, 0, 2, 3, -1, 0.25, 0, 1, 1], { shape: [4, 3], dtype, backend })
      for (const [mode, wanted] of [
        ['rows', 0.0920626223],
        ['columns', 0.0429914296],
      ] as const) {
        const original = orthogonalRegularizer({ factor: 0.3, mode })
        const again = getRegularizer(savedForm(original)) as typeof original
        expect(await again.call(w).item()).toBeCloseTo(wanted, 6)
        expect(again.getConfig()).toEqual(original.getConfig())
      }
      const zeros = tensor([0, 0, 3, 4], { shape: [2, 2], dtype, backend })
      const { value, grads } = vjp((x) => orthogonalRegularizer().call(x), [zeros], ones([], { dtype, backend }))
      expect([await value.item(), ...(await grads[0].data())].every(Number.isFinite)).toBe(true)
      const one = orthogonalRegularizer().call(ones([1, 3], { dtype, backend }))
      expect(await one.item()).toBe(0)
      expect(() => orthogonalRegularizer().call(ones([2], { dtype, backend }))).toThrow(
        'orthogonalRegularizer: it takes a matrix, got [2].',
      )
    },
  )

  test('a rate of 0 is a penalty of 0; a negative one, an unknown name and an empty description are errors', async () => {
    expect(
      await l1(0)
        .call(ones([2], { dtype: float64.dtype, backend: float64.backend }))
        .item(),
    ).toBe(0)
    expect(() => l2(-1)).toThrow(/l2: the rate must be a number, at least 0, got -1/)
    expect(() => getRegularizer('l3' as 'l2')).toThrow(/no regularizer "l3"/)
    expect(() => getRegularizer({})).toThrow(/className/)
  })
})

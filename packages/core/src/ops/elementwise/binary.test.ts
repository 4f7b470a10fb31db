import { describe, expect, test } from 'vitest'
import { onReference, valuesOf } from '../../../test/helpers.js'
import { grad, type Tensor, tensor } from '../../index.js'

describe('pow', () => {
  // ∂²(aᵇ)/∂a∂b = aᵇ⁻¹·(1 + b·ln a), which is 1/a at b = 0.
  test('its mixed second derivative, at the exponent 0 too', async () => {
    const a = [0.5, 2, 3, 2]
    const b = [0, 0, 0, 1.5]
    const byBoth = onReference(() =>
      grad((y: Tensor) => grad((x: Tensor) => x.pow(y).sum())(tensor(a, { dtype: 'float64' })).sum())(tensor(b, { dtype: 'float64' })),
    )
    const got = await valuesOf(byBoth)
    a.forEach((x, i) => {
      expect(got[i]).toBeCloseTo(x ** (b[i] - 1) * (1 + b[i] * Math.log(x)), 12)
    })
  })

  test('by its base, where the slope is infinite: 0 if the exponent is 0, or if no cotangent arrives', async () => {
    const slope = onReference(() =>
      grad((x: Tensor) =>
        x
          .pow(tensor([0, 0.5]))
          .mul(tensor([1, 0]))
          .sum(),
      )(tensor([0, 0])),
    )
    expect(await valuesOf(slope)).toEqual([0, 0])
  })
})

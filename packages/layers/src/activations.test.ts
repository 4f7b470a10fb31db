import { softmax as coreSoftmax, createReferenceBackend, logSoftmax, logSumExp, ShapeError, scope, tensor, vjp } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import { arithmetics, expectClose, golden, numbers } from '../test/arithmetic.js'
import { loadGolden } from '../test/golden.js'
import { type ActivationIdentifier, elu, finalActivationOf, getActivation, relu, softmax } from './activations.js'

describe.each(arithmetics)('golden activations, $name', (arithmetic) => {
  for (const { name, params, inputs, expected } of loadGolden('activations.json')) {
    test(name, async () => {
      const x = golden(inputs.x, arithmetic)
      if (params.op) {
        const { value, grads } = vjp((z) => logSumExp(z).sum(), [x], tensor(1, { dtype: arithmetic.dtype, backend: arithmetic.backend }))
        value.dispose()
        expectClose('logsumexp', await logSumExp(x).data(), numbers(expected.logsumexp), arithmetic)
        expectClose('log_softmax', await logSoftmax(x).data(), numbers(expected.log_softmax), arithmetic)
        expectClose('softmax', await coreSoftmax(x).data(), numbers(expected.softmax), arithmetic)
        expectClose('grad_logsumexp', await grads[0].data(), numbers(expected.grad_logsumexp), arithmetic)
        return
      }
      const f = getActivation(params.activation as ActivationIdentifier)
      const { value, grads } = vjp((z) => f.call(z), [x], golden(inputs.grad_output, arithmetic))
      expectClose('output', await value.data(), numbers(expected.output), arithmetic)
      expectClose('grad_x', await grads[0].data(), numbers(expected.grad_x), arithmetic)
    })
  }
})

const backend = createReferenceBackend()
const values = (list: number[]) => tensor(list, { dtype: 'float64', backend })

describe('activations', () => {
  test('relu with a slope, a maximum and a threshold, as keras.activations.relu', async () => {
    const x = values([-2, -0.5, 0.5, 1.5, 3])
    const y = async (options: Parameters<typeof relu>[1]) => Array.from(await scope(() => relu(x, options)).data())
    expect(await y({ alpha: 0.1 })).toEqual([-0.2, -0.05, 0.5, 1.5, 3])
    expect(await y({ maxValue: 2 })).toEqual([0, 0, 0.5, 1.5, 2])
    expect(await y({ threshold: 1 })).toEqual([0, 0, 0, 1.5, 3])
    expect(await y({ alpha: 0.5, threshold: 1, maxValue: 2 })).toEqual([-1.5, -0.75, -0.25, 1.5, 2])
  })

  test('elu with another α', async () => {
    expectClose('elu', await elu(values([-1, 2]), 2).data(), [2 * Math.expm1(-1), 2], { rtol: 1e-12, atol: 0 })
  })

  test('names in every spelling, functions, and nothing', () => {
    for (const id of ['hardSigmoid', 'hard_sigmoid'] as const) expect(getActivation(id).name).toBe('hardSigmoid')
    expect(getActivation(undefined).name).toBe('linear')
    expect(getActivation(softmax).name).toBe('softmax')
    expect(
      getActivation(function swish(x) {
        return x.mul(x.sigmoid())
      }).name,
    ).toBe('swish')
    expect(finalActivationOf(getActivation('softmax'))).toBe('softmax')
    expect(finalActivationOf(getActivation('relu'))).toBeUndefined()
    expect(() => getActivation('sigmoidd' as 'sigmoid')).toThrow(
      /no activation "sigmoidd"\. Did you mean "sigmoid"\? There are: linear, relu/,
    )
  })

  test('softmax wants a batch axis', () => {
    expect(() => softmax(values([1, 2]))).toThrow(ShapeError)
  })
})

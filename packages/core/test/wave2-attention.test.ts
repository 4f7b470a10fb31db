/** The golden vectors of attention, and what they do not hold: −∞ as bias, and arguments that do not fit. */
import { describe, expect, test } from 'vitest'
import * as c from '../src/index.js'
import { type GoldenTensor, loadGolden } from './golden.js'
import { checkCase, places } from './wave2.js'

type Tensor = c.Tensor

interface Params {
  scale: number | null
  causal: boolean
}
const file = loadGolden<Params, Record<string, GoldenTensor | undefined>, Record<string, GoldenTensor>>('wave2/attention')

describe.each(places)('attention of wave2 on $name', (place) => {
  test.each(file.cases)('$name', async ({ params: { scale, causal }, inputs, expected }) => {
    const { query, key, value, mask, bias, grad_output } = inputs
    const tolerance = file.tolerance?.[place.floats]
    if (!tolerance || !query || !key || !value || !grad_output) throw new Error('not a case of attention')
    const more = [mask, bias].filter((t) => t !== undefined)
    const options = (rest: c.Tensor[]): c.AttentionOptions => ({
      mask: mask && rest[0],
      bias: bias && rest[mask ? 1 : 0],
      causal,
      scale: scale ?? undefined,
    })
    const { output, weights, grad_query, grad_key, grad_value, grad_bias } = expected
    const attend = (q: Tensor, k: Tensor, v: Tensor, ...rest: Tensor[]): Tensor => c.scaledDotProductAttention(q, k, v, options(rest))
    await checkCase(place, tolerance, [query, key, value, ...more], attend, {
      output,
      gradOutput: grad_output,
      grads: [grad_query, grad_key, grad_value, ...(mask ? [undefined] : []), grad_bias],
    })
    const weigh = (q: Tensor, k: Tensor, ...rest: Tensor[]): Tensor => c.attentionWeights(q, k, options(rest))
    await checkCase(place, tolerance, [query, key, ...more], weigh, { output: weights })
  })
})

describe.each(places)('a closed row on $name', ({ backend, floats }) => {
  const query = (): c.Tensor => c.tensor([1, 2], { dtype: floats, backend, shape: [1, 2, 1, 1] })
  test('weighs all values equally, whether a mask or −∞ closes it', async () => {
    const bias = c.tensor([-Infinity, -Infinity, 0, -Infinity], { dtype: floats, backend, shape: [2, 2] })
    const mask = c.tensor([false, false, true, false], { dtype: 'bool', backend, shape: [2, 2] })
    const want = [
      [
        [
          [0.5, 0.5],
          [1, 0],
        ],
      ],
    ]
    expect(await c.attentionWeights(query(), query(), { bias }).array()).toEqual(want)
    expect(await c.attentionWeights(query(), query(), { mask }).array()).toEqual(want)
    const { grads } = c.vjp(
      (b) => c.attentionWeights(query(), query(), { bias: b }),
      [bias],
      c.ones([1, 1, 2, 2], { dtype: floats, backend }),
    )
    expect(await grads[0].array()).toEqual([
      [0, 0],
      [0, 0],
    ])
  })
})

test('errors say what does not fit', () => {
  const x = c.zeros([1, 2, 4, 3])
  const attend = (key: c.Tensor, options?: c.AttentionOptions) => () => c.scaledDotProductAttention(x, key, key, options)
  expect(attend(c.zeros([1, 2, 3, 3]))).toThrow('4 query heads do not divide into 3 groups')
  expect(attend(c.zeros([1, 2, 4, 5]))).toThrow('one size of the last axis')
  expect(attend(c.zeros([1, 0, 4, 3]))).toThrow('nothing to look at')
  expect(attend(x, { mask: c.zeros([2, 2]) })).toThrow('mask')
  expect(attend(x, { mask: c.zeros([3, 2, 2], { dtype: 'bool' }) })).toThrow('broadcast')
  expect(() => c.scaledDotProductAttention(x, x, c.zeros([1, 2, 2, 3]))).toThrow('value needs the batch, steps and heads of key')
})

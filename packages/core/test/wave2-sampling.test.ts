/** Golden vectors of drawing from logits, with the uniform numbers given. */
import { describe, expect, test } from 'vitest'
import { samplingProbabilities, scope, type Tensor } from '../src/index.js'
import { gumbelMax } from '../src/ops/random/draws.js'
import { pickByProbability } from '../src/ops/random/sample-logits.js'
import { expectClose, type GoldenTensor, loadGolden, type Tolerance, tensorOf } from './golden.js'
import { valuesOf } from './helpers.js'
import { places } from './wave2.js'

type Options = Record<'temperature' | 'topK' | 'topP' | 'minP', number | null>
type Inputs = Record<'logits' | 'uniform' | 'gumbel_uniform', GoldenTensor>
interface Expected {
  kept: number[]
  probabilities: GoldenTensor
  indices: number[]
  greedy: number
  gumbel_max_unfiltered: number
}
const { cases, tolerance } = loadGolden<Options, Inputs, Expected>('wave2/sampling')

describe.each(places)('$name', ({ backend, floats }) => {
  test.each(cases.map((c) => [c.name, c] as const))('%s', async (_, { params, inputs, expected }) => {
    const place = (t: GoldenTensor): Tensor => tensorOf(t, backend, floats)
    const options = Object.fromEntries(Object.entries(params).filter(([, value]) => value !== null))
    const [logits, uniform] = [place(inputs.logits), place(inputs.uniform)]
    const p = samplingProbabilities(logits, options)
    await expectClose(p, expected.probabilities, tolerance?.[floats] as Tolerance, 'probabilities')
    expect(valuesOf(p).flatMap((value, i) => (value > 0 ? [i] : []))).toEqual(expected.kept)
    const rows = p.expandDims(0).broadcastTo([uniform.size, p.size])
    expect(valuesOf(pickByProbability(rows, uniform))).toEqual(expected.indices)
    expect(valuesOf(logits.argMax())).toEqual([expected.greedy])
    const gumbel = scope(() => gumbelMax(logits.div(params.temperature as number), place(inputs.gumbel_uniform)))
    expect(valuesOf(gumbel)).toEqual([expected.gumbel_max_unfiltered])
  })
})

/** The golden vectors of Keras 3's core layers, and of those whose cases have a form of their own. */
import { Parameter, scope, type Tensor, valueAndGrad, withBackend } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import { expectClose, type GoldenTensor, loadGolden, tensorOf } from '../../core/test/golden.js'
import { checkCase, places, toleranceOf } from '../../core/test/wave2.js'
import { ActivityRegularization, type ReversibleEmbedding } from '../src/index.js'
import { alphaDrop } from '../src/layers/regularization/alpha-dropout.js'
import { type LayerCase, testLayerCases } from './wave2-layers.js'

testLayerCases('wave2/layers_core', {
  only: ({ layer }) => layer !== 'AlphaDropout', // its draws are given: below
  notOptions: ['reverse'],
  call: (layer, xs, masks, { params }) =>
    params.reverse
      ? { outputs: [(layer as ReversibleEmbedding).reverse(xs[0])], masks: [undefined] }
      : layer.callAll(xs, { training: false, masks }),
})

const file = loadGolden('wave2/layers_core')
const casesOf = (name: string): readonly LayerCase[] => (file.cases as unknown as LayerCase[]).filter(({ layer }) => layer === name)

describe.each(places)('$name', (place) => {
  const { backend, floats } = place
  test.each(casesOf('AlphaDropout'))('$name', async ({ params, inputs, expected }) => {
    const rate = params.rate as number
    const transform = (x: Tensor): Tensor => alphaDrop(x, tensorOf(inputs.uniform, backend, floats).greaterEqual(rate), rate)
    await checkCase(place, toleranceOf(file, place), [inputs.x], (x) => scope(() => transform(x)), {
      output: expected.output as GoldenTensor,
      gradOutput: inputs.grad_output,
      grads: [expected.grad_x as GoldenTensor],
    })
  })

  test.each(casesOf('ActivityRegularization'))('$name', async ({ params, inputs, expected }) => {
    const layer = new ActivityRegularization(params)
    const x = new Parameter(tensorOf(inputs.x, backend, floats))
    const { value, grads } = withBackend(backend, () => valueAndGrad([x], () => layer.activityRegularizer.call(x)))
    await expectClose(layer.call(x, { training: true }), expected.output as GoldenTensor, toleranceOf(file, place))
    await expectClose(value, expected.loss as GoldenTensor, toleranceOf(file, place))
    await expectClose(grads[0], expected.grad_x_of_loss as GoldenTensor, toleranceOf(file, place))
    const old = new ActivityRegularization({ ...params, variant: 'keras2' }).activityRegularizer
    const whole = scope(() => old.call(x).div(value))
    expect(Math.abs((await whole.data())[0] - x.shape[0]), 'Keras 2 does not divide').toBeLessThan(1e-5)
    for (const t of [x, value, whole, ...grads]) t.dispose()
  })
})

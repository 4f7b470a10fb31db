/** The golden vectors of Keras 3's activations: by their functions with options, and by name as the activation of a layer. */
import { type Tensor, tensor } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import { loadGolden } from '../../core/test/golden.js'
import { checkCase, places, toleranceOf } from '../../core/test/wave2.js'
import { activation, activations, dense, leakyReLU, modelFromBytes, modelToBytes, Sequential } from '../src/index.js'
import { camelCase } from '../src/spelling/names.js'

const file = loadGolden('wave2/activations')

/** The arguments of a function after x, made of the options that a case has. */
const rest: Readonly<Record<string, (options: Record<string, unknown>) => unknown[]>> = {
  celu: ({ alpha = 1 }) => [alpha],
  elu: ({ alpha = 1 }) => [alpha],
  threshold: ({ threshold, defaultValue }) => [threshold, defaultValue],
}
const functionOf = ({ activation: name, ...options }: Record<string, unknown>): ((x: Tensor) => Tensor) => {
  // hard_sigmoid here is that of Keras 2.
  const own = name === 'hard_sigmoid' ? 'hardSigmoid6' : camelCase(String(name))
  const found = (activations as unknown as Record<string, (x: Tensor, ...more: unknown[]) => Tensor>)[own]
  const more = rest[own]?.(options) ?? (Object.keys(options).length > 0 ? [options] : [])
  return (x) => found(x, ...more)
}

describe.each(places)('activations of wave2 on $name', (place) => {
  test.each(file.cases)('$name', async ({ params, inputs, expected }) => {
    const wanted = { output: expected.output, gradOutput: inputs.grad_output, grads: [expected.grad_x] }
    await checkCase(place, toleranceOf(file, place), [inputs.x], functionOf(params), wanted)
    if (Object.keys(params).length > 1) return
    const name = (params.activation === 'hard_sigmoid' ? 'hard_sigmoid6' : params.activation) as 'gelu'
    const layer = activation(name)
    expect(layer.outputShape(inputs.x.shape)).toEqual(expected.output.shape)
    await checkCase(place, toleranceOf(file, place), [inputs.x], (x) => layer.call(x, { training: false }), wanted)
  })
})

test('swish is silu, and hard_swish hard_silu', () => {
  expect(['swish', 'hard_swish', 'silu'].map((name) => activations.getActivation(name as 'swish').name)).toEqual([
    'silu',
    'hardSilu',
    'silu',
  ])
})

test('relu takes the slope by either name, not by both', async () => {
  expect(() => activations.relu(undefined as never, {})).toThrow('relu: x must be a tensor')
  const net = new Sequential([activation((x) => activations.relu(x, { negativeSlope: 0.5 }), { inputShape: [1] })])
  expect(await net.predict([[-2]]).then((y) => y.array())).toEqual([[-1]])
  expect(() => activations.relu(tensor([1]), { alpha: 1, negativeSlope: 1 })).toThrow('relu: alpha and negativeSlope are two names')
  expect(() => leakyReLU({ alpha: 1, negativeSlope: 1 })).toThrow('LeakyReLU: alpha and negativeSlope are two names')
})

test('glu halves the width of a dense layer; an odd width is refused', async () => {
  const net = new Sequential([dense(6, { activation: 'glu', inputShape: [2] }), dense(1)])
  expect(net.layers[0].outputShape([null, 2])).toEqual([null, 3])
  expect((await net.predict([[1, 2]])).shape).toEqual([1, 1])
  expect(() => new Sequential([dense(3, { activation: 'glu', inputShape: [2] })])).toThrow(/must be even, got 3/)
})

describe('hard_sigmoid in files', () => {
  const net = (name: 'hardSigmoid' | 'hardSigmoid6'): Sequential =>
    new Sequential([dense(1, { activation: name, inputShape: [1], weights: [[[1]], [0]] })])
  const at = (model: { predict(x: number[][]): Promise<Tensor> }): Promise<unknown> => model.predict([[1.5]]).then((y) => y.array())

  test('.keras means that of Keras 3, which is hardSigmoid6; that of Keras 2 cannot be in it', async () => {
    const bytes = await modelToBytes(net('hardSigmoid6'), { format: 'keras' })
    expect(await at(await modelFromBytes(bytes))).toEqual([[0.75]])
    await expect(modelToBytes(net('hardSigmoid'), { format: 'keras' })).rejects.toThrow(/hard_sigmoid is another function in Keras 3/)
  })
  test('.h5 keeps both apart', async () => {
    const again = async (name: 'hardSigmoid' | 'hardSigmoid6'): Promise<unknown> => at(await modelFromBytes(await modelToBytes(net(name))))
    expect(await again('hardSigmoid')).toEqual([[Math.fround(0.8)]])
    expect(await again('hardSigmoid6')).toEqual([[0.75]])
  })
})

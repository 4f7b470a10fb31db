/** Architectures that are damaged, or that name unknown things. The error says where. */
import { describe, expect, test } from 'vitest'
import { conv1d, dense, lstm, modelFromJSON, modelToJSON, Sequential } from '../src/index.js'

describe('architectures', () => {
  /** The JSON of a model with one layer's config changed. */
  const edited = (
    layer: ReturnType<typeof dense> | ReturnType<typeof conv1d> | ReturnType<typeof lstm>,
    config: object,
    version?: string,
  ): string => {
    const json = JSON.parse(modelToJSON(new Sequential([layer], { seed: 1 }))) as {
      config: { layers: { config: object }[] }
      keras_version: string
    }
    Object.assign(json.config.layers[0].config, config)
    return JSON.stringify({ ...json, ...(version && { keras_version: version }) })
  }

  test.each<[string, () => string, RegExp]>([
    [
      'groups that do not divide',
      () => edited(conv1d(2, 3, { inputShape: [8, 2] }), { groups: 3 }),
      /2 filters do not divide into groups: 3[\s\S]*in .*layer "conv1d_\d+" \(Conv1D\)/,
    ],
    [
      'half precision',
      () => edited(dense(2, { inputShape: [3] }), { dtype: 'float16' }),
      /config key "dtype": "float16" is not supported[\s\S]*layer "dense_\d+" \(Dense\)/,
    ],
    [
      'a policy of mixed precision',
      () => edited(dense(2, { inputShape: [3] }), { dtype: { class_name: 'DTypePolicy', config: { name: 'mixed_float16' } } }),
      /"mixed_float16" is not supported/,
    ],
    [
      'an activation we do not have',
      () => edited(dense(2, { inputShape: [3] }), { activation: 'mish2' }),
      /no activation "mish2"[\s\S]*config key "activation"; pass your own: customObjects: { mish2/,
    ],
    [
      'an initializer we do not have',
      () => edited(dense(2, { inputShape: [3] }), { kernel_initializer: { class_name: 'Mine', config: {} } }),
      /no initializer "Mine"[\s\S]*layer "dense_/,
    ],
    ['an option nobody has', () => edited(dense(2, { inputShape: [3] }), { colour: 'red' }), /no option "colour"[\s\S]*layer "dense_/],
    [
      'time-major sequences',
      () => edited(lstm(2, { inputShape: [5, 3] }), { time_major: true }),
      /config key "time_major": true is not supported/,
    ],
    ['no units', () => edited(dense(2, { inputShape: [3] }), { units: null }), /units must be a whole number, at least 1/],
    [
      'a class nobody has',
      () => JSON.stringify({ class_name: 'Sequential', config: [{ class_name: 'Dens', config: { name: 'd' } }] }),
      /no layer class called "Dens"\. Did you mean "Dense"\?[\s\S]*layer "d"/,
    ],
    [
      'a model of a class of its own',
      () => JSON.stringify({ class_name: 'MyModel', config: {} }),
      /a model of class "MyModel" is not supported/,
    ],
    ['no layers', () => JSON.stringify({ class_name: 'Sequential', config: { layers: 3 } }), /config.layers must be a list of layers/],
    [
      'a layer that is none',
      () => JSON.stringify({ class_name: 'Sequential', config: { layers: [null] } }),
      /layer 0: an object with class_name and config was expected/,
    ],
    ['no JSON', () => '{', /not JSON/],
  ])('%s', (_, json, message) => {
    expect(() => modelFromJSON(json())).toThrow(message)
  })

  test('a graph with a layer that nobody gives', () => {
    const input = { class_name: 'InputLayer', name: 'x', config: { batch_input_shape: [null, 2], name: 'x' }, inbound_nodes: [] }
    const y = { class_name: 'Dense', name: 'y', config: { name: 'y', units: 1 }, inbound_nodes: [[['z', 0, 0, {}]]] }
    const graph = (layers: object[]): string =>
      JSON.stringify({
        class_name: 'Model',
        config: { name: 'm', layers, input_layers: [['x', 0, 0]], output_layers: [['y', 0, 0]] },
        keras_version: '2.3.1',
      })
    expect(() => modelFromJSON(graph([input, y]))).toThrow('no layer of the graph gives z[0][0]')
    expect(() => modelFromJSON(graph([input, { ...y, inbound_nodes: [[['x', 0]]] }]))).toThrow(
      /layer "y": inbound_nodes: .* is not a list of \[name, node, tensor\]/,
    )
    expect(modelFromJSON(graph([input, { ...y, inbound_nodes: [[['x', 0, 0, {}]]] }])).countParams()).toBe(3)
  })

  test("Keras 1's words", () => {
    const layers = [
      {
        class_name: 'Convolution1D',
        config: {
          name: 'c',
          nb_filter: 4,
          filter_length: 3,
          border_mode: 'same',
          subsample_length: 2,
          init: 'uniform',
          batch_input_shape: [null, 8, 2],
          W_regularizer: { name: 'WeightRegularizer', l1: 0, l2: 0.5 },
          bias: true,
          input_dim: null,
        },
      },
      {
        class_name: 'LSTM',
        config: {
          name: 'l',
          output_dim: 3,
          inner_activation: 'hard_sigmoid',
          inner_init: 'orthogonal',
          forget_bias_init: 'one',
          dropout_W: 0.1,
          dropout_U: 0,
          consume_less: 'cpu',
          input_dim: 4,
          W_constraint: { name: 'MaxNorm', m: 3, axis: 0 },
        },
      },
      { class_name: 'Dropout', config: { name: 'd', p: 0.25 } },
      { class_name: 'Dense', config: { name: 'o', output_dim: 2, activation: 'softmax', b_constraint: null } },
    ]
    const old = modelFromJSON(JSON.stringify({ class_name: 'Sequential', config: layers, keras_version: '1.2.2' }))
    expect(old.outputShapeOf()).toEqual([null, 2])
    expect(old.layers.map((layer) => layer.getConfig())).toMatchObject([
      { kernelSize: [3], strides: [2], padding: 'same', kernelRegularizer: { config: { l1: 0, l2: 0.5 } } },
      {
        units: 3,
        recurrentActivation: 'hardSigmoid',
        unitForgetBias: true,
        dropout: 0.1,
        kernelConstraint: { className: 'MaxNorm', config: { maxValue: 3 } },
      },
      { rate: 0.25 },
      { units: 2, activation: 'softmax' },
    ])
  })
})

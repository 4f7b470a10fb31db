/** Operations in the words of Keras 3, and masks at operations and as operations. */
import { beforeEach, describe, expect, test } from 'vitest'
import {
  dense,
  embedding,
  input,
  lstm,
  type Model,
  masking,
  model,
  modelFromBytes,
  modelFromJSON,
  modelToBytes,
  resetNames,
} from '../src/index.js'
import type { Json, KerasObject } from '../src/io/keras-object.js'
import { historyOf, isOperation, operationCall, operationObject, readOperation } from '../src/io/operations.js'

beforeEach(resetNames)

describe('masks', () => {
  const tokens = [[3, 1, 0, 0]]

  test('end at an operation, as in Keras 3', async () => {
    const x = input({ shape: [4], name: 'x' })
    const words = embedding(5, 2, { maskZero: true }).apply(x)
    const recur = lstm(2)
    const net = model({ inputs: x, outputs: [recur.apply(words), recur.apply(words.mul(1))], seed: 1 })
    const [masked, unmasked] = await net.predictAll(tokens).then((ys) => Promise.all(ys.map((y) => y.array())))
    expect(masked).not.toEqual(unmasked)
    const copy = await modelFromBytes(await modelToBytes(net, { format: 'keras' }))
    expect(await copy.predictAll(tokens).then((ys) => Promise.all(ys.map((y) => y.array())))).toEqual([masked, unmasked])
  })

  /** The file of a graph of Keras 3 with the mask of its embedding as nodes: one for the argument `mask`, and one for an output. */
  const withMaskNodes = (value: number, multiplied: boolean): Json => {
    const at = (name: string): Json => ({
      class_name: '__keras_tensor__',
      config: { shape: [null, 4], dtype: 'float32', keras_history: [name, 0, 0] },
    })
    const layer = (class_name: string, config: Json, args: unknown[], kwargs: Json = {}, module = 'keras.layers'): Json => ({
      module,
      class_name,
      config,
      name: config.name,
      inbound_nodes: args.length > 0 ? [{ args, kwargs }] : [],
    })
    const numpy = 'keras.src.ops.numpy'
    return {
      class_name: 'Functional',
      config: {
        name: 'f',
        layers: [
          layer('InputLayer', { name: 'x', batch_shape: [null, 4], dtype: 'float32' }, []),
          layer('Embedding', { name: 'words', input_dim: 5, output_dim: 2, mask_zero: true }, [at('x')]),
          layer('NotEqual', { name: 'not_equal' }, [at('x'), value], {}, numpy),
          layer('LogicalOr', { name: 'both' }, [at('not_equal'), at('not_equal')], {}, numpy),
          layer('Multiply', { name: 'product' }, [at('words'), 1], {}, numpy),
          layer('LSTM', { name: 'recur', units: 2 }, [at(multiplied ? 'product' : 'words')], { mask: at('both') }),
          layer('Cast', { name: 'shown', dtype: 'float32' }, [at('not_equal')], {}, 'keras.src.ops.core'),
        ],
        input_layers: [['x', 0, 0]],
        output_layers: [
          ['recur', 0, 0],
          ['shown', 0, 0],
        ],
      },
    }
  }
  const read = (file: Json): Model => modelFromJSON(JSON.stringify({ ...file, keras_version: '3.16.0' }))

  test('that Keras writes as operations count once; an operation that something else needs stays', async () => {
    const net = read(withMaskNodes(0, false))
    expect(net.layers.map(({ name }) => name)).toEqual(['x', 'words', 'not_equal', 'recur', 'shown'])
    const [, shown] = await net.predictAll(tokens)
    expect(await shown.array()).toEqual([[1, 1, 0, 0]])
  })

  test.each([
    ['another value', withMaskNodes(1, false)],
    ['behind an operation, where none travels', withMaskNodes(0, true)],
  ])('of another kind are refused: %s', (_, file) => {
    expect(() => read(file)).toThrow(/layer "recur" \(LSTM\): its mask is not the one that comes with its input/)
  })

  test('of a masking layer travel through layers, not through operations', () => {
    const x = input({ shape: [4, 2] })
    expect(() => model({ inputs: x, outputs: dense(2).apply(masking().apply(x).mul(2)) })).not.toThrow()
  })
})

describe('Keras’ words', () => {
  const tensorOf = (name: string): Json => ({
    class_name: '__keras_tensor__',
    config: { shape: name === 'image' ? [null, 4, 5, 3] : [null, 4, 6], dtype: 'float32', keras_history: [name, 0, 0] },
  })
  const slice = (start: number | null, stop: number | null, step: number | null): Json => ({
    class_name: '__slice__',
    config: { start, stop, step },
  })
  const numpy = (value: unknown): Json => ({ class_name: '__numpy__', config: { value, dtype: 'float32' } })
  /** As Keras 3.16 writes them: class, config, arguments; and the options here. */
  const written: readonly [string, string, Json, unknown[], Json][] = [
    ['numpy', 'Subtract', {}, [1, tensorOf('x')], { op: 'sub', constants: { 0: 1 } }],
    ['numpy', 'Add', {}, [tensorOf('x'), numpy([0, 1])], { op: 'add', constants: { 1: [0, 1] } }],
    ['numpy', 'Max', { axis: -1, keepdims: false, initial: null }, [tensorOf('x')], { op: 'max', axis: -1 }],
    ['numpy', 'Clip', { x_min: -0.5, x_max: 0.5 }, [tensorOf('x')], { op: 'clip', min: -0.5, max: 0.5 }],
    ['numpy', 'Stack', { axis: 1 }, [[tensorOf('x'), tensorOf('y')]], { op: 'stack', axis: 1 }],
    ['numpy', 'Einsum', { subscripts: 'bij,bkj->bik' }, [tensorOf('x'), tensorOf('y')], { op: 'einsum', equation: 'bij,bkj->bik' }],
    ['numpy', 'Where', {}, [tensorOf('c'), tensorOf('x'), 0], { op: 'where', constants: { 2: 0 } }],
    [
      'numpy',
      'GetItem',
      {},
      [tensorOf('x'), [{ class_name: '__ellipsis__', config: {} }, slice(null, null, 2)]],
      { op: 'at', index: ['...', '::2'] },
    ],
    [
      'numpy',
      'GetItem',
      {},
      [tensorOf('x'), [slice(null, null, null), null, slice(1, -1, null), 0]],
      { op: 'at', index: [':', null, '1:-1', 0] },
    ],
    ['nn', 'Gelu', { approximate: true }, [tensorOf('x')], { op: 'gelu', approximate: true }],
    ['nn', 'LeakyRelu', { negative_slope: 0.2 }, [tensorOf('x')], { op: 'leakyRelu', negativeSlope: 0.2 }],
    ['math', 'Logsumexp', { axis: -1, keepdims: true }, [tensorOf('x')], { op: 'logSumExp', axis: -1, keepDims: true }],
    ['core', 'Cast', { dtype: 'float32' }, [tensorOf('x')], { op: 'cast', dtype: 'float32' }],
    ['core', 'Unstack', { num: 4, axis: 1 }, [tensorOf('x')], { op: 'unstack', num: 4, axis: 1 }],
    ['math', 'TopK', { k: 2, sorted: true, is_stable: true }, [tensorOf('x')], { op: 'topK', k: 2 }],
    ['numpy', 'Split', { indices_or_sections: 2, axis: 2 }, [tensorOf('x')], { op: 'split', parts: 2, axis: 2 }],
    ['numpy', 'Split', { indices_or_sections: [1, 4], axis: -1 }, [tensorOf('x')], { op: 'split', parts: [1, 3, 2], axis: -1 }],
    ['numpy', 'Take', { axis: 1 }, [tensorOf('x'), numpy([0, 2])], { op: 'gather', axis: 1, constants: { 1: [0, 2] } }],
    [
      'nn',
      'LayerNorm',
      { axis: -1, epsilon: 0.1, rms_scaling: false },
      [tensorOf('x'), null, tensorOf('y')],
      { op: 'layerNorm', constants: { 1: null } },
    ],
    ['linalg', 'Norm', { ord: Number.POSITIVE_INFINITY, axis: -1, keepdims: false }, [tensorOf('x')], { op: 'norm', ord: 'inf', axis: -1 }],
  ]
  test.each(written)('%s %s %j', (module, className, config, args, own) => {
    const object = {
      module: `keras.src.ops.${module}`,
      class_name: className,
      config: { name: 'o', ...config },
      registered_name: className,
    }
    const { layer, inboundNodes } = readOperation({ ...object, inbound_nodes: [{ args, kwargs: {} }] } as KerasObject, 'x')
    expect(layer.getConfig()).toMatchObject(own)
    expect(operationObject(layer)).toEqual(object)
    const tensors = inboundNodes[0].map(({ layer: name }) => tensorOf(name))
    expect(operationCall(layer, tensors)).toEqual({ args, kwargs: {} })
  })

  /** Arguments by name, and classes for which we write others. */
  const readOnly: readonly [string, Json, unknown[], Json, Json][] = [
    [
      'Pad',
      {
        pad_width: [
          [0, 0],
          [1, 2],
          [3, 0],
        ],
        mode: 'constant',
      },
      [tensorOf('x')],
      { constant_values: 2 },
      {
        op: 'pad',
        pads: [
          [0, 0],
          [1, 2],
          [3, 0],
        ],
        value: 2,
      },
    ], // prettier
    [
      'Pad',
      { pad_width: { class_name: '__tuple__', items: [1, 0] } },
      [tensorOf('x')],
      {},
      {
        pads: [
          [1, 0],
          [1, 0],
          [1, 0],
        ],
      },
    ], // prettier
    [
      'PadImages',
      { top_padding: 1, target_height: 8, left_padding: null, right_padding: 2 },
      [tensorOf('image')],
      {},
      {
        pads: [
          [0, 0],
          [1, 3],
          [0, 2],
          [0, 0],
        ],
      },
    ], // prettier
    [
      'CropImages',
      { top_cropping: 1, bottom_cropping: 2, left_cropping: 0, right_cropping: 0 },
      [tensorOf('image')],
      {},
      { index: [':', '1:-2', '0:'] },
    ],
    [
      'DotProductAttention',
      { is_causal: true, flash_attention: null },
      [tensorOf('q'), tensorOf('k'), tensorOf('v')],
      { bias: null, mask: tensorOf('m'), scale: 0.5 },
      { causal: true, scale: 0.5, constants: { 3: null } },
    ],
    ['RMSNorm', { axis: -1, epsilon: null }, [tensorOf('x')], { scale: numpy([1, 2]) }, { epsilon: 1e-7, constants: { 1: [1, 2] } }],
    ['Swapaxes', { axis1: 1, axis2: -1 }, [tensorOf('x')], {}, { op: 'transpose', axes: [0, 2, 1] }],
    ['Moveaxis', { source: -1, destination: 0 }, [tensorOf('x')], {}, { op: 'transpose', axes: [2, 0, 1] }],
    ['Ravel', {}, [tensorOf('x')], {}, { op: 'reshape', shape: [-1] }],
    ['Hstack', {}, [[tensorOf('x'), tensorOf('y')]], {}, { op: 'concat', axis: 1 }],
    ['Append', { axis: 2 }, [tensorOf('x'), tensorOf('y')], {}, { op: 'concat', axis: 2 }],
    ['Fliplr', {}, [tensorOf('x')], {}, { op: 'flip', axis: 1 }],
    ['Tile', { repeats: 2 }, [tensorOf('x')], {}, { op: 'tile', repeats: [1, 1, 2] }],
    ['ArraySplit', { indices_or_sections: 4, axis: 2 }, [tensorOf('x')], {}, { op: 'split', parts: [2, 2, 1, 1] }],
    ['Unstack', { num: null, axis: -1 }, [tensorOf('x')], {}, { op: 'unstack', num: 6 }],
    ['Tensordot', { axes: [[2], [0]] }, [tensorOf('x'), numpy([1])], {}, { op: 'dot' }],
    ['Squeeze', { axis: null }, [tensorOf('x')], {}, { op: 'squeeze' }],
    ['Diagonal', { offset: 1, axis1: 1, axis2: 2 }, [tensorOf('x')], {}, { op: 'diagonal', k: 1 }],
  ]
  test.each(readOnly)('%s %j', (className, config, args, kwargs, own) => {
    const { layer } = readOperation(object(className, args, config, kwargs), 'x')
    expect(layer.getConfig()).toMatchObject(own)
    const { args: written, kwargs: named } = operationCall(
      layer,
      args
        .flat()
        .filter((value) => JSON.stringify(value).includes('keras_history'))
        .concat(Object.values(kwargs).filter((value) => historyOf(value))) as Json[],
    )
    const again = readOperation({ ...operationObject(layer), inbound_nodes: [{ args: written, kwargs: named }] }, 'x')
    expect(again.layer.getConfig()).toEqual(layer.getConfig())
  })

  const object = (className: string, args: unknown[], config: Json = {}, kwargs: Json = {}): KerasObject => ({
    module: 'keras.src.ops.numpy',
    class_name: className,
    config: { name: 'o', ...config },
    inbound_nodes: [{ args, kwargs }],
  })
  test('tell operations from layers of the same class: by module, or in `.h5`, which has none, by `trainable`', () => {
    const add = object('Add', [tensorOf('x'), 1])
    const layer = { module: 'keras.layers', config: { name: 'o', trainable: true } }
    expect([add, { ...add, ...layer }].map(isOperation)).toEqual([true, false])
    expect(
      [
        { ...add, module: undefined },
        { ...add, ...layer, module: undefined },
      ].map(isOperation),
    ).toEqual([true, false])
    expect(isOperation({ class_name: 'Add', config: { name: 'o' }, inbound_nodes: [[['x', 0, 0]]] })).toBe(false)
  })

  test.each([
    [
      'all axes where one is meant',
      object('Argmax', [tensorOf('x')], { axis: null }),
      /config key "axis": null is not supported\. Name the axis/,
    ],
    ['other options', object('Max', [tensorOf('x')], { axis: 1, initial: 3 }), /config key "initial": 3 is not supported, only null/],
    ['sums over other axes', object('Tensordot', [tensorOf('x'), numpy([1])], { axes: 2 }), /Write another sum as einsum/],
    [
      'diagonals of other axes',
      object('Trace', [tensorOf('x')], { axis1: 0, axis2: 1 }),
      /config key "axis1": -3 is not supported, only -2/,
    ],
    ['functions', object('Map', [tensorOf('x')]), /It holds a function/],
    [
      'FFT',
      object('FFT', [tensorOf('x')]),
      /operation "o" \(FFT\) on tensors is not supported\. Compute it before the model.* There are: Absolute/,
    ],
    ['an option', object('Sum', [tensorOf('x')], { where: 3 }), /config key "where": 3 is not supported/],
    ['an argument', object('Sum', [tensorOf('x')], {}, { axis: 3 }), /the call \["axis",3\] is not supported/],
    ['an operand', object('Add', [tensorOf('x'), 'a']), /the operand "a" is not supported/],
    ['an index', object('GetItem', [tensorOf('x'), ['a']]), /the index "a" is not supported/],
  ])('refuses %s', (_, given, message) => {
    expect(() => readOperation(given, 'file')).toThrow(message)
  })
})

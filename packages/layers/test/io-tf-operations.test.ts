/** Operations between layers in files of tf.keras 2: functions of TensorFlow by name, with their arguments at the places of tensors. */
import { tensor } from '@cotangent/core'
import { beforeEach, describe, expect, test } from 'vitest'
import { type Model, modelFromBytes, modelFromJSON, modelToBytes, resetNames } from '../src/index.js'
import type { Json } from '../src/io/keras-object.js'

beforeEach(resetNames)

/** A model of tf.keras 2.15 with one operation on `x` [n, 2, 3], or on `x` and `y`. */
function modelOf(fn: string, node: unknown, className = 'TFOpLambda', outputs = 1): Model {
  const input = (name: string): Json => ({
    class_name: 'InputLayer',
    config: { name, batch_input_shape: [null, 2, 3], dtype: 'float32', sparse: false, ragged: false },
    name,
    inbound_nodes: [],
  })
  const names = ['x', 'y'].filter((name) => JSON.stringify(node).includes(`["${name}"`))
  const operation = {
    class_name: className,
    config: { name: 'f', trainable: true, dtype: 'float32', function: fn },
    name: 'f',
    inbound_nodes: [node],
  }
  const config = {
    name: 'model',
    layers: [...names.map(input), operation],
    input_layers: names.map((name) => [name, 0, 0]),
    output_layers: Array.from({ length: outputs }, (_, i) => ['f', 0, i]),
  }
  return modelFromJSON(JSON.stringify({ class_name: 'Functional', config, keras_version: '2.15.0', backend: 'tensorflow' }))
}
const x = [
  [
    [1, -2, 3],
    [4, 5, -6],
  ],
] // prettier
const y = [
  [
    [1, 1, 2],
    [2, 2, 0.5],
  ],
] // prettier
const run = async (m: Model): Promise<unknown[]> =>
  Promise.all(m.applyAll([tensor(x), tensor(y)].slice(0, m.inputs.length)).map((out) => out.array()))

const cases: readonly [fn: string, node: unknown, expected: unknown, className?: string][] = [
  [
    '__operators__.add',
    ['x', 0, 0, { y: ['y', 0, 0], name: null }],
    [
      [
        [2, -1, 5],
        [6, 7, -5.5],
      ],
    ],
  ], // prettier
  [
    'math.multiply',
    ['x', 0, 0, { y: 2, name: null }],
    [
      [
        [2, -4, 6],
        [8, 10, -12],
      ],
    ],
  ], // prettier
  [
    'math.subtract',
    ['_CONSTANT_VALUE', -1, 1, { y: ['x', 0, 0], name: null }],
    [
      [
        [0, 3, -2],
        [-3, -4, 7],
      ],
    ],
  ], // prettier
  [
    'math.truediv',
    ['x', 0, 0, { y: ['y', 0, 0] }],
    [
      [
        [1, -2, 1.5],
        [2, 2.5, -12],
      ],
    ],
  ], // prettier
  ['math.reduce_sum', ['x', 0, 0, { axis: [1, 2], keepdims: true }], [[[5]]]],
  [
    'concat',
    [
      ['x', 0, 0, { axis: 1 }],
      ['y', 0, 0, { axis: 1 }],
    ],
    [[...x[0], ...y[0]]],
  ], // prettier
  [
    'stack',
    [
      ['x', 0, 0, { axis: 1, name: 's' }],
      ['y', 0, 0, { axis: 1, name: 's' }],
    ],
    [[x[0], y[0]]],
  ], // prettier
  ['reshape', ['x', 0, 0, { shape: [-1, 6] }], [[1, -2, 3, 4, 5, -6]]],
  [
    'transpose',
    ['x', 0, 0, { perm: [0, 2, 1] }],
    [
      [
        [1, 4],
        [-2, 5],
        [3, -6],
      ],
    ],
  ], // prettier
  [
    'compat.v1.transpose',
    ['x', 0, 0, { perm: [0, 2, 1], name: 'transpose', conjugate: null }],
    [
      [
        [1, 4],
        [-2, 5],
        [3, -6],
      ],
    ],
  ], // prettier
  ['expand_dims', ['x', 0, 0, { axis: 1 }], [x]],
  ['cast', ['x', 0, 0, { dtype: 'int64' }], x],
  ['zeros_like', ['x', 0, 0, { dtype: null }], x.map((rows) => rows.map((row) => row.map(() => 0)))],
  [
    'nn.relu',
    ['x', 0, 0, { name: null }],
    [
      [
        [1, 0, 3],
        [4, 5, 0],
      ],
    ],
  ], // prettier
  [
    'linalg.matmul',
    ['x', 0, 0, { b: ['y', 0, 0], transpose_b: true }],
    [
      [
        [5, -0.5],
        [-3, 15],
      ],
    ],
  ], // prettier
  ['where', ['x', 0, 0, { x: ['y', 0, 0], y: 7 }], y],
  [
    'clip_by_value',
    ['x', 0, 0, { clip_value_min: -1, clip_value_max: 2 }],
    [
      [
        [1, -1, 2],
        [2, 2, -1],
      ],
    ],
  ], // prettier
  [
    'gather',
    ['x', 0, 0, { indices: [2, 0], axis: 2 }],
    [
      [
        [3, 1],
        [-6, 4],
      ],
    ],
  ], // prettier
  [
    '__operators__.getitem',
    ['x', 0, 0, { slice_spec: [{ start: null, stop: null, step: null }, -1, { start: 1, stop: null, step: null }] }],
    [[5, -6]],
    'SlicingOpLambda',
  ], // prettier
  ['__operators__.getitem', ['x', 0, 0, { slice_spec: [{ class_name: '__ellipsis__' }, null, 0] }], [[[1], [4]]], 'SlicingOpLambda'], // prettier
]
describe('functions of TensorFlow', () => {
  test.each(cases)('%s %j', async (fn, node, expected, className) => {
    const m = modelOf(fn, node, className)
    const [value] = await run(m)
    expect(value).toEqual(expected)
    const again = await modelFromBytes(await modelToBytes(m, { format: 'keras' }))
    expect(await run(again)).toEqual([value])
  })

  test('with several results', async () => {
    const m = modelOf('split', ['x', 0, 0, { num_or_size_splits: [1, 2], axis: -1 }], 'TFOpLambda', 2)
    expect(await run(m)).toEqual([
      [[[1], [4]]],
      [
        [
          [-2, 3],
          [5, -6],
        ],
      ],
    ]) // prettier
  })

  test.each([
    [
      'another function',
      'nn.conv2d',
      ['x', 0, 0, {}],
      /layer "f" \(TFOpLambda of nn\.conv2d\) is not supported\. Load the model in TensorFlow 2/,
    ],
    ['another argument', 'math.cumsum', ['x', 0, 0, { axis: 1, reverse: true }], /the argument "reverse": true is not supported/],
    ['a dtype that it does not read', 'zeros_like', ['x', 0, 0, { dtype: 'int32' }], /the argument "dtype": "int32" is not supported/],
    ['a mode that it does not read', 'expand_dims', ['x', 0, 0, { axis: 1, mode: 'SAME' }], /the argument "mode": "SAME" is not supported/],
    ['an index', '__operators__.getitem', ['x', 0, 0, { slice_spec: ['a'] }], /the index "a" is not supported/],
  ])('refuses %s', (_, fn, node, message) => {
    expect(() => modelOf(fn as string, node)).toThrow(message as RegExp)
  })
  test('refuses TensorFlowOpLayer of tf.keras 2.0 to 2.3, which holds a piece of a graph', () => {
    expect(() => modelOf(undefined as never, ['x', 0, 0, {}], 'TensorFlowOpLayer')).toThrow(
      /\(TensorFlowOpLayer of TensorFlowOpLayer\) is not supported/,
    )
  })
})

/** The golden vectors of activations, and what they do not hold: both ends of the line, and hostile input. */
import { describe, expect, test } from 'vitest'
import * as c from '../src/index.js'
import { type GoldenTensor, loadGolden } from './golden.js'
import { checkCase, places } from './wave2.js'

type Tensor = c.Tensor
type Params = Record<string, number | string | boolean> & { activation: string }

/** Softmax and its logarithm go over the last axis, so another one is swapped with it. */
function overAxis(f: (x: Tensor) => Tensor, axis: number): (x: Tensor) => Tensor {
  return (x) => {
    const order = x.shape.map((_, i) => i)
    const at = axis < 0 ? axis + x.rank : axis
    ;[order[at], order[x.rank - 1]] = [x.rank - 1, at]
    return c.scope(() => c.transpose(f(c.transpose(x, order)), order))
  }
}

const calls: Record<string, (x: Tensor, params: Params) => Tensor> = {
  gelu: (x, { approximate }) => c.gelu(x, { approximate: approximate as boolean | undefined }),
  silu: c1(c.silu),
  relu6: c1(c.relu6),
  hard_sigmoid: (x) => c.hardSigmoid(x),
  hard_silu: c1(c.hardSilu),
  mish: c1(c.mish),
  softsign: c1(c.softsign),
  leaky_relu: (x, { negativeSlope }) => c.leakyRelu(x, { negativeSlope: negativeSlope as number | undefined }),
  relu: (x, { negativeSlope = 0, maxValue, threshold }) => c.leakyRelu(x, { negativeSlope, maxValue, threshold } as Record<string, number>),
  celu: (x, { alpha }) => c.celu(x, alpha as number | undefined),
  elu: (x, { alpha }) => c.elu(x, alpha as number | undefined),
  selu: c1(c.selu),
  glu: c1(c.glu),
  softplus: c1(c.softplus),
  softmax: (x, { axis = -1 }) => overAxis(c.softmax, axis as number)(x),
  log_softmax: (x, { axis = -1 }) => overAxis(c.logSoftmax, axis as number)(x),
  sparsemax: c1(c.sparsemax),
  log_sigmoid: c1(c.logSigmoid),
  squareplus: (x) => c.squareplus(x),
  soft_shrink: (x) => c.softShrink(x),
  hard_shrink: (x) => c.hardShrink(x),
  tanh_shrink: c1(c.tanhShrink),
  hard_tanh: c1(c.hardTanh),
  sparse_plus: c1(c.sparsePlus),
  sparse_sigmoid: c1(c.sparseSigmoid),
  threshold: (x, { threshold, defaultValue }) => c.threshold(x, threshold as number, defaultValue as number),
}
function c1(f: (x: Tensor) => Tensor): (x: Tensor) => Tensor {
  return (x) => f(x)
}

const file = loadGolden<Params, Record<string, GoldenTensor>, Record<string, GoldenTensor>>('wave2/activations')

describe.each(places)('activations of wave2 on $name', (place) => {
  test.each(file.cases)('$name', async ({ params, inputs, expected }) => {
    const tolerance = file.tolerance?.[place.floats]
    if (!tolerance) throw new Error('no tolerance')
    const call = calls[params.activation]
    await checkCase(place, tolerance, [inputs.x], (x) => call(x, params), {
      output: expected.output,
      gradOutput: inputs.grad_output,
      grads: [expected.grad_x],
    })
  })
})

describe.each(places)('at ±∞ and NaN on $name', ({ backend, floats }) => {
  const at: Record<string, [f: (x: Tensor) => Tensor, values: number[], slopes: number[]]> = {
    gelu: [(x) => c.gelu(x), [0, Infinity], [0, 1]],
    'gelu of tanh': [(x) => c.gelu(x, { approximate: true }), [0, Infinity], [0, 1]],
    silu: [c.silu, [0, Infinity], [0, 1]],
    mish: [c.mish, [0, Infinity], [0, 1]],
    softsign: [c.softsign, [-1, 1], [0, 0]],
    hardSilu: [c.hardSilu, [0, Infinity], [0, 1]],
    hardSigmoid: [(x) => c.hardSigmoid(x), [0, 1], [0, 0]],
    relu6: [c.relu6, [0, 6], [0, 0]],
    squareplus: [(x) => c.squareplus(x), [0, Infinity], [0, 1]],
    elu: [(x) => c.elu(x), [-1, Infinity], [0, 1]],
    logSigmoid: [c.logSigmoid, [-Infinity, 0], [1, 0]],
    sparsePlus: [c.sparsePlus, [0, Infinity], [0, 1]],
  }
  test.each(Object.entries(at))('%s', async (_, [f, values, slopes]) => {
    const x = c.tensor([-Infinity, Infinity, Number.NaN], { dtype: floats, backend })
    const { value, grads } = c.vjp(f, [x], c.ones([3], { dtype: floats, backend }))
    const [got, slope] = [await value.data(), await grads[0].data()]
    expect(
      Array.from(got)
        .slice(0, 2)
        .map((v) => v + 0),
    ).toEqual(values)
    expect(got[2]).toBeNaN()
    for (const [i, want] of slopes.entries()) expect(slope[i]).toBeCloseTo(want, 6)
  })
})

describe('sparsemax', () => {
  const { backend } = places[0]
  const run = (rows: number[][]): Promise<unknown> => c.sparsemax(c.tensor(rows, { dtype: 'float64', backend })).array()
  test('is a probability distribution that shifts do not change', async () => {
    expect(await run([[3, 3, 0]])).toEqual([[0.5, 0.5, 0]])
    expect(await run([[1e15 + 3, 1e15 + 3, 1e15]])).toEqual([[0.5, 0.5, 0]])
    expect(await run([[7]])).toEqual([[1]])
  })
  test('−∞ gets nothing; rows without a finite maximum have no value', async () => {
    expect(await run([[0, -Infinity]])).toEqual([[1, 0]])
    expect(await run([[-Infinity, -Infinity]])).toEqual([[Number.NaN, Number.NaN]])
    expect(await run([[Infinity, 0]])).toEqual([[Number.NaN, Number.NaN]])
    expect(await run([[Number.NaN, 0]])).toEqual([[Number.NaN, Number.NaN]])
  })
})

test('errors say what to do', () => {
  const x = c.zeros([2, 3])
  expect(() => c.glu(x)).toThrow('even number')
  expect(() => c.celu(x, 0)).toThrow('alpha must be a number above 0')
  expect(() => c.gelu(x, true as never)).toThrow('Write gelu(x, { approximate: true })')
  expect(() => c.silu(c.zeros([2], { dtype: 'int32' }))).toThrow('silu')
})

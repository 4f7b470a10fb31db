/** Golden vectors of whole derivatives: values, Jacobians, Hessians, and products with them, of thirteen small functions. */
import { describe, test } from 'vitest'
import {
  arange,
  erf,
  flatten,
  flip,
  grad,
  hessian,
  hvp,
  jacobian,
  jvp,
  logSoftmax,
  logSumExp,
  matMul,
  reshape,
  softmax,
  type Tensor,
  tensor,
  vjp,
} from '../src/index.js'
import { expectClose, type GoldenTensor, loadGolden, type Tolerance, tensorOf } from './golden.js'
import { places } from './wave2.js'

const { cases, tolerance } = loadGolden<{ function: string; formula: string }>('wave2/autodiff')

/** A list of numbers like x. */
const like = (x: Tensor, values: number[] | number[][]): Tensor => tensor(values, { dtype: x.dtype, backend: x.backend })
const column = (x: Tensor): Tensor => reshape(x, [-1, 1])

/** The functions by their names in the file, as their formulas say. */
const functions: Record<string, (x: Tensor) => Tensor> = {
  sinSquare: (x) => x.sin().mul(x.square()),
  tanhLinear: (x) => {
    const weights = [0, 1, 2].map((i) => [0, 1, 2].map((j) => i + 1 - j / 2))
    return flatten(matMul(like(x, weights), column(x)).tanh())
  },
  softmax: (x) => softmax(x),
  rosenbrock: (x) => {
    const n = x.size - 1
    const [low, high] = [x.slice([0], [n]), x.slice([1], [n])]
    return high.sub(low.square()).square().mul(100).add(low.mul(-1).add(1).square()).sum()
  },
  logSumExp: (x) => logSumExp(x),
  quartic: (x) => x.square().square().sum().div(4).add(x.sum().square().div(2)),
  outerNorm: (x) => matMul(column(x), column(x), { transposeB: true }).exp().sum(),
  product: (x) => x.prod(),
  geluSum: (x) =>
    x
      .mul(0.5)
      .mul(erf(x.div(Math.SQRT2)).add(1))
      .sum(),
  normalize: (x) => x.div(x.square().sum().add(0.01).sqrt()),
  matSquare: (x) => flatten(matMul(reshape(x, [2, 2]), reshape(x, [2, 2]))),
  crossEntropy: (x) => {
    const p = softmax(arange(x.size, undefined, 1, { dtype: x.dtype, backend: x.backend }).mul(0.3))
    return p.mul(logSoftmax(x)).sum().neg()
  },
  cumulative: (x) => x.square().cumSum().mul(flip(x)),
}

describe.each(places)('$name', ({ backend, floats }) => {
  test.each(cases.map((c) => [c.name, c] as const))('%s', async (_, { params, inputs, expected }) => {
    const f = functions[params.function]
    const place = (t: GoldenTensor): Tensor => tensorOf(t, backend, floats)
    const x = place(inputs.x)
    const v = place(inputs.v)
    const close = (got: Tensor, want: GoldenTensor, what: string): Promise<void> =>
      expectClose(got, want, tolerance?.[floats] as Tolerance, what)
    await close(f(x), expected.value, 'value')
    await close(jacobian(f)(x), expected.jacobian, 'jacobian')
    await close(jvp(f, [x], [v]).tangent, expected.jvp, 'jvp')
    if (expected.vjp) await close(vjp(f, [x], place(inputs.u)).grads[0], expected.vjp, 'vjp')
    if (expected.hessian) {
      await close(hessian(f)(x), expected.hessian, 'hessian')
      const { grads, products } = hvp(f, [x], [v])
      await close(grads[0], expected.jacobian, 'gradient beside hvp')
      await close(products[0], expected.hvp, 'hvp')
      await close(grad((t) => jvp(f, [t], [v]).tangent)(x), expected.hvp, 'reverse over forward')
    }
    if (expected.hessians) {
      await close(jacobian(jacobian(f))(x), expected.hessians, 'jacobian of the jacobian')
    }
  })
})

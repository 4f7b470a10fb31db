/** Tables of derivatives, and derivatives forwards: shapes, several arguments, nesting, and what may be freed. */
import { describe, expect, test } from 'vitest'
import { make, near, onReference, valuesOf } from '../../test/helpers.js'
import {
  customGrad,
  expectNoLeaks,
  grad,
  hessian,
  hvp,
  jacobian,
  jvp,
  matMul,
  mul,
  Parameter,
  pow,
  record,
  scope,
  softmaxCrossEntropy,
  square,
  type Tensor,
  tensor,
} from '../index.js'

describe('jacobian', () => {
  const wide = (x: Tensor): Tensor => matMul(x.reshape([3, 1]), x.reshape([1, 3])) // more results than arguments: forwards
  test('has the axes of the result, then those of the argument', () => {
    const x = make([1, 2, 3, 4, 5, 6], [2, 3])
    const byRows = jacobian((t: Tensor) => t.square().sum({ axis: 0 }))(x)
    expect(byRows.shape).toEqual([3, 2, 3])
    expect(valuesOf(byRows.sum({ axis: 0 }))).toEqual([2, 4, 6, 8, 10, 12])
    expect(jacobian((t: Tensor) => t.sum())(x).shape).toEqual([2, 3])
    expect(jacobian((t: Tensor) => t.reshape([1, 2, 3]))(x).shape).toEqual([1, 2, 3, 2, 3])
    expect(valuesOf(jacobian((t: Tensor) => t.square())(make([3], [])))).toEqual([6])
  })
  test('is the same forwards, and its columns are tangents', () => {
    const x = make([1, 2, 3])
    const table = jacobian(wide)(x) // ∂(xᵢxⱼ)/∂xₖ
    expect(table.shape).toEqual([3, 3, 3])
    expect(valuesOf(matMul(table, make([1, 10, 100], [3, 1])))).toEqual(valuesOf(jvp(wide, [x], [make([1, 10, 100])]).tangent))
  })
  test('of several arguments gives one table each; zeros for what has no influence', () => {
    const f = (a: Tensor, b: Tensor, _c: Tensor): Tensor => a.mul(b.sum())
    const tables = jacobian(f)(make([1, 2]), make([3, 4, 5]), make([6]))
    expect(tables.map((t) => t.shape)).toEqual([
      [2, 2],
      [2, 3],
      [2, 1],
    ])
    expect(tables.map(valuesOf)).toEqual([
      [12, 0, 0, 12],
      [1, 1, 1, 2, 2, 2],
      [0, 0],
    ])
  })
  test('over nothing and of nothing is empty', () => {
    expect(jacobian((x: Tensor) => x.square())(make([], [0])).shape).toEqual([0, 0])
    expect(jacobian((x: Tensor) => make([0, 0]).add(x.sum()))(make([], [0])).shape).toEqual([2, 0])
    expect(valuesOf(jacobian((x: Tensor) => x.floor())(make([1.5])))).toEqual([0])
  })
  test('nests, and is differentiable', () => {
    const cubes = (x: Tensor): Tensor => x.square().mul(x)
    expect(valuesOf(jacobian(jacobian(cubes))(make([1, 2])))).toEqual([6, 0, 0, 0, 0, 0, 0, 12])
    const trace = (x: Tensor): Tensor =>
      jacobian(cubes)(x)
        .mul(make([1, 0, 0, 1], [2, 2]))
        .sum()
    expect(valuesOf(grad(trace)(make([1, 2])))).toEqual([6, 12])
    expect(valuesOf(grad((x) => jacobian(wide)(x).square().sum())(make([1, 2, 3])))).toEqual([16, 32, 48]) // Σ = 8·Σx²
  })
  test('leaves nothing behind', async () => {
    await expectNoLeaks(() => {
      const [x, v] = [tensor([1, 2, 3]), tensor([1, 0, 1])]
      jacobian(wide)(x).dispose()
      jacobian((t: Tensor) => t.tanh())(x).dispose()
      hessian((t: Tensor) => t.tanh().sum())(x).dispose()
      const { grads, products } = hvp((t) => t.tanh().sum(), [x], [v])
      for (const t of [...grads, ...products, x, v]) t.dispose()
    })
  })
  test('names what is wrong', () => {
    expect(() => jacobian((x: Tensor) => x)(tensor([1], { dtype: 'int32' }))).toThrow(/jacobian: cannot differentiate .* int32/)
    expect(() => (jacobian((x: Tensor) => x) as () => Tensor)()).toThrow(/jacobian: call it with the arguments of f/)
    expect(() => hessian((x: Tensor) => x)(make([1, 2]))).toThrow(/must return a scalar/)
    expect(() => hvp((x) => x.sum(), [make([1, 2])], [make([1])])).toThrow(/hvp: v\[0\] must have the shape of x\[0\]/)
  })
})

describe('hessian and hvp', () => {
  const f = (a: Tensor, b: Tensor): Tensor => a.square().mul(b.sum()).sum() // aᵢ²·Σb
  test('of several arguments gives blocks', () => {
    const blocks = hessian(f)(make([1, 2]), make([3, 4, 5]))
    expect(blocks.map((row) => row.map((block) => block.shape))).toEqual([
      [
        [2, 2],
        [2, 3],
      ],
      [
        [3, 2],
        [3, 3],
      ],
    ])
    expect(blocks.map((row) => row.map(valuesOf))).toEqual([
      [
        [24, 0, 0, 24],
        [2, 2, 2, 4, 4, 4],
      ],
      [
        [2, 4, 2, 4, 2, 4],
        [0, 0, 0, 0, 0, 0, 0, 0, 0],
      ],
    ])
  })
  test('hvp gives the gradient and the product, argument by argument', () => {
    const { grads, products } = hvp(f, [make([1, 2]), make([3, 4, 5])], [make([1, 10]), make([1, 0, 0])])
    expect(grads.map(valuesOf)).toEqual([
      [24, 48],
      [5, 5, 5],
    ])
    expect(products.map(valuesOf)).toEqual([
      [24 + 2, 240 + 4],
      [2 + 40, 42, 42],
    ])
  })
  test('are symmetric for a power at exponent 0, where the mixed derivative is 1/a', () => {
    const blocks = hessian((a: Tensor, b: Tensor) => pow(a, b))(make([2], []), make([0], []))
    expect(blocks.map((row) => row.map((block) => valuesOf(block)[0]))).toEqual([
      [0, 0.5],
      [0.5, Math.LN2 ** 2],
    ])
  })
})

describe('jvp', () => {
  const at = (f: (x: Tensor) => Tensor, x: number): number => scope(() => valuesOf(f(make([x], [])))[0])
  const along = (f: (x: Tensor) => Tensor) => (x: Tensor) => jvp(f, [x], [make([1], [])]).tangent
  test('nests with itself and with grad, in any order', () => {
    const f = (x: Tensor): Tensor => x.exp().mul(x)
    const third = 3.5 * Math.exp(0.5)
    for (const g of [along(along(along(f))), grad(along(grad(f))), along(grad(along(f))), grad(grad(along(f)))]) {
      expect(at(g, 0.5)).toBeCloseTo(third, 12)
    }
    // Perturbation confusion: d/dx [x · d/dy (x + y)] at 1 is 1, not 2.
    expect(
      at(
        along((x) => x.mul(along((y) => x.add(y))(make([1], [])))),
        1,
      ),
    ).toBe(1)
  })
  test('follows tensors that f closes over, and counts both tangents of one given twice', () => {
    const w = new Parameter(make([3], []))
    expect(valuesOf(onReference(() => jvp(() => w.square(), [w], [make([2], [])])).tangent)).toEqual([12])
    const x = make([3], [])
    expect(valuesOf(jvp((a, b) => a.mul(b), [x, x], [make([1], []), make([10], [])]).tangent)).toEqual([66])
  })
  test('goes through an op that states only how cotangents pass: two reverse passes', () => {
    const cube = customGrad(
      (x) => x.mul(x).mul(x),
      ({ dY }, [x]) => [mul(dY, mul(square(x), 3))],
    )
    expect([at(along(cube), 2), at(along(along(cube)), 2), at(grad(along(cube)), 2)]).toEqual([12, 12, 12])
    const nothing = customGrad(
      (x) => x.mul(1),
      () => [null],
    )
    expect(at(along(nothing), 2)).toBe(0)
  })
  test('runs f once, and pushes tangents by ops that say where they come from', () => {
    let calls = 0
    const f = (x: Tensor): Tensor => {
      calls++
      return x.tanh().mul(2)
    }
    const x = make([0.5])
    scope(() => {
      const { tape } = record([x], () => jvp(f, [x], [make([1])]).tangent)
      expect(tape.records.some(({ path }) => path === 'dtanh')).toBe(true)
    })
    expect(calls).toBe(1)
  })
  test('the tangent is never the caller’s', () => {
    const [x, v] = [make([1, 2]), make([3, 4])]
    jvp((t) => t.reshape([2]), [x], [v]).tangent.dispose()
    jvp((t) => t, [x], [v]).tangent.dispose()
    expect(valuesOf(v)).toEqual([3, 4])
  })
  test('of kernels of the wasm backend is that of their compositions', async () => {
    const [logits, labels, v] = [tensor([[1, 2, 0.5]]), tensor([[0, 1, 0]]), tensor([[1, -1, 2]])]
    const { tangent } = jvp((x) => softmaxCrossEntropy(x, labels).sum(), [logits], [v])
    const slope = grad((x: Tensor) => softmaxCrossEntropy(x, labels).sum())(logits)
    expect(near([await tangent.item()], valuesOf(slope.mul(v).sum()), 1e-6)).toBe(true)
  })
})

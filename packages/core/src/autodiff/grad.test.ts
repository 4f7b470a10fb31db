/**
 * The functions that differentiate: grad, valueAndGrad, vjp, jvp, customGrad, gradCheck; and the derivatives at kinks and ties. The file is longer than 300 lines
 * because each of these functions has its section.
 */
import { describe, expect, test } from 'vitest'
import { make, near, onReference, valuesOf } from '../../test/helpers.js'
import {
  add,
  clip,
  customGrad,
  debug,
  expectNoLeaks,
  grad,
  gradCheck,
  jvp,
  max,
  maximum,
  maxPool2d,
  minimum,
  mul,
  Parameter,
  pow,
  record,
  relu,
  scope,
  square,
  stopGradient,
  type Tensor,
  tanh,
  tensor,
  valueAndGrad,
  vjp,
  where,
} from '../index.js'
import { tensorsIn } from '../tensor/scope.js'

const at = (f: (x: Tensor) => Tensor, x: number): number => scope(() => valuesOf(f(make([x], [])))[0])

describe('grad', () => {
  test('the example of the documentation', async () => {
    const dx = grad((x: Tensor) => x.square().sum())(tensor([1, 2, 3]))
    expect(await dx.array()).toEqual([2, 4, 6])
    dx.dispose()
  })
  test('a function of several arguments has one gradient for each', () => {
    const [da, db] = scope(() => grad((a: Tensor, b: Tensor) => a.mul(b).sum())(make([1, 2]), make([3, 5])))
    expect([valuesOf(da), valuesOf(db)]).toEqual([
      [3, 5],
      [1, 2],
    ])
  })
  test('a tensor used twice gets both cotangents, at two positions of one op too', () => {
    expect(
      at(
        grad((x) => x.mul(x)),
        3,
      ),
    ).toBe(6)
    expect(
      at(
        grad((x) => x.square().add(x.mul(2)).add(x)),
        3,
      ),
    ).toBe(9)
    const [da, db] = scope(() => grad((a: Tensor, b: Tensor) => a.mul(b).sum())(...twice(make([3]))))
    expect([valuesOf(da), valuesOf(db)]).toEqual([[6], [6]]) // the same tensor: both positions count for both
  })
  const twice = (x: Tensor): Tensor[] => [x, x]

  test('second, third and fourth derivatives', () => {
    const derivatives = (f: (x: Tensor) => Tensor, x: number): number[] => {
      const list: number[] = []
      let g = f
      for (let i = 0; i < 4; i++) {
        list.push(at(g, x))
        g = grad(g)
      }
      return list
    }
    expect(derivatives((x) => x.square().square(), 2)).toEqual([16, 32, 48, 48])
    const y = Math.tanh(0.3)
    const s = 1 - y * y
    expect(near(derivatives(tanh, 0.3), [y, s, -2 * y * s, s * (6 * y * y - 2)], 1e-12)).toBe(true)
    expect(
      near(
        derivatives((x) => x.exp().mul(x), 0.5),
        [0.5, 1.5, 2.5, 3.5].map((k) => k * Math.exp(0.5)),
        1e-12,
      ),
    ).toBe(true)
  })
  test('powers have finite derivatives of every order at 0', () => {
    let f: (x: Tensor) => Tensor = (x) => pow(x, 2)
    const values = [0, 1, 2, 3].map(() => {
      const value = at(f, 0)
      f = grad(f)
      return value
    })
    expect(values).toEqual([0, 0, 2, 0])
  })
  test('a tensor made outside is a constant; stopGradient makes one of a part', () => {
    const w = make([5], [])
    expect(
      at(
        grad((x) => x.mul(w)),
        3,
      ),
    ).toBe(5)
    expect(
      at(
        grad((x) => x.mul(stopGradient(x))),
        3,
      ),
    ).toBe(3)
    expect(
      at(
        grad((x) => x.stopGradient().square().add(x)),
        3,
      ),
    ).toBe(1)
  })
  test('inner derivatives see outer variables: d/dx (d/dy x·y²)', () => {
    expect(
      at(
        grad((x) => grad((y) => x.mul(y.square()))(make([4], []))),
        3,
      ),
    ).toBe(8)
    // Perturbation confusion: d/dx [x · d/dy (x + y)] at 1 is 1, not 2.
    expect(
      at(
        grad((x) => x.mul(grad((y) => x.add(y))(make([1], [])))),
        1,
      ),
    ).toBe(1)
  })
})

describe('kinks and ties', () => {
  const gradAt = (f: (x: Tensor) => Tensor, x: number[]): number[] => scope(() => valuesOf(grad((t) => f(t).sum())(make(x))))
  test('where sends the cotangent to the side taken', () => {
    expect(gradAt((x) => where(x.greater(0), x.square(), x.mul(10)), [2, -2, 0])).toEqual([4, 10, 10])
  })
  test('where with a guarded argument keeps a bad derivative out', () => {
    expect(gradAt((x) => where(x.greater(0), where(x.greater(0), x, 1).log(), 0), [2, -2])).toEqual([0.5, 0])
  })
  test('clip has derivative 1 inside and at its limits', () => {
    expect(gradAt((x) => clip(x, -1, 1), [-2, -1, 0, 1, 2])).toEqual([0, 1, 1, 1, 0])
  })
  test('relu and abs have derivative 0 at 0', () => {
    expect(gradAt(relu, [-1, 0, 1])).toEqual([0, 0, 1])
    expect(gradAt((x) => x.abs(), [-1, 0, 1])).toEqual([-1, 0, 1])
  })
  test('equal maxima share the cotangent, also over axes that are not neighbours', () => {
    expect(gradAt((x) => max(x), [3, 1, 3, 3])).toEqual([1 / 3, 0, 1 / 3, 1 / 3])
    const x = make([5, 0, 5, 1, 5, 0, 0, 0], [2, 2, 2])
    expect(valuesOf(grad((t) => max(t, { axis: [0, 2] }).sum())(x))).toEqual([0.5, 0, 1, 0, 0.5, 0, 0, 0])
    const tied = make([5, 5, 0, 0, 5, 1, 0, 0], [2, 2, 2])
    const g = valuesOf(
      grad((t) =>
        max(t, { axis: [0, 2] })
          .slice([0], [1])
          .sum(),
      )(tied),
    )
    expect(near(g, [1 / 3, 1 / 3, 0, 0, 1 / 3, 0, 0, 0], 1e-12)).toBe(true)
  })
  test('maximum and minimum give the cotangent of a tie to the first operand', () => {
    const [da, db] = grad((a: Tensor, b: Tensor) => add(maximum(a, b), minimum(a, b)).sum())(make([1, 2]), make([1, 5]))
    expect([valuesOf(da), valuesOf(db)]).toEqual([
      [2, 1],
      [0, 1],
    ])
  })
  test('max pooling with same padding works under debug({ nonFinite: true })', () => {
    debug({ nonFinite: true })
    try {
      const x = make([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1])
      const g = grad((t) => maxPool2d(t, [2, 2], { padding: 'same' }).sum())(x)
      expect(valuesOf(g)).toEqual([0, 0, 0, 0, 1, 1, 0, 1, 1])
    } finally {
      debug({ nonFinite: false })
    }
  })
})

describe('valueAndGrad', () => {
  test('value lives until the next call with the same parameters; grads until they are taken', () => {
    const w = new Parameter(tensor([1, 2]), { name: 'w' })
    const step = () => valueAndGrad([w], () => w.square().sum())
    const first = step()
    const kept = step()
    expect(first.value.disposed).toBe(true)
    expect(first.grads[0].disposed).toBe(false)
    kept.value.keep()
    const third = step()
    expect(kept.value.disposed).toBe(false)
    expect(third.value.disposed).toBe(false)
  })
  test('a rule that gives one tensor to two inputs still yields two gradients: freeing one leaves the other', () => {
    const [a, b] = [1, 2].map((v) => new Parameter(tensor([v])))
    const { grads } = valueAndGrad([a, b], () => a.add(b).sum())
    grads[0].dispose()
    expect(valuesOf(grads[1])).toEqual([1])
  })
  test('a result that the function did not make is not freed by the next call', () => {
    const w = tensor(3)
    const constant = tensor(7)
    valueAndGrad([w], () => w)
    valueAndGrad([w], () => constant, { unconnected: 'zeros' })
    const { value, grads } = valueAndGrad([w], () => w.square())
    expect([valuesOf(w), valuesOf(constant), valuesOf(value), valuesOf(grads[0])]).toEqual([[3], [7], [9], [6]])
  })
  test('results beside the value are returned and live on after the tape', async () => {
    const w = new Parameter(tensor([1, 2]), { name: 'w' })
    const step = () =>
      valueAndGrad([w], () => {
        const squares = w.square()
        const unused = w.mul(3)
        return { value: squares.sum(), squares, more: [{ cubes: squares.mul(w) }], steps: 7, unused: unused.size }
      })
    await expectNoLeaks(() => {
      const first = step()
      const { squares, more, steps, unused, grads } = step()
      expect([valuesOf(squares), valuesOf(more[0].cubes), valuesOf(grads[0]), steps, unused]).toEqual([[1, 4], [1, 8], [2, 4], 7, 2])
      expect([first.value.disposed, first.squares.disposed]).toEqual([true, false])
      scope(() => expect(valuesOf(grad((x) => x.mul(squares).sum())(w))).toEqual([1, 4])) // squares is a constant now
      const { value, grads: last } = valueAndGrad([w], () => w.sum())
      for (const made of [first, { squares, more, grads }, { value, last }])
        for (const tensor of tensorsIn(made)) if (!tensor.disposed) tensor.dispose()
    })
  })
  test('a value that is returned under a second name too belongs to the caller', () => {
    const w = new Parameter(tensor([1, 2]))
    const step = () =>
      valueAndGrad([w], () => {
        const value = w.square().sum()
        return { value, losses: [value] }
      })
    const first = step()
    step()
    expect(first.losses[0].disposed).toBe(false)
  })
  test('a gradient is never the tensor that the function returned: freeing one leaves the other', () => {
    const w = new Parameter(tensor([1, 2]))
    const { grads, slope } = valueAndGrad([w], () => {
      const slope = tensor([5, 6])
      const line = customGrad(
        (x) => x.mul(slope).sum(),
        () => [slope],
      )
      return { value: line(w), slope }
    })
    slope.dispose()
    expect(valuesOf(grads[0])).toEqual([5, 6])
  })
  test('an object without a scalar as its value, or with gradients of its own, is an error', () => {
    const w = new Parameter(tensor([1, 2]))
    const untyped = valueAndGrad as unknown as (parameters: Tensor[], f: () => unknown) => unknown
    expect(() => untyped([w], () => ({ value: 3 }))).toThrow(/valueAndGrad: the function's result must be a tensor|expected a tensor/)
    expect(() => untyped([w], () => ({ loss: w.sum() }))).toThrow(/valueAndGrad/)
    expect(() => untyped([w], () => ({ value: w.sum(), grads: [] }))).toThrow(/"grads", but this name is for the gradients/)
    expect(() => valueAndGrad([w], () => ({ value: w.square() }))).toThrow(/must return a scalar/)
  })
  test('nested calls on the same parameters: a gradient penalty', () => {
    // loss = w³ + (d w³/dw)² = w³ + 9 w⁴; dloss = 3w² + 36w³
    const w = new Parameter(make([2], []), { name: 'w' })
    const { value, grads } = onReference(() =>
      valueAndGrad([w], () => {
        const inner = valueAndGrad([w], () => w.square().mul(w))
        const again = valueAndGrad([w], () => w.square().mul(w))
        return inner.value.add(again.grads[0].square())
      }),
    )
    expect([valuesOf(value), valuesOf(grads[0])]).toEqual([[8 + 144], [12 + 288]])
  })
})

describe('vjp and jvp', () => {
  test('vjp weights the elements of the result; jvp moves along a direction', () => {
    const x = make([1, 2])
    const pulled = vjp((t) => t.square(), [x], make([1, 10]))
    expect(valuesOf(pulled.grads[0])).toEqual([2, 40])
    const pushed = jvp((t) => t.square(), [x], [make([1, 10])])
    expect(valuesOf(pushed.value)).toEqual([1, 4])
    expect(valuesOf(pushed.tangent)).toEqual([2, 40])
  })
  test('the gradients of vjp are never the caller’s cotangent itself', () => {
    const u = make([1, 1])
    const { grads } = vjp((a, b) => a.add(b), [make([1, 2]), make([3, 4])], u)
    for (const g of grads) g.dispose()
    expect(valuesOf(u)).toEqual([1, 1])
  })
  test('a result that does not depend on an argument has the gradient zero', () => {
    expect(valuesOf(vjp((_, b) => b, [make([1, 2]), make([3])], make([1])).grads[0])).toEqual([0, 0])
    expect(valuesOf(jvp((x) => x.floor(), [make([1.5])], [make([1])]).tangent)).toEqual([0])
  })
  test('shapes are checked', () => {
    expect(() => vjp((x) => x, [make([1, 2])], make([1]))).toThrow(/vjp: u must have the shape of f\(x\)/)
    expect(() => jvp((x) => x, [make([1, 2])], [make([1])])).toThrow(/jvp: v\[0\] must have the shape of x\[0\]/)
    expect(() => jvp((x) => x, [make([1, 2])], [])).toThrow(/jvp: v\[0\]/)
  })
  test('jvp of a derivative: a Hessian times a vector', () => {
    const f = (x: Tensor): Tensor => x.square().mul(x).sum() // Hessian diag(6x)
    const { tangent } = jvp((x) => grad(f)(x), [make([1, 2])], [make([1, 10])])
    expect(valuesOf(tangent)).toEqual([6, 120])
  })
})

describe('customGrad', () => {
  test('the identity with a clipped gradient, as in its documentation', () => {
    const clipped = customGrad(
      (x) => x,
      ({ dY }) => [clip(dY, -1, 1)],
    )
    expect(
      at(
        grad((x) => clipped(x).mul(100)),
        3,
      ),
    ).toBe(1)
    expect(
      at(
        grad((x) => clipped(x.mul(100))),
        3,
      ),
    ).toBe(100)
  })
  test('tapes do not see forward; backward may be differentiated again', () => {
    const cube = customGrad(
      (x) => x.mul(x).mul(x),
      ({ dY }, [x]) => [mul(dY, mul(square(x), 3))],
      'cube',
    )
    expect([at(cube, 2), at(grad(cube), 2), at(grad(grad(cube)), 2), at(grad(grad(grad(cube))), 2)]).toEqual([8, 12, 12, 6])
    scope(() => {
      const x = make([2], [])
      const { tape } = record([x], () => cube(x))
      expect(tape.records.map((r) => r.op.name)).toEqual(['cube'])
    })
  })
  test('null means no cotangent; a wrong shape is an error of the rule', () => {
    const first = customGrad(
      (a, b) => a.mul(b),
      ({ dY }) => [dY, null],
    )
    const [da, db] = grad((a: Tensor, b: Tensor) => first(a, b))(make([2], []), make([3], []))
    expect([valuesOf(da), valuesOf(db)]).toEqual([[1], [0]])
    const wrong = customGrad(
      (x) => x.sum(),
      ({ dY }) => [dY],
    )
    expect(() => grad((x) => wrong(x))(make([1, 2]))).toThrow(/derivative of customGrad: the cotangent of input 0 has another shape/)
  })
})

describe('gradCheck', () => {
  test('accepts a right derivative and names the element of a wrong one', async () => {
    const report = await gradCheck((x) => x.tanh().sum(), [tensor([0.5, -1])])
    expect(report.checked).toBe(2)
    expect(report.worst).toBeLessThan(1e-8)
    const wrong = customGrad(
      (x) => x.square(),
      ({ dY }, [x]) => [mul(dY, x)],
    )
    await expect(gradCheck((x) => wrong(x), [tensor([3, 4])])).rejects.toThrow(/gradCheck: element 0 of input 0 \[2\]: the derivative is/)
  })
  test('takes whole-number inputs along, moves a part of a large one, and leaks nothing', async () => {
    const x = tensor(
      Float32Array.from({ length: 100 }, (_, i) => Math.sin(i)),
      { shape: [10, 10] },
    )
    const report = await gradCheck((t, i) => t.gather(i).square(), [x, tensor([1, 1, 9], { dtype: 'int32' })], { maxElements: 10 })
    expect(report.checked).toBe(10)
  })
})

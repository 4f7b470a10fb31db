/** Work that is done again on the way back: that of `checkpoint`, and the steps of `scan`. */
import { describe, expect, test } from 'vitest'
import { make, near, onReference, valuesOf } from '../../test/helpers.js'
import {
  arange,
  checkpoint,
  expectNoLeaks,
  grad,
  gradCheck,
  hvp,
  jvp,
  matMul,
  memory,
  Parameter,
  record,
  scalar,
  scan,
  scope,
  stack,
  type Tensor,
  tensor,
  unstack,
  valueAndGrad,
} from '../index.js'

describe('checkpoint', () => {
  const f = (x: Tensor, y: Tensor): Tensor => x.tanh().mul(y).exp()
  const once = checkpoint(f)
  test('has the values and derivatives of the function, of any order, in both directions', () => {
    const [x, y, v] = [make([0.5, -1]), make([2, 0.3]), make([1, 10])]
    const sum = (g: typeof f) => (a: Tensor, b: Tensor) => g(a, b).sum()
    expect(valuesOf(once(x, y))).toEqual(valuesOf(f(x, y)))
    expect(grad(sum(once))(x, y).map(valuesOf)).toEqual(grad(sum(f))(x, y).map(valuesOf))
    const [along, plainly] = [once, f].map((g) => valuesOf(jvp(g, [x, y], [v, v]).tangent))
    expect(near(along, plainly, 1e-12)).toBe(true)
    const [got, want] = [once, f].map((g) => hvp(sum(g), [x, y], [v, v]).products.flatMap(valuesOf))
    expect(near(got, want, 1e-12)).toBe(true)
    const third = (g: typeof f) => grad((a: Tensor) => grad((b: Tensor) => grad((c: Tensor) => g(c, y).sum())(b).sum())(a).sum())
    expect(near(valuesOf(third(once)(x)), valuesOf(third(f)(x)), 1e-12)).toBe(true)
  })
  test('passes derivatives to weights that the function closes over, and to one tensor at two places', () => {
    const w = new Parameter(make([3]), { name: 'w' })
    const times = checkpoint((x: Tensor) => x.mul(w).square())
    const { grads } = onReference(() => valueAndGrad([w], () => times(make([2])).sum()))
    expect(valuesOf(grads[0])).toEqual([24])
    const x = make([3])
    expect(valuesOf(grad((t: Tensor) => once(t, t).sum())(x))).toEqual(valuesOf(grad((t: Tensor) => f(t, t).sum())(x)))
    expect(valuesOf(grad((t: Tensor) => checkpoint((s: Tensor) => s)(t).sum())(x))).toEqual([1])
  })
  test('is one record, which keeps constants alive that the function closes over', () => {
    scope(() => {
      const x = make([2])
      const { tape } = record([x], () => once(x, make([1])))
      expect(tape.records.map(({ op }) => op.name)).toEqual(['checkpoint'])
    })
    const slope = grad((x: Tensor) =>
      scope(() => {
        const constant = make([5])
        return checkpoint((t: Tensor) => t.square().mul(constant))(x)
      }).sum(),
    )
    expect(valuesOf(slope(make([2])))).toEqual([20])
  })
  test('of a chain of blocks, the tape keeps what is between the blocks', async () => {
    const block = (x: Tensor): Tensor => {
      let y = x
      for (let i = 0; i < 8; i++) y = y.tanh().mul(1.1)
      return y
    }
    const bytesOf = (g: (x: Tensor) => Tensor): number => {
      let kept = 0
      scope(() => {
        const x = tensor(new Float32Array(1000))
        grad((t) => {
          const before = memory().bytes
          let y = t
          for (let i = 0; i < 6; i++) y = g(y)
          kept = memory().bytes - before
          return y.sum()
        })(x)
      })
      return kept
    }
    const [plain, less] = [bytesOf(block), bytesOf(checkpoint(block))]
    expect(plain / 4000).toBeGreaterThanOrEqual(6 * 16)
    expect(less / 4000).toBeLessThan(6.5)
    await expectNoLeaks(() => void bytesOf(checkpoint(block)))
  })
})

describe('scan', () => {
  const w = make([0.5, -0.2, 0.1, 0.3], [2, 2])
  const step = (h: Tensor, x: Tensor) => {
    const next = matMul(h.reshape([1, 2]), w)
      .reshape([2])
      .add(x)
      .tanh()
    return { carry: next, output: next.square() }
  }
  const byScan = (h: Tensor, xs: Tensor): Tensor => {
    const { carry, outputs } = scan(step, h, xs)
    return outputs.sum().add(carry.mul(make([1, 3])).sum())
  }
  const byLoop = (h: Tensor, xs: Tensor): Tensor => {
    let carry: Tensor = h
    const outputs = unstack(xs).map((x) => {
      const done = step(carry, x)
      carry = done.carry
      return done.output
    })
    return stack(outputs)
      .sum()
      .add(carry.mul(make([1, 3])).sum())
  }
  const [h, xs] = [make([0.1, -0.4]), make([1, 0.5, -0.3, 0.2, 0.8, -1], [3, 2])]
  test('is the loop: values, gradients, second derivatives, tangents', () => {
    const all = (f: typeof byLoop): number[] => [
      ...valuesOf(f(h, xs)),
      ...grad(f)(h, xs).flatMap(valuesOf),
      ...hvp(f, [h, xs], [make([1, 2]), xs]).products.flatMap(valuesOf),
      ...valuesOf(jvp(f, [h, xs], [make([1, 2]), xs]).tangent),
    ]
    expect(near(all(byScan), all(byLoop), 1e-12)).toBe(true)
  })
  test('passes gradients to weights that the step closes over, and to one tensor in two places', async () => {
    const run = (f: typeof byLoop) =>
      valuesOf(grad((t: Tensor) => onReference(() => f(t.mul(w).sum({ axis: 0 }), stack([t.sum({ axis: 0 })]))))(w))
    expect(near(run(byScan), run(byLoop), 1e-12)).toBe(true)
    await gradCheck(
      (v: Tensor) => scan((c: Tensor, x: Tensor) => ({ carry: c.mul(v).add(x.mul(v)) }), v, v.reshape([1, 3])).carry,
      [make([0.5, 2, -1])],
    )
  })
  test('carries and collects several tensors, or collects none', () => {
    const { carry, outputs } = scan(
      ([a, b], [x, i]) => ({ carry: [b, a.add(x)], output: [a.mul(b).sum(), i.cast('float64')] }),
      [make([1, 2]), make([3, 4])],
      [make([10, 20], [2, 1]), make([7, 8], [2], 'int32')],
    )
    expect(carry.map(valuesOf)).toEqual([
      [11, 12],
      [23, 24],
    ])
    expect(outputs.map(valuesOf)).toEqual([
      [11, 3 * 11 + 4 * 12],
      [7, 8],
    ])
    expect(scan((c: Tensor, x: Tensor) => ({ carry: c.add(x) }), scalar(0), tensor([1, 2])).outputs).toBe(undefined)
  })
  test('is one record and keeps the carried values, not the values inside of steps', () => {
    scope(() => {
      const { tape } = record([h], () => byScan(h, xs))
      expect(tape.records.filter(({ op }) => op.name === 'scan')).toHaveLength(1)
      expect(tape.records.some(({ op }) => op.name === 'tanh')).toBe(false)
    })
    const n = 1000
    let kept = 0
    scope(() => {
      grad((x: Tensor) => {
        const before = memory().bytes
        const { carry } = scan((c: Tensor, t: Tensor) => ({ carry: c.mul(t).sin().exp().cos().sin() }), x, arange(8))
        kept = (memory().bytes - before) / (4 * n)
        return carry.sum()
      })(tensor(new Float32Array(n)))
    })
    expect(kept).toBeLessThan(10) // 8 rows, the last of them as the result
  })
  test('leaves nothing behind', async () => {
    await expectNoLeaks(() => {
      const [a, b] = [tensor([1, 2]), tensor([3, 4])]
      const sum = (x: Tensor, t: Tensor) => scan((c: Tensor, s: Tensor) => ({ carry: c.mul(s), output: c }), x, t).outputs.sum()
      for (const t of [...grad(sum)(a, b), ...Object.values(hvp(sum, [a, b], [a, b])).flat(), a, b]) t.dispose()
    })
  })
  test('names what is wrong', () => {
    const one = tensor([1, 2])
    const bad = scan as unknown as (step: unknown, init: unknown, xs: unknown) => unknown
    const step = (c: Tensor) => ({ carry: c })
    expect(() => bad(step, one, tensor(3))).toThrow(/scan: xs\[0\] must have as many entries|scan: there is no step/)
    expect(() => bad(step, one, [one, tensor([1])])).toThrow(/scan: xs\[1\] must have as many entries/)
    expect(() => bad(step, one, tensor([]))).toThrow(/scan: there is no step/)
    expect(() => bad(step, tensor([1], { dtype: 'int32' }), one)).toThrow(/scan: init must be floats of one dtype, got int32/)
    expect(() => bad((c: Tensor) => ({ carry: c.sum() }), one, one)).toThrow(/scan: the step's carry must keep its shape/)
    expect(() => bad((c: Tensor) => c, one, one)).toThrow(/scan: step must return \{ carry, output \}, got a tensor/)
    expect(() => bad(step, [], one)).toThrow(/scan: init is an empty array/)
  })
})

/** Errors of derivatives: the message names the parameter, and the op where the path to it ends. */
import { describe, expect, test } from 'vitest'
import { alive, make, valuesOf, wasm } from '../../test/helpers.js'
import { argMax, grad, matMul, Parameter, record, scope, type Tensor, tensor, valueAndGrad, where } from '../index.js'

const _at = (f: (x: Tensor) => Tensor, x: number): number => scope(() => valuesOf(f(make([x], [])))[0])

describe('errors of derivatives', () => {
  const x = tensor([1, 2, 3])
  const w = new Parameter(tensor([1, 2, 3]), { name: 'w' })
  const b = new Parameter(tensor([0]), { name: 'b' })
  test('the error names an unused parameter and says why it has no gradient', () => {
    expect(() => valueAndGrad([w, b], () => w.square().sum())).toThrow(
      /valueAndGrad: the result does not depend on parameter "b"\. It was never used: no op took it/,
    )
  })
  test('the op where the path broke is named', () => {
    expect(() => grad((t) => argMax(t).cast('float32').sum())(x)).toThrow(
      'grad: the result does not depend on argument 0 (float32 [3]). The path ends at op "argMax", which has no derivative: a position is piecewise constant. Compute',
    )
    expect(() => grad((t) => t.cast('int32').cast('float32').sum())(x)).toThrow(
      /The path ends at op "cast", which has no derivative: its output is int32\. Compute/,
    )
    expect(() => grad((t) => t.stopGradient().sum())(x)).toThrow(/The path ends at op "stopGradient"/)
    expect(() => grad((t) => t.floor().add(t.greater(1).cast('float32')).sum())(x)).toThrow(/op "floor".*\(and 1 more such ops\)/)
  })
  test('the error does not mention a break on the path of another parameter', () => {
    expect(() => valueAndGrad([w, b], () => where(w.greater(0), w, 0).sum())).toThrow(/"b"\. It was never used/)
  })
  test('the error says so if a parameter was used, but not for the result', () => {
    const f = (): Tensor => {
      b.square()
      return w.sum()
    }
    expect(() => valueAndGrad([w, b], f)).toThrow(
      /"b"\. It was used \(first by op "square"\), but the result does not depend on the output/,
    )
  })
  test('unconnected: zeros gives zeros instead of an error', () => {
    const { value, grads } = valueAndGrad([w, b], () => w.square().sum(), { unconnected: 'zeros' })
    expect(valuesOf(grads[1])).toEqual([0])
    expect(valuesOf(value)).toEqual([14])
    scope(() => expect(valuesOf(grad((t) => t.floor().sum(), { unconnected: 'zeros' })(x))).toEqual([0, 0, 0]))
    for (const t of [value, ...grads]) t.dispose()
  })
  test('a result that is not a scalar is an error', () => {
    expect(() => grad((t) => t.square())(x)).toThrow(
      /grad: the function must return a scalar\n {2}result {2}\[3\]\n.*mean\(\) or \.sum\(\)/,
    )
    expect(() => valueAndGrad([w], () => w.mul(2))).toThrow(/valueAndGrad: the function must return a scalar/)
  })
  test('a result or argument that is not a tensor is an error', () => {
    expect(() => grad((() => 3) as unknown as (t: Tensor) => Tensor)(x)).toThrow("grad: the function's result must be a tensor, got 3")
    expect(() => grad((t) => t)(3 as unknown as Tensor)).toThrow('grad: an argument must be a tensor, got 3.')
  })
  test('an argument of whole numbers is an error', () => {
    expect(() => grad((t) => t.sum())(tensor([1, 2], { dtype: 'int32' }))).toThrow(
      'grad: cannot differentiate with respect to a tensor of int32. Cast it to float32.',
    )
  })
  test('a parameter that changed between recording and walking back is an error', () => {
    const p = new Parameter(tensor([2]), { name: 'layer/kernel' })
    const f = (): Tensor => {
      const y = p.square().sum()
      p.assign(tensor([3]))
      return y
    }
    expect(() => valueAndGrad([p], f)).toThrow(/parameter "layer\/kernel" was changed \(version 0 → 1\).*Take the gradient first/)
  })
  test('asynchronous functions are refused by name, and their later failure does not end the process', async () => {
    const late = (async () => {
      await Promise.resolve()
      throw new Error('nobody hears this')
    }) as unknown as () => Tensor
    expect(() => grad(late)(x)).toThrow(/grad: the function returned a Promise/)
    expect(() => valueAndGrad([w], late)).toThrow(/valueAndGrad: the function returned a Promise/)
    expect(() => scope(late)).toThrow(/scope: the function returned a Promise/)
    expect(() => record([x], late)).toThrow(/record: the function returned a Promise/)
    await new Promise((resolve) => setTimeout(resolve, 5))
  })
  test('a failed derivative leaves nothing behind', () => {
    const before = alive(wasm)
    const y = tensor([1, 2], { backend: wasm })
    expect(() => grad((t) => t.exp().square().mul(3))(y)).toThrow()
    expect(() => grad((t) => matMul(t, t).sum())(y)).toThrow()
    y.dispose()
    expect(alive(wasm)).toEqual(before)
  })
})

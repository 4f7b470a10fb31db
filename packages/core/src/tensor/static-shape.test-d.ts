/** Static shapes: `npm run types` checks this file; it never runs. */
import { describe, expectTypeOf, test } from 'vitest'
import {
  add,
  broadcastTo,
  customGrad,
  expandDims,
  grad,
  key,
  matMul,
  mul,
  normal,
  ones,
  Parameter,
  reshape,
  type Shape,
  scalar,
  scope,
  square,
  type Tensor,
  tensor,
  transpose,
  uniform,
  zeros,
} from '../index.js'

const a = zeros([32, 784] as const)
const w = ones([784, 10] as const)
const bias = zeros([10] as const)
const column = zeros([32, 1] as const)
const sizes: number[] = [32, 784]
const plain = zeros(sizes)
const n = sizes[0]
const batch = zeros([32 as number, 784] as const)

describe('creation', () => {
  test('as const is carried, a literal array is seen, other arrays are not', () => {
    expectTypeOf(a).toEqualTypeOf<Tensor<readonly [32, 784]>>()
    expectTypeOf(zeros([32, 784])).toEqualTypeOf<Tensor | Tensor<readonly [32, 784]>>()
    expectTypeOf(plain).toEqualTypeOf<Tensor>()
    expectTypeOf(zeros([...plain.shape, 2])).toEqualTypeOf<Tensor>()
    expectTypeOf(zeros([n, 784])).toEqualTypeOf<Tensor | Tensor<readonly [number, 784]>>()
    expectTypeOf(zeros(a.shape)).toEqualTypeOf<Tensor<readonly [32, 784]>>()
    expectTypeOf(scalar(2)).toEqualTypeOf<Tensor>()
    expectTypeOf(tensor([1, 2, 3])).toEqualTypeOf<Tensor>()
    expectTypeOf(tensor(new Float32Array(6), { shape: [2, 3] as const })).toEqualTypeOf<Tensor<readonly [2, 3]>>()
    expectTypeOf(a.shape[0]).toEqualTypeOf<32>()
  })
})

describe('assignability', () => {
  test('a known shape is a Tensor, and not another known shape', () => {
    expectTypeOf(a).toExtend<Tensor>()
    expectTypeOf(plain).toExtend<Tensor>()
    expectTypeOf<Tensor<readonly [2, 3]>>().toExtend<Tensor<readonly [number, 3]>>()
    expectTypeOf<Tensor<readonly [2, 3]>>().not.toExtend<Tensor<readonly [3, 2]>>()
    expectTypeOf<Tensor>().not.toExtend<Tensor<readonly [2, 3]>>()
    expectTypeOf<Parameter<readonly [2]>>().toExtend<Tensor<readonly [2]>>()
    const f = (x: Tensor): Shape => x.shape
    f(a)
    f(new Parameter(w))
    const list: Tensor[] = [a, w, plain]
    list.push(column)
  })
  test('a known shape passes through functions that take any Tensor', () => {
    expectTypeOf(scope(() => a)).toEqualTypeOf<Tensor<readonly [32, 784]>>()
    expectTypeOf(a.keep()).toEqualTypeOf<Tensor<readonly [32, 784]>>()
    expectTypeOf(grad((x) => square(x).sum())(a)).toEqualTypeOf<Tensor>()
  })
})

describe('elementwise', () => {
  test('keeps the shape', () => {
    expectTypeOf(a.square().tanh()).toEqualTypeOf<Tensor<readonly [32, 784]>>()
    expectTypeOf(a.mul(2)).toEqualTypeOf<Tensor<readonly [32, 784]>>()
    expectTypeOf(mul(2, a)).toEqualTypeOf<Tensor<readonly [32, 784]>>()
    expectTypeOf(a.cast('int32').clip(0, 1)).toEqualTypeOf<Tensor<readonly [32, 784]>>()
  })
  test('broadcasts', () => {
    expectTypeOf(a.add(column)).toEqualTypeOf<Tensor<readonly [32, 784]>>()
    expectTypeOf(column.add(bias)).toEqualTypeOf<Tensor<readonly [32, 10]>>()
    expectTypeOf(add(bias, column)).toEqualTypeOf<Tensor<readonly [32, 10]>>()
    expectTypeOf(zeros([5, 1, 3] as const).mul(zeros([4, 1] as const))).toEqualTypeOf<Tensor<readonly [5, 4, 3]>>()
    expectTypeOf(a.add(zeros([] as const))).toEqualTypeOf<Tensor<readonly [32, 784]>>()
  })
  test('an unknown batch stays unknown, or becomes known', () => {
    expectTypeOf(batch.add(zeros([784] as const))).toEqualTypeOf<Tensor<readonly [number, 784]>>()
    expectTypeOf(batch.add(a)).toEqualTypeOf<Tensor<readonly [32, 784]>>()
  })
  test('a mismatch does not compile', () => {
    // @ts-expect-error shapes do not broadcast: [32, 784] and [10]
    a.add(bias)
    // @ts-expect-error shapes do not broadcast: [784, 10] and [32, 1]
    add(w, column)
  })
  test('plain shapes turn it off', () => {
    expectTypeOf(plain.add(bias)).toEqualTypeOf<Tensor>()
    expectTypeOf(a.add(tensor([1]))).toEqualTypeOf<Tensor>()
  })
})

describe('moving', () => {
  test('reshape takes the new shape, -1 being some number', () => {
    expectTypeOf(a.reshape([32, 28, 28] as const)).toEqualTypeOf<Tensor<readonly [32, 28, 28]>>()
    expectTypeOf(reshape(a, [-1, 28] as const)).toEqualTypeOf<Tensor<readonly [number, 28]>>()
    expectTypeOf(a.reshape([-1, 784] as const).add(a)).toEqualTypeOf<Tensor<readonly [32, 784]>>()
    expectTypeOf(a.reshape([4, -1])).toEqualTypeOf<Tensor | Tensor<readonly [4, number]>>()
    expectTypeOf(a.reshape(sizes)).toEqualTypeOf<Tensor>()
    expectTypeOf(broadcastTo(bias, [32, 10] as const)).toEqualTypeOf<Tensor<readonly [32, 10]>>()
    expectTypeOf(expandDims(a, 0)).toEqualTypeOf<Tensor>()
  })
  test('transpose reverses', () => {
    expectTypeOf(a.transpose()).toEqualTypeOf<Tensor<readonly [784, 32]>>()
    expectTypeOf(transpose(zeros([1, 2, 3] as const))).toEqualTypeOf<Tensor<readonly [3, 2, 1]>>()
    expectTypeOf(a.transpose([1, 0])).toEqualTypeOf<Tensor>()
    expectTypeOf(tensor([1]).transpose()).toEqualTypeOf<Tensor>()
  })
})

describe('matMul', () => {
  test('gives the outer sizes', () => {
    expectTypeOf(matMul(a, w)).toEqualTypeOf<Tensor<readonly [32, 10]>>()
    expectTypeOf(a.matMul(w).add(bias).relu()).toEqualTypeOf<Tensor<readonly [32, 10]>>()
    expectTypeOf(batch.matMul(w)).toEqualTypeOf<Tensor<readonly [number, 10]>>()
  })
  test('knows the transpose flags', () => {
    expectTypeOf(matMul(a, zeros([10, 784] as const), { transposeB: true })).toEqualTypeOf<Tensor<readonly [32, 10]>>()
    expectTypeOf(matMul(a, column, { transposeA: true })).toEqualTypeOf<Tensor<readonly [784, 1]>>()
    expectTypeOf(w.matMul(a, { transposeA: true, transposeB: true })).toEqualTypeOf<Tensor<readonly [10, 32]>>()
    expectTypeOf(matMul(a, w, { transposeB: false })).toEqualTypeOf<Tensor<readonly [32, 10]>>()
  })
  test('broadcasts batches', () => {
    expectTypeOf(matMul(zeros([8, 2, 3] as const), zeros([3, 4] as const))).toEqualTypeOf<Tensor<readonly [8, 2, 4]>>()
    expectTypeOf(matMul(zeros([8, 1, 2, 3] as const), zeros([5, 3, 4] as const))).toEqualTypeOf<Tensor<readonly [8, 5, 2, 4]>>()
  })
  test('a mismatch does not compile', () => {
    // @ts-expect-error inner dimensions differ: 784 vs 128
    matMul(a, zeros([128, 10] as const))
    // @ts-expect-error inner dimensions differ: 784 vs 10
    a.matMul(w, { transposeB: true })
    // @ts-expect-error inner dimensions differ: 784 vs 128, whatever the batch
    batch.matMul(zeros([128, 10] as const))
  })
  test('plain shapes turn it off', () => {
    expectTypeOf(matMul(plain, w)).toEqualTypeOf<Tensor>()
    expectTypeOf(matMul(a, tensor([1]))).toEqualTypeOf<Tensor>()
  })
  test('a long chain does not exhaust the compiler', () => {
    const square10 = ones([10, 10] as const)
    const y = a.matMul(w).matMul(square10).add(bias).relu().matMul(square10).add(bias).relu().matMul(square10).add(bias).relu()
    expectTypeOf(y.matMul(square10).add(bias).softmax().transpose().transpose()).toEqualTypeOf<Tensor<readonly [32, 10]>>()
    const deep = zeros([1, 2, 1, 4, 1, 6, 1, 8] as const)
    expectTypeOf(deep.add(zeros([1, 3, 1, 5, 1, 7, 1] as const))).toEqualTypeOf<Tensor<readonly [1, 2, 3, 4, 5, 6, 7, 8]>>()
  })
})

describe('shapes nobody asked for', () => {
  const w = tensor([[1]])
  const x = tensor([1])
  test('a variable that starts with a literal shape takes any tensor', () => {
    let s = zeros([])
    s = s.add(x)
    let h = zeros([2, 3])
    for (let i = 0; i < 3; i++) h = h.matMul(w)
    let t = scalar(0)
    t = add(t, x.mean())
    let r = x.reshape([1, 1])
    r = r.matMul(w)
    let drawn = normal(key(1), [2, 3])
    drawn = uniform(key(2), [4])
    let given = tensor(new Float32Array(6), { shape: [2, 3] })
    given = given.sum({ axis: 0 })
    expectTypeOf([s, h, t, r, drawn, given]).toExtend<Tensor[]>()
  })
  test('a variable forgets its first shape when it is assigned', () => {
    let h = zeros([2, 3])
    h = h.matMul(zeros([3, 4]))
    h = h.matMul(zeros([4, 5])).add(zeros([5]))
    let y = ones([2])
    y = y.expandDims(0)
    y = y.matMul(zeros([2, 7]))
    expectTypeOf(h).toExtend<Tensor>()
    const both = n > 1 ? zeros([2, 3]) : zeros([4, 5])
    matMul(both, zeros([5, 6]))
  })
  test('literal shapes that do not fit are compile errors', () => {
    // @ts-expect-error inner dimensions differ: 3 vs 4
    matMul(zeros([2, 3]), zeros([4, 5]))
    const h = zeros([2, 3])
    // @ts-expect-error shapes do not broadcast: [2, 3] and [4]
    h.add(ones([4]))
    // @ts-expect-error inner dimensions differ: 784 vs 10
    a.matMul(zeros([10, 784]))
    // @ts-expect-error inner dimensions differ: 3 vs 5, after reshape
    x.reshape([-1, 3]).matMul(zeros([5, 3]))
    matMul(zeros([2, 3]), zeros([4, 3]), { transposeB: true })
    matMul(zeros([n, 3]), zeros([3, 5]))
  })
  test('they can be passed as tensors', () => {
    const list: Tensor[] = [zeros([2]), ones([3])]
    const f = (t: Tensor): Shape => t.shape
    f(zeros([2]))
    expectTypeOf(zeros([2, 3]).square().tanh()).toEqualTypeOf<Tensor>()
    expectTypeOf(new Parameter(zeros([2, 3]))).toExtend<Tensor>()
    list.push(zeros([4]).add(zeros([4])))
  })
})

describe('gradients', () => {
  const weights: Tensor[] = []
  test('one tensor for a function of one, a list for any other', () => {
    expectTypeOf(grad((t: Tensor) => t.sum())(a)).toEqualTypeOf<Tensor>()
    expectTypeOf(grad((...ws: Tensor[]) => ws[0].sum())(...weights)).toEqualTypeOf<Tensor[]>()
    expectTypeOf(grad((s, t) => s.mul(t).sum())(a, a)).toEqualTypeOf<Tensor[]>()
    expectTypeOf(grad(grad((t) => t.square().sum()))(a)).toEqualTypeOf<Tensor>()
    expectTypeOf(
      grad(
        customGrad(
          (t) => t,
          ({ dY }) => [dY],
        ),
      )(a),
    ).toEqualTypeOf<Tensor>()
  })
})

describe('a side that may be a number', () => {
  test('compiles, and two tensors are still checked', () => {
    const either = 2 as Tensor | number
    expectTypeOf(add(either, a)).toEqualTypeOf<Tensor>()
    expectTypeOf(add(a, either)).toEqualTypeOf<Tensor>()
    expectTypeOf(add(either, either)).toEqualTypeOf<Tensor>()
    expectTypeOf(add(a, column)).toEqualTypeOf<Tensor<readonly [32, 784]>>()
    expectTypeOf(add(tensor([1]) as Tensor, a)).toEqualTypeOf<Tensor>()
    // @ts-expect-error one side must be a tensor
    add(1, 2)
  })
})

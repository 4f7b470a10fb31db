/**
 * Lifetimes: scopes, disposal, shared memory, parameters, and tensors on two backends. The file is longer than 300 lines because each of these has a section.
 */
import { afterEach, describe, expect, test } from 'vitest'
import { alive, make, reference, valuesOf, wasm } from '../../test/helpers.js'
import * as c from '../index.js'

type Tensor = c.Tensor
const { applyUpdate, debug, expectNoLeaks, keep, matMul, memory, Parameter, scope, tensor, updateProgram, useBackend, valueAndGrad } = c

afterEach(() => {
  debug({ leaks: false, nonFinite: false })
})

describe('scope', () => {
  test('frees the tensors made in it, except its result', () => {
    const before = alive(reference)
    const y = scope(() => {
      const a = make([1, 2])
      return a.add(make([1, 1])).square()
    })
    expect(valuesOf(y)).toEqual([4, 9])
    expect(alive(reference).buffers).toBe(before.buffers + 1)
    y.dispose()
    expect(alive(reference)).toEqual(before)
  })
  test('tensors in arrays and plain objects survive, at any depth; those in other containers do not', () => {
    const { list, deep, map } = scope(() => ({
      list: [make([1]), [make([2])]] as [Tensor, Tensor[]],
      deep: { a: { b: make([3]) }, n: 4 },
      map: new Map([['x', make([5])]]),
    }))
    expect([list[0].disposed, list[1][0].disposed, deep.a.b.disposed, map.get('x')?.disposed]).toEqual([false, false, false, true])
    for (const t of [list[0], list[1][0], deep.a.b]) t.dispose()
  })
  test('a result may contain itself', () => {
    const loop: Record<string, unknown> = { x: make([1]) }
    loop.self = loop
    expect((scope(() => loop).x as Tensor).disposed).toBe(false)
    ;(loop.x as Tensor).dispose()
  })
  test('scopes nest: the result of the inner one is freed with the outer one', () => {
    const before = alive(reference)
    let inner: Tensor | undefined
    scope(() => {
      inner = scope(() => make([1]).add(1))
      expect(inner.disposed).toBe(false)
    })
    expect(inner?.disposed).toBe(true)
    expect(alive(reference)).toEqual(before)
  })
  test('frees everything when the function throws', () => {
    const before = alive(reference)
    expect(() =>
      scope(() => {
        make([1]).add(
          make([1, 2, 3])
            .slice([0], [2])
            .add(make([1, 2, 3, 4])),
        )
      }),
    ).toThrow(/do not broadcast/)
    expect(alive(reference)).toEqual(before)
  })
  test('keep exempts a tensor, by function and by method', () => {
    const kept: Tensor[] = []
    scope(() => {
      kept.push(keep(make([1])), make([2]).keep())
    })
    expect(kept.map((t) => t.disposed)).toEqual([false, false])
    for (const t of kept) t.dispose()
  })
  test('a tensor from outside is left alone, returned or not', () => {
    const x = make([1])
    scope(() => x.add(1))
    scope(() => scope(() => x))
    expect(x.disposed).toBe(false)
    x.dispose()
  })
  test('using disposes at the end of the block', () => {
    const before = alive(reference)
    {
      using x = make([1, 2])
      using y = x.add(1)
      expect(valuesOf(y)).toEqual([2, 3])
    }
    expect(alive(reference)).toEqual(before)
  })
  test('withBackend is synchronous too', () => {
    expect(() => c.withBackend(reference, async () => {})).toThrow(/withBackend: the function returned a Promise/)
    expect(c.currentBackend().name).toBe('wasm')
  })
})

describe('a disposed tensor', () => {
  test('is an error in every use', async () => {
    const x = make([1, 2])
    x.dispose()
    x.dispose() // a second time does nothing
    expect(() => x.add(1)).toThrow(c.DisposedError)
    expect(() => x.add(1)).toThrow(
      /add: this tensor \(float64 \[2\]\) was disposed\..*keep\(\) them\. Call debug\(\{ leaks: true \}\) first/,
    )
    expect(() => x.reshape([1, 2])).toThrow(/reshape: this tensor/)
    await expect(x.data()).rejects.toThrow(/data: this tensor/)
    await expect(x.array()).rejects.toThrow(c.DisposedError)
    expect(String(x)).toBe('Tensor(disposed, float64 [2])')
  })
  test('under debug({ leaks: true }) says where it was made and freed', () => {
    debug({ leaks: true })
    function maker(): Tensor {
      return make([1])
    }
    function freer(t: Tensor): void {
      t.dispose()
    }
    const x = maker()
    freer(x)
    expect(() => x.square()).toThrow(/square: this tensor[\s\S]*It was made:[\s\S]*maker[\s\S]*and freed:[\s\S]*freer/)
  })
})

describe('memory', () => {
  test('a reshape shares it, and either may go first', () => {
    const before = alive(wasm)
    const x = tensor([1, 2, 3, 4], { backend: wasm })
    const y = x.reshape([2, 2])
    const z = y.stopGradient()
    expect(alive(wasm).buffers).toBe(before.buffers + 1)
    x.dispose()
    expect(valuesOf(y)).toEqual([1, 2, 3, 4])
    y.dispose()
    expect(valuesOf(z)).toEqual([1, 2, 3, 4])
    z.dispose()
    expect(alive(wasm)).toEqual(before)
  })
  test('expectNoLeaks passes a clean function, its result through, and an async one', async () => {
    expect(await expectNoLeaks(() => 3)).toBe(3)
    await expectNoLeaks(async () => {
      const x = tensor([1])
      await x.data()
      x.dispose()
    })
  })
  test('expectNoLeaks names what is left', async () => {
    let x: Tensor | undefined
    await expect(
      expectNoLeaks(() => {
        x = tensor([1, 2])
      }),
    ).rejects.toThrow(/expectNoLeaks: 1 tensors \(\d+ bytes\) are left/)
    x?.dispose()
  })
  test('a failed op frees its output', () => {
    const x = tensor([[1], [2]], { backend: wasm })
    const bad = tensor([5], { dtype: 'int32', backend: wasm })
    const before = alive(wasm)
    expect(() => x.gather(bad)).toThrow(
      /index 5 at position 0 is out of range: there are 2 rows \(0 to 1\)\.\n {2}in op gather\(\[2, 1\], \[1\]\)/,
    )
    expect(() => x.add(tensor([1, 2, 3], { backend: wasm }).keep())).not.toThrow()
    expect(alive(wasm).buffers).toBe(before.buffers + 2)
  })

  const x = (): Tensor => make([1, 2, 3, 4, 5, 6], [2, 3])
  const whole = (): Tensor => make([1, 0], [2], 'int32')
  const calls: [string, () => Tensor[], (...inputs: Tensor[]) => Tensor | Tensor[]][] = [
    ['a number operand', () => [x()], (a) => a.add(2)],
    ['a number on the left', () => [x()], (a) => c.sub(1, a)],
    ['mixed dtypes', () => [x(), make([1, 2, 3], [3], 'int32')], (a, b) => a.mul(b)],
    ['int division', () => [whole()], (a) => a.div(2)],
    ['where with numbers', () => [make([1, 0], [2], 'bool')], (b) => c.where(b, 1, 0)],
    ['where with a number', () => [make([1, 0], [2], 'bool'), make([3, 4])], (b, a) => c.where(b, a, 0)],
    ['matMul of batches', () => [make([1, 2, 3, 4], [2, 1, 2]), make([1, 2], [2, 1])], (a, b) => matMul(a, b)],
    ['matMul with a broadcast batch', () => [make([1, 2, 3, 4], [2, 1, 2]), make([1, 2], [1, 2, 1])], (a, b) => matMul(a, b)],
    ['matMul of whole numbers', () => [make([1, 2], [1, 2], 'int32'), make([1, 2], [2, 1])], (a, b) => matMul(a, b)],
    ['gather', () => [x(), whole()], (a, i) => a.gather(i)],
    ['gather along axis 1', () => [x(), whole()], (a, i) => a.gather(i, { axis: 1 })],
    ['scatterAdd', () => [x(), whole()], (a, i) => c.scatterAdd(a, i, 4)],
    ['oneHot', () => [whole()], (i) => i.oneHot(3)],
    ['sum over several axes', () => [make([1, 2, 3, 4], [2, 1, 2])], (a) => a.sum({ axis: [0, 2] })],
    ['sum that keeps axes', () => [x()], (a) => a.sum({ axis: 1, keepDims: true })],
    ['sum of bools', () => [make([1, 0], [2], 'bool')], (a) => a.sum()],
    ['max over several axes', () => [make([1, 2, 3, 4], [2, 1, 2])], (a) => a.max({ axis: [0, 2] })],
    ['sumTo', () => [x()], (a) => c.sumTo(a, [1, 3])],
    ['mean', () => [x()], (a) => a.mean()],
    ['variance', () => [x()], (a) => a.variance({ axis: 0 })],
    ['softmax', () => [x()], (a) => a.softmax()],
    ['logSoftmax', () => [x()], (a) => a.logSoftmax()],
    ['softmaxCrossEntropy', () => [x(), x()], (a, b) => c.softmaxCrossEntropy(a, b)],
    ['clip', () => [x()], (a) => a.clip(2, 3)],
    ['relu', () => [x()], (a) => a.relu()],
    ['stack', () => [x(), x()], (a, b) => c.stack([a, b])],
    ['concat', () => [x(), x()], (a, b) => c.concat([a, b], 1)],
    ['split', () => [x()], (a) => a.split(3, 1)],
    ['tile', () => [x()], (a) => a.tile([2, 2])],
    ['conv2d', () => [make(new Array(9).fill(1), [1, 3, 3, 1]), make([1, 2, 3, 4], [2, 2, 1, 1])], (a, f) => c.conv2d(a, f)],
    ['conv1d', () => [make([1, 2, 3], [1, 3, 1]), make([1, 2], [2, 1, 1])], (a, f) => c.conv1d(a, f, { padding: 'causal' })],
    ['maxPool2d', () => [make(new Array(9).fill(1), [1, 3, 3, 1])], (a) => c.maxPool2d(a, [2, 2], { padding: 'same' })],
    ['maxPool1d', () => [make([1, 2, 3, 4], [1, 4, 1])], (a) => c.maxPool1d(a, 2)],
    ['averagePool1d', () => [make([1, 2, 3, 4], [1, 4, 1])], (a) => c.averagePool1d(a, 2)],
    ['bernoulli', () => [], () => c.bernoulli(c.key(1), [3], 0.5, { backend: reference })],
    ['grad', () => [x()], (a) => c.grad((t) => t.mul(2).square().mean())(a)],
    ['jvp', () => [x(), x()], (a, v) => Object.values(c.jvp((t) => t.mul(2).exp(), [a], [v]))],
  ]
  test.each(calls)('outside every scope, %s leaves its results and nothing else', (_, inputs, f) => {
    const [before, tensors] = [alive(reference), memory().tensors]
    const given = inputs()
    const results = [f(...given)].flat()
    expect(memory().tensors).toBe(tensors + given.length + results.length)
    for (const t of [...given, ...results]) t.dispose()
    expect(alive(reference)).toEqual(before)
  })
})

describe('parameters', () => {
  test.each([reference, wasm])('assign and updates do not reach a reshape made before ($name)', (backend) => {
    const program = updateProgram('test-plus', { slots: 1, inputs: 1, scalars: 0 }, ([w], [g]) => [w.add(g)])
    const before = alive(backend)
    const w = new Parameter(tensor([1, 2, 3, 4], { backend }), { name: 'w' })
    const old = w.reshape([2, 2])
    const one = tensor([1, 1, 1, 1], { backend })
    applyUpdate(program, [w], [one], [])
    expect([valuesOf(w), valuesOf(old), w.version]).toEqual([[2, 3, 4, 5], [1, 2, 3, 4], 1])
    const middle = w.reshape([4, 1])
    w.assign(tensor([9, 9, 9, 9], { backend }))
    expect([valuesOf(w), valuesOf(middle), w.version]).toEqual([[9, 9, 9, 9], [2, 3, 4, 5], 2])
    for (const t of [w, old, one, middle]) t.dispose()
    expect(alive(backend)).toEqual(before)
  })
  test('assign takes a tensor over, but copies another parameter', () => {
    const [online, target] = [1, 2].map((v) => new Parameter(tensor([v, v])))
    const value = tensor([5, 5])
    online.assign(value)
    expect(value.disposed).toBe(true)
    target.assign(online)
    expect(online.disposed).toBe(false)
    const program = updateProgram('test-plus-one', { slots: 1, inputs: 0, scalars: 1 }, ([w], _, [one]) => [w.add(one)])
    applyUpdate(program, [online], [], [1])
    expect([valuesOf(online), valuesOf(target)]).toEqual([
      [6, 6],
      [5, 5],
    ])
    target.assign(target)
    expect(valuesOf(target)).toEqual([5, 5])
    const copy = new Parameter(target)
    expect([valuesOf(copy), target.disposed]).toEqual([[5, 5], false])
  })
  test('assign refuses another shape or dtype, and names the parameter', () => {
    const w = new Parameter(tensor([1, 2]), { name: 'dense/bias' })
    expect(() => w.assign(tensor([1]))).toThrow(/assign to "dense\/bias": float32 \[1\] does not fit float32 \[2\]/)
    expect(() => w.assign(tensor([1, 2], { dtype: 'int32' }))).toThrow(/int32 \[2\] does not fit float32 \[2\]/)
  })
  test('a parameter outlives the scope it was made in', () => {
    const w = scope(() => {
      const p = new Parameter(tensor([1]))
      return { p: () => p }
    })
    expect(w.p().disposed).toBe(false)
  })
})

describe('a training loop by hand', () => {
  const descent = updateProgram('test-sgd', { slots: 1, inputs: 1, scalars: 1 }, ([w], [g], [rate]) => [w.sub(g.mul(rate))])
  test.each(['wasm', 'reference'] as const)('does not grow: 2000 steps without a scope (%s)', async (name) => {
    const backend = await useBackend(name)
    const x = c.normal(c.key(1), [8, 3])
    const y = matMul(x, tensor([[1], [-2], [0.5]]))
    const w = new Parameter(c.zeros([3, 1]), { name: 'w' })
    const b = new Parameter(c.zeros([1]), { name: 'b' })
    const step = (): Tensor => {
      const { value, grads } = valueAndGrad([w, b], () => c.relu(matMul(x, w).add(b).sub(y).square()).mean())
      ;[w, b].forEach((parameter, i) => {
        applyUpdate(descent, [parameter], [grads[i]], [0.1])
        grads[i].dispose()
      })
      return value
    }
    const first = await step().item()
    for (let i = 1; i < 10; i++) step()
    const [after10, tensors] = [alive(backend), memory().tensors]
    let last = step()
    for (let i = 11; i < 2000; i++) last = step()
    expect(alive(backend)).toEqual(after10)
    expect(memory().tensors).toBe(tensors)
    expect(await last.item()).toBeLessThan(first * 1e-6)
    expect(w.version).toBe(2000)
    await useBackend('wasm')
  })
})

describe('two backends', () => {
  test('meeting in an op is an error that names both', () => {
    expect(() => tensor([1]).add(make([1], [1], 'float32'))).toThrow(
      'add: its inputs are on two backends, "wasm" and "reference". Move one: await t.to(other.backend).',
    )
  })
  test('to() keeps values and dtype; float64 only on a backend that has it', async () => {
    const x = tensor([1.5, -2])
    const there = await x.to(reference)
    expect([there.backend.name, there.dtype, valuesOf(there)]).toEqual(['reference', 'float32', [1.5, -2]])
    expect(valuesOf(there.mul(2))).toEqual([3, -4])
    await expect(make([1]).to(wasm)).rejects.toThrow(/the wasm backend has no float64. Use float32, or the reference backend/)
    expect(() => tensor([1], { dtype: 'float64', backend: wasm })).toThrow(c.BackendError)
    expect(() => c.zeros([1], { dtype: 'float64', backend: wasm })).toThrow(c.BackendError)
    expect(() => x.cast('float64')).toThrow(/cast: the wasm backend has no float64/)
  })
  test('numbers and derivatives are on the backend of their tensor, not on the default one', () => {
    scope(() => {
      const g = c.grad((t) => c.where(t.mul(2).greater(3), t.softmax(), 1).mean())(make([1, 2], [2], 'float32'))
      expect(g.backend.name).toBe('reference')
    })
  })
})

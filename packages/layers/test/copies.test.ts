/** Two copies of core in one process: wherever a tensor of one meets the other, an error says so. */
import * as core from '@cotangent/core'
import { dense, input, model, Sequential, sgd } from '@cotangent/layers'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

const said = /another copy of @cotangent\/core: two are loaded.*npm ls @cotangent\/core/s

describe('a tensor of another copy of core', () => {
  let other: typeof core
  let x: core.Tensor
  beforeAll(async () => {
    vi.resetModules()
    other = await import('@cotangent/core')
    expect(other.Tensor).not.toBe(core.Tensor)
    x = other.tensor([[1, 2]])
  })
  afterAll(() => x.dispose())

  const ours = core.tensor([[1, 2]])
  const net = new Sequential([dense(1, { inputShape: [2] })])
  net.compile({ optimizer: 'sgd', loss: 'mse' })

  const calls: Record<string, () => unknown> = {
    'op(x)': () => core.relu(x),
    'op(ours, x)': () => core.add(ours, x),
    'op(x, ours)': () => core.matMul(x, ours),
    'ours.op(x)': () => ours.add(x),
    'their op on ours': () => other.square(ours as core.Tensor),
    'concat([ours, x])': () => core.concat([ours, x]),
    'grad(f)(x)': () => core.grad((t: core.Tensor) => t.sum())(x),
    'grad of a result of theirs': () => core.grad(() => x.sum())(ours),
    'valueAndGrad([parameter of theirs], f)': () => core.valueAndGrad([new other.Parameter(other.tensor([1]))], () => ours.sum()),
    'model.apply(x)': () => net.apply(x),
    'model.predict(x)': () => net.predict(x),
    'model.fit(x, y)': () => net.fit(x, [[1]], { verbose: 0 }),
    'model.fit(ours, y of theirs)': () => net.fit(ours, x, { verbose: 0 }),
    'model.evaluate(x, y)': () => net.evaluate(x, [[1]]),
    'a layer of a graph': () => dense(2).apply(x as never),
    'an optimizer': () => sgd().step([new other.Parameter(other.tensor([1]))], [other.tensor([1])]),
  }
  test.each(Object.entries(calls))('%s', async (_, call) => {
    await expect((async () => call())()).rejects.toThrow(said)
  })

  test('symbolic tensors of another copy of the layers are named, too', async () => {
    const { input: theirs } = await import('@cotangent/layers')
    expect(() => model({ inputs: input({ shape: [2] }), outputs: theirs({ shape: [2] }) as never })).toThrow(
      'a symbolic tensor of another copy of @cotangent/layers',
    )
  })
})

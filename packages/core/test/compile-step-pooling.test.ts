/** Compiled steps: the gradient of a pooling and the mask of the relu before it are one kernel. */
import { describe, expect, it } from 'vitest'
import { engineOf } from '../src/backends/wasm/index.js'
import {
  compileStep,
  createWasmBackend,
  full,
  gate,
  grad,
  key,
  maxPool2d,
  maxPool2dGradient,
  normal,
  relu,
  scope,
  type Tensor,
  tensor,
} from '../src/index.js'

const wasm = createWasmBackend()
const numbers = async (x: Tensor): Promise<number[]> => [...(await x.data())]

describe('the gradient of a pooling with the mask of the relu before it', () => {
  // Windows side by side, apart, overlapping and over the edge; values with NaN, infinities, zeros of both signs, and many that are not above 0.
  const odd = [Number.NaN, Infinity, -Infinity, 0, -0]
  const windows = [
    { poolSize: [2, 2], strides: [2, 2], padding: 'valid' },
    { poolSize: [2, 2], strides: [3, 3], padding: 'valid' },
    { poolSize: [3, 3], strides: [2, 1], padding: 'same' },
  ] as const

  it.each([1, 2, 4])('is one kernel, with the bits of two, on %i threads', async (threads) => {
    const backend = createWasmBackend({ threads })
    const engine = engineOf(backend)
    if (engine) engine.splitAbove = 0
    if (engine?.pool) engine.pool.choice.always = true
    for (const { poolSize, ...options } of windows) {
      const program = (x: Tensor): Tensor => grad((t: Tensor) => maxPool2d(relu(t), poolSize, options).mul(3).sum())(x)
      const step = compileStep(program)
      for (let i = 0; i < 5; i++) {
        const values = await normal(key(i), [3, 6, 7, 11], { backend }).data()
        for (let j = i; j < values.length; j += 5) values[j] = odd[((j / 5 + i) % odd.length) | 0]
        const x = tensor(values, { shape: [3, 6, 7, 11], backend })
        const [compiled, eager] = [step(x), scope(() => program(x))]
        const bits = await Promise.all([compiled, eager].map(async (y) => Buffer.from((await y.data()).buffer).toString('hex')))
        expect(bits[0], `${poolSize} ${i}`).toBe(bits[1])
        for (const t of [x, compiled, eager]) t.dispose()
      }
      expect(step.info().recorded).toBe(true)
      step.dispose()
    }
    await backend.dispose?.()
  })

  it('stays two kernels where something else reads the gradient between', async () => {
    const x = tensor([-1, 2, 3, -4], { shape: [1, 2, 2, 1], backend: wasm })
    const calls: (number | undefined)[] = []
    for (const reads of [false, true]) {
      const step = compileStep((t: Tensor) => {
        const y = relu(t)
        const between = maxPool2dGradient(y, full([1, 1, 1, 1], 5, { backend: wasm }), [2, 2])
        return reads ? { masked: gate(between, y), between: between.mul(2) } : { masked: gate(between, y), between: y.mul(2) }
      })
      for (let i = 0; i < 5; i++) {
        const { masked, between } = step(x)
        expect([await numbers(masked), await numbers(between)]).toEqual([[0, 0, 5, 0], reads ? [0, 0, 10, 0] : [0, 4, 6, 0]])
        masked.dispose()
        between.dispose()
      }
      calls.push(step.info().calls)
      step.dispose()
    }
    expect(calls).toEqual([3, 4])
  })
})

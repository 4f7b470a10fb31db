/** debug({ nonFinite: true }): op, path, step, and the values that led there. Off, it reads nothing. */
import { afterEach, describe, expect, test } from 'vitest'
import {
  applyUpdate,
  compileStep,
  createWasmBackend,
  debug,
  grad,
  labelled,
  Parameter,
  scope,
  type Tensor,
  tensor,
  updateProgram,
  valueAndGrad,
  withBackend,
} from '../index.js'

afterEach(() => void debug({ nonFinite: false }))

const messageOf = (run: () => unknown): string => {
  try {
    scope(() => void run())
  } catch (error) {
    return (error as Error).message
  }
  return 'nothing'
}

describe('switched on', () => {
  test('the values that led to a NaN are told, with views between them', () => {
    debug({ nonFinite: true })
    const message = messageOf(() => {
      const x = tensor([3, 1])
      const h = labelled('first', () => x.mul(-2).reshape([2, 1]))
      const small = x.mul(0.01)
      return labelled('second', () => h.add(small).exp().sub(1).log())
    })
    expect(message.split('\n')).toEqual([
      expect.stringMatching(/^second\/log: element 0 of its output \[2, 2\] is NaN\.$/),
      expect.stringMatching(/^ {2}input 0: float32 \[2, 2\] from -0\.99\d* to -0\.86\d*$/),
      '  What led there:',
      '    first/mul [2] from -6 to -2',
      expect.stringMatching(/^ {4}second\/add \[2, 2\] from -5\.9\d* to -1\.97\d*$/),
      expect.stringMatching(/^ {4}second\/exp /),
      expect.stringMatching(/^ {4}second\/sub /),
    ])
  })
  test('a derivative tells of the way there, too', () => {
    debug({ nonFinite: true })
    const message = messageOf(() => grad((x: Tensor) => x.mul(0).sqrt().sum())(tensor([4])))
    expect(message).toMatch(/^dsqrt\/div: element 0 of its output \[1\] is Infinity/)
    expect(message).toContain('mul [1] from 0 to 0')
  })
  test('a history keeps its last lines only', () => {
    debug({ nonFinite: true })
    const message = messageOf(() => {
      let x = tensor([2])
      for (let i = 0; i < 200; i++) x = x.square()
      return x
    })
    expect(message.split('\n').filter((line) => line.startsWith('    ')).length).toBeLessThanOrEqual(8)
    expect(message).toMatch(/square: element 0 of its output \[1\] is Infinity/)
  })
  test('the call of a compiled step is named, also after steps that were recorded', () => {
    const step = compileStep((x: Tensor) => x.log())
    for (let i = 0; i < 5; i++) step(tensor([1])).dispose()
    expect(step.info().recorded).toBe(true)
    debug({ nonFinite: true })
    step(tensor([1])).dispose()
    expect(messageOf(() => step(tensor([-1])))).toMatch(/^log: element 0 .* is NaN[\s\S]*in call 7 of a compiled step$/)
    debug({ nonFinite: false })
    step(tensor([1])).dispose()
    expect(step.info().recorded).toBe(true)
    step.dispose()
  })
  test('an update that leaves the range names its parameter', () => {
    const program = updateProgram('descentBeyond', { slots: 1, inputs: 1, scalars: 1 }, ([w], [g], [rate]) => [w.sub(g.mul(rate))])
    const w = new Parameter(tensor([1, 2]), { name: 'dense_1/kernel' })
    debug({ nonFinite: true })
    const message = messageOf(() => {
      const { grads } = valueAndGrad([w], () => w.mul(1e30).sum())
      applyUpdate(program, [w], grads, [1e20])
    })
    expect(message).toMatch(
      /^descentBeyond: after the update, parameter "dense_1\/kernel" is not finite: -Infinity to -Infinity\.\n {2}input 0: 1\.0\d*e\+30/,
    )
  })
})

test('switched off, a step calls the same kernels, and reads no value', () => {
  const backend = createWasmBackend({ threads: 1 })
  const counted = { reads: 0, kernels: 0 }
  const { readSync, kernels } = backend
  backend.readSync = (...args) => {
    counted.reads++
    return (readSync as NonNullable<typeof readSync>)(...args)
  }
  for (const [name, kernel] of Object.entries(kernels) as [string, (...args: unknown[]) => unknown][]) {
    if (typeof kernel === 'function')
      Object.assign(kernels, {
        [name]: (...args: unknown[]) => {
          counted.kernels++
          return kernel(...args)
        },
      })
  }
  const step = (): { reads: number; kernels: number } => {
    Object.assign(counted, { reads: 0, kernels: 0 })
    withBackend(backend, () => scope(() => void grad((x: Tensor) => x.exp().square().sum())(tensor([1, 2]))))
    return { ...counted }
  }
  const off = step()
  debug({ nonFinite: true })
  const on = step()
  debug({ nonFinite: false })
  expect(off.reads).toBe(0)
  expect(off.kernels).toBeGreaterThan(3)
  expect(on).toEqual({ reads: expect.any(Number), kernels: off.kernels })
  expect(on.reads).toBeGreaterThan(off.kernels / 2)
  expect(step()).toEqual(off)
})

/** Compiled steps: what may change from step to step, when the program runs, and the memory. The file is a little over 300 lines because the cases share their helpers. */
import { describe, expect, it } from 'vitest'
import { engineOf } from '../src/backends/wasm/index.js'
import {
  applyUpdate,
  bernoulli,
  type CompiledStep,
  compileStep,
  createReferenceBackend,
  createWasmBackend,
  eachStep,
  foldKey,
  full,
  gather,
  grad,
  type Key,
  key,
  memory,
  normal,
  numberOfStep,
  Parameter,
  permutation,
  type StepArgument,
  scope,
  type Tensor,
  tensor,
  uniform,
  updateProgram,
  valueAndGrad,
  withBackend,
} from '../src/index.js'

const wasm = createWasmBackend()
const descent = updateProgram('stepDescent', { slots: 1, inputs: 1, scalars: 1 }, ([w], [g], [rate]) => [w.sub(rate.mul(g))])
const numbers = async (x: Tensor): Promise<number[]> => [...(await x.data())]
const input = (...values: number[]): Tensor => tensor(values, { backend: wasm })

/** Calls a step and says what it gave, and how. */
async function outcome<A extends StepArgument[]>(step: CompiledStep<A, Tensor>, ...values: A): Promise<[number[], boolean]> {
  const y = step(...values)
  const result: [number[], boolean] = [await numbers(y), step.info().recorded]
  y.dispose()
  return result
}

describe('what changes from step to step', () => {
  it('numbers of eachStep, keys, and what is drawn from them on the device and on the host', async () => {
    const run = async (compiled: boolean): Promise<number[][]> => {
      const w = new Parameter(input(1, 2, 3))
      let t = 0
      const program = (x: Tensor, k: Key): Tensor => {
        const { value, grads } = valueAndGrad([w], () => w.mul(x).square().sum())
        const noise = normal(foldKey(k, 3), [3], { backend: wasm }).add(uniform(foldKey(k, 4), [3], { backend: wasm }))
        const kept = bernoulli(k, [3], 0.5, { backend: wasm })
        const rates = eachStep(() => [0.1 / ++t])
        applyUpdate(descent, [w], [grads[0].add(noise.mul(kept)).mul(numberOfStep(rates, 0, x))], rates)
        for (const g of grads) g.dispose()
        return value
      }
      const step = compileStep(program)
      const results: number[][] = []
      for (let i = 0; i < 7; i++) {
        const x = input(i, 0.5, -1)
        const y = compiled ? step(x, key(i)) : scope(() => program(x, key(i)))
        results.push(await numbers(y), await numbers(w))
        x.dispose()
      }
      expect([t, w.version]).toEqual([7, 7])
      if (compiled) expect(step.info()).toMatchObject({ recorded: true })
      step.dispose()
      w.dispose()
      return results
    }
    expect(await run(true)).toEqual(await run(false))
  })

  it('large arguments are read where they lie, whether they lie there again or elsewhere', async () => {
    // 6000 numbers are large enough.
    const [a, b, c] = [1, 2, 3].map((n) => full([6000], n, { backend: wasm }))
    const small = input(0.5)
    const step = compileStep((x: Tensor, y: Tensor, s: Tensor) => x.sub(y).mul(s).mean().add(x.max().mul(10)))
    const value = { a: 1, b: 2, c: 3 }
    const tensors = { a, b, c }
    for (let round = 0; round < 2; round++) {
      for (const [i, which] of 'ab ab ab ab ab ab ba ab cb cb cb cb cb cb ac'.split(' ').entries()) {
        const [x, y] = which as unknown as (keyof typeof value)[]
        const result = (value[x] - value[y]) / 2 + 10 * value[x]
        expect(await outcome(step, tensors[x], tensors[y], small), `${round} ${i}`).toEqual([[result], round > 0 || i > 2])
      }
    }
    // Other values at the same address.
    for (let i = 0; i < 6; i++) {
      const x = full([6000], i, { backend: wasm })
      expect(await outcome(step, x, a, small)).toEqual([[(i - 1) / 2 + 10 * i], true])
      x.dispose()
    }
    for (const x of [a, b, c]) x.dispose()
  })

  it('other shapes and other arrangements of arguments have recordings of their own', async () => {
    const step = compileStep((...xs: Tensor[]) => xs.reduce((a, b) => a.add(b)).sum())
    const [a, b] = [input(1, 2), input(10, 20, 30)]
    for (let i = 0; i < 5; i++) {
      expect(await outcome(step, a, a)).toEqual([[6], i > 2])
      expect(await outcome(step, b, b)).toEqual([[120], i > 2])
    }
    // Two arguments with one memory, then with two.
    expect(await outcome(step, a, input(3, 4))).toEqual([[10], false])
  })

  it('a parameter that was assigned, or whose memory a view shares, is seen', async () => {
    const w = new Parameter(input(1, 1))
    const step = compileStep((x: Tensor) => {
      const y = w.mul(x).sum()
      applyUpdate(descent, [w], [x], [1])
      return y
    })
    const x = input(1, 2)
    for (let i = 0; i < 4; i++) await outcome(step, x)
    expect(await numbers(w)).toEqual([-3, -7])
    const view = w.reshape([2, 1])
    expect(await outcome(step, x)).toEqual([[-17], false])
    expect([await numbers(view), await numbers(w)]).toEqual([
      [-3, -7],
      [-4, -9],
    ])
    view.dispose()
    w.assign(input(5, 5))
    expect(await outcome(step, x)).toEqual([[15], false])
  })

  it('values that the step assigns are there at its end', async () => {
    const [average, w] = [new Parameter(input(0, 0)), new Parameter(input(1, 2))]
    const step = compileStep((x: Tensor) => {
      average.assign(average.mul(0.5).add(x))
      w.assign(average.add(w))
      return average.sum()
    })
    const x = input(2, 4)
    const [a, b] = [
      [0, 0],
      [1, 2],
    ]
    for (let i = 1; i < 7; i++) {
      for (const j of [0, 1]) {
        a[j] = a[j] / 2 + [2, 4][j]
        b[j] += a[j]
      }
      expect(await outcome(step, x)).toEqual([[a[0] + a[1]], i > 3])
      expect([await numbers(average), await numbers(w), w.version]).toEqual([a, b, i])
    }
  })

  it('results may be arguments, constants, arrays and objects', () => {
    const constant = input(7)
    const step = compileStep((x: Tensor) => ({ x, constant, list: [x.add(1), x.mul(2)], name: 'sum' }))
    const x = input(1)
    for (let i = 0; i < 5; i++) {
      const result = step(x)
      expect(result).toMatchObject({ name: 'sum' })
      expect([result.x === x, result.constant === constant, result.list[0].shape]).toEqual([true, true, [1]])
    }
    expect(step.info().recorded).toBe(true)
  })
})

describe('the program runs where a step cannot be recorded', () => {
  const x = input(1, 2, 3)
  const refused: [why: RegExp, f: (x: Tensor, k: Key) => Tensor][] = [
    [/reads values/, (x) => x.mul(wasm.readSync?.(x.storage)[0] ?? 0)],
    [/is kept/, (x) => x.add(1).keep().mul(2)],
    [/computes with a random key/, (x, k) => x.mul(permutation(k, 9)[0])],
    [/differs from call to call/, (x) => x.mul(Math.random())],
  ]
  it.each(refused)('%s', (why, f) => {
    const step = compileStep(f)
    for (let i = 0; i < 7; i++) {
      step(x, key(3)).dispose()
      expect(step.info().recorded).toBe(false)
    }
    expect(step.info().reason).toMatch(why)
  })

  it('a parameter that is an argument and changes', async () => {
    const w = new Parameter(input(1, 1))
    const step = compileStep((v: Tensor, g: Tensor) => {
      applyUpdate(descent, [w], [g], [1])
      return v.sum()
    })
    const g = input(1, 2)
    for (let i = 1; i < 7; i++) expect(await outcome(step, w, g)).toEqual([[2 - 3 * i], false])
    expect(step.info().reason).toMatch(/changes a parameter that is one of its arguments/)
  })

  it('a guard that changes', async () => {
    let twice = false
    const step = compileStep((x: Tensor) => {
      eachStep(
        () => [],
        () => twice,
      )
      return twice ? x.mul(2).sum() : x.sum()
    })
    for (let i = 0; i < 4; i++) await outcome(step, x)
    for (const [value, recorded] of [
      [false, true],
      [true, false],
      [true, false],
      [true, true],
      [false, true],
    ]) {
      twice = value
      expect(await outcome(step, x)).toEqual([[value ? 12 : 6], recorded])
    }
  })

  it('other backends, derivatives around it, steps in steps', async () => {
    const reference = createReferenceBackend()
    const step = compileStep((x: Tensor) => x.square().sum())
    const y = tensor([1, 2], { backend: reference })
    for (let i = 0; i < 5; i++) expect(await outcome(step, y)).toEqual([[5], false])
    expect(step.info().reason).toMatch(/reference/)
    for (let i = 0; i < 5; i++) await outcome(step, x)
    expect(await numbers(grad((t: Tensor) => step(t))(x))).toEqual([2, 4, 6])
    const outer = compileStep((t: Tensor) => step(t).mul(3))
    for (let i = 0; i < 5; i++) expect((await outcome(outer, x))[0]).toEqual([42])
    expect(outer.info().recorded).toBe(true)
  })

  it('a wrong index gets the error of the program, and the next step is right', async () => {
    const table = input(1, 2, 3).reshape([3, 1])
    const step = compileStep((i: Tensor) => gather(table, i).sum())
    const indices = (...values: number[]): Tensor => tensor(Int32Array.from(values), { backend: wasm })
    for (let i = 0; i < 4; i++) await outcome(step, indices(0, 2))
    expect(step.info().recorded).toBe(true)
    expect(() => step(indices(0, 7))).toThrow(/index 7 at position 1/)
    expect(await outcome(step, indices(1, 2))).toEqual([[5], true])
  })

  it('arguments that are no tensors', () => {
    expect(() => compileStep((x: Tensor) => x)(3 as never)).toThrow('argument 0 must be a tensor or a random key, got 3')
    expect(() => compileStep(async (x: Tensor) => x)(x)).toThrow('returned a Promise')
    expect(() => compileStep(undefined as never)).toThrow('compileStep')
  })
})

describe('memory', () => {
  it('is planned: a chain of values needs two places, and neighbours become one kernel', () => {
    const backend = createWasmBackend()
    const step = compileStep((x: Tensor) => {
      let y = x
      for (let i = 0; i < 20; i++) y = y.cumSum({ axis: 1 })
      return y.sub(1).square().mul(0.5).sum()
    })
    const x = full([1, 1000], 1e-3, { backend })
    withBackend(backend, () => {
      for (let i = 0; i < 5; i++) step(x).dispose()
    })
    const { recorded, bytes = 0, calls = 0 } = step.info()
    expect(recorded).toBe(true)
    expect(bytes).toBeLessThan(3.5 * 4 * 1100)
    expect(calls).toBe(20 + 1 + 1)
    expect(backend.memory().stepBytes).toBeGreaterThan(0)
    step.dispose()
    expect(backend.memory()).toMatchObject({ buffers: 1, stepBytes: 0 })
  })

  it('is not there: then the program runs, and a smaller step goes on being recorded', () => {
    const backend = createWasmBackend({ maximumBytes: 10e6, threads: 1 })
    const [large, small] = [full([1, 1_000_000], 1e-3, { backend }), full([1, 10], 1, { backend })]
    // The recorded step has a place for a copy of its argument, which the program does not need.
    const step = compileStep((x: Tensor) => x.sum())
    const run = (x: Tensor): boolean => {
      step(x).dispose()
      return step.info().recorded
    }
    const seen = [small, large].map((x) => Array.from({ length: 6 }, () => run(x)))
    expect(seen).toEqual([
      [false, false, false, true, true, true],
      [false, false, false, false, false, false],
    ])
    expect(step.info().reason).toMatch(/out of memory/)
    expect(run(small)).toBe(true)
    step.dispose()
    expect(backend.memory()).toMatchObject({ buffers: 2, stepBytes: 0 })
  })

  it('is flat over many steps, and two steps share it', () => {
    const w = new Parameter(input(1, 2))
    const make = () =>
      compileStep((x: Tensor) => {
        const { value, grads } = valueAndGrad([w], () => w.mul(x).square().sum())
        applyUpdate(descent, [w], grads, [0.01])
        for (const g of grads) g.dispose()
        return value
      })
    const [a, b] = [make(), make()]
    const x = input(0.5, 0.25)
    const run = (times: number): void => {
      for (let i = 0; i < times; i++) for (const step of [a, b]) step(x).dispose()
    }
    run(5)
    const before = [memory().tensors, wasm.memory()]
    run(Number(process.env.COTANGENT_STEPS ?? 500))
    expect([memory().tensors, wasm.memory()]).toEqual(before)
    a.dispose()
    run(2)
    expect(b.info().recorded).toBe(true)
    for (const step of [a, b]) step.dispose()
  })

  it('has the same bits for 1, 2 and 4 threads, and without recording', async () => {
    const results: string[] = []
    for (const [threads, recorded] of [
      [1, false],
      [1, true],
      [2, true],
      [4, true],
    ] as const) {
      const backend = createWasmBackend({ threads })
      const engine = engineOf(backend)
      if (engine) engine.splitAbove = 0
      if (engine?.pool) engine.pool.choice.always = true
      const x = normal(key(1), [37, 65], { backend })
      const w = new Parameter(normal(key(2), [65, 33], { backend }))
      let t = 0
      const program = (x: Tensor): Tensor => {
        const { value, grads } = valueAndGrad([w], () => x.matMul(w).tanh().mul(0.5).square().softmax().log().mean())
        const rates = eachStep(() => [0.5 / ++t])
        applyUpdate(descent, [w], grads, rates)
        for (const g of grads) g.dispose()
        return value
      }
      const step = compileStep(program)
      for (let i = 0; i < 8; i++) (recorded ? step(x) : scope(() => program(x))).dispose()
      expect(step.info().recorded).toBe(recorded)
      results.push(Buffer.from((await w.data()).buffer).toString('hex'))
      step.dispose()
      await backend.dispose?.()
    }
    expect(new Set(results).size).toBe(1)
  })
})

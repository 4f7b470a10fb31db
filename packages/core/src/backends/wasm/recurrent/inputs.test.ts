/** Recurrent layers with the products of their inputs: forward they have the bits of the composition, backward they agree up to rounding, and threads change no bit. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Host, host } from '../../../../test/wasm/harness.js'
import { type OpDefinition, registry } from '../../../autodiff/op.js'
import { Tape } from '../../../autodiff/tape.js'
import { lstmSequence, simpleRnnSequence } from '../../../index.js'
import { scope } from '../../../tensor/scope.js'
import { fromHost, type Tensor } from '../../../tensor/tensor.js'
import type { Backend, InputsKernelOptions } from '../../backend.js'
import { recurrentKernels } from '../../families/recurrent.js'
import { createReferenceBackend } from '../../reference/index.js'
import { Engine } from '../engine/engine.js'
import { createBackendOn } from '../index.js'

interface Case extends InputsKernelOptions {
  readonly op: 'lstmFromInputs' | 'simpleRnnFromInputs'
  readonly n: number
  readonly t: number
  readonly inputs: number
  readonly u: number
}

/** All options; numbers of inputs and units that fill vectors and panels, and some that do not; one group of rows, several, and groups of more than one chunk. */
const cases: Case[] = (['lstmFromInputs', 'simpleRnnFromInputs'] as const).flatMap((op) => [
  { op, n: 16, t: 11, inputs: 16, u: 32, masked: false, goBackwards: false, dropped: false, biased: true, statesOnly: true },
  {
    op,
    n: 5,
    t: 12,
    inputs: 14,
    u: 33,
    masked: false,
    goBackwards: true,
    dropped: true,
    biased: false,
    recurrentActivation: 'hardSigmoid',
  },
  { op, n: 37, t: 9, inputs: 3, u: 7, masked: true, goBackwards: true, dropped: true, biased: true },
  { op, n: 1050, t: 2, inputs: 5, u: 3, masked: true, goBackwards: false, dropped: false, biased: true },
  { op, n: 1, t: 1, inputs: 1, u: 1, masked: false, goBackwards: false, dropped: true, biased: true },
])

/** Gates, states and parts of each kind. */
const sizes = { lstmFromInputs: [4, 2, 6], simpleRnnFromInputs: [1, 1, 1] } as const

function inputsOf({ op, n, t, inputs, u, masked, dropped, biased }: Case): Host[] {
  const [gates, states] = sizes[op]
  const draw = (seed: number, shape: number[], size: number): Host => host(seed, shape, 'float32', { low: -size, high: size })
  return [
    draw(1, [n, t, inputs], 1),
    draw(2, [inputs, gates * u], 1 / Math.sqrt(inputs)),
    ...(biased ? [draw(3, [gates * u], 1)] : []),
    ...Array.from({ length: states }, (_, i) => draw(4 + i, [n, u], 1)),
    draw(6, [u, gates * u], 1 / Math.sqrt(u)),
    ...(dropped ? [draw(7, [n, u], 1.5)] : []),
    ...(masked ? [draw(8, [n, t], 1)] : []),
  ]
}

/** The output, and the cotangents of all inputs but the mask, without that of x if it is not wanted. */
function run(on: Backend, c: Case, wantsX = true): Float32Array[] {
  const { op, n, t, inputs: _, u, ...rest } = c
  const options = { recurrentActivation: 'sigmoid', ...rest }
  const place = ({ values, shape }: Host): Tensor => fromHost(on, values, shape, 'float32')
  const read = (x: Tensor): Float32Array => on.readSync?.(x.storage) as Float32Array
  return scope(() => {
    const inputs = inputsOf(c).map(place)
    const sources = inputs.slice(wantsX ? 0 : 1, c.masked ? -1 : undefined)
    const tape = new Tape(sources)
    const y = tape.run(() => (registry.get(op) as OpDefinition).call(inputs, options))
    const cotangent = host(9, [sizes[op][2], t, n, u], 'float32', { low: -1, high: 1 })
    if (c.statesOnly) cotangent.values.fill(0, sizes[op][1] * t * n * u)
    if (c.lastOnly !== undefined) {
      const last = (i: number): boolean => i < sizes[op][1] * t * n * u && i % (t * n * u) >= (t - 1) * n * u
      for (const i of cotangent.values.keys()) if (!last(i)) cotangent.values[i] = c.lastOnly ? NaN : 0
    }
    return [y, ...tape.backward(y, place(cotangent), sources)].map((x) => read(x as Tensor))
  })
}

const title = ({ op, n, t, inputs, u, ...options }: Case): string =>
  [op, `n ${n}, t ${t}, in ${inputs}, u ${u}`, ...Object.entries(options).flatMap(([name, on]) => (on ? [name] : []))].join(', ')
const titled = cases.map((c, i) => [title(c), c, i] as const)
const reference = createReferenceBackend()

describe.each([true, false])('relaxedSimd %s', (relaxedSimd) => {
  const wasm = createBackendOn(new Engine({ relaxedSimd }))
  /** A backend without the kernels: there the composition runs. */
  const composed: Backend = createBackendOn(new Engine({ relaxedSimd }))
  composed.add?.(recurrentKernels)
  for (const kernel of Object.keys(composed.fused))
    if (kernel.includes('FromInputs')) delete composed.fused[kernel as keyof Backend['fused']]

  it.each(titled.filter(([, , i]) => relaxedSimd || i % 5 === 2))('%s', (_, c) => {
    const got = run(wasm, c)
    expect(got[0]).toEqual(run(composed, c)[0])
    // Sums of up to n·t products of size 1, rounded to float32 at each step; a mask's edge is the same in both.
    run(reference, c).forEach((want, i) => {
      const size = Math.max(1, ...want.map(Math.abs))
      let worst = 0
      for (let j = 0; j < want.length; j++) worst = Math.max(worst, Math.abs(got[i][j] - want[j]))
      expect(worst, `result ${i}`).toBeLessThan(2e-5 * size)
    })
    expect(run(wasm, c, false).slice(1), 'without the cotangent of x').toEqual(got.slice(2))
    expect(wasm.memory()).toMatchObject({ buffers: 0, bytes: 0 })
  })
})

describe('cotangents that are known to be 0 are not read', () => {
  const wasm = createBackendOn(new Engine({}))
  it.each(titled.filter(([, , i]) => i % 5 === 2))('%s', (_, c) => {
    const [want, got] = [false, true].map((lastOnly) => run(wasm, { ...c, statesOnly: true, dropped: false, lastOnly }))
    // x + 0 is 0 where x is −0.
    for (const [i, values] of got.entries()) expect(values.map((x) => x + 0)).toEqual(want[i].map((x) => x + 0))
  })
})

describe('the same bits for 1, 2, 4 and 16 threads', () => {
  const engines = [1, 2, 4, 16].map((threads) => new Engine({ threads }))
  const backends = engines.map(createBackendOn)
  beforeAll(async () => {
    for (const engine of engines) {
      engine.splitAbove = 0
      if (engine.pool) engine.pool.choice.always = true
      while (engine.pool && engine.pool.ready < engine.pool.threads - 1) await new Promise((resolve) => setTimeout(resolve, 2))
    }
  })
  afterAll(async () => {
    for (const backend of backends) await backend.dispose?.()
  })
  it.each(titled)('%s', (_, c, i) => {
    // Fifteen workers take their time to link a module, so some cases are enough for them.
    const [alone, ...shared] = (i % 5 === 2 ? backends : backends.slice(0, 3)).map((backend) => run(backend, c))
    for (const results of shared) for (const [i, values] of results.entries()) expect(values, `result ${i}`).toEqual(alone[i])
  })
})

describe('which way a layer takes', () => {
  const wasm = createBackendOn(new Engine({}))
  const names = (n: number, inputs: number, u: number, gates: number): string[] =>
    scope(() => {
      const shapes = [[n, 2, inputs], [inputs, gates * u], [u, gates * u], [gates * u]]
      const [x, w, v, b] = shapes.map((shape, i) => {
        const { values } = host(i, shape, 'float32')
        return fromHost(wasm, values, shape, 'float32')
      })
      const tape = new Tape([w])
      tape.run(() => (gates === 4 ? lstmSequence(x, w, v, b) : simpleRnnSequence(x, w, v, b)))
      return tape.records.map(({ op }) => op.name)
    })
  it('takes the inputs into the kernel where there are few weights', () => {
    expect(names(2, 3, 8, 4)).toContain('lstmFromInputs')
    expect(names(2, 3, 8, 1)).toContain('simpleRnnFromInputs')
    expect(names(1, 3, 512, 4)).toEqual(expect.arrayContaining(['affine', 'lstmSequence']))
  })
  it('has no kernels for sizes of 0', () => {
    expect(names(0, 3, 4, 4)).toContain('lstmSequence')
    expect(names(2, 0, 4, 1)).toContain('simpleRnnSequence')
  })
})

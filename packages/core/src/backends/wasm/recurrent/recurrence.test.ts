/** Kernels for whole sequences: forward they have the bits of the composition, backward they agree up to rounding, and threads change no bit. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { registry } from '../../../autodiff/op.js'
import '../../../index.js'
import { type Host, host } from '../../../../test/wasm/harness.js'
import { Tape } from '../../../autodiff/tape.js'
import { scope } from '../../../tensor/scope.js'
import { fromHost, type Tensor } from '../../../tensor/tensor.js'
import type { Backend, SequenceKernelOptions } from '../../backend.js'
import { recurrentKernels } from '../../families/recurrent.js'
import { createReferenceBackend } from '../../reference/index.js'
import { Engine } from '../engine/engine.js'
import { createBackendOn } from '../index.js'

interface Case extends SequenceKernelOptions {
  readonly op: 'lstmSequence' | 'gruSequence' | 'simpleRnnSequence'
  readonly n: number
  readonly t: number
  readonly u: number
  /** Only a GRU has this option. */
  readonly resetAfter?: boolean
}

/** All options, with numbers of units that fill vectors, panels and blocks of rows, and some that do not. */
const cases: Case[] = (
  [{ op: 'lstmSequence' }, { op: 'gruSequence' }, { op: 'gruSequence', resetAfter: true }, { op: 'simpleRnnSequence' }] as const
).flatMap((cell) => [
  { ...cell, n: 5, t: 12, u: 32, masked: false, goBackwards: false, dropped: false, recurrentActivation: 'sigmoid' },
  { ...cell, n: 5, t: 12, u: 33, masked: false, goBackwards: true, dropped: true, recurrentActivation: 'sigmoid' },
  { ...cell, n: 5, t: 12, u: 33, masked: true, goBackwards: true, dropped: false, recurrentActivation: 'hardSigmoid' },
  { ...cell, n: 137, t: 3, u: 7, masked: true, goBackwards: false, dropped: true, recurrentActivation: 'sigmoid' },
  { ...cell, n: 1, t: 1, u: 1, masked: false, goBackwards: false, dropped: true, recurrentActivation: 'hardSigmoid' },
])

/** Gates, states and parts of each kind. */
const sizes = { lstmSequence: [4, 2, 6], gruSequence: [3, 1, 4], simpleRnnSequence: [1, 1, 1] } as const
const partsOf = ({ op, resetAfter }: Case): number => sizes[op][2] + (resetAfter ? 1 : 0)

function inputsOf({ op, n, t, u, masked, dropped, resetAfter }: Case): Host[] {
  const [gates, states] = sizes[op]
  const draw = (seed: number, shape: number[], size: number): Host => host(seed, shape, 'float32', { low: -size, high: size })
  return [
    draw(1, [n, t, gates * u], 2),
    ...Array.from({ length: states }, (_, i) => draw(2 + i, [n, u], 1)),
    draw(5, [u, gates * u], 1 / Math.sqrt(u)),
    ...(resetAfter ? [draw(9, [gates * u], 1)] : []),
    ...(dropped ? [draw(6, [n, u], 1.5)] : []),
    ...(masked ? [draw(7, [n, t], 1)] : []),
  ]
}

/** The output, and the cotangents of all inputs but the mask, for a cotangent of the whole output. */
function run(on: Backend, c: Case): Float32Array[] {
  const { op, n, t, u, ...options } = c
  const place = ({ values, shape }: Host): Tensor => fromHost(on, values, shape, 'float32')
  const read = (x: Tensor): Float32Array => on.readSync?.(x.storage) as Float32Array
  return scope(() => {
    const inputs = inputsOf(c).map(place)
    const sources = options.masked ? inputs.slice(0, -1) : inputs
    const tape = new Tape(sources)
    const y = tape.run(() => registry.get(op)?.call(inputs, options) as Tensor)
    const cotangent = host(8, [partsOf(c), t, n, u], 'float32', { low: -1, high: 1 })
    if (c.statesOnly !== undefined) cotangent.values.fill(c.statesOnly ? NaN : 0, sizes[op][1] * t * n * u)
    const dY = place(cotangent)
    return [y, ...tape.backward(y, dY, sources)].map((x) => read(x as Tensor))
  })
}

const reference = createReferenceBackend()
const names = ['output', 'dz', 'first cotangent', 'second', 'third', 'fourth', 'fifth']
const title = ({ op, n, t, u, recurrentActivation, ...options }: Case): string =>
  [op, `n ${n}, t ${t}, u ${u}`, recurrentActivation, ...Object.entries(options).flatMap(([name, on]) => (on ? [name] : []))].join(', ')

describe.each([true, false])('relaxedSimd %s', (relaxedSimd) => {
  const wasm = createBackendOn(new Engine({ relaxedSimd }))
  /** A backend without the kernels: there the composition runs. */
  const composed: Backend = createBackendOn(new Engine({ relaxedSimd }))
  composed.add?.(recurrentKernels)
  for (const kernel of Object.keys(composed.fused)) if (kernel.includes('Sequence')) delete composed.fused[kernel as keyof Backend['fused']]

  it.each(cases.map((c) => [title(c), c] as const))('%s', (_, c) => {
    const got = run(wasm, c)
    expect(got[0]).toEqual(run(composed, c)[0])
    run(reference, c).forEach((want, i) => {
      // Sums of up to t·n products of size 1 and u along 12 steps, rounded to float32 at each step.
      const size = Math.max(1, ...want.map(Math.abs))
      let worst = 0
      for (let j = 0; j < want.length; j++) worst = Math.max(worst, Math.abs(got[i][j] - want[j]))
      expect(worst, names[i]).toBeLessThan(2e-5 * size)
    })
    expect(wasm.memory()).toMatchObject({ buffers: 0, bytes: 0 })
  })
})

describe('cotangents of gates that are known to be 0 are not read', () => {
  const wasm = createBackendOn(new Engine({}))
  const some = cases.filter(({ u }) => u === 7)
  it.each(some.map((c) => [title(c), c] as const))('%s', (_, c) => {
    const [want, got] = [false, true].map((statesOnly) => run(wasm, { ...c, statesOnly }))
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
  it.each(cases.map((c, i) => [title(c), c, i] as const))('%s', (_, c, i) => {
    // Fifteen workers take their time to link a module, so some cases are enough for them.
    const [alone, ...shared] = (i % 6 === 0 ? backends : backends.slice(0, 3)).map((backend) => run(backend, { ...c, n: 4 * c.n + 3 }))
    for (const results of shared) for (const [i, values] of results.entries()) expect(values, names[i]).toEqual(alone[i])
  })
})

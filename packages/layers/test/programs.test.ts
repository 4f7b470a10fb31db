/**
 * Random models (programs/) that train: recorded, on two threads, saved and read again, and beside the reference. `COTANGENT_PROGRAMS=10000` runs a tenth as many
 * models; `COTANGENT_PROGRAMS_SEED` says which. A model that fails is shrunk, and printed.
 */
import { type Backend, createWasmBackend, keep, type OpDefinition, registry, type Tensor, type Vjp } from '@cotangent/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stepListener } from '../../core/src/step-listener.js'
import { assertPrograms } from '../../core/test/programs/assert.js'
import { threadedBackend } from '../../core/test/threads.js'
import { Dense } from '../src/index.js'
import { programs } from './programs/arbitrary.js'
import { checkProgram, type Places } from './programs/check.js'
import { type Program, printed } from './programs/program.js'

const count = Math.ceil(Number(process.env.COTANGENT_PROGRAMS ?? (process.env.COTANGENT_TESTS === 'all' ? 10_000 : 200)) / 10)
const seed = Number(process.env.COTANGENT_PROGRAMS_SEED ?? 20_261)

let places: Places
beforeAll(async () => {
  const { backend: two } = await threadedBackend({ threads: 2 })
  places = { one: createWasmBackend({ threads: 1 }), two }
})
afterAll(async () => {
  for (const backend of [places.one, places.two] as Backend[]) await backend.dispose?.()
})

test(
  `${count} models`,
  async () => {
    let [compared, moved, used] = [0, 0, 0]
    const layers = new Set<string>()
    await assertPrograms(programs, printed, { count, seed }, async (program) => {
      const verdict = await checkProgram(program, places)
      for (const { layer } of program.lines) layers.add(layer.split('(')[0])
      compared += verdict.compared
      moved += verdict.moved
      used = Math.max(used, verdict.used)
      return verdict
    })
    console.log(
      `models: ${count}, ${layers.size} kinds of layers; ${compared} results compared with the reference, ${moved} more that rounding moves by over 1 %; ` +
        `the largest error is ${used.toFixed(3)} of its bound`,
    )
    expect(compared).toBeGreaterThan(20 * moved)
  },
  240_000 + 2000 * count,
)

describe('it can fail', () => {
  const program: Program = {
    inputs: [{ shape: [3] }],
    lines: [
      { layer: "dense(4, { activation: 'tanh' })", args: [0] },
      { layer: 'dense(2)', args: [1] },
    ],
    sequential: true,
    optimizer: 'adam()',
    loss: 'mse',
    batch: 3,
    seed: 1,
  }
  /** The faults that are found while the rule of tanh is another. */
  async function foundWith(change: (dX: Tensor) => Tensor): Promise<string[]> {
    const tanh = registry.get('tanh') as OpDefinition
    const rule = tanh.vjp as Vjp<object>
    const changed: Vjp<object> = (at, inputs, ops) => rule(at, inputs, ops).map((thunk) => thunk && (() => change(thunk())))
    try {
      Object.assign(tanh, { vjp: changed })
      return (await checkProgram(program, places)).wrong
    } finally {
      Object.assign(tanh, { vjp: rule })
    }
  }

  test('not with the right rule', async () => {
    expect(await foundWith((dX) => dX)).toEqual([])
  })
  test('a derivative that is wrong by a thousandth', async () => {
    const wrong = await foundWith((dX) => (dX.dtype === 'float32' && dX.backend === places.one ? dX.mul(1.001) : dX))
    expect(wrong.at(-1)).toMatch(/^reference: weight .* after a step differs from the reference by/)
  })
  test('one that differs in its last bit on two threads, or when it is recorded', async () => {
    const last = 1 + 2 ** -23
    expect(await foundWith((dX) => (dX.backend === places.two ? dX.mul(last) : dX))).toEqual([
      expect.stringMatching(/^two threads: other bits in weight/),
    ])
    expect((await foundWith((dX) => (stepListener() ? dX.mul(last) : dX)))[0]).toMatch(/^recorded: other bits in weight/)
  })
  test('a tensor that is left', async () => {
    expect(await foundWith((dX) => (dX.backend === places.two ? keep(dX).add(0) : dX))).toContainEqual(
      expect.stringMatching(/^wasm 2: \d+ buffers/),
    )
  })
  test('a config that forgets an option', async () => {
    const { getConfig } = Dense.prototype
    try {
      Dense.prototype.getConfig = function forgetful() {
        return { ...getConfig.call(this), activation: 'linear' }
      }
      expect((await checkProgram(program, places)).wrong).toEqual([
        'saved: other bits in predictions',
        'saved: the next step has another loss',
      ])
    } finally {
      Dense.prototype.getConfig = getConfig
    }
  })
})

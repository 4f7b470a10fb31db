/**
 * Random programs of ops (programs/), with their first and second derivatives: on the reference, on wasm with one thread and two, recorded, and on the engines of
 * gpu.js that run on the host. `COTANGENT_PROGRAMS=10000` says how many; `COTANGENT_PROGRAMS_SEED` which. A program that fails is shrunk, and printed.
 */
import { transformSync } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as core from '../src/index.js'
import { type Backend, createGpuBackend, createWasmBackend, keep, registry, type Tensor, type Vjp } from '../src/index.js'
import { stepListener } from '../src/step-listener.js'
import { programs } from './programs/arbitrary.js'
import { assertPrograms } from './programs/assert.js'
import { checkProgram, type Places } from './programs/check.js'
import { printed } from './programs/print.js'
import { definitionOf, type Program } from './programs/program.js'
import { threadedBackend } from './threads.js'

const count = Number(process.env.COTANGENT_PROGRAMS ?? (process.env.COTANGENT_TESTS === 'all' ? 10_000 : 60))
const seed = Number(process.env.COTANGENT_PROGRAMS_SEED ?? 20_261)
/** The engines of gpu.js take ten times as long as wasm: they get each fifth program. */
const EACH = 5

let places: Places
let engines: Backend[] = []
beforeAll(async () => {
  engines = await Promise.all((['cpu', 'webasm'] as const).map((mode) => createGpuBackend({ mode })))
  const { backend: two } = await threadedBackend({ threads: 2 })
  places = { one: createWasmBackend({ threads: 1 }), two, others: [] }
})
afterAll(async () => {
  for (const backend of [...engines, places.one, places.two]) await backend.dispose?.()
})

test(
  `${count} programs`,
  async () => {
    let [compared, moved, used] = [0, 0, 0]
    const ops = new Set<string>()
    await assertPrograms(programs, printed, { count, seed }, async (program, run) => {
      const verdict = await checkProgram(program, { ...places, others: run % EACH === 0 ? engines : [] })
      for (const line of program) if ('op' in line) ops.add(line.op)
      compared += verdict.compared
      moved += verdict.skipped
      used = Math.max(used, verdict.used)
      return verdict
    })
    console.log(
      `programs: ${count}, ${ops.size} of ${registry.size} ops; ${compared} results compared, ${moved} more that rounding moves by over 1 %; ` +
        `the largest error is ${used.toFixed(3)} of its bound`,
    )
    expect(compared).toBeGreaterThan(5 * moved)
  },
  240_000 + 200 * count,
)

/** The faults that are found in tanh while its rule is another. */
async function foundWith(change: (dX: Tensor) => Tensor): Promise<string[]> {
  const tanh = definitionOf('tanh')
  const rule = tanh.vjp as Vjp<object>
  const changed: Vjp<object> = (at, inputs, ops) => rule(at, inputs, ops).map((thunk) => thunk && (() => change(thunk())))
  const program: Program = [
    { input: [3, 5], seed: 1 },
    { op: 'tanh', args: [0], options: {}, mode: 'value', by: 0 },
  ]
  try {
    Object.assign(tanh, { vjp: changed })
    return (await checkProgram(program, { ...places, others: engines })).wrong
  } finally {
    Object.assign(tanh, { vjp: rule })
  }
}

describe('it can fail', () => {
  test('not with the right rule', async () => {
    expect(await foundWith((dX) => dX)).toEqual([])
  })
  test('a derivative that is wrong by a thousandth on wasm', async () => {
    const wrong = await foundWith((dX) => (dX.backend === places.one ? dX.mul(1.001) : dX))
    expect(wrong[0]).toMatch(/^wasm: the gradient by input 0 differs from the reference by/)
  })
  test('one that is wrong by a thousandth on an engine of gpu.js', async () => {
    const wrong = await foundWith((dX) => (dX.backend === engines[1] ? dX.mul(1.001) : dX))
    expect(wrong[0]).toMatch(/^gpu:webasm: the gradient by input 0 differs/)
  })
  test('one that differs in its last bit on two threads', async () => {
    const wrong = await foundWith((dX) => (dX.backend === places.two ? dX.mul(1 + 2 ** -23) : dX))
    expect(wrong[0]).toMatch(/^two threads: the gradient by input 0 has other bits/)
  })
  test('one that differs in its last bit when it is recorded', async () => {
    const wrong = await foundWith((dX) => (stepListener() ? dX.mul(1 + 2 ** -23) : dX))
    expect(wrong[0]).toMatch(/^recorded: the gradient by input 0 has other bits/)
  })
  test('a tensor that is left', async () => {
    const wrong = await foundWith((dX) => (dX.backend === places.two ? keep(dX).add(0) : dX))
    expect(wrong[0]).toMatch(/^two threads: \d+ buffers, \d+ bytes and \d+ tensors are left/)
  })
  test('a failing program is shrunk to few lines, and printed so that it runs', async () => {
    const failing = assertPrograms(programs, printed, { count: 60, seed }, async (program) => ({
      wrong: program.some((line) => 'op' in line && line.op === 'mul') ? ['there is a mul'] : [],
    }))
    const message = await failing.catch((error: Error) => error.message)
    expect(message).toMatch(/program \d+ of seed \d+, shrunk \d+ times \(path [\d:]+\):\nError: there is a mul/)
    const text = String(message).slice(String(message).indexOf('import {'))
    expect(text.split('\n').filter((line) => line.includes("= op('")).length).toBeLessThan(13)
    const code = transformSync(text.replace(/^import .*$/m, ''), { loader: 'ts' }).code
    const lines: string[] = []
    new Function('core', 'console', `const { checkpoint, grad, jvp, registry, tensor } = core; ${code}`)(core, {
      log: (line: string) => lines.push(line),
    })
    expect(lines.length).toBeGreaterThan(2)
  })
})

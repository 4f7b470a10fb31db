/** The op sweep (sweep.ts) on the reference and on wasm, and a proof that it can fail. */
import { afterAll, describe, expect, test } from 'vitest'
import { createReferenceBackend, createWasmBackend, defineOp, registry } from '../src/index.js'
import { checkAgainstDifferences, compareOp, drawInputs, wasmTolerance } from './sweep.js'

const reference = createReferenceBackend()
const ops = [...registry.values()].filter((op) => op.samples.length > 0)

const wasm = createWasmBackend()

let cases = 0
let comparisons = 0
afterAll(() => {
  console.log(`op sweep: ${ops.length} ops × their samples = ${cases} cases; ${comparisons} derivatives against central differences`)
})

describe('reference: derivatives equal central differences, and forwards those backwards', () => {
  test.each(ops.map((op) => [op.name, op] as const))('%s', async (_, op) => {
    const before = reference.memory()
    for (const [i, sample] of op.samples.entries()) {
      cases++
      comparisons += await checkAgainstDifferences(op, sample, drawInputs(op, sample, i), reference)
    }
    expect(reference.memory(), 'leaked memory').toEqual(before)
  })
})

describe('wasm: values, gradients, second derivatives and tangents equal the reference', () => {
  test.each(ops.map((op) => [op.name, op] as const))('%s', async (_, op) => {
    expect((await compareOp(op, wasm, reference, wasmTolerance)).wrong).toEqual([])
  })
})

describe('the sweep can fail', () => {
  const broken = (name: string, wrong: number, wrongForwards = 1) => {
    defineOp({
      name,
      rule: 'dX = dY·(1 − y²), but wrong',
      shape: ([x]) => x,
      forward: (k, out, [x]) => k.map(out, x, 'tanh'),
      vjp: ({ dY, y }, _, { mul, sub, square }) => [() => mul(dY, mul(sub(1, square(y)), wrong))],
      jvp: ({ y }, _, { mul, sub, square }) => [(v) => mul(v, mul(sub(1, square(y)), wrong * wrongForwards))],
      samples: [{ inputs: [[3, 5]] }],
    })
    const op = registry.get(name)
    registry.delete(name)
    if (!op) throw new Error('not registered')
    return op
  }
  test('a derivative broken on purpose is found', async () => {
    const op = broken('brokenTanh', 1.001)
    await expect(checkAgainstDifferences(op, op.samples[0], drawInputs(op, op.samples[0], 0), reference)).rejects.toThrow(
      /brokenTanh: derivative for element 0 of input 0/,
    )
  })
  test('a derivative forwards that is broken alone is found', async () => {
    const op = broken('brokenForwards', 1, 1.001)
    await expect(checkAgainstDifferences(op, op.samples[0], drawInputs(op, op.samples[0], 0), reference)).rejects.toThrow(
      /brokenForwards: the tangent is .* forwards/,
    )
  })
  test('the same op with the right derivative passes', async () => {
    const op = broken('rightTanh', 1)
    expect(await checkAgainstDifferences(op, op.samples[0], drawInputs(op, op.samples[0], 0), reference)).toBe(30)
  })
})

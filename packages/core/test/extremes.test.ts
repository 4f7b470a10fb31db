/** The sweep at the edges (extremes.ts): each op on wasm and on gpu.js' engines, with infinities, NaN, and the largest and smallest numbers among its inputs. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createGpuBackend } from '../src/backends/gpu/index.js'
import { type Backend, createReferenceBackend, createWasmBackend, defineOp, type GpuMode, registry } from '../src/index.js'
import { allowed } from './allowed-differences.js'
import { type Closeness, covers, type Extent, edgeDifferences, type Kind, kinds } from './extremes.js'
import { withoutWebGpu } from './webgpu-node.js'

const reference = createReferenceBackend()
const ops = [...registry.values()].filter((op) => op.samples.length > 0)

/** gpu engines run only a part of the sweep, since they compile a kernel for each shape; this runs all of it. */
const everything = process.env.COTANGENT_GPU_TESTS === 'all'
const whole: Extent = { samples: everything ? 3 : 2, kinds: Object.keys(kinds) as Kind[], patterns: ['some', 'all'] }
const part: Extent = { samples: 1, kinds: ['infinity', 'minusInfinity', 'nan', 'largest'], patterns: ['some'] }

/** Functions are computed to a few units in the last place of float32. gpu.js' host engines may lose denormals. */
const closeness: Closeness = { relative: 1e-5, absolute: 3e-45 }
const withoutDenormals: Closeness = { relative: 1e-5, absolute: 2e-38 }

const used = new Set<unknown>()
let cases = 0

/** The differences that no row of the table allows. */
async function forbidden(op: (typeof ops)[number], backend: Backend, limits: Closeness, extent: Extent): Promise<string[]> {
  const found = await edgeDifferences(op, backend, reference, limits, extent)
  cases += found.cases
  const wrong = found.differences.filter((difference) => {
    const rows = allowed.filter((row) => covers(row, backend.name, difference))
    for (const row of rows) used.add(row)
    return rows.length === 0
  })
  return [...wrong.map(({ text }) => text), ...(found.leaked === 0 ? [] : [`leaked ${found.leaked} buffers`])]
}

describe('wasm at the edges', () => {
  // One thread is enough here: threads.test.ts checks that any number of threads gives the same bits.
  const wasm = createWasmBackend()
  test.each(ops.map((op) => [op.name, op] as const))('%s', async (_, op) => {
    expect(await forbidden(op, wasm, closeness, whole)).toEqual([])
  })
})

const modes: [GpuMode, string][] = [
  ['webasm', ''],
  ['cpu', ''],
  ['webgpu', withoutWebGpu || (everything ? '' : ' (skipped: COTANGENT_GPU_TESTS=all runs it)')],
]

describe.each(modes)('gpu: %s at the edges', (mode, without) => {
  let gpu: Backend | undefined
  beforeAll(async () => {
    if (!without) gpu = await createGpuBackend({ mode })
  })
  afterAll(() => gpu?.dispose?.())
  test.skipIf(without).each(ops.map((op) => [op.name, op] as const))(
    '%s',
    async (_, op) => {
      const extent = { ...(everything ? whole : part), normalOnly: mode === 'webgpu' }
      expect(await forbidden(op, gpu as Backend, withoutDenormals, extent)).toEqual([])
    },
    240_000,
  )
})

describe('the sweep at the edges can fail', () => {
  test('a function that makes 0 of ∞ on one backend is found', async () => {
    defineOp({
      name: 'brokenAtInfinity',
      rule: '(none)',
      shape: ([x]) => x,
      forward: (k, out, [x]) => k.map(out, x, out.backend.name === 'wasm' ? 'sin' : 'tanh'),
      vjp: 'none',
      samples: [{ inputs: [[]] }, { inputs: [[3, 5]] }],
    })
    const op = registry.get('brokenAtInfinity')
    registry.delete('brokenAtInfinity')
    if (!op) throw new Error('not registered')
    const found = await forbidden(op, createWasmBackend(), closeness, part)
    expect(
      found.some((text) => text.includes('brokenAtInfinity(Infinity), infinity in some of input 0: value [3] is NaN, reference 1')),
    ).toBe(true)
  })

  test('every allowed difference still occurs', () => {
    // gpu engines run a part of the sweep, in which some rows of the table are not needed.
    const needed = allowed.filter(({ backends }) => everything || backends.includes('wasm'))
    expect(needed.filter((row) => !used.has(row)).map(({ ops, reason }) => `${ops.join(', ')}: ${reason}`)).toEqual([])
    console.log(`sweep at the edges: ${ops.length} ops, ${cases} cases`)
  })
})

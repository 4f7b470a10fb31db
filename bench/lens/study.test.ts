/** Another kernel beside ours: wrong kernels are refused, and the example in this folder is right. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Engine, emitPacked, type FunctionBuilder, f32x4, i32, type ParameterLocals, type Tile, v128 } from '@cotangent/core/kernels'
import { afterAll, describe, expect, test } from 'vitest'
import { uniformValues } from '../random.js'
import { checkPacked, compareProduct } from './check.js'
import emitStreamed from './streamed-columns.js'
import { type Emit, study, VariantError } from './study.js'
import { loadVariant } from './variant-file.js'

const shape = { m: 7, k: 30, n: 21 }
const hasty = { turnMs: 0.1, leastPairs: 2, mostPairs: 2, quietPairs: 0 }
const page = (emit: Emit, tile?: Tile): string => study(shape, { name: 'it', emit, tile }, hasty)

test.each<Tile>([
  { mr: 1, nr: 4, unroll: 1 },
  { mr: 4, nr: 8, unroll: 2 },
  { mr: 3, nr: 12, unroll: 1 },
  { mr: 5, nr: 16, unroll: 3 },
])('our kernel and the example are right with the tile %j', (tile) => {
  const engine = new Engine({})
  for (const emit of [emitPacked, emitStreamed]) {
    const { packed } = engine.compile((module) => emit(module, tile))
    const { products, worst } = checkPacked(engine, packed, tile, { m: 200, k: 401, n: 30 })
    expect(products).toBe(10 * tile.mr + 1)
    expect(worst).toBeGreaterThan(0)
    expect(worst).toBeLessThanOrEqual(1)
  }
  engine.memory.dispose()
})

test('the page has both speeds, their ratio and the loop', async () => {
  const emit = await loadVariant(fileURLToPath(new URL('./streamed-columns.ts', import.meta.url)))
  const text = page(emit, { mr: 2, nr: 16, unroll: 1 })
  for (const part of ['it, tile 2 × 16, beside ours', 'checked    21 products', '8 fused', 'ours  ', 'this  ', '× ours; quiet ', 'loop\n'])
    expect(text).toContain(part)
})

describe('refused', () => {
  const parameters = { c: 'i32', a: 'i32', b: 'i32', m: 'i32', n: 'i32', k: 'i32', cRow: 'i32', accumulate: 'i32' } as const
  /** The source of a kernel that does one thing. */
  const only =
    (body: (f: FunctionBuilder, locals: ParameterLocals<typeof parameters>) => void, name = 'packed'): Emit =>
    (module) =>
      module.export(name, parameters, null, body)

  test.each<[string, Emit, RegExp]>([
    [
      'that reads panels of another height',
      (module, tile) => emitPacked(module, { ...tile, mr: tile.mr + 1 }),
      /^it is wrong, it is not timed: \[\d+, \d+\] · \[\d+, 1\]: element \[\d+, 0\] is \S+, and should be \S+\.$/,
    ],
    ['that does nothing', only(() => {}), /element \[0, 0\] is -12345, and should be/],
    [
      'that writes behind a row',
      only((f, { c, n }) => f.do(v128.store32Lane(i32.add(c, i32.shl(n, 2)), f.splat(2), 0))),
      /^it is wrong, it is not timed: it writes 2 at \[0, 1\] of a result with 1 columns\.$/,
    ],
    ['that traps', only((f) => f.do(v128.store(-16, f.splat(1)))), /memory access out of bounds/],
    [
      'that the engine refuses',
      only((f, { c }) => f.do(f32x4.add(c as never, f.splat(1)) as never)),
      /^it: wasm: the engine refused a kernel.*f32x4\.add/,
    ],
    [
      'whose emit throws',
      () => {
        throw new Error('not\nyet')
      },
      /^it: not yet$/,
    ],
    ['without the export', only(() => {}, 'product'), /^it must write the export "packed", it has product\.$/],
  ])('a kernel %s', (_, emit, message) => {
    expect(() => page(emit)).toThrow(VariantError)
    expect(() => page(emit)).toThrow(message)
  })

  const folder = mkdtempSync(join(tmpdir(), 'variant-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  test.each([
    ['missing.js', undefined, 'missing.js cannot be loaded'],
    ['constant.js', 'export default 3', 'constant.js must export a function (module, tile) as its default.'],
  ])('the file %s', async (name, content, message) => {
    if (content !== undefined) writeFileSync(join(folder, name), content)
    await expect(loadVariant(join(folder, name))).rejects.toThrow(message)
  })

  test('a difference larger than rounding, and not a smaller one', () => {
    const [a, b] = [uniformValues(1, 12), uniformValues(2, 12)]
    const right = Float32Array.from({ length: 9 }, (_, at) => {
      const [i, j] = [Math.floor(at / 3), at % 3]
      return [0, 1, 2, 3].reduce((sum, l) => sum + a[4 * i + l] * b[3 * l + j], 0)
    })
    const small = { m: 3, k: 4, n: 3 }
    expect(compareProduct(small, a, b, right)).toBeLessThan(1)
    const wrong = Float32Array.from(right)
    wrong[7] += 1e-5
    expect(() => compareProduct(small, a, b, wrong)).toThrow('[3, 4] · [4, 3]: element [2, 1] is')
    wrong[7] = Number.NaN
    expect(() => compareProduct(small, a, b, wrong)).toThrow('element [2, 1] is NaN')
  })
})

/** The disassembler on modules of core's assembler, and the inner loop of its matrix product. */
import { describe, expect, test } from 'vitest'
import { assemble } from '../../packages/core/src/backends/wasm/assembler/assembler.js'
import * as emitted from '../../packages/core/src/backends/wasm/assembler/instructions.js'
import { emitPacked, type Tile } from '../../packages/core/src/backends/wasm/product/gemm-kernel.js'
import { probeModule } from '../probes.js'
import { disassemble, listing } from './disassemble.js'
import { lens } from './lens.js'
import { microKernel } from './loops.js'

const { f32x4, i32, v128 } = emitted
const options = { shared: false, relaxed: true }

describe('disassemble', () => {
  test('a small function', () => {
    const bytes = assemble(options, (module) => {
      module.export('scale', { x: 'i32', n: 'i32' }, 'i32', (f, { x, n }) => {
        f.while(i32.gtS(n, 0), () => {
          f.do(v128.store(x, f.madd(v128.load(x, 16), f.splat(2), f.splat(-0.5)), 16))
          f.advance(n, -300)
        })
        return n
      })
    })
    const [scale] = disassemble(bytes)
    expect(listing(scale)).toEqual([
      'func scale (param i32 i32) (result i32)',
      '  locals 2 v128',
      '  v128.const 0 0 0 64 0 0 0 64 0 0 0 64 0 0 0 64  local.set 2',
      '  v128.const 0 0 0 191 0 0 0 191 0 0 0 191 0 0 0 191  local.set 3',
      '  local.get 1  i32.const 0  i32.gt_s  if',
      '    loop',
      '      local.get 0  local.get 0  v128.load offset=16  local.get 2  local.get 3  f32x4.relaxed_madd  v128.store offset=16',
      '      local.get 1  i32.const -300  i32.add  local.set 1',
      '      local.get 1  i32.const 0  i32.gt_s  br_if 0',
      '    end',
      '  end',
      '  local.get 1',
    ])
  })

  test('knows every instruction of the assembler without immediates', () => {
    const shapes = Object.entries({
      i32,
      i64: emitted.i64,
      f32: emitted.f32,
      f64: emitted.f64,
      v128,
      f32x4,
      i32x4: emitted.i32x4,
      f64x2: emitted.f64x2,
    })
    for (const [type, instructions] of shapes) {
      for (const [name, make] of Object.entries(instructions)) {
        if (/const|load|store|Lane/i.test(name)) continue
        const bytes = assemble(options, (module) => {
          module.export('one', { x: 'i32' }, null, (_, { x }) => {
            // The type of the operands does not matter to the reader.
            const value = (make as (...operands: unknown[]) => { emit(code: unknown): void })(x, x, x)
            return { type: 'i32', emit: (code) => value.emit(code) }
          })
        })
        const last = disassemble(bytes)[0].lines.at(-1)?.name ?? ''
        const words = name
          .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
          .toLowerCase()
          .replaceAll('_', '')
        expect(last.replaceAll('_', ''), `${type}.${name}`).toMatch(new RegExp(`\\.${words}`))
      }
    }
  })

  test('the probes, and a module it cannot read', () => {
    const [peak, , copy] = disassemble(probeModule(true))
    expect(peak.lines.filter(({ name }) => name === 'f32x4.relaxed_madd')).toHaveLength(48)
    expect(copy.parameters).toEqual(['i32', 'i32', 'i32'])
    const bytes = probeModule(true)
    bytes[bytes.lastIndexOf(0x1f)] = 0xff // a lane read out of a vector
    expect(() => disassemble(bytes)).toThrow('disassemble:')
    expect(() => disassemble(new Uint8Array(8))).toThrow('no WebAssembly module')
  })
})

describe('inner loop', () => {
  const tiles: [Tile, boolean][] = [
    [{ mr: 3, nr: 12, unroll: 1 }, true],
    [{ mr: 6, nr: 8, unroll: 4 }, true],
    [{ mr: 4, nr: 8, unroll: 1 }, false],
  ]
  test.each(tiles)('of the tile %j, fused %s', (tile, relaxed) => {
    const [packed] = disassemble(assemble({ shared: false, relaxed }, (module) => emitPacked(module, tile)))
    const { mr, nr, unroll } = tile
    expect(microKernel(packed)).toMatchObject({
      accumulators: (mr * nr) / 4,
      multiplyAdds: (unroll * mr * nr) / 4,
      fused: relaxed,
      vectorLoads: (unroll * nr) / 4,
      splats: unroll * mr,
    })
  })

  test.each([
    [{ m: 40, k: 100, n: 80 }, 'kernel "rows"'],
    [{ m: 2, k: 50, n: 60 }, 'kernel "strided"'],
    [{ m: 5, k: 50, n: 1 }, 'kernel "dot"'],
  ])('the page of %j', async (shape, kernel) => {
    const page = await lens(shape, 2)
    for (const part of [kernel, 'flops a byte', 'roof ', '% of the peak', 'loop\n', 'br_if 0']) expect(page).toContain(part)
  })
})

/** The engine detects relaxed SIMD and threads, and code compiled under V8 flags stays as it is after the flags are reset. */
import v8 from 'node:v8'
import { describe, expect, it, vi } from 'vitest'
import { compute, draws } from '../../../../test/wasm/harness.js'
import { v128 } from '../assembler/instructions.js'
import { createWasmBackend } from '../index.js'
import { Engine } from './engine.js'

/** A module of one function: it replaces the four floats at an address by x·y + z. */
const compileMadd = (engine: Engine) =>
  engine.compileOne((module) => {
    module.export('kernel', { at: 'i32' }, null, (f, { at }) => {
      f.do(v128.store(at, f.madd(v128.load(at), v128.load(at, 16), v128.load(at, 32))))
    })
  })

/** (1 + 2⁻¹²)² − 1 − 2⁻¹¹ is 2⁻²⁴ if the multiply-add is fused, and 0 if the product is rounded first. */
function roundsOnce(engine: Engine): boolean {
  const at = engine.memory.alloc(48)
  const { floats } = engine.memory
  floats.fill(1 + 2 ** -12, at / 4, at / 4 + 8)
  floats.fill(-1 - 2 ** -11, at / 4 + 8, at / 4 + 12)
  compileMadd(engine)(at)
  const result = floats[at / 4]
  expect([0, 2 ** -24]).toContain(result)
  return result !== 0
}

describe('Engine', () => {
  it('rounds twice without relaxed SIMD, whatever the machine', () => {
    expect(roundsOnce(new Engine({ relaxedSimd: false }))).toBe(false)
    expect(new Engine({ relaxedSimd: false }).relaxed).toBe(false)
  })

  it('runs relaxed code after the flags are reset, and compiles more of it', () => {
    const engine = new Engine({})
    const first = compileMadd(engine)
    const plain = new Engine({ relaxedSimd: false })
    expect(roundsOnce(plain)).toBe(false)
    const at = engine.memory.alloc(48)
    for (let i = 0; i < 1000; i++) first(at)
    expect(roundsOnce(engine)).toBe(roundsOnce(new Engine({})))
  })

  it('leaves the process’s flags as they were', () => {
    const relaxedValid = (): boolean => new Engine({ v8Flags: false }).relaxed
    const before = relaxedValid()
    compileMadd(new Engine({}))
    expect(relaxedValid()).toBe(before)
  })

  it('resets the flags when a compilation fails', () => {
    const engine = new Engine({})
    const before = new Engine({ v8Flags: false }).relaxed
    expect(() =>
      engine.compileOne((module) => {
        module.export('kernel', { x: 'i32' }, null, (f, { x }) => f.do({ emit: (code) => x.emit(code) })) // leaves a value
      }),
    ).toThrow('wasm')
    expect(new Engine({ v8Flags: false }).relaxed).toBe(before)
  })

  it('compiles nothing before a kernel is asked for', () => {
    const original = WebAssembly.Module
    let compiled = 0
    WebAssembly.Module = class extends original {
      constructor(bytes: Uint8Array) {
        super(bytes)
        compiled++
      }
    }
    try {
      const backend = createWasmBackend()
      const storage = { handle: backend.alloc(4, 'float32'), backend, dtype: 'float32' as const, size: 4, references: 1 }
      const x = { storage, shape: [4], dtype: 'float32' as const, size: 4 }
      expect(compiled).toBe(0)
      backend.kernels.fill(x, 1)
      backend.kernels.fill(x, 2)
      expect(compiled).toBe(1)
    } finally {
      WebAssembly.Module = original
    }
  })

  it('needs no shared memory', () => {
    const shared = globalThis.SharedArrayBuffer
    try {
      // @ts-expect-error: this is missing in a page that is not cross-origin isolated
      globalThis.SharedArrayBuffer = undefined
      const engine = new Engine({})
      expect(engine.memory.shared).toBe(false)
      roundsOnce(engine)
    } finally {
      globalThis.SharedArrayBuffer = shared
    }
  })

  it('computes the same bits with 256-bit instructions, or says once that there are none', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const [narrow, wide] = [false, true].map((simd256) => createWasmBackend({ simd256 }))
    expect(wide.info?.().simd256).toBe(Number.parseInt(process.versions.v8, 10) >= 13)
    expect(warn).toHaveBeenCalledTimes(wide.info?.().simd256 ? 0 : 1)
    warn.mockRestore()
    expect(narrow.info?.().simd256).toBe(false)
    for (const [m, k, n] of [
      [60, 401, 70],
      [131, 33, 257],
      [256, 256, 10],
      [1000, 40, 20],
      [5, 7001, 45],
    ]) {
      const inputs = [draws(1, m * k), draws(2, k * n), draws(3, n)]
      const [x, w, b] = [[m, k], [k, n], [n]].map((shape, i) => ({ shape, dtype: 'float32' as const, values: inputs[i] }))
      const [expected, actual] = [narrow, wide].map((backend) =>
        compute(backend, [m, n], 'float32', [x, w, b], (_, fused, out, ...operands) => {
          const [x, w, b] = operands
          fused.affine?.(out, x, w, b, true)
        }),
      )
      expect(actual).toEqual(expected)
    }
  })

  it('forbids flags when it is told to', () => {
    const set = vi.spyOn(v8, 'setFlagsFromString')
    roundsOnce(new Engine({ v8Flags: false }))
    expect(set).not.toHaveBeenCalled()
    roundsOnce(new Engine({}))
    expect(set).toHaveBeenCalled()
    set.mockRestore()
  })

  it('refuses use after dispose, and giving back twice', async () => {
    const backend = createWasmBackend()
    const storage = { handle: backend.alloc(4, 'float32'), backend, dtype: 'float32' as const, size: 4, references: 1 }
    backend.free(storage)
    expect(() => backend.free(storage)).toThrow('already')
    await backend.dispose!()
    expect(() => backend.alloc(1, 'float32')).toThrow('disposed')
  })
})

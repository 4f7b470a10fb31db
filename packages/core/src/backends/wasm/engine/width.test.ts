/** The self-test of 256-bit kernels: its checks do something, it finds differences, and what an engine makes of its verdict. */
import v8 from 'node:v8'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { assemble } from '../assembler/assembler.js'
import { activationCheck } from '../elementwise/activate.js'
import { mapCheck } from '../elementwise/map.js'
import { randomCheck } from '../elementwise/random.js'
import { updateCheck } from '../elementwise/update.js'
import { createBackendOn, createWasmBackend } from '../index.js'
import { productCheck } from '../product/gemm-kernel.js'
import { cellCheck } from '../recurrent/gradient-kernel.js'
import { fromInputsCheck } from '../recurrent/inputs-gradient-kernel.js'
import { convolutionCheck } from '../windows/conv-kernel.js'
import { winogradCheck } from '../windows/winograd-kernel.js'
import { Engine } from './engine.js'
import { CHECK_BYTES, type CompileCheck, checkWidth, type WidthCheck } from './width.js'

const checks = [
  productCheck,
  convolutionCheck,
  winogradCheck,
  cellCheck,
  fromInputsCheck,
  mapCheck,
  updateCheck,
  activationCheck,
  randomCheck,
]

/** Compiles both widths alike. */
const narrow: CompileCheck = (build, memory) => {
  const bytes = assemble({ shared: false, relaxed: false }, build)
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports as ReturnType<CompileCheck>
}

/** A check like this one whose wide code is wrong in one bit. */
const lying = (check: WidthCheck): WidthCheck => ({
  ...check,
  run(kernels, bytes) {
    check.run(kernels, bytes)
    if ('wide' in kernels) bytes[CHECK_BYTES - 1] ^= 1
  },
})

describe('checkWidth', () => {
  it.each(checks)('$name: writes finite results, and a single other bit is found', (check) => {
    let changed = 0
    const watched: WidthCheck = {
      ...check,
      run(kernels, bytes) {
        const before = bytes.slice()
        check.run(kernels, bytes)
        changed = bytes.reduce((count, byte, i) => count + Number(byte !== before[i]), 0)
        expect(new Float32Array(bytes.buffer).every(Number.isFinite)).toBe(true)
      },
    }
    expect(checkWidth(watched, false, false, narrow)).toBe('same bits')
    expect(changed).toBeGreaterThan(2000)
    expect(checkWidth(lying(check), false, false, narrow)).toBe('other bits')
  })

  it('compares two modules: V8 has one code for modules of the same bytes', () => {
    const modules: Uint8Array[] = []
    checkWidth(productCheck, false, false, (build, memory, wide) => {
      modules.push(assemble({ shared: false, relaxed: false }, build))
      return narrow(build, memory, wide)
    })
    expect(modules.length).toBe(2)
    expect(Buffer.compare(modules[0], modules[1])).not.toBe(0)
  })

  it.each([
    [1, 'not faster'],
    [1.1, 'not faster'],
    [1.9, 'same bits'],
  ] as const)('timed work that is %d times as fast: %s', (gain, verdict) => {
    let time = 0
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => time)
    const check: WidthCheck = {
      name: 'made up',
      timed: true,
      emit: () => undefined,
      run: (kernels) => {
        time += 'wide' in kernels ? 1 : gain
      },
    }
    try {
      expect(checkWidth(check, false, true, narrow)).toBe(verdict)
      expect(checkWidth(check, false, false, narrow)).toBe('same bits')
    } finally {
      clock.mockRestore()
    }
  })
})

describe('an engine', () => {
  const { setFlagsFromString } = v8
  const [versions, arch] = [process.versions, process.arch]
  /** Pretends to be a Node with this V8, whose flag for wide vectors is only noted. */
  function pretend(version: string, on = 'x64'): { flags: string[]; warnings: string[] } {
    const [flags, warnings] = [[] as string[], [] as string[]]
    Object.defineProperty(process, 'versions', { value: { ...versions, v8: version }, configurable: true })
    Object.defineProperty(process, 'arch', { value: on, configurable: true })
    vi.spyOn(console, 'warn').mockImplementation((text) => void warnings.push(text))
    vi.spyOn(v8, 'setFlagsFromString').mockImplementation((flag) => {
      if (flag.includes('revectorize')) flags.push(flag)
      else if (!flag.includes('wasm-deopt')) setFlagsFromString(flag) // a flag that this V8 may lack
    })
    return { flags, warnings }
  }
  afterEach(() => {
    vi.restoreAllMocks()
    Object.defineProperty(process, 'versions', { value: versions, configurable: true })
    Object.defineProperty(process, 'arch', { value: arch, configurable: true })
  })
  const untimed = { ...productCheck, timed: false }

  it('is 256 bits wide by default on tested versions, after its self-test', () => {
    for (const version of ['13.6', '14.6']) {
      const { flags } = pretend(version)
      const engine = new Engine({})
      engine.addWidthCheck(untimed)
      expect(flags).toEqual([])
      expect(engine.simd256).toBe(true)
      expect(flags).toEqual(['--experimental-wasm-revectorize', '--no-experimental-wasm-revectorize'])
      expect(engine.simd256).toBe(true)
      expect(flags.length).toBe(2)
      vi.restoreAllMocks()
    }
  })

  it.each([
    ['12.9', 'x64', undefined, false],
    ['13.6', 'x64', false, false],
    ['13.6', 'arm64', undefined, false],
    ['13.6', 'arm64', true, true],
    ['15.0', 'x64', undefined, false],
    ['15.0', 'x64', true, true],
  ] as const)('V8 %s on %s with simd256 %s: %s', (version, on, simd256, expected) => {
    const { flags, warnings } = pretend(version, on)
    const engine = new Engine({ simd256 })
    engine.addWidthCheck(untimed)
    expect(engine.simd256).toBe(expected)
    expect(flags.length).toBe(expected ? 2 : 0)
    expect(warnings).toEqual([])
  })

  it.each(['Deno', 'Bun'])('leaves %s alone unless it is asked', (name) => {
    pretend('13.6')
    vi.stubGlobal(name, {})
    const engines = [undefined, true].map((simd256) => new Engine({ simd256 }))
    vi.unstubAllGlobals()
    expect(engines.map(({ simd256 }) => simd256)).toEqual([false, true])
  })

  it.each([
    ['a wrong result', lying(productCheck), 'product: other bits'],
    [
      'an error',
      {
        ...productCheck,
        run: () => {
          throw new Error('unreachable executed')
        },
      },
      'product: Error: unreachable executed',
    ],
  ] as const)('goes on with 128 bits after %s, and says so once', (_, check, words) => {
    const { flags, warnings } = pretend('13.6')
    for (let i = 0; i < 2; i++) {
      const engine = new Engine({ simd256: true })
      const backend = createBackendOn(engine)
      engine.addWidthCheck(check)
      expect(backend.info?.().simd256).toBe(false)
      const before = flags.length
      engine.compile((module) => productCheck.emit(module), true)
      expect(flags.length).toBe(before)
    }
    expect(warnings).toEqual([expect.stringContaining(`failed their self-test (${words}), so kernels stay 128 bits wide`)])
  })

  it('stays silent where the flag does nothing', () => {
    const { warnings } = pretend('13.6')
    vi.spyOn(performance, 'now').mockReturnValue(0)
    expect(createWasmBackend().info?.().simd256).toBe(false)
    expect(warnings).toEqual([])
  })
})

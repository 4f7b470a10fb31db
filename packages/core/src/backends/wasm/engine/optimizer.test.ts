/** Kernels are optimised before their first call, and no flag that other modules feel stays or is even set. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import v8 from 'node:v8'
import { afterEach, expect, test, vi } from 'vitest'
import { assemble, call } from '../assembler/assembler.js'
import { i32 } from '../assembler/instructions.js'
import { Engine } from './engine.js'
import { optimizer } from './optimizer.js'

afterEach(() => void vi.restoreAllMocks())

test('the only flags are those that add instructions and that of the line that is read', () => {
  const flags = new Set<string>()
  const { setFlagsFromString } = v8
  vi.spyOn(v8, 'setFlagsFromString').mockImplementation((flag) => {
    flags.add(flag)
    setFlagsFromString(flag)
  })
  new Engine({}).compileOne((module) => module.export('kernel', { x: 'i32' }, 'i32', (_, { x }) => x))
  for (const flag of flags) expect(flag).toMatch(/^--(no-)?(allow-natives-syntax|experimental-wasm-(relaxed-simd|revectorize))$/)
  // The name is no longer read.
  expect(() => new Function('%WasmTierUpFunction(0)')).toThrow(SyntaxError)
})

test('inner functions are compiled, too, and are no kernels', () => {
  const { kernel, ...others } = new Engine({}).compile((module) => {
    const square = module.function({ x: 'i32' }, 'i32', (_, { x }) => i32.mul(x, x))
    module.export('kernel', { x: 'i32' }, 'i32', (_, { x }) => call(square, x))
  })
  expect([kernel(5), Object.keys(others)]).toEqual([25, []])
})

test('inner functions are exported only where they are asked for', () => {
  const exportsOf = (exportsAll: boolean): string[] => {
    const bytes = assemble({ shared: false, relaxed: false, exportsAll }, (module) => {
      const square = module.function({ x: 'i32' }, 'i32', (_, { x }) => i32.mul(x, x))
      module.export('kernel', { x: 'i32' }, 'i32', (_, { x }) => call(square, x))
    })
    const memory = new WebAssembly.Memory({ initial: 1 })
    return Object.keys(new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports)
  }
  expect([exportsOf(true), exportsOf(false)]).toEqual([['function 0', 'kernel'], ['kernel']])
})

/** The output of a program in a Node of its own. */
const printed = (program: string, ...flags: string[]): string =>
  execFileSync(process.execPath, [...flags, '--conditions=@cotangent/source', '--import', 'tsx', '--input-type=module', '-e', program], {
    encoding: 'utf8',
    stdio: 'pipe',
    env: { ...process.env, NODE_OPTIONS: '' },
  })
const from = (path: string): string => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)))

test('a host that makes no functions of texts optimises later, and says nothing', () => {
  const program = `
    import { createWasmBackend, tensor } from ${from('../../../index.ts')}
    console.log(String(await tensor([1, 2], { backend: createWasmBackend() }).add(1).data()))`
  expect(printed(program, '--disallow-code-generation-from-strings')).toBe('2,3\n')
})

test('kernels are compiled after V8 forgot the code of what was not called for a while', () => {
  const program = `
    import { Engine } from ${from('./engine.ts')}
    const compile = () => new Engine({}).compileOne((module) => module.export('kernel', {}, null, () => undefined))()
    compile()
    for (let i = 0; i < 10; i++) gc()
    compile()`
  // V8 says by which compiler each function went, and how long its body is.
  const said = printed(program, '--expose-gc', '--stress-flush-code', '--trace-wasm-compilation-times')
  expect(Array.from(said.matchAll(/using (\w+),.*bodysize 2 /g), ([, compiler]) => compiler)).toEqual(['TurboFan', 'TurboFan'])
})

test('modules of others are compiled as V8 likes, afterwards', () => {
  const program = `
    import { Engine } from ${from('./engine.ts')}
    new Engine({}).compileOne((module) => module.export('kernel', {}, null, () => undefined))
    const code = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 7, 5, 1, 1, 107, 0, 0, 10, 6, 1, 4, 0, 65, 1, 11]
    new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(code))).exports.k()
    // Functions are optimised by a thread of V8's.
    await new Promise((resolve) => setTimeout(resolve, 200))`
  const said = printed(program, '--trace-wasm-compilation-times')
  expect(Array.from(said.matchAll(/using (\w+),.*bodysize 4 /g), ([, compiler]) => compiler)).toEqual(['Liftoff'])
})

test('it is found once', () => {
  const never = () => {
    throw new Error('found again')
  }
  new Engine({}).compileOne((module) => module.export('kernel', { x: 'i32' }, 'i32', (_, { x }) => x))
  expect(optimizer(never)).toBeTypeOf('function')
})

/**
 * Hosts that are not quite Node: Deno, with and without permissions, and Bun. They are found on the path or named by COTANGENT_DENO and COTANGENT_BUN (npm has both, as
 * `deno` and `bun`); without them these tests are skipped and say so. Their peculiarities are also imitated in Node, below.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { Engine } from '../src/backends/wasm/engine/engine.js'
import { nodeSource } from '../src/backends/wasm/engine/worker-program.js'
import { environment } from '../src/platform.js'

const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'cotangent-hosts-'))
const program = join(folder, 'program.mjs')

beforeAll(async () => {
  await build({
    entryPoints: [join(import.meta.dirname, 'hosts-program.ts')],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['@cotangent/source'],
    external: ['gpu.js'],
    outfile: program,
    logLevel: 'silent',
  })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const { COTANGENT_DENO: deno = 'deno', COTANGENT_BUN: bun = 'bun', COTANGENT_THREADS: _, ...rest } = process.env
const env = { ...rest, NO_COLOR: '1' }

/** The output of the program in a host; it may print nothing else. */
async function printed(command: string, args: readonly string[]): Promise<unknown> {
  const { stdout, stderr } = await run(command, [...args, program], { env, timeout: 120_000 })
  expect(stderr).toBe('')
  return JSON.parse(stdout)
}

const hosts = [
  ['Node', process.execPath, []],
  ['Deno without permissions', deno, ['run', '--no-prompt']],
  ['Deno with all permissions', deno, ['run', '--allow-all']],
  ['Bun', bun, ['run']],
] as const
const present = new Map<string, boolean>()
for (const [, command] of hosts)
  if (!present.has(command))
    present.set(
      command,
      await run(command, ['--version']).then(
        () => true,
        () => false,
      ),
    )

describe.each(hosts)('%s', (name, command, args) => {
  test.skipIf(!present.get(command))(
    `has Node's bits, on one thread and on two${present.get(command) ? '' : ` (skipped: no ${name.split(' ')[0]} here)`}`,
    async () => {
      const there = (await printed(command, args)) as { one: { bits: string }; two: { bits: string; helped: boolean } }
      expect(there).toMatchObject({ one: { helped: false }, two: { helped: true }, sum: 6, backend: 'wasm' })
      expect(there.two.bits).toBe(there.one.bits)
      expect(there.one.bits).toBe(((await printed(process.execPath, [])) as typeof there).one.bits)
    },
  )
})

test('an environment that may not be read is an empty one', () => {
  const before = Object.getOwnPropertyDescriptor(process, 'env') as PropertyDescriptor
  const closed = new Proxy(
    {},
    {
      get: (_, name) => {
        throw new Error(`Requires env access to "${String(name)}"`)
      },
    },
  )
  try {
    Object.defineProperty(process, 'env', { value: closed, configurable: true })
    expect(environment('COTANGENT_THREADS')).toBeUndefined()
  } finally {
    Object.defineProperty(process, 'env', before)
  }
})

test('workers whose port cannot be read at once hear by turns of the event loop', async () => {
  const threads = process.getBuiltinModule('node:worker_threads')
  const unreadable = "require('node:worker_threads').receiveMessageOnPort = () => { throw new TypeError('not a MessagePort') };"
  const started: string[] = []
  class Worker extends threads.Worker {
    constructor(source: string, options: object) {
      started.push(source)
      super(unreadable + source, options)
    }
  }
  const builtin = vi
    .spyOn(process, 'getBuiltinModule')
    .mockImplementation(((id: string) => (id === 'node:worker_threads' ? { ...threads, Worker } : undefined)) as never)
  const engine = new Engine({ threads: 2 })
  builtin.mockRestore()
  try {
    expect(started).toEqual([nodeSource])
    const { pool } = engine
    if (!pool) throw new Error('no pool')
    pool.choice.always = true
    engine.splitAbove = 0
    const { createBackendOn } = await import('../src/backends/wasm/index.js')
    const { ones, withBackend } = await import('../src/index.js')
    const x = withBackend(createBackendOn(engine), () => ones([256, 256]))
    for (let i = 0; i < 500 && pool.helped === 0; i++) {
      expect(await x.matMul(x).max().item()).toBe(256)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect(pool.helped).toBeGreaterThan(0)
    expect(pool.threads).toBe(2)
  } finally {
    await engine.pool?.stop()
  }
})

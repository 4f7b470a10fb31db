/** The six certified trainings have the bits of certificates.json, whatever runs them. */
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tested, without } from '../../../core/test/browser/browsers.js'
import { type Headers, isolated, openSite, type Site, strict } from '../../../core/test/browser/harness.js'
import certificates from './certificates.json' with { type: 'json' }
import * as here from './trainings.js'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../../../..')
const { certify, certifyAll, EPOCHS, sha256Of, trainingNames } = here

describe('in this Node', () => {
  test.each(trainingNames)('%s: steps are recorded, or eager if compile says so', async (name) => {
    const recorded = await certify(name)
    expect(recorded).toMatchObject({ sha256: certificates[name], steps: { recorded: true }, threads: 1 })
    expect(await certify(name, { eager: true })).toMatchObject({ sha256: certificates[name], steps: { recorded: false } })
  })

  test.each([2, 3, 16])('%i threads, which share all that can be shared', async (threads) => {
    for (const name of trainingNames) {
      const found = await certify(name, { threads })
      expect(found).toMatchObject({ sha256: certificates[name], threads })
      expect(found.helped).toBeGreaterThan(0)
    }
  })

  test.each(Array.from({ length: EPOCHS - 1 }, (_, i) => i + 1))('saved after epoch %i, loaded and trained on', async (stopAfter) => {
    expect(await certifyAll({ stopAfter })).toEqual(certificates)
    if (stopAfter === 2) expect(await certifyAll({ stopAfter, format: 'h5' })).toEqual(certificates)
  })

  test('another network has other bits, and a NaN is always the same', async () => {
    expect(new Set(Object.values(certificates)).size).toBe(trainingNames.length)
    const odd = new Float32Array(new Uint32Array([0xffc00001]).buffer)
    expect(await sha256Of([odd])).toBe(await sha256Of([Float32Array.of(Number.NaN)]))
    expect(await sha256Of([Float32Array.of(-0)])).not.toBe(await sha256Of([Float32Array.of(0)]))
  })
})

test('docs/trust.md shows them', () => {
  const page = readFileSync(join(root, 'docs/trust.md'), 'utf8')
  for (const name of trainingNames) expect(page).toContain(`| ${name} | ${here.trainings[name].title} | \`${certificates[name]}\` |`)
})

const nodes = ['22', '24', '26'].map((major) => join(root, `.nodes/node_modules/node-${major}/bin/node`)).filter((path) => existsSync(path))
const { COTANGENT_DENO: deno = 'deno', COTANGENT_BUN: bun = 'bun' } = process.env
const isHere = (command: string): boolean => spawnSync(command, ['--version']).status === 0
const hosts: [command: string, args: string[]][] = [
  ...nodes.map((node): [string, string[]] => [node, []]),
  ...(isHere(deno) ? [[deno, ['run', '--no-prompt']] as [string, string[]]] : []),
  ...(isHere(bun) ? [[bun, ['run']] as [string, string[]]] : []),
]

// npm run nodes:install brings other versions of Node; Deno and Bun are looked for on the path.
describe.skipIf(hosts.length === 0)('in other hosts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cotangent-certificates-'))
  const program = join(folder, 'program.mjs')
  beforeAll(async () => {
    await build({
      stdin: {
        contents: `import { certifyAll } from './trainings.ts'
          const ways = [{}, { threads: 2, eager: true }, { stopAfter: 3 }, { threads: 2, stopAfter: 1 }]
          const found = []
          for (const way of ways) found.push(await certifyAll(way))
          console.log(JSON.stringify(found))`,
        resolveDir: import.meta.dirname,
        loader: 'ts',
      },
      bundle: true,
      format: 'esm',
      target: 'es2022',
      conditions: ['@cotangent/source'],
      external: ['gpu.js', 'node:*'],
      outfile: program,
      logLevel: 'silent',
    })
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test.each(hosts)('%s', async (command, args) => {
    const { stdout } = await run(command, [...args, program], { env: { ...process.env, NO_COLOR: '1' } })
    expect(JSON.parse(stdout)).toEqual(Array(4).fill(certificates))
  })
})

describe.each(tested)('in %s', (browser) => {
  const lacks = without(browser)
  let site: Site<Pick<typeof here, 'certifyAll'>>
  beforeAll(async () => {
    if (!lacks) site = await openSite(new URL('./trainings.ts', import.meta.url), { browser })
  })
  afterAll(() => site?.close())

  const inWorkers: Headers = { ...isolated, 'Content-Security-Policy': "script-src 'self' 'wasm-unsafe-eval' blob:" }
  test.skipIf(lacks).each([
    ['not isolated, script-src self', strict, 'call', [{}, { eager: true }, { stopAfter: 2 }]],
    ['isolated, two threads', isolated, 'call', [{ threads: 2 }]],
    ['in a worker, with threads of its own, script-src self and blob', inWorkers, 'callInWorker', [{ threads: 2, stopAfter: 1 }]],
  ] as const)(`%s${lacks}`, async (_, headers, call, ways) => {
    const page = await site.open(headers)
    for (const way of ways) expect(await page[call]('certifyAll', way)).toEqual(certificates)
    expect(page.said).toEqual([])
    await page.close()
  })
})

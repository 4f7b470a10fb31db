/** The documentation runs: docs/, the READMEs, and the examples in doc comments. snippets.ts says what is checked and how. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as core from '@cotangent/core'
import * as coreGpu from '@cotangent/core/gpu'
import * as datasets from '@cotangent/datasets'
import * as layers from '@cotangent/layers'
import * as files from '@cotangent/layers/node'
import * as reports from '@cotangent/layers/report'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { pictureModule, textOf } from '../../docs/site/parts/code-cell/pictures.js'
import { backprop } from './backprop.js'
import { listing } from './kernel.js'
import { preludeFor } from './prelude.js'
import { type Block, blocksOf, examplesOf, isPrinted, misquoted, runSnippet } from './snippets.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const modules = {
  '@cotangent/core': core,
  '@cotangent/core/gpu': coreGpu,
  '@cotangent/layers': layers,
  '@cotangent/layers/node': files,
  '@cotangent/layers/report': reports,
  '@cotangent/datasets': datasets,
}
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const filesIn = (folder: string, ending: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending) && !/\.test\.ts$|\.d\.ts$|node_modules/.test(name))
    .map((name) => join(folder, name))
    .sort()

/** Code that cannot run by itself, by file and first line, with the reason. */
const cannotRun: Readonly<Record<string, string>> = {
  'packages/core/src/backends/index.ts: configure({ relaxedSimd: false })': 'settles the engine, which runs already',
  'packages/layers/src/training/batches.ts: for (const [x, y] of batches(xTrain': 'orders 60000 samples, more than the test has',
  'packages/layers/src/report/report-into.ts: const element': 'for a page',
  'packages/datasets/README.md: const { xTest } = await mnist.loadData({ baseUrl: ': 'for a page that serves the files',
}

// Examples write files to the current directory.
const [home, scratch] = [process.cwd(), mkdtempSync(join(tmpdir(), 'cotangent-docs-'))]
beforeAll(() => process.chdir(scratch))
afterAll(() => {
  process.chdir(home)
  rmSync(scratch, { recursive: true })
})

// The same digits on every machine. It must come before the first tensor.
core.configure({ relaxedSimd: false })

const count = { run: 0, skipped: 0, expectations: 0 }
afterAll(() => console.log(`documentation: ${count.run} snippets run, ${count.skipped} skipped, ${count.expectations} values compared`))
afterEach(() => core.useBackend('wasm'))

/** @returns what the code prints; pictures as text */
async function run(code: string, given: Record<string, unknown>): Promise<string> {
  const printed: string[] = []
  const say = (text: string): void => void printed.push(text)
  const quiet = [vi.spyOn(console, 'log').mockReturnValue(), vi.spyOn(process.stdout, 'write').mockReturnValue(true)] // progress lines of fit
  try {
    const page = pictureModule((picture) => say(textOf(picture)))
    count.expectations += await runSnippet(code, given, { ...modules, page }, say)
    count.run++
    return printed.join('\n')
  } finally {
    for (const spy of quiet) spy.mockRestore()
  }
}

function skip(name: string, reason: string): void {
  count.skipped++
  test.skip(`${name} (${reason})`, () => undefined)
}

/** The output of the programs that the documentation quotes; each program runs once. */
const outputs: Record<string, () => Promise<string>> = {
  backprop: async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined)
    try {
      await backprop.run()
      return log.mock.calls.map(([text]) => String(text)).join('\n')
    } finally {
      log.mockRestore()
    }
  },
  kernel: async () => (await listing((x) => x.square())).join('\n'),
}
const printed = new Map<string, Promise<string>>()
function outputOf(program: string): Promise<string> {
  const make = outputs[program]
  if (!make) throw new Error(`There is no program "${program}" to quote from: ${Object.keys(outputs).join(', ')}.`)
  const known = printed.get(program) ?? make()
  printed.set(program, known)
  return known
}

/** Replaces rounding errors such as 5e-12, whose digits may change with the version of the engine. */
const steady = (text: string): string => text.replaceAll(/ +\de-\d+/g, ' ~')

/** The entries of `cannotRun` that were met. */
const met = new Set<string>()
function reasonToSkip(path: string, text: string): string | undefined {
  const known = Object.keys(cannotRun).find((entry) => `${path}: ${text.trim()}`.startsWith(entry))
  if (known) met.add(known)
  return known && cannotRun[known]
}

/** @param printed what the document says that the block prints */
function testBlock(path: string, { language, info, text, line }: Block, before: string, printed?: string): void {
  const reason = info['no-run'] ?? reasonToSkip(path, text)
  const name = `line ${line}: ${text.trim().split('\n')[0].slice(0, 60)}`
  if ('source' in info) test(`${name} (from ${info.source})`, () => expect(misquoted(text, read(info.source))).toBeUndefined())
  else if ('run' in info)
    test(`${name} (printed)`, async () => expect(misquoted(steady(text), steady(await outputOf(info.run)))).toBeUndefined())
  else if (language === 'ts' && reason) skip(name, reason)
  else if (language === 'ts')
    test(name, async () => {
      const actual = await run(before + text, {})
      if (printed !== undefined) {
        count.expectations++
        if (!isPrinted(printed, actual)) expect(actual).toBe(printed)
      }
    })
}

const documents = ['.', ...['core', 'layers', 'datasets'].map((name) => join('packages', name))]
  .flatMap((folder) => readdirSync(join(root, folder)).flatMap((name) => (name === 'README.md' ? [join(folder, name)] : [])))
  .concat(filesIn('docs', '.md'), filesIn('examples', 'README.md'))

for (const path of documents) {
  describe(path, () => {
    let before = ''
    const blocks = blocksOf(read(path))
    for (const [i, block] of blocks.entries()) {
      if ('printed' in block.info) continue
      if (!('continued' in block.info)) before = ''
      const next = blocks[i + 1]
      testBlock(path, block, before, next && 'printed' in next.info ? next.text : undefined)
      if (block.language === 'ts' && !('source' in block.info) && !('no-run' in block.info)) before += block.text
    }
    test('has a title', () => expect(read(path)).toMatch(/^# /m))
  })
}

/** Names that are public inside a namespace, such as `losses.getLoss`; the examples in losses/index.ts say `getLoss`. */
const inNamespaces = { ...layers.activations, ...layers.initializers, ...layers.losses, ...layers.metrics }

describe('examples in doc comments', () => {
  for (const [name, own] of Object.entries({ core, layers, datasets })) {
    for (const path of filesIn(`packages/${name}/src`, '.ts')) {
      for (const { text, line, info } of examplesOf(read(path))) {
        const reason = info['no-run'] ?? reasonToSkip(path, text)
        const title = `${path}:${line}  ${text.trim().split('\n')[0]}`
        if (reason) skip(title, reason)
        else {
          test(title, async () => {
            // The names that users import come first. So an example with an inner name that differs from the public one fails.
            const inner: Record<string, unknown> = await import(/* @vite-ignore */ pathToFileURL(join(root, path)).href)
            await run(text, { ...inNamespaces, ...inner, ...core, ...layers, ...own, ...preludeFor(text, layers) })
          })
        }
      }
    }
  }
  test('the list of those that cannot run is up to date', () => expect([...met].sort()).toEqual(Object.keys(cannotRun).sort()))
})

describe('the checks themselves', () => {
  const expectFailure = (code: string): Promise<unknown> => expect(runSnippet(code, {}, modules)).rejects.toThrow(/expected/)

  test('find what is wrong', async () => {
    await expectFailure('console.log(1 + 1)   // 3')
    await expectFailure('if (1 > 2) console.log(1)   // 1')
    await expectFailure("import { zeros } from '@cotangent/core'\nconst x = zeros([2, 3])   // [3, 2]")
    await expectFailure('console.log(Math.PI)   // ≈ 3.15')
    await expectFailure('const p = { q: [1] }   // p.q[0] = 2')
    expect(isPrinted('loss 0.52\nend', 'loss 0.54\nend')).toBe(false)
    expect(misquoted('b\nc', 'a\nb\nd\nc')).toMatch(/not there/)
    expect(misquoted('d\n…\nb', 'a\nb\nd\nc')).toMatch(/not there/)
  })

  test('let pass what is right', async () => {
    await expect(runSnippet('console.log([1, 2], Math.PI)   // ≈ [1, 2] 3.14', {}, {})).resolves.toBe(1)
    await expect(runSnippet('console.log("a\\n b")   // a\n                       //  b', {}, {})).resolves.toBe(1)
    await expect(runSnippet('const a: number = 1 // a remark\nif (a) console.log(a)', {}, {})).resolves.toBe(0)
    expect(isPrinted('loss  ▁█  \n 3\n', 'loss  ▁█\n 3')).toBe(true)
    expect(misquoted('b\n…\n  c', '  a\n  b\n  d\n    c')).toBeUndefined()
    expect(blocksOf('```ts source=a.ts continued\nx\n```\n')[0].info).toEqual({ source: 'a.ts', continued: '' })
  })
})

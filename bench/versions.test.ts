/** Several interpreters of Python in one run, and the table of several runs; with made-up figures and interpreters. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { libraryEntry, takesPart } from './adapter.js'
import { parseCommandLine, UsageError } from './cli.js'
import { markdown } from './markdown.js'
import { peerVersions, pythonOf, pythonsIn, pythonsWith, pythonsWithout, usePythons } from './peers.js'
import { type RecordRow, type RunRecord, recordRows } from './records.js'
import { table } from './report.js'
import { timeWorkload } from './rounds.js'
import { mergeVersions, versionsTable } from './versions.js'
import { commands } from './workloads.js'

const folder = mkdtempSync(join(tmpdir(), 'cotangent-versions-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('interpreters', () => {
  /** An interpreter that says this version of every module; without one it has none. */
  function python(name: string, version?: string): string {
    const path = join(folder, name)
    writeFileSync(path, version === undefined ? '#!/bin/sh\nexit 1\n' : `#!/bin/sh\necho ${version}\n`)
    chmodSync(path, 0o755)
    return path
  }
  afterEach(() => usePythons(pythonsIn(process.env.PYTHON)))

  test.skipIf(process.platform === 'win32')('of several that are named, each version takes part once', () => {
    const [old, fresh, same, without] = [python('old', '1.13.1'), python('new', '2.6.0+debian'), python('same', '2.6.0'), python('without')]
    usePythons([old, fresh, same, without])
    expect(pythonsWith('torch')).toEqual([
      { python: old, version: '1.13.1' },
      { python: fresh, version: '2.6.0' },
    ])
    expect(peerVersions('torch')).toEqual({ torch: '1.13.1 and 2.6.0' })
    expect(pythonsWithout('torch')).toEqual([without])
    expect(pythonOf('torch', 'torch-2@2.6.0')?.python).toBe(fresh)
    expect(pythonOf('torch', 'torch-2')?.python).toBe(old)
    usePythons([fresh])
    expect(pythonsWith('torch')).toEqual([{ python: fresh, version: '2.6.0' }])
  })

  test('a version is part of the title and of the name in JSON', () => {
    expect(libraryEntry('torch-2@2.6.0')).toMatchObject({
      title: 'torch 2.6.0, 2 threads',
      recordedAs: 'torch 2.6.0',
      peer: 'torch',
      threads: 2,
    })
    expect(libraryEntry('numpy@1.24.2')).toMatchObject({ title: 'NumPy 1.24.2', recordedAs: 'numpy 1.24.2' })
    expect(takesPart('torch-1@2.6.0', commands.operations[0])).toBe(false)
  })

  test('rows and columns of a run are by version', async () => {
    const entrant = (library: string, ms: number) => ({
      library,
      async prepare() {},
      run: async (n: number) => ({ ms: n * ms, value: 1 }),
      close() {},
    })
    const names = [entrant('cotangent-core', 2), entrant('torch-1@1.13.1', 3), entrant('torch-2@1.13.1', 1), entrant('torch-1@2.6.0', 4)]
    const result = await timeWorkload(commands.kernels[0], names, { rounds: 1, steps: 1, seed: 7 })
    expect(table(result)).toContain('torch 1.13.1, 2 threads')
    expect(recordRows('kernels', result).map(({ library, threads }) => [library, threads])).toEqual([
      ['cotangent-core', 1],
      ['torch 1.13.1', 1],
      ['torch 1.13.1', 2],
      ['torch 2.6.0', 1],
    ])
    const report = {
      command: 'kernels',
      machine,
      load: { before: [1], after: [1] },
      versions: {},
      seed: 7,
      rounds: 1,
      startedAt: '2026-01-02',
      notes: [],
    }
    const [head] = markdown({ ...report, results: [result] })
      .split('\n')
      .filter((line) => line.startsWith('| row'))
    expect(head).toContain('| torch 1.13.1 | torch 2.6.0, 1 thread |')
  })
})

const machine = { cpu: 'Abacus', cores: 2, memoryGiB: 1, platform: 'linux x64', node: 'v20.1.0', v8: '11', simd256: false }
const row = (library: string, threads: number, median: number, more: Partial<RecordRow> = {}): RecordRow => ({
  suite: 'models',
  name: 'mlp',
  shape: '784–10',
  library,
  threads,
  unit: 'ms',
  min: median - 1,
  median,
  max: median + 1,
  best: median - 1,
  ...more,
})
const run = (node: string, rows: RecordRow[], cpu = 'Abacus'): RunRecord => ({
  machine: { ...machine, cpu, node, load: { before: [0.5], after: [1.5] } },
  versions: { cotangent: '0.1.0' },
  date: '2026-01-02T03:04:05.000Z',
  rows,
})
const first = run('v20.1.0', [
  row('cotangent', 1, 20),
  row('cotangent', 2, 10),
  row('cotangent-core', 1, 5),
  row('torch 1.13.1', 1, 12),
  row('torch 1.13.1', 2, 8),
  row('torch 2.6.0', 1, 15),
  row('tfjs-cpu', 1, 5000, { scaledFrom: 4 }),
  row('jax-js', 1, 90),
  row('tfjs-wasm', 1, 1, { error: 'wrong result' }),
])
const second = run('v24.1.0', [
  row('cotangent-256', 2, 5),
  row('torch 2.6.0', 1, 15),
  row('cotangent-core', 1, 8, { name: 'exp', unit: 'GB/s' }),
  row('torch 2.6.0', 1, 4, { name: 'exp', unit: 'GB/s' }),
])

describe('the table of several runs', () => {
  test('ours is the fastest with layers, a peer its fastest, and ratios stay in a run', () => {
    const lines = versionsTable([first, second]).split('\n')
    expect(lines.filter((line) => line.startsWith('|'))).toEqual([
      '| row | shape | Node 20.1.0: ours | torch 1.13.1 ÷ ours | torch 2.6.0 ÷ ours | best JS peer ÷ ours | Node 24.1.0: ours | torch 2.6.0 ÷ ours |',
      '| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |',
      '| models mlp | 784–10 | **10.0** (9.00–11.0) ms, 2 threads | **0.800**, best 0.778 (2 threads) | **1.50**, best 1.56 (1 thread) | **9.00**, best 9.89 (jax-js, 1 thread) | **5.00** (4.00–6.00) ms, 2 threads, 256 bits | **3.00**, best 3.50 (1 thread) |',
      '| models exp | 784–10 | – | – | – | – | **8.00** (7.00–9.00) GB/s, 1 thread | **2.00**, best 2.33 (1 thread) |',
    ])
    expect(lines).toContain('- Node v20.1.0: 2026-01-02, Abacus, 2 cores, load 0.5 before, 1.5 after; cotangent 0.1.0')
    expect(lines.join()).not.toContain('Different machines')
    expect(versionsTable([first, run('v24.1.0', [], 'Quipu')])).toContain('Different machines')
  })

  test('files are merged; one that is no record is refused in a line', () => {
    const [good, bad] = [join(folder, 'a.json'), join(folder, 'b.json')]
    writeFileSync(good, JSON.stringify(first))
    writeFileSync(bad, '{}')
    expect(mergeVersions([good, good])).toBe(versionsTable([first, first]))
    expect(() => mergeVersions([good, bad])).toThrow(UsageError)
    expect(() => mergeVersions([good, bad])).toThrow('versions: ')
  })

  test('the command line', () => {
    const asked = parseCommandLine(['versions', '--nodes', 'a, b', '--only', 'A', '--python=p,q', '--markdown', 'm.md'])
    expect(asked).toEqual({ kind: 'versions', files: [], nodes: ['a', 'b'], flags: ['--only', 'A', '--python', 'p,q'], markdown: 'm.md' })
    expect(parseCommandLine(['versions', 'a.json', 'b.json'])).toEqual({ kind: 'versions', files: ['a.json', 'b.json'], flags: [] })
    expect(parseCommandLine(['models', '--python', 'p'])).toMatchObject({ options: { pythons: ['p'] } })
    for (const [args, words] of [
      [['versions', '--only', 'nothing'], 'models has no row'],
      [['versions', 'a.json', '--only', 'A'], 'versions of files takes no flags but --markdown'],
      [['versions', '--json', 'a'], 'versions takes no flags but'],
      [['models', '--nodes', 'a'], '--nodes is a flag of versions'],
      [['models', '--python', ','], '--python takes interpreters'],
    ] as const)
      expect(() => parseCommandLine([...args])).toThrow(words)
  })
})

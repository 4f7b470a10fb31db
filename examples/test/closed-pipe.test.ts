/** Every command ends quietly when its reader leaves early, as `| head -1` does. Those of the bench that take longer are in bench/closed-pipe.test.ts. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { headOf } from './head.js'

const root = resolve(import.meta.dirname, '../..')
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
const programs = Object.values(scripts).flatMap((script) => /node .*?(\S+\.ts)$/.exec(script)?.[1] ?? [])
const folder = mkdtempSync(join(tmpdir(), 'cotangent-pipe-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('there are no programs but those below', () => {
  const here = [
    'examples/start.ts',
    'examples/run.ts',
    'examples/reproduce/run.ts',
    'examples/picture.ts',
    'bench/run.ts',
    'packages/layers/test/fuzz/run.ts',
  ]
  expect(programs.sort()).toEqual(here.sort())
})

// Also picture.ts, which trains before it prints its only line.
test.each(programs)('%s has the handler', (program) => {
  expect(readFileSync(join(root, program), 'utf8')).toMatch(/^ *endWithReader\(\)$/m)
})

test.each([
  ['examples/run.ts', []],
  ['examples/run.ts', ['backprop']],
  ['examples/start.ts', ['--epochs', '1', '--limit', '256']],
  ['examples/reproduce/run.ts', ['--help']],
  ['examples/reproduce/run.ts', ['--quick', '--only', 'mnist-mlp']],
  ['packages/layers/test/fuzz/run.ts', ['npy', '--mutants', '4', '--processes', '1']],
  ['bench/run.ts', ['--help']],
  ['bench/run.ts', ['lens', 'matMul', '8x8x8']],
])('%s %j ends quietly when its reader leaves', async (file, args) => {
  const { code, first, said } = await headOf(file, args, { COTANGENT_RESULTS: join(folder, 'results') })
  expect(first).not.toBe('')
  expect({ code, said }).toEqual({ code: 0, said: '' })
})

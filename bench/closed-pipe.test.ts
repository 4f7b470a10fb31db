/** The bench's subcommands end quietly when their reader leaves early, also where other processes do the work. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { headOf } from '../examples/test/head.js'
import { peerVersions } from './peers.js'

const short = ['--rounds', '1', '--steps', '1']
const folder = mkdtempSync(join(tmpdir(), 'cotangent-bench-pipe-'))
const file = join(folder, 'figures.json')

beforeAll(async () => {
  // compare and versions read such a file.
  const args = [
    '--conditions=@cotangent/source',
    '--import',
    'tsx',
    'bench/run.ts',
    'models',
    '--only',
    'mlp',
    ...short,
    '--peers',
    'none',
    '--json',
    file,
  ]
  await promisify(execFile)(process.execPath, args, { cwd: join(import.meta.dirname, '..') })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test.each([
  ['help', ['--help']],
  ['lens', ['lens', 'matMul', '8x8x8']],
  ['models', ['models', '--only', 'mlp', ...short, '--peers', 'none']],
  ['models --profile', ['models', '--only', 'mlp', '--profile', '--steps', '1']],
  ['kernels', ['kernels', '--only', 'add', ...short, '--peers', 'none']],
  ['operations', ['operations', '--only', 'sort', ...short, '--peers', 'none']],
  ['ops', ['ops', '--only', 'add-10', ...short, '--peers', 'none']],
  ['scaling', ['scaling', '--only', 'mlp', ...short]],
  ['report', ['report', '--rounds', '1']],
  ['compare', ['compare', file, file]],
  ['versions', ['versions', file, file]],
  ['versions, which runs models', ['versions', '--nodes', process.execPath, '--only', 'mlp', ...short, '--peers', 'none']],
  ...(peerVersions('numpy') ? [['accuracy', ['accuracy']] as [string, string[]]] : []),
])('%s', async (_, args) => {
  const { code, first, said } = await headOf('bench/run.ts', args)
  expect(first).not.toBe('')
  expect({ code, said }).toEqual({ code: 0, said: '' })
})

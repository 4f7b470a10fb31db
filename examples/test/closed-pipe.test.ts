/** Every command ends quietly when its reader leaves early, as `| head -1` does. More of them, which take longer, are in bench/closed-pipe.test.ts and reproduce/runs.test.ts. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { headOf } from './head.js'

const root = resolve(import.meta.dirname, '../..')
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
// `build` is not one: what it runs prints nothing.
const programs = Object.entries(scripts).flatMap(([name, script]) =>
  name === 'build' ? [] : (/node .*?(\S+\.ts)$/.exec(script)?.[1] ?? []),
)

test('there are no programs but those below', () => {
  const here = [
    'examples/start.ts',
    'examples/run.ts',
    'examples/reproduce/run.ts',
    'examples/picture.ts',
    'bench/run.ts',
    'packages/layers/test/fuzz/run.ts',
    'packages/layers/test/certificates/run.ts',
    'docs/site/build/run.ts',
    'docs/site/pictures.ts',
    'docs/site/walk/run.ts',
  ]
  expect(programs.sort()).toEqual(here.sort())
})

// Also picture.ts, which trains before it prints its only line.
test.each(programs)('%s has the handler', (program) => {
  expect(readFileSync(join(root, program), 'utf8')).toMatch(/^ *endWithReader\(\)$/m)
})

test.each([
  ['examples/run.ts', ['backprop']],
  ['examples/start.ts', ['--epochs', '1', '--limit', '256']],
  ['packages/layers/test/certificates/run.ts', []],
  ['packages/layers/test/fuzz/run.ts', ['npy', '--mutants', '4', '--processes', '1']],
])('%s %j ends quietly when its reader leaves', async (file, args) => {
  const { code, first, said } = await headOf(file, args)
  expect(first).not.toBe('')
  expect({ code, said }).toEqual({ code: 0, said: '' })
})

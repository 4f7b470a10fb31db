/** Comments name their thing: "Options of x", not "What x takes", which a reader has to turn around. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const files = ['packages', 'examples', 'bench', 'docs/site'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !/(^|\/)(node_modules|dist)\//.test(path))
    .map((path) => join(folder, path)),
)
const opensWithWhat = /^\s*(?:\/\*\*|\/\/|\*)\s*(?:@internal )?What\b/

test('no comment opens with What', () => {
  expect(files.length).toBeGreaterThan(900)
  const found = files.flatMap((path) =>
    readFileSync(join(root, path), 'utf8')
      .split('\n')
      .flatMap((line, i) => (opensWithWhat.test(line) ? [`${path}:${i + 1} ${line.trim()}`] : [])),
  )
  expect(found).toEqual([])
})

import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { filesIn, tempDir } from '../../test/helpers.js'
import { type Host, nodeHost } from './host.js'

const here = async (packageRoots?: string[]): Promise<Host> =>
  (await nodeHost({ env: { SET: 'x', EMPTY: '' }, packageRoots })) ?? expect.fail()

test('write makes the directory, replaces a file, and leaves no temporary file', async () => {
  const dir = await tempDir()
  const host = await here()
  const target = join(dir, 'a', 'b', 'file')
  await host.write(target, Uint8Array.of(1, 2))
  await host.write(target, Uint8Array.of(3))
  expect([...(await readFile(target))]).toEqual([3])
  expect(await filesIn(dir)).toEqual(['file'])
})

test('a write that fails leaves nothing behind', async () => {
  const dir = await tempDir()
  const host = await here()
  await mkdir(join(dir, 'taken', 'full'), { recursive: true })
  await expect(host.write(join(dir, 'taken'), Uint8Array.of(1))).rejects.toThrow()
  expect(await filesIn(dir)).toEqual([])
})

test('an empty variable counts as not set', async () => {
  const host = await here()
  expect([host.variable('SET'), host.variable('EMPTY'), host.variable('UNSET')]).toEqual(['x', undefined, undefined])
})

test('isFile and isDirectory tell the two apart and follow links', async () => {
  const dir = await tempDir()
  const host = await here()
  await writeFile(join(dir, 'file'), '')
  await symlink(join(dir, 'file'), join(dir, 'link'))
  expect([await host.isFile(dir), await host.isFile(join(dir, 'link')), await host.isFile(join(dir, 'file', 'below'))]).toEqual([
    false,
    true,
    false,
  ])
  expect([await host.isDirectory(dir), await host.isDirectory(join(dir, 'file')), await host.isDirectory(join(dir, 'none'))]).toEqual([
    true,
    false,
    false,
  ])
})

test('findPackage looks in every root and above it', async () => {
  const app = await tempDir()
  const at = join(app, 'node_modules', 'some-data')
  await mkdir(at, { recursive: true })
  await writeFile(join(at, 'package.json'), '{}')
  expect(await (await here([await tempDir(), join(app, 'deep')])).findPackage('some-data')).toBe(at)
  expect(await (await here([app])).findPackage('other-data')).toBeUndefined()
})

test('no source file imports a Node module by a name that a bundler follows', () => {
  const src = fileURLToPath(new URL('..', import.meta.url))
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  expect(files.length).toBeGreaterThan(10)
  for (const name of files) {
    expect(readFileSync(join(src, name), 'utf8'), name).not.toMatch(/^import (?!type)[^\n]*'node:|[^f] import\('node:/m)
  }
})

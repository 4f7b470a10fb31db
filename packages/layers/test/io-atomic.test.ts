/**
 * Whoever kills a process while it writes finds a whole file: the old one or the new one. It is tried 40 times, or as often as
 * `COTANGENT_KILLS` says: starting a process takes longer than all else here.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { transformSync } from 'esbuild'
import { afterAll, expect, test } from 'vitest'
import { dense, modelFromBytes, modelToBytes, Sequential } from '../src/index.js'
import { writeFileAtomic } from '../src/node/index.js'

const folder = mkdtempSync(join(tmpdir(), 'cotangent-atomic-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A process that writes two checkpoints in turn, as fast as it can; it says when it begins. */
const source = readFileSync(new URL('../src/node/write-file.ts', import.meta.url), 'utf8')
const writer = `${transformSync(source, { loader: 'ts', format: 'esm' }).code}
import { readFileSync } from 'node:fs'
const [, , target, ...versions] = process.argv
const bytes = versions.map((path) => readFileSync(path))
process.stdout.write('begins')
for (let i = 1; ; i++) await writeFileAtomic(target, bytes[i % bytes.length])
`

test('killing a writer of checkpoints at any moment leaves a whole one', async () => {
  const kills = Number(process.env.COTANGENT_KILLS ?? 40)
  const script = join(folder, 'writer.mjs')
  writeFileSync(script, writer)
  const model = new Sequential([dense(64, { inputShape: [300] }), dense(10)], { seed: 1 })
  model.compile({ optimizer: 'adam', loss: 'mse' })
  const versions: Buffer[] = []
  for (let i = 0; i < 2; i++) {
    await model.trainOnBatch({ shape: [1, 300], data: new Float32Array(300).fill(1) }, { shape: [1, 10], data: new Float32Array(10) })
    versions.push(Buffer.from(await modelToBytes(model)))
    writeFileSync(join(folder, `version-${i}`), versions[i])
  }
  const checkpoints = join(folder, 'checkpoints')
  const target = join(checkpoints, 'model.h5')
  mkdirSync(checkpoints)
  writeFileSync(target, versions[0])

  const seen = [0, 0]
  const left = new Set<string>()
  const start = (): ChildProcess =>
    spawn(process.execPath, [script, target, join(folder, 'version-0'), join(folder, 'version-1')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
  // Several at a time, into one file: what is found is whole whoever wrote it.
  for (let done = 0; done < kills; ) {
    const children = Array.from({ length: Math.min(4, kills - done) }, start)
    await Promise.all(children.map((child) => once(child.stdout as NodeJS.ReadableStream, 'data')))
    for (const child of children) {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 8))
      child.kill('SIGKILL')
      await once(child, 'close')
      const found = readFileSync(target)
      const version = versions.findIndex((bytes) => bytes.equals(found))
      expect(version, `after ${done + 1} kills`).toBeGreaterThanOrEqual(0)
      seen[version]++
      done++
    }
    for (const name of readdirSync(checkpoints)) if (name !== 'model.h5') left.add(name)
  }
  expect(seen[0] + seen[1]).toBe(kills)
  expect(Math.min(...seen), 'both versions were found').toBeGreaterThan(0)
  expect(left.size, 'some kills came in the middle of a write').toBeGreaterThan(0)
  const found = await modelFromBytes(readFileSync(target))
  expect(found.optimizer.iterations).toBeGreaterThan(0)
}, 900_000)

test('what fails leaves the old file and no temporary one', async () => {
  const path = join(folder, 'kept.h5')
  await writeFileAtomic(path, 'old')
  await expect(writeFileAtomic(path, { length: 3 } as unknown as Uint8Array)).rejects.toThrow()
  expect(readFileSync(path, 'utf8')).toBe('old')
  await expect(writeFileAtomic(join(folder, 'nowhere', 'x'), 'new')).rejects.toThrow('ENOENT')
  expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([])
  await writeFileAtomic(path, 'new')
  expect(readFileSync(path, 'utf8')).toBe('new')
})

test('a folder that is not there is named, and nothing is left', async () => {
  const path = join(folder, 'nowhere', 'model.h5')
  await expect(writeFileAtomic(path, 'x')).rejects.toThrow(
    `${path} cannot be written (ENOENT): there is no folder "${join(folder, 'nowhere')}"`,
  )
  expect(readdirSync(folder)).not.toContain('nowhere')
})

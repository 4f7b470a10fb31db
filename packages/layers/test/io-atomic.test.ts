/**
 * Processes are killed while they write. Afterwards every file, in every format, is the old one or the new one, whole. This is tried 40 times, or
 * `COTANGENT_KILLS` times: starting a process takes longer than everything else here. Every kill hits all formats at once. `io-saving-steps.test.ts` stops after
 * each single step.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { crc32c } from '../src/callbacks/event-file.js'
import { dense, type Model, modelFromBytes, modelToBytes, modelToJSON, modelToTfjs, Sequential, weightsToBytes } from '../src/index.js'
import { loadModel, saveModel } from '../src/node/index.js'
import { readTfjsFolder } from '../src/node/tfjs-folder.js'
import { bundle } from './bundle.js'

const folder = mkdtempSync(join(tmpdir(), 'cotangent-atomic-'))
const out = join(folder, 'out')
const versions = join(folder, 'versions')
const running = new Set<ChildProcess>()
afterAll(() => {
  for (const child of running) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
})

/** A model in every format. Each is made once, since Keras' zip holds the time. */
async function writeVersion(model: Model, version: number): Promise<void> {
  const to = join(versions, String(version))
  mkdirSync(join(to, 'tfjs'), { recursive: true })
  writeFileSync(join(to, 'model.h5'), await modelToBytes(model))
  writeFileSync(join(to, 'model.keras'), await modelToBytes(model, { format: 'keras' }))
  for (const format of ['h5', 'safetensors', 'npz'] as const)
    writeFileSync(join(to, `weights.${format}`), await weightsToBytes(model, { format }))
  writeFileSync(join(to, 'architecture.json'), modelToJSON(new Sequential([dense(version + 1, { inputShape: [300] })])))
  const { modelJson, shards } = await modelToTfjs(model, { shardBytes: 2 ** 14 })
  writeFileSync(join(to, 'tfjs', 'model.json'), modelJson)
  for (const [name, bytes] of shards) writeFileSync(join(to, 'tfjs', name), bytes)
}

/** The bytes of a model.json's shards, in order. */
const shardsOf = (path: string): Promise<Buffer> =>
  readTfjsFolder('loadModel', path, readFileSync(path, 'utf8'), async (text, shard) => {
    const [{ paths }] = (JSON.parse(text) as { weightsManifest: { paths: string[] }[] }).weightsManifest
    const shards: Uint8Array[] = []
    for (const name of paths) shards.push(await shard(name))
    return Buffer.concat(shards)
  })

/** Throws unless a file of events is whole records with the right checksums. */
function requireRecords(bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) {
    const size = Number(bytes.readBigUInt64LE(at))
    const masked = crc32c(bytes.subarray(at + 12, at + 12 + size))
    expect(bytes.readUInt32LE(at + 12 + size)).toBe((((masked >>> 15) | (masked << 17)) + 0xa282ead8) >>> 0)
    at += size + 16
  }
}

test('killing writers at any moment leaves whole files of every format, and the next save removes what they left', async () => {
  const kills = Number(process.env.COTANGENT_KILLS ?? 40)
  const script = join(folder, 'writer.mjs')
  await bundle('./io-atomic-process.ts', script)
  const model = new Sequential([dense(64, { inputShape: [300] }), dense(10)], { seed: 1 })
  model.compile({ optimizer: 'adam', loss: 'mse' })
  for (let i = 0; i < 2; i++) {
    await model.trainOnBatch({ shape: [1, 300], data: new Float32Array(300).fill(1) }, { shape: [1, 10], data: new Float32Array(10) })
    await writeVersion(model, i)
  }
  const files = readdirSync(join(versions, '0')).filter((name) => name !== 'tfjs')
  const wanted = new Map(files.map((name): [string, Buffer[]] => [name, [0, 1].map((i) => readFileSync(join(versions, String(i), name)))]))
  wanted.set('model.json', await Promise.all([0, 1].map((i) => shardsOf(join(versions, String(i), 'tfjs', 'model.json')))))

  // The folder has other files, too. One has a name like a shard's.
  mkdirSync(out)
  const others = ['group1-shard1of1.bin', 'notes.txt']
  for (const name of others) writeFileSync(join(out, name), 'mine')
  for (const [name, [bytes]] of wanted) if (name !== 'model.json') writeFileSync(join(out, name), bytes)
  await saveModel(model, out, { format: 'tfjs' })
  wanted.get('model.json')?.push(await shardsOf(join(out, 'model.json')))

  const seen = new Map([...wanted.keys()].map((name) => [name, new Set<number>()]))
  const left = new Set<string>()
  const start = (): ChildProcess => {
    const child = spawn(process.execPath, [script, out, versions], { stdio: ['ignore', 'pipe', 'inherit'] })
    running.add(child)
    child.on('exit', (code) => {
      running.delete(child)
      if (code !== null) process.stderr.write(`a writer ended by itself, with ${code}\n`)
    })
    return child
  }
  /** Whether both versions of each file were found, and leftovers. A busy machine needs more kills, and later ones. */
  const enough = (): boolean => left.size > 0 && [...seen.values()].every((found) => found.size > 1)
  // Several processes write the same files: while they do, every file is whole, whoever wrote it.
  for (let done = 0; done < kills || (done < 2 * kills && !enough()); ) {
    const children = Array.from({ length: Math.min(4, Math.max(1, kills - done)) }, start)
    await Promise.all(children.map((child) => Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), once(child, 'exit')])))
    for (const child of children) {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * (done < kills ? 12 : 2000)))
      expect(child.exitCode, 'the writer still writes').toBeNull()
      child.kill('SIGKILL')
      await once(child, 'close')
      done++
      for (const [name, contents] of wanted) {
        const path = join(out, name)
        const found = name === 'model.json' ? await shardsOf(path) : readFileSync(path)
        const version = contents.findIndex((bytes) => bytes.equals(found))
        expect(version, `${name} after ${done} kills`).toBeGreaterThanOrEqual(0)
        seen.get(name)?.add(version)
      }
      for (const name of readdirSync(out)) {
        if (name.endsWith('.tmp')) left.add(name)
        if (/^log-.*\.csv$/.test(name)) expect(readFileSync(join(out, name), 'utf8')).toMatch(/^(epoch,loss\r\n(\d+,[\d.e-]+\r\n)*)?$/)
        if (name.startsWith('events-')) requireRecords(readFileSync(join(out, name)))
      }
    }
  }
  for (const [name, found] of seen) expect(found.size, `versions of ${name}`).toBeGreaterThan(1)
  expect(left.size, 'some kills came in the middle of a write').toBeGreaterThan(0)
  expect((await modelFromBytes(readFileSync(join(out, 'model.h5')))).optimizer.iterations).toBeGreaterThan(0)
  expect((await loadModel(out)).countParams()).toBe(model.countParams())

  await saveModel(model, out, { format: 'tfjs' })
  const after = readdirSync(out).filter((name) => !/^(log|events)-/.test(name))
  const shards = after.filter((name) => /^group1-shard1of1-[0-9a-f]{12}\.bin$/.test(name))
  expect(shards).toHaveLength(1)
  expect(after.sort()).toEqual([...wanted.keys(), ...others, ...shards].sort())
}, 900_000)

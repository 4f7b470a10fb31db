/**
 * A save is stopped at each of its steps on the disk: by the end of the process, and by an error of the disk. Afterwards the path holds the old model or the
 * new one, whole. After an error there are no other files. After a kill, the next save removes the leftovers.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'

/** Which step stops, and how. Steps are counted from 1; none stops at 0. */
const disk = vi.hoisted(() => ({ step: 0, stopAt: 0, how: 'kill' as 'kill' | 'error', log: [] as string[] }))

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>()
  type Call = (...args: never[]) => Promise<unknown>
  const failure = (): Error => Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' })
  /** The step itself, or the part of it that is done. */
  const stepped =
    (name: string, call: Call, half?: Call): Call =>
    async (...args) => {
      disk.step++
      disk.log.push(name)
      const stops = disk.stopAt > 0 && (disk.how === 'kill' ? disk.step >= disk.stopAt : disk.step === disk.stopAt)
      if (!stops) return call(...args)
      if (disk.step === disk.stopAt) await half?.(...args)
      throw failure()
    }
  const changing = ['rename', 'unlink', 'mkdir', 'rmdir'] as const
  const wrapped = Object.fromEntries(changing.map((name) => [name, stepped(name, real[name] as unknown as Call)]))
  const open = async (path: string, flags: string, mode?: number): Promise<FileHandle> => {
    const handle = await (flags === 'r'
      ? real.open(path, flags)
      : (stepped('open', real.open as unknown as Call)(...([path, flags, mode] as never[])) as Promise<FileHandle>))
    const write = handle.writeFile.bind(handle)
    const half = (bytes: Uint8Array | string): Promise<void> => write(bytes.slice(0, bytes.length / 2))
    handle.writeFile = stepped('write', write as unknown as Call, half as unknown as Call) as typeof handle.writeFile
    handle.sync = stepped('sync', handle.sync.bind(handle) as unknown as Call) as typeof handle.sync
    return handle
  }
  return { ...real, ...wrapped, open }
})

const { dense, modelToTfjs, Sequential } = await import('../src/index.js')
const { loadModel, loadWeights, saveModel, saveWeights } = await import('../src/node/index.js')

const root = mkdtempSync(join(tmpdir(), 'cotangent-steps-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const dead = spawnSync(process.execPath, ['--version']).pid

const make = (seed: number): InstanceType<typeof Sequential> =>
  new Sequential([dense(4, { inputShape: [5], name: 'only' })], { seed, name: 'model' })
const [older, newer] = [make(1), make(2)]
const weights = async (model: typeof older): Promise<string> => JSON.stringify(await model.getWeights())

/** A save, the files before it, and a way to read the result. */
interface Save {
  before?(folder: string): Promise<unknown>
  save(model: typeof older, folder: string): Promise<void>
  load(folder: string): Promise<typeof older>
}
const file: Save = {
  before: (folder) => saveWeights(older, join(folder, 'w.npz')),
  save: (model, folder) => saveWeights(model, join(folder, 'w.npz')),
  async load(folder) {
    const model = make(3)
    await loadWeights(model, join(folder, 'w.npz'))
    return model
  },
}
const tfjs: Save = {
  save: (model, folder) => saveModel(model, join(folder, 'm'), { format: 'tfjs' }),
  load: (folder) => loadModel(join(folder, 'm')) as Promise<typeof older>,
}
const saves: Readonly<Record<string, Save>> = {
  'a file over another': file,
  'a new file': { ...file, before: undefined },
  'a folder for TensorFlow.js over one of ours': { ...tfjs, before: (folder) => tfjs.save(older, folder) },
  'a folder for TensorFlow.js over one with standard names': {
    ...tfjs,
    async before(folder) {
      const { modelJson, shards } = await modelToTfjs(older, { shardBytes: 40 })
      mkdirSync(join(folder, 'm'))
      writeFileSync(join(folder, 'm', 'model.json'), modelJson)
      for (const [name, bytes] of shards) writeFileSync(join(folder, 'm', name), bytes)
    },
  },
  'a new folder for TensorFlow.js': tfjs,
}

let count = 0
async function prepared({ before }: Save): Promise<string> {
  const folder = join(root, String(count++))
  mkdirSync(folder)
  await before?.(folder)
  Object.assign(disk, { step: 0, log: [] })
  return folder
}
/** The contents of a folder. Shards get one name, whichever save they are of. */
const listed = (folder: string): string[] =>
  (readdirSync(folder, { recursive: true }) as string[]).map((name) => name.replace(/-[0-9a-f]{12}\.bin$/, '-*.bin')).sort()

describe.each(Object.keys(saves))('%s', (name) => {
  const save = saves[name]

  test.each(['kill', 'error'] as const)('%s at each step', async (how) => {
    const whole = await prepared(save)
    const at = listed(whole)
    await save.save(newer, whole)
    const steps = disk.step
    const after = listed(whole)
    expect(disk.log).toContain('rename')
    const renamed = disk.log.lastIndexOf('rename') + 1
    const [old, young] = [await weights(older), await weights(newer)]

    for (let stopAt = 1; stopAt <= steps; stopAt++) {
      const folder = await prepared(save)
      Object.assign(disk, { stopAt, how })
      const failed = await save.save(newer, folder).then(
        () => false,
        () => true,
      )
      disk.stopAt = 0
      const where = `${how} at step ${stopAt}, ${disk.log[stopAt - 1]}`
      // The old model up to the renaming, the new one after it.
      const isNew = stopAt > renamed
      if (!isNew) expect(failed, where).toBe(true)
      if (isNew || save.before) expect(await weights(await save.load(folder)), where).toBe(isNew ? young : old)
      else if (how === 'kill') await expect(save.load(folder), where).rejects.toThrow('ENOENT')
      if (how === 'error' && !isNew) expect(listed(folder), where).toEqual(at)

      // The process that was killed is gone.
      for (const left of (readdirSync(folder, { recursive: true }) as string[]).filter((path) => path.endsWith('.tmp')))
        renameSync(join(folder, left), join(folder, left.replace(/-\d+-\d+-(\w+\.tmp)$/, `-${dead}-1-$1`)))
      await save.save(newer, folder)
      expect(await weights(await save.load(folder)), where).toBe(young)
      // A shard with a standard name that no file names any more may be somebody else's, so it stays.
      if (isNew && name.endsWith('standard names')) continue
      expect(listed(folder), where).toEqual(after)
    }
  })
})

/// <reference types="node" />
/**
 * TensorFlow.js' `model.json` and shards in a folder, which may hold other files, too. They change as one:
 *
 * 1. The new model.json is written under a temporary name. It tells other processes that its shards are about to come.
 * 2. The shards are written, under names that no other save uses.
 * 3. The temporary file is renamed to model.json. Until then the folder holds the old model, from then on the new one.
 * 4. Shards that no .json file of the folder names, and no temporary file announces, are removed.
 *
 * A killed process leaves a temporary file, and shards that no file names. The next save removes them.
 */
import { readdir, readFile, realpath, rename, rmdir, stat, unlink } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join } from 'node:path'
import { ValueError } from '@cotangent/core'
import { requireText } from '@cotangent/core/arguments'
import type { TfjsModel } from '../index.js'
import { fileError, reading } from './file-error.js'
import { nameWhileWritten, newId, removeLeftovers } from './temporary.js'
import { findTarget, makeFolder, syncFolder, type Target, writeNew } from './write-file.js'

/** Names of the shards that we write: the standard ones with the id of the save. */
const ours = /^group1-shard\d+of\d+-([0-9a-f]{12})\.bin$/
/** Names of the shards that TensorFlow.js and its converter write. */
const standard = /^(group\d+-shard\d+of\d+(\.bin)?|weights\.bin)$/
/** A larger .json file is data, not another model.json. */
const JSON_BYTES = 2 ** 26

/**
 * Writes a model into a folder. The folder is made if it is not there.
 *
 * @param make makes the model, with shards named by the function that it gets
 * @throws CotangentError with the system's `code`; it says which file cannot be written and why. Then the folder is as it was.
 */
export async function writeTfjsFolder(
  what: string,
  folder: string,
  make: (shardName: (number: number, count: number) => string) => Promise<TfjsModel>,
): Promise<void> {
  requireText(what, 'the path', folder)
  const id = newId()
  const { modelJson, shards } = await make((number, count) => `group1-shard${number}of${count}-${id}.bin`)
  const path = join(folder, 'model.json')
  const made = await makeFolder(what, folder)
  const written: string[] = []
  const write = async (file: string, bytes: Uint8Array | string, like: Target['before']): Promise<void> => {
    written.push(file)
    await writeNew(file, bytes, like)
  }
  const home = await realpath(folder)
  try {
    const target = await findTarget(what, path)
    await removeUnused(home, target.path)
    const replaced = await shardsOf(target.path)
    const like = (replaced.length > 0 && (await stat(join(home, replaced[0])).catch(() => undefined))) || target.before
    const temporary = join(target.folder, nameWhileWritten(basename(target.path), id))
    await write(temporary, modelJson, target.before)
    for (const [name, bytes] of shards) await write(join(home, name), bytes, like)
    await syncFolder(home)
    await rename(temporary, target.path)
    written.length = 0 // they are the model now
    await syncFolder(target.folder)
    await removeUnused(home, target.path, replaced)
  } catch (error) {
    for (const file of written) await unlink(file).catch(() => {})
    if (made) for (let at = home; at.length >= made.length; at = dirname(at)) await rmdir(at).catch(() => {})
    throw await fileError(what, 'written', path, error)
  }
}

/** The shards with standard names that a model.json names; none if the file is not there or damaged. */
async function shardsOf(path: string): Promise<string[]> {
  const json = await readFile(path, 'utf8')
    .then((text) => JSON.parse(text) as { weightsManifest?: readonly { paths?: readonly unknown[] }[] } | null)
    .catch(() => undefined)
  const groups = Array.isArray(json?.weightsManifest) ? json.weightsManifest : []
  const paths = groups.flatMap((group) => (Array.isArray(group?.paths) ? (group.paths as unknown[]) : []))
  return paths.filter((name): name is string => typeof name === 'string' && (standard.test(name) || ours.test(name)))
}

/**
 * Removes shards of killed or replaced saves: shards with our names and the `replaced` ones, unless a .json file of the folder names them.
 *
 * The order of three steps makes this safe beside other processes: list shards, list temporary files, read .json files. A save's temporary file exists before
 * its first shard, until it becomes model.json. So if a shard is seen, and then no temporary file of its save, model.json names the shard, or nobody uses it.
 */
async function removeUnused(folder: string, modelJson: string, replaced: readonly string[] = []): Promise<void> {
  const list = (): Promise<string[]> => readdir(folder).catch(() => [])
  const shards = (await list()).filter((name) => ours.test(name) || replaced.includes(name))
  const written = await removeLeftovers(dirname(modelJson))
  const doubtful = shards.filter((name) => !written.has(ours.exec(name)?.[1] ?? ''))
  if (doubtful.length === 0) return
  const models = (await list()).filter((name) => name.endsWith('.json')).map((name) => join(folder, name))
  const used: string[] = []
  for (const path of new Set([modelJson, ...models])) {
    try {
      if (path === modelJson || (await stat(path)).size <= JSON_BYTES) used.push(await readFile(path, 'utf8'))
    } catch (error) {
      // A file that cannot be read may name any of them, so all stay.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return
    }
  }
  for (const name of doubtful) if (!used.some((text) => text.includes(name))) await unlink(join(folder, name)).catch(() => {})
}

/** Makes a model of a model.json's text and its shards. */
type ReadModel<Model> = (text: string, shard: (name: string) => Promise<Uint8Array>) => Promise<Model>

/**
 * Reads a model.json and the shards beside it. If another process saves meanwhile and removes the old shards, the new model is read.
 *
 * @param text the text of model.json
 */
export async function readTfjsFolder<Model>(what: string, path: string, text: string, read: ReadModel<Model>): Promise<Model> {
  for (let latest = text; ; ) {
    let gone = false
    try {
      return await read(latest, async (name) => {
        try {
          return await readShard(what, dirname(path), name, path)
        } catch (error) {
          gone ||= (error as NodeJS.ErrnoException).code === 'ENOENT'
          throw error
        }
      })
    } catch (error) {
      const now = gone ? await reading(what, path, () => readFile(path, 'utf8')) : latest
      if (now === latest) throw error
      latest = now
    }
  }
}

async function readShard(what: string, folder: string, shard: string, path: string): Promise<Uint8Array> {
  if (isAbsolute(shard) || shard.split(/[\\/]/).includes('..')) {
    throw new ValueError(`${path}: the shard "${shard}" lies outside the folder of the model.`)
  }
  const file = join(folder, shard)
  try {
    return await readFile(file)
  } catch (error) {
    const said = await fileError(what, 'read', file, error)
    const message = `${path} names a shard that cannot be read. ${said instanceof Error ? said.message : said}`
    throw Object.assign(new ValueError(message, { cause: error }), { code: (error as NodeJS.ErrnoException).code })
  }
}

/// <reference types="node" />
/**
 * TensorFlow.js' `model.json` and shards in a folder, which may hold other files too. They change as one:
 *
 * 1. the new model.json is written under a temporary name, which tells others that its shards are about to come;
 * 2. the shards are written, under names that no other save uses;
 * 3. the temporary file takes the name model.json. Before that the old model is there, whole, and from then on the new one;
 * 4. shards that no .json file of the folder names, and nobody is about to, are removed.
 *
 * A process that is killed leaves a temporary file, and shards that nobody names. The next save removes them.
 */
import { readdir, readFile, realpath, rename, rmdir, stat, unlink } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join } from 'node:path'
import { ValueError } from '@cotangent/core'
import { requireText } from '@cotangent/core/arguments'
import type { TfjsModel } from '../index.js'
import { fileError, reading } from './file-error.js'
import { nameWhileWritten, newId, removeLeftovers } from './temporary.js'
import { findTarget, makeFolder, syncFolder, type Target, writeNew } from './write-file.js'

/** Names of shards as we write them: the standard ones, and the id of the save. */
const ours = /^group1-shard\d+of\d+-([0-9a-f]{12})\.bin$/
/** Names that TensorFlow.js and its converter give to shards. */
const standard = /^(group\d+-shard\d+of\d+(\.bin)?|weights\.bin)$/
/** What is larger beside a model.json is no other one, but data. */
const JSON_BYTES = 2 ** 26

/**
 * Writes a model into a folder, which is made if it is not there.
 *
 * @param make the model, its shards called by the function that it is given
 * @throws CotangentError with the system's `code` that says what cannot be written and why; then the folder holds what it held.
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

/** The shards of standard names beside a model.json; none if it is not there or damaged. */
async function shardsOf(path: string): Promise<string[]> {
  const json = await readFile(path, 'utf8')
    .then((text) => JSON.parse(text) as { weightsManifest?: readonly { paths?: readonly unknown[] }[] } | null)
    .catch(() => undefined)
  const groups = Array.isArray(json?.weightsManifest) ? json.weightsManifest : []
  const paths = groups.flatMap((group) => (Array.isArray(group?.paths) ? (group.paths as unknown[]) : []))
  return paths.filter((name): name is string => typeof name === 'string' && (standard.test(name) || ours.test(name)))
}

/**
 * Removes shards of killed or replaced saves: those of our names, and the `replaced` ones, that no file of models names.
 *
 * The order of the three looks makes it safe beside other processes. A save's temporary file is there before its first shard, until it is model.json:
 * who finds a shard first, and then no such file, finds the shard in model.json, or it is no longer used.
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
      // What cannot be read may name any of them.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return
    }
  }
  for (const name of doubtful) if (!used.some((text) => text.includes(name))) await unlink(join(folder, name)).catch(() => {})
}

/** How a model is made of a model.json's text and its shards. */
type ReadModel<Model> = (text: string, shard: (name: string) => Promise<Uint8Array>) => Promise<Model>

/**
 * Reads a model.json and the shards beside it. If another process saves meanwhile and removes the old shards, the new model is read.
 *
 * @param text that of model.json
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

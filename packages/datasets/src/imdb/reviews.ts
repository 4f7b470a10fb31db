/** The raw reviews of IMDB: `aclImdb/{train,test}/{neg,pos}/*.txt`, as a tree of files or in tar.gz archives. */
import { parseTar } from 'nanotar'
import { type Checks, oneOf, readOptions, requireText } from '../arguments.js'
import { type NDArray, ndarray } from '../array.js'
import { DatasetError, reasonOf } from '../errors.js'
import { gunzip } from '../formats/gzip.js'
import { type Host, nodeHost } from '../locating/host.js'

export interface ReviewOptions {
  /** Directory with the reviews, or with a folder `imdb` that holds them. No other place is then tried. */
  dir?: string
  /** 'train' (default) or 'test'. */
  part?: 'train' | 'test'
}

const checks: Checks<ReviewOptions> = { dir: requireText, part: oneOf('train', 'test') }

/** Reviews as texts, the bad ones first, each half in the order of file names. */
export interface Reviews {
  texts: readonly string[]
  /** [reviews]: 1 for good, 0 for bad. */
  labels: NDArray<Uint8Array>
  /** `neg/0_3.txt`: file names, which end in the stars given. */
  names: readonly string[]
  /** The place that the reviews came from, in words. */
  source: string
}

type Half = 'neg' | 'pos'
type Texts = ReadonlyMap<string, string>

const archive = 'aclImdb_v1.tar.gz'
const homepage = 'https://ai.stanford.edu/~amaas/data/sentiment/'
const atOnce = 64

const latin1 = new TextDecoder('latin1')

/** Text as Python's text files give it: UTF-8, every kind of line end one newline. */
const decode = (bytes: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes).replace(/\r\n?/g, '\n')

async function fromTree(host: Host, folder: string): Promise<Texts> {
  const names = (await host.list(folder)).filter((name) => name.endsWith('.txt'))
  const out = new Map<string, string>()
  for (let i = 0; i < names.length; i += atOnce) {
    const some = names.slice(i, i + atOnce)
    const bytes = await Promise.all(some.map((name) => host.read(host.path(folder, name))))
    some.forEach((name, j) => {
      out.set(name, decode(bytes[j]))
    })
  }
  return out
}

/**
 * Holds the headers of a tar archive (POSIX ustar: 512 bytes, the size at 124 and a checksum at 148 in octal) against its bytes: nanotar goes wherever a
 * size sends it, back to the start for a negative one, and ends without a word at one that is no number.
 */
function requireTar(bytes: Uint8Array, path: string): void {
  const octal = (at: number, length: number): number => {
    const text = latin1
      .decode(bytes.subarray(at, at + length))
      .replace(/[\0 ]+$/, '')
      .trimStart()
    return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN
  }
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0; ) {
    let sum = 8 * 0x20 // the checksum counts as blanks
    for (let i = 0; i < 512; i++) if (i < 148 || i >= 156) sum += bytes[at + i]
    const size = octal(at + 124, 12)
    if (octal(at + 148, 8) !== sum || Number.isNaN(size)) {
      throw new DatasetError(`${path}: no tar archive, or a truncated or damaged one (its header at byte ${at} is damaged)`)
    }
    at += 512 + 512 * Math.ceil(size / 512)
  }
}

async function fromTar(host: Host, path: string, inside: string): Promise<Texts> {
  const bytes = await gunzip(await host.read(path), { name: path, maxBytes: 2 ** 30 })
  requireTar(bytes, path)
  const inFolder = new RegExp(`(^|/)${inside}/[^/]+\\.txt$`)
  try {
    const files = parseTar(bytes, { filter: ({ name, type }) => type === 'file' && inFolder.test(name) })
    const named = files.map(({ name, data, size }) => {
      // An empty file has no data at all.
      if ((data?.length ?? 0) !== size) throw new DatasetError(`${name} is cut off`)
      return [name.slice(name.lastIndexOf('/') + 1), decode(data ?? new Uint8Array(0))] as const
    })
    const texts = new Map(named.sort(([a], [b]) => (a < b ? -1 : 1)))
    if (texts.size < named.length) throw new DatasetError('two files of it have one name')
    return texts
  } catch (error) {
    throw new DatasetError(`${path}: no tar archive, or a truncated or damaged one (${reasonOf(error)})`, { cause: error })
  }
}

/** One half of a part in a directory, and where exactly; undefined if it is not there. */
async function half(host: Host, root: string, part: 'train' | 'test', label: Half): Promise<{ texts: Texts; at: string } | undefined> {
  for (const base of [host.path(root, 'aclImdb'), root]) {
    const at = host.path(base, part, label)
    if (await host.isDirectory(at)) return { texts: await fromTree(host, at), at }
  }
  for (const name of [`aclImdb_${part}_${label}.tar.gz`, archive]) {
    const at = host.path(root, name)
    if (await host.isFile(at)) return { texts: await fromTar(host, at, `${part}/${label}`), at }
  }
  return undefined
}

/** `imdb.loadReviews`; `on` stands in for this machine in tests, null is a browser. */
export async function loadReviewsOn(options: ReviewOptions, on?: Host | null): Promise<Reviews> {
  const { dir, part = 'train' } = readOptions('imdb.loadReviews', options, checks)
  const host = on === undefined ? await nodeHost() : on
  if (!host) throw new DatasetError("IMDB's reviews: a page cannot read the directory of reviews; use loadData with { baseUrl }")
  const data = host.variable('COTANGENT_DATA')
  const given = dir === undefined ? [...(data === undefined ? [] : [data]), host.cacheRoot] : [dir]
  const roots = given.flatMap((at) => [host.path(at, 'imdb'), host.path(at)])
  for (const root of roots) {
    const found = new Map<Half, { texts: Texts; at: string }>()
    for (const label of ['neg', 'pos'] as const) {
      const texts = await half(host, root, part, label)
      if (texts) found.set(label, texts)
    }
    if (found.size > 0) return gather(found, root, part)
  }
  const where = dir === undefined ? host.path(host.cacheRoot, 'imdb') : host.path(dir)
  throw new DatasetError(
    `IMDB's reviews (${part}) are not on this machine: download ${archive} from ${homepage} and put it, packed or unpacked, into ${where}, ` +
      'or into a directory passed as { dir } or named by COTANGENT_DATA.' +
      `\nTried:${roots.map((root) => `\n  - ${root}`).join('')}`,
  )
}

function gather(found: ReadonlyMap<Half, { texts: Texts; at: string }>, root: string, part: string): Reviews {
  const texts: string[] = []
  const names: string[] = []
  const labels: number[] = []
  for (const [value, label] of (['neg', 'pos'] as const).entries()) {
    const there = found.get(label)
    if (!there) throw new DatasetError(`IMDB's reviews: ${root} has no ${part}/${label}, only the other half`)
    if (there.texts.size === 0) throw new DatasetError(`IMDB's reviews: there are no ${part}/${label}/*.txt in ${there.at}`)
    for (const [name, text] of there.texts) {
      texts.push(text)
      names.push(`${label}/${name}`)
      labels.push(value)
    }
  }
  const places = [...new Set([...found.values()].map(({ at }) => at))]
  return { texts, names, labels: ndarray(Uint8Array.from(labels), [labels.length]), source: places.join(', ') }
}

/** ASCII punctuation but the apostrophe, tab and newline. */
const separators = /[!-&(-/:-@[-`{-~\t\n]/g

/**
 * Texts as the ranks of their words, as the archive `imdb.npz` was made: only A … Z lower-cased, cut at punctuation and blanks, words without
 * a rank dropped.
 */
export function rankReviews(texts: readonly string[], wordIndex: ReadonlyMap<string, number>): Int32Array[] {
  return texts.map((text) => {
    const words = text
      .replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
      .replace(separators, ' ')
      .split(' ')
    const ranks: number[] = []
    for (const word of words) {
      const rank = wordIndex.get(word)
      if (rank !== undefined) ranks.push(rank)
    }
    return Int32Array.from(ranks)
  })
}

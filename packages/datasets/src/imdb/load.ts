/** IMDB as numbers: from Keras' archive, or made anew from the raw reviews. */
import { type Checks, describeValue, oneOf, readOptions, requireText } from '../arguments.js'
import { type NDArray, ndarray } from '../array.js'
import { DatasetError, reasonOf } from '../errors.js'
import { parseNpy, parseNpyLists } from '../formats/npy.js'
import { unzip } from '../formats/zip.js'
import { unpack } from '../locating/content.js'
import { type LoadOptions, loadChecks } from '../locating/dataset.js'
import { type Host, nodeHost } from '../locating/host.js'
import { locate } from '../locating/source.js'
import { publishedImdb, publishedImdbWords } from './published.js'
import { loadReviewsOn, type Reviews, rankReviews } from './reviews.js'
import { prepare, type RawReviews, type SequenceOptions, sequenceChecks } from './sequences.js'

export interface ImdbOptions extends LoadOptions, SequenceOptions {
  /** The file `imdb.npz` itself, in place of the places that are searched. */
  path?: string
  /** 'npz' (default) takes Keras' archive; 'reviews' makes the same numbers from the texts (see `imdb.loadReviews`) and the word index. */
  from?: 'npz' | 'reviews'
}

const checks: Checks<ImdbOptions> = { ...loadChecks, ...sequenceChecks, path: requireText, from: oneOf('npz', 'reviews') }

/** Reviews as word numbers, and whether they are good (1) or bad (0). */
export interface ImdbDataset {
  /** One review each; views of one memory. */
  xTrain: readonly Int32Array[]
  /** [reviews] */
  yTrain: NDArray<Uint8Array>
  xTest: readonly Int32Array[]
  /** [reviews] */
  yTest: NDArray<Uint8Array>
  /** The place that the data came from, in words. */
  source: string
}

const hostOf = async (host: Host | null | undefined): Promise<Host | undefined> =>
  host === undefined ? await nodeHost() : (host ?? undefined)

function labelsOf(array: NDArray, count: number, name: string): Uint8Array {
  if (array.shape.length !== 1 || array.shape[0] !== count) {
    throw new DatasetError(`${name}: expected ${count} labels, found the shape [${array.shape.join(', ')}]`)
  }
  return Uint8Array.from(array.data, (label, i) => {
    if (label === 0 || label === 1) return label
    throw new DatasetError(`${name}: label ${i} is ${label}; labels are 0 and 1`)
  })
}

/** The four arrays of `imdb.npz`. */
function parseArchive(bytes: Uint8Array, where: string): { train: RawReviews; test: RawReviews } {
  const files = unzip(bytes, { name: where, maxBytes: 2 ** 29 })
  const part = (name: 'train' | 'test'): RawReviews => {
    const entry = (file: string): Uint8Array => {
      const found = files.get(file)
      if (found) return found
      throw new DatasetError(`${where}: has no ${file} (it has ${[...files.keys()].join(', ') || 'nothing'})`)
    }
    const x = parseNpyLists(entry(`x_${name}.npy`), `${where}: x_${name}.npy`)
    const labelName = `${where}: y_${name}.npy`
    return { x, y: labelsOf(parseNpy(entry(`y_${name}.npy`), labelName), x.length, labelName) }
  }
  return { train: part('train'), test: part('test') }
}

async function readPath(path: string, verify: boolean, host: Host | undefined): Promise<{ bytes: Uint8Array; where: string }> {
  if (!host) throw new DatasetError(`IMDB: a page cannot read the file ${path}; pass { baseUrl }`)
  const where = host.path(path)
  const bytes = await host.read(where).catch((error: unknown) => {
    throw new DatasetError(`IMDB: ${where} cannot be read: ${reasonOf(error)}; pass the path of imdb.npz, or no path to search for it`, {
      cause: error,
    })
  })
  return { bytes: await unpack(bytes, { file: publishedImdb.files[0], title: 'IMDB', where, verify }), where }
}

async function readRaw(options: ImdbOptions, host: Host | undefined): Promise<{ train: RawReviews; test: RawReviews; source: string }> {
  const { path, from = 'npz', verify = true } = options
  if (from === 'reviews') {
    const words = await wordIndexFor(options, host)
    const [train, test] = [
      await loadReviewsOn({ dir: options.dir, part: 'train' }, host ?? null),
      await loadReviewsOn({ dir: options.dir, part: 'test' }, host ?? null),
    ]
    // Keras' archive has the good reviews first.
    const raw = ({ texts, labels }: Reviews): RawReviews => {
      const order = [...texts.keys()].sort((a, b) => labels.data[b] - labels.data[a])
      return {
        x: rankReviews(
          order.map((i) => texts[i]),
          words,
        ),
        y: Uint8Array.from(order, (i) => labels.data[i]),
      }
    }
    return { train: raw(train), test: raw(test), source: `${train.source}, numbered by imdb_word_index.json` }
  }
  if (path !== undefined) {
    const { bytes, where } = await readPath(path, verify, host)
    return { ...parseArchive(bytes, where), source: `file ${where}${verify ? '' : ' (not verified)'}` }
  }
  const { files, source } = await locate(publishedImdb, options, host)
  return { ...parseArchive(files.get('imdb.npz')!, `${source}: imdb.npz`), source }
}

/** `imdb.loadData`; `host` stands in for this machine in tests, null is a browser. */
export async function loadImdb(given: ImdbOptions, host?: Host | null): Promise<ImdbDataset> {
  const options = readOptions('imdb.loadData', given, checks)
  const { train, test, source } = await readRaw(options, await hostOf(host))
  const [a, b] = prepare(train, test, options)
  return {
    xTrain: a.x,
    yTrain: ndarray(a.y, [a.y.length]),
    xTest: b.x,
    yTest: ndarray(b.y, [b.y.length]),
    source,
  }
}

/** `imdb.getWordIndex`. */
export async function wordIndexFor(options: LoadOptions, host: Host | undefined): Promise<Map<string, number>> {
  const { files, source } = await locate(publishedImdbWords, options, host)
  const name = publishedImdbWords.files[0].name
  let parsed: unknown
  try {
    parsed = JSON.parse(new TextDecoder().decode(files.get(name)))
  } catch (error) {
    throw new DatasetError(`${source}: ${name} is not JSON: ${reasonOf(error)}`, { cause: error })
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new DatasetError(`${source}: ${name}: expected an object of words and their ranks, found ${describeValue(parsed)}`)
  }
  const entries = Object.entries(parsed as Record<string, number>)
  const bad = entries.find(([, rank]) => !(Number.isSafeInteger(rank) && rank >= 1))
  if (bad) throw new DatasetError(`${source}: ${name}: the rank of "${bad[0]}" is ${describeValue(bad[1])}; ranks are whole numbers ≥ 1`)
  return new Map(entries.sort(([, a], [, b]) => a - b))
}

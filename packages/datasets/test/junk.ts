/** Every exported function with its arguments and options, for the test that calls each with junk. It is one table, hence its length. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as formats from '../src/formats/index.js'
import * as api from '../src/index.js'
import { encodeIdx } from './helpers.js'
import { bytesOf } from './pickles.js'
import { put } from './tiny.js'

/** Values that people pass by mistake. */
export const junk = {
  undefined: undefined,
  null: null,
  text: 'abc',
  'a number as text': '3',
  NaN: Number.NaN,
  'an empty array': [],
  'an array of another rank': [[[1]]],
  'a BigInt': 3n,
  'an object': { nonsense: 1 },
  'a Promise': Promise.resolve(1),
} as const
export type Junk = keyof typeof junk

/** One argument or option: a right value, and the junk that is right, too. */
export interface Argument {
  good: unknown
  takes: readonly Junk[]
  /** Another beginning of messages, for a value that may be text or left out, but then leads to no data. */
  about?: string
  /** Junk that is not tried. */
  skips?: readonly Junk[]
  /** Its entries, if it is an object of options. */
  options?: Readonly<Record<string, Argument>>
}

export interface Row {
  call(...args: never[]): unknown
  args: readonly Argument[]
}

const need = (good: unknown, ...takes: Junk[]): Argument => ({ good, takes })
const may = (good: unknown, ...takes: Junk[]): Argument => ({ good, takes: ['undefined', ...takes] })
const text: readonly Junk[] = ['text', 'a number as text']
const name = may('x', ...text)
const options = (entries: Readonly<Record<string, Argument>>): Argument => ({
  good: Object.fromEntries(Object.entries(entries).map(([key, { good }]) => [key, good])),
  // If one of them is required, the object is required.
  takes: Object.values(entries).every(({ takes }) => takes.includes('undefined')) ? ['undefined'] : [],
  options: entries,
})
/** A path or the like that leads to data. Other text, or none, is allowed but leads nowhere. */
const filled = (good: unknown, about: string): Argument => ({ good, takes: [], about })

const split = { filters: may('.', ...text), lower: may(true), split: may(' ', ...text) }
const array = api.ndarray(Float32Array.of(1, 2, 3, 5), [2, 2])
const series = api.ndarray(
  Float32Array.from({ length: 40 }, (_, i) => i),
  [20, 2],
)
const fitted = (): api.Tokenizer => new api.Tokenizer({ numWords: 5 }).fitOnTexts(['a b', 'b c'])
const letters = new api.CharacterVocabulary('abc3')
const pairs = api.trainBytePairs('low lower abc3', { vocabularySize: 260, specialTokens: ['<s>'] })
const random = (): api.RandomState => new api.RandomState(1)
const lists: readonly Junk[] = ['an empty array']
const vectors = { rows: new Map([['a', 0]]), vectors: api.ndarray(Float32Array.of(1, 2), [1, 2]) }

/** The rows; `dir` is a directory for the loaders' tiny data. */
export async function rowsIn(dir: string): Promise<Readonly<Record<string, Row>>> {
  await put(dir)
  const half = async (part: string, label: string): Promise<void> => {
    await mkdir(join(dir, part, label), { recursive: true })
    await writeFile(join(dir, part, label, '0_3.txt'), 'so so')
  }
  for (const label of ['neg', 'pos']) await half('train', label)
  await writeFile(join(dir, 'imdb_word_index.json'), '{"so": 1}')
  await writeFile(join(dir, 'input.txt'), 'so so')
  await writeFile(join(dir, 'some.npz'), bytesOf('reviews npz'))
  await writeFile(join(dir, 'glove.txt'), 'the 1 2 3\n')
  const csv = 'Date Time,p (mbar),T (degC),rh (%),VPmax (mbar)\n01.01.2009 00:10:00,996.52,-8.02,93.3,3.33\n'
  await writeFile(join(dir, 'weather.csv'), csv)

  // The published data have another size.
  const verify: Argument = { ...need(false), about: dir }
  const load = (directory: Argument) => ({
    dir: directory,
    verify,
    baseUrl: may('https://nowhere.example', ...text),
    download: may(false),
    fetch: may(() => Promise.reject(new TypeError('fetch failed'))),
    signal: may(new AbortController().signal),
    onDownload: may(() => {}),
  })
  // Without options a loader may find data by itself: in an installed package.
  const named = (entries: Readonly<Record<string, Argument>>): Argument => ({ ...options(entries), skips: ['undefined'] })
  const loader = (title: string) => named(load(filled(dir, title)))
  const bytes = need(bytesOf('npy f4'))
  const window = { shuffle: may(true), batchSize: may(4), seed: may(1) }
  const tokens = { ...split, numWords: may(5, 'null'), charLevel: may(false), oovToken: may('?', 'null', ...text) }
  const sequences = need([[1, 2], [2]], ...lists)
  const texts = need(['a b', ['b', 'c']], ...lists)
  const mode = may('count')
  const zipped = api.zip([['a.npy', api.writeNpy(array)]])
  const packed = new Uint8Array(gzipSync('abc'))
  const idx = encodeIdx(api.ndarray(Uint8Array.of(1, 2), [2]))
  const gunzip = options({ name, maxBytes: may(1000) })
  // The file has vectors of three numbers, not of a hundred.
  const wordVectors = { dim: filled(3, ''), words: may(['the'], ...lists) }

  return {
    BytePairTokenizer: {
      call: (given: api.BytePairs) => new api.BytePairTokenizer(given),
      args: [
        options({
          vocabulary: need(pairs.vocabulary),
          merges: need(pairs.merges, ...lists),
          specialTokens: may([{ text: '<s>', id: 400 }], ...lists),
          pattern: may('llama3'),
          addPrefixSpace: may(true),
          ignoreMerges: may(true),
          normalization: may('NFC'),
        }),
      ],
    },
    'BytePairTokenizer.id': { call: (given: string) => pairs.id(given), args: [need('a', ...text)] },
    'BytePairTokenizer.token': { call: (given: number) => pairs.token(given), args: [need(3)] },
    'BytePairTokenizer.encode': {
      call: (...args: Parameters<typeof pairs.encode>) => pairs.encode(...args),
      args: [need('lower', ...text), options({ specialTokens: may(false) })],
    },
    'BytePairTokenizer.decode': {
      call: (...args: Parameters<typeof pairs.decode>) => pairs.decode(...args),
      args: [need([97, 257], ...lists), options({ skipSpecialTokens: may(true) })],
    },
    'BytePairTokenizer.encodeStream': {
      call: (...args: Parameters<typeof pairs.encodeStream>) => pairs.encodeStream(...args).next(),
      args: [need(['a b', ' c'], ...lists), options({ specialTokens: may(false) })],
    },
    'BytePairTokenizer.decodeStream': {
      call: (...args: Parameters<typeof pairs.decodeStream>) => pairs.decodeStream(...args).next(),
      args: [need([97, [257]], ...lists), options({ skipSpecialTokens: may(true) })],
    },
    'BytePairTokenizer.toJson': { call: () => pairs.toJson(), args: [] },
    'BytePairTokenizer.toFiles': { call: () => pairs.toFiles(), args: [] },
    CharacterVocabulary: { call: (given: string) => new api.CharacterVocabulary(given), args: [need('abc', ...text)] },
    'CharacterVocabulary.encode': { call: (given: string) => letters.encode(given), args: [need('cab', ...text)] },
    'CharacterVocabulary.decode': { call: (given: number[]) => letters.decode(given), args: [need([1, 0], ...lists)] },
    DatasetError: { call: () => new api.DatasetError('x'), args: [] },
    RandomState: { call: (seed: number) => new api.RandomState(seed), args: [need(1)] },
    'RandomState.nextUint32': { call: () => random().nextUint32(), args: [] },
    'RandomState.randomSample': { call: (count: number) => random().randomSample(count), args: [need(2)] },
    'RandomState.randint': { call: (...args: [number, number, number]) => random().randint(...args), args: [need(0), need(5), need(2)] },
    'RandomState.shuffle': {
      call: (items: number[]) => random().shuffle(items),
      args: [need([1, 2], 'an array of another rank', ...lists)],
    },
    'RandomState.permutation': { call: (count: number) => random().permutation(count), args: [need(3)] },
    TimeseriesGenerator: {
      call: (...args: ConstructorParameters<typeof api.TimeseriesGenerator>) => [...new api.TimeseriesGenerator(...args)],
      args: [
        need(series),
        need(series),
        options({
          ...{ length: need(3), samplingRate: may(1), stride: may(1), startIndex: may(0), endIndex: may(15, 'null'), reverse: may(true) },
          ...window,
        }),
      ],
    },
    'TimeseriesGenerator.at': {
      call: (index: number) => new api.TimeseriesGenerator(series, series, { length: 3 }).at(index),
      args: [need(0)],
    },
    Tokenizer: { call: (given: api.TokenizerOptions) => new api.Tokenizer(given), args: [options(tokens)] },
    'Tokenizer.fitOnTexts': { call: (given: string[]) => fitted().fitOnTexts(given), args: [texts] },
    'Tokenizer.fitOnSequences': { call: (given: number[][]) => fitted().fitOnSequences(given), args: [sequences] },
    'Tokenizer.textsToSequences': { call: (given: string[]) => fitted().textsToSequences(given), args: [texts] },
    'Tokenizer.sequencesToTexts': { call: (given: number[][]) => fitted().sequencesToTexts(given), args: [sequences] },
    'Tokenizer.textsToMatrix': { call: (given: string[], m: api.MatrixMode) => fitted().textsToMatrix(given, m), args: [texts, mode] },
    'Tokenizer.sequencesToMatrix': {
      call: (given: number[][], m: api.MatrixMode) => fitted().sequencesToMatrix(given, m),
      args: [sequences, mode],
    },
    'Tokenizer.toJson': { call: () => fitted().toJson(), args: [] },
    'fashionMnist.loadData': { call: api.fashionMnist.loadData, args: [loader('Fashion-MNIST')] },
    'glove.embeddingMatrix': {
      call: api.glove.embeddingMatrix,
      args: [need(new Map([['a', 1]])), need(vectors), options({ numWords: may(3), dim: may(2) })],
    },
    'glove.loadVectors': {
      call: api.glove.loadVectors,
      args: [named({ ...wordVectors, path: filled(join(dir, 'glove.txt'), 'GloVe'), dir: may(dir, ...text) })],
    },
    'glove.readVectors': {
      // A stream is read once.
      call: (stream: unknown, given: object) =>
        api.glove.readVectors(stream === 'a stream' ? new Blob(['the 1 2 3\n']).stream() : (stream as ReadableStream), given),
      args: [need('a stream'), named({ ...wordVectors, name })],
    },
    bytePairsFromFiles: {
      call: api.bytePairsFromFiles,
      args: [
        { ...need(pairs.toFiles().vocabulary), about: 'bytePairsFromFiles: ' },
        { ...need(pairs.toFiles().merges), about: 'bytePairsFromFiles: ' },
        options({ specialTokens: may(['a'], ...lists) }),
      ],
    },
    bytePairsFromJson: { call: api.bytePairsFromJson, args: [{ ...need(pairs.toJson()), about: 'bytePairsFromJson: ' }] },
    gunzip: { call: api.gunzip, args: [need(packed), gunzip] },
    hashingTrick: { call: api.hashingTrick, args: [need('a b', ...text), need(5), options({ ...split, hashFunction: may('md5') })] },
    'imdb.getWordIndex': { call: api.imdb.getWordIndex, args: [loader("IMDB's word index")] },
    'imdb.loadData': {
      call: api.imdb.loadData,
      args: [
        named({
          ...load(may(dir, ...text)),
          path: filled(join(dir, 'some.npz'), 'IMDB'),
          from: may('npz'),
          numWords: may(100, 'null'),
          skipTop: may(0),
          maxlen: may(100, 'null'),
          seed: may(1),
          startChar: may(1, 'null'),
          oovChar: may(2, 'null'),
          indexFrom: may(3),
        }),
      ],
    },
    'imdb.loadReviews': { call: api.imdb.loadReviews, args: [named({ dir: filled(dir, "IMDB's reviews (train)"), part: may('train') })] },
    'jenaClimate.loadData': {
      call: api.jenaClimate.loadData,
      args: [
        named({
          part: may('end'),
          path: filled(join(dir, 'weather.csv'), 'Jena climate'),
          dir: may(dir, ...text),
          verify,
        }),
      ],
    },
    'jenaClimate.parseCsv': { call: api.jenaClimate.parseCsv, args: [{ ...need(csv), about: 'x: line 1: ' }, name] },
    'mnist.loadData': { call: api.mnist.loadData, args: [loader('MNIST')] },
    ndarray: { call: api.ndarray, args: [need(Uint8Array.of(1, 2)), need([2])] },
    normalize: { call: api.normalize, args: [need(array), may(2)] },
    oneHot: { call: api.oneHot, args: [need('a b', ...text), need(5), options(split)] },
    padSequences: {
      call: api.padSequences,
      args: [
        need([[1, 2], [3]], 'an array of another rank', ...lists),
        options({ maxlen: may(4, 'null'), dtype: may('int32'), padding: may('pre'), truncating: may('post'), value: may(0) }),
      ],
    },
    parseIdx: { call: api.parseIdx, args: [need(idx), name] },
    parseNpy: { call: api.parseNpy, args: [bytes, name] },
    parseNpyLists: { call: api.parseNpyLists, args: [need(bytesOf('npy')), name, options({ maxLists: may(10) })] },
    parseNpz: { call: api.parseNpz, args: [need(zipped), name, options({ maxBytes: may(1000) })] },
    readIdx: { call: api.readIdx, args: [need(idx), gunzip] },
    reshape: { call: api.reshape, args: [need(array), need([4])] },
    seriesWindows: {
      call(data: api.NDArray, given: api.SeriesWindowsOptions) {
        const [first] = api.seriesWindows(data, given)
        return first
      },
      args: [
        need(series),
        options({
          ...{
            lookback: need(2),
            delay: need(1),
            minIndex: may(0),
            maxIndex: may(15, 'null'),
            step: need(2),
            target: may(0),
            repeat: may(false),
          },
          ...window,
        }),
      ],
    },
    slice: { call: api.slice, args: [need(array), need(0), may(1)] },
    standardize: { call: api.standardize, args: [need(array), options({ rows: may(2) })] },
    takeRows: { call: api.takeRows, args: [need(array), need([0], ...lists)] },
    textToWordSequence: { call: api.textToWordSequence, args: [need('a b', ...text), options(split)] },
    'tinyShakespeare.loadData': { call: api.tinyShakespeare.loadData, args: [loader('Tiny Shakespeare')] },
    toCategorical: { call: api.toCategorical, args: [need([0, 1], ...lists), may(3)] },
    tokenWindows: {
      call(tokens: number[], given: api.TokenWindowsOptions) {
        const [first] = api.tokenWindows(tokens, given)
        return first
      },
      args: [need([1, 2, 3, 4]), options({ length: need(2), batchSize: may(3), key: may([0, 7]), batches: may(2) })],
    },
    tokenizerFromJson: { call: api.tokenizerFromJson, args: [{ ...need(fitted().toJson()), about: 'tokenizerFromJson: ' }] },
    trainBytePairs: {
      call: api.trainBytePairs,
      args: [
        need(['a b', 'ab'], ...text, ...lists),
        options({ vocabularySize: need(260), specialTokens: may(['<s>'], ...lists), minCount: may(2), pattern: may('qwen2') }),
      ],
    },
    unzip: { call: api.unzip, args: [need(zipped), options({ name, maxBytes: may(1000), filter: may(() => true) })] },
    writeNpy: { call: api.writeNpy, args: [need(array)] },
    writeNpz: { call: api.writeNpz, args: [need([['a', array]], ...lists)] },
    zip: { call: api.zip, args: [need([['a', Uint8Array.of(1)]], ...lists)] },
    isZip: { call: formats.isZip, args: [need(zipped)] },
  }
}

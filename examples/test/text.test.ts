/** Document 002's networks on film reviews: their data and summaries as the document prints them, and short runs on a few real reviews. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type NDArray, ndarray } from '@cotangent/datasets'
import { dense, resetNames, type Sequential } from '@cotangent/layers'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { deadStart, imdbConv1d, imdbConv1dModel } from '../002-text-and-sequences/imdb-conv1d.js'
import { imdbEmbedding, imdbEmbeddingModel } from '../002-text-and-sequences/imdb-embedding.js'
import { imdbGlove } from '../002-text-and-sequences/imdb-glove.js'
import { imdbLstm, imdbLstmModel } from '../002-text-and-sequences/imdb-lstm.js'
import { imdbNoGlove } from '../002-text-and-sequences/imdb-no-glove.js'
import { imdbSimpleRnn, imdbSimpleRnnModel } from '../002-text-and-sequences/imdb-simple-rnn.js'
import { denseModel } from '../002-text-and-sequences/raw-reviews.js'
import { textOneHot } from '../002-text-and-sequences/text-one-hot.js'
import { arrayText } from '../lib/numpy.js'
import { runHere, titlesOf } from './run.js'

const root = process.env.COTANGENT_DATA
const absent = !root
  ? ' (COTANGENT_DATA is not set)'
  : ['imdb/imdb.npz', 'imdb/aclImdb_train_neg.tar.gz', 'glove'].every((file) => existsSync(join(root, file)))
    ? ''
    : ' (COTANGENT_DATA lacks imdb or glove)'

beforeEach(() => resetNames())

/** Restores the blanks at the ends of lines, which editors remove: Keras fills its rows with them. */
const table = (text: string): string[] =>
  text
    .trim()
    .split('\n')
    .map((line) => (/^[_=]/.test(line) || line.includes(': ') ? line : line.padEnd(65)))

describe('networks', () => {
  test.each<[string, (seed: number) => Sequential, number]>([
    ['imdb-embedding', imdbEmbeddingModel, 80_161],
    ['imdb-glove', denseModel, 1_320_065],
    ['imdb-simple-rnn', imdbSimpleRnnModel, 322_113],
    ['imdb-lstm', imdbLstmModel, 328_353],
    ['imdb-conv1d', imdbConv1dModel, 1_315_937],
  ])("%s has Keras' number of parameters", (_, make, params) => {
    const model = make(1)
    expect(model.countParams()).toBe(params)
    model.dispose()
  })

  test('the four summaries are those that the document prints', () => {
    const summaries = [imdbEmbeddingModel, denseModel, denseModel].map((make) => make(1).summaryLines())
    expect(summaries[0]).toEqual(
      table(`
Model: "sequential_1"
_________________________________________________________________
Layer (type)                 Output Shape              Param #
=================================================================
embedding_1 (Embedding)      (None, 20, 8)             80000
_________________________________________________________________
flatten_1 (Flatten)          (None, 160)               0
_________________________________________________________________
dense_1 (Dense)              (None, 1)                 161
=================================================================
Total params: 80,161
Trainable params: 80,161
Non-trainable params: 0
_________________________________________________________________`),
    )
    const second = (n: number): string[] =>
      table(`
Model: "sequential_${n}"
_________________________________________________________________
Layer (type)                 Output Shape              Param #
=================================================================
embedding_${n} (Embedding)      (None, 100, 100)          1000000
_________________________________________________________________
flatten_${n} (Flatten)          (None, 10000)             0
_________________________________________________________________
dense_${2 * n - 2} (Dense)              (None, 32)                320032
_________________________________________________________________
dense_${2 * n - 1} (Dense)              (None, 1)                 33
=================================================================
Total params: 1,320,065
Trainable params: 1,320,065
Non-trainable params: 0
_________________________________________________________________`)
    expect(summaries.slice(1)).toEqual([second(2), second(3)])

    // The document's session had made two dense layers before this model, and its first line counts the models.
    resetNames()
    for (let i = 0; i < 2; i++) dense(1)
    expect(imdbConv1dModel(1).summaryLines().slice(1)).toEqual(
      table(`
_________________________________________________________________
Layer (type)                 Output Shape              Param #
=================================================================
embedding_1 (Embedding)      (None, 500, 128)          1280000
_________________________________________________________________
conv1d_1 (Conv1D)            (None, 494, 32)           28704
_________________________________________________________________
max_pooling1d_1 (MaxPooling1 (None, 98, 32)            0
_________________________________________________________________
conv1d_2 (Conv1D)            (None, 92, 32)            7200
_________________________________________________________________
global_max_pooling1d_1 (Glob (None, 32)                0
_________________________________________________________________
dense_3 (Dense)              (None, 1)                 33
=================================================================
Total params: 1,315,937
Trainable params: 1,315,937
Non-trainable params: 0
_________________________________________________________________`),
    )
  })
})

describe('arrays as NumPy prints them', () => {
  const whole = (data: number[], shape: number[]): NDArray => ndarray(Int32Array.from(data), shape)

  test.each<[string, NDArray, string]>([
    ['one axis', whole([1, 20, -3], [3]), '[ 1 20 -3]'],
    ['two axes, one width', whole([1, 2, 300, 4], [2, 2]), '[[  1   2]\n [300   4]]'],
    ['floats, points below each other', ndarray(Float32Array.of(0.5, -1, 10.25), [3]), '[ 0.5  -1.   10.25]'],
    ['the shortest digits of a float32', ndarray(Float32Array.of(0.1, 0.24487), [2]), '[0.1     0.24487]'],
    [
      'eight digits of the same as a float64',
      ndarray(Float64Array.of(Math.fround(0.1), Math.fround(0.24487)), [2]),
      '[0.1        0.24487001]',
    ],
    ['nothing', whole([], [0]), '[]'],
    ['1,000 elements in full', whole(new Array(1000).fill(7), [500, 2]), `[[7 7]\n${' [7 7]\n'.repeat(498)} [7 7]]`],
    [
      '1,001 by their ends',
      whole(
        Array.from({ length: 1001 }, (_, i) => i),
        [1001],
      ),
      '[   0    1    2 ...  998  999 1000]',
    ],
    [
      'long rows by their ends, the few of them in full',
      whole(new Array(1002).fill(5), [2, 501]),
      '[[5 5 5 ... 5 5 5]\n [5 5 5 ... 5 5 5]]',
    ],
  ])('%s', (_, array, text) => expect(arrayText(array)).toBe(text))

  test('lines of at most 75 characters, bracket included', () => {
    const lines = arrayText(
      whole(
        Array.from({ length: 60 }, (_, i) => 100 + i),
        [60],
      ),
    ).split('\n')
    expect(lines.map(({ length }) => length)).toEqual([72, 72, 72, 25])
    expect(lines[1].slice(0, 8)).toBe(' 118 119')
    const rows = arrayText(
      whole(
        Array.from({ length: 60 }, () => 11),
        [2, 30],
      ),
    ).split('\n')
    expect(rows.map((line) => line.slice(0, 5))).toEqual(['[[11 ', '  11 ', ' [11 ', '  11 '])
    expect(Math.max(...rows.map(({ length }) => length))).toBeLessThanOrEqual(75)
  })
})

test('a dead start is a validation loss that never changes after the first epoch', () => {
  expect(deadStart([7.7125, 7.7125, 7.7125])).toContain('A dead start: the validation loss is 7.7125 after every epoch.')
  expect(deadStart([7.7125, 7.7125, 7.7124])).toBeUndefined()
  expect(deadStart([7.7125])).toBeUndefined()
  expect(deadStart([Number.NaN, Number.NaN])).toBeUndefined()
})

test('text-one-hot gives the sequences and the matrix that the document makes', () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  const { sequences, oneHotResults } = textOneHot.run()
  log.mockRestore()
  expect(sequences).toEqual([
    [1, 2, 3, 4, 1, 5],
    [1, 6, 7, 8, 9],
  ])
  expect(oneHotResults.shape).toEqual([2, 1000])
  const ones = (row: number): number[] =>
    [...oneHotResults.data.subarray(row * 1000, row * 1000 + 1000).entries()].flatMap(([i, x]) => (x === 1 ? [i] : []))
  expect([ones(0), ones(1)]).toEqual([
    [1, 2, 3, 4, 5],
    [1, 6, 7, 8, 9],
  ])
})

describe.skipIf(absent)(`real reviews${absent}`, () => {
  test("imdb-embedding prints the document's two arrays, and learns", async () => {
    const { printed, history, used } = await runHere(imdbEmbedding, { epochs: 2 })
    expect(printed).toContain(`\
[[  65   16   38 ...   19  178   32]
 [  23    4 1690 ...   16  145   95]
 [1352   13  191 ...    7  129  113]
 ...
 [  11 1818 7561 ...    4 3586    2]
 [  92  401  728 ...   12    9   23]
 [ 764   40    4 ...  204  131    9]]

[[ 286  170    8 ...   14    6  717]
 [  10   10  472 ...  125    4 3077]
 [  34    2   45 ...    9   57  975]
 ...
 [ 226   20  272 ...   21  846 5518]
 [  55  117  212 ... 2302    7  470]
 [  19   14   20 ...   34 2005 2643]]
20
Model: "sequential_1"`)
    expect(printed).toContain('Train on 20000 samples, validate on 5000 samples\nEpoch 1/2\n')
    expect(used).toMatchObject({ name: 'IMDB', train: 25000, available: 25000, unit: 'reviews' })
    // The document has 0.7060 after its first epoch; guessing gives 0.5.
    expect(history.val_acc[1]).toBeGreaterThan(0.6)
    expect(history.val_loss[1]).toBeLessThan(history.val_loss[0])
  })

  test.each([imdbSimpleRnn, imdbLstm])('$id prints its lines, and learns a few reviews', async (experiment) => {
    const { printed, loss, value, history, used, sections } = await runHere(experiment, { epochs: 3, batchSize: 20, limit: 200 })
    expect(printed).toContain(`\
Loading data...
200 train sequences
25000 test sequences
input_train shape (200, 500)
input_test shape (25000, 500)
Train on 160 samples, validate on 40 samples
Epoch 1/3
`)
    expect(loss[2]).toBeLessThan(loss[0])
    expect(value).toBe(history.val_acc[2])
    expect(used).toMatchObject({ train: 200, available: 25000 })
    const gates = experiment === imdbLstm ? 6 : 0
    expect(titlesOf(sections).slice(0, 3)).toEqual([
      'confusion: Confusion matrix',
      'samples: Most confidently wrong',
      'table: Nearest words',
    ])
    expect(sections).toHaveLength(3 + gates)
    // The matrix is that of the reviews that val_acc is of, and the texts are theirs.
    const [matrix, wrong] = sections
    if (matrix.kind !== 'confusion' || wrong.kind !== 'samples') throw new Error('other kinds')
    expect((matrix.counts[0][0] + matrix.counts[1][1]) / 40).toBeCloseTo(value, 5)
    for (const { text } of wrong.samples) expect(text?.split(' ').length).toBe(60)
  })

  test('imdb-conv1d learns with a seed that starts above 0, and says so where it starts dead', async () => {
    const lively = await runHere(imdbConv1d, { epochs: 2, batchSize: 10, limit: 50, seed: 3 })
    expect(lively.printed).toContain('Pad sequences (samples x time)\nx_train shape: (50, 500)\nx_test shape: (25000, 500)\nModel: ')
    expect(lively.loss[1]).toBeLessThan(lively.loss[0])
    expect(lively.remark).toBeUndefined()

    const dead = await runHere(imdbConv1d, { epochs: 2, batchSize: 10, limit: 50, seed: 6 })
    expect(dead.remark).toMatch(/^A dead start: the validation loss is \d+\.\d{4} after every epoch\./)
    // The clipped loss, which is ln 1e7 less one step of float32, for each good review.
    const good = dead.history.val_loss[0] / -Math.log(2e-7)
    expect(good * 10).toBeCloseTo(Math.round(good * 10), 4)
    expect(dead.history.val_acc).toEqual([expect.closeTo(1 - good, 4), expect.closeTo(1 - good, 4)])
  })
})

describe.skipIf(absent)(`real texts${absent}`, () => {
  test('imdb-glove prints what the document prints, freezes the vectors, and evaluates all test reviews', async () => {
    const { printed, loss, used, history } = await runHere(imdbGlove, { epochs: 2 })
    expect(printed).toContain('Shape of data tensor:  (25000, 100)\nShape of label tensor:  (25000,)\nFound ')
    expect(printed).toContain(`\
(10000, 100)
[-0.038194   -0.24487001  0.72812003 -0.39961001  0.083172    0.043953
 -0.39140999  0.3344     -0.57545     0.087459    0.28786999 -0.06731
  0.30906001 -0.26383999 -0.13231    -0.20757     0.33395001 -0.33848
 -0.31742999 -0.48335999  0.1464     -0.37303999  0.34577     0.052041
  0.44946    -0.46970999  0.02628    -0.54154998 -0.15518001 -0.14106999
 -0.039722    0.28277001  0.14393     0.23464    -0.31020999  0.086173
  0.20397     0.52623999  0.17163999 -0.082378   -0.71787    -0.41531
  0.20334999 -0.12763     0.41367     0.55186999  0.57907999 -0.33476999
 -0.36559001 -0.54856998 -0.062892    0.26583999  0.30204999  0.99774998
 -0.80480999 -3.0243001   0.01254    -0.36941999  2.21670008  0.72201002
 -0.24978     0.92136002  0.034514    0.46744999  1.10790002 -0.19358
 -0.074575    0.23353    -0.052062   -0.22044     0.057162   -0.15806
 -0.30798    -0.41624999  0.37972     0.15006    -0.53211999 -0.20550001
 -1.25259995  0.071624    0.70564997  0.49744001 -0.42063001  0.26148
 -1.53799999 -0.30223    -0.073438   -0.28312001  0.37103999 -0.25217
  0.016215   -0.017099   -0.38984001  0.87423998 -0.72569001 -0.51058
 -0.52028    -0.1459      0.82779998  0.27061999]
Model: "sequential_1"`)
    expect(printed).toContain('Trainable params: 1,320,065\nNon-trainable params: 0\n')
    expect(printed).toContain('Train on 200 samples, validate on 10000 samples\nEpoch 1/2\n')
    expect(printed).toMatch(/\n25000\/25000 \[=+\] - .*\n\[0\.\d+, 0\.\d+\]$/)
    expect(loss[1]).toBeLessThan(loss[0])
    expect(history.val_acc).toHaveLength(2)
    expect(used).toMatchObject({ train: 200, available: 200, validation: 10000, test: 25000 })
  })

  test('imdb-no-glove trains on the same reviews; --limit keeps the first of them', async () => {
    const { printed, loss, used } = await runHere(imdbNoGlove, { epochs: 2, limit: 60 })
    expect(printed).toContain('Train on 60 samples, validate on 10000 samples')
    expect(loss[1]).toBeLessThan(loss[0])
    expect(used).toMatchObject({ train: 60, available: 200, validation: 10000 })
  })
})

/** The convolutional and recurrent experiments on digits, in this process: their networks, and short runs on a few real images. (examples.test.ts runs whole programs.) */
import { imageDataFormat, resetNames } from '@cotangent/layers'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { fullCnn, lightCnn } from '../000-keras-tutorial/cnn.js'
import { mnistCnnFull } from '../000-keras-tutorial/mnist-cnn-full.js'
import { mnistCnnLight } from '../000-keras-tutorial/mnist-cnn-light.js'
import { lstmModel, mnistLstm } from '../000-keras-tutorial/mnist-lstm.js'
import { confusionCnn, mnistCnnConfusion } from '../001-lstm-cnn/mnist-cnn-confusion.js'
import { confusionLstm, mnistLstmConfusion } from '../001-lstm-cnn/mnist-lstm-confusion.js'
import { adadeltaCnn, mnistCnnAdadelta } from '../004-soft-computing/mnist-cnn-adadelta.js'
import { numpyText } from '../lib/confusion.js'
import { runOnDigits, titlesOf } from './run.js'

beforeEach(() => resetNames())
afterEach(() => vi.restoreAllMocks())

describe('networks', () => {
  test.each([
    ['000 light', lightCnn, 592_074, ['(None, 32, 24, 24)', '(None, 32, 12, 12)', '(None, 4608)']],
    ['000 LSTM', (seed: number) => lstmModel(10, seed), 1_113_098, ['(None, 512)']],
    ['000 full', fullCnn, 198_263, ['(None, 30, 24, 24)', '(None, 30, 12, 12)', '(None, 15, 10, 10)', '(None, 1500)']],
    ['001', confusionCnn, 369_174, ['(None, 28, 28, 32)', '(None, 14, 14, 32)', '(None, 10, 10, 48)', '(None, 5, 5, 48)', '(None, 1200)']],
    ['001 LSTM', confusionLstm, 294_410, ['(None, 256)', '(None, 10)']],
    ['004', adadeltaCnn, 1_199_882, ['(None, 26, 26, 32)', '(None, 24, 24, 64)', '(None, 12, 12, 64)', '(None, 9216)']],
  ] as const)("document %s: Keras' shapes and number of parameters", (_, make, params, shapes) => {
    const model = make(1)
    expect(model.countParams()).toBe(params)
    const lines = model.summaryLines().join('\n')
    for (const shape of shapes) expect(lines).toContain(shape)
    expect(imageDataFormat(), 'left as it was').toBe('channelsLast')
    model.dispose()
  })
  test('the summary is the one that document 001 prints', () => {
    expect(confusionCnn(1).summaryLines().slice(1, 16)).toEqual(
      `
_________________________________________________________________
Layer (type)                 Output Shape              Param #   
=================================================================
conv2d_1 (Conv2D)            (None, 28, 28, 32)        832       
_________________________________________________________________
max_pooling2d_1 (MaxPooling2 (None, 14, 14, 32)        0         
_________________________________________________________________
conv2d_2 (Conv2D)            (None, 10, 10, 48)        38448     
_________________________________________________________________
max_pooling2d_2 (MaxPooling2 (None, 5, 5, 48)          0         
_________________________________________________________________
flatten_1 (Flatten)          (None, 1200)              0         
_________________________________________________________________
dense_1 (Dense)              (None, 256)               307456    
_________________________________________________________________`
        .trim()
        .split('\n'),
    )
  })
})

test('a confusion matrix looks as NumPy prints it', () => {
  const matrix = [
    [980, 0, 3],
    [1, 5710, 0],
  ]
  expect(numpyText(matrix)).toBe('[[ 980    0    3]\n [   1 5710    0]]')
})

describe('short runs on real images', () => {
  test.each([
    [mnistCnnLight, /^simple CNN error: \d+\.\d\d%$/m],
    [mnistCnnFull, /^Larger CNN error: \d+\.\d\d%$/m],
  ] as const)('$id learns and prints its line', async (experiment, line) => {
    const { value, loss, printed, sections } = await runOnDigits(experiment, { train: 600, test: 200, epochs: 2 })
    expect(printed).toMatch(line)
    expect(loss[1]).toBeLessThan(loss[0])
    // Guessing is wrong in 90 % of cases.
    expect(value).toBeLessThan(50)
    expect(titlesOf(sections).slice(0, 5)).toEqual([
      'confusion: Confusion matrix',
      'samples: Most confidently wrong',
      'images: Test image 0, a 7',
      'images: Filters of conv2d',
      'images: Test image 0 after conv2d',
    ])
    const [matrix] = sections
    if (matrix.kind !== 'confusion') throw new Error('another kind')
    const right = matrix.counts.reduce((sum, row, digit) => sum + row[digit], 0)
    expect(100 - right / 2).toBeCloseTo(value, 4) // of 200
  })
  test('mnist-lstm learns and prints its line', async () => {
    const { value, loss, printed, sections } = await runOnDigits(mnistLstm, { train: 300, test: 100, epochs: 2 })
    expect(printed).toMatch(/^LSTM model error: \d+\.\d\d%$/m)
    expect(loss[1]).toBeLessThan(loss[0])
    expect(value).toBeLessThan(80)
    const maps = ['Input gate', 'Forget gate', 'Output gate', 'Candidate', 'Cell state', 'Hidden state'].map((title) => `heat: ${title}`)
    expect(titlesOf(sections).slice(3)).toEqual(maps)
  })
  test.each([
    ['CNN', mnistCnnConfusion],
    ['LSTM', mnistLstmConfusion],
  ] as const)('the %s with confusion matrices prints both, whose diagonal is the accuracy', async (name, experiment) => {
    const { value, printed } = await runOnDigits(experiment, { train: 500, test: 200 })
    expect(printed).toMatch(new RegExp(`^${name} test accuracy: 0\\.\\d+$`, 'm'))
    const [, train, test] = /(\[\[[\d\s[\]]+?\]\]) \n\n (\[\[[\d\s[\]]+?\]\])/.exec(printed) ?? []
    const counts = [train, test].map(
      (text) =>
        JSON.parse(
          text
            .replace(/\[\s+/g, '[')
            .replace(/\]\s+\[/g, '],[')
            .replace(/(\d)\s+(?=\d)/g, '$1,'),
        ) as number[][],
    )
    for (const [i, total] of [500, 200].entries()) expect(counts[i].flat().reduce((a, b) => a + b)).toBe(total)
    expect(counts[1].reduce((sum, row, i) => sum + row[i], 0) / 200).toBeCloseTo(value, 6)
  })
  test('mnist-cnn-adadelta learns in the style of its Keras', async () => {
    const { value, printed, sections } = await runOnDigits(mnistCnnAdadelta, { train: 400, test: 100 })
    expect(printed).toContain('400 train samples\n100 test samples')
    expect(printed).toMatch(/400\/400 \[=+\] - \d+s - loss: \d\.\d{4} - acc: /)
    expect(value).toBeGreaterThan(0.2)
    expect(sections).toHaveLength(9) // matrix, mistakes, the image, filters, and what five layers make of it
  })
})

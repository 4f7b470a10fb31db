/** Progress lines, compared character for character with Keras'. */
import { describe, expect, test } from 'vitest'
import { loadGolden } from '../../test/golden.js'
import { ProgressBar, type ProgressStyle, progressLine, type Verbosity } from './progress.js'

describe('golden progress lines', () => {
  for (const { name, case_kind, params, inputs, expected } of loadGolden('text_output.json')) {
    if (case_kind !== 'progbar') continue
    test(name, () => {
      const line = progressLine({
        current: inputs.current as number,
        target: inputs.target as number,
        elapsedSeconds: inputs.elapsed_seconds as number,
        values: inputs.values as [string, number][],
        style: params.keras as ProgressStyle,
        verbose: params.verbose as Verbosity,
      })
      expect(line).toBe(expected.line)
    })
  }
})

const line = (values: [string, number | string][], verbose: Verbosity = 1): string =>
  progressLine({ current: 1, target: 1, elapsedSeconds: 0.5, values, verbose }).replace(/^.* - loss: /, '')

describe('numbers as Python writes them', () => {
  test('a half goes to the even neighbour', () => {
    expect(line([['loss', 0.03125]])).toBe('0.0312')
    expect(line([['loss', 0.09375]])).toBe('0.0938')
    expect(line([['loss', 2.5]])).toBe('2.5000')
    expect(progressLine({ current: 1, target: 1, elapsedSeconds: 2.5, values: [] })).toBe(
      '1/1 [==============================] - 2s 2s/step',
    )
  })
  test('small, negative and impossible ones', () => {
    expect(line([['loss', 1e-3]])).toBe('1.0000e-03')
    expect(line([['loss', -1.5]])).toBe('-1.5000')
    expect(line([['loss', -1.5]], 2)).toBe('-1.5000e+00')
    expect(line([['loss', -3.03125]], 2)).toBe('-3.0312e+00')
    expect(line([['loss', Number.NaN]])).toBe('nan')
    expect(line([['loss', Infinity]])).toBe('inf')
    expect(line([['loss', 1e-120]])).toBe('1.0000e-120')
    expect(line([['loss', 'n/a']])).toBe('n/a')
  })
  test('nothing done yet, and an unknown target', () => {
    expect(progressLine({ current: 0, target: 5, elapsedSeconds: 1, values: [] })).toBe('0/5 [..............................] - ETA: 0s')
    expect(progressLine({ current: 3, target: null, elapsedSeconds: 1.5, values: [] })).toBe('      3/Unknown - 2s 500ms/step')
  })
})

/** A bar with a clock set by hand. */
function bar(options: { verbose?: Verbosity; isTerminal?: boolean } = {}) {
  let [time, text] = [0, '']
  const progress = new ProgressBar({ target: 4, write: (part) => (text += part), now: () => time, ...options })
  return { progress, text: () => text, wait: (ms: number) => (time += ms) }
}

describe('ProgressBar', () => {
  test('redraws at most every 0.05 s, but always at the end', () => {
    const { progress, text, wait } = bar()
    progress.update(1, [])
    wait(20)
    expect(progress.due()).toBe(false)
    progress.update(2, [])
    wait(30)
    expect(progress.due()).toBe(true)
    progress.update(3, [])
    wait(1)
    progress.update(4, [['loss', 1]])
    expect(
      text()
        .split('\n')
        .map((l) => l.slice(0, 3)),
    ).toEqual(['', '1/4', '3/4', '4/4', ''])
  })
  test('on a terminal goes back and covers what was longer', () => {
    const { progress, text, wait } = bar({ isTerminal: true })
    progress.update(1, [['loss', 0.0001]])
    const first = text().slice(1)
    wait(100)
    progress.update(4, [])
    const second = text().slice(1 + first.length)
    expect(text().startsWith('\r1/4')).toBe(true)
    expect(second.startsWith(`${'\b'.repeat(first.length)}\r4/4`)).toBe(true)
    expect(second.length).toBe(first.length + 1 + first.length + 1)
    expect(second.endsWith(' \n')).toBe(true)
  })
  test('verbosity 2 is one line at the end, 0 none', () => {
    const quiet = bar({ verbose: 2 })
    expect(quiet.progress.due()).toBe(false)
    quiet.progress.update(1, [])
    quiet.wait(1400)
    quiet.progress.update(4, [['loss', 0.25]])
    expect(quiet.text()).toBe(' - 1s - loss: 0.2500\n')
    const silent = bar({ verbose: 0 })
    silent.progress.update(4, [])
    expect(silent.text()).toBe('')
  })
})

/** The example on backpropagation: its derivatives are right, its training learns the four points, and its output fits a terminal. */
import { expectNoLeaks, registry } from '@cotangent/core'
import { describe, expect, test, vi } from 'vitest'
import { backprop } from './backprop.js'
import { walkLines } from './print.js'
import { train } from './train.js'
import { type Checked, walk } from './walk.js'

const ops = ['matMul', 'add', 'tanh', 'matMul', 'add', 'sigmoid', 'sub', 'mul', 'sum', 'div']

describe.each([1, 2, 3])('seed %i', (seed) => {
  const walked = walk(seed)
  const checked = walked.steps.flatMap(({ arrives, sends }) => [arrives, ...sends].filter((sent): sent is Checked => sent !== null))

  test('the tape has one record for each op, in order', () => {
    expect(walked.rows.map(({ op }) => op)).toEqual(ops)
    expect(walked.steps.map(({ index }) => index)).toEqual(ops.map((_, i) => ops.length - 1 - i))
  })

  test('every cotangent agrees with its central difference', () => {
    expect(checked).toHaveLength(24)
    for (const { error, name } of checked) expect(error, `d${name}`).toBeLessThan(1e-6)
  })

  test('the cotangent that arrives at a record is the sum of those that were sent to it', () => {
    const sent = new Map<string, number[]>([['loss', [1]]])
    for (const { arrives, sends } of walked.steps) {
      expect(arrives.values).toEqual(sent.get(arrives.name))
      for (const part of sends) {
        if (!part) continue
        const sum = sent.get(part.name)
        sent.set(part.name, sum ? sum.map((value, i) => value + part.values[i]) : part.values)
      }
    }
    expect([...sent.keys()]).toEqual(expect.arrayContaining(['W1', 'b1', 'W2', 'b2']))
    expect([...sent.keys()]).not.toContain('x')
  })

  test('training learns the four points', async () => {
    const { right, losses } = await train({ seed, rate: 2, steps: 2000 })
    expect(right).toBe(4)
    expect(losses[losses.length - 1].loss).toBeLessThan(1e-3)
    expect(losses[0].loss).toBeCloseTo(walked.rows[9].output.values[0], 5)
  })
})

test('a seed gives the same output', () => expect(walkLines(walk(5))).toEqual(walkLines(walk(5))))

test('the output fits in 100 columns', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  await backprop.run({ epochs: 30 })
  const lines = log.mock.calls.flatMap(([text]) => String(text).split('\n'))
  log.mockRestore()
  expect(lines.length).toBeGreaterThan(120)
  for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(100)
  for (const line of lines) expect(line, 'no space at the end').toBe(line.trimEnd())
})

test('nothing is left behind', async () => {
  await expectNoLeaks(async () => {
    walk(1)
    await train({ seed: 1, rate: 2, steps: 20 })
  })
})

describe('the tape as text and as data', () => {
  const { text, json, rows, weights } = walk(1)

  test('toString has a line for each record', () => {
    const lines = text.split('\n')
    expect(lines.map((line) => /= (\w+)\(/.exec(line)?.[1])).toEqual(ops)
    for (const { name } of weights) expect(text).toContain(name)
    expect(lines[9]).toContain('in mean')
  })

  test('toJSON survives JSON and carries shapes, options and formulas', () => {
    const records = JSON.parse(JSON.stringify(json))
    expect(records).toEqual(json)
    expect(records.map((record: { rule: string }) => record.rule)).toEqual(ops.map((op) => registry.get(op)?.rule))
    expect(records.map((record: { output: { shape: number[] } }) => record.output.shape)).toEqual(rows.map(({ output }) => output.shape))
    expect(records[8]).toMatchObject({ op: 'sum', options: { first: 0, last: 1 }, path: 'mean' })
    expect(records[0].inputs[1]).toMatchObject({ name: 'W1', shape: [2, 3], dtype: 'float64' })
  })
})

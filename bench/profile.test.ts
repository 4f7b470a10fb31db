/** The profile of a step: its parts add up, it knows the work of kernels, and it leaves the backend as it was. */
import { currentBackend, matMul, ones, scope } from '@cotangent/core'
import { expect, test } from 'vitest'
import { parseCommandLine } from './cli.js'
import { cotangent } from './libraries/cotangent.js'
import { cotangentCore } from './libraries/cotangent-core.js'
import { type Profile, profile } from './profile.js'
import { profileTable } from './profile-table.js'
import { amountOf, commands, type TrainWorkload, type Workload } from './workloads.js'

const rowNamed = (name: string): Workload => commands.models.find((row) => row.name === name) as Workload

test('a product is counted with its operations and bytes, and what is not in a kernel is TypeScript', async () => {
  const prepared = {
    run: async () => {
      scope(() => void matMul(ones([6, 5]), ones([5, 7])))
      return 0
    },
    dispose: () => undefined,
  }
  const { rows, ms, typescript, threads } = await profile(prepared, 4)
  expect(rows.find(({ name }) => name === 'matMul')).toMatchObject({ calls: 1, flops: 2 * 6 * 5 * 7, bytes: 4 * (30 + 35 + 42) })
  expect(rows.find(({ name }) => name === 'fill')).toMatchObject({ calls: 2 })
  expect(rows.reduce((sum, row) => sum + row.ms, 0) + typescript).toBeCloseTo(ms, 9)
  expect(typescript).toBeGreaterThan(0)
  expect(threads).toBe(1)
})

test.each(['mlp-dropout', 'cnn-full', 'lstm-256', 'imdb-simple-rnn', 'imdb-conv1d', 'jena-bidirectional', 'gpt'])(
  'the products of %s have the operations that its row counts',
  async (name) => {
    const row = rowNamed(name)
    const small = row.kind === 'gpt' ? { ...row, layers: 1, batch: 2 } : { ...(row as TrainWorkload), batch: 4 }
    const make = row.kind === 'gpt' ? cotangentCore : cotangent
    const prepared = await make().prepare(small, 7)
    await prepared.run(1)
    const { rows } = await profile(prepared, 2)
    prepared.dispose()
    const counted = rows.reduce((sum, { flops = 0 }) => sum + flops, 0)
    // Convolutions of one dimension and dropped recurrent inputs may be computed in another way with a little more work.
    expect(counted / (amountOf(small).flops ?? 0)).toBeGreaterThan(0.98)
    expect(counted / (amountOf(small).flops ?? 0)).toBeLessThan(1.1)
  },
)

test('afterwards the kernels are those of before, also after an error', async () => {
  const { kernels, fused, write } = currentBackend()
  const before = { ...kernels, ...fused }
  let calls = 0
  const failing = {
    run: async () => {
      if (++calls === 3) throw new Error('no more')
      return 0
    },
    dispose: () => undefined,
  }
  await expect(profile(failing, 2)).rejects.toThrow('no more')
  expect({ ...currentBackend().kernels, ...currentBackend().fused }).toEqual(before)
  expect(currentBackend().write).toBe(write)
})

test('the table adds up small rows and sets rates beside limits', () => {
  const row = { calls: 2, waiting: 0, workers: 0, shareable: 0, bytes: 1e6 }
  const profiled: Profile = {
    steps: 10,
    threads: 2,
    plainMs: 9.5,
    ms: 10,
    rows: [
      { ...row, name: 'matMul', ms: 6, flops: 3e8, workers: 5, waiting: 0.5 },
      { ...row, name: 'zip add', ms: 2, bytes: 2e7 },
      { ...row, name: 'map exp', ms: 0.02 },
      { ...row, name: 'map log', ms: 0.03 },
    ],
    typescript: 1.95,
  }
  const lines = profileTable('X', profiled, { gflops: 50, gigabytesPerSecond: 40 }).split('\n')
  expect(lines[0]).toBe('X: 10.0 ms a step with a clock around every call, 9.50 without; means of the faster half of 10 steps')
  const cells = lines.slice(2).map((line) => line.trim().split(/ {2,}/))
  expect(cells).toContainEqual(['matMul', '2.00', '6.00', '60 %', '0.500', '5.00', '50.0 GFLOP/s', '50 %'])
  expect(cells).toContainEqual(['zip add', '2.00', '2.00', '20 %', '0', '0', '10.0 GB/s', '25 %'])
  expect(cells).toContainEqual(['others', '4.00', '0.0500', '1 %'])
  expect(cells).toContainEqual(['TypeScript between the calls', '1.95', '20 %'])
  expect(cells).toContainEqual(['the step', '8.00', '10.0', '0.500', '5.00'])
})

test('its flags', () => {
  expect(parseCommandLine(['models', '--only', 'gpt', '--profile'])).toMatchObject({ kind: 'profile', steps: 30, seed: 7 })
  expect(() => parseCommandLine(['kernels', '--profile'])).toThrow('--profile is a flag of models')
  expect(() => parseCommandLine(['models', '--profile', '--rounds', '3'])).toThrow('--profile takes no flags but')
})

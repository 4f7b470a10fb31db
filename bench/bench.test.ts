/**
 * The benchmark's arithmetic, its command line and its tables, with made-up libraries: nothing here depends on how fast a machine is. The file is longer than 300
 * lines because these share the made-up libraries.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { takesPart } from './adapter.js'
import { parseCommandLine, UsageError } from './cli.js'
import type { Contestant } from './contestant.js'
import { cotangentCore } from './libraries/cotangent-core.js'
import { jsLoop } from './libraries/js-loop.js'
import { models } from './networks.js'
import { batchesOf } from './random.js'
import { heading, short, table } from './report.js'
import { type LibraryResult, timeWorkload } from './rounds.js'
import { ratios, spread } from './statistics.js'
import { amountOf, commands, type TrainWorkload, type Workload } from './workloads.js'

const [mlp] = models

/** A library whose steps take the given times, one after the other and again from the start. Its loss falls unless `loss` says otherwise. */
function fake(library: string, msPerStep: readonly number[], { loss = (step: number) => 2 / step, log = [] as string[] } = {}): Contestant {
  let calls = 0
  let step = 0
  return {
    library,
    async prepare() {
      log.push(`${library} prepare`)
    },
    async run(steps) {
      step += steps
      log.push(`${library} ${steps}`)
      return { ms: steps * msPerStep[calls++ % msPerStep.length], value: loss(step) }
    },
    close() {},
  }
}

describe('command line', () => {
  test.each([
    [[], 'Say what to run: models, kernels, operations, ops'],
    [
      ['train'],
      'There is no command "train". There are models, kernels, operations, ops, accuracy, report, compare, keep, tables, versions, scaling, lens.',
    ],
    [['models', 'mlp'], 'no further argument, got "mlp"'],
    [['models', '--fast'], "Unknown option '--fast'"],
    [['models', '--rounds'], '--rounds'],
    [['models', '--rounds', '0'], '--rounds takes a whole number, at least 1, got "0"'],
    [['models', '--steps', '1.5'], '--steps takes a whole number, at least 1'],
    [['models', '--seed', 'x'], '--seed takes a whole number, at least 0'],
    [['models', '--only', 'mlp,Z'], 'models has no row "Z". It has mlp (A)'],
    [['kernels', '--only', 'mlp'], 'kernels has no row "mlp"'],
    [['models', '--peers', 'brain'], 'There are all, none, torch, numpy, tfjs-wasm, tfjs-cpu, jax-js'],
    [['lens', 'add', '3x3x3'], 'lens takes an op and its sizes'],
    [['lens', 'matMul', '128x784'], 'MxKxN, as in 128x784x512, got "128x784"'],
    [['lens', 'matMul', '99999x1x99999'], 'too large'],
    [['lens', 'matMul', '1x2x3', '--seed', '3'], 'lens takes no flags but --tile and --variant, got "--seed"'],
    ...['6', '6x6', '0x8', '17x8', '4x8x17', '4x68', '4x8x'].map((tile): [string[], string] => [
      ['lens', 'matMul', '1x2x3', '--tile', tile],
      `--tile takes ROWSxCOLUMNS[xUNROLL], up to 16 rows, columns a multiple of 4 up to 64, as in 4x8x2, got "${tile}"`,
    ]),
    [['models', '--backend', 'gpu:webasm'], '--backend is a flag of kernels and takes gpu:webgpu'],
    [['kernels', '--backend', 'wasm'], '--backend is a flag of kernels'],
    [['kernels', '--backend', 'gpu:cpu', '--seed', '3'], '--backend takes no flags but --backend and --rounds, got "--seed"'],
    [['models', '--variant', 'a.ts'], '--variant is a flag of lens'],
    [['accuracy', '--rounds', '3'], 'accuracy takes no flags but --seed, got "--rounds"'],
    [['report', '--steps', '3'], 'report takes no flags but --rounds and --seed, got "--steps"'],
    [['accuracy', 'svd'], 'accuracy takes no further argument, got "svd"'],
    [['compare', 'a.json'], 'compare takes two files of --json, got 1'],
    [['compare', 'a.json', 'b.json', '--seed', '3'], 'compare takes no flags, got "--seed"'],
  ])('%j is refused in one line', (args, message) => {
    let error: unknown
    try {
      parseCommandLine(args)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(UsageError)
    expect((error as UsageError).message).toContain(message)
    expect((error as UsageError).message).not.toContain('\n')
  })

  test('rows are found by name or letter', () => {
    const names = (args: string[]): string[] => {
      const asked = parseCommandLine(['models', ...args])
      return asked.kind === 'run' ? asked.options.workloads.map(({ name }) => name) : []
    }
    expect(names([]).slice(0, 7)).toEqual(['mlp', 'mlp-rmsprop', 'mlp-dropout', 'cnn-light', 'cnn-full', 'cnn-adadelta', 'lstm-256'])
    expect(names(['--only', 'hl,jb'])).toEqual(['imdb-lstm', 'jena-bidirectional'])
    expect(names(['--only', 'c,mlp'])).toEqual(['mlp', 'mlp-dropout'])
  })

  test('defaults and lists', () => {
    expect(parseCommandLine(['ops', '--peers', 'tfjs-cpu', '--steps', '3'])).toMatchObject({
      kind: 'run',
      options: { command: 'ops', peers: ['tfjs-cpu'], rounds: 5, steps: 3, seed: 7 },
    })
    expect(parseCommandLine(['models', '--peers', 'none'])).toMatchObject({ options: { peers: [] } })
    expect(parseCommandLine(['compare', 'a.json', 'b.json'])).toEqual({ kind: 'compare', before: 'a.json', after: 'b.json' })
    expect(parseCommandLine(['kernels', '--backend', 'gpu:webgl2', '--rounds', '2'])).toEqual({ kind: 'gpu', mode: 'webgl2', rounds: 2 })
    expect(parseCommandLine(['--help'])).toEqual({ kind: 'help' })
    expect(parseCommandLine(['lens', 'matMul', '1x2x3'])).toEqual({ kind: 'lens', shape: { m: 1, k: 2, n: 3 } })
    expect(parseCommandLine(['lens', 'matMul', '1x2x3', '--tile=4x8', '--variant', 'a.ts'])).toMatchObject({
      tile: { mr: 4, nr: 8, unroll: 1 },
      variant: 'a.ts',
    })
  })

  test('a mistake ends with exit code 2 and one line', async () => {
    const run = promisify(execFile)(
      process.execPath,
      ['--conditions=@cotangent/source', '--import', 'tsx', fileURLToPath(new URL('./run.ts', import.meta.url)), 'fly'],
      { cwd: fileURLToPath(new URL('..', import.meta.url)) },
    )
    await expect(run).rejects.toMatchObject({
      code: 2,
      stdout: '',
      stderr:
        'bench: There is no command "fly". There are models, kernels, operations, ops, accuracy, report, compare, keep, tables, versions, scaling, lens.\n',
    })
  })
})

describe('statistics', () => {
  test('odd and even counts', () => {
    expect(spread([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 })
    expect(spread([4, 1, 2, 10])).toEqual({ median: 3, min: 1, max: 10 })
    expect(spread([5])).toEqual({ median: 5, min: 5, max: 5 })
    expect(() => spread([])).toThrow(RangeError)
  })

  test('ratios are taken round by round', () => {
    // The ratio of the medians would be 20/2 = 10.
    const byRound = ratios([10, 20, 60], [1, 4, 2])
    expect(byRound).toEqual([10, 5, 30])
    expect(spread(byRound)).toEqual({ median: 10, min: 5, max: 30 })
  })

  test('three significant digits', () => {
    expect([0, 0.01234, 1.234, 12.34, 123.4, 12345].map(short)).toEqual(['0', '0.0123', '1.23', '12.3', '123', '12345'])
  })
})

describe('workloads', () => {
  test('flops of a network: two products for the first layer, three for each other layer', () => {
    expect(amountOf(mlp)).toEqual({ flops: 200 * (4 * 784 * 784 + 6 * 784 * 10), samples: 200 })
  })

  test('flops of convolutions: each gradient takes as many as forward; the first layer has one gradient, others two', () => {
    const flopsOf = (name: string) =>
      amountOf(
        Object.values(commands)
          .flat()
          .find((row) => row.name === name) as Workload,
      ).flops
    const [d, e1] = [2 * 200 * 24 * 24 * 25 * 32, 2 * 64 * 28 * 28 * 25 * 32]
    const e2 = 2 * 64 * 10 * 10 * 25 * 32 * 48
    expect(['conv-D', 'conv-D-backward', 'conv-E1', 'conv-E2', 'conv-E2-backward'].map(flopsOf)).toEqual([d, 2 * d, e1, e2, 3 * e2])
    expect(flopsOf('cnn-light')).toBe(2 * d + 6 * 200 * (12 * 12 * 32 * 128 + 128 * 10))
    expect(flopsOf('cnn-full')).toBe(2 * e1 + 3 * e2 + 6 * 64 * (5 * 5 * 48 * 256 + 256 * 84 + 84 * 10))
    const [f1, f2] = [2 * 128 * 26 * 26 * 9 * 32, 2 * 128 * 24 * 24 * 9 * 32 * 64]
    expect(flopsOf('cnn-adadelta')).toBe(2 * f1 + 3 * f2 + 6 * 128 * (12 * 12 * 64 * 128 + 128 * 10))
  })

  test('flops of recurrent networks: the recurrent product has both gradients; so has the first product if it follows an embedding', () => {
    const flopsOf = (name: string) => amountOf(commands.models.find((row) => row.name === name) as Workload).flops
    expect(flopsOf('lstm-256')).toBe(2 * 128 * (28 * 4 * 256 * (2 * 28 + 3 * 256) + 3 * 256 * 10))
    expect(flopsOf('imdb-lstm')).toBe(6 * 128 * (500 * 4 * 32 * (32 + 32) + 32))
    expect(flopsOf('imdb-simple-rnn')).toBe(6 * 128 * (500 * 32 * (32 + 32) + 32))
    expect(flopsOf('imdb-conv1d')).toBe(6 * 128 * (494 * 7 * 128 * 32 + 92 * 7 * 32 * 32 + 32))
    expect(flopsOf('jena-lstm')).toBe(2 * 128 * (240 * 4 * 32 * (2 * 14 + 3 * 32) + 3 * 32))
    expect(flopsOf('jena-bidirectional')).toBe(2 * 128 * (2 * 240 * 4 * 32 * (2 * 14 + 3 * 32) + 3 * 64))
  })

  test('ids and names are unique', () => {
    const all = Object.values(commands).flat()
    expect(new Set(all.flatMap(({ id, name }) => [id, name])).size).toBe(2 * all.length)
  })

  test('data come from the seed alone', () => {
    const small: TrainWorkload = { ...mlp, inputShape: [20], batch: 3000 }
    const [first] = batchesOf(small, 7)
    expect(batchesOf(small, 7)[0]).toEqual(first)
    expect(batchesOf(small, 8)[0]).not.toEqual(first)
    expect(first.y.reduce((a, b) => a + b)).toBe(3000)
  })

  test.each(commands.kernels.filter((workload) => takesPart('js-loop', workload)))(
    'the plain loop computes what core does: $name',
    async (row) => {
      const workload: Workload = row.kind === 'elementwise' || row.kind === 'update' ? { ...row, size: 10 } : row
      const values: number[] = []
      for (const adapter of [cotangentCore(), jsLoop()]) {
        const prepared = await adapter.prepare(workload, 7)
        values.push(Number(await prepared.run(3)))
        prepared.dispose()
      }
      expect(values[1]).toBeCloseTo(values[0], 6)
    },
  )

  test('an update reads four values a parameter and writes three', () => {
    expect(commands.kernels.flatMap((row) => (row.kind === 'update' ? [amountOf(row)] : []))).toEqual([
      { bytes: 28 * 2 ** 22, footprint: 2 ** 26 },
      { bytes: 28 * 2 ** 20, footprint: 2 ** 24 },
    ])
  })

  test('the plain loop has no part in products, dispatch and networks', () => {
    const kinds = Object.values(commands)
      .flat()
      .filter((row) => takesPart('js-loop', row))
      .map(({ kind }) => kind)
    expect(new Set(kinds)).toEqual(new Set(['elementwise', 'update']))
    expect(takesPart('cotangent-core', commands.ops[0])).toBe(true)
  })

  test('Cotangent learns in the loop written by hand', async () => {
    const dense = (units: number, activation: 'relu' | 'softmax') => ({ type: 'dense', units, activation }) as const
    for (const optimizer of ['adam', 'rmsprop'] as const) {
      const layers = [dense(16, 'relu'), { type: 'dropout', rate: 0.2 } as const, dense(3, 'softmax')]
      const prepared = await cotangentCore().prepare({ ...mlp, inputShape: [12], batch: 50, layers, optimizer }, 7)
      const before = Number(await prepared.run(1))
      expect(Number(await prepared.run(200))).toBeLessThan(before)
      prepared.dispose()
    }
  })
})

describe('rounds', () => {
  test('are interleaved, after every library has warmed up', async () => {
    const log: string[] = []
    const entrants = [fake('ours', [1], { log }), fake('theirs', [2000], { log })]
    await timeWorkload(mlp, entrants, { rounds: 2, seed: 7 })
    const warm = log.indexOf('theirs prepare')
    expect(log.slice(0, warm)).toContain('ours 256') // the steps were doubled until a second was spent
    expect(log.slice(warm + 1)).toEqual(['theirs 1', 'ours 1000', 'theirs 1', 'ours 1000', 'theirs 1'])
  })

  test('JSON: times, rates and ratios', async () => {
    // The first call warms up and takes more than a second; three calls are rounds.
    const entrants = [fake('ours', [9999, 1, 4, 2]), fake('theirs', [9999, 10, 20, 60])]
    const result = await timeWorkload(mlp, entrants, { rounds: 3, steps: 1, seed: 7 })
    const json = JSON.parse(JSON.stringify(result))
    expect(json).toMatchObject({ comparedWith: 'ours', amount: { samples: 200 }, workload: { id: 'A', name: 'mlp' } })
    const [ours, theirs] = json.libraries
    expect(ours).toEqual({
      library: 'ours',
      steps: 1,
      coldMs: 9999,
      msPerStep: { median: 2, min: 1, max: 4, rounds: [1, 4, 2] },
      bestMs: 1,
      rates: { samplesPerSecond: 100_000, gflops: expect.closeTo(501.2 / 2, 0) },
      value: { first: 2, last: 0.5, steps: 4 },
    })
    expect(theirs.ratio).toEqual({ median: 10, min: 5, max: 30, rounds: [10, 5, 30] })
  })

  test('a library that fails is named and the others go on', async () => {
    const broken: Contestant = { ...fake('broken', [1]), run: () => Promise.reject(new Error('no such kernel')) }
    const result = await timeWorkload(mlp, [fake('ours', [1]), broken], { rounds: 1, steps: 1, seed: 7 })
    expect(result.libraries[1]).toEqual({ library: 'broken', failed: 'no such kernel' })
    expect(table(result)).toContain('! broken failed: no such kernel')
  })

  test('nothing is compared with a first library that failed', async () => {
    const broken: Contestant = { ...fake('ours', [1]), prepare: () => Promise.reject(new Error('gone')) }
    const result = await timeWorkload(mlp, [broken, fake('theirs', [1])], { rounds: 1, steps: 1, seed: 7 })
    expect(result.comparedWith).toBeNull()
    expect((result.libraries[1] as LibraryResult).ratio).toBeUndefined()
  })

  test('a row whose loss rises or is no number has a complaint', async () => {
    const rising = fake('rising', [1], { loss: (step) => step })
    const lost = fake('lost', [1], { loss: () => Number.NaN })
    const result = await timeWorkload(mlp, [fake('ours', [1]), rising, lost], { rounds: 5, steps: 5, seed: 7 })
    const complaints = (result.libraries as LibraryResult[]).map(({ complaint }) => complaint)
    expect(complaints).toEqual([undefined, expect.stringContaining('did not fall'), expect.stringContaining('not finite')])
  })

  test('a row of a kernel whose result differs from ours has a complaint', async () => {
    const [product] = commands.kernels
    const entrants = [fake('ours', [1], { loss: () => 3 }), fake('theirs', [1], { loss: () => 3.1 })]
    const result = await timeWorkload(product, entrants, { rounds: 1, steps: 1, seed: 7 })
    expect((result.libraries[1] as LibraryResult).complaint).toBe('result 3.1, ours 3')
    expect(table(result)).toContain('do not use this time')
  })
})

test('the heading names machine, versions and seed', () => {
  const machine = { cpu: 'Abacus', cores: 2, memoryGiB: 1, platform: 'linux x64', node: 'v20', v8: '11', simd256: false }
  const text = heading({
    machine,
    versions: { peer: '4.2' },
    seed: 7,
    rounds: 3,
    load: { before: [1.5, 2, 3], after: [] },
    notes: ['A note.'],
  })
  for (const part of [
    'Abacus, 2 cores',
    'Node v20',
    'peer 4.2',
    'load average 1.5 2 3 before (the machine is busy',
    'seed 7',
    '3 interleaved rounds',
    'A note.',
  ]) {
    expect(text).toContain(part)
  }
})

/** The programs as users start them: exit codes, output, files. The data are the real MNIST. */
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readRecord } from '@cotangent/layers/report'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { runCommand } from '../command.js'
import { demonstrations, experiments } from '../experiments.js'
import type { RunResult } from '../lib/session.js'
import { titlesOf } from './run.js'
import { wellFormed } from './xml.js'

interface Run {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs a program of this folder without a terminal. */
function run(program: 'run.ts' | 'start.ts', ...args: string[]): Promise<Run> {
  const file = fileURLToPath(new URL(`../${program}`, import.meta.url))
  const child = spawn(process.execPath, ['--conditions=@cotangent/source', '--import', 'tsx', file, ...args], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const result: Run = { code: null, stdout: '', stderr: '' }
  child.stdout.on('data', (part) => {
    result.stdout += part
  })
  child.stderr.on('data', (part) => {
    result.stderr += part
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ ...result, code }))
  })
}

describe('the list', () => {
  it('shows every experiment with its document and result', async () => {
    const { code, stdout, stderr } = await run('run.ts')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    for (const { id } of [...experiments, ...demonstrations]) expect(stdout).toContain(`  ${id} `)
    for (const text of [
      'Document 000',
      'Document 001',
      'Document 002',
      'Document 003',
      'Document 004',
      'test error 1.79 %',
      'val MAE 0.5119 (one batch',
      'test accuracy 0.9804',
      'val accuracy 0.9831',
      '--epochs',
    ])
      expect(stdout).toContain(text)
  })
  it('has no id twice', () => {
    const ids = [...experiments, ...demonstrations].map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })
})

describe('mistakes on the command line', () => {
  it.each([
    [['mnist-mpl'], 'There is no experiment "mnist-mpl". Did you mean mnist-mlp?'],
    [['mnist-mlp', '--epoch', '1'], 'Unknown flag --epoch. Did you mean --epochs?'],
    [['mnist-mlp', '--epochs', 'none'], '--epochs takes a whole number, at least 1, got "none".'],
    [['mnist-mlp', '--train-rows', '200000'], '--train-rows means nothing to mnist-mlp'],
    [['text-one-hit'], 'There is no experiment "text-one-hit". Did you mean text-one-hot?'],
    [['text-one-hot', '--epochs', '2'], '--epochs means nothing to text-one-hot. It takes no flags.'],
    [['backprop', '--limit', '3'], '--limit means nothing to backprop. It takes --seed, --lr, --epochs, --backend, --report.'],
    [['jena-dense', '--limit', '5000'], '--limit is for samples, and windows are drawn anew all the time: say with --train-rows'],
    [['mnist-mlp', '--limit', '70000'], '--limit 70000 is more than the 60000 training images there are.'],
    [['keras-import', '--model', '/no/such.h5'], '--model takes a file that exists, got "/no/such.h5".'],
    [['mnist-mlp', '--limit', '-1'], '--limit takes a whole number, at least 1, got "-1".'],
    [['mnist-mlp', '--epochs'], '--epochs needs a value: --epochs <n>.'],
    [['mnist-mlp', '--out', fileURLToPath(import.meta.url)], "--out: can't write into"],
    [['mnist-mlp', '--report', join(fileURLToPath(import.meta.url), 'run.html')], "--report: can't write into"],
    [['mnist-mlp', '--report', 'run.pdf'], '--report takes a file that ends in .html or .json, got "run.pdf".'],
    [['text-one-hot', '--report'], '--report means nothing to text-one-hot. It takes no flags.'],
  ])('%j ends with 2 and one line', async (args, message) => {
    const [log, error] = (['log', 'error'] as const).map((name) => vi.spyOn(console, name).mockImplementation(() => undefined))
    try {
      expect(await runCommand(args)).toBe(2)
      expect(log).not.toHaveBeenCalled()
      expect(error).toHaveBeenCalledTimes(1)
      const [[line]] = error.mock.calls
      expect(line).toContain(message)
      expect(line).not.toContain('\n')
    } finally {
      for (const spy of [log, error]) spy.mockRestore()
    }
  })

  it('are what the process exits with', async () => {
    const { code, stdout, stderr } = await run('run.ts', 'mnist-mpl')
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^There is no experiment "mnist-mpl".*\n$/)
  })
})

describe('demonstrations', () => {
  it('text-one-hot prints the two tables of document 002', async () => {
    expect(await run('run.ts', 'text-one-hot')).toEqual({
      code: 0,
      stderr: '',
      stdout: `0 {'the': 1, 'cat': 2, 'sat': 3, 'on': 4, 'mat': 5, 'dog': 6, 'ate': 7, 'my': 8, 'homework': 9}
1 OrderedDict([('the', 3), ('cat', 1), ('sat', 1), ('on', 1), ('mat', 1), ('dog', 1), ('ate', 1), ('my', 1), ('homework', 1)])
`,
    })
  })
  it('backprop takes a backend and its own epochs', async () => {
    const { code, stdout, stderr } = await run('run.ts', 'backprop', '--backend', 'reference', '--epochs', '5', '--lr', '0.5')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('of 4 right')
  })
})

describe('mnist-mlp on 2,000 images', () => {
  let directory = ''
  let first: Run
  const flags = ['--epochs', '1', '--limit', '2000', '--batch-size', '50', '--seed', '1']
  const resultIn = async (name: string): Promise<RunResult> => JSON.parse(await readFile(join(directory, name), 'utf8')) as RunResult

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cotangent-examples-'))
    const files = ['--json', join(directory, 'made/here/first.json'), '--out', join(directory, 'out'), '--report']
    first = await run('run.ts', 'mnist-mlp', ...flags, ...files, join(directory, 'reports/first.html'))
    await run('run.ts', 'mnist-mlp', ...flags, '--json', join(directory, 'second.json'))
  })
  afterAll(() => rm(directory, { recursive: true, force: true }))

  it("prints the document's lines, and that the data are partial", () => {
    expect(first.stderr).toBe('')
    expect(first.code).toBe(0)
    expect(first.stdout).toContain('Train on 2000 samples, validate on 10000 samples\nEpoch 1/1\n')
    expect(first.stdout).toMatch(/^ - \d+s - loss: \d\.\d{4} - acc: 0\.\d{4} - val_loss: \d\.\d{4} - val_acc: 0\.\d{4}$/m)
    expect(first.stdout).toMatch(/^Baseline error: \d+\.\d\d%$/m)
    expect(first.stdout).toContain('partial data: 2,000 of 60,000 training images')
    expect(first.stdout).toContain('test error 1.79 %')
  })

  it('learns', async () => {
    const { result } = await resultIn('made/here/first.json')
    expect(result.metric).toBe('test error %')
    expect(result.value).toBeGreaterThan(2)
    expect(result.value).toBeLessThan(20)
  })

  it('reports everything as JSON', async () => {
    const { history, environment, secondsPerEpoch, result, sections, ...rest } = await resultIn('made/here/first.json')
    const hash = expect.stringMatching(/^[\da-f]{64}$/)
    expect(rest).toEqual({
      best: { epoch: 0, name: 'val_acc', value: history.val_acc[0] },
      id: 'mnist-mlp',
      document: '000',
      reported: { metric: 'test error %', value: 1.79 },
      data: { name: 'MNIST', source: expect.stringMatching(/^[^/\\]+$/), train: 2000, test: 10000, partial: true, sha256: hash },
      weights: hash,
      epochs: 1,
      batchSize: 50,
      seed: 1,
      backend: 'wasm',
      threads: 1,
    })
    expect(history).toEqual(Object.fromEntries(['loss', 'acc', 'val_loss', 'val_acc'].map((name) => [name, [expect.any(Number)]])))
    expect(result.value).toBeCloseTo(100 - 100 * history.val_acc[0], 10)
    expect(secondsPerEpoch).toBeGreaterThan(0)
    expect(environment).toEqual({
      cotangent: expect.stringMatching(/^\d+\.\d+\.\d+/),
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      cpu: expect.any(String),
      cores: expect.any(Number),
      load: expect.any(Number),
      fusedMultiplyAdd: expect.any(Boolean),
      peakMemoryBytes: expect.any(Number),
    })
    expect(environment.peakMemoryBytes).toBeGreaterThan(50e6)
    // Of what the experiment shows, the figures alone.
    expect(sections?.map((section) => Object.keys(section))).toEqual([['kind', 'title', 'says', 'labels', 'counts']])
  })

  it('writes the report, says where it is, and it has the same figures', async () => {
    const path = join(directory, 'reports/first.html')
    expect(first.stdout).toContain(`Report: ${path}\n`)
    const { title, state, facts, remarks, training, network, sections } = readRecord(await readFile(path, 'utf8'))
    const { history, result, weights } = await resultIn('made/here/first.json')
    expect([title, state]).toEqual(['mnist-mlp, seed 1', 'finished'])
    expect(training.history).toEqual(history)
    expect(training.gradientNorms).toBeDefined()
    expect(network?.layers.map(({ type }) => type)).toEqual(['Dense', 'Dense'])
    expect(facts).toEqual(
      expect.arrayContaining([
        { name: 'Result', value: `test error ${result.value.toFixed(2)} %` },
        { name: 'Document 000', value: 'test error 1.79 % (Neural network tutorial using Keras)' },
        { name: 'Samples', value: '2,000' },
        { name: 'SHA-256 of the weights', value: weights },
      ]),
    )
    expect(new Set(facts.map(({ name }) => name)).size).toBe(facts.length)
    expect(remarks[0]).toBe('Not as in the document: partial data: 2,000 of 60,000 training images.')
    expect(remarks.join()).not.toContain('missing')
    expect(titlesOf(sections)).toEqual([
      'images: The first training image, a 5',
      'confusion: Confusion matrix',
      'samples: Most confidently wrong',
    ])
    expect(JSON.stringify({ facts, remarks })).not.toContain(directory)
  })

  it('writes history and curves, and leaves nothing half-written', async () => {
    const out = join(directory, 'out')
    expect((await readdir(out)).sort()).toEqual(['curves.svg', 'history.csv', 'history.json'])
    const { history } = await resultIn('made/here/first.json')
    expect(JSON.parse(await readFile(join(out, 'history.json'), 'utf8'))).toEqual({ epoch: [0], history })
    const csv = await readFile(join(out, 'history.csv'), 'utf8')
    expect(csv).toBe(`epoch,acc,loss,val_acc,val_loss\n0,${history.acc},${history.loss},${history.val_acc},${history.val_loss}\n`)
    const svg = await readFile(join(out, 'curves.svg'), 'utf8')
    expect(wellFormed(svg)).toBe(true)
    for (const value of ['accuracy', 'loss']) expect(svg).toContain(`>model ${value}<`)
    // A dot in the colour of each of the four curves.
    expect([...svg.matchAll(/aria-label="dot"[^>]*fill="var\(--(\w+)\)"/g)].map(([, series]) => series)).toEqual([
      'train',
      'test',
      'train',
      'test',
    ])
    expect(svg).toContain('partial data')
  })

  it('gives the same history and the same weights for the same seed, with a report or without', async () => {
    const [first, second] = [await resultIn('made/here/first.json'), await resultIn('second.json')]
    expect(second.history).toEqual(first.history)
    expect(second.weights).toBe(first.weights)
    expect(second.data.sha256).toBe(first.data.sha256)
  })
})

describe('mnist-cnn-light on 600 images', () => {
  it("prints the document's lines, marked as partial", async () => {
    const { code, stdout, stderr } = await run('run.ts', 'mnist-cnn-light', '--epochs', '1', '--limit', '600', '--seed', '1')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('Train on 600 samples, validate on 10000 samples\nEpoch 1/1\n')
    expect(stdout).toMatch(/^simple CNN error: \d+\.\d\d%$/m)
    expect(stdout).toContain('partial data: 600 of 60,000 training images')
  })
})

describe('npm start', () => {
  it('trains, counts and draws without escape codes', async () => {
    const { code, stdout, stderr } = await run('start.ts', '--epochs', '1', '--limit', '2000')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).not.toContain('\u001b')
    expect(stdout).not.toContain('\b')
    expect(stdout).toContain('2,000 images to train on (of 60,000), 10,000 others to test with')
    expect(stdout).toContain('seed 1')
    expect(stdout).toMatch(/^2000\/2000 \[=+\] - \d+s .*loss: /m)
    const accuracy = Number(/^Test accuracy: (0\.\d{4})/m.exec(stdout)?.[1])
    expect(accuracy).toBeGreaterThan(0.5)
    // The matrix counts all test images: its rows add up to 10,000, its diagonal to the accuracy.
    const rows = stdout.split('\n').filter((line) => /^(true)? +\d( +(\d+|·)){10} +[\d.]+ %$/.test(line))
    const counts = rows.map((line) => line.replace('true', '').trim().replace(/·/g, '0').split(/ +/).slice(1, 11).map(Number))
    expect(counts).toHaveLength(10)
    expect(counts.flat().reduce((a, b) => a + b, 0)).toBe(10000)
    expect(counts.reduce((sum, row, i) => sum + row[i], 0) / 10000).toBeCloseTo(accuracy, 4)
    expect(stdout).toMatch(/✓ \d \([\d.]+ % sure\)/)
    expect(stdout).toMatch(/✗ (\d) \([\d.]+ %\), is (?!\1)\d/)
    for (const line of stdout.split('\n')) if (/[░▒▓█]/.test(line)) expect(line.length).toBeLessThanOrEqual(80)
  })
  it('trains on no more images than there are', async () => {
    const { code, stderr } = await run('start.ts', '--limit', '60001')
    expect({ code, stderr }).toEqual({ code: 2, stderr: '--limit 60001 is more than the 60000 training images there are.\n' })
  })
  it('says what is wrong with a flag', async () => {
    const { code, stderr } = await run('start.ts', '--epoch', '1')
    expect({ code, stderr: stderr.slice(0, 20) }).toEqual({ code: 2, stderr: 'Unknown flag --epoch' })
  })
})

/**
 * `npm run reproduce` as people start it: short runs in processes of their own, an end in the middle, failures; and the same weights on other versions of Node and
 * with other numbers of threads.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { headOf } from '../test/head.js'
import { type Planned, planned } from './plan.js'
import { committed, fileOf, type Result, readResult } from './results.js'

const root = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'cotangent-reproduce-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Ran {
  code: number | null
  stdout: string
  stderr: string
}

/** Starts the command with a folder of results of its own; `heard` gets what it has printed so far, and its process. */
function start(
  name: string,
  args: readonly string[],
  heard: (stdout: string, kill: (signal: NodeJS.Signals) => void) => void = () => {},
): Promise<Ran> {
  const child = spawn(process.execPath, ['--conditions=@cotangent/source', '--import', 'tsx', 'examples/reproduce/run.ts', ...args], {
    cwd: root,
    env: { ...process.env, COTANGENT_RESULTS: join(folder, name), COTANGENT_THREADS: 'auto' },
  })
  const ran: Ran = { code: null, stdout: '', stderr: '' }
  child.stdout.on('data', (piece) => {
    ran.stdout += piece
    heard(ran.stdout, (signal) => void child.kill(signal))
  })
  child.stderr.on('data', (piece) => {
    ran.stderr += piece
  })
  return new Promise((resolve) => child.on('close', (code) => resolve({ ...ran, code })))
}

const plan = planned.find(({ id }) => id === 'mnist-mlp') as Planned
const quickOf = (name: string, id: string, seed = 1): Result =>
  JSON.parse(readFileSync(fileOf(join(folder, `${name}-quick`), id, seed), 'utf8')) as Result
/** Commands of processes that run with this folder. Linux alone lists them. */
const running = (): string[] =>
  existsSync('/proc/self/cmdline')
    ? readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .flatMap((pid) => {
          try {
            return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
          } catch {
            return [] // it has ended
          }
        })
        .filter((command) => command.includes(folder))
    : []

describe('short runs', () => {
  test('write a whole result beside the real ones, and tell what came of it', async () => {
    const { code, stdout, stderr } = await start('a', ['--quick', '--only', 'mnist-mlp,mnist-dropout-mlp', '--seeds', '1,5'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^4 runs to do; about \d+ s\n/)
    // The shorter experiment comes first, with all its seeds.
    expect(stdout.match(/^[\w-]+, seed \d/gm)).toEqual([
      'mnist-dropout-mlp, seed 1',
      'mnist-dropout-mlp, seed 5',
      'mnist-mlp, seed 1',
      'mnist-mlp, seed 5',
    ])
    expect(existsSync(join(folder, 'a'))).toBe(false)
    const result = readResult(join(folder, 'a-quick'), plan, 5)
    expect(result).toMatchObject({
      id: 'mnist-mlp',
      document: '000',
      seed: 5,
      epochs: 1,
      batchSize: 200,
      data: { name: 'MNIST', train: 256, test: 256 },
    })
    expect(result).not.toHaveProperty('sections')
    expect(result).toMatchObject({ versions: { node: process.version }, command: 'npm run reproduce -- --certify mnist-mlp --seed 5' })
    expect(quickOf('a', 'mnist-mlp', 1).weights).not.toBe(quickOf('a', 'mnist-mlp', 5).weights)
    expect(quickOf('a', 'mnist-mlp', 1).data.sha256).toBe(quickOf('a', 'mnist-mlp', 5).data.sha256)
  })

  test('that fail are told, and the others go on', async () => {
    const empty = join(folder, 'empty')
    mkdirSync(empty)
    const { code, stdout, stderr } = await start('b', ['--quick', '--only', 'augment,mnist-mlp', '--data', empty])
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
    for (const id of ['augment', 'mnist-mlp']) expect(stdout).toMatch(new RegExp(`^${id}, seed 1 failed:\\n {2}\\S`, 'm'))
    expect(stdout).toMatch(/\nFailed: [\w-]+, seed 1; [\w-]+, seed 1\n$/)
    expect(stdout).toContain(empty)
  })
})

test('the kept short training tells whether the program still computes the same', async () => {
  const made = quickOf('a', 'mnist-mlp')
  const put = (quick: string): void => {
    const path = fileOf(join(folder, 'c'), 'mnist-mlp', 1)
    mkdirSync(join(folder, 'c', 'mnist-mlp'), { recursive: true })
    writeFileSync(path, JSON.stringify({ ...made, quick }))
  }
  put(made.weights)
  expect(await start('c', ['--check'])).toMatchObject({ code: 0, stdout: 'mnist-mlp: a short training gives the weights of then\n' })
  put('0'.repeat(64))
  const { code, stdout } = await start('c', ['--check', '--only', 'mnist-mlp'])
  expect(code).toBe(1)
  expect(stdout).toContain('mnist-mlp: stale: a short training gives other weights than when it was made\n1 stale.')
})

test('a run that is done is not done again; one that is stale is named', async () => {
  const { code, stdout } = await start('c', ['--only', 'mnist-mlp', '--seeds', '1'])
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'Nothing to run; done: 1 result.\n' })
})

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s in the middle of a run ends it, leaves nothing behind, and says how to go on',
  async (signal) => {
    let sent = false
    const { code, stdout, stderr } = await start('d', ['--only', 'mnist-dropout-mlp', '--seeds', '1'], (_, kill) => {
      if (sent) return
      sent = true
      setTimeout(() => kill(signal), 2000)
    })
    expect({ code, stderr }).toEqual({ code: 130, stderr: '' })
    expect(stdout).toMatch(/^1 run to do; about .*\nStopped in mnist-dropout-mlp, seed 1\. The same command goes on with it\.\n$/)
    expect(existsSync(fileOf(join(folder, 'd'), 'mnist-dropout-mlp', 1))).toBe(false)
    expect(running()).toEqual([])
  },
)

test.each([[['--help']], [['--verify']], [['--quick', '--only', 'mnist-mlp']]])('%j ends quietly when its reader leaves', async (args) => {
  const { code, first, said } = await headOf('examples/reproduce/run.ts', args, { COTANGENT_RESULTS: join(folder, 'h') })
  expect(first).not.toBe('')
  expect({ code, said }).toEqual({ code: 0, said: '' })
  expect(running()).toEqual([])
})

describe('a certificate', () => {
  test('needs a result', async () => {
    const { code, stdout } = await start('e', ['--certify', 'mnist-mlp'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'mnist-mlp, seed 1: there is no result to compare with (not run yet).\n' })
  })

  // One training shows both: it gives the weights of the table, and a table with others is told.
  const kept = fileOf(committed, 'mnist-dropout-mlp', 1)
  test.skipIf(!existsSync(kept))('trains the committed result again, to the last bit, and refuses one whose hash was changed', async () => {
    const result = JSON.parse(readFileSync(kept, 'utf8')) as Result
    const forged = `0${result.weights.slice(1, 63)}0`
    expect(forged).not.toBe(result.weights)
    mkdirSync(join(folder, 'g/mnist-dropout-mlp'), { recursive: true })
    writeFileSync(fileOf(join(folder, 'g'), 'mnist-dropout-mlp', 1), JSON.stringify({ ...result, weights: forged }))
    const { code, stdout } = await start('g', ['--certify', 'mnist-dropout-mlp', '--threads', '1'])
    expect(stdout).toContain(
      `\n${result.weights}  now: test accuracy ${result.result.value.toFixed(4)}, Node ${process.version}, 1 thread\n`,
    )
    expect(stdout).toContain(`\n${forged}  in the table: `)
    expect(stdout).toMatch(/Other weights, from the same data\. The program computes something else now\.\n$/)
    expect(code).toBe(1)
  })
})

/** A network with dropout, one with convolutions, one with recurrent steps: over windows of the weather where its file is. */
const weather = existsSync(join(process.env.COTANGENT_DATA ?? '', 'jena'))
const chosen = ['mnist-dropout-mlp', 'mnist-cnn-light', weather ? 'jena-lstm-dropout' : 'mnist-lstm-confusion']
const installed = ['22', '24', '26']
  .map((major) => join(root, `.nodes/node_modules/node-${major}/bin/node`))
  .filter((path) => existsSync(path))
const nodes = process.env.COTANGENT_NODES?.split(delimiter).filter(Boolean) ?? installed

describe('the weights are the same', () => {
  const own = async (): Promise<string[]> => {
    if (!existsSync(join(folder, 'one-quick'))) await start('one', ['--quick', '--only', chosen.join(), '--threads', '1'])
    return chosen.map((id) => quickOf('one', id).weights)
  }
  test('with two threads', async () => {
    const one = await own()
    await start('two', ['--quick', '--only', chosen.join(), '--threads', '2'])
    expect(chosen.map((id) => quickOf('two', id).machine.threads)).toEqual([2, 2, 2])
    expect(chosen.map((id) => quickOf('two', id).weights)).toEqual(one)
  })
  if (nodes.length === 0) test.skip('on other versions of Node: there are none here (npm run nodes:install)', () => {})
  else
    test.each(nodes)('on %s', async (node) => {
      const one = await own()
      const name = `node${nodes.indexOf(node)}`
      await start(name, ['--quick', '--only', chosen.join(), '--node', node])
      expect(quickOf(name, chosen[0]).versions.node).not.toBe(process.version)
      expect(chosen.map((id) => quickOf(name, id).weights)).toEqual(one)
    })
})

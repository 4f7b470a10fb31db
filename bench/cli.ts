/** The command line as data. A mistake in it is a UsageError: one line that says what is accepted instead. */
import { parseArgs } from 'node:util'
import type { GpuMode } from '@cotangent/core'
import type { Tile } from '@cotangent/core/kernels'
import { peerNames } from './adapter.js'
import type { Shape } from './lens/lens.js'
import { pythonsIn } from './peers.js'
import { type KeptName, keptNames } from './records.js'
import { type Command, commands, type Workload } from './workloads.js'

export class UsageError extends Error {
  override name = 'UsageError'
}

export interface Options {
  command: Command
  workloads: readonly Workload[]
  /** Some of `peerNames`. */
  peers: readonly string[]
  /** Interpreters that take part with their versions of PyTorch and NumPy. */
  pythons?: readonly string[]
  rounds: number
  steps?: number
  seed: number
  json?: string
  markdown?: string
}

/** The parsed command line. */
export type Invocation =
  | { kind: 'help' }
  | { kind: 'run'; options: Options }
  | { kind: 'gpu'; mode: GpuMode; rounds: number }
  | { kind: 'profile'; workloads: readonly Workload[]; steps: number; seed: number }
  | { kind: 'scaling'; workloads: readonly Workload[]; rounds: number; steps?: number; seed: number }
  | { kind: 'accuracy'; seed: number }
  | { kind: 'report'; rounds: number; seed: number }
  | { kind: 'compare'; before: string; after: string }
  | { kind: 'keep'; name: KeptName; files: readonly string[] }
  | { kind: 'tables' }
  /** Merges files; or, without any, runs `models` with these flags on the Nodes. */
  | { kind: 'versions'; files: readonly string[]; nodes?: readonly string[]; flags: readonly string[]; markdown?: string }
  | { kind: 'lens'; shape: Shape; tile?: Tile; variant?: string }

/** The engines of gpu.js, by core's names. */
const gpuModes: readonly GpuMode[] = ['webgpu', 'webgl2', 'headlessgl', 'webasm', 'cpu']

const named = (rows: readonly Workload[]): string => rows.map(({ name }) => name).join(' ')

export const usage = `Usage: npm run bench -- <${Object.keys(commands).join('|')}> [options]
       npm run bench -- accuracy [--seed n]
       npm run bench -- report [--rounds n] [--seed n]
       npm run bench -- compare before.json after.json
       npm run bench -- keep ${keptNames.join('|')} a.json b.json … | tables
       npm run bench -- scaling [--only a,b] [--rounds n] [--steps n] [--seed n]
       npm run bench -- versions [--nodes a,b] [options] | versions a.json b.json …
       npm run bench -- lens matMul 128x784x512 [--tile 4x8x2] [--variant file.ts]

  models   training steps of whole networks: ${named(commands.models)}
  kernels  matrix products, convolutions and elementwise functions: ${named(commands.kernels.slice(0, 4))} …
  operations  sorting, einsum, Fourier transforms, linear algebra, images, attention: ${named(commands.operations.slice(0, 4))} …
  ops      what an op costs however small its tensors: ${named(commands.ops)}
  accuracy  results of operations beside NumPy's in float64; nothing is timed
  report   what a report costs an epoch: the same training with and without, in turns
  compare  two files of --json, row by row
  versions  models on several Nodes, or files of --json, as one table: ours, PyTorch's versions, the best JavaScript peer
  scaling  models on 1, 2, 4 … threads: measured up to the cores here, counted up to 16
  keep     files of --json become one in bench/results; tables writes the tables of docs/speed.md from there
  lens     the WebAssembly of a matrix product's inner loop, beside the machine's limits

  --only a,b      rows by id or name (default: all of the command)
  --peers list    all, none, or some of ${peerNames.join(',')} (default: all)
  --nodes a,b     versions: paths of Node (default: this one, and Node 24 of npm run nodes:install)
  --python a,b    Python interpreters; each version of PyTorch and NumPy that they have takes part (default: the variable PYTHON)
  --backend gpu:m kernels: ours on an engine of gpu.js beside plain kernels there; ${gpuModes.join(', ')}
  --rounds n      rounds, each running every library once (default: 5)
  --steps n       steps a round (default: as many as take about a second, per library)
  --seed n        seed of data and weights (default: 7)
  --json file     write the figures as rows
  --markdown file write them as a table, peers beside ours

  --profile       models: where the time of a step goes, by kernel and thread; ours alone

  --tile RxC[xU]  lens: our packed kernel with a register tile of R rows and C columns, U steps of k a turn, beside ours
  --variant file  lens: a kernel of one's own beside ours; bench/README.md says what the file holds
`

const flags = {
  only: { type: 'string' },
  peers: { type: 'string', default: 'all' },
  python: { type: 'string' },
  backend: { type: 'string' },
  rounds: { type: 'string', default: '5' },
  steps: { type: 'string' },
  seed: { type: 'string', default: '7' },
  json: { type: 'string' },
  nodes: { type: 'string' },
  markdown: { type: 'string' },
  profile: { type: 'boolean', default: false },
  tile: { type: 'string' },
  variant: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const

/** Steps of a profile, without clocks and with them. */
const PROFILED_STEPS = 30

function whole(flag: string, text: string, least: number): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < least) {
    throw new UsageError(`--${flag} takes a whole number, at least ${least}, got "${text}".`)
  }
  return value
}

const listed = (text: string): string[] => text.split(',').map((part) => part.trim())

function choosePeers(text: string): readonly string[] {
  if (text === 'all') return peerNames
  if (text === 'none') return []
  return listed(text).map((name) => {
    const known = peerNames.find((peer) => peer === name)
    if (!known) throw new UsageError(`--peers: there is no peer "${name}". There are all, none, ${peerNames.join(', ')}.`)
    return known
  })
}

function choosePythons(text: string): readonly string[] {
  const pythons = pythonsIn(text)
  if (pythons.length === 0)
    throw new UsageError('--python takes interpreters, separated by commas, as in /usr/bin/python3,../torch26/python.')
  return pythons
}

function chooseWorkloads(command: Command, only: string | undefined): readonly Workload[] {
  const all: readonly Workload[] = commands[command]
  if (only === undefined) return all
  const wanted = listed(only)
  const known = (row: Workload, text: string): boolean => row.name === text || row.id.toLowerCase() === text.toLowerCase()
  const missing = wanted.find((text) => !all.some((row) => known(row, text)))
  if (missing !== undefined) {
    throw new UsageError(`--only: ${command} has no row "${missing}". It has ${all.map(({ id, name }) => `${name} (${id})`).join(', ')}.`)
  }
  return all.filter((row) => wanted.some((text) => known(row, text)))
}

const isCommand = (text: string): text is Command => Object.hasOwn(commands, text)

/** Parses the command line. @throws UsageError */
export function parseCommandLine(args: readonly string[]): Invocation {
  let parsed: ReturnType<typeof parse>
  try {
    parsed = parse(args)
  } catch (error) {
    // The first sentence of Node's message is enough; the rest is about how to pass such a string after `--`.
    throw new UsageError((error as Error).message.split('. ')[0].replace(/\.?$/, `. Flags are --${Object.keys(flags).join(', --')}.`))
  }
  const { values, positionals } = parsed
  if (values.help) return { kind: 'help' }
  const [command, ...rest] = positionals
  const available = [...Object.keys(commands), 'accuracy', 'report', 'compare', 'keep', 'tables', 'versions', 'scaling', 'lens'].join(', ')
  if (command === undefined) throw new UsageError(`Say what to run: ${available}. --help lists the flags.`)
  if (command === 'compare') {
    if (rest.length !== 2) throw new UsageError(`compare takes two files of --json, got ${rest.length}.`)
    noFlags(command, args)
    return { kind: 'compare', before: rest[0], after: rest[1] }
  }
  if (command === 'keep') {
    noFlags(command, args)
    const [name, ...files] = rest
    const known = keptNames.find((each) => each === name)
    if (!known || files.length === 0)
      throw new UsageError(`keep takes ${keptNames.join(', ')} and then files of --json, got "${rest.join(' ')}".`)
    return { kind: 'keep', name: known, files }
  }
  if (command === 'tables') {
    noFlags(command, args)
    if (rest.length > 0) throw new UsageError(`tables takes no further argument, got "${rest[0]}".`)
    return { kind: 'tables' }
  }
  if (command === 'scaling') {
    noFlags(command, args, ['--only', '--rounds', '--steps', '--seed'])
    if (rest.length > 0) throw new UsageError(`scaling takes no further argument, got "${rest[0]}".`)
    const steps = values.steps === undefined ? undefined : whole('steps', values.steps, 1)
    const { only, rounds, seed } = values
    return {
      kind: 'scaling',
      workloads: chooseWorkloads('models', only),
      rounds: whole('rounds', rounds, 1),
      steps,
      seed: whole('seed', seed, 0),
    }
  }
  if (command === 'versions') return versionsAsked(rest, values, args)
  if (command === 'accuracy') {
    noFlags(command, args, ['--seed'])
    if (rest.length > 0) throw new UsageError(`accuracy takes no further argument, got "${rest[0]}".`)
    return { kind: 'accuracy', seed: whole('seed', values.seed, 0) }
  }
  if (command === 'report') {
    noFlags(command, args, ['--rounds', '--seed'])
    if (rest.length > 0) throw new UsageError(`report takes no further argument, got "${rest[0]}".`)
    return { kind: 'report', rounds: whole('rounds', values.rounds, 1), seed: whole('seed', values.seed, 0) }
  }
  if (command === 'lens') {
    noFlags(command, args, ['--tile', '--variant'])
    const { tile, variant } = values
    return {
      kind: 'lens',
      shape: productShape(rest),
      ...(tile !== undefined && { tile: registerTile(tile) }),
      ...(variant !== undefined && { variant }),
    }
  }
  if (values.nodes !== undefined) throw new UsageError('--nodes is a flag of versions: versions --nodes path,path.')
  for (const flag of ['tile', 'variant'] as const) {
    if (values[flag] !== undefined) throw new UsageError(`--${flag} is a flag of lens: lens matMul 128x784x512 --${flag} ${values[flag]}.`)
  }
  if (!isCommand(command)) throw new UsageError(`There is no command "${command}". There are ${available}.`)
  if (rest.length > 0) throw new UsageError(`${command} takes no further argument, got "${rest[0]}". Rows are chosen with --only.`)
  if (values.backend !== undefined) {
    noFlags('--backend', args, ['--backend', '--rounds'])
    const mode = gpuModes.find((name) => values.backend === `gpu:${name}`)
    if (command !== 'kernels' || !mode) {
      throw new UsageError(`--backend is a flag of kernels and takes ${gpuModes.map((name) => `gpu:${name}`).join(', ')}.`)
    }
    return { kind: 'gpu', mode, rounds: whole('rounds', values.rounds, 1) }
  }
  if (values.profile) {
    noFlags('--profile', args, ['--profile', '--only', '--steps', '--seed'])
    if (command !== 'models') throw new UsageError(`--profile is a flag of models, not of ${command}.`)
    const steps = values.steps === undefined ? PROFILED_STEPS : whole('steps', values.steps, 1)
    return { kind: 'profile', workloads: chooseWorkloads(command, values.only), steps, seed: whole('seed', values.seed, 0) }
  }
  const options: Options = {
    command,
    workloads: chooseWorkloads(command, values.only),
    peers: choosePeers(values.peers),
    ...(values.python !== undefined && { pythons: choosePythons(values.python) }),
    rounds: whole('rounds', values.rounds, 1),
    steps: values.steps === undefined ? undefined : whole('steps', values.steps, 1),
    seed: whole('seed', values.seed, 0),
    json: values.json,
    markdown: values.markdown,
  }
  return { kind: 'run', options }
}

/** The flags of `models` that `versions` hands on. */
const handedOn = ['only', 'peers', 'python', 'rounds', 'steps', 'seed'] as const

function versionsAsked(files: readonly string[], values: ReturnType<typeof parse>['values'], args: readonly string[]): Invocation {
  const markdown = values.markdown !== undefined && { markdown: values.markdown }
  if (files.length > 0) {
    noFlags('versions of files', args, ['--markdown'])
    return { kind: 'versions', files, flags: [], ...markdown }
  }
  noFlags('versions', args, ['--nodes', '--markdown', ...handedOn.map((flag) => `--${flag}`)])
  const flags = handedOn.flatMap((flag) =>
    args.some((arg) => arg.split('=')[0] === `--${flag}`) ? [`--${flag}`, String(values[flag])] : [],
  )
  parseCommandLine(['models', ...flags]) // mistakes are told now
  const nodes = values.nodes === undefined ? undefined : listed(values.nodes)
  return { kind: 'versions', files, flags, ...(nodes && { nodes }), ...markdown }
}

/** The most elements of a matrix of the lens: 1 GiB. */
const MOST_ELEMENTS = 2 ** 28

function productShape(words: readonly string[]): Shape {
  const [op, sizes, ...more] = words
  if (op !== 'matMul' || sizes === undefined || more.length > 0)
    throw new UsageError('lens takes an op and its sizes: lens matMul 128x784x512.')
  const [m, k, n] = /^[1-9]\d*x[1-9]\d*x[1-9]\d*$/.test(sizes) ? sizes.split('x').map(Number) : []
  if (m === undefined) throw new UsageError(`lens: the sizes of a product are MxKxN, as in 128x784x512, got "${sizes}".`)
  if (Math.max(m * k, k * n, m * n) > MOST_ELEMENTS)
    throw new UsageError(`lens: ${sizes} is too large, a matrix may have ${MOST_ELEMENTS} elements.`)
  return { m, k, n }
}

function registerTile(text: string): Tile {
  const [mr, nr, unroll = 1] = /^[1-9]\d?x[1-9]\d?(x[1-9]\d?)?$/.test(text) ? text.split('x').map(Number) : []
  if (mr === undefined || mr > 16 || nr % 4 !== 0 || nr > 64 || unroll > 16)
    throw new UsageError(`--tile takes ROWSxCOLUMNS[xUNROLL], up to 16 rows, columns a multiple of 4 up to 64, as in 4x8x2, got "${text}".`)
  return { mr, nr, unroll }
}

/** Throws if there are flags. @param allowed flags that the command does take */
function noFlags(command: string, args: readonly string[], allowed: readonly string[] = []): void {
  const flag = args.find((arg) => arg.startsWith('-') && !allowed.includes(arg.split('=')[0]))
  if (flag === undefined) return
  throw new UsageError(`${command} takes no ${allowed.length ? `flags but ${allowed.join(' and ')}` : 'flags'}, got "${flag}".`)
}

const parse = (args: readonly string[]) => parseArgs({ args: [...args], options: flags, allowPositionals: true, strict: true })

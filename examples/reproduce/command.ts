/** The command `npm run reproduce`: its flags, and what they do. */
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { suggestion, UsageError } from '../lib/arguments.js'
import { writeWhole } from '../lib/files.js'
import { madeFiles, outdated } from './pages.js'
import { type Planned, planned } from './plan.js'
import type { Host } from './process.js'
import { allResults, committed, otherPictures, resultsFolder, root } from './results.js'
import { unexplained } from './tables.js'
import { certify, check, train } from './train.js'

const usage = `Usage: npm run reproduce -- [--only a,b] [--seeds 1,2,3] [--quick] [--node path] [--data dir] [--threads n]
       npm run reproduce -- --certify <id> [--seed n]
       npm run reproduce -- --check [--only a,b]
       npm run reproduce -- --verify | --tables

  Trains every experiment that has no result yet, shortest first, keeps each result in examples/results, and makes the tables in docs/ and
  the figures on the examples' pages from them.
  It goes on where it stopped. A result is stale, and made again, if the network, the metric, the epochs or the batch size of its experiment changed.

  --only a,b      some experiments by id (default: all)
  --seeds 1,2,3   these seeds (default: 1, 2, 3; 1 alone where a run takes over 20 minutes)
  --quick         one epoch of few samples, into out/reproduce-quick: a test that all can run
  --certify <id>  trains again and tells whether the weights are those of the table; --seed says which (default 1)
  --check         repeats the short training kept with each result, and tells which results the program of today would no longer give
  --verify        makes the tables anew from the results, and tells whether the pages have them, and whether pictures are those that the runs drew
  --tables        makes the tables anew and writes them
  --node path     the Node to train on (default: the one that runs this)
  --data dir      the folder with the data sets (default: COTANGENT_DATA, the cache, packages, a download)
  --threads n     threads of a run (default: as many as there are cores); the weights are the same for any number
`

const options = {
  only: { type: 'string' },
  seeds: { type: 'string' },
  quick: { type: 'boolean' },
  certify: { type: 'string' },
  seed: { type: 'string' },
  check: { type: 'boolean' },
  verify: { type: 'boolean' },
  tables: { type: 'boolean' },
  node: { type: 'string' },
  data: { type: 'string' },
  threads: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

function planOf(id: string): Planned {
  const found = planned.find((plan) => plan.id === id)
  if (found) return found
  const ids = planned.map((plan) => plan.id)
  throw new UsageError(`There is no experiment "${id}" with a result.${suggestion(id, ids)} There are: ${ids.join(', ')}.`)
}

function seedOf(text: string, flag: string): number {
  if (/^\d+$/.test(text) && Number(text) < 2 ** 32) return Number(text)
  throw new UsageError(`${flag} takes whole numbers from 0 to ${2 ** 32 - 1}, got "${text}".`)
}

function hostOf({ node = process.execPath, data, threads }: { node?: string; data?: string; threads?: string }): Host {
  if (node !== process.execPath) {
    const { status, stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' })
    if (status !== 0 || !/^v\d+\./.test(stdout)) throw new UsageError(`--node takes the path of a Node, got "${node}".`)
  }
  if (data !== undefined && !statSync(data, { throwIfNoEntry: false })?.isDirectory())
    throw new UsageError(`--data takes a directory that exists, got "${data}".`)
  if (threads !== undefined && !/^(auto|[1-9]|1[0-6])$/.test(threads))
    throw new UsageError(`--threads takes a whole number from 1 to 16 or auto, got "${threads}".`)
  return { node, data, threads }
}

const listed = (text: string): string[] => [...new Set(text.split(',').map((part) => part.trim()))]

/** Writes the pages that have changed and names them. */
async function writeTables(): Promise<void> {
  const results = allResults(committed)
  const files = await madeFiles(results)
  const changed = outdated(files)
  for (const path of changed) await writeWhole(join(root, path), files.get(path) as string)
  console.log(changed.length > 0 ? `Made anew: ${changed.join(', ')}` : 'The tables are what the results make of them.')
}

/** @returns the exit code: 0 if the pages have the tables, pictures are those that the runs drew, and every result outside its band has a reason */
async function verify(): Promise<0 | 1> {
  const results = allResults(committed)
  const changed = outdated(await madeFiles(results))
  const missing = unexplained(results)
  const pictures = [...results].flatMap(([id, found]) =>
    found.flatMap((each) => otherPictures(committed, each).map((path) => ({ id, path }))),
  )
  for (const path of changed) console.log(`${path} is not what the results make of it: npm run reproduce -- --tables`)
  for (const { id, path } of pictures)
    console.log(
      `${relative(root, path)} is not what the run of ${id} drew. Remove examples/results/${id} and run: npm run reproduce -- --only ${id}`,
    )
  if (missing.length > 0) console.log(`Outside the document's band, without a reason in examples/reproduce/plan.ts: ${missing.join(', ')}`)
  const faults = changed.length + missing.length + pictures.length
  if (faults === 0) console.log('The tables are what the results make of them.')
  return faults > 0 ? 1 : 0
}

/** The parsed line, or a UsageError for a flag that does not exist or lacks its value. */
function read(argv: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true })
    if (positionals.length > 0)
      throw new UsageError(`Unexpected argument "${positionals[0]}". Ids stand after --only: npm run reproduce -- --only mnist-mlp`)
    return values
  } catch (error) {
    if (error instanceof UsageError || !(error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS')) throw error
    const flag = /'(--?[\w-]+)/.exec((error as Error).message)?.[1]
    const names = Object.keys(options).map((name) => `--${name}`)
    if (flag === undefined || names.includes(flag)) throw new UsageError((error as Error).message.split('\n')[0])
    throw new UsageError(`Unknown flag ${flag}.${suggestion(flag, names)} There are: ${names.join(', ')}.`)
  }
}

/** Runs the command and returns its exit code: 0 for success, 2 for a mistake on the command line, 130 if it was stopped, else 1. */
export async function reproduce(argv: readonly string[]): Promise<number> {
  try {
    const asked = read(argv)
    if (asked.help) {
      console.log(usage)
      return 0
    }
    if (asked.verify) return await verify()
    if (asked.tables) {
      await writeTables()
      return 0
    }
    const host = hostOf(asked)
    if (asked.seed !== undefined && asked.certify === undefined)
      throw new UsageError('--seed belongs to --certify. For runs there is --seeds.')
    if (asked.certify !== undefined) return await certify(planOf(asked.certify), seedOf(asked.seed ?? '1', '--seed'), host)
    const plans = asked.only === undefined ? planned : listed(asked.only).map(planOf)
    if (asked.check) return await check(plans, host)
    const seeds = asked.seeds === undefined ? undefined : listed(asked.seeds).map((text) => seedOf(text, '--seeds'))
    const code = await train({ plans, seeds, quick: asked.quick ?? false, host })
    if (!asked.quick && resultsFolder === committed) await writeTables()
    return code
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(error.message)
    return 2
  }
}

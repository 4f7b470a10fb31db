/**
 * The flags of the command line, their values, and a one-line message for a wrong one.
 *
 * `parseArgs` splits the line; names and values are checked here, so that a mistake is answered with the nearest name.
 */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { BackendName } from '@cotangent/core'
import { nearest } from '@cotangent/core/arguments'

/** A mistake on the command line. Its message is for the user, and the exit code is 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}

interface Flag<Value> {
  /** The text after the flag in the usage line. */
  readonly takes: string
  readonly says: string
  read(text: string): Value
}

const whole = (least: number, most: number, says: string): Flag<number> => ({
  takes: 'n',
  says,
  read(text) {
    const value = Number(text)
    if (/^[+\d.e]+$/i.test(text) && Number.isInteger(value) && value >= least && value <= most) return value
    throw new UsageError(
      `takes a whole number${most < Number.MAX_SAFE_INTEGER ? ` from ${least} to ${most}` : `, at least ${least}`}, got "${text}"`,
    )
  },
})

const path = (takes: string, says: string): Flag<string> => ({
  takes,
  says,
  read(text) {
    if (text !== '' && !text.startsWith('--')) return text
    throw new UsageError(`takes a ${takes}, got "${text}"`)
  },
})

const most = Number.MAX_SAFE_INTEGER
const backends: readonly BackendName[] = ['wasm', 'reference', 'gpu']

export const flags = {
  epochs: whole(1, most, "passes over the training data, in place of the document's"),
  'batch-size': whole(1, most, "samples in a batch, in place of the document's"),
  lr: {
    takes: 'x',
    says: "learning rate, in place of the optimizer's default",
    read(text: string): number {
      const value = Number(text)
      if (/^[+\d.e-]+$/i.test(text) && Number.isFinite(value) && value > 0) return value
      throw new UsageError(`takes a number above 0, got "${text}"`)
    },
  },
  limit: whole(1, most, 'train on the first n samples only; the result is marked as partial'),
  'train-rows': whole(1, most, "weather only: train on the first n ten-minute rows, in place of the document's 20,000"),
  seed: whole(0, 2 ** 32 - 1, 'root of weights, shuffling and dropout (default 1): the same seed gives the same numbers'),
  backend: {
    takes: backends.join('|'),
    says: 'where tensors live (default wasm)',
    read(text: string): BackendName {
      const found = backends.find((name) => name === text)
      if (found) return found
      throw new UsageError(`is one of ${backends.join(', ')}, got "${text}".${suggestion(text, backends)}`)
    },
  },
  threads: {
    takes: 'n|auto',
    says: 'threads of the wasm backend, 1 to 16 or auto (the default): the same numbers, sooner',
    read(text: string): number | 'auto' {
      if (text === 'auto') return 'auto'
      if (/^([1-9]|1[0-6])$/.test(text)) return Number(text)
      throw new UsageError(`takes a whole number from 1 to 16 or auto, got "${text}"`)
    },
  },
  steps: whole(1, most, 'gpt only: steps of training (default 2000)'),
  prompt: path('text', 'gpt only: the text that it goes on from'),
  data: {
    takes: 'dir',
    says: 'where the data set is, if not in the cache or an installed package',
    read(text: string): string {
      if (statSync(text, { throwIfNoEntry: false })?.isDirectory()) return text
      throw new UsageError(`takes a directory that exists, got "${text}"`)
    },
  },
  model: {
    takes: 'file',
    says: 'keras-import only: the model file, or the folder of a model.json',
    read(text: string): string {
      const found = statSync(text, { throwIfNoEntry: false })
      if (found?.isFile() || (found && existsSync(join(text, 'model.json')))) return text
      throw new UsageError(`takes a file that exists${found ? ', or a folder with a model.json' : ''}, got "${text}"`)
    },
  },
  json: path('file', 'write the result, the history and the environment as JSON'),
  out: path('dir', 'write history.json, history.csv and curves.svg'),
  report: {
    takes: 'file',
    says: 'write a page of the run: curves, mistakes, a look inside. Without a file: report.html in --out, or out/<id>.html. A .json gets its data',
    read(text: string): string {
      if (text === '' || /\.(html?|json)$/.test(text)) return text
      throw new UsageError(`takes a file that ends in .html or .json, got "${text}"`)
    },
  },
} satisfies Record<string, Flag<unknown>>

export type FlagName = keyof typeof flags

/** The values of the flags that were given. */
export type Settings = { -readonly [Name in FlagName]?: ReturnType<(typeof flags)[Name]['read']> }

export interface CommandLine {
  positionals: string[]
  settings: Settings
  help: boolean
}

/**
 * Reads a command line.
 *
 * @param allowed the flags that the program takes
 * @throws UsageError for an unknown flag, a missing or a bad value
 */
export function readCommandLine(argv: readonly string[], allowed: readonly FlagName[]): CommandLine {
  const options = Object.fromEntries(allowed.map((name) => [name, { type: 'string' as const }]))
  // --report needs no value: parseArgs would take the next flag for it.
  const args = argv.map((word, i) => (word === '--report' && (argv[i + 1] ?? '--').startsWith('--') ? '--report=' : word))
  const { positionals, tokens } = parseArgs({ args, options, strict: false, allowPositionals: true, tokens: true })
  const settings: Settings = {}
  let help = false
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    if (token.rawName === '--help' || token.rawName === '-h') {
      help = true
      continue
    }
    const name = allowed.find((flag) => token.rawName === `--${flag}`)
    if (!name) {
      const names = [...allowed, 'help'].map((flag) => `--${flag}`)
      throw new UsageError(`Unknown flag ${token.rawName}.${suggestion(token.rawName, names)} There are: ${names.join(', ')}.`)
    }
    if (token.value === undefined) throw new UsageError(`--${name} needs a value: --${name} <${flags[name].takes}>.`)
    Object.assign(settings, { [name]: readValue(name, token.value) })
  }
  return { positionals, settings, help }
}

function readValue(name: FlagName, text: string): unknown {
  try {
    return flags[name].read(text)
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`--${name} ${error.message.replace(/\.$/, '')}.`)
    throw error
  }
}

/** ` Did you mean "x"?` if a candidate is near, else nothing. */
export function suggestion(text: string, candidates: readonly string[]): string {
  const near = nearest(text, candidates)
  return near === undefined ? '' : ` Did you mean ${near}?`
}

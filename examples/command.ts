/** The command `npm run example -- <id> [flags]`: runs an experiment or a demonstration; without an id, prints the list. */
import { CotangentError } from '@cotangent/core'
import { DatasetError } from '@cotangent/datasets'
import { demonstrations, experiments } from './experiments.js'
import { type FlagName, flags, readCommandLine, suggestion, UsageError } from './lib/arguments.js'
import { runDemonstration } from './lib/demonstration.js'
import { documents, showMeasure } from './lib/experiment.js'
import { runExperiment } from './lib/session.js'

const allFlags = Object.keys(flags) as FlagName[]

function list(): string[] {
  const width = Math.max(...[...experiments, ...demonstrations].map(({ id }) => id.length))
  const shown = (document?: string): string[] =>
    demonstrations.filter((one) => one.document === document).map(({ id, title }) => `  ${id.padEnd(width)}  ${title}`)
  const lines = ['Run an experiment:  npm run example -- <id> [flags]']
  for (const [document, title] of Object.entries(documents)) {
    const own = experiments.filter((experiment) => experiment.document === document)
    const lessons = shown(document)
    if (own.length + lessons.length === 0) continue
    lines.push('', `Document ${document}: ${title}`, ...lessons)
    for (const { id, model, defaults, reported } of own) {
      lines.push(
        `  ${id.padEnd(width)}  ${model}, batches of ${defaults.batchSize}, ${defaults.epochs} ${defaults.epochs === 1 ? 'epoch' : 'epochs'}`,
      )
      lines.push(`  ${''.padEnd(width)}  the document got ${showMeasure(reported)}`)
    }
  }
  lines.push('', 'For students', ...shown())
  const usage = allFlags.map((name) => ({ usage: `--${name} <${flags[name].takes}>`, says: flags[name].says }))
  const column = Math.max(...usage.map((flag) => flag.usage.length))
  return [...lines, '', 'Flags', ...usage.map((flag) => `  ${flag.usage.padEnd(column)}  ${flag.says}`)]
}

async function main(argv: readonly string[]): Promise<void> {
  const { positionals, settings, help } = readCommandLine(argv, allFlags)
  const [id, extra] = positionals
  if (help || (id === undefined && Object.keys(settings).length === 0)) {
    for (const line of list()) console.log(line)
    return
  }
  if (extra !== undefined) {
    throw new UsageError(`Unexpected argument "${extra}". With npm, flags stand after two dashes: npm run example -- ${id} --epochs 1`)
  }
  const ids = [...experiments, ...demonstrations].map((one) => one.id)
  if (id === undefined) throw new UsageError(`Which experiment? One of ${ids.join(', ')}.`)
  const demonstration = demonstrations.find((one) => one.id === id)
  if (demonstration) {
    await runDemonstration(demonstration, settings)
    return
  }
  const experiment = experiments.find((one) => one.id === id)
  if (!experiment) throw new UsageError(`There is no experiment "${id}".${suggestion(id, ids)} There are: ${ids.join(', ')}.`)
  await runExperiment(experiment, settings)
}

/** Runs the command and returns its exit code: 0 for success, 2 for a mistake on the command line, 1 for an error after that. */
export async function runCommand(argv: readonly string[]): Promise<0 | 1 | 2> {
  try {
    await main(argv)
    return 0
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(error.message)
      return 2
    }
    // Errors that the library throws on purpose are for the user. Any other error is a bug, and is printed with its stack.
    console.error(error instanceof CotangentError || error instanceof DatasetError ? error.message : error)
    return 1
  }
}

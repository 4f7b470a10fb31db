/**
 * Runs an experiment: `npm run example -- <id> [flags]`; without an id, lists what there is.
 *
 * Exit codes: 0; 2 for a mistake on the command line; 1 for anything that went wrong later.
 */
import { CotangentError, useBackend } from '@cotangent/core'
import { DatasetError } from '@cotangent/datasets'
import { backprop } from './backprop/backprop.js'
import { experiments } from './experiments.js'
import { type FlagName, flags, readCommandLine, suggestion, UsageError } from './lib/arguments.js'
import { documents, showMeasure } from './lib/experiment.js'
import { runExperiment } from './lib/session.js'

const allFlags = Object.keys(flags) as FlagName[]

function list(): string[] {
  const width = Math.max(...experiments.map(({ id }) => id.length))
  const lines = ['Run an experiment:  npm run example -- <id> [flags]']
  for (const [document, title] of Object.entries(documents)) {
    const own = experiments.filter((experiment) => experiment.document === document)
    if (own.length === 0) continue
    lines.push('', `Document ${document}: ${title}`)
    for (const { id, model, defaults, reported } of own) {
      lines.push(
        `  ${id.padEnd(width)}  ${model}, batches of ${defaults.batchSize}, ${defaults.epochs} ${defaults.epochs === 1 ? 'epoch' : 'epochs'}`,
      )
      lines.push(`  ${''.padEnd(width)}  the document got ${showMeasure(reported)}`)
    }
  }
  lines.push('', 'For students', `  ${backprop.id.padEnd(width)}  ${backprop.title}`)
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
  const ids = [...experiments.map((experiment) => experiment.id), backprop.id]
  if (id === undefined) throw new UsageError(`Which experiment? One of ${ids.join(', ')}.`)
  if (id === backprop.id) {
    const { backend, seed, lr: learningRate, epochs, ...others } = settings
    const [unused] = Object.keys(others)
    if (unused)
      throw new UsageError(
        `--${unused} means nothing to backprop, which has its own four points. It takes --seed, --lr, --epochs, --backend.`,
      )
    if (backend) await useBackend(backend)
    await backprop.run({ seed, learningRate, epochs })
    return
  }
  const experiment = experiments.find((one) => one.id === id)
  if (!experiment) throw new UsageError(`There is no experiment "${id}".${suggestion(id, ids)} There are: ${ids.join(', ')}.`)
  await runExperiment(experiment, settings)
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  if (error instanceof UsageError) {
    console.error(error.message)
    process.exitCode = 2
  } else {
    // What the library says on purpose is for the user; anything else is a bug and shows where.
    console.error(error instanceof CotangentError || error instanceof DatasetError ? error.message : error)
    process.exitCode = 1
  }
}

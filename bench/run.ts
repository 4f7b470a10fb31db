/**
 * npm run bench: times Cotangent beside other libraries. cli.ts says what can be asked, rounds.ts how time is taken, README.md what the numbers
 * mean.
 */
import { writeFileSync } from 'node:fs'
import { type LibraryName, libraries, libraryNames } from './adapter.js'
import { type Options, parseCommandLine, UsageError, usage } from './cli.js'
import { type Contestant, startContestant } from './contestant.js'
import { cotangentVersion, load, machine, peerVersions } from './machine.js'
import { heading, type Report, table } from './report.js'
import { timeWorkload } from './rounds.js'

/** One line that rewrites itself, on a terminal only. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text.slice(0, process.stderr.columns - 1)}`)
}

/** The libraries to start: ours that have the command's workloads, then the chosen peers. */
function entrants({ command, peers }: Options, installed: boolean): LibraryName[] {
  const ours = libraryNames.filter((name) => !libraries[name].peer)
  return [...(command === 'models' ? ours : ours.filter((name) => name === 'cotangent-core')), ...(installed ? peers : [])]
}

async function run(options: Options): Promise<boolean> {
  const versions = peerVersions()
  const report: Report = {
    command: options.command,
    machine: machine(),
    load: { before: load(), after: [] },
    versions: { cotangent: cotangentVersion(), ...(options.peers.length > 0 ? versions : {}) },
    seed: options.seed,
    rounds: options.rounds,
    startedAt: new Date().toISOString(),
    notes: [],
    results: [],
  }
  if (options.peers.length > 0 && !versions) {
    report.notes.push('The peers are not installed, so Cotangent runs alone: npm run bench:install installs them.')
  }

  const names = entrants(options, versions !== undefined)
  const contestants: Contestant[] = []
  try {
    for (const library of names) {
      progress(`starting ${library}`)
      try {
        contestants.push(await startContestant(library))
      } catch (error) {
        report.notes.push(`${library} did not start: ${(error as Error).message}`)
      }
    }
    progress('')
    console.log(`${heading(report)}\n`)
    for (const workload of options.workloads) {
      const result = await timeWorkload(workload, contestants, options, progress)
      progress('')
      report.results.push(result)
      console.log(`${table(result)}\n`)
    }
  } finally {
    for (const contestant of contestants) contestant.close()
  }
  report.load.after = load()
  console.log(`load average ${report.load.after.join(' ')} after`)
  if (options.json !== undefined) {
    writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`)
    console.log(`written: ${options.json}`)
  }
  const sound = report.results.every(({ libraries: rows }) => rows.every((row) => !('failed' in row || row.complaint)))
  return sound && contestants.length === names.length
}

try {
  const options = parseCommandLine(process.argv.slice(2))
  if (options === 'help') console.log(usage)
  else process.exitCode = (await run(options)) ? 0 : 1
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`bench: ${error.message}`)
  process.exitCode = 2
}

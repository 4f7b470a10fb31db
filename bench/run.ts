/**
 * npm run bench: times Cotangent beside other libraries. cli.ts has the options, rounds.ts takes the times, README.md explains the numbers.
 */

import { existsSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { emitPacked } from '@cotangent/core/kernels'
import { endWithReader } from '../examples/lib/output.js'
import { accuracyOf, accuracyRows, accuracyTable, isExact } from './accuracy.js'
import { libraryEntry, libraryNames, takesPart } from './adapter.js'
import { type Invocation, type Options, parseCommandLine, UsageError, usage } from './cli.js'
import { compare } from './compare.js'
import { type Contestant, startContestant } from './contestant.js'
import { keep } from './kept.js'
import { lens } from './lens/lens.js'
import { study, VariantError } from './lens/study.js'
import { loadVariant } from './lens/variant-file.js'
import { cotangentVersion, load, machine } from './machine.js'
import { markdown } from './markdown.js'
import { howToInstall, isPython, peerVersions, pythonsWith, pythonsWithout, usePythons } from './peers.js'
import { profileTable } from './profile-table.js'
import { type RunRecord, recordRows } from './records.js'
import { heading, type Report, table } from './report.js'
import { reportCost, reportCostText } from './report-cost.js'
import { timeWorkload } from './rounds.js'
import { scaling } from './scaling.js'
import { writeTables } from './speed-tables.js'
import { mergeVersions, runVersions } from './versions.js'

/** Rewrites one line on a terminal; prints nothing elsewhere. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text.slice(0, process.stderr.columns - 1)}`)
}

/**
 * The libraries to start: those of ours that have the command's workloads, then those of the chosen peers that are installed. A peer in Python takes part with
 * each of its versions.
 */
function entrants({ command, workloads }: Options, peers: readonly string[]): string[] {
  return libraryNames.flatMap((name) => {
    const { peer, simd256 } = libraryEntry(name)
    if (simd256 && !machine().simd256) return []
    if (!workloads.some((workload) => takesPart(name, workload))) return []
    if (peer === undefined) {
      const chosen = command === 'models' ? !name.startsWith('cotangent-core-') : name.startsWith('cotangent-core')
      return chosen ? [name] : []
    }
    if (!peers.includes(peer)) return []
    return isPython(peer) ? pythonsWith(peer).map(({ version }) => `${name}@${version}`) : [name]
  })
}

/** It is better to fail now than after minutes of measuring. */
function requireFolders(files: readonly (string | undefined)[]): void {
  for (const file of files) {
    if (file !== undefined && !existsSync(dirname(file))) throw new UsageError(`there is no folder ${dirname(file)} to write ${file} into.`)
  }
}

async function run(options: Options): Promise<boolean> {
  requireFolders([options.json, options.markdown])
  if (options.pythons) usePythons(options.pythons)
  const versions: Report['versions'] = { cotangent: cotangentVersion() }
  const present: string[] = []
  const notes: string[] = []
  for (const peer of options.peers) {
    const found = peerVersions(peer)
    if (found) {
      Object.assign(versions, found)
      present.push(peer)
      if (isPython(peer) && entrants(options, [peer]).some((name) => libraryEntry(name).peer === peer))
        notes.push(...pythonsWithout(peer).map((python) => `${python} cannot import ${peer}.`))
    } else notes.push(`Without ${peer}, which is not installed: ${howToInstall(peer)}.`)
  }
  const report: Report = {
    command: options.command,
    machine: machine(),
    load: { before: load(), after: [] },
    versions,
    seed: options.seed,
    rounds: options.rounds,
    startedAt: new Date().toISOString(),
    notes,
    results: [],
  }

  const names = entrants(options, present)
  const contestants: Contestant[] = []
  try {
    for (const library of names) {
      progress(`starting ${library}`)
      try {
        contestants.push(await startContestant(library, contestants))
      } catch (error) {
        report.notes.push(`${library} did not start: ${(error as Error).message}`)
      }
    }
    progress('')
    console.log(`${heading(report)}\n`)
    for (const workload of options.workloads) {
      const entered = contestants.filter(({ library }) => takesPart(library, workload))
      const result = await timeWorkload(workload, entered, options, progress)
      progress('')
      report.results.push(result)
      console.log(`${table(result)}\n`)
    }
  } finally {
    for (const contestant of contestants) contestant.close()
  }
  report.load.after = load()
  console.log(`load average ${report.load.after.join(' ')} after`)
  const written: [string | undefined, () => string][] = [
    [options.json, () => `${JSON.stringify(recordOf(report), null, 2)}\n`],
    [options.markdown, () => markdown(report)],
  ]
  for (const [file, content] of written) {
    if (file === undefined) continue
    writeFileSync(file, content())
    console.log(`written: ${file}`)
  }
  // If a peer cannot do something, that is a result. If we cannot, or if anyone computes something wrong, the run fails.
  const ours = names.filter((name) => !libraryEntry(name).peer)
  const sound = report.results.every(({ libraries: rows }) =>
    rows.every((row) => ('failed' in row ? libraryEntry(row.library).peer !== undefined : !row.complaint)),
  )
  return sound && ours.every((name) => contestants.some(({ library }) => library === name))
}

/** The heading of a run of our library alone. */
const ofOurs = (seed: number, rounds: number): Parameters<typeof heading>[0] => ({
  machine: machine(),
  versions: { cotangent: cotangentVersion() },
  seed,
  rounds,
  load: { before: load(), after: [] },
  notes: [],
})

/** Prints where the time of each workload's step goes, on one thread and on two. */
async function profiles({ workloads, steps, seed }: Extract<Invocation, { kind: 'profile' }>): Promise<void> {
  console.log(`${heading(ofOurs(seed, 1))}\n`)
  // The width that this Node has by default.
  for (const library of machine().simd256 ? (['cotangent-256', 'cotangent-256-2'] as const) : (['cotangent', 'cotangent-2'] as const)) {
    const contestant = await startContestant(library)
    try {
      for (const workload of workloads) {
        progress(`${workload.name}: ${library} is profiled`)
        await contestant.prepare(workload, seed)
        await contestant.run(WARM_STEPS)
        const limits = await contestant.probe?.()
        const found = await contestant.profile?.(steps)
        progress('')
        if (found && limits)
          console.log(`${profileTable(`${workload.id} ${workload.name}, ${libraryEntry(library).title}`, found, limits)}\n`)
      }
    } finally {
      contestant.close()
    }
  }
}

/** Steps before a profile: kernels compile, and memory comes to rest. */
const WARM_STEPS = 5

const recordOf = ({ command, machine, load, versions, startedAt, results }: Report): RunRecord => ({
  machine: { ...machine, load },
  versions,
  date: startedAt,
  rows: results.flatMap((result) => recordRows(command, result)),
})

/** The page about our kernel, or about another one beside it. */
async function page({ shape, tile, variant }: Extract<Invocation, { kind: 'lens' }>): Promise<string> {
  if (variant !== undefined) return study(shape, { name: variant, emit: await loadVariant(variant), tile })
  return tile ? study(shape, { name: '"packed"', emit: emitPacked, tile }) : lens(shape)
}

endWithReader()
try {
  const asked = parseCommandLine(process.argv.slice(2))
  switch (asked.kind) {
    case 'help':
      console.log(usage)
      break
    case 'compare':
      console.log(compare(asked.before, asked.after))
      break
    case 'keep':
      console.log(keep(asked.name, asked.files))
      break
    case 'tables':
      console.log(writeTables())
      break
    case 'scaling':
      console.log(`${heading(ofOurs(asked.seed, asked.rounds))}\n`)
      process.exitCode = (await scaling(asked.workloads, asked, (text) => console.log(text), progress)) ? 0 : 1
      break
    case 'report':
      console.log(`${heading(ofOurs(asked.seed, asked.rounds))}\n`)
      console.log(reportCostText(await reportCost(asked.rounds, asked.seed, { progress })))
      break
    case 'versions': {
      requireFolders([asked.markdown])
      const made = asked.files.length > 0 ? { table: mergeVersions(asked.files), sound: true } : runVersions(asked.nodes, asked.flags)
      if (!made) break
      const { table: text, sound } = made
      console.log(text)
      if (asked.markdown !== undefined) writeFileSync(asked.markdown, text)
      process.exitCode = sound ? 0 : 1
      break
    }
    case 'accuracy': {
      if (!peerVersions('numpy')) throw new UsageError(`accuracy needs ${howToInstall('numpy')}.`)
      const found = await accuracyOf(accuracyRows, asked.seed)
      console.log(accuracyTable(found))
      process.exitCode = found.every(isExact) ? 0 : 1
      break
    }
    case 'gpu': {
      // Loaded on demand, since it brings the code that starts a browser.
      const { gpuTable, measureWhereItRuns } = await import('./gpu/gpu.js')
      const { where, figures } = await measureWhereItRuns(asked.mode, asked.rounds)
      console.log(gpuTable(where, figures))
      break
    }
    case 'profile':
      await profiles(asked)
      break
    case 'lens':
      console.log(await page(asked))
      break
    case 'run':
      process.exitCode = (await run(asked.options)) ? 0 : 1
  }
} catch (error) {
  if (!(error instanceof UsageError || error instanceof VariantError)) throw error
  console.error(`bench: ${error.message}`)
  process.exitCode = 2
}

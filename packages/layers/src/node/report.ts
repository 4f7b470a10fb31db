/// <reference types="node" />
/** Reports as files: one page that holds the record of a run and the script that draws it. */
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { availableParallelism, cpus } from 'node:os'
import { requireObject, requireText } from '@cotangent/core/arguments'
import { comparisonOf, requireRuns } from '../report/comparison.js'
import { pageOf } from '../report/page.js'
import type { Fact, RunRecord } from '../report/record.js'
import { type RecordOptions, RunRecorder, recordDefaults, recordRules } from '../report/recorder.js'
import { readOptions, type SpelledOptions } from '../spelling/names.js'
import { reading } from './file-error.js'
import { requireWritable, writeWhole } from './write-file.js'

/** Options of `report`. */
export interface ReportOptions extends RecordOptions {
  /** The page to write: `report.html`. Its folder must exist. Required. */
  file: string
}

/** Writing may take this share of the time. A training of short epochs is not written at each of them. */
const SHARE = 1 / 50

/** The script of a report file. It is loaded when the first page is written: it is large, and most programs that load this module write none. */
const pageScript = async (): Promise<string> => (await import('#report-script')).pageScript()

/** Facts of the machine and the program. */
function here(): Fact[] {
  const [cpu] = cpus()
  const facts: Fact[] = [
    { name: 'Node', value: process.version },
    { name: 'Machine', value: `${cpu ? cpu.model.trim() : process.arch}, ${availableParallelism()} cores, ${process.platform}` },
  ]
  try {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
    facts.unshift({ name: 'Cotangent', value: version })
  } catch {} // in a bundle there is no such file
  return facts
}

/**
 * Makes a callback that writes the report of a training as one HTML file. It opens without a server and without the network. The file is written at the beginning, after epochs and at
 * the end, each time whole, so a run that is killed leaves what there was. A page that is open follows the run. Writing takes a fiftieth of the time at most: where
 * epochs are short, not each of them is written.
 *
 * The returned callback has the `record`. Add facts to it after `fit`, such as the accuracy on test data, and call `save()`.
 *
 * @throws ValueError for an unknown option; CotangentError in `fit`, before the first epoch, if the file cannot be written
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs'
 *
 * const run = report({ file: 'report.html', title: 'first try', remarks: ['The data is random.'] })
 * await model.fit(x, y, { epochs: 3, validationSplit: 0.25, verbose: 0, callbacks: [run] })
 * const [loss] = await model.evaluate(x, y)
 * run.record.facts.push({ name: 'Loss on all data', value: loss.toFixed(4) })
 * await run.save()
 * console.log(readFileSync('report.html', 'utf8').includes('first try'))   // true
 * ```
 */
export function report(options: SpelledOptions<ReportOptions>): RunRecorder {
  const example = "report({ file: 'report.html' })"
  requireObject('report', options, [], example)
  const { file, ...settings } = readOptions<Required<ReportOptions>>(
    'report',
    options,
    { file: '', ...recordDefaults },
    { file: requireText, ...recordRules },
    example,
  )
  requireText('report', 'file', options.file)
  let shown: RunRecord | undefined
  let next = 0
  let least = Number.POSITIVE_INFINITY
  let text: string | undefined
  return new RunRecorder(
    settings,
    async (record, mayWait) => {
      if (mayWait && performance.now() < next) return
      const first = shown !== record
      if (first) await requireWritable('report', file)
      text ??= await pageScript()
      const begin = performance.now()
      // While it runs, the next state comes soon: the disk is not waited for.
      await writeWhole('report', file, pageOf(record, text), record.state !== 'running')
      shown = record
      const cost = performance.now() - begin
      // The first write takes longer than the others will. On a busy machine one may wait for others; that says nothing about the next one either.
      if (first) return
      least = Math.min(least, cost)
      next = performance.now() + Math.min(cost, 3 * least) / SHARE
    },
    here(),
  )
}

/** Options of `compareReports`. */
export interface CompareOptions {
  /** The page to write. Its folder must exist. Required. */
  file: string
  /** The heading; the number of runs by default. */
  title?: string
}

/**
 * Writes one page with several runs side by side: their curves over each other, the facts in which they differ, and their final figures.
 *
 * @param runs records, or paths of reports that `report` wrote, or of their JSON
 * @throws ValueError for an empty list, or a file that holds no record that this release reads: it says which and why. CotangentError if a file cannot be read or
 * written. Then nothing is written
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs'
 *
 * for (const rate of [0.01, 0.1]) {
 *   const net = new Sequential([dense(1, { inputShape: [2] })], { seed: 7 })
 *   net.compile({ optimizer: sgd(rate), loss: 'mse' })
 *   await net.fit([[1, 2]], [[3]], { epochs: 4, verbose: 0, callbacks: [report({ file: `rate-${rate}.html`, title: `rate ${rate}` })] })
 * }
 * await compareReports(['rate-0.01.html', 'rate-0.1.html'], { file: 'rates.html', title: 'Two rates' })
 * console.log(readFileSync('rates.html', 'utf8').includes('rate 0.1'))   // true
 * ```
 */
export async function compareReports(runs: readonly (RunRecord | string)[], options: SpelledOptions<CompareOptions>): Promise<void> {
  requireRuns('compareReports', runs)
  const example = "compareReports(['a.html', 'b.html'], { file: 'both.html' })"
  requireObject('compareReports', options, [], example)
  const { file, title } = readOptions<Required<CompareOptions>>(
    'compareReports',
    options,
    { file: '', title: '' },
    { file: requireText },
    example,
  )
  requireText('compareReports', 'file', options.file)
  const sources: { source: unknown; from: string }[] = []
  for (const [i, run] of runs.entries()) {
    const isPath = typeof run === 'string'
    sources.push({
      source: isPath ? await reading('compareReports', run, () => readFile(run, 'utf8')) : run,
      from: isPath ? `"${run}"` : `runs[${i}]`,
    })
  }
  const comparison = comparisonOf('compareReports', sources, title)
  await writeWhole('compareReports', file, pageOf(comparison, await pageScript()))
}

/** Demonstrations: programs that show something and have no result of a document to compare with. Some are parts of documents that train nothing, others are our own, for students. */
import { configure, currentBackend, useBackend } from '@cotangent/core'
import { type FlagName, type Settings, UsageError } from './arguments.js'
import { environment } from './environment.js'
import type { documents } from './experiment.js'
import { prepareOutput } from './files.js'
import { addEnvironment, Recording, reportFile } from './recording.js'
import type { DataUsed, RunResult } from './session.js'

export interface Demonstration {
  readonly id: string
  /** The document it belongs to; absent if it is for students. */
  readonly document?: keyof typeof documents
  readonly title: string
  /** The flags that it takes; any other is a mistake. */
  readonly flags: readonly FlagName[]
  /** Prints, and returns what it printed as data. `--backend` and `--threads` count already. `--report` is the recording's business. */
  run(settings: Settings, recording?: Recording): unknown
}

/** The result of a demonstration that trains, as `npm run reproduce` keeps it. */
export interface Kept
  extends Pick<RunResult, 'epochs' | 'batchSize' | 'weights'>,
    Partial<Pick<RunResult, 'also' | 'best' | 'history' | 'secondsPerEpoch' | 'sections'>> {
  result: { metric: string; value: number }
  data: DataUsed
  /** SVG documents by the names of their files. Those of the first seed stand on the example's page. */
  pictures?: Readonly<Record<string, string>>
}

/** A demonstration that trains and has a figure. */
export interface Training extends Demonstration {
  /** The network and its training in one line. */
  readonly model: string
  run(settings: Settings, recording?: Recording): Promise<{ kept: Kept }>
  /** The same with a small network on a few samples, in a few seconds. Nothing is shown of it. */
  quick(settings: Pick<Settings, 'seed' | 'data'>): Promise<{ kept: Kept }>
}

export const isTraining = (demonstration: Demonstration): demonstration is Training => 'quick' in demonstration

/** Sets the engine that the flags ask for, runs, and completes the report. Gives what the run gave. */
export async function runDemonstration(demonstration: Demonstration, settings: Settings): Promise<unknown> {
  const { id, flags } = demonstration
  const unused = (Object.keys(settings) as FlagName[]).find((name) => !flags.includes(name))
  if (unused !== undefined) {
    const takes = flags.length === 0 ? 'no flags' : flags.map((name) => `--${name}`).join(', ')
    throw new UsageError(`--${unused} means nothing to ${id}. It takes ${takes}.`)
  }
  const file = settings.report === undefined ? undefined : reportFile(id, settings.report, settings.out)
  await prepareOutput({ ...settings, report: file })
  if (settings.threads !== undefined) configure({ threads: settings.threads })
  if (settings.backend) await useBackend(settings.backend)
  const recording = new Recording(`${id}${settings.seed === undefined ? '' : `, seed ${settings.seed}`}`, { file })
  const result = await demonstration.run(settings, recording)
  recording.fact('Example', demonstration.title)
  if (isTraining(demonstration)) recording.fact('SHA-256 of the weights', (result as { kept: Kept }).kept.weights)
  addEnvironment(recording, environment(currentBackend()))
  await recording.finish()
  return result
}

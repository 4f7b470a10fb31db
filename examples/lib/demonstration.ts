/** Demonstrations: programs that show something and have no result to compare. Some are parts of documents that train nothing, others are our own, for students. */
import { configure, useBackend } from '@cotangent/core'
import { type FlagName, type Settings, UsageError } from './arguments.js'
import type { documents } from './experiment.js'
import { prepareOutput } from './files.js'

export interface Demonstration {
  readonly id: string
  /** The document it belongs to; absent if it is for students. */
  readonly document?: keyof typeof documents
  readonly title: string
  /** The flags that it takes; any other is a mistake. */
  readonly flags: readonly FlagName[]
  /** Prints, and returns what it printed as data. `--backend` and `--threads` count already. */
  run(settings: Settings): unknown
}

export async function runDemonstration(demonstration: Demonstration, settings: Settings): Promise<void> {
  const { id, flags } = demonstration
  const unused = (Object.keys(settings) as FlagName[]).find((name) => !flags.includes(name))
  if (unused !== undefined) {
    const takes = flags.length === 0 ? 'no flags' : flags.map((name) => `--${name}`).join(', ')
    throw new UsageError(`--${unused} means nothing to ${id}. It takes ${takes}.`)
  }
  await prepareOutput(settings)
  if (settings.threads !== undefined) configure({ threads: settings.threads })
  if (settings.backend) await useBackend(settings.backend)
  await demonstration.run(settings)
}

/** Writes files that are either complete or missing. */
import { accessSync, constants, statSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { writeFileAtomic } from '@cotangent/layers/node'
import { type Settings, UsageError } from './arguments.js'

/** Writes text to a file so that no reader sees half of it. Makes the directory. */
export async function writeWhole(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFileAtomic(path, content)
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false // a part of the path may be a file; making the directory says so
  }
}

/** Makes the directories before the training, so that a path that cannot be written to does not cost a training. */
export async function prepareOutput({ json, out, report }: Settings): Promise<void> {
  for (const [flag, file] of Object.entries({ json, report })) {
    if (file && isDirectory(file)) throw new UsageError(`--${flag} takes a file, but ${file} is a directory.`)
  }
  for (const [flag, directory] of [
    ['json', json && dirname(json)],
    ['out', out],
    ['report', report && dirname(report)],
  ]) {
    if (!directory) continue
    try {
      await mkdir(directory, { recursive: true })
      accessSync(directory, constants.W_OK)
    } catch (error) {
      throw new UsageError(`--${flag}: can't write into ${directory} (${(error as NodeJS.ErrnoException).code ?? error}).`)
    }
  }
}

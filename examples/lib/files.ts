/** Writes files that are either complete or missing. */
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { writeFileAtomic } from '@cotangent/layers/node'

/** Writes text to a file so that no reader sees half of it. Makes the directory. */
export async function writeWhole(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFileAtomic(path, content)
}

/** Writing files that are either whole or not there. */
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { writeFileAtomic } from '@cotangent/layers/node'

/** Puts text into a file, so that a reader never sees half of it. Makes the directory. */
export async function writeWhole(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFileAtomic(path, content)
}

/** Commands whose reader leaves early, as `| head -1` does. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')

/** Runs a TypeScript program and closes its output after the first piece. Returns its exit code and its error stream. */
export async function headOf(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; first: string; said: string }> {
  const child = spawn(process.execPath, ['--conditions=@cotangent/source', '--import', 'tsx', file, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
  })
  let said = ''
  child.stderr.on('data', (piece) => {
    said += piece
  })
  const closed = once(child, 'close') as Promise<[number | null]>
  // A program that fails may print nothing.
  const [piece] = (await Promise.race([once(child.stdout, 'data'), closed])) as [Buffer | number | null]
  child.stdout.destroy()
  const [code] = await closed
  return { code, first: Buffer.isBuffer(piece) ? piece.toString() : '', said }
}

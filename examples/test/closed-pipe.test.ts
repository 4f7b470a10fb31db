/** Commands whose reader leaves early, as `| head -1` does. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')

/** Runs a command and closes its output after the first piece. Returns its exit code and its error stream. */
async function headOf(file: string, args: readonly string[]): Promise<{ code: number | null; first: string; said: string }> {
  const child = spawn(process.execPath, ['--conditions=@cotangent/source', '--import', 'tsx', file, ...args], { cwd: root })
  let said = ''
  child.stderr.on('data', (piece) => {
    said += piece
  })
  const [piece] = (await once(child.stdout, 'data')) as [Buffer]
  child.stdout.destroy()
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, first: piece.toString(), said }
}

test.each([
  ['examples/run.ts', ['backprop']],
  ['examples/start.ts', ['--epochs', '1', '--limit', '256']],
])('%s ends quietly when its reader leaves', async (file, args) => {
  const { code, first, said } = await headOf(file, args)
  expect(first).not.toBe('')
  expect({ code, said }).toEqual({ code: 0, said: '' })
})

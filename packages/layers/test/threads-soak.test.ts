/** Trains on two threads for a while, on a machine whose cores are all busy. `COTANGENT_SOAK` is the number of seconds (default 4). */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const seconds = Number(process.env.COTANGENT_SOAK ?? 4)

test(
  'the same bits as one thread, no worker lost, and the process ends by itself',
  () => {
    const script = fileURLToPath(new URL('./threads-soak-process.ts', import.meta.url))
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--conditions=@cotangent/source', '--import', 'tsx', script, `${seconds}`],
      {
        encoding: 'utf8',
        timeout: 1000 * seconds + 100_000,
      },
    )
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: expect.stringMatching(/^\d+ trainings, \d+ parts run/), stderr: '' })
    console.log(stdout.trim())
  },
  1000 * seconds + 110_000,
)

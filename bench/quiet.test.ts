/** Which samples count as quiet, and how rows show them. Nothing here depends on how fast a machine is. */
import { expect, test } from 'vitest'
import type { Contestant } from './contestant.js'
import { disassemble } from './lens/disassemble.js'
import { microKernel } from './lens/loops.js'
import { markdown } from './markdown.js'
import { mostPressed, pressed, probeModule } from './probes.js'
import { quietOf, sampled } from './quiet.js'
import { recordRows } from './records.js'
import { table } from './report.js'
import { timeWorkload } from './rounds.js'
import { commands } from './workloads.js'

test('a sample stands between two probes, the later one shared with the next', async () => {
  const probes = [40, 38, 45, 20]
  const log: (number | string)[] = []
  const samples = await sampled(
    7,
    3,
    async (steps) => {
      log.push(`run ${steps}`)
      return 2 * steps
    },
    () => {
      log.push(probes[0])
      return probes.shift() ?? 0
    },
  )
  expect(log).toEqual([40, 'run 3', 38, 'run 3', 45, 'run 1', 20])
  expect(samples).toEqual([
    { ms: 6, steps: 3, pressed: 38 },
    { ms: 6, steps: 3, pressed: 38 },
    { ms: 2, steps: 1, pressed: 20 },
  ])
})

test('only the probe decides: a slow sample stays, a fast one beside a slow probe goes', () => {
  const samples = [
    { ms: 100, steps: 1, pressed: 50 },
    { ms: 20, steps: 2, pressed: 45 },
    { ms: 1, steps: 1, pressed: 44.9 },
  ]
  expect(quietOf(samples, 50)).toEqual({ count: 2, of: 3, median: 55, min: 10, max: 100 })
  expect(quietOf(samples, 60)).toEqual({ count: 0, of: 3 })
  expect(quietOf([{ ms: 1, steps: 1 }], 0)).toBeUndefined()
})

test('the probe is a register tile that WebAssembly runs with or without fused multiply-add', () => {
  expect(WebAssembly.validate(probeModule(false))).toBe(true)
  for (const fused of [true, false]) {
    const tile = disassemble(probeModule(fused)).find(({ name }) => name === 'pressed')
    expect(tile && microKernel(tile)).toMatchObject({ accumulators: 9, multiplyAdds: 9, fused, vectorLoads: 3, splats: 3 })
  }
  const figure = pressed()
  expect(figure).toBeGreaterThan(0)
  expect(mostPressed()).toBeGreaterThanOrEqual(figure)
})

test('tables, rows and Markdown show quiet samples, the best and the memory', async () => {
  const workload = commands.models[0]
  const entrant = (library: string, ms: number, probed = true): Contestant => ({
    library,
    async prepare() {},
    async run(steps) {
      const samples = [
        { ms: 4 * ms, steps: 1, ...(probed && { pressed: 20 }) },
        { ms, steps: 1, ...(probed && { pressed: 50 }) },
      ]
      return { ms: 5 * ms, value: -steps, samples, mostPressed: probed ? 50 : undefined }
    },
    probe: async () => ({ gflops: 501.2 / ms, gigabytesPerSecond: 1 }),
    peakMemory: async () => 100.4,
    close() {},
  })
  const entrants = [entrant('cotangent', 200), entrant('tfjs-wasm', 400), entrant('torch-1', 100, false)]
  const result = await timeWorkload(workload, entrants, { rounds: 3, steps: 2, seed: 7 })
  const [ours, tfjs, torch] = recordRows('models', result)
  expect(ours).toMatchObject({ median: 500, best: 200, rss: 100, quiet: { samples: 3, of: 6, min: 200, median: 200, max: 200 } })
  expect(tfjs).toMatchObject({ best: 400, quiet: { median: 400 } })
  expect(torch).not.toHaveProperty('quiet')
  expect(result.libraries[1]).toMatchObject({ bestRatio: 2, quietRatio: 2 })
  expect(result.libraries[2]).toMatchObject({ bestRatio: 0.5 })
  expect(result.libraries[2]).not.toHaveProperty('quietRatio')

  expect(table(result)).toMatch(/cotangent .*3\/6: 200 \(200–200\), 100 % .*100 /)
  const text = markdown({
    command: 'models',
    machine: { cpu: 'Abacus', cores: 2, memoryGiB: 1, platform: 'linux x64', node: 'v20', v8: '11', simd256: false },
    load: { before: [1, 1, 1], after: [2, 1, 1] },
    versions: {},
    seed: 7,
    rounds: 3,
    startedAt: '2026-01-02T03:04:05.000Z',
    notes: [],
    results: [result],
  })
  expect(text).toContain('| 3/6: 200 (200–200), 100 % | 200 | 100 |')
  expect(text).toContain('2.00–**2.00**–2.00×; best 2.00×; quiet 2.00×; 100 MB |')
  expect(text).toContain('0.500–**0.500**–0.500×; best 0.500×; 100 MB |')
  const lines = text.split('\n').filter((line) => line.startsWith('|'))
  expect(new Set(lines.map((line) => line.split('|').length)).size).toBe(1)
})

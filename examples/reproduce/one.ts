/**
 * One run, in a process of its own: `one.ts <id> <seed> <file>`. It trains and writes the result as JSON, whole or not at all.
 *
 * Relaxed SIMD is off: a fused multiply-add rounds once, and not every processor has it. Without it, all machines come to the same bits.
 */
import { parseArgs } from 'node:util'
import { configure, useBackend } from '@cotangent/core'
import { environment } from '../lib/environment.js'
import { endWithReader } from '../lib/output.js'
import { planned } from './plan.js'
import { type Result, writeResult } from './results.js'

endWithReader()
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    /** The hash of the quick run, to be kept with the result. */
    'quick-hash': { type: 'string' },
    data: { type: 'string' },
    threads: { type: 'string', default: 'auto' },
  },
})
const [id, seedText, file] = positionals
const seed = Number(seedText)
const plan = planned.find((each) => each.id === id)
if (!plan || !Number.isInteger(seed) || !file) throw new Error('one.ts <id> <seed> <file>')

configure({ relaxedSimd: false, threads: values.threads === 'auto' ? 'auto' : Number(values.threads) })
const backend = await useBackend('wasm')
const begun = performance.now()
const { result, epochs, batchSize, best, also, remark, history, data, secondsPerEpoch, weights, sections, pictures } = await plan.run(
  { seed, ...(values.data === undefined ? {} : { data: values.data }) },
  values.quick,
)
const seconds = (performance.now() - begun) / 1000
const { cotangent, node, platform, cpu, cores, load, peakMemoryBytes } = environment(backend)
const kept: Result = {
  format: 'cotangent-result',
  version: 1,
  id,
  document: plan.document,
  seed,
  settings: plan.settings,
  reported: plan.reported,
  result,
  remark,
  also,
  best,
  epochs,
  batchSize,
  data,
  history,
  secondsPerEpoch,
  seconds,
  weights,
  sections,
  quick: values['quick-hash'],
  machine: { cpu, cores, threads: backend.info?.().threads ?? 1, platform, load, peakMemoryBytes },
  versions: { cotangent, node },
  date: new Date().toISOString(),
  command: `npm run reproduce -- --certify ${id} --seed ${seed}`,
}
await writeResult(file, kept, values.quick || seed !== plan.seeds[0] ? undefined : pictures)

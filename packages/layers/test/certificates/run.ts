/**
 * `npm run certify`: trains the six certified networks on this machine, in every way that must not matter, and compares the SHA-256 of their weights with
 * certificates.json. It ends with 1 if one differs.
 *
 * `npm run certify -- --write` writes the file. Only a commit that changes what a training computes may do that, and it says why.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { endWithReader } from '../../../../examples/lib/output.js'
import { certifyAll, EPOCHS, trainingNames, trainings, type Way } from './trainings.js'

const file = new URL('./certificates.json', import.meta.url)

const ways: [title: string, way: Way][] = [
  ['one thread', {}],
  ...[...new Set([2, availableParallelism(), 16])]
    .filter((threads) => threads > 1 && threads <= 16)
    .map((threads): [string, Way] => [`${threads} threads`, { threads }]),
  ['every step eager', { eager: true }],
  ...Array.from({ length: EPOCHS - 1 }, (_, i): [string, Way] => [
    `saved as .keras after epoch ${i + 1}, loaded, trained on`,
    { stopAfter: i + 1 },
  ]),
  ['saved as .h5 after epoch 3, loaded, trained on', { stopAfter: 3, format: 'h5' }],
]

endWithReader()
const { values } = parseArgs({ options: { write: { type: 'boolean', default: false } } })
if (values.write) writeFileSync(file, `${JSON.stringify(await certifyAll(), null, 2)}\n`)
const wanted: Record<string, string> = JSON.parse(readFileSync(file, 'utf8'))
console.log(`Node ${process.versions.node}, ${process.platform} ${process.arch}, ${availableParallelism()} cores\n`)
for (const name of trainingNames) console.log(`${name.padEnd(12)} ${wanted[name].slice(0, 16)}…  ${trainings[name].title}`)
console.log()
let different = 0
for (const [title, way] of ways) {
  const found = await certifyAll(way)
  const others = trainingNames.filter((name) => found[name] !== wanted[name])
  different += others.length
  console.log(
    `${title.padEnd(50)} ${others.length === 0 ? 'the same bits' : `DIFFERENT: ${others.map((name) => `${name} ${found[name]}`).join(', ')}`}`,
  )
}
const trained = ways.length * trainingNames.length
console.log(`\n${trained - different} of ${trained} trainings have the certified bits.`)
process.exitCode = different === 0 ? 0 : 1

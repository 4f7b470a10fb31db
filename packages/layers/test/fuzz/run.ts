/**
 * `npm run fuzz -- [readers] [--mutants 2000] [--from 0] [--processes 2]` reads mutants of valid files and prints their outcomes. Equal numbers are equal mutants,
 * so `--from 17 --mutants 1` reads one again. The exit code is 1 if any outcome is wrong.
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { endWithReader } from '../../../../examples/lib/output.js'
import { fuzzAll, good, type Summary } from './fuzz.js'
import { names as all, readers } from './readers.js'

endWithReader()
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    mutants: { type: 'string', default: '2000' },
    from: { type: 'string', default: '0' },
    processes: { type: 'string', default: String(availableParallelism()) },
  },
})
const names = positionals.length > 0 ? positionals : all
const unknown = names.find((name) => !Object.hasOwn(readers, name))
if (unknown !== undefined) {
  console.error(`There is no reader "${unknown}". There are: ${Object.keys(readers).join(', ')}.`)
  process.exit(2)
}
const numberOf = (name: 'mutants' | 'from' | 'processes', least: number): number => {
  const number = Number(values[name])
  if (Number.isSafeInteger(number) && number >= least) return number
  console.error(`--${name} must be a whole number, at least ${least}, got "${values[name]}".`)
  process.exit(2)
}
const [from, mutants, processes] = [numberOf('from', 0), numberOf('mutants', 1), numberOf('processes', 1)]

const columns = ['loads', 'refused', 'nameless', 'foreign', 'hang', 'crash', 'blow-up', 'broken'] as const
const row = (cells: readonly (string | number)[]): string =>
  cells.map((cell, i) => (i === 0 ? String(cell).padEnd(20) : String(cell).padStart(9))).join('')

console.log(row(['reader', ...columns, 'slowest']))
const print = ({ reader, counts, slowest }: Summary): void =>
  console.log(row([reader, ...columns.map((kind) => counts.get(kind) ?? 0), `${Math.round(slowest)} ms`]))
const summaries = await fuzzAll(names, from, from + mutants, processes, print)

const bad = summaries.flatMap((summary) => summary.bad)
for (const { reader, number, kind, said } of bad)
  console.log(`\n${kind}: npm run fuzz -- ${reader} --from ${number} --mutants 1\n  ${said}`)
console.log(`\n${names.length * mutants} mutants, ${bad.length} not ${good.join(' or ')}`)
process.exitCode = bad.length > 0 ? 1 : 0

/**
 * The list of all ops in packages/core/README.md is the registry, written down: `UPDATE_OPS=1 npx vitest run packages/core/test/ops-list.test.ts`
 * writes it anew. Families and costs come from the sources, because the registry does not hold them.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type OpDefinition, registry } from '../src/index.js'

const folder = join(import.meta.dirname, '../src/ops')
const readme = join(import.meta.dirname, '../README.md')
const [begin, end] = ['<!-- ops: written by test/ops-list.test.ts -->', '<!-- end of ops -->']

const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.includes('/') && path.endsWith('.ts') && !path.endsWith('.test.ts'))
  .map((path) => ({ family: path.split('/')[0], text: readFileSync(join(folder, path), 'utf8') }))

/** The folder of the file that defines an op. */
function familyOf(name: string): string {
  const definition = new RegExp(`(?:name: |gradient: |(?:unary|binary|reduction|activation|plain|pooling)(?:<[^(]*>)?\\()'${name}'`)
  const source = sources.find(({ text }) => definition.test(text))
  if (!source) throw new Error(`no file in src/ops defines the op "${name}"`)
  return source.family
}

/** The `Cost:` line in the comment of the public function of that name, if there is one. */
function costOf(name: string): string {
  for (const { text } of sources) {
    const before = text.slice(0, text.search(new RegExp(`^export (?:function|const) ${name}\\b`, 'm')) + 1)
    const cost = /^ \* Cost: +(.*)$/m.exec(before.slice(before.lastIndexOf('/**')))
    if (before !== '' && cost) return cost[1]
  }
  return ''
}

const kindOf = ({ compose, fused }: OpDefinition): string => (compose ? (fused ? 'fused' : 'composed') : 'primitive')
const derivativeOf = ({ vjp, rule }: OpDefinition): string => (typeof vjp === 'string' ? `none: ${vjp.replace(/\.$/, '')}` : rule)
const row = (...cells: string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`

function list(): string {
  const ops = [...registry.values()]
  const families = [...new Set(ops.map(({ name }) => familyOf(name)))].sort()
  const sections = families.map((family) => {
    const rows = ops
      .filter(({ name }) => familyOf(name) === family)
      .map((op) => row(`\`${op.name}\``, kindOf(op), derivativeOf(op), costOf(op.name)))
    return [`### ${family}`, '', row('op', 'kind', 'derivative', 'cost'), '|---|---|---|---|', ...rows].join('\n')
  })
  return `${begin}\n\n${sections.join('\n\n')}\n\n${end}`
}

test.each(['docs/features.md', 'CHANGELOG.md'])('%s counts the ops', (path) => {
  const text = readFileSync(join(import.meta.dirname, '../../..', path), 'utf8')
  expect(text).toContain(`${registry.size} ops in the registry`)
})

test('the README lists every op with its derivative, kind and cost', () => {
  const text = readFileSync(readme, 'utf8')
  const from = text.indexOf(begin)
  const to = text.indexOf(end) + end.length
  if (process.env.UPDATE_OPS) writeFileSync(readme, text.slice(0, from) + list() + text.slice(to))
  const written = readFileSync(readme, 'utf8')
  expect(written.slice(written.indexOf(begin), written.indexOf(end) + end.length).split('\n')).toEqual(list().split('\n'))
})

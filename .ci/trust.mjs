/**
 * `npm run trust`: measures start and sizes, and writes the tables of docs/trust.md. `npm run trust -- sizes` and `npm run trust -- start` make one of them. The start is
 * that of the built files (`npm run build`), on this Node and on those of `npm run nodes:install`, and needs GNU time.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundledPrograms, measureBundle } from '../packages/core/test/bundle-sizes.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const RUNS = 10

async function sizes() {
  const rows = []
  for (const { name, program, ceiling } of bundledPrograms) {
    const { bytes } = await measureBundle(program)
    rows.push(`| ${name} | ${(bytes / 1000).toFixed(1)} | ${ceiling / 1000} |`)
  }
  return ['| a page with | kB | ceiling |', '| --- | ---: | ---: |', ...rows].join('\n')
}

/** Milliseconds of processor time, user and system, of a process that runs a module: medians of runs that take turns. */
function medians(nodes, programs) {
  const times = nodes.map(() => programs.map(() => []))
  for (let run = 0; run < RUNS; run++)
    for (const [i, node] of nodes.entries())
      for (const [j, program] of programs.entries()) {
        const args = ['-f', '%U %S', node, '--input-type=module', '-e', program]
        // Packages are found from the folder of one that depends on all.
        const { stderr, status } = spawnSync('/usr/bin/time', args, { cwd: join(root, 'packages/layers'), encoding: 'utf8' })
        if (status !== 0) throw new Error(`${node}: ${stderr}`)
        const [user, system] = stderr.trim().split('\n').at(-1).split(' ').map(Number)
        times[i][j].push(1000 * (user + system))
      }
  return times.map((row) =>
    row.map((list) => {
      const sorted = list.sort((a, b) => a - b)
      return Math.round((sorted[RUNS / 2 - 1] + sorted[RUNS / 2]) / 2)
    }),
  )
}

function start() {
  const others = ['22', '24', '26'].map((major) => join(root, `.nodes/node_modules/node-${major}/bin/node`))
  const nodes = [process.execPath, ...others.filter((path) => existsSync(path))]
  const folder = mkdtempSync(join(tmpdir(), 'cotangent-trust-'))
  try {
    const file = JSON.stringify(join(folder, 'model.h5'))
    const save = `import { dense, Sequential } from '@cotangent/layers'; import { saveModel } from '@cotangent/layers/node'
      await saveModel(new Sequential([dense(2, { inputShape: [2] })], { seed: 7 }), ${file})`
    spawnSync(process.execPath, ['--input-type=module', '-e', save], { cwd: join(root, 'packages/layers') })
    const load = `import { loadModel } from '@cotangent/layers/node'; await loadModel(${file})`
    const loads = [load, `import { ones } from '@cotangent/core'; ones([1]).add(1); ${load}`]
    const columns = ['', "import '@cotangent/core'", "import '@cotangent/layers/node'", ...loads]
    const load1 = loadavg()[0]
    const versions = nodes.map((node) => spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim().slice(1))
    const rows = medians(nodes, columns).map((row, i) => `| ${versions[i]} | ${row.join(' | ')} |`)
    return [
      `${cpus()[0].model}, ${cpus().length} cores, ${new Date().toISOString().slice(0, 10)}, load ${load1.toFixed(1)} to ${loadavg()[0].toFixed(1)}.`,
      '',
      '| Node | nothing | core | layers/node | the first `.h5` | the first `.h5`, after a kernel |',
      '| --- | ---: | ---: | ---: | ---: | ---: |',
      ...rows,
    ].join('\n')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const path = join(root, 'docs/trust.md')
const asked = process.argv.slice(2)
for (const [name, make] of Object.entries({ start, sizes })) {
  if (asked.length > 0 && !asked.includes(name)) continue
  const table = await make()
  const marks = new RegExp(`(<!-- ${name}: npm run trust -->\n)[\\s\\S]*?(\n<!-- end -->)`)
  const text = readFileSync(path, 'utf8')
  if (!marks.test(text)) throw new Error(`docs/trust.md has no place for the table "${name}"`)
  writeFileSync(
    path,
    text.replace(marks, (_, begin, end) => `${begin}\n${table}\n${end}`),
  )
  console.log(table)
}

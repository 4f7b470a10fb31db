/** Reports as files: written while the training runs, whole at any moment, and compared. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { afterAll, expect, test } from 'vitest'
import { dense, Sequential } from '../../src/index.js'
import { compareReports, report } from '../../src/node/index.js'
import { readRecord } from '../../src/report/index.js'
import { pageScript } from '../../src/report/view/build.js'
import { fixture } from './fixture.js'

const folder = mkdtempSync(join(tmpdir(), 'cotangent-report-'))
const running = new Set<ChildProcess>()
afterAll(() => {
  for (const child of running) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
})

const x = [[1, 2], [2, 1], [0, 1], [1, 1]] // biome-ignore format: rows
const y = [[3], [3], [1], [2]]
const small = (): Sequential => {
  const net = new Sequential([dense(2, { activation: 'tanh', inputShape: [2] }), dense(1)], { seed: 3 })
  net.compile({ optimizer: 'sgd', loss: 'mse' })
  return net
}

test('the script of a report has at most 150 kB, gzipped, with the licences of what is in it', async () => {
  const script = await pageScript()
  expect(gzipSync(script, { level: 9 }).length).toBeLessThan(150_000)
  expect(script).toContain('Observable, Inc.')
  expect(script).toContain('Mike Bostock')
  // Nothing in it that a page would ask the network for.
  expect(script).not.toMatch(/\bimport\(/)
})

test('a report is there from the first epoch on, says when it is finished, and takes facts afterwards', async () => {
  const file = join(folder, 'run.html')
  const states: string[] = []
  const run = report({ file, title: 'a run', facts: [{ name: 'Data', value: 'four rows' }] })
  await small().fit(x, y, {
    epochs: 3,
    verbose: 0,
    callbacks: [run, { onEpochBegin: () => void states.push(readRecord(readFileSync(file, 'utf8')).state) }],
  })
  expect(states).toEqual(['running', 'running', 'running'])
  run.record.facts.push({ name: 'Test', value: '0.5' })
  await run.save()
  const record = readRecord(readFileSync(file, 'utf8'))
  expect(record).toEqual(run.record)
  expect(record).toMatchObject({ state: 'finished', training: { epochs: [0, 1, 2] } })
  expect(record.facts.map(({ name }) => name)).toEqual(expect.arrayContaining(['Data', 'Seed', 'Node', 'Machine', 'Cotangent', 'Test']))
  expect(readdirSync(folder)).toEqual(['run.html'])
})

test('a folder that is not there is refused before the first epoch, and nothing is written', async () => {
  const net = small()
  const before = await net.getWeights()
  const there = join(folder, 'not', 'there.html')
  await expect(net.fit(x, y, { verbose: 0, callbacks: [report({ file: there })] })).rejects.toThrow(
    `report: "${there}" cannot be written (ENOENT): the folder "${join(folder, 'not')}" is not there. Make it first.`,
  )
  expect(await net.getWeights()).toEqual(before)
  const taken = join(folder, 'taken')
  mkdirSync(taken)
  await expect(net.fit(x, y, { verbose: 0, callbacks: [report({ file: taken })] })).rejects.toThrow('it is a folder. Name a file')
  expect(() => report({} as never)).toThrow(/report: file/)
  expect(() => report({ file: 'a.html', tittle: 'b' } as never)).toThrow(/tittle/)
})

test('compareReports takes pages, JSON and records; one that cannot be read leaves nothing behind', async () => {
  const [page, json, out] = ['cmp.html', 'cmp.json', 'both.html'].map((name) => join(folder, name))
  const run = report({ file: page, title: 'page' })
  await small().fit(x, y, { epochs: 2, verbose: 0, callbacks: [run] })
  writeFileSync(json, JSON.stringify(fixture({ epochs: 3, title: '<b>json</b>' })))
  await compareReports([page, json, fixture({ epochs: 1 })], { file: out })
  const text = readFileSync(out, 'utf8')
  const holds = /id="record">(.*?)<\/script>/s.exec(text)?.[1] ?? ''
  const { format, runs } = JSON.parse(holds) as { format: string; runs: { title: string; sections: unknown[] }[] }
  expect([format, runs.map(({ title }) => title)]).toEqual(['cotangent-comparison', ['page', '<b>json</b>', 'mnist-mlp, seed 1']])
  expect(runs.every(({ sections }) => sections.length === 0)).toBe(true)
  expect(text).not.toContain('<b>json')

  writeFileSync(join(folder, 'old.json'), JSON.stringify({ ...fixture(), version: 0 }))
  const never = join(folder, 'never.html')
  for (const [runs, message] of [
    [[page, join(folder, 'gone.html')], /compareReports: ".*gone\.html" cannot be read \(ENOENT\)/],
    [[page, join(folder, 'old.json')], /compareReports: ".*old\.json" has version 0 of the format/],
    [[page, {}], /compareReports: runs\[1\] is no record of a run/],
    [[], /compareReports: there is no run to compare/],
    ['a.html', /compareReports: expected a list/],
  ] as const)
    await expect(compareReports(runs as never, { file: never })).rejects.toThrow(message)
  await expect(compareReports([page], {} as never)).rejects.toThrow(/compareReports: file/)
  expect(readdirSync(folder)).not.toContain('never.html')
})

test('a run that is killed at any moment leaves a page with what there was', async () => {
  const kills = Number(process.env.COTANGENT_KILLS ?? 5)
  const [program, view, stub] = ['program.mjs', 'view.js', 'stub.ts'].map((name) => join(folder, name))
  writeFileSync(view, await pageScript())
  writeFileSync(
    stub,
    `import { readFile } from 'node:fs/promises'\nexport const pageScript = () => readFile(${JSON.stringify(view)}, 'utf8')\n`,
  )
  await build({
    entryPoints: [fileURLToPath(new URL('./report-process.ts', import.meta.url))],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    alias: { '#report-script': stub },
    conditions: ['@cotangent/source'],
    external: ['gpu.js', 'webgpu', 'gl'],
    logLevel: 'error',
  })
  const place = join(folder, 'killed')
  mkdirSync(place)
  const file = join(place, 'run.html')
  const epochs: number[] = []
  let absent = 0
  for (let i = 0; i < kills; i++) {
    rmSync(file, { force: true })
    const child = spawn(process.execPath, [program, file], { stdio: ['ignore', 'pipe', 'inherit'] })
    running.add(child)
    // Every other one is killed around its first write, the others after many.
    const early = i % 2 === 0
    let said = ''
    while (!said.includes(early ? 'begins' : 'written')) said += String((await once(child.stdout, 'data'))[0])
    await wait(Math.random() * (early ? 30 : 400))
    child.kill('SIGKILL')
    await once(child, 'exit')
    running.delete(child)
    const names = readdirSync(place)
    // At most the file that was being written is left, and the next run removes it.
    expect(names.filter((name) => name.endsWith('.tmp')).length).toBeLessThanOrEqual(1)
    if (!names.includes('run.html')) {
      expect(said).not.toContain('written')
      absent++
      continue
    }
    const text = readFileSync(file, 'utf8')
    expect(text.endsWith('</html>\n')).toBe(true)
    const record = readRecord(text)
    expect(record.state).toBe('running')
    epochs.push(record.training.epochs.length)
  }
  console.log(`${kills} kills: ${absent} before the first page, then after ${epochs.sort((a, b) => a - b).join(', ')} epochs`)
  expect(absent).toBeLessThanOrEqual(Math.ceil(kills / 2))
  await small().fit(x, y, { verbose: 0, callbacks: [report({ file })] })
  expect(readdirSync(place)).toEqual(['run.html'])
})

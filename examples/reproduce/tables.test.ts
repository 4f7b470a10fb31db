/** The pages have what the committed results make of them; and the rules by which the tables are made. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { wellFormed } from '../test/xml.js'
import { bandSvg } from './band.js'
import { madeFiles, outdated, partsOf, withParts } from './pages.js'
import { type Planned, planned } from './plan.js'
import { allResults, committed, fileOf, isMissing, otherPictures, type Result, readResult, resultsOf, writeResult } from './results.js'
import { documentTable, hashTable, ours, remarks, runTable, unexplained, verdictOf, weatherTable } from './tables.js'

const plan = planned.find(({ id }) => id === 'mnist-mlp') as Planned

const result = (seed: number, value: number, changes: Partial<Result> = {}): Result => ({
  format: 'cotangent-result',
  version: 1,
  id: plan.id,
  document: plan.document,
  seed,
  settings: plan.settings,
  reported: plan.reported,
  result: { metric: 'test error %', value },
  best: { epoch: 7, name: 'val_acc', value: 0.98231 },
  epochs: 10,
  batchSize: 200,
  data: { name: 'MNIST', source: 'a folder', train: 60000, test: 10000, sha256: 'd'.repeat(64) },
  history: { loss: Array(10).fill(0.5) },
  secondsPerEpoch: seed + 0.25,
  seconds: 20,
  weights: `${seed}`.repeat(64),
  machine: { cpu: 'Some CPU', cores: 2, threads: 2, platform: 'linux x64', load: 1, peakMemoryBytes: 1e8 },
  versions: { cotangent: '0.1.0', node: 'v20.1.0' },
  date: '2026-01-01T00:00:00.000Z',
  command: `npm run reproduce -- --certify ${plan.id} --seed ${seed}`,
  ...changes,
})
const three = [result(1, 1.9), result(2, 1.71), result(3, 1.85)]

describe('the committed results', () => {
  test('are what the pages in docs/ show: npm run reproduce -- --tables makes them anew', async () => {
    expect(outdated(await madeFiles(allResults(committed)))).toEqual([])
  })
  test('have a reason in plan.ts where they are outside the band of their document', () => {
    expect(unexplained(allResults(committed))).toEqual([])
  })
  test('are all whole, of the settings of today, without a path or a host, and of runs with all data', () => {
    const folders = existsSync(committed) ? readdirSync(committed) : []
    for (const id of folders) {
      const own = planned.find((each) => each.id === id) as Planned
      const results = resultsOf(committed, own)
      const drawn = results.flatMap(({ pictures = {} }) => Object.keys(pictures))
      expect(results.flatMap((each) => otherPictures(committed, each))).toEqual([])
      for (const name of readdirSync(join(committed, id))) {
        if (drawn.includes(name)) continue
        const seed = Number(/^seed-(\d+)\.json$/.exec(name)?.[1])
        const found = readResult(committed, own, seed)
        if (isMissing(found)) throw new Error(`${id}, seed ${seed}: ${found.missing}`)
        expect(readFileSync(join(committed, id, name), 'utf8')).not.toMatch(/"(\/|~|[A-Z]:\\)|\/(home|root|tmp|work|Users)\//)
        expect(found.data).not.toHaveProperty('partial')
        // Images and curves belong into reports; a row of a map is a list of figures.
        for (const section of found.sections ?? []) {
          expect(['confusion', 'table', 'text', 'heat']).toContain(section.kind)
          if (section.kind === 'heat') expect(section.values).toHaveLength(1)
          expect(Object.keys(section)).not.toEqual(expect.arrayContaining([expect.stringMatching(/images|samples/)]))
        }
        expect(statSync(join(committed, id, name)).size).toBeLessThan(50_000)
        expect(found.quick).toMatch(/^[\da-f]{64}$/)
        expect([found.epochs, found.batchSize]).toEqual([own.settings.epochs ?? found.epochs, own.settings.batchSize ?? found.batchSize])
      }
    }
  })
})

describe('a table', () => {
  test('says that nothing has run', () => {
    const none = new Map<string, Result[]>()
    expect(documentTable('000', none).match(/not run yet/g)).toHaveLength(4)
    expect(runTable(none).match(/not run yet/g)).toHaveLength(planned.length)
    expect(hashTable(none)).toBe('not run yet')
    expect(remarks('000', none)).toBe('')
  })
  test('has the median and the range of the seeds, the best epoch and the hash of the first', () => {
    const results = new Map([[plan.id, three]])
    expect(documentTable('000', results)).toContain('| test error | 1.79 % | 1.85 % (1.71 % – 1.90 %) | inside | 8 of 10: 0.9823 |')
    expect(runTable(results)).toContain('| `mnist-mlp` | MNIST: 60,000 to train, 10,000 to test | 10 | 2.3 s | A | `111111111111` |')
    const beside = new Map([[plan.id, three.map((each) => ({ ...each, machine: { ...each.machine, load: 5 } }))]])
    expect(runTable(beside)).toContain('| 2.3 s, busy | A |')
    expect(hashTable(results)).toContain(
      `| \`npm run reproduce -- --certify mnist-mlp --seed 1\` | \`${'1'.repeat(64)}\` | \`dddddddddddd\` |`,
    )
  })
  test('shows one seed as one seed', () => {
    expect(ours([result(2, 3.1)])).toBe('3.10 % (seed 2)')
    expect(verdictOf(plan, [result(2, 3.1)])).toEqual({ kind: 'none', says: 'one seed' })
  })
})

describe('the band', () => {
  test('is drawn with the seeds, where there is something to compare', async () => {
    const svg = (await bandSvg('000', new Map([[plan.id, three]]))) ?? ''
    expect(wellFormed(svg)).toBe(true)
    expect(svg.match(/<circle /g)).toHaveLength(4) // one in the legend
    expect(svg).not.toMatch(/NaN|Infinity|undefined/)
    for (const shown of ['1.60 %', '1.79 %', '1.98 %']) expect(svg).toContain(`>${shown}<`)
    expect(await bandSvg('000', new Map())).toBeUndefined()
    expect(await bandSvg('001', new Map([[plan.id, three]]))).toBeUndefined()
    // A seed that is the document's figure has no range.
    expect(await bandSvg('000', new Map([[plan.id, [result(1, 1.79)]]]))).not.toMatch(/NaN|Infinity/)
  })
  test.each([
    [[1.7, 1.85, 1.9], 'inside'], // 0.06 away, range 0.2
    [[1.9, 1.95, 2], 'outside'], // 0.16 away, range 0.1
    [[1.89, 1.94, 2.04], 'inside'], // 0.15 away, range 0.15: the edge belongs to it
    [[1.6, 1.6, 1.61], 'outside'], // better than the document is outside, too
  ])('of 1.79 with seeds at %j: %s', (values, kind) => {
    expect(
      verdictOf(
        plan,
        values.map((value, i) => result(i + 1, value)),
      ).kind,
    ).toBe(kind)
  })
  test('compares nothing where the data are others, or where the document has no figure', () => {
    const other = three.map((each) => ({ ...each, data: { ...each.data, departures: ['hourly rows'] } }))
    expect(verdictOf(plan, other).says).toBe('other data')
    expect(verdictOf({ ...plan, reported: { metric: 'val MAE' } }, three).says).toBe('')
  })
  test('outside of it a reason is asked for', () => {
    const outside = new Map([[plan.id, [result(1, 2.4), result(2, 2.45), result(3, 2.5)]]])
    expect(unexplained(outside)).toEqual([plan.id])
    expect(remarks('000', outside)).toContain('- `mnist-mlp`: Outside the band. We know no reason.')
  })
})

describe('the picture of a document', () => {
  const id = 'mnist-cnn-confusion'
  // As a training of one epoch keeps it. Nothing was read as 8.
  const counts = Array.from({ length: 10 }, (_, t) => Array.from({ length: 10 }, (_, p) => (p === 8 ? 0 : t === p ? 900 + t : 7 * t + p)))
  const labels = counts.map((_, digit) => String(digit))
  const sections: Result['sections'] = [
    { kind: 'text', title: 'Before', text: 'it' },
    { kind: 'confusion', title: 'Confusion matrix', labels, counts },
  ]
  const shortRun = (changes: Partial<Result> = {}): Result => result(2, 0.98, { id, document: '001', epochs: 1, sections, ...changes })
  const drawnFrom = async (results: Map<string, Result[]>, document: string) => ({
    page: partsOf(results).get(`picture ${document}`),
    svg: (await madeFiles(results)).get(`docs/documents/${document}.svg`),
  })

  test('is the confusion matrix of a result of one epoch: each count stands in the cell of its row and column', async () => {
    const { page, svg = '' } = await drawnFrom(new Map([[id, [shortRun()]]]), '001')
    expect(page).toMatch(
      /\n\n!\[Confusion matrix of mnist-cnn-confusion: [^\]]*\]\(001\.svg\)\n\nThe confusion matrix of the [\d,]+ test images, of `mnist-cnn-confusion`, seed 2\.$/,
    )
    expect(wellFormed(svg)).toBe(true)
    expect(svg).not.toMatch(/NaN|Infinity|undefined|⚠/)
    const numbers = /class="counts"[^>]*>(.*?)<\/g>/s.exec(svg)?.[1] ?? ''
    const cells = [...numbers.matchAll(/translate\(([\d.]+),([\d.]+)\)">([\d,]+)</g)].map(([, x, y, n]) =>
      [x, y, n.replace(',', '')].map(Number),
    )
    const [columns, rows] = [0, 1].map((axis) => [...new Set(cells.map((cell) => cell[axis]))].sort((a, b) => a - b))
    expect([columns.length, rows.length]).toEqual([9, 10])
    const seen = counts.map((row) => row.map(() => 0))
    for (const [x, y, n] of cells) seen[rows.indexOf(y)][columns.indexOf(x) + (columns.indexOf(x) < 8 ? 0 : 1)] = n
    expect(seen).toEqual(counts)
    const right = counts.reduce((sum, row, t) => sum + row[t], 0)
    expect(svg).toContain(
      `>${right.toLocaleString('en-US')} of ${counts
        .flat()
        .reduce((a, b) => a + b, 0)
        .toLocaleString('en-US')} are read right<`,
    )
  })
  test('is that of the first result that can be drawn, and the same each time', async () => {
    const results = new Map([[id, [shortRun({ seed: 1, sections: undefined }), shortRun()]]])
    const { page, svg } = await drawnFrom(results, '001')
    expect(page).toContain('seed 2')
    expect((await drawnFrom(results, '001')).svg).toBe(svg)
    const without = await drawnFrom(new Map([[id, [shortRun({ sections: undefined })]]]), '001')
    expect(without.page).not.toContain('001.svg')
    expect(without.svg).toBeUndefined()
    expect((await drawnFrom(new Map(), '001')).page).toBe('Pictures are drawn when there are results.')
  })
  test('of several epochs is their curves, even if the result has a matrix', async () => {
    const { page, svg } = await drawnFrom(new Map([[plan.id, [result(1, 1.8, { sections })]]]), '000')
    expect(page).toContain('Accuracy and loss of `mnist-mlp`, seed 1.')
    expect(svg).toContain('>model loss<')
  })
})

test('a page keeps its prose; only what stands between the marks is made', () => {
  const page = 'Before\n\n<!-- made: a -->\nold | 3\n<!-- end -->\n\nBetween <!-- made: b -->\n<!-- end -->\nafter\n'
  const once = withParts(
    page,
    new Map([
      ['a', 'new $1 $&'],
      ['b', ''],
    ]),
  )
  expect(once).toBe('Before\n\n<!-- made: a -->\n\nnew $1 $&\n\n<!-- end -->\n\nBetween <!-- made: b -->\n<!-- end -->\nafter\n')
  expect(
    withParts(
      once,
      new Map([
        ['a', 'new $1 $&'],
        ['b', ''],
      ]),
    ),
  ).toBe(once)
  expect(() => withParts('<!-- made: c -->\n<!-- end -->', new Map())).toThrow('There is no part "c"')
})

describe('a file of a result', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'cotangent-results-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const put = (seed: number, text: string): void => {
    const path = fileOf(folder, plan.id, seed)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }

  test('counts if it is whole and of the settings of today', () => {
    const whole = result(1, 1.8)
    put(1, JSON.stringify(whole))
    expect(readResult(folder, plan, 1)).toEqual(whole)
  })
  test.each([
    ['half', JSON.stringify(result(2, 1.8)).slice(0, 400), 'damaged: no JSON'],
    ['empty', '', 'damaged: no JSON'],
    ['null', 'null', 'damaged, or of another version of the format'],
    ['of another format', JSON.stringify({ ...result(2, 1.8), version: 2 }), 'damaged, or of another version of the format'],
    ['of another seed', JSON.stringify(result(3, 1.8)), 'damaged, or of another version of the format'],
    ['without its weights', JSON.stringify({ ...result(2, 1.8), weights: undefined }), 'damaged, or of another version of the format'],
    ['of a diverged run', JSON.stringify(result(2, Number.NaN)), 'damaged, or of another version of the format'],
    ['of fewer epochs', JSON.stringify(result(2, 1.8, { settings: { ...plan.settings, epochs: 5 } })), 'stale: epochs was 5, is 10'],
    ['of an option that is gone', JSON.stringify(result(2, 1.8, { settings: { ...plan.settings, x: 5 } })), 'stale: x was 5, is undefined'],
  ])('%s does not count', (_, text, missing) => {
    put(2, text)
    expect(readResult(folder, plan, 2)).toEqual({ missing })
    expect(resultsOf(folder, plan).map(({ seed }) => seed)).toEqual([1])
  })
  test('has its pictures beside it, and tells one that is gone or another', async () => {
    const path = fileOf(folder, plan.id, 7)
    await writeResult(path, result(7, 1.8), { 'a.svg': '<svg>a</svg>', 'b.svg': '<svg>ä</svg>' })
    const found = readResult(folder, plan, 7) as Result
    expect(readFileSync(join(dirname(path), 'b.svg'), 'utf8')).toBe('<svg>ä</svg>')
    expect(otherPictures(folder, found)).toEqual([])
    writeFileSync(join(dirname(path), 'a.svg'), '<svg>b</svg>')
    rmSync(join(dirname(path), 'b.svg'))
    expect(otherPictures(folder, found)).toEqual(['a.svg', 'b.svg'].map((name) => join(dirname(path), name)))
    rmSync(path)
    await writeResult(path, result(7, 1.8))
    expect(readResult(folder, plan, 7)).toEqual(result(7, 1.8))
    rmSync(path)
  })
  test('that is not there has not run', () => expect(readResult(folder, plan, 9)).toEqual({ missing: 'not run yet' }))
})

test('the weather has a table of its own, with medians; a remark on several experiments stands once', () => {
  const forecasts = planned.filter(({ id }) => id === 'jena-lstm' || id === 'jena-dense')
  const run = (seed: number, value: number): Result =>
    result(seed, value, {
      result: { metric: 'val MAE', value },
      also: { degreesCelsius: 8 * value, naive: 0.25, naiveDegreesCelsius: 2, ofLastBatch: value / 2 },
      data: { name: 'Jena weather', source: 'a file', train: 3333, departures: ['hourly rows'] },
    })
  const results = new Map(forecasts.map(({ id }) => [id, [run(1, 0.5), run(2, 0.4), run(3, 0.6)]]))
  expect(weatherTable(results)).toContain('| `jena-lstm` | 0.5000 | 4.00 | 0.2500 | 2.00 | 0.2500 | 0.5119 |')
  expect(remarks('002', results).split('\n')).toEqual([
    expect.stringMatching(/^- `jena-dense`, `jena-lstm`: the document's figure – one batch's/),
    '- `jena-dense`, `jena-lstm`: data – hourly rows.',
  ])
  expect(weatherTable(new Map())).toBe('not run yet')
})

/** The parts of the examples' pages, from results made up here; and that nobody types a figure of a run beside them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Section } from '@cotangent/layers/report'
import { describe, expect, test } from 'vitest'
import { examplePages, exampleParts } from './examples.js'
import { partsOf } from './pages.js'
import { type Result, root } from './results.js'

const made = (id: string, seed: number, value: number, changes: Partial<Result> = {}): Result => ({
  format: 'cotangent-result',
  version: 1,
  id,
  seed,
  settings: {},
  result: { metric: 'accuracy', value },
  epochs: 2,
  batchSize: 32,
  data: { name: 'some', source: 'a folder', train: 100, test: 10_000 },
  secondsPerEpoch: 10 + seed,
  seconds: 30,
  weights: 'a'.repeat(64),
  machine: { cpu: 'Some CPU', cores: 2, threads: 2, platform: 'linux x64', load: 1, peakMemoryBytes: 1e8 },
  versions: { cotangent: '0.1.0', node: 'v20.1.0' },
  date: '2026-01-01T00:00:00.000Z',
  command: '',
  ...changes,
})
const part = (name: string, ...runs: readonly Result[]): string => {
  const ids = [...new Set(runs.map(({ id }) => id))]
  const results = new Map(ids.map((id) => [id, runs.filter((run) => run.id === id)]))
  return new Map(exampleParts(results)).get(name) ?? ''
}

describe('a part', () => {
  test.each(exampleParts(new Map()).map(([name]) => name))('%s says that nothing has run, and how to run it', (name) => {
    const id = /^\w+ ([\w-]+)/.exec(name)?.[1]
    expect(part(name)).toMatch(new RegExp(`Not run yet: \`npm run reproduce -- --only ${id}(,gpt-core)?\`$`))
  })

  test('of the GPT has both ways, a gap where one has not run, and the median of several seeds', () => {
    const run = (id: string, seed: number, value: number): Result => made(id, seed, value, { also: { steps: 2000, secondsPerStep: 0.05 } })
    const text = part('figures gpt', run('gpt', 1, 1.75), run('gpt', 2, 1.7), run('gpt', 3, 1.8), run('gpt-core', 1, 1.76))
    expect(text.split('\n')).toEqual(
      expect.arrayContaining(['| 1 | 1.750 | 1.760 |', '| 2 | 1.700 | not run yet |', '| median | 1.750 |  |']),
    )
    expect(text).toContain('A step in layers took 50 ms (50 ms – 50 ms): Some CPU, 2 cores, 2 threads, linux x64, Node 20.1.0.')
    expect(part('figures gpt', run('gpt', 1, 1.75))).not.toContain('median')
  })
  test('of what the GPT wrote is a block that its text cannot end', () => {
    const sections: Section[] = [{ kind: 'text', title: 'What it writes after 2000 steps', text: 'ROMEO:\n```\n| a' }]
    expect(part('text gpt', made('gpt', 1, 1.7, { sections, also: { steps: 2000 } }))).toBe(
      "After 2,000 steps, with seed 1:\n\n```text\nROMEO:\n'''\n| a\n```",
    )
    expect(part('text gpt', made('gpt', 2, 1.7))).toBe('Seed 2 kept no text.')
  })

  test('of the reviews has the epochs and the words that decide', () => {
    const row = (title: string, values: number[]): Section => ({
      kind: 'heat',
      title,
      rows: { label: '', names: [''] },
      columns: { label: 'word', names: ['the', 'flat', 'fine'] },
      values: [values],
    })
    const sections = [
      row('What the words get of the attention', [0.3, 0.4, 0.3]),
      row('What each word says: above 0 for a good review', [0.01, -1.5, 0.5]),
    ]
    const run = made('transformer-imdb', 1, 0.875, { history: { val_accuracy: [0.87, 0.875] }, sections })
    expect(part('words transformer-imdb', run)).toBe(
      'With seed 1 these words change log p(good)/p(bad) most: `flat` −1.50, `fine` +0.50, `the` +0.01. A word gets from 0.90 to 1.20 times an even share of the attention.',
    )
    expect(part('figures transformer-imdb', run)).toContain('| 1 | 0.8700 | 0.8750 |\n\nAn epoch took 11.0 s: Some CPU')
  })

  test('of the transfer has a row for each number of images, with medians over the seeds', () => {
    const run = (seed: number, by: number): Result =>
      made('transfer', seed, 0.99, {
        also: { digits0To4: 0.995 },
        sections: [
          { kind: 'table', title: 't', columns: [], rows: [10, 100, 1000, 5881].map((each, i) => [each, 0.8 + by, i + by, 0.7, 2 * i]) },
        ],
      })
    const text = part('figures transfer', run(1, 0), run(2, 0.1), run(3, 0.05))
    expect(text).toContain('| 10 | 30 | 85.00 % (80.00 % – 90.00 %) | 0.1 s | 70.00 % (70.00 % – 70.00 %) | 0.0 s |')
    expect(text).toContain('| all, about 5,881 | 1 | ')
    expect(part('figures transfer', run(1, 0), made('transfer', 2, 0.99))).toContain('Seed 1: the median. ')
    expect(part('figures transfer', made('transfer', 2, 0.99))).toBe('`transfer` kept no table.')
    expect(text).toContain(
      'Seeds 1, 2, 3: the median and the range. The first network reads 99.50 % (99.50 % – 99.50 %) of the digits 0 to 4 right.',
    )
  })

  test('of the changed clothes counts what changes are worth, both ways', () => {
    const run = (seed: number, value: number): Result =>
      made('augment', seed, value, {
        history: { accuracy: [0.8, 0.95], val_accuracy: [0.7, 0.85] },
        also: { testAccuracyWithoutChanges: 0.84, trainingAccuracyWithoutChanges: 0.99, accuracyOfOthersWithoutChanges: 0.845 },
      })
    const text = part('figures augment', run(1, 0.8451), run(2, 0.839))
    expect(text).toContain('| 1 | as they are | 0.9900 | 0.8450 | 0.8400 |\n|  | changed | 0.9500 | 0.8500 | 0.8451 |')
    expect(text).toContain('| median | as they are |')
    expect(text).toContain('Test pictures that changes gain, of 10,000: +51 (seed 1), −10 (seed 2).')
  })

  test('of the autoencoder and of the GAN has the first and the last epoch; a busy machine is told', () => {
    const vae = made('vae', 1, 153.26, {
      history: { loss: [201.5, 153.2], reconstruction: [190, 146.9], kl: [11.5, 6.3] },
      machine: { cpu: 'Some CPU', cores: 2, threads: 1, platform: 'linux x64', load: 9, peakMemoryBytes: 1 },
    })
    expect(part('figures vae', vae)).toContain('| 1 | 201.5 | 153.2 | 146.9 | 6.3 | 153.3 |')
    expect(part('figures vae', vae)).toMatch(/1 thread, .*Other programs ran at the same time, so it took longer than it has to\.$/)
    const counts = [5, 5, 5, 5, 5, 5, 5, 5, 0, 10]
    const gan = made('gan', 1, 0.5, {
      history: { discriminator: [0.6, 0.5], generator: [1, 1], right: [0.7, 0.8] },
      also: { realDigits: 0.93 },
      sections: [{ kind: 'table', title: 't', columns: [], rows: counts.map((count, digit) => [String(digit), count, 9]) }],
    })
    expect(part('figures gan', gan)).toContain('| 1 | 0.600 | 0.500 | 70 % | 80 % |')
    expect(part('quality gan', gan)).toContain('| 1 | 50.0 % | 93.0 % | 0.0 % | 20.0 % |')
  })

  test('of a picture shows the file that the run drew', () => {
    const runs = [made('vae', 1, 150, { pictures: { 'codes.svg': 'a'.repeat(64) } }), made('vae', 2, 150)]
    expect(part('picture vae codes', ...runs)).toMatch(/^!\[[^\]]+\]\(\.\.\/results\/vae\/codes\.svg\)\n\nDrawn by the run of seed 1\.$/)
    expect(part('picture vae codes', runs[1])).toContain('Not run yet')
  })
})

test('every part stands on a page', () => {
  const pages = ['docs/results.md', ...readdirSync(join(root, 'docs/documents')).map((name) => `docs/documents/${name}`), ...examplePages]
  const text = pages.map((page) => readFileSync(join(root, page), 'utf8')).join('\n')
  for (const name of partsOf(new Map()).keys()) expect(text).toContain(`<!-- made: ${name} -->`)
})

/** Seconds, machines, and accuracies with four digits or in hundredths of a per cent are measured: prose has none of them. A factor before a dot is computed by hand. */
const measured = /\b\d[\d.]* (ms|s|seconds|min)\b|EPYC|\b0\.[1-9]\d{3}\b(?! ·)|\b\d+\.\d\d %/g
test.each([...examplePages, 'examples/README.md', 'README.md', 'docs/features.md', 'docs/results.md'])(
  '%s has no figure of a run that is typed',
  (page) => {
    const prose = readFileSync(join(root, page), 'utf8')
      .replaceAll(/<!-- made: [\s\S]*?<!-- end -->/g, '')
      .replaceAll(/```[\s\S]*?```/g, '')
    expect(prose.match(measured) ?? []).toEqual([])
  },
)

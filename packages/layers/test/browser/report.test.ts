/**
 * Report files in Chromium, opened from the disk: what a person sees, at the width of a phone and of a desk, in light and dark; what the keyboard and the buttons do; what axe says;
 * that hostile records leave the page whole; that an open page follows a run. And a report in a page that trains.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launch } from '../../../core/test/browser/browsers.js'
import { openSite, withoutChromium } from '../../../core/test/browser/harness.js'
import { dense, Sequential } from '../../src/index.js'
import { compareReports, report } from '../../src/node/index.js'
import { pageOf } from '../../src/report/page.js'
import type { RunRecord } from '../../src/report/record.js'
import { pageScript } from '../../src/report/view/build.js'
import { fixture, sheet } from '../report/fixture.js'

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
/** Events of a page may be late on a busy machine. */
const patient = { timeout: 60_000 }

interface Violation {
  id: string
  nodes: { html: string; failureSummary?: string }[]
}

describe.skipIf(withoutChromium)(`reports in Chromium${withoutChromium}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'cotangent-pages-'))
  let browser: Browser
  let script: string
  beforeAll(async () => {
    browser = await launch('chromium')
    script = await pageScript()
  })
  afterAll(async () => {
    await browser?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Opens a file, and afterwards compares what the page said and asked for. */
  async function opened(
    file: string,
    options: BrowserContextOptions,
    work: (page: Page) => Promise<void>,
    said: unknown[] = [],
  ): Promise<void> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
    const page = await context.newPage()
    const heard: string[] = []
    const asked: string[] = []
    page.on('console', (message) => heard.push(message.text()))
    page.on('pageerror', (error) => heard.push(`uncaught: ${error.message}`))
    page.on('request', (request) => asked.push(request.url()))
    const url = pathToFileURL(file).href
    await page.goto(url)
    await work(page)
    expect(heard).toEqual(said)
    expect(asked.filter((each) => !/^(data|blob):/.test(each) && each.split('?')[0] !== url)).toEqual([])
    await context.close()
  }

  function written(record: unknown, name = 'page.html'): string {
    const file = join(folder, name)
    writeFileSync(file, pageOf(record as RunRecord, script))
    return file
  }

  async function violations(page: Page): Promise<string[]> {
    await page.evaluate(readFileSync(axe, 'utf8'))
    const found = await page.evaluate(() => (globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } }).axe.run())
    return found.violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('\n')}`,
    )
  }
  /** Text that runs out of the window. */
  const overflow = (page: Page): Promise<number> =>
    page.evaluate(() => {
      const { document, innerWidth } = globalThis as unknown as {
        document: { documentElement: { scrollWidth: number } }
        innerWidth: number
      }
      return document.documentElement.scrollWidth - innerWidth
    })

  test.each([
    [390, 'light'],
    [390, 'dark'],
    [1280, 'light'],
    [1280, 'dark'],
  ] as const)('all kinds of sections, %i pixels wide, %s: axe finds nothing, nothing runs out of the page', (width, colorScheme) =>
    opened(written(fixture()), { viewport: { width, height: 900 }, colorScheme }, async (page) => {
      await page.locator('figure svg[role=img]').first().waitFor()
      expect(await page.locator('main').getAttribute('data-theme')).toBe(colorScheme)
      // Each plot says in a sentence what it shows, and has its numbers, SVG and PNG.
      const figures = await page.locator('figure').all()
      expect(figures.length).toBe(10)
      for (const each of figures) {
        expect(await each.locator('svg[aria-label]').last().getAttribute('aria-label')).toMatch(/^.{20,}\.$/s)
        expect(await each.locator('summary', { hasText: 'Numbers' }).count()).toBe(1)
        expect(await each.getByRole('button', { name: /^(SVG|PNG): save/ }).count()).toBe(2)
      }
      // The first numbers are those of the network, then those of the loss.
      for (const nth of [0, 1]) await page.locator('summary').nth(nth).click()
      await expect.poll(() => page.locator('details tbody tr').count(), patient).toBe(26)
      expect(await violations(page)).toEqual([])
      expect(await overflow(page)).toBe(0)
    }),
  )

  test('what the page shows is the record', () =>
    opened(written(fixture()), {}, async (page) => {
      const text = (await page.locator('main').textContent()) ?? ''
      const record = fixture()
      for (const { name, value } of record.facts) expect(text).toContain(name + value)
      for (const remark of record.remarks) expect(text).toContain(remark)
      for (const { title } of record.sections) expect(text).toContain(title)
      await page.locator('figure', { hasText: 'accuracy' }).first().locator('summary').click()
      const table = page.locator('figure', { hasText: 'accuracy' }).first().locator('tbody tr')
      await expect.poll(() => table.count(), patient).toBe(20)
      expect((await table.last().locator('td').allTextContents()).map(Number)).toEqual(
        [record.training.history.accuracy, record.training.history.val_accuracy].map((values) =>
          Number((values.at(-1) as number).toPrecision(4)),
        ),
      )
      // The picture of the network has a box for each layer and a line for each thing that a layer reads.
      const network = page.locator('figure', { has: page.locator('marker') })
      expect(await network.locator('svg rect').count()).toBe(6)
      expect(await network.locator('svg path[marker-end]').count()).toBe(6)
    }))

  test('a click and the keyboard open the misread samples of a cell', () =>
    opened(written(fixture()), {}, async (page) => {
      const matrix = page.locator('figure', { hasText: 'Confusion matrix' })
      const { counts, samples = [] } = fixture().sections[0] as Extract<RunRecord['sections'][number], { kind: 'confusion' }>
      const [{ truth, predicted }] = samples
      const cell = matrix.locator(`rect[aria-label^="${truth} read as ${predicted}: ${counts[truth][predicted]} of"]`)
      await cell.click()
      const there = samples.filter((sample) => sample.truth === truth && sample.predicted === predicted).length
      expect(await matrix.locator('[role=status] canvas').count()).toBe(there)
      // One cell is reached by Tab; arrows go on from there.
      expect(await matrix.locator('rect[tabindex="0"]').count()).toBe(1)
      await cell.focus()
      await page.keyboard.press('ArrowDown')
      await page.keyboard.press('Enter')
      expect(await matrix.locator('[role=status]').textContent()).toContain(`${truth + 1} read `)
      // The images are drawn: the ring of a digit is dark on white paper.
      await cell.press('Enter')
      const pixels = await matrix
        .locator('[role=status] canvas')
        .first()
        .evaluate((canvas) => {
          const { width, height, getContext } = canvas as unknown as {
            width: number
            height: number
            getContext(kind: string): { getImageData(...at: number[]): { data: ArrayLike<number> } }
          }
          return Array.from(getContext.call(canvas, '2d').getImageData(0, 0, width, height).data).filter((_, i) => i % 4 === 0)
        })
      expect(pixels).toHaveLength(28 * 28)
      expect(Math.min(...pixels)).toBeLessThan(20)
      expect(Math.max(...pixels)).toBe(255)
    }))

  test('smoothing and the logarithmic axis change the curves; the switch changes the colours', () =>
    opened(written(fixture()), { colorScheme: 'light' }, async (page) => {
      const curve = page.locator('figure', { hasText: 'loss' }).first().locator('svg[role=img] path').last()
      const plot = page.locator('figure', { hasText: 'loss' }).first().locator('svg[role=img]')
      const before = await plot.innerHTML()
      await page.getByRole('slider', { name: /Smoothing/ }).fill('0.9')
      const smooth = await plot.innerHTML()
      expect(smooth).not.toBe(before)
      await page.getByRole('checkbox', { name: 'Logarithmic axis' }).first().check()
      expect(await plot.innerHTML()).not.toBe(smooth)
      await page.getByRole('checkbox', { name: 'Logarithmic axis' }).first().uncheck()
      await page.getByRole('slider', { name: /Smoothing/ }).fill('0')
      expect(await plot.innerHTML()).toBe(before)
      expect(await curve.count()).toBe(1)
      await page.getByRole('button', { name: 'Light or dark' }).click()
      expect(await page.locator('main').getAttribute('data-theme')).toBe('dark')
      expect(await plot.innerHTML()).not.toBe(before)
    }))

  test('plots are saved as SVG and PNG, tables as CSV, the record as JSON', () =>
    opened(written(fixture()), {}, async (page) => {
      async function saved(name: RegExp, nth = 0): Promise<{ name: string; bytes: Buffer }> {
        const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).nth(nth).click()])
        return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) }
      }
      const svg = await saved(/^SVG: save the picture “loss”/)
      expect(svg.name).toBe('mnist-mlp-seed-1-loss.svg')
      const text = svg.bytes.toString()
      expect(text).toMatch(/^<svg[^>]+xmlns="http:\/\/www\.w3\.org\/2000\/svg"/)
      expect(text).toContain('<title>loss after 20 epochs')
      expect(text).toContain('>validation</text>')
      for (const title of [
        'loss',
        'Confusion matrix',
        'Digits of the data',
        'Activations',
        'Layers',
        'Weights of the first layer',
        'Most confidently wrong',
      ]) {
        const { bytes } = await saved(new RegExp(`^PNG: save the picture “${title}”`))
        expect(bytes.subarray(1, 4).toString()).toBe('PNG')
        const width = bytes.readUInt32BE(16)
        expect(width).toBeGreaterThan(200)
        // A picture with something on it has more bytes than an empty one.
        expect(bytes.length).toBeGreaterThan(3000)
      }
      await page.locator('figure', { hasText: 'Confusion matrix' }).locator('summary').click()
      const csv = await saved(/^CSV: save the table “Confusion matrix”/)
      const rows = csv.bytes.toString().replace('\ufeff', '').split('\r\n')
      expect(rows).toHaveLength(11)
      expect(rows[1].split(',').slice(1).map(Number)).toEqual((fixture().sections[0] as { counts: number[][] }).counts[0])
      const json = await saved(/Save the record/)
      expect(JSON.parse(json.bytes.toString())).toEqual(JSON.parse(JSON.stringify(fixture())))
    }))

  test('hostile records: names with tags, 1,000 epochs, 200 layers, nothing finite, parts that are damaged', async () => {
    const evil = '</script><script>globalThis.hacked = 1</script><img src=x onerror="globalThis.hacked = 2">'
    const record = fixture({ epochs: 1000, title: evil })
    record.facts.push({ name: evil, value: evil })
    record.remarks.push(evil)
    record.training.history[evil] = record.training.history.loss
    record.training.history.nothing = new Array(1000).fill(null)
    const network = record.network as NonNullable<RunRecord['network']>
    network.layers = Array.from({ length: 200 }, (_, i) => ({
      name: i === 7 ? evil : `layer_${i}`,
      type: 'Dense',
      outputShape: '(None, 8)',
      parameters: 72,
      trainable: i % 3 > 0,
      from: i === 0 ? [] : i % 10 === 9 ? [`layer_${i - 1}`, `layer_${i - 5}`] : [i === 8 ? evil : `layer_${i - 1}`],
    }))
    record.training.gradientNorms = Object.fromEntries(
      network.layers.map(({ name }, i) => [name, new Array(1000).fill(i % 4 === 0 ? null : i / 100)]),
    )
    const broken = (section: unknown): void => void record.sections.push(section as never)
    broken({ kind: 'hologram', title: 'Later' })
    broken({ kind: 'confusion', title: 'No counts', labels: ['a'] })
    broken({ kind: 'images', title: 'No bytes', images: { ...sheet(2), bytes: '%%%' } })
    broken({ kind: 'lines', title: 'Empty', x: { label: 'x', values: [] }, y: { label: 'y' }, series: [] })
    broken({ kind: 'heat', title: 'Empty heat', rows: { label: 'r', names: [] }, columns: { label: 'c', names: [] }, values: [] })
    broken({
      kind: 'confusion',
      title: 'Many',
      labels: Array.from({ length: 46 }, (_, i) => `class ${i}`),
      counts: Array.from({ length: 46 }, (_, t) => Array.from({ length: 46 }, (_, p) => (t === p ? 50 : (t * p) % 3))),
    })
    broken({ kind: 'text', title: evil, text: evil })
    await opened(written(record), { viewport: { width: 390, height: 900 } }, async (page) => {
      await page.locator('figure svg[role=img]').first().waitFor()
      expect(await page.evaluate(() => (globalThis as { hacked?: number }).hacked)).toBeUndefined()
      expect(await page.locator('img').count()).toBe(0)
      expect(await page.locator('h1').textContent()).toBe(evil)
      const text = (await page.locator('main').textContent()) ?? ''
      expect(text).toContain('cannot draw a section of the kind “hologram”')
      expect(text).toContain('This section is damaged')
      await expect.poll(() => page.locator('main').textContent(), patient).toContain('This cannot be drawn')
      for (const { title } of record.sections) expect(text).toContain(title)
      expect(
        await page
          .locator('figure', { has: page.locator('marker') })
          .locator('svg rect')
          .count(),
      ).toBe(200)
      await page.locator('summary').nth(1).click()
      await expect.poll(() => page.locator('details tbody tr').count(), patient).toBe(500)
      expect(await overflow(page)).toBe(0)
    })
  })

  test.each<[string, (page: string) => string, string]>([
    ['another version', (page) => page.replace('"version":1', '"version":9'), 'It has version 9 of the format'],
    ['another format', (page) => page.replace('cotangent-run', 'something'), 'It is no record of a run'],
    ['broken JSON', (page) => page.replace('"version":1', '"version":'), 'JSON'],
    ['no training', (page) => page.replace('"training":', '"trained":'), 'cannot be shown'],
  ])('%s: the page says so', (_, change, says) => {
    const file = written(fixture({ epochs: 1 }))
    writeFileSync(file, change(readFileSync(file, 'utf8')))
    return opened(file, {}, async (page) => expect(await page.locator('main').textContent()).toContain(says))
  })

  test('an open page follows a run, keeps what the reader set, and stops at the end', async () => {
    const file = join(folder, 'live.html')
    const net = new Sequential([dense(2, { activation: 'tanh', inputShape: [2] }), dense(1)], { seed: 3 })
    net.compile({ optimizer: 'adam', loss: 'mse' })
    let go: () => void = () => {}
    const gate = (): Promise<void> => new Promise((resolve) => (go = resolve))
    let waiting = gate()
    const run = report({ file, title: 'live' })
    let state: 'waits' | 'runs' = 'runs'
    const training = net.fit(
      [
        [1, 2],
        [2, 1],
      ],
      [[3], [3]],
      {
        epochs: 3,
        verbose: 0,
        callbacks: [
          run,
          {
            async onEpochBegin() {
              // The state before this epoch, which may have been left out since the last one was a moment ago.
              await run.save()
              state = 'waits'
              await waiting
              state = 'runs'
            },
          },
        ],
      },
    )
    const next = (): void => {
      const before = go
      waiting = gate()
      before()
    }
    await expect.poll(() => state, patient).toBe('waits')
    await opened(file, {}, async (page) => {
      const meta = page.locator('header')
      await expect.poll(() => meta.textContent(), patient).toContain('0 of 3 epochs')
      expect(await meta.textContent()).toContain('This page follows the run')
      next()
      await expect.poll(() => meta.textContent(), patient).toContain('1 of 3 epochs')
      await page.getByRole('slider', { name: /Smoothing/ }).fill('0.5')
      await page.locator('figure', { hasText: 'loss' }).first().locator('summary').click()
      next()
      await expect.poll(() => meta.textContent(), patient).toContain('2 of 3 epochs')
      expect(await page.getByRole('slider', { name: /Smoothing/ }).inputValue()).toBe('0.5')
      await expect.poll(() => page.locator('figure', { hasText: 'loss' }).first().locator('tbody tr').count(), patient).toBe(2)
      next()
      await training
      await expect.poll(() => meta.textContent(), patient).toContain('Finished')
      expect(await meta.textContent()).not.toContain('follows')
      await expect.poll(() => page.locator('iframe').count(), patient).toBe(0)
    })
  })

  test('runs side by side: curves over each other, facts that differ, final figures; axe finds nothing', async () => {
    const other = fixture({ epochs: 12, planned: 20, title: 'mnist-mlp, seed 2' })
    other.state = 'stopped'
    other.facts = other.facts.map((fact) => (fact.name === 'Seed' ? { ...fact, value: '2' } : fact))
    const file = join(folder, 'both.html')
    await compareReports([fixture(), other, fixture()], { file, title: 'Three runs' })
    for (const [width, colorScheme] of [
      [390, 'dark'],
      [1280, 'light'],
    ] as const)
      await opened(file, { viewport: { width, height: 900 }, colorScheme }, async (page) => {
        await page.locator('figure svg[role=img]').first().waitFor()
        expect(await page.locator('figure').count()).toBe(4)
        const differ = page.getByRole('region', { name: 'Table: Facts that differ' })
        expect(await differ.locator('tbody th').allTextContents()).toEqual(['State', 'Epochs', 'Seed'])
        expect(await differ.locator('tbody tr').last().locator('td').allTextContents()).toEqual(['1', '2', '1'])
        const finals = page.getByRole('region', { name: 'Table: Final figures' })
        expect(await finals.locator('tbody th').allTextContents()).toEqual([
          'mnist-mlp, seed 1 (1)',
          'mnist-mlp, seed 2',
          'mnist-mlp, seed 1 (3)',
        ])
        // The number of a run stands at the end of its curve, so colours are never alone.
        const loss = page.locator('figure').first()
        expect(await loss.locator('svg[role=img]').textContent()).toMatch(/1.*2.*3/s)
        // The first and the third end at the same place, near zero: their numbers stand one above the other, and not below the axis.
        const height = async (text: string, names: string): Promise<number> => {
          const box = await loss.locator(`svg[role=img] ${names}`).getByText(text, { exact: true }).first().boundingBox()
          return box ? box.y + box.height / 2 : Number.NaN
        }
        const [first, third, zero] = [await height('1', 'g.ends'), await height('3', 'g.ends'), await height('0', 'g')]
        expect(Math.abs(first - third)).toBeGreaterThan(10)
        expect(Math.max(first, third)).toBeLessThanOrEqual(zero + 1)
        // Names of rows stay where a table is scrolled.
        const moved = (table: { scrollLeft: number }): number => {
          table.scrollLeft = 50
          return table.scrollLeft
        }
        const [before] = await finals.locator('tbody th').all()
        const left = (await before.boundingBox())?.x
        if (width === 390) expect(await finals.evaluate(moved as never)).toBe(50)
        expect((await before.boundingBox())?.x).toBe(left)
        expect(await violations(page)).toEqual([])
        expect(await overflow(page)).toBe(0)
      })
  })

  test('a model that trains in a page fills an element of it', async () => {
    const site = await openSite<typeof import('../report/report-page.js')>(new URL('../report/report-page.ts', import.meta.url))
    try {
      const page = await site.open()
      const { texts, plots, refused } = await page.call('train', 4)
      expect(texts[0]).toContain('0 of 4 epochs')
      expect(texts.at(-1)).toContain('Finished4 of 4 epochs')
      // loss, mae, rate, seconds, gradient norms, and the network.
      expect(plots).toBe(6)
      expect(refused).toMatch(/^reportInto: expected an element of the page, got text "#report"/)
      expect(page.said).toEqual([])
      await page.close()
    } finally {
      await site.close()
    }
  })
})

/** The front page: a network is trained, reads what is drawn, and shows its mistakes. */
import type { Page } from 'playwright-core'
import { need } from '../need.js'

/** Digits as a mouse draws them, in shares of the field. */
const DRAWN: Record<string, [number, number][]> = {
  // small and in a corner: size and place must not matter
  1: [
    [0.8, 0.1],
    [0.78, 0.4],
  ],
  7: [
    [0.25, 0.2],
    [0.75, 0.2],
    [0.45, 0.85],
  ],
  0: [0, 1, 2, 3, 4, 5, 6, 7, 8].map((i) => [0.5 + 0.25 * Math.sin((i * Math.PI) / 4), 0.5 - 0.35 * Math.cos((i * Math.PI) / 4)]),
  2: [
    [0.25, 0.3],
    [0.4, 0.18],
    [0.6, 0.2],
    [0.68, 0.35],
    [0.6, 0.5],
    [0.3, 0.82],
    [0.75, 0.82],
  ],
}

async function draw(page: Page, points: readonly [number, number][]): Promise<void> {
  const box = await page.locator('digit-pad .paper').boundingBox()
  if (!box) throw new Error('the field is not there')
  const at = ([x, y]: [number, number]): [number, number] => [box.x + x * box.width, box.y + y * box.height]
  await page.mouse.move(...at(points[0]))
  await page.mouse.down()
  for (const point of points.slice(1)) await page.mouse.move(...at(point), { steps: 8 })
  await page.mouse.up()
}

/** Doors have one height, and cells of the matrix are squares, on a phone and on a desk. */
async function measure(page: Page): Promise<string> {
  const size = page.viewportSize()
  const sizesOf = (selector: string): Promise<{ width: number; height: number }[]> =>
    page.locator(selector).evaluateAll((all) =>
      all.map((each) => {
        const { width, height } = each.getBoundingClientRect()
        return { width, height }
      }),
    )
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: 900 })
    const doors = await sizesOf('.doors > p')
    need(
      doors.length === 3 && doors.every(({ height }) => Math.abs(height - doors[0].height) < 1),
      `doors at ${width} px: ${JSON.stringify(doors)}`,
    )
    const cells = await sizesOf('digit-matrix td button')
    const oblong = cells.find(({ width, height }) => Math.abs(width - height) > 1)
    need(cells.length === 100 && !oblong, `a cell of the matrix at ${width} px: ${JSON.stringify(oblong)}`)
  }
  if (size) await page.setViewportSize(size)
  return 'the doors have one height, the cells of the matrix are squares'
}

export async function walk(page: Page, base: string): Promise<string[]> {
  await page.goto(`${base}index.html`)
  await page.locator('digit-matrix button').first().waitFor()
  const seen = [await measure(page)]
  const { missing } = await page.evaluate(async () => (await fetch('data/digits.json')).json())
  const start = page.locator('train-digits .start')
  await start.click()
  if (missing) {
    await page.getByText('There are no digits here to learn from').waitFor()
    return ['there is no MNIST here, and the page says so']
  }
  await page.waitForFunction(() => document.querySelector('train-digits .numbers')?.textContent?.includes('Epoch'), null, {
    timeout: 30_000,
  })
  // A drawing is read while the network learns.
  await draw(page, DRAWN[1])
  await page.locator('train-digits .bars .best').waitFor()
  seen.push('a drawing is read while the network learns')
  const status = page.locator('train-digits [role=status].good', { hasText: 'Done' })
  await status.waitFor({ timeout: 120_000 })
  const said = (await status.textContent()) ?? ''
  const [, seconds, right, count] = /([\d.]+) s: it reads ([\d,]+) of ([\d,]+)/.exec(said.replaceAll(',', '')) ?? []
  need(Number(right) / Number(count) >= 0.93, `it reads too few digits right: ${said}`)
  seen.push(`in ${seconds} s it learned to read ${right} of ${count} digits`)

  const cells = await page.locator('digit-matrix td button').allTextContents()
  const counts = cells.map((text) => Number(text || 0))
  need(counts.reduce((sum, n) => sum + n, 0) === Number(count), 'the matrix does not hold all test digits')
  need(
    counts.reduce((sum, n, i) => sum + (i % 11 === 0 ? n : 0), 0) === Number(right),
    'the diagonal is not the digits that are read right',
  )

  for (const [digit, points] of Object.entries(DRAWN)) {
    await page.locator('digit-pad button').click()
    await draw(page, points)
    await page
      .locator('train-digits .bars .best', { has: page.locator('span', { hasText: new RegExp(`^${digit}$`) }) })
      .waitFor({ timeout: 5000 })
  }
  seen.push(`drawn with the mouse it reads ${Object.keys(DRAWN).join(', ')}`)

  // With the keyboard: a digit of the test set, and a cell of the matrix by arrows.
  const example = page.locator('train-digits .ten button').nth(3)
  await example.focus()
  await page.keyboard.press('Enter')
  await page.locator('train-digits .bars .best', { has: page.locator('span', { hasText: /^3$/ }) }).waitFor({ timeout: 5000 })
  seen.push('a test digit is read, chosen with the keyboard')
  await measure(page)
  const wrong = counts.findIndex((n, i) => n > 0 && i % 11 !== 0)
  await page.locator('digit-matrix td button').first().focus()
  for (let row = 0; row < Math.floor(wrong / 10); row++) await page.keyboard.press('ArrowDown')
  for (let column = 0; column < wrong % 10; column++) await page.keyboard.press('ArrowRight')
  await page.keyboard.press('Enter')
  await page.locator('train-digits .found button').first().waitFor()
  const tiles = await page.locator('train-digits .found button').count()
  need(tiles === Math.min(18, counts[wrong]), `the cell counts ${counts[wrong]} digits and opens ${tiles}`)
  seen.push(`the cell of ${Math.floor(wrong / 10)} read as ${wrong % 10} opens its ${tiles} digits`)
  return seen
}

/** The kernel lens: five ops are looked at, one is measured, a cell lights what belongs to it, another tile and a wrong loop are checked, and WGSL is shown. */
import type { Page } from 'playwright-core'

const OPS = ['conv2d', 'softmax', 'lstmCell', 'exp', 'sum']

export async function walk(page: Page, base: string): Promise<string[]> {
  const seen: string[] = []
  const text = async (selector: string): Promise<string> => (await page.locator(`kernel-lens ${selector}`).first().innerText()).trim()
  const expect = (found: string, wanted: RegExp, what: string): void => {
    if (!wanted.test(found)) throw new Error(`lens: ${what} says "${found.slice(0, 200)}"`)
    seen.push(`lens: ${what}: ${found.replace(/\s+/g, ' ').slice(0, 110)}`)
  }
  await page.goto(`${base}lens.html#op=matMul&sizes=40,100,80&cell=4,13`)
  await page.locator('kernel-lens .check').waitFor()
  expect(await text('.check'), /✓ 3 200 values/, 'values of the product')
  expect(await text('.rule'), /dY/, 'its rule')
  expect(await text('.lines .lit'), /v\d+ · v\d+ \+ v\d+/, "the cell's instruction")
  const lit = await text('.tile .lit')
  await page.locator('kernel-lens .product input').first().press('ArrowUp')
  await page.waitForFunction((before) => document.querySelector('kernel-lens .tile .lit')?.textContent !== before, lit)
  await page.locator('kernel-lens .lines button[aria-pressed="true"]').focus()
  await page.keyboard.press('ArrowDown')
  expect(await text('.about'), /local\.get/, 'the next statement, by arrow')

  await page.locator('kernel-lens .measure').click()
  await page.locator('kernel-lens .roof svg').first().waitFor({ timeout: 30_000 })
  expect(await text('.ratio'), /\d times/, 'beside a loop')
  await page.locator('kernel-lens .variants .try').click()
  await page.locator('kernel-lens .found').waitFor({ timeout: 30_000 })
  expect(await text('.found'), /Right on \d+ products.*Tile 4 × 8/s, 'another tile')

  await page.locator('kernel-lens .loop textarea').focus()
  await page.locator('kernel-lens .loop .cm-content').fill('export function matMul(c) {\n  c.fill(1)\n}')
  await page.locator('kernel-lens .race').click()
  await page.locator('kernel-lens .loop .error').waitFor({ timeout: 30_000 })
  expect(await text('.loop .error'), /computes something else/, 'a wrong loop')

  for (const op of OPS) {
    await page.goto(`${base}lens.html#op=${op}`)
    await page.reload()
    await page.locator('kernel-lens .check').waitFor({ timeout: 30_000 })
    expect(await text('.check'), /✓/, op)
    expect(await text('.lines'), /\w = /, `${op}'s loop`)
  }
  await page.locator('kernel-lens .translate').click()
  await page.locator('kernel-lens .wgsl').first().waitFor({ state: 'attached', timeout: 30_000 })
  expect((await page.locator('kernel-lens .wgsl').first().textContent()) ?? '', /@compute/, 'WGSL')
  return seen
}

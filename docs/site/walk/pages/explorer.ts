/** The tape explorer: every preset, every step, three ways of going wrong, the reader's own code. */
import type { Page } from 'playwright-core'
import { need } from '../need.js'

/** The element, as far as the walk looks into it. */
interface Explorer extends HTMLElement {
  at: number
  running: boolean
  error?: { message: string; line?: number }
  recorded?: { records: number; value: number; broken: unknown[] }
  step?: { kind: string; record: number; arrives?: Numbers; parts?: { value: Numbers }[] }
  differences?: { arrives?: { error: number; compared: number }; sends: ({ error: number } | null)[]; why?: string }
  go(at: number): Promise<void>
}
interface Numbers {
  values: number[]
}

/** Presets that go wrong on purpose; the others agree with central differences everywhere. */
const BROKEN = ['nan', 'nan-backward']

/** Goes through all steps of what is shown. Runs in the page. */
export async function throughAll(): Promise<{
  records: number
  backward: number
  worst: number
  sums: number
  wrongSums: number
  silent: string[]
}> {
  const element = document.querySelector('tape-explorer') as Explorer
  const records = element.recorded?.records ?? 0
  const seen = { records, backward: 0, worst: 0, sums: 0, wrongSums: 0, silent: [] as string[] }
  for (let at = 0; at <= 2 * records; at++) {
    await element.go(at)
    const { step, differences } = element
    if (!step) seen.silent.push(`no step ${at}`)
    if (step?.kind !== 'backward') continue
    seen.backward++
    if (!differences?.arrives) seen.silent.push(`record ${step.record}: ${differences?.why ?? 'no central differences'}`)
    for (const check of [differences?.arrives, ...(differences?.sends ?? [])]) if (check) seen.worst = Math.max(seen.worst, check.error)
    const parts = step.parts ?? []
    if (parts.length < 2) continue
    seen.sums++
    const wrong = Array.from(step.arrives?.values ?? []).some((value, i) => {
      const sum = parts.reduce((total, part) => total + part.value.values[i], 0)
      return Math.abs(sum - value) > 1e-5 * Math.max(1, Math.abs(value))
    })
    if (wrong) seen.wrongSums++
  }
  return seen
}

/** Waits until the explorer has run its code. */
export async function explorerReady(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const element = document.querySelector('tape-explorer') as Explorer | null
    return element && !element.running && (element.error || element.step)
  })
}

export async function walk(page: Page, base: string): Promise<string[]> {
  const told: string[] = []
  const see = (right: boolean, what: string): void => {
    need(right, what)
    told.push(what)
  }
  const ready = (): Promise<void> => explorerReady(page)
  const text = async (selector: string): Promise<string> => (await page.locator(selector).allTextContents()).join(' ').replace(/\s+/g, ' ')
  const open = async (hash: string): Promise<void> => {
    await page.goto('about:blank')
    await page.goto(`${base}explorer.html${hash}`)
    await ready()
  }

  await open('')
  const presets = await page
    .locator('tape-explorer .te-code select')
    .first()
    .locator('option')
    .evaluateAll((all) => all.map((each) => (each as HTMLOptionElement).value))
  let records = 0
  let sums = 0
  let worst = 0
  for (const preset of presets) {
    await page.locator('tape-explorer .te-code select').first().selectOption(preset)
    await page.waitForFunction((id) => location.hash.includes(`preset=${id}`), preset)
    await ready()
    const seen = await page.evaluate(throughAll)
    need(seen.records > 0, `the preset ${preset} has no tape: ${await text('tape-explorer .error')}`)
    need(seen.silent.length === 0, `${preset}: ${seen.silent.join('; ')}`)
    records += seen.records
    sums += seen.sums
    if (BROKEN.includes(preset)) continue
    need(seen.worst < 1e-4, `${preset}: a cotangent differs from central differences by ${seen.worst}`)
    need(seen.wrongSums === 0, `${preset}: parts do not have the sum that arrives`)
    worst = Math.max(worst, seen.worst)
  }
  see(
    presets.length >= 12,
    `${presets.length} presets, ${records} records stepped forward and backward; cotangents differ from central differences by ${worst.toExponential(0)} at most`,
  )
  see(sums > 5, `${sums} sums of cotangents, each with its parts`)

  await open('#preset=xor&step=13')
  see((await text('.te-where')).includes('record 6'), 'the address holds the step')
  see((await page.locator('.te-flow .te-parts tensor-view').count()) === 2, 'e.mul(e) gives e two parts')
  await page.locator('.te-where').click()
  await page.keyboard.press('ArrowRight')
  await page.waitForFunction(() => location.hash.includes('step=14'))
  await page.keyboard.press('ArrowLeft')
  await page.keyboard.press('ArrowLeft')
  await page.waitForFunction(() => location.hash.includes('step=12'))
  told.push('arrow keys step')
  see(/cotangents: \d+ B, at most \d+ B/.test(await text('.te-memory')), 'memory is counted in bytes')

  await open('#preset=xor&step=17')
  await page.getByRole('button', { name: 'Its derivative' }).click()
  await page.waitForSelector('.te-source-text .cm-marked')
  see((await text('.te-source-text')).includes('dX = dY·(1 − y²)'), 'the derivative of tanh is shown from its file')
  await page.getByRole('button', { name: 'map square' }).click()
  await page.waitForFunction(() => document.querySelector('.te-source-text')?.textContent?.includes('f32x4.mul(x, x)'))
  told.push('the kernel that ran is shown from its file')
  await page.getByRole('button', { name: 'Graph' }).click()
  see((await page.locator('.te-graph .te-box').count()) === 10, 'the graph has a box for each record')

  await open('#preset=nan')
  const broken = await text('.te-broken')
  see(/exp: element 1 of its output \[3\] is Infinity/.test(broken) && broken.includes('0 exp'), 'a NaN is led back to exp')
  await open('#preset=nan-backward')
  see((await text('.te-broken')).includes('dsqrt/div'), 'an infinity of the walk back is found in the derivative of sqrt')
  await open('#preset=broken')
  see(/ends at op "round", which has no derivative/.test(await text('.te-broken')), 'a broken path is explained')

  await open('#preset=scalar')
  const field = async (code: string): Promise<void> => {
    await page.locator('.te-code textarea, .te-code .cm-content').first().click()
    await page.waitForSelector('.te-code .cm-content')
    await page.evaluate((code) => {
      const editor = document.querySelector('.te-code code-editor') as HTMLElement & { value: string }
      editor.value = code
    }, code)
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    await ready()
  }
  await field(
    "import { tensor } from '@cotangent/core'\nconst a: number[] = [1, 2]\nconst x = tensor(a)\nconst loss = x.matMul(tensor([[1, 2, 3]])).sum()\n",
  )
  see(/Line 4: ShapeError: matMul/.test(await text('tape-explorer .error')), 'an error has the words of the library and its line')
  see((await page.locator('.te-code .cm-marked').count()) === 1, 'the line is marked')
  await field("import { tensor } from '@cotangent/core'\nconst x: unknown = tensor([1, 2])\n")
  see((await text('tape-explorer .error')).includes('const loss = …'), 'code without a loss is told what to write')
  await field(
    "import { scalar } from '@cotangent/core'\nconst x = scalar(1)\nlet y = x\nfor (let i = 0; i < 400; i++) y = y.mul(1.01)\nconst loss = y.square()\n",
  )
  await page.locator('.te-scroll').evaluate((list) => list.scrollTo(0, list.scrollHeight / 2))
  await page.locator('.te-list .te-number', { hasText: /^200$/ }).waitFor()
  told.push('a list of 401 records has those that it is scrolled to')
  await field('while (true) {}\n')
  see((await text('tape-explorer .error')).includes('a loop without an end'), 'an endless loop is stopped')
  await field(
    "import { tensor } from '@cotangent/core'\nconst x = tensor([1, 2])\nconst loss = x.square().sum() // mine\nconsole.log('printed')\n",
  )
  see(
    (await page.evaluate(() => (document.querySelector('tape-explorer') as Explorer).recorded?.value)) === 5,
    "the reader's own code runs after it",
  )
  see((await text('.te-said')).includes('printed'), 'what it prints is shown')
  const hash = await page.evaluate(() => location.hash)
  await open(hash)
  see((await page.locator('.te-code textarea').inputValue()).includes('// mine'), 'the address holds the code')
  return told
}

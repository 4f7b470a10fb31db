/** The time machine: steps in any order give the same weights, those that Node computes without any state; and what a reader turns is in the address. */
import type { Page } from 'playwright-core'
import { pointsOf } from '../../parts/time-machine/points.js'
import { Run, useSameBits } from '../../parts/time-machine/run.js'
import { placeIn, setupsOf } from '../../parts/time-machine/setup.js'
import { need } from '../need.js'
import { explorerReady, throughAll } from './explorer.js'

const HASH = '#problem=moons&units=8&dropout=0.3&optimizer=adam&rate=0.01&seed=7&step=60&knob=seed&other=8'
const DIGITS = '#problem=digits&units=16&dropout=0.1&optimizer=adam&rate=0.01&seed=3&step=130'
/** Forwards, backwards, onto a state that is kept, beside one, and again. */
const VISITS = [60, 7, 399, 60, 0, 41, 200, 7, 400, 41]

/** The hash of each run, once the page shows this step. */
async function hashesAt(page: Page, step: number): Promise<string[]> {
  await page.waitForFunction((step) => {
    const heads = [...document.querySelectorAll('run-view h3')].filter((head) => head.textContent?.includes('tape'))
    return heads.length === 2 && heads.every((head) => head.textContent?.endsWith(` ${step}`))
  }, step)
  return page.locator('run-view .hash').allTextContents()
}

async function goTo(page: Page, step: number): Promise<string[]> {
  await page.locator('time-machine input[type=range]').evaluate((slider, step) => {
    ;(slider as HTMLInputElement).value = String(step)
    slider.dispatchEvent(new Event('input', { bubbles: true }))
  }, step)
  return hashesAt(page, step)
}

/** Opens a step in the tape explorer, where its loss has the same bits, and goes through its records forward and backward. */
async function explore(page: Page, base: string, hash: string): Promise<string> {
  await page.goto('about:blank')
  await page.goto(`${base}time-machine.html${hash}`)
  await page.locator('run-view .facts b').first().waitFor()
  const loss = await page.locator('run-view .facts b').first().textContent()
  const records = await page.locator('run-view table').nth(1).locator('th[scope=row]').count()
  await page.locator('run-view a.open').first().click()
  await explorerReady(page)
  const error = page.locator('tape-explorer .error')
  need((await error.count()) === 0, `the explorer says: ${await error.allTextContents()}`)
  const said = await page.locator('.te-moment').textContent()
  need(said?.startsWith(`The loss is ${loss}, bit for bit`), `the time machine has the loss ${loss}, and the explorer says: ${said}`)
  const seen = await page.evaluate(throughAll)
  need(seen.records === records, `the tape has ${records} records in the time machine and ${seen.records} in the explorer`)
  need(seen.silent.length === 0, seen.silent.join('; '))
  need(seen.worst < 1e-4, `a cotangent differs from central differences by ${seen.worst}`)
  return `the explorer has the loss ${loss} of step ${new URLSearchParams(hash).get('step')}, and steps through ${records} records forward and backward`
}

export async function walk(page: Page, base: string): Promise<string[]> {
  page.setDefaultTimeout(60_000)
  await page.goto(`${base}time-machine.html${HASH}`)
  const known = new Map<number, string[]>()
  for (const step of VISITS) {
    const hashes = await goTo(page, step)
    const before = known.get(step)
    need(!before || before.join() === hashes.join(), `step ${step} had the weights ${before}, and has ${hashes} now`)
    known.set(step, hashes)
    need(hashes[0] !== hashes[1], `two seeds have the same weights at step ${step}`)
  }

  // Node goes straight there, from the seed.
  await useSameBits()
  const setups = setupsOf(placeIn(HASH))
  for (const step of [41, 200])
    for (const [i, setup] of setups.entries()) {
      const straight = await new Run(setup, pointsOf('moons')).at(step)
      need(
        straight?.hash === known.get(step)?.[i],
        `step ${step} of seed ${setup.seed}: Node has ${straight?.hash}, the page ${known.get(step)?.[i]}`,
      )
    }
  const seen = [
    `${known.size} steps of two runs with dropout, visited ${VISITS.length} times in any order, have one hash each; Node has the same`,
  ]

  // By the keyboard, and in the address.
  await goTo(page, 100)
  await page.locator('time-machine input[type=range]').focus()
  await page.keyboard.press('ArrowRight')
  const hashes = await hashesAt(page, 101)
  need(new URL(page.url()).hash.includes('step=101'), `the address does not say the step: ${page.url()}`)
  await page.reload()
  need((await hashesAt(page, 101)).join() === hashes.join(), 'the address does not lead to the same weights')
  seen.push('an arrow moves on by a step, and the address leads back to the same weights')

  // Another knob makes another run, in the worker that is there.
  await page.getByLabel('Optimizer', { exact: true }).selectOption({ label: 'SGD' })
  await page.waitForFunction((before) => {
    const [hash] = document.querySelectorAll('run-view:not(.stale) .hash')
    return hash && hash.textContent !== before
  }, hashes[0])
  need((await goTo(page, 0)).join() === known.get(0)?.join(), 'another optimizer begins at other weights')
  seen.push('another optimizer begins at the same weights')

  await page.locator('run-view .map').first().click()
  await page.locator('run-view tensor-view').first().waitFor()
  await page.getByLabel('Play').click()
  await page.waitForFunction(() => Number(/\d+/.exec(document.querySelector('time-machine output')?.textContent ?? '')?.[0]) > 104)
  await page.getByLabel('Pause').click()
  seen.push('it plays, and a click on a picture shows its numbers')

  seen.push(await explore(page, base, HASH))
  const { missing } = await page.evaluate(async () => (await fetch('data/digits.json')).json())
  if (!missing) seen.push(await explore(page, base, DIGITS))
  return seen
}

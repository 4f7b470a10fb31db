/** The walk of "Write this backward": three exercises solved and three not, a loop without an end, hints and a solution, files, and digits with the reader's rules. */
import type { Page } from 'playwright-core'
import { need } from '../need.js'
import { savedBy } from '../saved.js'

const right: readonly [id: string, rule: string][] = [
  ['tanh', '({ dY, y }, [x], ops) => [() => ops.mul(dY, ops.sub(1, ops.square(y)))]'],
  ['add', '({ dY }, [a, b], ops) => [() => ops.sumTo(dY, a.shape), () => ops.sumTo(dY, b.shape)]'],
  ['matmul', '({ dY }, [a, b], ops) => [() => ops.matMul(dY, b, { transposeB: true }), () => ops.matMul(a, dY, { transposeA: true })]'],
]
const wrong: readonly [id: string, rule: string, title: string][] = [
  ['softplus', '({ dY, y }, [x], ops) => [() => ops.mul(dY, ops.sigmoid(y))]', 'The output where the input belongs'],
  ['add', '({ dY }) => [() => dY, () => dY]', 'The sum over the repeated axes is missing'],
  ['softmax', '({ dY, y }, [x], ops) => [() => ops.mul(dY, ops.mul(y, ops.sub(1, y)))]', 'Only the diagonal'],
]

export async function walk(page: Page, base: string): Promise<string[]> {
  const seen: string[] = []
  const expect = (holds: boolean, what: string): void => {
    need(holds, what)
    seen.push(what)
  }
  const open = async (id: string): Promise<void> => {
    await page.locator(`.be-ladder a[href="#${id}"]`).click()
    await page.locator(`code-editor[data-exercise="${id}"] .cm-content`).waitFor()
  }
  const write = (code: string): Promise<void> =>
    page.locator('code-editor').evaluate((editor, text) => {
      ;(editor as HTMLElement & { value: string }).value = text
    }, code)
  const check = async (): Promise<string> => {
    await page.getByRole('button', { name: 'Check', exact: true }).click()
    await page.locator('.be-verdict, [role=alert]').first().waitFor()
    return (await page.locator('.be-verdict, [role=alert]').first().textContent()) ?? ''
  }

  await page.goto(`${base}exercises.html#softplus`)
  await page.locator('code-editor[data-exercise="softplus"] .cm-content').waitFor()
  expect((await page.locator('.be-ladder li').count()) === 16, 'sixteen exercises; the address opens one of them')

  for (const [id, rule, title] of wrong) {
    await open(id)
    await write(`export const vjp = ${rule}`)
    const said = await check()
    const named = await page.locator('.be-diagnosis h3').textContent()
    expect(said.includes('Not yet') && named === title, `${id}, wrong: "${named}"`)
  }
  expect((await page.locator('tensor-view .tv-wrong').count()) > 3, 'both derivatives are shown, and the places where they differ')
  await page.getByRole('button', { name: 'Train with this rule' }).click()
  const compared = page.locator('loss-curves figure > svg')
  await compared.waitFor()
  expect((await page.getByText('with the right rule; with yours it is').count()) === 1, 'a wrong rule trains beside the right one')

  for (const [id, rule] of right) {
    await open(id)
    await write(`export const vjp = ${rule}`)
    expect((await check()).includes('Right.'), `${id}, right`)
  }

  await page.getByRole('button', { name: 'Link with my code' }).click()
  await page.waitForURL(/#matmul\?code=/)
  const link = page.url()
  await open('mul')
  await page.goto(link)
  await page.locator('code-editor[data-exercise="matmul"]', { hasText: 'transposeA: true' }).waitFor()
  expect(true, 'a link holds exercise and code')

  await open('mul')
  await write('export const vjp = () => {\n  for (;;) {}\n}')
  expect((await check()).includes('Is there a loop without an end?'), 'a loop without an end is stopped')
  await write('export const vjp = ({ dY }, [a, b], ops) => [\n  () => ops.mul(dY, b),\n  () => ops.matMul(dY, nothing),\n]')
  await check()
  const message = await page.locator('.card .error').textContent()
  expect(/Line 3: ReferenceError: nothing is not defined/.test(message ?? ''), "an error is shown with its line of the reader's code")
  expect((await page.locator('.cm-marked').textContent())?.includes('nothing') === true, 'the line is marked')

  await open('relu')
  for (const i of [1, 2, 3]) await page.getByRole('button', { name: `Hint ${i} of 3` }).click()
  expect((await page.locator('.be-hints li').count()) === 3, 'three hints')
  await page.getByRole('button', { name: "Show the library's solution" }).click()
  await page.getByRole('button', { name: 'Put it into the editor' }).click()
  expect((await check()).includes('Right.'), "the library's own lines pass")

  await page.reload()
  await page.locator('code-editor .cm-content').waitFor()
  expect((await page.locator('.be-done').count()) === 4, 'what is solved is kept')
  const file = await savedBy(page, () => page.getByRole('button', { name: 'Save as a file' }).click())
  expect(JSON.parse(file).exercises.tanh.solved.includes('ops.square(y)'), 'it can be saved as a file')
  await page.getByRole('button', { name: 'Clear all' }).click()
  await page.getByRole('button', { name: 'Yes, clear all exercises' }).click()
  expect((await page.locator('.be-done').count()) === 0, 'it can be cleared')
  await page.locator('#be-upload').setInputFiles({ name: 'exercises.json', mimeType: 'application/json', buffer: Buffer.from(file) })
  await page.locator('.be-done').first().waitFor()
  expect((await page.locator('.be-done').count()) === 4, 'it can be loaded again')

  await page.getByRole('button', { name: 'Train with my rules' }).click()
  await page.locator('.be-accuracy').waitFor({ timeout: 60_000 })
  const share = Number.parseFloat((await page.locator('.be-accuracy').textContent()) ?? '')
  const rows = (await page.locator('exercise-digits tbody tr').allTextContents()).map((row) => row.replace(/\s+/g, ' ').trim())
  expect(share > 88, `digits are learned with the reader's rules: ${share} %`)
  expect(
    rows.includes('tanh yours 300 times') && rows.includes('matMul yours 600 times'),
    `whose rule was asked how often: ${rows.join('; ')}`,
  )
  return seen
}

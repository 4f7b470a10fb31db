/** The picture of the README: a short training can be drawn, and the one in docs/ is complete. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { groupMeans, learnedSvg } from '../lib/learned.js'
import { learn } from '../picture.js'
import { wellFormed } from './xml.js'

test('a short training, drawn', async () => {
  const learned = await learn({ epochs: 2, limit: 1000 })
  // 1000 images are 7 batches of 128 and one of 104. A batch's loss starts near ln 10, the loss of guessing among ten digits, and falls.
  expect([learned.losses.length, learned.batchesPerEpoch]).toEqual([16, 8])
  expect(Math.abs(learned.losses[0] - Math.log(10))).toBeLessThan(0.5)
  expect(Math.max(...learned.losses.slice(-4))).toBeLessThan(learned.losses[0])

  const svg = await learnedSvg(learned)
  expect(wellFormed(svg)).toBe(true)
  expect(svg.match(/<image /g)).toHaveLength(15)
  expect(svg.match(/class="wrong">✗ \d, is \d</g)?.length).toBeGreaterThanOrEqual(5)
  expect(svg).toContain('>epoch 2<')
  expect(svg).not.toContain('NaN')
})

test('a shorter last group counts, too', () => expect(groupMeans([1, 3, 5], 2)).toEqual([2, 5]))

// As files and as images they know nothing of the page around them: they bring a background, and colours for dark pages.
const root = join(import.meta.dirname, '../..')
const committed = ['docs', 'examples'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).flatMap((name) =>
    // The site's own: they stand on its cards, or are an icon.
    name.endsWith('.svg') && !/^(site|dist|node_modules)\/|^pictures\/door-/.test(name) ? [join(folder, name)] : [],
  ),
)
test.each(committed)('%s is well-formed, finite, and readable on light and dark pages', (path) => {
  const svg = readFileSync(join(root, path), 'utf8')
  expect(wellFormed(svg)).toBe(true)
  expect(svg.replaceAll(/base64,[^"]*/g, '')).not.toMatch(/NaN|Infinity|undefined/)
  const [, box] = /^<svg [^>]*viewBox="([^"]*)"/.exec(svg) ?? []
  const [, x, y, width, height] =
    /<\/style>\n<rect x="(\S+)" y="(\S+)" width="(\S+)" height="(\S+)" fill="var\(--page\)"\/>/.exec(svg) ?? []
  expect([x, y, width, height].join(' ')).toBe(box)
  // Each colour has a second value for dark pages.
  for (const [, name] of svg.matchAll(/var\((--\w+)\)/g)) expect([name, svg.split(`${name}: #`).length]).toEqual([name, 3])
})

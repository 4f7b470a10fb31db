/**
 * `npm run site:build` makes docs/dist: static files that work under any path, without a server's headers. `npm run site` serves them and makes them anew when
 * something changes. `--base /path/` is where the site will lie: only 404.html needs to know, as it is served at any address. `--times` says what each stage takes.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { context } from 'esbuild'
import { endWithReader } from '../../../examples/lib/output.js'
import { brokenLinks } from '../walk/links.js'
import { bundle, elements } from './bundle.js'
import { digits } from './digits.js'
import { exercises } from './exercises.js'
import { type Listed, layout, type Page } from './layout.js'
import { createMarkdown } from './markdown.js'
import { navigation } from './navigation.js'
import { opSources } from './op-sources.js'
import { out, type Place, places, relative, target, top } from './places.js'
import { referencePages } from './reference.js'
import { linkCode } from './reference-types.js'
import { writeSearch } from './search.js'

endWithReader()

const write = (path: string, content: string): void => {
  mkdirSync(dirname(join(out, path)), { recursive: true })
  writeFileSync(join(out, path), content)
}

/** With `--times`, says how much of the processor a stage took. esbuild, which makes the bundles, is a process of its own and is not counted. */
async function stage<T>(name: string, run: () => T | Promise<T>): Promise<T> {
  const [before, begun] = [process.cpuUsage(), performance.now()]
  const result = await run()
  const { user, system } = process.cpuUsage(before)
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
  if (flags.times) console.log(`${name}: ${seconds((user + system) / 1000)} of the processor, ${seconds(performance.now() - begun)}`)
  return result
}

const { values: flags } = parseArgs({ options: { base: { type: 'string' }, serve: { type: 'boolean' }, times: { type: 'boolean' } } })
/** The page that a server shows in the place of one that is not there. */
const LOST = '404.html'
const base = flags.base ?? (flags.serve ? '/' : undefined)

/** Links in a page that lead nowhere. */
export class BrokenLinks extends Error {}

async function pages(): Promise<void> {
  const all = places()
  const bySource = new Map(all.map((place) => [place.source, place]))
  const { render, done } = await createMarkdown()
  const known = new Set(elements())
  const broken: string[] = []
  const copied = new Set<string>()

  const elementsIn = (html: string): string[] => {
    const used = new Set(Array.from(html.matchAll(/<([a-z]+-[a-z-]+)[\s>]/g), ([, name]) => name))
    return [...used].filter((name) => known.has(name))
  }
  const texts = all.map((place: Place) => {
    const text = readFileSync(join(top, place.source), 'utf8')
    const result = render(text, (link) => {
      const found = target(place.source, link, bySource)
      if (!found) {
        broken.push(`${place.source}: ${link}`)
        return undefined
      }
      if (found.copy) copied.add(found.copy)
      return relative(place.url, found.url)
    })
    return { ...place, ...result, elements: elementsIn(result.html) }
  })
  if (broken.length > 0) throw new BrokenLinks(`Links that lead nowhere:\n${broken.join('\n')}`)

  const reference = await stage('reference', referencePages)
  const addresses = new Map(reference.flatMap((each) => Object.entries(each.addresses)))
  const names = reference.map((page) => {
    const { url, title, markdown, groups } = page
    const address = (name: string): string | undefined => page.addresses[name] ?? addresses.get(name)
    const fromTop = (link: string): string => relative(url, link.slice(1))
    const result = render(
      markdown,
      (link) => (link.startsWith('/') ? fromTop(link) : undefined),
      (code) => linkCode(code, url, address),
    )
    const html = result.html.replace(/href="(\/[^"]*)"/g, (_, link: string) => `href="${fromTop(link)}"`)
    return { url, ...result, title, html, groups, elements: elementsIn(html) }
  })
  const rendered = [...texts, ...names]
  const titles = new Map((rendered as Page[]).map(({ source, url, title }) => [source ?? url, { url, title }]))
  const sections = navigation.map(
    ({ title, pages }): Listed => ({
      title,
      pages: pages.flatMap((each) => {
        const { page, title } = typeof each === 'string' ? { page: each, title: undefined } : each
        const found = titles.get(page)
        return found ? [{ url: found.url, title: title ?? found.title }] : []
      }),
    }),
  )
  for (const page of rendered satisfies Page[]) write(page.url, layout(page, sections, page.url === LOST ? base : undefined))
  for (const path of copied) {
    mkdirSync(dirname(join(out, 'files', path)), { recursive: true })
    cpSync(join(top, path), join(out, 'files', path))
  }
  done()
  writeSearch(rendered.filter(({ url }) => url !== LOST))
}

/** The sources that pages lead to, and the Markdown of the pages: their text under sources/, and the list of all paths. */
function sources(): void {
  const wanted = /^(packages|examples|bench)\/.*\.(ts|json)$/
  const skipped = /(^|\/)(node_modules|dist|golden|results|peers|out)\//
  const paths = ['packages', 'examples', 'bench'].flatMap((folder) =>
    (readdirSync(join(top, folder), { recursive: true }) as string[]).map((path) => `${folder}/${path.replaceAll('\\', '/')}`),
  )
  const texts = places().map(({ source }) => source)
  const kept = [...paths.filter((path) => wanted.test(path) && !skipped.test(path)), ...texts].sort()
  for (const path of kept) {
    mkdirSync(dirname(join(out, 'sources', path)), { recursive: true })
    // A name that every server sends as text.
    cpSync(join(top, path), join(out, 'sources', `${path}.txt`))
  }
  write('sources/index.json', JSON.stringify(kept))
}

function theme(): void {
  cpSync(join(top, 'docs/site/theme'), join(out, 'theme'), { recursive: true })
  cpSync(join(top, 'docs/site/theme/icon.svg'), join(out, 'icon.svg'))
  const katex = join(top, 'docs/node_modules/katex/dist')
  mkdirSync(join(out, 'theme/katex/fonts'), { recursive: true })
  cpSync(join(katex, 'katex.min.css'), join(out, 'theme/katex/katex.min.css'))
  cpSync(join(katex, 'fonts'), join(out, 'theme/katex/fonts'), { recursive: true, filter: (path) => !/\.(ttf|woff)$/.test(path) })
}

export async function buildSite(): Promise<void> {
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  theme()
  await stage('sources', sources)
  await stage('op sources', () => write('data/op-sources.json', JSON.stringify(opSources())))
  await stage('exercises', exercises)
  const rest = [() => stage('bundle', bundle), () => stage('pages', pages), () => stage('digits', digits)]
  // One after another they can be told apart.
  if (flags.times) for (const each of rest) await each()
  else await Promise.all(rest.map((each) => each()))
  const dead = brokenLinks()
  if (dead.length > 0) throw new BrokenLinks(`Links that lead nowhere:\n${dead.join('\n')}`)
}

async function serve(): Promise<void> {
  const { hosts, port } = await (await context({})).serve({ servedir: out, host: '127.0.0.1' })
  console.log(`The site: http://${hosts[0]}:${port}/`)
  let waiting: NodeJS.Timeout | undefined
  const again = (): void => {
    clearTimeout(waiting)
    waiting = setTimeout(
      () =>
        buildSite().then(
          () => console.log('Made anew.'),
          (error) => console.error(String(error.message)),
        ),
      200,
    )
  }
  for (const folder of ['docs', 'packages']) {
    watch(join(top, folder), { recursive: true }, (_, name) => {
      if (!name || !/(^|\/)(dist|node_modules)\//.test(`${name}/`)) again()
    })
  }
}

await buildSite()
if (flags.serve) await serve()

/**
 * The reference: pages made from the documentation comments, one for each folder of sources. TypeDoc reads them; the rule of an op's derivative comes from the registry
 * of ops, as it stands on the tape.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hash, keep, kept } from './cache.js'
import { type Family, families } from './families.js'
import { top } from './places.js'
import { write } from './reference-part.js'
import { type Entry, entries, read } from './reference-read.js'
import { isType, type Thing, thingsOf } from './reference-things.js'
import { Writer } from './reference-writer.js'

/** Names of a page that belong together, for the list beside the text. */
export interface Group {
  readonly title: string
  readonly names: readonly string[]
}

/** A page as Markdown. */
export interface ReferencePage {
  readonly url: string
  readonly title: string
  readonly markdown: string
  readonly groups: readonly Group[]
  /** The address of each name that the page has a part for. */
  readonly addresses: Readonly<Record<string, string>>
}

/** Exported, but marked @internal: other packages of this repository use them. */
const INTERNAL = new Set(['foldWindows', 'identityMask', 'unfoldWindows', 'viewOf'])

/** The names in packages/*\/api.txt. */
const reviewedNames = (): string[] =>
  Object.keys(entries).flatMap((name) =>
    Array.from(readFileSync(join(top, `packages/${name}/api.txt`), 'utf8').matchAll(/^\w+ (\w+)/gm), ([, found]) => found),
  )

/** Everything that the pages are made of: the sources of the packages, the reviewed names, the compiler's settings, and what makes the pages. */
function* madeOf(): Generator<string> {
  for (const name of Object.keys(entries)) {
    for (const path of ['api.txt', 'tsconfig.json']) yield readFileSync(join(top, 'packages', name, path), 'utf8')
    const src = join(top, 'packages', name, 'src')
    for (const path of (readdirSync(src, { recursive: true }) as string[]).sort())
      if (path.endsWith('.ts') && !/\.test(-d)?\.ts$/.test(path)) yield path + readFileSync(join(src, path), 'utf8')
  }
  const makers = readdirSync(join(top, 'docs/site/build')).filter((name) => /^(reference|families)/.test(name))
  for (const path of [...makers.sort().map((name) => `docs/site/build/${name}`), 'docs/package-lock.json', 'tsconfig.base.json'])
    yield readFileSync(join(top, path), 'utf8')
}

/** All pages of the reference, and the page that lists all names. TypeDoc takes ten seconds, so pages of sources that did not change come from the build before. */
export async function referencePages(): Promise<ReferencePage[]> {
  const of = hash(madeOf())
  const before = kept<ReferencePage[]>('reference', of)
  if (before) return before
  const made = await makePages()
  keep('reference', of, made)
  return made
}

/** Types that a reader meets last. A page with many names has them by folder, or by file where one folder has all. */
function groupsOf(things: readonly Thing[]): Group[] {
  const folder = ({ file }: Thing): string => file.split('/').at(-2) as string
  const stem = ({ file }: Thing): string => (file.split('/').at(-1) as string).replace(/\.ts$/, '')
  const called = things.filter((each) => !isType(each))
  const by = new Set(called.map(folder)).size > 1 ? folder : stem
  const groups = new Map<string, string[]>()
  for (const thing of things) {
    const title = isType(thing) ? 'Types' : called.length > 12 ? by(thing).replaceAll('-', ' ') : 'Names'
    groups.set(title, [...(groups.get(title) ?? []), thing.name])
  }
  const small = [...groups].filter(([title, names]) => names.length < 3 && title !== 'Types')
  if (small.length < 2) return Array.from(groups, ([title, names]) => ({ title, names }))
  const others = { title: 'Others', names: small.flatMap(([, names]) => names) }
  const large = [...groups].filter((each) => !small.includes(each)).map(([title, names]) => ({ title, names }))
  return [...large.filter(({ title }) => title !== 'Types'), others, ...large.filter(({ title }) => title === 'Types')]
}

async function makePages(): Promise<ReferencePage[]> {
  const all: Entry[] = []
  for (const name of Object.keys(entries) as (keyof typeof entries)[]) all.push(...(await read(name)))

  const pageOf = (family: Family): string => `reference/${family.id}.html`
  // core and layers have a softmax each: text leads to that of its own package.
  const addresses = new Map<string, string>()
  for (const { name, of, family } of all) {
    const address = `${pageOf(family)}#${name}`
    addresses.set(`${of} ${name}`, address)
    if (!addresses.has(name)) addresses.set(name, address)
  }
  const layerOptions = all.find(({ name }) => name === 'LayerOptions')?.reflection.children ?? []
  const ofLayers = new Set(layerOptions.map(({ name }) => name))
  const writers = new Map(
    Object.keys(entries).map((of) => [of, new Writer((name) => addresses.get(`${of} ${name}`) ?? addresses.get(name), ofLayers)]),
  )

  const things = thingsOf(all)
  const pages = families.flatMap((family): ReferencePage[] => {
    const own = things
      .filter((entry) => entry.family === family)
      .sort((a, b) => Number(isType(a)) - Number(isType(b)) || a.file.localeCompare(b.file) || a.line - b.line)
    if (own.length === 0) return []
    const names: string[] = []
    const body = own.map((thing) => write(thing, writers.get(thing.of) as Writer, names)).join('\n\n')
    const { of } = own[0]
    const here = Object.fromEntries(
      all.filter((each) => each.family === family).map(({ name }) => [name, addresses.get(`${of} ${name}`) as string]),
    )
    const markdown = `# ${family.title}\n\n${family.text}\n\n${body}\n`
    return [{ url: pageOf(family), title: family.title, markdown, groups: groupsOf(own), addresses: here }]
  })
  const missing = reviewedNames().filter((name) => !addresses.has(name) && !INTERNAL.has(name))
  if (missing.length > 0) throw new Error(`Names without a place in the reference: ${missing.join(', ')}`)
  const list = pages.map(({ url, title, groups }) => {
    const links = groups.flatMap(({ names }) => names.map((name) => `[\`${name}\`](/${url}#${name})`))
    return `## ${title}\n\n[The page](/${url}) of ${links.length} names: ${links.join(' · ')}`
  })
  const index = `# Reference\n\nEvery public name, by what it is for. The search in the header finds a name by its first letters.\n\n${list.join('\n\n')}\n`
  return [{ url: 'reference/index.html', title: 'Reference', groups: [], addresses: {}, markdown: index }, ...pages]
}

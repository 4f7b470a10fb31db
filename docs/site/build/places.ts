/** Where things lie, in the repository and on the site. Paths of the repository are written with `/`, from its top. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The top of the repository. */
export const top = fileURLToPath(new URL('../../..', import.meta.url))
/** The finished site. */
export const out = join(top, 'docs/dist')

/** A page that is made from a Markdown file. */
export interface Place {
  /** The file, such as `docs/speed.md`. */
  readonly source: string
  /** The address from the top of the site, such as `speed.html`. */
  readonly url: string
}

/** README files of folders are guides; what lies in docs/ keeps its place. */
function urlOf(source: string): string {
  if (source.startsWith('docs/'))
    return source
      .slice(5)
      .replace(/README\.md$/, 'index.md')
      .replace(/\.md$/, '.html')
  if (source === 'README.md') return 'guides/cotangent.html'
  return `guides/${source
    .replace(/\/README\.md$/, '.md')
    .replace(/\.md$/, '.html')
    .toLowerCase()}`
}

const SKIPPED = /^(node_modules|dist|out|golden|results|peers|\..*)$/

/** All Markdown files of the repository, those of the site's own workings left out. */
export function places(folder = ''): Place[] {
  return readdirSync(join(top, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name)
    if (entry.isDirectory()) return SKIPPED.test(entry.name) ? [] : places(path)
    return entry.name.endsWith('.md') ? [{ source: path, url: urlOf(path) }] : []
  })
}

/** The address of one page as seen from another, so that the site works under any path. */
export function relative(from: string, to: string): string {
  const [path, fragment] = to.split('#')
  const found = posix.relative(posix.dirname(from), path) || posix.basename(path)
  return fragment === undefined ? found : `${found}#${fragment}`
}

/** Files that pages show or link to as they are, besides pages and sources: their address is their path under `files/`. */
const ASSET = /\.(svg|png|webp|jpg|json|csv)$/

/** The target of a link in a Markdown file, as an address from the top of the site, and the file to copy if there is one. */
export function target(source: string, link: string, all: ReadonlyMap<string, Place>): { url: string; copy?: string } | undefined {
  const [path, fragment] = link.split('#')
  const named = posix.normalize(posix.join(dirname(source), path)).replace(/\/$/, '')
  const hash = fragment === undefined ? '' : `#${fragment}`
  const page = all.get(named) ?? all.get(posix.join(named, 'README.md'))
  if (page) return { url: page.url + hash }
  if (!existsSync(join(top, named))) return undefined
  if (ASSET.test(named)) return { url: `files/${named}${hash}`, copy: named }
  return { url: `source.html#${statSync(join(top, named)).isDirectory() ? `${named}/` : named}` }
}

/** Links and paths in the Markdown files must lead somewhere. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const skipped = new Set(['node_modules', 'dist', 'out', '.git', '.nodes', 'peers'])

function markdownFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : markdownFiles(path)
    return entry.name.endsWith('.md') ? [path] : []
  })
}

/** The anchors of a page's headings, made as GitHub makes them. */
const anchorsOf = (text: string): string[] =>
  Array.from(text.matchAll(/^#+ (.*)$/gm), ([, heading]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\- _]/gu, '')
      .replaceAll(' ', '-'),
  )

/** The broken ones among relative links `[text](path#anchor)`, images, and `packages/…` or `examples/…` in backquotes. */
function deadEnds(path: string): string[] {
  const text = readFileSync(join(root, path), 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '')
  const links = Array.from(text.matchAll(/\]\(([^)\s]+)\)/g), ([, link]) => link).filter((link) => !/^[a-z]+:/.test(link))
  const dead = links.filter((link) => {
    const [file, anchor] = link.split('#')
    const target = file === '' ? join(root, path) : join(root, dirname(path), file)
    return !existsSync(target) || (anchor !== undefined && !anchorsOf(readFileSync(target, 'utf8')).includes(anchor))
  })
  const named = Array.from(text.matchAll(/`((?:packages|examples|bench|docs)\/[\w./-]+)`/g), ([, name]) => name)
  return [...dead, ...named.filter((name) => !existsSync(join(root, name)))]
}

test.each(markdownFiles('.'))('%s', (path) => expect(deadEnds(path)).toEqual([]))

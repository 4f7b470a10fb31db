/**
 * The pages that show results: those in docs/, and those of the examples that belong to no document. Their prose is typed by hand; between `<!-- made: table 000 -->` and
 * `<!-- end -->` stands what tables.ts and examples.ts make.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { curvesSvg } from '../lib/curves.js'
import { documents } from '../lib/experiment.js'
import { bandSvg } from './band.js'
import { examplePages, exampleParts } from './examples.js'
import { type Result, type Results, root } from './results.js'
import { counts, documentTable, hashTable, machineList, ownTable, remarks, runTable, weatherTable } from './tables.js'

/** The experiment whose curves stand on the page of a document. That of 001 has only one epoch. */
const drawn: Readonly<Record<string, string>> = {
  '000': 'mnist-mlp',
  '002': 'imdb-lstm',
  '003': 'mnist-dropout-mlp',
  '004': 'mnist-mlp-rmsprop',
}

/** The parts by their names in the pages. */
export function partsOf(results: Results): ReadonlyMap<string, string> {
  const parts = new Map([
    ['counts', counts(results)],
    ['table own', ownTable(results)],
    ['remarks own', remarks(undefined, results)],
    ['weather', weatherTable(results)],
    ['runs', runTable(results)],
    ['machines', machineList(results)],
    ['hashes', hashTable(results)],
    ...exampleParts(results),
  ])
  for (const document of Object.keys(documents)) {
    parts.set(`table ${document}`, documentTable(document, results))
    parts.set(`remarks ${document}`, remarks(document, results))
    parts.set(`picture ${document}`, picture(document, results))
  }
  return parts
}

const shown = (document: string, results: Results): Result | undefined => results.get(drawn[document] ?? '')?.find(({ history }) => history)

function picture(document: string, results: Results): string {
  const band = bandSvg(document, results) === undefined ? '' : `![The document's figures, their bands, and our seeds](${document}-band.svg)`
  return [band, curves(document, results)].filter((part) => part !== '').join('\n\n') || 'Pictures are drawn when there are results.'
}

function curves(document: string, results: Results): string {
  const result = shown(document, results)
  if (!result) return ''
  return `![Accuracy and loss of ${result.id} by epoch, training and validation](${document}.svg)\n\nAccuracy and loss of \`${result.id}\`, seed ${result.seed}.`
}

const marked = /<!-- made: ([\w -]+) -->\n[\s\S]*?<!-- end -->/g

/** A page with all its parts made anew. Throws for a part that nobody makes. */
export const withParts = (page: string, parts: ReadonlyMap<string, string>): string =>
  page.replace(marked, (_, name: string) => {
    const part = parts.get(name)
    if (part === undefined) throw new Error(`There is no part "${name}". There are: ${[...parts.keys()].join(', ')}.`)
    return `<!-- made: ${name} -->\n${part === '' ? '' : `\n${part}\n\n`}<!-- end -->`
  })

/** The files of the repository that are made, or partly made, with the content that they should have. */
export async function madeFiles(results: Results): Promise<Map<string, string>> {
  const parts = partsOf(results)
  const files = new Map<string, string>()
  const pages = readdirSync(join(root, 'docs/documents')).filter((name) => name.endsWith('.md'))
  for (const page of ['docs/results.md', ...pages.map((name) => `docs/documents/${name}`), ...examplePages])
    files.set(page, withParts(readFileSync(join(root, page), 'utf8'), parts))
  for (const document of Object.keys(documents)) {
    const band = bandSvg(document, results)
    if (band !== undefined) files.set(`docs/documents/${document}-band.svg`, band)
    const result = shown(document, results)
    if (!result?.history) continue
    const epoch = Array.from({ length: result.epochs }, (_, i) => i)
    files.set(`docs/documents/${document}.svg`, await curvesSvg({ epoch, history: result.history }, `${result.id}, seed ${result.seed}`))
  }
  return files
}

/** Those of the files that do not have the content that they should have. */
export const outdated = (files: ReadonlyMap<string, string>): string[] =>
  [...files].flatMap(([path, content]) =>
    existsSync(join(root, path)) && readFileSync(join(root, path), 'utf8') === content ? [] : [path],
  )

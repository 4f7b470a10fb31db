/**
 * The pages that show results: those in docs/, and those of the examples that belong to no document. Their prose is typed by hand; between `<!-- made: table 000 -->` and
 * `<!-- end -->` stands what tables.ts and examples.ts make.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { curvesSvg } from '../lib/curves.js'
import { documents, thousands } from '../lib/experiment.js'
import { confusionSvg } from '../lib/matrix.js'
import { bandSvg, hasBand } from './band.js'
import { examplePages, exampleParts } from './examples.js'
import { type Results, root } from './results.js'
import { counts, documentTable, hashTable, machineList, ownTable, remarks, runTable, weatherTable } from './tables.js'

/** The experiment that is drawn on the page of a document. */
const drawn: Readonly<Record<string, string>> = {
  '000': 'mnist-mlp',
  '001': 'mnist-cnn-confusion',
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

interface Picture {
  /** Beside the picture, for those who do not see it. */
  sees: string
  /** Below it. */
  says: string
  svg(): Promise<string>
}

/** The picture of the first result that can be drawn: curves, or the confusion matrix of a training of a single epoch, which has no curves. */
function pictureOf(document: string, results: Results): Picture | undefined {
  for (const { id, seed, epochs, history, sections = [] } of results.get(drawn[document] ?? '') ?? []) {
    const confusion = sections.find((section) => section.kind === 'confusion')
    const name = `${id}, seed ${seed}`
    if (epochs === 1 && confusion) {
      const count = thousands(confusion.counts.flat().reduce((a, b) => a + b, 0))
      return {
        sees: `Confusion matrix of ${id}: how many test images of each digit were read as which`,
        says: `The confusion matrix of the ${count} test images, of \`${id}\`, seed ${seed}.`,
        svg: () => confusionSvg(confusion, `${name}: the test images`),
      }
    }
    if (epochs > 1 && history) {
      const epoch = Array.from({ length: epochs }, (_, i) => i)
      return {
        sees: `Accuracy and loss of ${id} by epoch, training and validation`,
        says: `Accuracy and loss of \`${id}\`, seed ${seed}.`,
        svg: () => curvesSvg({ epoch, history }, name),
      }
    }
  }
  return undefined
}

function picture(document: string, results: Results): string {
  const band = hasBand(document, results) ? [`![The document's figures, their bands, and our seeds](${document}-band.svg)`] : []
  const shown = pictureOf(document, results)
  const own = shown ? [`![${shown.sees}](${document}.svg)`, shown.says] : []
  return [...band, ...own].join('\n\n') || 'Pictures are drawn when there are results.'
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
    const band = await bandSvg(document, results)
    if (band !== undefined) files.set(`docs/documents/${document}-band.svg`, band)
    const shown = pictureOf(document, results)
    if (shown) files.set(`docs/documents/${document}.svg`, await shown.svg())
  }
  return files
}

/** Those of the files that do not have the content that they should have. */
export const outdated = (files: ReadonlyMap<string, string>): string[] =>
  [...files].flatMap(([path, content]) =>
    existsSync(join(root, path)) && readFileSync(join(root, path), 'utf8') === content ? [] : [path],
  )

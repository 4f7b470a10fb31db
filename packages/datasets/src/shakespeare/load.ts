/** Finds the text of Tiny Shakespeare, reads it as UTF-8 and cuts it into two parts. */
import { DatasetError } from '../errors.js'
import { type LoadOptions, type PublishedDataset, readLoadOptions } from '../locating/dataset.js'
import { type Host, nodeHost } from '../locating/host.js'
import { locate } from '../locating/source.js'
import { publishedShakespeare } from './published.js'

/** A text in two parts. */
export interface TextDataset {
  /** The whole text. */
  text: string
  /** Its first 90 %, to train on. */
  trainText: string
  /** The rest. */
  validationText: string
  /** The place that the text came from, in words. */
  source: string
}

/** `tinyShakespeare.loadData`; `host` stands in for this machine in tests, null is a browser. */
export async function loadText(
  given: LoadOptions,
  host?: Host | null,
  published: PublishedDataset = publishedShakespeare,
): Promise<TextDataset> {
  const options = readLoadOptions('tinyShakespeare.loadData', given)
  const { files, source } = await locate(published, options, host === undefined ? await nodeHost() : (host ?? undefined))
  const [{ name }] = published.files
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(files.get(name))
  } catch (error) {
    throw new DatasetError(`${source}: ${name} is not UTF-8`, { cause: error })
  }
  const cut = Math.floor(text.length * 0.9)
  return { text, trainText: text.slice(0, cut), validationText: text.slice(cut), source }
}

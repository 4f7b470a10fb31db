/** Tiny Shakespeare: 40,000 lines of plays, the usual first text of a language model (A. Karpathy, "char-rnn", 2015). */
import type { LoadOptions } from '../locating/dataset.js'
import { loadText, type TextDataset } from './load.js'

/**
 * Loads Tiny Shakespeare, 40,000 lines of Shakespeare's plays, from the first place that has it: `dir`, `COTANGENT_DATA`, the cache, a
 * download.
 *
 * The first 90 % of the characters are there to train on, as in nanoGPT.
 *
 * Source: A. Karpathy, "char-rnn", 2015; the file is checked against its SHA-256.
 *
 * Shape: text 1,115,394 characters, 65 different ones; trainText 1,003,854; validationText 111,540
 *
 * @throws DatasetError as `mnist.loadData` does; also if a text of your own (`verify: false`) is not UTF-8.
 * @example
 * ```ts no-run="needs the text of Tiny Shakespeare"
 * import { CharacterVocabulary, tinyShakespeare, tokenWindows } from '@cotangent/datasets'
 * import { key } from '@cotangent/core'
 *
 * const { text, trainText, validationText } = await tinyShakespeare.loadData()
 * const vocabulary = new CharacterVocabulary(text)   // vocabulary.size = 65
 * const batches = tokenWindows(vocabulary.encode(trainText), { length: 64, batchSize: 12, key: key(7) })
 * const validation = tokenWindows(vocabulary.encode(validationText), { length: 64, batchSize: 12 })
 * ```
 */
export const loadData = (options: LoadOptions = {}): Promise<TextDataset> => loadText(options)

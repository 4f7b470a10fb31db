/** Tiny Shakespeare for the two networks: batches drawn as nanoGPT draws them, and the loss on the whole validation text. */
import { foldKey, key, type Tensor, tensor } from '@cotangent/core'
import { CharacterVocabulary, type TokenBatch, tinyShakespeare, tokenWindows } from '@cotangent/datasets'
import { withoutPath } from '../lib/experiment.js'
import { dataHash } from '../lib/hash.js'
import type { DataUsed } from '../lib/session.js'

export const BATCH = 12

export interface Text {
  source: string
  /** For those who keep the result. */
  data: DataUsed
  vocabulary: CharacterVocabulary
  /** Batches to train on, without end. */
  batches(context: number, seed: number): ReturnType<typeof tokenWindows>
  /** The validation text in windows that follow each other. */
  validation(context: number): ReturnType<typeof tokenWindows>
}

/** @param most characters of each part, at most */
export async function loadText(dir?: string, most = Number.POSITIVE_INFINITY): Promise<Text> {
  const { text, trainText, validationText, source } = await tinyShakespeare.loadData({ dir })
  const vocabulary = new CharacterVocabulary(text)
  const [train, validation] = [trainText, validationText].map((part) => vocabulary.encode(part.slice(0, most)))
  return {
    source,
    data: {
      name: 'Tiny Shakespeare',
      source: withoutPath(source),
      train: train.length,
      validation: validation.length,
      sha256: dataHash([new TextEncoder().encode(text)]),
    },
    vocabulary,
    batches: (length, seed) => tokenWindows(train, { length, batchSize: BATCH, key: foldKey(key(seed), 1) }),
    validation: (length) => tokenWindows(validation, { length, batchSize: 64 }),
  }
}

/** The tensors of a batch: ids and the characters after them, [b, t] both. */
export const tensorsOf = ([x, y]: TokenBatch): [Tensor, Tensor] => [
  tensor(x.data, { shape: x.shape, dtype: 'int32' }),
  tensor(y.data, { shape: y.shape, dtype: 'int32' }),
]

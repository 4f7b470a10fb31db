/** The row `gpt` as data: the network and the recipe of the example of that name (examples/gpt), on texts of the bench's own. */
import type { Row } from './networks.js'
import { stream } from './random.js'

/** A GPT to train. One step: upload a batch, forward, backward, AdamW with gradients cut to length 1, read the loss. */
export interface GptWorkload extends Row {
  kind: 'gpt'
  /** How many characters there are. */
  vocabulary: number
  /** How many of them the network sees at once. */
  context: number
  layers: number
  heads: number
  width: number
  batch: number
  /** The learning rate rises and falls within so many steps; afterwards it stays where it is. */
  steps: number
  /** Matrices start as `waves` instead of random. Then all libraries compute the same; our layers, whose attention has three matrices for one, do not know it. */
  fixedWeights?: boolean
}

export const gpt: GptWorkload = {
  kind: 'gpt',
  id: 'L',
  name: 'gpt',
  title: 'GPT of 4 blocks, 4 heads, width 128, over 64 of 65 characters, cross-entropy, AdamW',
  vocabulary: 65,
  context: 64,
  layers: 4,
  heads: 4,
  width: 128,
  batch: 12,
  steps: 2000,
}

export { rateAt } from '../examples/gpt/gpt-core.js'

/** Values for matrix number `index` of those in the order of `createGpt`: sin(index + 3·row + 5·column) · scale. */
export const waves = (index: number, rows: number, columns: number, scale: number): Float32Array =>
  Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(index + 3 * Math.floor(i / columns) + 5 * (i % columns)) * scale)

/** Characters and those after them, [batch, context] both. */
export interface Texts {
  ids: Int32Array
  next: Int32Array
}

const BATCHES = 200

/** Texts with a rule: a character follows from the one before, but one in five is drawn. */
export function textsOf({ vocabulary, context, batch }: GptWorkload, seed: number): Texts[] {
  const draw = stream(seed)
  return Array.from({ length: BATCHES }, () => {
    const [ids, next] = [new Int32Array(batch * context), new Int32Array(batch * context)]
    for (let row = 0; row < batch; row++) {
      let character = Math.floor(draw() * vocabulary)
      for (let i = row * context; i < (row + 1) * context; i++) {
        ids[i] = character
        const u = draw()
        character = u < 0.2 ? Math.floor(u * 5 * vocabulary) : (character * 3 + 1) % vocabulary
        next[i] = character
      }
    }
    return { ids, next }
  })
}

/**
 * The flops of a step: 2 for each number of a matrix and each character, forward, and twice as many backward. Attention's two products count in full, though half
 * of their results are in the future and not used.
 */
export function gptFlops({ vocabulary, context, layers, width, batch }: GptWorkload): number {
  const perCharacter = layers * (12 * width ** 2 + 2 * context * width) + vocabulary * width
  return 6 * batch * context * perCharacter
}

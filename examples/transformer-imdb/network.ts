/** The network: one block of a Transformer over the words of a review, as a graph of layers. Shapes: n reviews, t words, w numbers for each word. */
import type { Parameter, Tensor } from '@cotangent/core'
import {
  add,
  type BatchShape,
  type BuildContext,
  dense,
  dropout,
  embedding,
  globalAveragePooling1d,
  initializers,
  input,
  Layer,
  layerNormalization,
  type Model,
  model,
  multiHeadAttention,
  type SymbolicTensor,
} from '@cotangent/layers'

export interface Sizes {
  words: number // how many different words there are
  length: number // words of a review
  width: number
  heads: number
  hidden: number // numbers between the two matrices of the block
}

/** The sizes of Keras' example: 657,758 parameters, 646,400 of them for words and places. */
export const asInKeras: Sizes = { words: 20_000, length: 200, width: 32, heads: 2, hidden: 32 }

/** x plus a row for each place. The mask of x goes on. Shape: [n, t, w] → [n, t, w] */
export class PlaceEmbedding extends Layer {
  readonly className = 'PlaceEmbedding'
  override readonly supportsMasking = true
  table?: Parameter // [t, w]

  constructor() {
    super('PlaceEmbedding', {}, [])
  }
  override makeWeights([, t, w]: BatchShape, context: BuildContext): void {
    this.table = this.addWeight('embeddings', [t as number, w as number], initializers.getInitializer('uniform'), context)
  }
  override outputShape(shape: BatchShape): BatchShape {
    return shape
  }
  override call(x: Tensor): Tensor {
    return x.add(this.table as Parameter)
  }
}

interface Blocked {
  y: SymbolicTensor // [n, t, w]
  scores?: SymbolicTensor // [n, heads, t, t]: how much each word takes from each other one
}

/** Each word takes something from all others, then two matrices work on each word alone. Both are added to what was there. Shape of x: [n, t, w] */
function block(x: SymbolicTensor, { heads, width, hidden }: Sizes, returnAttentionScores: boolean): Blocked {
  const [seen, scores] = multiHeadAttention(heads, width, { returnAttentionScores }).applyAll([x, x])
  const y = layerNormalization({ epsilon: 1e-6 }).apply(add().apply([x, dropout(0.1).apply(seen)]))
  const worked = dense(width).apply(dense(hidden, { activation: 'relu' }).apply(y))
  return { y: layerNormalization({ epsilon: 1e-6 }).apply(add().apply([y, dropout(0.1).apply(worked)])), scores }
}

function graph(sizes: Sizes, withScores: boolean) {
  const words = input({ shape: [sizes.length], dtype: 'int32' })
  const vectors = new PlaceEmbedding().apply(embedding(sizes.words, sizes.width, { maskZero: true }).apply(words))
  const { y, scores } = block(dropout(0.2).apply(vectors), sizes, withScores)
  const mean = dropout(0.1).apply(globalAveragePooling1d().apply(y)) // [n, w]
  const found = dropout(0.1).apply(dense(20, { activation: 'relu' }).apply(mean))
  return { words, verdict: dense(2, { activation: 'softmax' }).apply(found), scores }
}

/** Word numbers [n, t] → p(bad), p(good). Number 0 is no word: the mask leaves it out of attention and of the mean. */
export function reviewModel(sizes: Sizes, seed: number): Model {
  const { words, verdict } = graph(sizes, false)
  return model({ inputs: words, outputs: verdict, seed })
}

/** The same network with the scores of its attention as a second output, and the weights of a trained one. */
export async function seeingModel(sizes: Sizes, trained: Model): Promise<Model> {
  const { words, verdict, scores } = graph(sizes, true)
  const seeing = model({ inputs: words, outputs: [verdict, scores as SymbolicTensor] })
  await seeing.setWeights(await trained.getWeights())
  return seeing
}

/**
 * A GPT in ops alone (Radford et al. 2019; the sizes and the recipe are those of nanoGPT for a processor): the network, one training step, and writing text.
 * Every tensor's shape stands beside it: b texts, t characters, w numbers for each. gpt.ts has the same network in layers.
 */
import {
  applyUpdates,
  compileStep,
  concat,
  eachStep,
  foldKey,
  gelu,
  type Key,
  layerNorm,
  normal,
  ones,
  Parameter,
  sampleLogits,
  scaledDotProductAttention,
  scope,
  softmaxCrossEntropy,
  stack,
  type Tensor,
  tensor,
  updateProgram,
  valueAndGrad,
} from '@cotangent/core'

export interface Sizes {
  vocabulary: number // how many characters there are
  context: number // how many characters the network sees at once
  layers: number
  heads: number
  width: number
}

/** nanoGPT's setting for a processor: 0.80 million parameters with the 65 characters of Shakespeare. */
export const small: Sizes = { vocabulary: 65, context: 64, layers: 4, heads: 4, width: 128 }

interface Block {
  norm1: Parameter // [w]
  attend: Parameter // [w, 3w]: queries, keys and values at once
  merge: Parameter // [w, w]
  norm2: Parameter // [w]
  expand: Parameter // [w, 4w]
  contract: Parameter // [4w, w]
}

export interface Gpt {
  sizes: Sizes
  characters: Parameter // [vocabulary, w], also the last layer
  positions: Parameter // [context, w]
  blocks: Block[]
  norm: Parameter // [w]
  parameters: Parameter[] // all of them, in the order in which they were made
}

/**
 * Random weights: normal with deviation 1 / √width, so that a product with normalised rows is about as large as the rows; less where a block adds to the stream, so
 * that the stream does not grow with the number of blocks.
 */
export function createGpt(sizes: Sizes, seed: Key): Gpt {
  const { vocabulary, context, layers, width: w } = sizes
  const parameters: Parameter[] = []
  const keep = (name: string, value: Tensor): Parameter => {
    parameters.push(new Parameter(value, { name }))
    return parameters[parameters.length - 1]
  }
  const draw = (name: string, shape: number[], stddev = 1 / Math.sqrt(w)): Parameter =>
    keep(name, normal(foldKey(seed, parameters.length), shape, { stddev }))
  const calm = 1 / Math.sqrt(w) / Math.sqrt(2 * layers)
  const characters = draw('characters', [vocabulary, w])
  const positions = draw('positions', [context, w])
  const blocks = Array.from(
    { length: layers },
    (_, i): Block => ({
      norm1: keep(`block${i}/norm1`, ones([w])),
      attend: draw(`block${i}/attend`, [w, 3 * w]),
      merge: draw(`block${i}/merge`, [w, w], calm),
      norm2: keep(`block${i}/norm2`, ones([w])),
      expand: draw(`block${i}/expand`, [w, 4 * w]),
      contract: draw(`block${i}/contract`, [4 * w, w], calm),
    }),
  )
  return { sizes, characters, positions, blocks, norm: keep('norm', ones([w])), parameters }
}

/** Keys and values of the characters so far, for each block: [1, past, heads, w/heads] both. */
export type Cache = { keys: Tensor; values: Tensor }[]

/** Logits [b·t, vocabulary] of the character after each of ids [b, t]. With a cache, ids go on where it ends, and it grows by them. */
export function forward({ sizes, characters, positions, blocks, norm }: Gpt, ids: Tensor, cache?: Cache): Tensor {
  const { heads, width: w } = sizes
  const [b, t] = ids.shape
  const past = cache?.[0]?.keys.shape[1] ?? 0
  const normed = (x: Tensor, gamma: Tensor): Tensor => layerNorm(x, { gamma, epsilon: 1e-5 })

  let x = characters
    .gather(ids)
    .add(positions.slice([past, 0], [t]))
    .reshape([b * t, w])
  for (const [i, { norm1, attend, merge, norm2, expand, contract }] of blocks.entries()) {
    const parts = normed(x, norm1).matMul(attend).split(3, -1) // each [b·t, w]
    let [query, key, value] = parts.map((part) => part.reshape([b, t, heads, w / heads]))
    if (cache) {
      if (past > 0) [key, value] = [concat([cache[i].keys, key], 1), concat([cache[i].values, value], 1)]
      cache[i] = { keys: key, values: value }
    }
    const seen = scaledDotProductAttention(query, key, value, { causal: past === 0 })
    x = x.add(seen.reshape([b * t, w]).matMul(merge))
    x = x.add(gelu(normed(x, norm2).matMul(expand)).matMul(contract))
  }
  return normed(x, norm).matMul(characters, { transposeB: true })
}

/** The mean of −log p of the right next characters: ids [b, t], next [b, t]. */
export function loss(gpt: Gpt, ids: Tensor, next: Tensor): Tensor {
  return softmaxCrossEntropy(forward(gpt, ids), next.reshape([-1])).mean()
}

// AdamW (Loshchilov & Hutter 2019). m and v are the running means of g and g²; `grow` undoes their start at 0.
const adamW = updateProgram('gpt/adamW', { slots: 3, inputs: 1, scalars: 8 }, ([w, m, v], [g], scalars) => {
  const [beta1, rest1, beta2, rest2, rate, grow, epsilon, shrink] = scalars
  const mean = m.mul(beta1).add(g.mul(rest1))
  const square = v.mul(beta2).add(g.square().mul(rest2))
  return [w.mul(shrink).sub(mean.mul(rate).div(square.sqrt().mul(grow).add(epsilon))), mean, square]
})

/** 100 steps of warming up to 0.001, then half a cosine down to 0.0001. */
export function rateAt(step: number, steps: number): number {
  const [most, least, warm] = [1e-3, 1e-4, Math.min(100, steps / 10)]
  if (step < warm) return (most * (step + 1)) / (warm + 1)
  return least + ((most - least) * (1 + Math.cos(Math.PI * Math.min(1, (step - warm) / (steps - warm))))) / 2
}

export interface Trainer {
  gpt: Gpt
  step: number // the one that comes next, from 0
  state: Parameter[][] // for each parameter the running means of its gradient and of the square
  train: (ids: Tensor, next: Tensor) => Tensor // one step on a batch; gives the loss before it
}

/** A trainer for so many steps. Its step is recorded: after the first three, its kernels run without this code. */
export function createTrainer(gpt: Gpt, steps: number): Trainer {
  const state = gpt.parameters.map((w) => [0, 1].map(() => new Parameter(w.mul(0), { name: w.name, trainable: false })))
  const trainer: Trainer = { gpt, step: 0, state, train: compileStep(train) }
  return trainer
  function train(ids: Tensor, next: Tensor): Tensor {
    const { value, grads } = valueAndGrad(gpt.parameters, () => loss(gpt, ids, next))
    const squares = grads.map((g) => g.square().sum())
    const length = stack(squares).sum().sqrt().maximum(1) // gradients longer than 1 in all are cut to length 1
    const targets = gpt.parameters.map((w, i) => ({ slots: [w, ...state[i]], inputs: [grads[i].div(length)] }))
    for (const rank of [1, 2]) {
      const ofRank = targets.filter(({ slots }) => slots[0].rank === rank) // matrices shrink a little at each step
      const numbers = (): number[] => {
        const [rate, t] = [rateAt(trainer.step, steps), trainer.step + 1]
        return [0.9, 1 - 0.9, 0.99, 1 - 0.99, rate / (1 - 0.9 ** t), 1 / Math.sqrt(1 - 0.99 ** t), 1e-8, rank === 2 ? 1 - 0.1 * rate : 1]
      }
      applyUpdates(adamW, ofRank, eachStep(numbers))
    }
    eachStep(() => [trainer.step++])
    return value
  }
}

export interface WriteOptions {
  count: number // of characters
  temperature?: number // divides the logits: below 1 the likely characters become likelier
  topK?: number // only so many of the likeliest characters are drawn
  seed: Key
}

const free = (cache: Cache): void => {
  for (const { keys, values } of cache) for (const each of [keys, values]) each.dispose()
}

/** Goes on from the prompt, character by character. Keys and values of earlier characters are kept; when the context is full, its second half is read anew. */
export async function* write(gpt: Gpt, prompt: readonly number[], options: WriteOptions): AsyncGenerator<number> {
  const { count, temperature = 0.8, topK = 20, seed } = options
  const { context, vocabulary } = gpt.sizes
  const text = [...prompt]
  let cache: Cache = []
  let unread = text.slice(-context)
  for (let i = 0; i < count; i++) {
    const grown = [...cache]
    const { drawn } = scope(() => {
      const logits = forward(gpt, tensor([unread], { dtype: 'int32' }), grown).slice([unread.length - 1, 0], [1, vocabulary])
      return { drawn: sampleLogits(foldKey(seed, i), logits, { temperature, topK }), grown }
    })
    free(cache)
    const [id] = await drawn.data()
    drawn.dispose()
    text.push(id)
    yield id
    ;[cache, unread] = [grown, [id]]
    if (grown[0].keys.shape[1] < context) continue
    free(grown)
    ;[cache, unread] = [[], text.slice(-context / 2)]
  }
  free(cache)
}

/** The GPT of examples/gpt on jax-js: blocks, loss and AdamW written out, a whole step in one `jit`. Its own attention calls einsum, which needs Node 22. */
import type { Prepared } from '../adapter.js'
import { type GptWorkload, rateAt, textsOf, waves } from '../gpt.js'
import { stream } from '../random.js'
import type { Flat, Jax, JaxArray } from './jax-library.js'

/** Normal values of a deviation, by Box and Muller's method. */
function normalValues(draw: () => number, size: number, deviation: number): Float32Array {
  return Float32Array.from({ length: size }, () => deviation * Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw()))
}

/** The weights in the order in which `logits` takes them: characters, positions, six for each block, the last norm's factors. */
function weightsOf({ numpy: np }: Jax, { vocabulary, context, layers, width: w, fixedWeights }: GptWorkload, seed: number): Flat {
  const draw = stream(seed + 1)
  let index = 0
  const matrix = (rows: number, columns: number, factor = 1): JaxArray =>
    np.array(fixedWeights ? waves(index++, rows, columns, 0.1) : normalValues(draw, rows * columns, factor / Math.sqrt(w)), {
      shape: [rows, columns],
    })
  const ones = (): JaxArray => np.array(new Float32Array(w).fill(1))
  const calm = 1 / Math.sqrt(2 * layers)
  const block = (): Flat => [ones(), matrix(w, 3 * w), matrix(w, w, calm), ones(), matrix(w, 4 * w), matrix(4 * w, w, calm)]
  return [matrix(vocabulary, w), matrix(context, w), ...Array.from({ length: layers }, block).flat(), ones()]
}

/** Logits [batch·context, vocabulary] of the characters after ids. */
function logits({ numpy: np, nn }: Jax, { context: t, layers, heads, width: w, batch: b }: GptWorkload, weights: Flat, ids: JaxArray) {
  const [characters, positions, ...rest] = weights
  const take = (): JaxArray => rest.shift() as JaxArray
  const norm = (x: JaxArray): JaxArray => nn.standardize(x, -1, { epsilon: 1e-5 }).mul(take())
  const closed = Float32Array.from({ length: t * t }, (_, i) => (i % t > Math.floor(i / t) ? -1e9 : 0))
  const byHead = (part: JaxArray): JaxArray => np.transpose(part.reshape([b, t, heads, w / heads]), [0, 2, 1, 3])
  let x = np.take(characters.ref, ids, 0).add(positions) // [b, t, w]
  for (let i = 0; i < layers; i++) {
    const [query, key, value] = np.split(np.matmul(norm(x.ref), take()), 3, -1).map(byHead)
    const scores = np.matmul(query.mul(Math.sqrt(heads / w)), np.matrixTranspose(key)).add(np.array(closed, { shape: [t, t] }))
    const seen = np.transpose(np.matmul(nn.softmax(scores, -1), value), [0, 2, 1, 3]).reshape([b, t, w])
    x = x.add(np.matmul(seen, take()))
    const wide = nn.gelu(np.matmul(norm(x.ref), take()), { approximate: false })
    x = x.add(np.matmul(wide, take()))
  }
  return np.matmul(norm(x), np.matrixTranspose(characters))
}

/** The GPT, ready to be trained. */
export function trainGpt(jax: Jax, workload: GptWorkload, seed: number): Prepared {
  const { numpy: np, nn } = jax
  const { batch, context, vocabulary } = workload
  const texts = textsOf(workload, seed)
  let parameters = weightsOf(jax, workload, seed)
  let moments: Flat = parameters.flatMap(({ shape }) => [np.zeros([...shape]), np.zeros([...shape])])

  const lossOf = (weights: Flat, ids: JaxArray, next: JaxArray, key: JaxArray): JaxArray => {
    key.dispose()
    const right = nn.oneHot(next, vocabulary)
    return nn
      .logSoftmax(logits(jax, workload, weights, ids), -1)
      .mul(right)
      .sum()
      .div(-batch * context)
  }
  // `rate` has the two corrections of AdamW's start: the learning rate by 1 − 0.9^t, and 1 ÷ √(1 − 0.99^t); then the learning rate alone.
  const step = jax.jit((weights: Flat, slots: Flat, ids: JaxArray, next: JaxArray, rates: Flat): [JaxArray, Flat, Flat] => {
    const [corrected, grow, plain] = rates
    const held = weights.map((weight) => weight.ref)
    const [value, grads] = jax.valueAndGrad(lossOf)(held, ids, next, np.array(0))
    const squared = grads.map((g) => g.ref.mul(g.ref).sum()).reduce((a, b) => a.add(b))
    const clip = np.array(1).div(np.sqrt(np.maximum(squared, 1)))
    const kept: Flat = []
    const moved = weights.map((weight, i) => {
      const g = grads[i].mul(clip.ref)
      const m = slots[2 * i].mul(0.9).add(g.ref.mul(1 - 0.9))
      const v = slots[2 * i + 1].mul(0.99).add(g.ref.mul(g).mul(1 - 0.99))
      kept.push(m.ref, v.ref)
      const shrunk = weight.shape.length === 2 ? weight.sub(weight.ref.mul(plain.ref.mul(0.1))) : weight
      return shrunk.sub(m.mul(corrected.ref).div(np.sqrt(v).mul(grow.ref).add(1e-8)))
    })
    for (const each of [clip, ...rates]) each.dispose()
    return [value, moved, kept]
  })

  let t = 0
  return {
    async run(steps) {
      let value = Number.NaN
      for (let i = 0; i < steps; i++) {
        const { ids, next } = texts[t % texts.length]
        const [x, y] = [ids, next].map((values) => np.array(values, { shape: [batch, context] }))
        const rate = rateAt(t++, workload.steps)
        const rates = [rate / (1 - 0.9 ** t), 1 / Math.sqrt(1 - 0.99 ** t), rate].map((each) => np.array(each))
        const [last, ...state] = step(parameters, moments, x, y, rates)
        ;[parameters, moments] = state
        ;[value] = Array.from(await last.data())
      }
      return value
    },
    dispose() {
      for (const each of [...parameters, ...moments]) each.dispose()
      step.dispose()
    },
  }
}

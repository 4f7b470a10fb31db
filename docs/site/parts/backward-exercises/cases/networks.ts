/** Attention and the LSTM cell: chains of what came before. */
import { lstmCell, scaledDotProductAttention, type Tensor } from '@cotangent/core'
import type { Case, Checks, Namespace } from './case.js'

const last = { axis: -1, keepDims: true } as const

const attended = (query: readonly number[], key: readonly number[], size: number, name: string, why?: string, scale?: number): Case => ({
  name,
  hidden: true,
  inputs: [{ shape: query }, { shape: key }, { shape: [...key.slice(0, 3), size] }],
  run: (q, k, v) => scaledDotProductAttention(q, k, v, scale === undefined ? {} : { scale }),
  why,
})
type AttentionAt = { dY: Tensor; options: { scale: number } }
/** A rule that is right but for what `bend` says. */
const bent =
  (bend: { scale?: boolean; centre?: boolean; weights?: boolean; order?: boolean }) =>
  ({ dY, options: { scale } }: AttentionAt, inputs: readonly Tensor[], ops: Namespace): (() => Tensor)[] => {
    const heads = (t: Tensor): Tensor => ops.transpose(t, [0, 2, 1, 3])
    const [query, key, value] = inputs.map(heads)
    const weights = ops.softmax(ops.mul(ops.matMul(query, key, { transposeB: true }), scale))
    const d = heads(dY)
    const dWeights = ops.matMul(d, value, { transposeB: true })
    const centred = bend.centre ? dWeights : ops.sub(dWeights, ops.sum(ops.mul(dWeights, weights), last))
    const slopes = bend.weights ? centred : ops.mul(weights, centred)
    const dScores = bend.scale ? slopes : ops.mul(slopes, scale)
    const back = bend.order ? (t: Tensor): Tensor => t : heads
    return [
      () => back(ops.matMul(dScores, key)),
      () => back(ops.matMul(dScores, query, { transposeA: true })),
      () => back(ops.matMul(weights, d, { transposeA: true })),
    ]
  }
export const ofAttention: Checks = {
  cases: [
    { ...attended([1, 3, 1, 4], [1, 3, 1, 4], 2, 'one head, three steps'), hidden: false },
    attended(
      [2, 3, 2, 4],
      [2, 3, 2, 4],
      3,
      'two texts, two heads',
      'Each head of each text attends on its own: axes 0 and 2 of [batch, steps, heads, size] are never summed.',
    ),
    attended(
      [1, 2, 1, 3],
      [1, 5, 1, 3],
      3,
      'fewer queries than keys',
      'weights is [.., 2, 5] here. Which of its axes does each product sum?',
    ),
    attended([1, 1, 1, 2], [1, 1, 1, 2], 2, 'a single key', 'The only weight is 1 whatever the scores are, so query and key get 0.'),
    attended([1, 3, 1, 3], [1, 3, 1, 3], 3, 'another scale', 'scale is 0.9 here, not 1/√size: take it from options.', 0.9),
  ],
  mistakes: [
    {
      title: 'The factor scale is missing',
      text: 'The scores were multiplied with scale on the way forward, so what comes back through them is, too.',
      vjp: bent({ scale: true }),
    },
    {
      title: 'Half of the softmax',
      text: 'You multiply dWeights with the weights. Before that, Σ dWeights·weights over the row is taken away: the weights of a row move together.',
      vjp: bent({ centre: true }),
    },
    {
      title: 'The factor weights is missing',
      text: 'dWeights − Σ dWeights·weights is right as far as it goes. Going back through a softmax ends with a product with its output.',
      vjp: bent({ weights: true }),
    },
    {
      title: 'The order of the axes was not brought back',
      text: 'Your results are [batch, heads, steps, size]. The inputs are [batch, steps, heads, size]: transpose with [0, 2, 1, 3] once more.',
      vjp: bent({ order: true }),
    },
  ],
}

const stepped = (n: number, size: number, units: number, name: string, why?: string): Case => ({
  name,
  hidden: true,
  inputs: [
    { shape: [n, size] },
    { shape: [n, units], low: -0.9, high: 0.9 },
    { shape: [n, units] },
    { shape: [size, 4 * units], low: -0.8, high: 0.8 },
    { shape: [units, 4 * units], low: -0.8, high: 0.8 },
    { shape: [4 * units] },
  ],
  run: lstmCell,
  why,
})
type CellAt = { dY: Tensor; y: Tensor }
/** A rule that is right but for what `bend` says. */
const bentCell =
  (bend: { throughH?: boolean; direct?: boolean; squash?: boolean; slopes?: boolean; order?: boolean; forget?: boolean }) =>
  ({ dY, y }: CellAt, [x, h, c, W, U, b]: readonly Tensor[], ops: Namespace): (() => Tensor)[] => {
    const [dH, dC] = ops.unstack(dY)
    const [, next] = ops.unstack(y)
    const [zi, zf, zg, zo] = ops.split(ops.add(ops.add(ops.matMul(x, W), ops.matMul(h, U)), b), 4, -1)
    const [i, f, g, o] = [ops.sigmoid(zi), ops.sigmoid(zf), ops.tanh(zg), ops.sigmoid(zo)]
    const squashed = ops.tanh(next)
    const slope = bend.squash ? o : ops.mul(o, ops.sub(1, ops.square(squashed)))
    const through = ops.mul(dH, slope)
    const dNext = bend.throughH ? dC : bend.direct ? through : ops.add(dC, through)
    const gate = (d: Tensor, s: Tensor): Tensor => (bend.slopes ? d : ops.mul(d, ops.mul(s, ops.sub(1, s))))
    const dI = gate(ops.mul(dNext, g), i)
    const dF = gate(ops.mul(dNext, c), f)
    const dG = bend.slopes ? ops.mul(dNext, i) : ops.mul(ops.mul(dNext, i), ops.sub(1, ops.square(g)))
    const dO = gate(ops.mul(dH, squashed), o)
    const dZ = ops.concat(bend.order ? [dF, dI, dG, dO] : [dI, dF, dG, dO], -1)
    return [
      () => ops.matMul(dZ, W, { transposeB: true }),
      () => ops.matMul(dZ, U, { transposeB: true }),
      () => (bend.forget ? dNext : ops.mul(dNext, f)),
      () => ops.matMul(x, dZ, { transposeA: true }),
      () => ops.matMul(h, dZ, { transposeA: true }),
      () => ops.sum(dZ, { axis: 0 }),
    ]
  }
export const ofLstm: Checks = {
  cases: [
    { ...stepped(2, 3, 2, 'two rows, three inputs, two units'), hidden: false },
    stepped(1, 1, 1, 'one of everything'),
    stepped(3, 2, 3, 'as many rows as units', 'Rows and units are both 3 here, so a missing transpose has the right shape.'),
  ],
  mistakes: [
    {
      title: 'What comes back through h is missing',
      text: 'The new c also makes the new h = o·tanh(c). Add dH·o·(1 − tanh²(c)) to dC.',
      vjp: bentCell({ throughH: true }),
    },
    {
      title: 'dC itself is missing',
      text: 'The new c is a result of its own; the next step reads it. Its dC is added to what comes back through h.',
      vjp: bentCell({ direct: true }),
    },
    {
      title: 'The slope of tanh(c) is missing',
      text: 'h = o·tanh(c): on the way from h to c there is a tanh, so the factor is o·(1 − tanh²(c)).',
      vjp: bentCell({ squash: true }),
    },
    {
      title: 'The slopes of the gates are missing',
      text: 'You have the derivatives by i, f, g and o. To get to z, each is multiplied with the slope of its function: i·(1 − i), and 1 − g² for the tanh.',
      vjp: bentCell({ slopes: true }),
    },
    {
      title: 'The gates are in another order',
      text: 'Columns of z are i, f, g, o. Join the four derivatives in that order.',
      vjp: bentCell({ order: true }),
    },
    {
      title: 'The forget gate is forgotten',
      text: 'The old c is multiplied with f on its way to the new one, so its derivative is dNext·f. If f is near 1, it passes whole: this is how an LSTM remembers.',
      vjp: bentCell({ forget: true }),
    },
  ],
}

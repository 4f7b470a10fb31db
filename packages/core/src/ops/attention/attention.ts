/** Attention by scaled dot products (Vaswani et al.: "Attention is all you need", 2017), with several heads, of which some may share keys and values. */
import { requireBoolean, requireNumber, requireOptions } from '../../arguments.js'
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Ops, Sample, SampleInput } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import { shapeError } from '../../errors.js'
import { requireDType } from '../../tensor/dtype.js'
import { broadcastShapes, type Shape, sameShape } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { requireFloats } from '../requirements.js'

/** Who may look where. */
export interface AttentionOptions {
  /** bool, broadcast to [batch, heads, t, s]: true where a query may look at a key. */
  mask?: Tensor
  /** Added to the scores, broadcast to [batch, heads, t, s]; −∞ closes a position. It has a derivative. */
  bias?: Tensor
  /** Query i looks at keys 0 to i alone. */
  causal?: boolean
  /** Factor of the scores; 1/√dim by default. */
  scale?: number
}

interface Settings {
  /** Whether a mask, and then a bias, follow the other inputs. */
  masked: boolean
  biased: boolean
  causal: boolean
  scale: number
}

/** The least float32: closed positions have this score. A row of nothing else has equal weights, where −∞ would give NaN. */
const CLOSED = -3.4028234663852886e38

/** Query heads that share a head of keys become rows of one product: [b, t, g·r, d] → [b, g, r·t, d]. */
function groupedRows(query: Tensor, groups: number, ops: Ops): Tensor {
  const [b, t, heads, d] = query.shape
  return ops.reshape(ops.transpose(query, [0, 2, 1, 3]), [b, groups, (heads / groups) * t, d])
}

function weightsOf(query: Tensor, key: Tensor, more: readonly Tensor[], { masked, biased, causal, scale }: Settings, ops: Ops): Tensor {
  const [b, t, heads] = query.shape
  const [, s, groups] = key.shape
  const rows = groupedRows(ops.mul(query, scale), groups, ops)
  const products = ops.matMul(rows, ops.transpose(key, [0, 2, 1, 3]), { transposeB: true }) // [b, g, r·t, s]
  let scores: Tensor = ops.reshape(products, [b, heads, t, s])
  if (biased) scores = ops.add(scores, ops.maximum(more[masked ? 1 : 0], CLOSED))
  const place = { dtype: 'int32', backend: query.backend } as const
  const past = causal ? [ops.greaterEqual(ops.reshape(ops.arange(0, t, 1, place), [t, 1]), ops.arange(0, s, 1, place))] : []
  const open = [...(masked ? [more[0]] : []), ...past]
  if (open.length > 0) scores = ops.where(open.length === 2 ? ops.logicalAnd(open[0], open[1]) : open[0], scores, CLOSED)
  return ops.softmax(scores)
}

const callWeights = defineComposed<Settings>({
  name: 'attentionWeights',
  compose: ([query, key, ...more], options, ops) => weightsOf(query, key, more, options, ops),
  samples: samples(false),
})

const callAttention = defineComposed<Settings>({
  name: 'scaledDotProductAttention',
  compose: ([query, key, value, ...more], options, ops) => {
    const [b, t, heads] = query.shape
    const [, s, groups, depth] = value.shape
    const weights = ops.reshape(weightsOf(query, key, more, options, ops), [b, groups, (heads / groups) * t, s])
    const mixed = ops.matMul(weights, ops.transpose(value, [0, 2, 1, 3])) // [b, g, r·t, e]
    return ops.transpose(ops.reshape(mixed, [b, heads, t, depth]), [0, 2, 1, 3])
  },
  samples: samples(true),
})

/**
 * softmax(Q·Kᵀ·scale + bias, where the mask is true)·V, for each head. With fewer heads of keys and values than of queries, each serves
 * heads/groups neighbouring query heads (Ainslie et al.: "GQA", 2023). A row of which the mask closes everything gets the mean of all values.
 *
 * Shape:    query [b, t, heads, d], key [b, s, groups, d], value [b, s, groups, e] → [b, t, heads, e]
 * Gradient: dValue = weightsᵀ·dY, dWeights = dY·valueᵀ, and from there as `attentionWeights`; bias has one, mask has none
 * Cost:     2·b·heads·t·s·(d + e) flops, and b·heads·t·s numbers of memory for the weights
 *
 * @throws ShapeError if the sizes do not meet, or the heads do not divide into groups.
 * @example
 * ```ts
 * const [q, k, v] = ['q', 'k', 'v'].map((_, i) => normal(key(i), [2, 5, 4, 8]))   // 2 texts, 5 words, 4 heads
 * const y = scaledDotProductAttention(q, k, v, { causal: true })                  // [2, 5, 4, 8]
 * ```
 */
export function scaledDotProductAttention(query: Tensor, key: Tensor, value: Tensor, options: AttentionOptions = {}): Tensor {
  const { inputs, settings } = checked('scaledDotProductAttention', query, key, options)
  requireTensor('scaledDotProductAttention', 'value', value)
  requireDType('scaledDotProductAttention', 'value', value.dtype, [query.dtype])
  if (value.rank !== 4 || !sameShape(value.shape.slice(0, 3), key.shape.slice(0, 3))) {
    throw shapeError('scaledDotProductAttention', 'value needs the batch, steps and heads of key', [
      { name: 'key', shape: key.shape },
      { name: 'value', shape: value.shape },
    ])
  }
  return callAttention([query, key, value, ...inputs], settings)
}

/**
 * The weights of `scaledDotProductAttention`: how much each query takes of each value.
 *
 * Shape:    query [b, t, heads, d], key [b, s, groups, d] → [b, heads, t, s]; each row is positive and 1 in sum
 * Gradient: dScores = weights·(dY − Σ dY·weights), dQuery = scale·dScores·key, dKey = scale·dScoresᵀ·query
 *
 * @throws ShapeError if the sizes do not meet, or the heads do not divide into groups.
 * @example
 * ```ts
 * const x = ones([1, 2, 1, 4])
 * attentionWeights(x, x, { causal: true }).flatten()   // [1, 0, 0.5, 0.5]
 * ```
 */
export function attentionWeights(query: Tensor, key: Tensor, options: AttentionOptions = {}): Tensor {
  const { inputs, settings } = checked('attentionWeights', query, key, options)
  return callWeights([query, key, ...inputs], settings)
}

/** The inputs behind query, key and value, and the settings; throws for what does not fit. */
function checked(op: string, query: Tensor, key: Tensor, options: AttentionOptions): { inputs: Tensor[]; settings: Settings } {
  requireFloats(op, 'query', query)
  requireTensor(op, 'key', key)
  requireDType(op, 'key', key.dtype, [query.dtype])
  requireOptions(op, options, ['mask', 'bias', 'causal', 'scale'], `${op}(…, { causal: true })`)
  const { mask, bias, causal = false, scale } = options
  const operands = [
    { name: 'query', shape: query.shape },
    { name: 'key', shape: key.shape },
  ]
  if (query.rank !== 4 || key.rank !== 4) throw shapeError(op, 'query and key need 4 axes [batch, steps, heads, dim]', operands)
  const [b, t, heads, d] = query.shape
  const [batch, s, groups, depth] = key.shape
  if (batch !== b || depth !== d) throw shapeError(op, 'query and key need one batch and one size of the last axis', operands)
  if (groups === 0 || heads % groups !== 0) {
    throw shapeError(op, `${heads} query heads do not divide into ${groups} groups, one for each head of key`, operands)
  }
  if (s === 0) throw shapeError(op, 'there is nothing to look at: key has no steps', operands)
  requireBoolean(op, 'causal', causal)
  if (scale !== undefined) requireNumber(op, 'scale', scale)
  const scores = [b, heads, t, s]
  const spread = (name: string, x: Tensor): void => {
    if (x.rank <= 4 && sameShape(broadcastShapes(op, x.shape, scores), scores)) return
    throw shapeError(op, `${name} must broadcast to [batch, heads, t, s]`, [
      { name, shape: x.shape },
      { name: 'scores', shape: scores },
    ])
  }
  if (mask !== undefined) {
    requireTensor(op, 'mask', mask)
    requireDType(op, 'mask', mask.dtype, ['bool'])
    spread('mask', mask)
  }
  if (bias !== undefined) {
    requireTensor(op, 'bias', bias)
    requireDType(op, 'bias', bias.dtype, [query.dtype])
    spread('bias', bias)
  }
  const settings = { masked: mask !== undefined, biased: bias !== undefined, causal, scale: scale ?? 1 / Math.sqrt(Math.max(d, 1)) }
  return { inputs: [mask, bias].filter((x) => x !== undefined), settings }
}

function samples(withValue: boolean): Sample<Settings>[] {
  const mask = (...shape: number[]): SampleInput => ({ shape, dtype: 'bool' })
  const row = (options: Partial<Settings>, query: Shape, key: Shape, value: Shape, ...more: (Shape | SampleInput)[]): Sample<Settings> =>
    sampleWith({ masked: false, biased: false, causal: false, scale: 0.6, ...options }, query, key, ...(withValue ? [value] : []), ...more)
  return [
    row({}, [2, 3, 1, 4], [2, 3, 1, 4], [2, 3, 1, 2]),
    row({ causal: true }, [1, 4, 2, 3], [1, 4, 2, 3], [1, 4, 2, 3]),
    row({ masked: true }, [2, 3, 2, 2], [2, 5, 2, 2], [2, 5, 2, 2], mask(2, 1, 3, 5)),
    row({ masked: true, biased: true, causal: true }, [1, 3, 4, 2], [1, 4, 2, 2], [1, 4, 2, 5], mask(1, 1, 1, 4), [4, 3, 4]),
    row({ biased: true }, [1, 2, 3, 1], [1, 3, 1, 1], [1, 3, 1, 1], [3]),
    row({}, [0, 2, 2, 3], [0, 2, 2, 3], [0, 2, 2, 3]),
    row({ causal: true }, [2, 19, 4, 11], [2, 19, 2, 11], [2, 19, 2, 11]),
  ]
}

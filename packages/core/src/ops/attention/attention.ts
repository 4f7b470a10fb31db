/** Attention by scaled dot products (Vaswani et al.: "Attention is all you need", 2017), with several heads, of which some may share keys and values. */
import { requireBoolean, requireNumber, requireOptions } from '../../arguments.js'
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Ops, Sample, SampleInput } from '../../autodiff/op.js'
import { once } from '../../autodiff/recompute.js'
import { sampleWith } from '../../autodiff/samples.js'
import { attentionKernels } from '../../backends/families/attention.js'
import { shapeError } from '../../errors.js'
import { requireDType } from '../../tensor/dtype.js'
import { broadcastShapes, type Shape, sameShape, sizeOf } from '../../tensor/shape.js'
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

/** Products of all queries and keys of each head: x [b, t, heads, d], y [b, s, groups, d] → [b, heads, t, s]. */
function pairProducts(x: Tensor, y: Tensor, ops: Ops): Tensor {
  const [b, t, heads] = x.shape
  const [, s, groups] = y.shape
  const products = ops.matMul(groupedRows(x, groups, ops), ops.transpose(y, [0, 2, 1, 3]), { transposeB: true }) // [b, g, r·t, s]
  return ops.reshape(products, [b, heads, t, s])
}

/** Σ over keys of each head: weights [b, heads, t, s], value [b, s, groups, e] → [b, t, heads, e]. */
function weighedSums(weights: Tensor, value: Tensor, ops: Ops): Tensor {
  const [b, heads, t] = weights.shape
  const [, s, groups, depth] = value.shape
  const mixed = ops.matMul(ops.reshape(weights, [b, groups, (heads / groups) * t, s]), ops.transpose(value, [0, 2, 1, 3])) // [b, g, r·t, e]
  return ops.transpose(ops.reshape(mixed, [b, heads, t, depth]), [0, 2, 1, 3])
}

/** Σ over queries, and over the heads that share keys: weights [b, heads, t, s], x [b, t, heads, d] → [b, s, groups, d]. */
function sumsOverQueries(weights: Tensor, x: Tensor, groups: number, ops: Ops): Tensor {
  const [b, heads, t, s] = weights.shape
  const rows = ops.reshape(weights, [b, groups, (heads / groups) * t, s])
  return ops.transpose(ops.matMul(rows, groupedRows(x, groups, ops), { transposeA: true }), [0, 2, 1, 3])
}

/** Where scores are open, broadcast to [b, heads, t, s]; undefined if everywhere. */
function openScores(query: Tensor, key: Tensor, more: readonly Tensor[], { masked, causal }: Settings, ops: Ops): Tensor | undefined {
  const [t, s] = [query.shape[1], key.shape[1]]
  const place = { dtype: 'int32', backend: query.backend } as const
  const past = causal ? [ops.greaterEqual(ops.reshape(ops.arange(0, t, 1, place), [t, 1]), ops.arange(0, s, 1, place))] : []
  const open = [...(masked ? [more[0]] : []), ...past]
  return open.length === 2 ? ops.logicalAnd(open[0], open[1]) : open[0]
}

function weightsOf(query: Tensor, key: Tensor, more: readonly Tensor[], settings: Settings, ops: Ops): Tensor {
  const { masked, biased, scale } = settings
  let scores = pairProducts(ops.mul(query, scale), key, ops)
  if (biased) scores = ops.add(scores, ops.maximum(more[masked ? 1 : 0], CLOSED))
  const open = openScores(query, key, more, settings, ops)
  if (open) scores = ops.where(open, scores, CLOSED)
  return ops.softmax(scores)
}

/** The cotangents of the scores, [b, heads, t, s]: weights·(dY·valueᵀ − Σ dY·y), 0 where closed. Also the weights. */
function scoreGradients(
  [dY, y, query, key, value, ...more]: readonly Tensor[],
  settings: Settings,
  ops: Ops,
): { weights: Tensor; slopes: Tensor } {
  const weights = weightsOf(query, key, more, settings, ops)
  const delta = ops.transpose(ops.sum(ops.mul(dY, y), { axis: -1, keepDims: true }), [0, 2, 1, 3]) // [b, heads, t, 1]
  const slopes = ops.mul(weights, ops.sub(pairProducts(dY, value, ops), delta))
  const open = openScores(query, key, more, settings, ops)
  return { weights, slopes: open ? ops.where(open, slopes, 0) : slopes }
}

const callWeights = defineComposed<Settings>({
  name: 'attentionWeights',
  compose: ([query, key, ...more], options, ops) => weightsOf(query, key, more, options, ops),
  samples: samples(false),
})

/** Inputs: dY and y [b, t, heads, e], then those of `scaledDotProductAttention`. Output: dQuery, dKey and dValue, one behind the other. */
const callGradient = defineComposed<Settings>({
  name: 'scaledDotProductAttentionGradient',
  compose: (inputs, settings, ops) => {
    const [dY, , query, key, value] = inputs
    const { weights, slopes } = scoreGradients(inputs, settings, ops)
    const scaled = ops.mul(slopes, settings.scale)
    const groups = key.shape[2]
    const parts = [weighedSums(scaled, key, ops), sumsOverQueries(scaled, query, groups, ops), sumsOverQueries(weights, dY, groups, ops)]
    return ops.concat(
      parts.map((part, i) => ops.reshape(part, [[query, key, value][i].size])),
      0,
    )
  },
  fused: {
    family: attentionKernels,
    mixed: true,
    kernel: 'attentionGradient',
    rule: '(through its composition)',
    shape: ([, , query, key, value]) => ({
      shape: [[query, key, value].reduce((size, x) => size + sizeOf(x.shape), 0)],
      dtype: query.dtype,
    }),
    forward: (fused, out, inputs, settings) => fused.attentionGradient(out, inputs, settings),
  },
  samples: gradientSamples(),
})

const callAttention = defineComposed<Settings>({
  name: 'scaledDotProductAttention',
  compose: ([query, key, value, ...more], settings, ops) => weighedSums(weightsOf(query, key, more, settings, ops), value, ops),
  fused: {
    family: attentionKernels,
    mixed: true,
    kernel: 'attention',
    rule: 'dQuery, dKey and dValue = scaledDotProductAttentionGradient(dY, y, query, key, value); dBias = Σ weights·(dY·valueᵀ − Σ dY·y) where open',
    shape: ([query, , value]) => ({ shape: [...query.shape.slice(0, 3), value.shape[3]], dtype: query.dtype }),
    forward: (fused, out, inputs, settings) => fused.attention(out, inputs, settings),
    vjp: ({ dY, y, options }, inputs, ops) => {
      const { masked, biased } = options
      const packed = once(() => callGradient([dY, y, ...inputs], options))
      const part = (i: number): Tensor => {
        const start = inputs.slice(0, i).reduce((size, x) => size + x.size, 0)
        return ops.reshape(ops.slice(packed(), [start], [inputs[i].size]), inputs[i].shape)
      }
      // The one gradient that is as large as the scores.
      const ofBias = (): Tensor => {
        const bias = inputs[masked ? 4 : 3]
        const slopes = ops.sumTo(scoreGradients([dY, y, ...inputs], options, ops).slopes, bias.shape)
        return ops.where(ops.greaterEqual(bias, CLOSED), slopes, 0)
      }
      return [() => part(0), () => part(1), () => part(2), ...(masked ? [null] : []), ...(biased ? [ofBias] : [])]
    },
  },
  samples: samples(true),
})

/**
 * softmax(Q·Kᵀ·scale + bias, where the mask is true)·V, for each head. With fewer heads of keys and values than of queries, each serves
 * heads/groups neighbouring query heads (Ainslie et al.: "GQA", 2023). A row of which the mask closes everything gets the mean of all values.
 *
 * Shape:    query [b, t, heads, d], key [b, s, groups, d], value [b, s, groups, e] → [b, t, heads, e]
 * Gradient: dValue = weightsᵀ·dY, dScores = weights·(dY·valueᵀ − Σ dY·y), dQuery = scale·dScores·key, dKey = scale·dScoresᵀ·query; bias has one, mask has none
 * Cost:     2·b·heads·t·s·(d + e) flops; without a kernel, and for the gradient of bias, also b·heads·t·s numbers of memory for the weights
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

/** Few and small: the sweep takes central differences of all five inputs. Attention's own samples reach this op, too. */
function gradientSamples(): Sample<Settings>[] {
  return [3, 1, 5].map((i) => {
    const { inputs, options } = samples(true)[i]
    const [query, , value] = inputs as readonly Shape[]
    const y = [...query.slice(0, 3), value[3]]
    return { inputs: [y, y, ...inputs], options }
  })
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

/** Operations of networks: activations, norms, attention. */
import {
  celu,
  elu,
  gelu,
  glu,
  hardShrink,
  hardSigmoid,
  hardSilu,
  hardTanh,
  leakyRelu,
  logSigmoid,
  relu6,
  ShapeError,
  scaledDotProductAttention,
  selu,
  silu,
  softShrink,
  softsign,
  sparsemax,
  sparsePlus,
  sparseSigmoid,
  squareplus,
  type Tensor,
  tanhShrink,
  threshold,
} from '@cotangent/core'
import { requireNumber } from '@cotangent/core/arguments'
import { choice, count, flag, numberFrom } from '../../option-rows.js'
import type { Option } from '../../option-table.js'
import { activation, axes, type Kind, move, oneOrMore, optional, required, same, type Values } from './kind.js'
import { reduced } from './shapes.js'
import { attended, halved, topped } from './shapes-networks.js'

const axesOf = (axis: number | readonly number[], rank: number): number[] => [axis].flat().map((at) => (at < 0 ? at + rank : at))

/** gamma or beta for the axes of a norm: as it is for the last one, else in the rank of x. */
const spread = (x: Tensor, weight: Tensor, axis: number | readonly number[]): Tensor =>
  weight.rank === x.rank ? weight : weight.reshape(x.shape.map((n, i) => (axesOf(axis, x.rank).includes(i) ? n : 1)))

/** Σ|x|ᵖ^(1/p); the largest |x| for the order 'inf'. */
function vectorNorm(x: Tensor, order: number | 'inf', axis: Values, keepDims: boolean): Tensor {
  const at = { axis: axis ?? x.shape.map((_, i) => i), keepDims }
  if (order === 'inf') return x.abs().max(at)
  if (order === 1) return x.abs().sum(at)
  return order === 2
    ? x.square().sum(at).sqrt()
    : x
        .abs()
        .pow(order)
        .sum(at)
        .pow(1 / order)
}

const lastAxes: Option<number | readonly number[]> = {
  read: (given, place) => required<number | readonly number[]>(oneOrMore).read(given ?? -1, place),
}

export const networks = {
  relu6: activation('Relu6', (x) => relu6(x)),
  silu: activation('Silu', (x) => silu(x)),
  hardSigmoid: activation('HardSigmoid', (x) => hardSigmoid(x)),
  hardSilu: activation('HardSilu', (x) => hardSilu(x)),
  gelu: activation('Gelu', (x, { approximate }) => gelu(x, { approximate }), { approximate: flag(false) }),
  leakyRelu: activation('LeakyRelu', (x, { negativeSlope }) => leakyRelu(x, { negativeSlope }), { negativeSlope: numberFrom({}, 0.2) }),
  elu: activation('Elu', (x, { alpha }) => elu(x, alpha), { alpha: numberFrom({}, 1) }),
  softsign: activation('Softsign', (x) => softsign(x)),
  selu: activation('Selu', (x) => selu(x)),
  celu: activation('Celu', (x, { alpha }) => celu(x, alpha), { alpha: numberFrom({}, 1) }),
  hardTanh: activation('HardTanh', (x) => hardTanh(x)),
  logSigmoid: activation('LogSigmoid', (x) => logSigmoid(x)),
  tanhShrink: activation('TanhShrink', (x) => tanhShrink(x)),
  sparsePlus: activation('SparsePlus', (x) => sparsePlus(x)),
  sparseSigmoid: activation('SparseSigmoid', (x) => sparseSigmoid(x)),
  squareplus: activation('Squareplus', (x, { b }) => squareplus(x, b), { b: numberFrom({}, 4) }),
  softShrink: activation('SoftShrink', (x, { lambda }) => softShrink(x, lambda), { lambda: numberFrom({}, 0.5) }, { lambda: 'threshold' }),
  hardShrink: activation('HardShrink', (x, { lambda }) => hardShrink(x, lambda), { lambda: numberFrom({}, 0.5) }, { lambda: 'threshold' }),
  threshold: activation(
    'Threshold',
    (x, { threshold: limit, value }) => threshold(x, limit, value),
    { threshold: required<number>(requireNumber), value: required<number>(requireNumber) },
    { value: 'default_value' },
  ),
  sparsemax: activation('Sparsemax', (x) => sparsemax(x), { axis: choice([-1], -1) }),
  glu: { ...activation('Glu', (x) => glu(x), { axis: choice([-1], -1) }), shape: ([x], { axis }) => halved(x, axis) },
  topK: {
    ...move({
      className: 'TopK',
      options: { k: count() },
      extra: { sorted: true, is_stable: true },
      count: () => 2,
      shape: ([x], { k }) => [topped(x, k), topped(x, k)],
      run: ([x], { k }) => {
        const { values, indices } = x.topK(k)
        return [values, indices]
      },
    }),
    module: 'math',
    dtype: [undefined, 'int32'],
  },
  moments: {
    ...move({
      className: 'Moments',
      options: { axes: required<number | readonly number[]>(oneOrMore), keepDims: flag(false) },
      words: { keepDims: 'keepdims' },
      extra: { synchronized: false },
      count: () => 2,
      shape: ([x], { axes, keepDims }) => [reduced(x, axes, keepDims), reduced(x, axes, keepDims)],
      run: ([x], { axes: axis, keepDims }) => [x.mean({ axis, keepDims }), x.variance({ axis, keepDims })],
    }),
    module: 'nn',
  },
  norm: {
    ...move({
      className: 'Norm',
      options: {
        ord: {
          read: (given, place) => {
            if (given === 'inf' || given === Number.POSITIVE_INFINITY) return 'inf'
            return (given ?? undefined) === undefined ? undefined : numberFrom({ least: 1 }).read(given, place)
          },
        },
        axis: axes(),
        keepDims: flag(false),
      },
      words: { keepDims: 'keepdims' },
      write: ({ ord, axis, keepDims }) => ({
        ord: ord === 'inf' ? Number.POSITIVE_INFINITY : (ord ?? null),
        axis: axis ?? null,
        keepdims: keepDims,
      }),
      shape: ([x], { axis, keepDims, ord }) => {
        const count = axis === undefined ? x.length : [axis].flat().length
        if (ord !== undefined && count !== 1)
          throw new ShapeError(`ord is for one axis; over ${count} axes there is the norm of all numbers, without ord.`)
        return reduced(x, axis, keepDims)
      },
      run: ([x], { ord, axis, keepDims }) => vectorNorm(x, ord ?? 2, axis, keepDims),
    }),
    module: 'linalg',
  },
  unitNorm: {
    ...move({
      className: 'Normalize',
      options: { axis: lastAxes, order: count(2), epsilon: numberFrom({ least: 0 }, 1e-7) },
      shape: same,
      run: ([x], { axis, order, epsilon }) =>
        order === 2
          ? x.mul(
              x
                .square()
                .sum({ axis, keepDims: true })
                .maximum(epsilon * epsilon)
                .rsqrt(),
            )
          : x.div(vectorNorm(x, order, axis, true).maximum(epsilon)),
    }),
    module: 'nn',
  },
  layerNorm: {
    ...move({
      className: 'LayerNorm',
      options: { axis: lastAxes, epsilon: numberFrom({ least: 0 }, 1e-7) },
      extra: { rms_scaling: false },
      further: ['gamma', 'beta'],
      shape: same,
      run: ([x, gamma, beta], { axis, epsilon }) => {
        const at = { axis, keepDims: true }
        const unit = x.sub(x.mean(at)).mul(x.variance(at).add(epsilon).rsqrt())
        const scaled = gamma ? unit.mul(spread(x, gamma, axis)) : unit
        return beta ? scaled.add(spread(x, beta, axis)) : scaled
      },
    }),
    module: 'nn',
  },
  rmsNorm: {
    ...move({
      className: 'RMSNorm',
      options: { axis: lastAxes, epsilon: numberFrom({ least: 0 }, 1e-7) },
      further: ['scale='],
      shape: same,
      run: ([x, scale], { axis, epsilon }) => {
        const unit = x.mul(x.square().mean({ axis, keepDims: true }).add(epsilon).rsqrt())
        return scale ? unit.mul(spread(x, scale, axis)) : unit
      },
    }),
    module: 'nn',
  },
  scaledDotProductAttention: {
    ...move({
      className: 'DotProductAttention',
      options: { causal: flag(false), scale: optional<number>(requireNumber) },
      words: { causal: 'is_causal' },
      inCall: { scale: 'scale' },
      extra: { flash_attention: null, attn_logits_soft_cap: null },
      further: ['bias=', 'mask='],
      shape: ([query, key, value]) => attended(query, key, value),
      run: ([query, key, value, bias, mask], { causal, scale }) =>
        scaledDotProductAttention(query, key, value, {
          causal,
          ...(scale !== undefined && { scale }),
          ...(bias && { bias }),
          ...(mask && { mask: mask.cast('bool') }),
        }),
    }),
    module: 'nn',
    operands: 3,
  },
} satisfies Readonly<Record<string, Kind>>

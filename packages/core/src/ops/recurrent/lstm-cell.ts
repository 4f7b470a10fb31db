/**
 * One step of a long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000), gates in Keras' order i, f, c̃, o.
 * lstm.ts runs it over a sequence.
 */

import { defineComposed } from '../../autodiff/dispatch.js'
import type { Ops, Sample } from '../../autodiff/op.js'
import { sample } from '../../autodiff/samples.js'
import { recurrentKernels } from '../../backends/families/recurrent.js'
import { shapeError } from '../../errors.js'
import { sameShape } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { type GateActivation, gate } from './gates.js'

/** One step, from z = x·W + b + h₋·U [n, 4u] and c₋: gives h, c, i, f, c̃ and o, each [n, u]. */
export function lstmStep(z: Tensor, c: Tensor, activation: GateActivation, ops: Ops): Tensor[] {
  const [zi, zf, zc, zo] = ops.split(z, 4, -1) // [n, u] each
  const [i, f, g, o] = [gate(zi, activation, ops), gate(zf, activation, ops), ops.tanh(zc), gate(zo, activation, ops)]
  const next = ops.add(ops.mul(f, c), ops.mul(i, g))
  return [ops.mul(o, ops.tanh(next)), next, i, f, g, o]
}

const call = defineComposed({
  name: 'lstmCell',
  compose: ([x, h, c, kernel, recurrentKernel, bias], _, ops) => {
    const z = ops.add(ops.add(ops.matMul(x, kernel), ops.matMul(h, recurrentKernel)), bias) // [n, 4u]
    return ops.stack(lstmStep(z, c, 'sigmoid', ops).slice(0, 2))
  },
  fused: {
    family: recurrentKernels,
    kernel: 'lstmCell',
    rule: '(through its composition)',
    shape: ([, h]) => ({ shape: [2, ...h.shape], dtype: h.dtype }),
    forward: (fused, out, [x, h, c, kernel, recurrentKernel, bias]) => fused.lstmCell(out, x, h, c, kernel, recurrentKernel, bias),
  },
  samples: lstmCellSamples(),
})

/**
 * One step of an LSTM (Hochreiter & Schmidhuber 1997). With (z_i, z_f, z_c, z_o) = x·W + h·U + b it is
 *
 * ```
 * i = σ(z_i)    f = σ(z_f)    c̃ = tanh(z_c)    o = σ(z_o)    c' = f∘c + i∘c̃    h' = o∘tanh(c')
 * ```
 *
 * Shape:    x [n, in], h and c [n, u], kernel [in, 4u], recurrentKernel [u, 4u], bias [4u] → [2, n, u]: h', then c'
 * Gradient: through the composition, to all inputs
 * Cost:     8·n·u·(in + u) flops forward
 *
 * @throws ShapeError if a state or weight does not fit.
 * @example
 * ```ts
 * const next = lstmCell(ones([2, 3]), zeros([2, 4]), zeros([2, 4]), ones([3, 16]), zeros([4, 16]), zeros([16])) // [2, 2, 4]
 * ```
 */
export function lstmCell(x: Tensor, h: Tensor, c: Tensor, kernel: Tensor, recurrentKernel: Tensor, bias: Tensor): Tensor {
  for (const [name, t, rank] of [
    ['x', x, 2],
    ['h', h, 2],
    ['c', c, 2],
    ['kernel', kernel, 2],
    ['recurrentKernel', recurrentKernel, 2],
    ['bias', bias, 1],
  ] as const) {
    requireTensor('lstmCell', name, t)
    if (t.rank !== rank) throw shapeError('lstmCell', `${name} must have ${rank} ax${rank > 1 ? 'es' : 'is'}`, [{ name, shape: t.shape }])
  }
  const units = h.shape[1]
  const fits =
    sameShape(h.shape, c.shape) &&
    x.shape[0] === h.shape[0] &&
    kernel.shape[0] === x.shape[1] &&
    kernel.shape[1] === 4 * units &&
    recurrentKernel.shape[0] === units &&
    recurrentKernel.shape[1] === 4 * units &&
    bias.size === 4 * units
  if (!fits) {
    throw shapeError('lstmCell', `states and weights do not fit ${x.shape[1]} inputs and ${units} units`, [
      { name: 'x', shape: x.shape },
      { name: 'h', shape: h.shape },
      { name: 'c', shape: c.shape },
      { name: 'kernel', shape: kernel.shape },
      { name: 'recurrentKernel', shape: recurrentKernel.shape },
      { name: 'bias', shape: bias.shape },
    ])
  }
  return call([x, h, c, kernel, recurrentKernel, bias], {})
}

function lstmCellSamples(): Sample<object>[] {
  return [
    sample([2, 3], [2, 2], [2, 2], [3, 8], [2, 8], [8]),
    sample([1, 1], [1, 1], [1, 1], [1, 4], [1, 4], [4]),
    sample([5, 7], [5, 6], [5, 6], [7, 24], [6, 24], [24]),
  ]
}

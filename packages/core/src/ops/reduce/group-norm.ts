/** Normalisation of groups of channels of each sample (Wu & He: "Group normalization", 2018). */
import { requireNumber, requireOptions, requireWhole } from '../../arguments.js'
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import { shapeError } from '../../errors.js'
import type { Shape } from '../../tensor/shape.js'
import type { Tensor } from '../../tensor/tensor.js'
import { requireChannels } from '../requirements.js'
import { layerNorm, type NormalizeOptions } from './normalize.js'

interface Settings {
  groups: number
  epsilon: number
  scale: boolean
  center: boolean
}

const call = defineComposed<Settings>({
  name: 'groupNorm',
  // A group becomes a row, so that the kernels of layerNorm do the work.
  compose: ([x, ...more], { groups, epsilon, scale, center }, ops) => {
    if (x.size === 0) return ops.viewOf(x)
    const [n, channels] = [x.shape[0], x.shape[x.rank - 1]]
    const [positions, width] = [x.size / (n * channels), channels / groups]
    const grouped = ops.transpose(ops.reshape(x, [n, positions, groups, width]), [0, 2, 1, 3])
    const rows = layerNorm(ops.reshape(grouped, [n * groups, positions * width]), { epsilon })
    const back = ops.transpose(ops.reshape(rows, [n, groups, positions, width]), [0, 2, 1, 3])
    const unit: Tensor = ops.reshape(back, x.shape)
    const scaled = scale ? ops.mul(unit, more[0]) : unit
    return center ? ops.add(scaled, more[scale ? 1 : 0]) : scaled
  },
  samples: samples(),
})

/**
 * Each group of neighbouring channels of each sample with its own mean and variance taken out, over all positions, times gamma, plus beta. As many groups as
 * channels is instance normalisation.
 *
 * Shape:    x [n, .., c], gamma and beta [c] → [n, .., c]
 * Gradient: dX as `layerNorm`, group by group; dGamma = Σ dY·unit, dBeta = Σ dY, unit being y without gamma and beta
 *
 * @throws ShapeError if the channels do not divide into the groups.
 * @example
 * ```ts
 * groupNorm(tensor([[1, 3, 10, 30]]), 2, { epsilon: 0 })   // [[-1, 1, -1, 1]]
 * ```
 */
export function groupNorm(x: Tensor, groups: number, options: NormalizeOptions = {}): Tensor {
  requireOptions('groupNorm', options, ['gamma', 'beta', 'epsilon'], 'groupNorm(x, 4, { gamma, beta })')
  const { gamma, beta, epsilon = 1e-3 } = options
  requireWhole('groupNorm', 'groups', groups, { least: 1 })
  requireNumber('groupNorm', 'epsilon', epsilon, { least: 0 })
  requireChannels('groupNorm', x, { gamma, beta })
  if (x.rank < 2) throw shapeError('groupNorm', 'x needs a batch axis and channels', [{ name: 'x', shape: x.shape }])
  if (x.shape[x.rank - 1] % groups !== 0) {
    throw shapeError('groupNorm', `${x.shape[x.rank - 1]} channels do not divide into ${groups} groups`, [
      { name: 'x', shape: x.shape, bad: [-1] },
    ])
  }
  const inputs = [x, gamma, beta].filter((t) => t !== undefined)
  return call(inputs, { groups, epsilon, scale: gamma !== undefined, center: beta !== undefined })
}

function samples(): Sample<Settings>[] {
  const row = (groups: number, [scale, center]: readonly [boolean, boolean], x: Shape): Sample<Settings> => {
    const more = [scale, center].flatMap((there) => (there ? [x.slice(-1)] : []))
    return sampleWith({ groups, epsilon: 1e-3, scale, center }, x, ...more)
  }
  return [
    row(2, [true, true], [2, 3, 4]),
    row(3, [false, true], [2, 2, 2, 3]),
    row(1, [true, false], [3, 5]),
    row(1, [false, false], [1, 7]),
    row(2, [true, true], [0, 3, 4]),
    row(5, [true, true], [3, 7, 9, 35]),
  ]
}

/**
 * Images in another size. Interpolation is linear and separable: a matrix of weights for the rows, and one for the columns. Where each output mixes but two
 * neighbours, these are picked instead.
 */
import { requireBoolean, requireChoice, requireOptions } from '../../arguments.js'
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Ops, Sample } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import { shapeError } from '../../errors.js'
import { requirePair } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { requireFloats } from '../requirements.js'

const lanczos = (radius: number) => (d: number) => {
  if (d === 0) return 1
  const t = Math.PI * d
  return (radius * Math.sin(t) * Math.sin(t / radius)) / (t * t)
}

/** Weight of a pixel at distance d ≥ 0, and the distance from which it is 0. */
const kernels = {
  bilinear: { radius: 1, weight: (d: number) => 1 - d },
  // Keys: "Cubic convolution interpolation for digital image processing", 1981, with a = −1/2.
  bicubic: {
    radius: 2,
    weight: (d: number) => (d < 1 ? (1.5 * d - 2.5) * d * d + 1 : ((-0.5 * d + 2.5) * d - 4) * d + 2),
  },
  lanczos3: { radius: 3, weight: lanczos(3) },
  lanczos5: { radius: 5, weight: lanczos(5) },
}

/** How values between pixels are found. */
export type Interpolation = 'nearest' | keyof typeof kernels

interface Settings {
  size: readonly [number, number]
  interpolation: Interpolation
  antialias: boolean
}

/** [to, from]: output i lies at (i + ½)·from/to − ½. Pixels outside are left out, and the weights of the others fill up to 1. */
function weightsOf(from: number, to: number, interpolation: keyof typeof kernels, antialias: boolean): Float64Array {
  const { radius, weight } = kernels[interpolation]
  const stretch = antialias ? Math.max(from / to, 1) : 1
  const weights = new Float64Array(to * from)
  for (let i = 0; i < to; i++) {
    const center = ((i + 0.5) * from) / to - 0.5
    const first = Math.max(Math.ceil(center - radius * stretch), 0)
    const last = Math.min(Math.floor(center + radius * stretch), from - 1)
    const row = weights.subarray(i * from, (i + 1) * from)
    let total = 0
    for (let j = first; j <= last; j++) {
      row[j] = weight(Math.abs(center - j) / stretch)
      total += row[j]
    }
    for (let j = first; j <= last; j++) row[j] /= total
  }
  return weights
}

const nearestOf = (from: number, to: number): number[] => Array.from({ length: to }, (_, i) => Math.floor(((i + 0.5) * from) / to))

/** x with one axis in another size: each output mixes the two pixels around its centre. A pixel of weight 0 does not count, even if it is infinite. */
function mixNeighbours(x: Tensor, axis: number, to: number, ops: Ops): Tensor {
  const from = x.shape[axis]
  const centers = Array.from({ length: to }, (_, i) => Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1))
  const first = centers.map(Math.floor)
  const part = (positions: number[], weights: number[]): Tensor => {
    const shape = [to, ...x.shape.slice(axis + 1).map(() => 1)]
    return ops.mulNoNaN(
      ops.gather(x, positions, { axis }),
      ops.tensor(Float64Array.from(weights), { shape, dtype: x.dtype, backend: x.backend }),
    )
  }
  return ops.add(
    part(
      first,
      centers.map((center, i) => 1 - (center - first[i])),
    ),
    part(
      first.map((i) => Math.min(i + 1, from - 1)),
      centers.map((center, i) => center - first[i]),
    ),
  )
}

/** x [n, from, ..] with axis 1 in another size. */
function resizeRows(x: Tensor, to: number, { interpolation, antialias }: Settings, ops: Ops): Tensor {
  const [n, from, ...rest] = x.shape
  if (from === to) return x
  if (interpolation === 'nearest') return ops.gather(x, nearestOf(from, to), { axis: 1 })
  const values = weightsOf(from, to, interpolation, antialias)
  const weights = ops.tensor(values, { shape: [to, from], dtype: x.dtype, backend: x.backend })
  return ops.reshape(ops.matMul(weights, ops.reshape(x, [n, from, rest[0] * rest[1]])), [n, to, ...rest])
}

const call = defineComposed<Settings>({
  name: 'resize',
  compose: ([x], settings, ops) => {
    const [height, width] = settings.size
    const pairs = settings.interpolation === 'bilinear' && !(settings.antialias && (height < x.shape[1] || width < x.shape[2]))
    if (pairs) return [width, height].reduce((y, to, i) => (y.shape[2 - i] === to ? y : mixNeighbours(y, 2 - i, to, ops)), x)
    const rows = resizeRows(x, height, settings, ops)
    if (x.shape[2] === width) return rows
    return ops.transpose(resizeRows(ops.transpose(rows, [0, 2, 1, 3]), width, settings, ops), [0, 2, 1, 3])
  },
  samples: samples(),
})

/**
 * Images in another size, pixels being squares whose centres are sampled. With `antialias`, each pixel of a smaller image is a mean of all that it covers.
 * An infinite or NaN pixel spreads to the pixels that mix it with `nearest` and `bilinear`, else to its rows and columns.
 *
 * Shape:    [n, h, w, c] → [n, ..size, c]
 * Gradient: dX = Wᵀ·dY, W being the weights: each pixel gets what it gave
 * Cost:     `bilinear` a few operations a pixel, else 2·n·c·(h·w·oh + oh·w·ow) flops, as also for `bilinear` smaller with `antialias`
 *
 * @throws ShapeError unless x is a batch of images that have pixels.
 * @example
 * ```ts
 * const x = tensor([[[[0], [4]]]])   // one row of two pixels
 * resize(x, [1, 4]).flatten()   // [0, 1, 3, 4]
 * resize(x, [1, 4], { interpolation: 'nearest' }).flatten()   // [0, 0, 4, 4]
 * ```
 */
export function resize(
  x: Tensor,
  size: readonly [height: number, width: number],
  options: { interpolation?: Interpolation; antialias?: boolean } = {},
): Tensor {
  requireTensor('resize', 'x', x)
  requirePair('resize', 'size', size, 1)
  requireOptions('resize', options, ['interpolation', 'antialias'], "resize(x, [64, 64], { interpolation: 'bicubic' })")
  const { interpolation = 'bilinear', antialias = false } = options
  requireChoice('resize', 'interpolation', interpolation, ['nearest', ...Object.keys(kernels)])
  requireBoolean('resize', 'antialias', antialias)
  if (interpolation !== 'nearest') requireFloats('resize', 'x', x)
  if (x.rank !== 4 || x.shape[1] === 0 || x.shape[2] === 0) {
    throw shapeError('resize', 'x must be images [batch, height, width, channels] with at least one pixel', [{ name: 'x', shape: x.shape }])
  }
  return call([x], { size, interpolation, antialias })
}

function samples(): Sample<Settings>[] {
  const row = (interpolation: Interpolation, antialias: boolean, ...size: [number, number]): Settings => ({
    size,
    interpolation,
    antialias,
  })
  return [
    sampleWith(row('bilinear', false, 5, 7), [2, 3, 4, 2]),
    sampleWith(row('nearest', false, 3, 2), [2, 2, 4, 3]),
    sampleWith(row('bicubic', true, 2, 7), [1, 5, 3, 1]),
    sampleWith(row('lanczos3', true, 3, 3), [1, 7, 3, 2]),
    sampleWith(row('bilinear', true, 2, 3), [0, 3, 4, 2]),
    sampleWith(row('lanczos5', false, 9, 11), [3, 12, 13, 5]),
  ]
}

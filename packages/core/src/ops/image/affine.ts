/** Images turned, moved, zoomed and sheared: each output pixel samples the input at a point that a matrix gives. */
import { describeValue, requireChoice, requireNumeric, requireOptions } from '../../arguments.js'
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import { shapeError, ValueError } from '../../errors.js'
import type { Tensor } from '../../tensor/tensor.js'
import { requireFloats } from '../requirements.js'

/** The values around an image abcd: `reflect` dcba|abcd|dcba, `wrap` abcd|abcd|abcd, `nearest` aaaa|abcd|dddd, `constant` the fill value. */
export type FillMode = 'reflect' | 'wrap' | 'nearest' | 'constant'

/** How an affine transform samples. */
export interface AffineOptions {
  /** `bilinear` (default) mixes the four pixels around a point; `nearest` takes one. */
  interpolation?: 'bilinear' | 'nearest'
  /** `reflect` by default. */
  fillMode?: FillMode
  /** For `constant`; 0 by default. */
  fillValue?: number
}

type Settings = Required<AffineOptions> & { transforms: readonly (readonly number[])[] }

const modulo = (i: number, n: number): number => ((i % n) + n) % n

/** The position that stands for position i of an axis of n cells; −1 for none. */
function inside(i: number, n: number, mode: FillMode): number {
  if (i >= 0 && i < n) return i
  if (mode === 'constant') return -1
  if (mode === 'nearest') return i < 0 ? 0 : n - 1
  if (mode === 'wrap') return modulo(i, n)
  const m = modulo(i, 2 * n)
  return m < n ? m : 2 * n - 1 - m
}

/**
 * For each output pixel the `taps` pixels that it mixes, as row numbers of [n·h·w, c], their weights, and the weight of what is outside. Plain loops without lists:
 * training runs this for each pixel of each batch.
 */
function sampling(n: number, h: number, w: number, { transforms, interpolation, fillMode }: Settings) {
  const taps = interpolation === 'nearest' ? 1 : 4
  const rows = new Int32Array(n * h * w * taps)
  const weights = new Float64Array(rows.length)
  const outside = new Float64Array(n * h * w)
  const shift = taps === 1 ? 0.5 : 0
  for (let image = 0, pixel = 0; image < n; image++) {
    const [a0, a1, a2, b0, b1, b2, c0 = 0, c1 = 0] = transforms[image]
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++, pixel++) {
        const depth = c0 * x + c1 * y + 1
        const px = (a0 * x + a1 * y + a2) / depth
        const py = (b0 * x + b1 * y + b2) / depth
        // A point at infinity, of a projection, is outside everything.
        if (!Number.isFinite(px) || !Number.isFinite(py)) {
          outside[pixel] = 1
          continue
        }
        const left = Math.floor(px + shift)
        const top = Math.floor(py + shift)
        const right = taps === 1 ? 0 : px - left
        const below = taps === 1 ? 0 : py - top
        for (let tap = 0; tap < taps; tap++) {
          const dx = tap & 1
          const dy = tap >> 1
          const weight = (dx ? right : 1 - right) * (dy ? below : 1 - below)
          const column = inside(left + dx, w, fillMode)
          const row = inside(top + dy, h, fillMode)
          if (column < 0 || row < 0) outside[pixel] += weight
          else {
            rows[pixel * taps + tap] = (image * h + row) * w + column
            weights[pixel * taps + tap] = weight
          }
        }
      }
    }
  }
  return { taps, rows, weights, outside }
}

const call = defineComposed<Settings>({
  name: 'affineTransform',
  compose: ([x], settings, ops) => {
    const [n, h, w, c] = x.shape
    const pixels = n * h * w
    const place = { dtype: x.dtype, backend: x.backend }
    const { taps, rows, weights, outside } = sampling(n, h, w, settings)
    const picked = ops.gather(ops.reshape(x, [pixels, c]), ops.tensor(rows, { shape: [pixels, taps], dtype: 'int32', backend: x.backend }))
    // A pixel of weight 0 does not count, even if it is infinite.
    const y = ops.sum(ops.mulNoNaN(picked, ops.tensor(weights, { ...place, shape: [pixels, taps, 1] })), { axis: 1 })
    const filled =
      settings.fillValue === 0
        ? y
        : ops.add(
            y,
            ops.tensor(
              outside.map((weight) => weight && weight * settings.fillValue),
              { ...place, shape: [pixels, 1] },
            ),
          )
    return ops.reshape(filled, x.shape)
  },
  samples: samples(),
})

/**
 * Each image seen through its own transform: output pixel (x, y), x to the right and y down, is the input at
 * ((a0·x + a1·y + a2)/k, (b0·x + b1·y + b2)/k), k = c0·x + c1·y + 1.
 *
 * Shape:    x [n, h, w, c] and n times [a0, a1, a2, b0, b1, b2, c0, c1] (the last two may be left out) → [n, h, w, c]
 * Gradient: to the pixels that were mixed, by their weights; none for the transforms
 *
 * @throws ShapeError unless x is a batch of images.
 * @throws ValueError unless there is a transform for each image.
 * @example
 * ```ts
 * const x = tensor([[[[1], [2], [3]]]])   // one row of three pixels
 * affineTransform(x, [[1, 0, -1, 0, 1, 0]], { fillMode: 'constant' }).flatten()   // [0, 1, 2]
 * ```
 */
export function affineTransform(x: Tensor, transforms: readonly (readonly number[])[], options: AffineOptions = {}): Tensor {
  requireFloats('affineTransform', 'x', x)
  requireOptions('affineTransform', options, ['interpolation', 'fillMode', 'fillValue'])
  const { interpolation = 'bilinear', fillMode = 'reflect', fillValue = 0 } = options
  requireChoice('affineTransform', 'interpolation', interpolation, ['bilinear', 'nearest'])
  requireChoice('affineTransform', 'fillMode', fillMode, ['reflect', 'wrap', 'nearest', 'constant'])
  requireNumeric('affineTransform', 'fillValue', fillValue)
  if (x.rank !== 4) {
    throw shapeError('affineTransform', 'x must be images [batch, height, width, channels]', [{ name: 'x', shape: x.shape }])
  }
  const isRow = (row: unknown): boolean => Array.isArray(row) && (row.length === 6 || row.length === 8) && row.every(Number.isFinite)
  if (!Array.isArray(transforms) || transforms.length !== x.shape[0] || !transforms.every(isRow)) {
    throw new ValueError(
      `affineTransform: one list of 6 or 8 numbers is needed for each of the ${x.shape[0]} images, got ${describeValue(transforms)}. Write affineTransform(x, [[1, 0, 0, 0, 1, 0], …]).`,
    )
  }
  return call([x], { transforms, interpolation, fillMode, fillValue })
}

function samples(): Sample<Settings>[] {
  const turn = [0.8, -0.6, 1.1, 0.6, 0.8, -0.7]
  const row = (transforms: number[][], more: Partial<Settings>, x: number[]): Sample<Settings> =>
    sampleWith({ interpolation: 'bilinear', fillMode: 'reflect', fillValue: 0, ...more, transforms }, x)
  return [
    row([turn, [1.3, 0, -0.6, 0, 0.7, 0.2]], {}, [2, 3, 4, 2]),
    row([turn], { fillMode: 'constant', fillValue: 0.5 }, [1, 4, 3, 1]),
    row([[1, 0.1, 0.3, 0, 1, 0.3, 0.01, 0.02]], { interpolation: 'nearest', fillMode: 'wrap' }, [1, 3, 5, 2]),
    row([turn], { fillMode: 'nearest' }, [1, 1, 1, 3]),
    row([], {}, [0, 3, 4, 2]),
    row([turn, turn], { fillMode: 'wrap' }, [2, 17, 13, 7]),
  ]
}

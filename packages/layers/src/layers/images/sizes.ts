/** Layers that bring images to one size. Source: Keras 3.16, layers/preprocessing/image_preprocessing/ and backend/numpy/image.py. */
import { crop, resize, type Tensor, ValueError } from '@cotangent/core'
import { choice, count, flag, numberFrom } from '../../option-rows.js'
import { positional, type TableFor, type ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { type Sizes, SpatialLayer, type SpatialOptions, spatialOptions } from '../spatial-layer.js'

/** How the values between pixels are found, as in core's `resize`. */
export type ResizingInterpolation = 'bilinear' | 'nearest' | 'bicubic' | 'lanczos3' | 'lanczos5'

/** Options of `resizing`. */
export interface ResizingOptions extends SpatialOptions {
  /** `bilinear` by default. */
  interpolation?: ResizingInterpolation
  /** Whether the largest part from the middle that has the new shape is resized, so that nothing is distorted; false by default. */
  cropToAspectRatio?: boolean
  /** Whether the image first gets borders on both sides, so that nothing is distorted; false by default. */
  padToAspectRatio?: boolean
  /** The values at borders: `constant`, the only choice. */
  fillMode?: 'constant'
  /** The value in borders; 0 by default. */
  fillValue?: number
  /** Whether a pixel of a smaller image is a mean of all that it covers; false by default. */
  antialias?: boolean
}

/** An image as floats: mixing pixels makes fractions. */
export const asFloats = (x: Tensor): Tensor => (x.dtype.startsWith('float') ? x : x.cast('float32'))

/** The sizes of the largest part of an image, or of the smallest around it, that has the shape of another. */
function likeShape(sizes: readonly number[], [height, width]: readonly number[], around: boolean): [number, number] {
  const [h, w] = sizes
  const [tall, wide] = [Math.floor((w * height) / width), Math.floor((h * width) / height)]
  return around ? [Math.max(h, tall), Math.max(w, wide)] : [Math.max(Math.min(h, tall), 1), Math.max(Math.min(w, wide), 1)]
}

/** The part of given sizes in the middle, or from other offsets. */
export function window(x: Tensor, sizes: readonly number[], offsets?: readonly number[]): Tensor {
  const cuts = sizes.map((n, i): [number, number] => {
    const left = x.shape[i + 1] - n
    const before = offsets?.[i] ?? Math.floor(left / 2)
    return [before, left - before]
  })
  return crop(x, [[0, 0], ...cuts, [0, 0]])
}

/** The largest part from the middle that has the shape of `size`, brought to that size. */
export const fitted = (x: Tensor, size: readonly [number, number], options?: Parameters<typeof resize>[2]): Tensor =>
  resize(window(asFloats(x), likeShape(x.shape.slice(1, 3), size, false)), size, options)

/** The rows of options that the layers of one size have. */
export const sizeOptions = { ...spatialOptions(2), height: positional(count()), width: positional(count()) }

const resizingOptions = {
  ...sizeOptions,
  interpolation: choice<ResizingInterpolation>(['bilinear', 'nearest', 'bicubic', 'lanczos3', 'lanczos5'], 'bilinear'),
  cropToAspectRatio: flag(false),
  padToAspectRatio: flag(false),
  fillMode: choice<'constant'>(['constant'], 'constant'),
  fillValue: numberFrom({}, 0),
  antialias: flag(false),
} satisfies TableFor<ResizingOptions & { height: number; width: number }>

/**
 * Images in another size. Whole numbers become floats.
 *
 * Shape:  [n, h, w, c] → [n, height, width, c]
 * Source: Keras 3.16, layers/preprocessing/image_preprocessing/resizing.py
 *
 * @throws ValueError for both `cropToAspectRatio` and `padToAspectRatio`
 */
export class Resizing extends SpatialLayer implements ValuesOf<typeof resizingOptions> {
  override readonly className = ours(Resizing, 'Resizing')
  declare readonly height: number
  declare readonly width: number
  declare readonly interpolation: ResizingInterpolation
  declare readonly cropToAspectRatio: boolean
  declare readonly padToAspectRatio: boolean
  declare readonly fillMode: 'constant'
  declare readonly fillValue: number
  declare readonly antialias: boolean

  constructor(height: number, width: number, options: ResizingOptions = {}) {
    super('Resizing', 2, options, resizingOptions, { height, width })
    if (this.cropToAspectRatio && this.padToAspectRatio)
      throw new ValueError('Resizing: cropToAspectRatio and padToAspectRatio exclude each other. Set one of them.')
  }
  static fromConfig({ height, width, ...options }: ResizingOptions & { height: number; width: number }): Resizing {
    return new Resizing(height, width, options)
  }
  protected override outputSizes(): Sizes {
    return [this.height, this.width]
  }
  protected override transform(x: Tensor): Tensor {
    const { height, width, interpolation, antialias } = this
    const size = [height, width] as const
    if (this.cropToAspectRatio) return fitted(x, size, { interpolation, antialias })
    return resize(this.padToAspectRatio ? this.#padded(asFloats(x), size) : asFloats(x), size, { interpolation, antialias })
  }

  /** Both borders of an axis are alike, so one row or column may be missing. */
  #padded(x: Tensor, size: readonly [number, number]): Tensor {
    const sizes = x.shape.slice(1, 3)
    const borders = likeShape(sizes, size, true).map((n, i): [number, number] => {
      const border = Math.floor((n - sizes[i]) / 2)
      return [border, border]
    })
    return x.pad([[0, 0], ...borders, [0, 0]], this.fillValue)
  }
}

const centerCropOptions = sizeOptions satisfies TableFor<SpatialOptions & { height: number; width: number }>

/**
 * The middle of images. Of an image that is smaller on a side, the largest part from the middle that has the new shape is resized. Whole numbers become floats.
 *
 * Shape:  [n, h, w, c] → [n, height, width, c]
 * Source: Keras 3.16, layers/preprocessing/image_preprocessing/center_crop.py
 */
export class CenterCrop extends SpatialLayer implements ValuesOf<typeof centerCropOptions> {
  override readonly className = ours(CenterCrop, 'CenterCrop')
  declare readonly height: number
  declare readonly width: number

  constructor(height: number, width: number, options: SpatialOptions = {}) {
    super('CenterCrop', 2, options, centerCropOptions, { height, width })
  }
  static fromConfig({ height, width, ...options }: SpatialOptions & { height: number; width: number }): CenterCrop {
    return new CenterCrop(height, width, options)
  }
  protected override outputSizes(): Sizes {
    return [this.height, this.width]
  }
  protected override transform(x: Tensor): Tensor {
    const { height, width } = this
    return x.shape[1] >= height && x.shape[2] >= width ? window(asFloats(x), [height, width]) : fitted(x, [height, width])
  }
}

/**
 * Makes a `Resizing` layer: images of any size come out with the height and width given.
 *
 * @example
 * ```ts
 * const model = new Sequential([resizing(2, 1, { inputShape: [2, 2, 1] })])
 * console.log((await model.apply(tensor([[[[1], [3]], [[5], [7]]]])).array()).toString())   // 2,6
 * ```
 */
export const resizing = (height: number, width: number, options?: ResizingOptions): Resizing => new Resizing(height, width, options)
/**
 * Makes a `CenterCrop` layer: the middle of images, with the height and width given.
 *
 * @example
 * ```ts
 * const model = new Sequential([centerCrop(1, 1, { inputShape: [1, 3, 1] })])
 * console.log((await model.apply(tensor([[[[1], [2], [3]]]])).array()).toString())   // 2
 * ```
 */
export const centerCrop = (height: number, width: number, options?: SpatialOptions): CenterCrop => new CenterCrop(height, width, options)

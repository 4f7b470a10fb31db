/** Layers that put zeros around their input, or cut its edges off. Source: Keras 2.3.1, layers/convolutional.py. */
import { ShapeError, type Tensor, ValueError } from '@cotangent/core'
import type { Option, TableFor, ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { type Rank, type Sizes, SpatialLayer, type SpatialOptions, shown, spatialOptions } from '../spatial-layer.js'

/** Cells before and after, along one axis. */
type Edge = readonly [number, number]

/** Edges in any form that Keras takes: one number for everything, one for each axis, or a pair [before, after] for each axis. */
export type Edges = number | readonly (number | readonly [number, number])[]

/** A row for edges, in a table of options. */
const edgesOf = (rank: Rank, usual: number): Option<readonly Edge[]> => ({
  read: (given, { className, name }) => readEdges(className, name, (given ?? usual) as Edges, rank),
})

/** One pair for each axis. For sequences, two numbers mean before and after; for images, rows and columns. */
function readEdges(className: string, option: string, value: Edges, rank: Rank): Edge[] {
  const pair = (n: number | readonly number[]): readonly number[] => (typeof n === 'number' ? [n, n] : n)
  let list: readonly (number | readonly number[])[] = typeof value === 'number' ? new Array<number>(rank).fill(value) : value
  if (Array.isArray(list) && rank === 1 && list.length === 2 && list.every((n) => typeof n === 'number')) list = [list as readonly number[]]
  const edges = Array.isArray(list) && list.length === rank ? list.map(pair) : []
  if (edges.length !== rank || edges.some((edge) => edge?.length !== 2 || [...edge].some((n) => !Number.isSafeInteger(n) || n < 0))) {
    const wanted = [
      'a number or [before, after]',
      'a number, [rows, columns] or [[top, bottom], [left, right]]',
      'a number, one for each axis, or three pairs [before, after]',
    ][rank - 1]
    throw new ValueError(`${className}: ${option} must be ${wanted}, whole numbers, at least 0, got ${shown(value)}.`)
  }
  return edges.map(([before, after]) => [before, after])
}

/** Options of `zeroPadding1d`, `zeroPadding2d` and `zeroPadding3d`. */
export interface PaddingOptions extends SpatialOptions {
  /** The number of zeros on each side of each axis, or [before, after], at least 0; 1 by default. */
  padding?: Edges
}

const paddingOptions = (rank: Rank) => ({ ...spatialOptions(rank), padding: edgesOf(rank, 1) }) satisfies TableFor<PaddingOptions>

abstract class ZeroPadding extends SpatialLayer implements ValuesOf<ReturnType<typeof paddingOptions>> {
  declare readonly padding: readonly Edge[]

  constructor(className: string, rank: Rank, options: PaddingOptions) {
    super(className, rank, options, paddingOptions(rank))
  }
  protected override outputSizes(sizes: Sizes): Sizes {
    return sizes.map((n, i) => (n === null ? null : n + this.padding[i][0] + this.padding[i][1]))
  }
  protected override transform(x: Tensor): Tensor {
    return x.pad([[0, 0], ...this.padding, [0, 0]])
  }
}

/**
 * Puts zeros around an image.
 *
 * Shape: [n, h, w, c] → [n, top + h + bottom, left + w + right, c]
 */
export class ZeroPadding2D extends ZeroPadding {
  override readonly className = ours(ZeroPadding2D, 'ZeroPadding2D')
  constructor(options: PaddingOptions = {}) {
    super('ZeroPadding2D', 2, options)
  }
  static fromConfig(options: PaddingOptions): ZeroPadding2D {
    return new ZeroPadding2D(options)
  }
}

/**
 * Puts zeros before and after a sequence.
 *
 * Shape: [n, t, c] → [n, before + t + after, c]
 */
export class ZeroPadding1D extends ZeroPadding {
  override readonly className = ours(ZeroPadding1D, 'ZeroPadding1D')
  constructor(options: PaddingOptions = {}) {
    super('ZeroPadding1D', 1, options)
  }
  static fromConfig(options: PaddingOptions): ZeroPadding1D {
    return new ZeroPadding1D(options)
  }
}

/**
 * Puts zeros around a volume.
 *
 * Shape: [n, d, h, w, c] → [n, before + d + after, …, c]
 */
export class ZeroPadding3D extends ZeroPadding {
  override readonly className = ours(ZeroPadding3D, 'ZeroPadding3D')
  constructor(options: PaddingOptions = {}) {
    super('ZeroPadding3D', 3, options)
  }
  static fromConfig(options: PaddingOptions): ZeroPadding3D {
    return new ZeroPadding3D(options)
  }
}

/** Options of `cropping1d`, `cropping2d` and `cropping3d`. */
export interface CroppingOptions extends SpatialOptions {
  /**
   * The number of cells cut off on each side of each axis, or [before, after], at least 0. As in Keras, 0 by default for images and 1 for sequences and volumes.
   */
  cropping?: Edges
}

const croppingOptions = (rank: Rank) =>
  ({ ...spatialOptions(rank), cropping: edgesOf(rank, rank === 2 ? 0 : 1) }) satisfies TableFor<CroppingOptions>

abstract class Cropping extends SpatialLayer implements ValuesOf<ReturnType<typeof croppingOptions>> {
  declare readonly cropping: readonly Edge[]

  constructor(className: string, rank: Rank, options: CroppingOptions) {
    super(className, rank, options, croppingOptions(rank))
  }
  protected override outputSizes(sizes: Sizes): Sizes {
    return sizes.map((n, i) => {
      const [before, after] = this.cropping[i]
      if (n === null) return null
      if (n - before - after >= 1) return n - before - after
      throw new ShapeError(
        `${this.describe()}: cutting off ${before} before and ${after} after leaves nothing of the ${n} cells of axis ${i} in ` +
          `[${sizes.map((size) => size ?? '?').join(', ')}]. Crop less, or check dataFormat, which is '${this.dataFormat}'.`,
      )
    })
  }
  protected override transform(x: Tensor): Tensor {
    const sizes = this.outputSizes(x.shape.slice(1, -1)) as number[]
    return x.slice([0, ...this.cropping.map(([before]) => before), 0], [x.shape[0], ...sizes, x.shape[x.rank - 1]])
  }
}

/**
 * Cuts the edges off an image.
 *
 * Shape: [n, h, w, c] → [n, h − top − bottom, w − left − right, c]
 *
 * @throws ShapeError if nothing would be left
 */
export class Cropping2D extends Cropping {
  override readonly className = ours(Cropping2D, 'Cropping2D')
  constructor(options: CroppingOptions = {}) {
    super('Cropping2D', 2, options)
  }
  static fromConfig(options: CroppingOptions): Cropping2D {
    return new Cropping2D(options)
  }
}

/**
 * Cuts the ends off a sequence.
 *
 * Shape: [n, t, c] → [n, t − before − after, c]
 *
 * @throws ShapeError if nothing would be left
 */
export class Cropping1D extends Cropping {
  override readonly className = ours(Cropping1D, 'Cropping1D')
  constructor(options: CroppingOptions = {}) {
    super('Cropping1D', 1, options)
  }
  static fromConfig(options: CroppingOptions): Cropping1D {
    return new Cropping1D(options)
  }
}

/**
 * Cuts the sides off a volume.
 *
 * Shape: [n, d, h, w, c] → [n, d − before − after, …, c]
 *
 * @throws ShapeError if nothing would be left
 */
export class Cropping3D extends Cropping {
  override readonly className = ours(Cropping3D, 'Cropping3D')
  constructor(options: CroppingOptions = {}) {
    super('Cropping3D', 3, options)
  }
  static fromConfig(options: CroppingOptions): Cropping3D {
    return new Cropping3D(options)
  }
}

/**
 * Makes a `ZeroPadding2D`: zeros around an image.
 *
 * @example
 * ```ts
 * const model = new Sequential([zeroPadding2d({ padding: [[1, 0], [2, 2]], inputShape: [28, 28, 1] })])
 * console.log(model.output.shape)   // [null, 29, 32, 1]
 * ```
 */
export const zeroPadding2d = (options?: PaddingOptions): ZeroPadding2D => new ZeroPadding2D(options)
/**
 * Makes a `ZeroPadding1D`: zeros before and after a sequence.
 *
 * @example
 * ```ts
 * const model = new Sequential([zeroPadding1d({ padding: [2, 0], inputShape: [2, 1] })])
 * console.log(await model.apply(tensor([[[5], [6]]])).array())   // [[[0], [0], [5], [6]]]
 * ```
 */
export const zeroPadding1d = (options?: PaddingOptions): ZeroPadding1D => new ZeroPadding1D(options)
/**
 * Makes a `Cropping2D`: it cuts the edges off an image.
 *
 * @example
 * ```ts
 * const model = new Sequential([cropping2d({ cropping: 2, inputShape: [28, 28, 1] })])
 * console.log(model.output.shape)   // [null, 24, 24, 1]
 * ```
 */
export const cropping2d = (options?: CroppingOptions): Cropping2D => new Cropping2D(options)
/**
 * Makes a `Cropping1D`: it cuts the ends off a sequence.
 *
 * @example
 * ```ts
 * const model = new Sequential([cropping1d({ cropping: [0, 1], inputShape: [3, 1] })])
 * console.log(await model.apply(tensor([[[5], [6], [7]]])).array())   // [[[5], [6]]]
 * ```
 */
export const cropping1d = (options?: CroppingOptions): Cropping1D => new Cropping1D(options)
/**
 * Makes a `ZeroPadding3D`: zeros around a volume.
 *
 * @example
 * ```ts
 * const model = new Sequential([zeroPadding3d({ padding: [[1, 0], [2, 2], [0, 0]], inputShape: [4, 8, 8, 1] })])
 * console.log(model.output.shape)   // [null, 5, 12, 8, 1]
 * ```
 */
export const zeroPadding3d = (options?: PaddingOptions): ZeroPadding3D => new ZeroPadding3D(options)
/**
 * Makes a `Cropping3D`: it cuts the sides off a volume.
 *
 * @example
 * ```ts
 * const model = new Sequential([cropping3d({ cropping: [1, 2, 2], inputShape: [4, 8, 8, 1] })])
 * console.log(model.output.shape)   // [null, 2, 4, 4, 1]
 * ```
 */
export const cropping3d = (options?: CroppingOptions): Cropping3D => new Cropping3D(options)

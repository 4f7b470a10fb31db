/**
 * Convolution in WebAssembly without an unfolded matrix: the register tile of gemm-kernel.ts reads its A operand straight from the image.
 *
 * An image is [h, w, c]. One row ky of the window over an output pixel is kw·c consecutive floats. The window of the next output pixel starts stride·c
 * floats further. So, for MR neighbouring pixels and NR filters, the forward sum is kh runs of kw·c steps, and the rows of A are a constant distance
 * apart. The filter's gradient, for MR neighbouring weights of one ky, is a sum over pixels, and the rows of A are 4 bytes apart:
 *
 * ```
 *   y [pixel, filter]      = Σ over ky  Σ over (kx, c)    x[pixel + ky, (kx, c)] · F[ky, (kx, c), filter]
 *   dF[ky, (kx, c), filter] = Σ over oy  Σ over ox         x[(oy, ox) + ky, (kx, c)] · dY[(oy, ox), filter]
 * ```
 *
 * With dilation along x the floats of a window's row are not consecutive; then a run is one (ky, kx), c steps.
 *
 * The pixels that are left at the end of an output row may be too few for a tile whose sums hide how long a multiply-add takes. Then the tiles there stand upright:
 * the same pixel of MR rows, which are a constant distance apart, too; and in the filter's gradient the same weight of MR rows of the window.
 *
 * A module is compiled for each shape, so all distances are constants in the code. Images come with their padding in place. Each output is summed
 * in one order, (ky, kx, c) or (oy, ox), in whatever part of the work it is computed.
 */
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js'
import { storeSome } from '../assembler/elements.js'
import { f32x4, type I32, i32, type Vector, v128 } from '../assembler/instructions.js'
import type { WidthCheck } from '../engine/width.js'
import { emitFinish } from '../product/bias-relu.js'
import { emitBand, emitTile, type Runs, type Tile } from '../product/gemm-kernel.js'

/** A convolution of images that include their padding. */
export interface ConvShape {
  /** Height, width, channels of a padded image. */
  readonly image: readonly [h: number, w: number, c: number]
  readonly kernel: readonly [kh: number, kw: number]
  readonly strides: readonly [number, number]
  readonly dilation: readonly [number, number]
  readonly out: readonly [oh: number, ow: number]
  readonly filters: number
}

const atMost = (f: FunctionBuilder, local: Local<'i32'>, bound: I32): void => f.if(i32.gtS(local, bound), () => f.set(local, bound))

/** Pixels for which a panel of weights, or of cotangents, is used while it is in the first-level cache. */
const PIXELS_PER_BLOCK = 72

/** A tile of fewer sums is slow for its size: two multiply-adds start in a cycle and each takes four, so the sums wait for themselves. */
const ENOUGH_SUMS = 6
/** In a band of more tiles than this, a slow one at the end costs too little to be worth the walk over rows. */
const MANY_TILES = 8

/** The end of a band of `count` rows of A that makes too small a tile: the rows that upright tiles had better take. */
function thinEnd(count: number, { mr, nr }: Tile): number {
  const rest = count % mr
  return (rest * nr) / 4 < ENOUGH_SUMS && count < MANY_TILES * mr ? rest : 0
}

/** With fewer steps than this, a tile takes its time elsewhere. */
const ENOUGH_STEPS = 64

/** The pixels at the end of an output row that upright tiles compute. */
function uprightPixels({ image, kernel: [kh, kw], out: [oh, ow] }: ConvShape, tile: Tile): number {
  return kh * kw * image[2] >= ENOUGH_STEPS && oh >= tile.mr ? thinEnd(ow, tile) : 0
}

/** Output rows of a block, a multiple of `unit` if there are as many. */
const blockRows = ({ out: [oh, ow] }: ConvShape, unit = 1): number =>
  Math.min(oh, unit * Math.max(1, Math.round(PIXELS_PER_BLOCK / ow / unit)))

/** The steps of one run over a window, and how many runs follow each other. */
function windowRuns({ image: [, w, c], kernel: [kh, kw], dilation: [dy, dx] }: ConvShape): { steps: number; runs: Runs[] } {
  const rowBytes = 4 * w * c
  if (dx === 1) return { steps: kw * c, runs: [{ count: kh, aNext: dy * rowBytes - 4 * kw * c }] }
  const acrossBytes = 4 * kw * dx * c
  return {
    steps: c,
    runs: [
      { count: kh, aNext: dy * rowBytes - acrossBytes },
      { count: kw, aNext: 4 * (dx - 1) * c },
    ],
  }
}

/** The tile, unrolled so that a run is a whole number of turns. */
const unrolledFor = (tile: Tile, steps: number): Tile => {
  let unroll = tile.unroll
  while (steps % unroll !== 0) unroll--
  return { ...tile, unroll }
}

/**
 * Writes `forward(out, x, panels, oy, count, bias, relu)`: computes `count` output rows, the first of which is row `oy` of its image. `x` is the address of
 * that row's first window. `panels` are the filter's columns, packed. `bias` is an address, or 0 for none.
 */
export function emitForward(module: ModuleBuilder, shape: ConvShape, tile: Tile): void {
  const { image, strides, filters } = shape
  const [oh, ow] = shape.out
  const [, w, c] = image
  const { steps, runs } = windowRuns(shape)
  const unrolled = unrolledFor(tile, steps)
  const rowBytes = 4 * strides[0] * w * c
  const outRowBytes = 4 * ow * filters
  const panelBytes = 4 * tile.nr * shape.kernel[0] * shape.kernel[1] * c
  const pixelBytes = 4 * strides[1] * c
  const upright = uprightPixels(shape, tile)
  const parameters = { out: 'i32', x: 'i32', panels: 'i32', oy: 'i32', count: 'i32', bias: 'i32', relu: 'i32' } as const
  module.export('forward', parameters, null, (f, { out, x, panels, oy, count, bias, relu }) => {
    const [rows, columns, row, a, aRow, b, panel, to, toRow] = Array.from({ length: 9 }, () => f.local('i32'))
    f.while(i32.gtS(count, 0), () => {
      f.set(rows, i32.sub(oh, oy))
      atMost(f, rows, blockRows(shape, upright > 0 ? tile.mr : 1))
      atMost(f, rows, count)
      f.set(panel, panels)
      f.set(to, out)
      f.set(columns, filters)
      f.while(i32.gtS(columns, 0), () => {
        const width = f.let(columns)
        atMost(f, width, tile.nr)
        /** A band of `count` pixels in tiles, from `start` on: next to each other, or below each other. */
        const band = (start: Local<'i32'>, c: Local<'i32'>, count: I32, aRow: number, cRow: number): void =>
          emitBand(f, unrolled, count, (height) => {
            f.set(a, start)
            f.set(b, panel)
            const operands = { a, b, aRow, aStep: 4, bStep: 4 * tile.nr }
            emitTile(f, height, unrolled, operands, { c, cRow, columns: width, accumulate: 0 }, steps, runs)
            f.advance(start, aRow * height)
            f.advance(c, cRow * height)
          })
        f.set(aRow, x)
        f.set(toRow, to)
        f.set(row, rows)
        if (ow > upright)
          f.while(i32.gtS(row, 0), () => {
            band(f.let(aRow), f.let(toRow), ow - upright, pixelBytes, 4 * filters)
            f.advance(aRow, rowBytes)
            f.advance(toRow, outRowBytes)
            f.advance(row, -1)
          })
        if (upright > 0)
          f.for(ow - upright, ow, 1, (pixel) => {
            const start = f.let(i32.add(x, i32.mul(pixel, pixelBytes)))
            band(start, f.let(i32.add(to, i32.mul(pixel, 4 * filters))), rows, rowBytes, outRowBytes)
          })
        f.advance(panel, panelBytes)
        f.advance(to, 4 * tile.nr)
        f.advance(columns, -tile.nr)
      })
      f.if(bias, () => {
        const pixels = f.let(i32.mul(rows, ow))
        emitFinish(f, { c: f.let(out), rows: pixels, columns: filters, cRow: 4 * filters, bias, relu })
      })
      f.advance(x, i32.mul(rows, rowBytes))
      f.advance(out, i32.mul(rows, outRowBytes))
      f.advance(count, i32.sub(0, rows))
      f.advance(oy, rows)
      f.if(i32.eq(oy, oh), () => {
        f.set(oy, 0)
        f.advance(x, 4 * image[0] * w * c - oh * rowBytes)
      })
    })
  })
}

/** From this many weights a filter on, packing the cotangents of a block pays. */
const WORTH_PACKING = 48

/** Floats of scratch memory that `filterGradient` needs at `panel`. */
export const panelFloats = (shape: ConvShape, tile: Tile): number => tile.nr * blockRows(shape) * shape.out[1]

/**
 * Writes `filterGradient(dF, x, dY, panel, images, count)`: adds the contribution of `images` images to `count` columns of dF [kh·kw·c, filters]. `dF` and `dY` are
 * the addresses of the first of these columns. `panel` has room for the cotangents of a block of pixels and NR filters.
 */
export function emitFilterGradient(module: ModuleBuilder, shape: ConvShape, tile: Tile): void {
  const { image, strides, dilation, filters } = shape
  const [oh, ow] = shape.out
  const [kh, kw] = shape.kernel
  const [h, w, c] = image
  const pixelBytes = 4 * strides[1] * c
  const rowBytes = 4 * strides[0] * w * c
  const across = dilation[1] === 1
  /** Weights whose inputs are consecutive, too. */
  const group = across ? kw * c : c
  /** The weights at the end of a row of the window that upright tiles compute: the same weight of several rows. */
  const upright = across && kh > 1 ? thinEnd(group, tile) : 0
  const packs = kh * kw * c >= WORTH_PACKING
  const unrolled = unrolledFor(tile, ow)
  const parameters = { dF: 'i32', x: 'i32', dY: 'i32', panel: 'i32', images: 'i32', count: 'i32' } as const
  module.export('filterGradient', parameters, null, (f, { dF, x, dY, panel, images, count }) => {
    const [a, b, from, rows, left, width, columns, first, to, weights, line] = Array.from({ length: 11 }, () => f.local('i32'))
    const runs: Runs[] = [{ count: rows, aNext: rowBytes - ow * pixelBytes }]
    const packPanel = (): void => {
      f.set(from, first)
      f.set(b, panel)
      f.for(0, i32.mul(rows, ow), 1, () => {
        for (let v = 0; v < tile.nr / 4; v++) f.do(v128.store(b, v128.load(from, 16 * v), 16 * v))
        f.advance(from, 4 * filters)
        f.advance(b, 4 * tile.nr)
      })
    }
    /** Handles a band of `count` weights: next to each other, or below each other. `weights` is their place in dF, `line` that of their inputs. */
    const band = (count: number, aRow: number, cRow: number): void =>
      emitBand(f, unrolled, count, (height) => {
        f.set(a, line)
        f.set(b, packs ? panel : first)
        const operands = { a, b, aRow, aStep: pixelBytes, bStep: packs ? 4 * tile.nr : 4 * filters }
        emitTile(f, height, unrolled, operands, { c: weights, cRow, columns: width, accumulate: 1 }, ow, runs)
        f.advance(line, aRow * height)
        f.advance(weights, cRow * height)
      })
    /** Handles the weights whose inputs start at byte `start` of the block's first window. */
    const groupAt = (start: I32): void => {
      f.set(line, i32.add(x, start))
      if (group > upright) band(group - upright, 4, 4 * filters)
      if (upright > 0) f.advance(weights, 4 * filters * upright)
    }
    f.while(i32.gtS(images, 0), () => {
      f.set(left, oh)
      f.while(i32.gtS(left, 0), () => {
        f.set(rows, left)
        atMost(f, rows, blockRows(shape))
        f.set(first, dY)
        f.set(to, dF)
        f.set(columns, count)
        f.while(i32.gtS(columns, 0), () => {
          f.set(width, columns)
          atMost(f, width, tile.nr)
          if (packs) packPanel()
          f.set(weights, to)
          const [down, right] = [4 * dilation[0] * w * c, 4 * dilation[1] * c]
          f.for(0, kh * down, down, (ky) => {
            if (across) groupAt(ky)
            else f.for(0, kw * right, right, (kx) => groupAt(i32.add(ky, kx)))
          })
          if (upright > 0)
            f.for(group - upright, group, 1, (weight) => {
              f.set(line, i32.add(x, i32.shl(weight, 2)))
              f.set(weights, i32.add(to, i32.mul(weight, 4 * filters)))
              band(kh, down, 4 * filters * group)
            })
          f.advance(first, 4 * tile.nr)
          f.advance(to, 4 * tile.nr)
          f.advance(columns, -tile.nr)
        })
        f.advance(x, i32.mul(rows, rowBytes))
        f.advance(dY, i32.mul(rows, 4 * ow * filters))
        f.advance(left, i32.sub(0, rows))
      })
      f.advance(x, 4 * h * w * c - oh * rowBytes)
      f.advance(images, -1)
    })
  })
}

/** Writes `addAll(out, from, n, count)`: adds `count` arrays of n floats, which lie one behind the other, to out, in order. */
export function emitAddAll(module: ModuleBuilder): void {
  module.export('addAll', { out: 'i32', from: 'i32', n: 'i32', count: 'i32' }, null, (f, { out, from, n, count }) => {
    f.while(i32.gtS(count, 0), () => {
      const [to, left] = [f.let(out), f.let(n)]
      const sum = (): Vector => f32x4.add(v128.load(to), v128.load(from))
      f.while(i32.geS(left, 4), () => {
        f.do(v128.store(to, sum()))
        f.advance(to, 16)
        f.advance(from, 16)
        f.advance(left, -4)
      })
      const rest = f.let(left)
      f.if(left, () => storeSome(f, 'float32', to, sum(), left))
      f.advance(from, i32.shl(rest, 2))
      f.advance(count, -1)
    })
  })
}

const checkedShape: ConvShape = { image: [8, 9, 4], kernel: [3, 3], strides: [1, 1], dilation: [1, 1], out: [6, 7], filters: 20 }
const checkedTile: Tile = { mr: 2, nr: 16, unroll: 1 }

/** The self-test of convolutions at 256 bits: forward with bias and relu, and the filter's gradient. */
export const convolutionCheck: WidthCheck = {
  name: 'convolution',
  emit(module) {
    emitForward(module, checkedShape, checkedTile)
    emitFilterGradient(module, checkedShape, checkedTile)
  },
  run({ forward, filterGradient }) {
    const [image, out, panels, bias, dF, dY, panel] = [0, 4096, 8192, 14336, 16384, 20480, 24576]
    forward(out, image, panels, 0, checkedShape.out[0], bias, 1)
    filterGradient(dF, image, dY, panel, 1, checkedShape.filters)
  },
}

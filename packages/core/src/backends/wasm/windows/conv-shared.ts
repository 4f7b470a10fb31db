/** Helpers that the convolution kernels share: packing, padding in place, temporary memory, and sums over groups of images in a fixed order. */

import type { Engine, KernelFunction } from '../engine/engine.js'
import { entry, lazy } from '../engine/made-once.js'
import type { Call } from '../engine/threads.js'
import { type Tile, tileFor } from '../product/gemm-kernel.js'
import { emitPackB } from '../product/gemm-pack.js'
import { emitFill, emitRuns } from '../shape/copy.js'
import { emitAddAll } from './conv-kernel.js'

/** Estimated nanoseconds of a multiply-add. */
export const MULTIPLY_ADD = 0.06
/** The values of the calls that put an image's padding in place. */
export const PADDING_VALUES = 5 + 8

/** For a filter's gradient: the most groups of images with a sum of their own, and the most bytes of their buffers. */
const GROUPS = 8
const GROUP_BYTES = 32 * 1024 * 1024
/** The number of groups for these images, each with a sum of `floats` floats. It depends on nothing else, so sums have the same bits for any number of threads. */
export const groupsFor = (images: number, floats: number): number =>
  Math.max(1, Math.min(images, GROUPS, Math.floor(GROUP_BYTES / (4 * floats))))

/** The best tile for this many filters: its relative speed times the share of its columns that exist is largest. */
export function tileForFilters(engine: Engine, filters: number): Tile {
  const narrow = tileFor(engine.v8Version, engine.relaxed)
  const candidates: [tile: Tile, speed: number][] = [[narrow, 1]]
  if (engine.relaxed && narrow.nr === 12) candidates.push([{ mr: 4, nr: 8, unroll: 1 }, 0.94])
  if (engine.simd256) candidates.push([tileFor(engine.v8Version, engine.relaxed, true), 1.8])
  const useful = ([{ nr }, speed]: [Tile, number]): number => (speed * filters) / (Math.ceil(filters / nr) * nr)
  return candidates.reduce((best, candidate) => (useful(candidate) > useful(best) ? candidate : best))[0]
}

/** The place of an image inside a larger one of zeros. */
export interface Placement {
  readonly size: readonly [h: number, w: number, c: number]
  /** Rows above the image, and columns before it. */
  readonly at: readonly [number, number]
  /** Height and width of the larger image. It may also cut off rows and columns at the end. */
  readonly within: readonly [number, number]
}

export interface ConvTools {
  fill: () => KernelFunction
  packing: (tile: Tile) => Record<string, KernelFunction>
  /** Copies an image into its place. */
  place(call: Call, to: number, from: number, placement: Placement): void
  /** out[0..n) += each of the `count` arrays that lie one behind the other at `from`. */
  addAll(out: number, from: number, n: number, count: number): void
  /** Runs `work` with temporary memory for this many floats. */
  withMemory<R>(floats: number, work: (at: number) => R): R
}

export function createConvTools(engine: Engine): ConvTools {
  const { memory } = engine
  const fill = lazy(() => engine.compileOne((module) => emitFill(module)))
  const runs = lazy(() => engine.compileOne(emitRuns))
  const addAll = lazy(() => engine.compile(emitAddAll).addAll)
  const packings = new Map<string, Record<string, KernelFunction>>()
  return {
    fill,
    packing: (tile) => entry(packings, `${tile.mr}x${tile.nr}`, () => engine.compile((module) => emitPackB(module, tile))),
    place(call, to, from, { size: [h, w, c], at: [top, left], within: [height, width] }) {
      call(fill(), to, 4 * height * width * c, 0)
      const [rows, columns] = [Math.min(h, height - top), Math.min(w, width - left)]
      call(runs(), to + 4 * (top * width + left) * c, from, rows, 4 * columns * c, 4 * width * c, 4 * w * c)
    },
    addAll: (out, from, n, count) => void addAll()(out, from, n, count),
    withMemory(floats, work) {
      const at = memory.alloc(4 * floats)
      try {
        return work(at)
      } finally {
        memory.free(at, 4 * floats)
      }
    },
  }
}

/** The common part of the convolution kernels: packing, padding in place, temporary memory, and groups of images whose sums are added in order. */

import type { Engine, KernelFunction } from '../engine/engine.js'
import { entry, lazy } from '../engine/made-once.js'
import type { Call } from '../engine/threads.js'
import { type Tile, tileFor } from '../product/gemm-kernel.js'
import { emitPackA, emitPackB } from '../product/gemm-pack.js'
import { emitFill, emitRuns } from '../shape/copy.js'
import { emitAddAll } from './conv-kernel.js'

/** Rough nanoseconds of a multiply-add. */
export const MULTIPLY_ADD = 0.06
/** Values of the calls that put an image's padding in place. */
export const PADDING_VALUES = 5 + 8

/** Most groups that images are summed in for a filter's gradient, and most bytes of their buffers. */
const GROUPS = 8
const GROUP_BYTES = 32 * 1024 * 1024
/** Groups for so many images with so many floats each; it depends on nothing else, so that sums have the same bits for any number of threads. */
export const groupsFor = (images: number, floats: number): number =>
  Math.max(1, Math.min(images, GROUPS, Math.floor(GROUP_BYTES / (4 * floats))))

/** The tile for so many filters that leaves the fewest lanes idle; narrow and wide ones differ in what they reach. */
export function tileForFilters(engine: Engine, filters: number): Tile {
  const narrow = tileFor(engine.v8Version, engine.relaxed)
  const candidates: [tile: Tile, speed: number][] = [[narrow, 1]]
  if (engine.relaxed && narrow.nr === 12) candidates.push([{ mr: 4, nr: 8, unroll: 1 }, 0.94])
  if (engine.simd256) candidates.push([tileFor(engine.v8Version, engine.relaxed, true), 1.8])
  const useful = ([{ nr }, speed]: [Tile, number]): number => (speed * filters) / (Math.ceil(filters / nr) * nr)
  return candidates.reduce((best, candidate) => (useful(candidate) > useful(best) ? candidate : best))[0]
}

/** Where an image goes in a larger one of zeros. */
export interface Placement {
  readonly size: readonly [h: number, w: number, c: number]
  /** Rows above it and columns before it. */
  readonly at: readonly [number, number]
  /** Height and width of the larger image, which may also cut rows and columns off at the end. */
  readonly within: readonly [number, number]
}

export interface ConvTools {
  fill: () => KernelFunction
  packing: (tile: Tile) => Record<string, KernelFunction>
  /** Puts an image in place. */
  place(call: Call, to: number, from: number, placement: Placement): void
  /** out[0..n) += each of `count` arrays behind `from`. */
  addAll(out: number, from: number, n: number, count: number): void
  /** Runs with temporary memory of so many floats. */
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
    packing: (tile) =>
      entry(packings, `${tile.mr}x${tile.nr}`, () =>
        engine.compile((module) => {
          emitPackA(module, tile)
          emitPackB(module, tile)
        }),
      ),
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

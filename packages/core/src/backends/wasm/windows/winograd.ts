/**
 * Chooses the convolutions that winograd-kernel.ts computes, and cuts their work. Each function returns whether it did the work; if it did not, the
 * caller takes the direct way.
 *
 * The input gradient is a forward convolution, too: of the cotangents, with the filter turned by 180° and its two channel axes exchanged.
 */
import type { Window } from '../../../tensor/shape.js'
import type { Operand } from '../../backend.js'
import { address } from '../engine/address.js'
import type { Engine, KernelFunction } from '../engine/engine.js'
import { entry, lazy } from '../engine/made-once.js'
import { SCRATCH_BYTES, scratchOf } from '../engine/memory.js'
import type { Body } from '../engine/threads.js'
import type { Tile } from '../product/gemm-kernel.js'
import { type ConvTools, groupsFor, MULTIPLY_ADD, PADDING_VALUES, type Placement, tileForFilters } from './conv-shared.js'
import { blockFloats, emitWinogradAccumulate, emitWinogradForward, type WinogradShape, winogradCheck } from './winograd-kernel.js'
import { emitWinogradFilters } from './winograd-transforms.js'

/** With fewer channels or filters than this, the transforms cost more than they save. */
const LEAST = 16
/** The work relative to the definition's: 16/36 of its multiplications, and about half as much again for the transforms. */
const SAVING = 0.65
/** The most images of a group in one job, so that the list of calls has room. */
const IMAGES_PER_JOB = 20

/** One convolution: images, their place in padded ones, and the sizes. */
interface Job {
  readonly images: number
  readonly from: number
  readonly placement: Placement
  readonly shape: WinogradShape
}

const even = (n: number): boolean => n % 2 === 0

export interface Winograd {
  conv2d(out: Operand, x: Operand, filter: Operand, bias: Operand | undefined, window: Window, relu: boolean): boolean
  conv2dInput(out: Operand, dY: Operand, filter: Operand, window: Window): boolean
  conv2dFilter(out: Operand, x: Operand, dY: Operand, window: Window): boolean
}

export function createWinograd(engine: Engine, tools: ConvTools): Winograd {
  engine.addWidthCheck(winogradCheck)
  const filterKernels = lazy(() => engine.compile(emitWinogradFilters))
  const modules = new Map<string, KernelFunction>()
  const kernelFor = (what: 'forward' | 'accumulate', shape: WinogradShape, tile: Tile): KernelFunction =>
    entry(modules, `${what} ${JSON.stringify([shape, tile])}`, () => {
      const emit = what === 'forward' ? emitWinogradForward : emitWinogradAccumulate
      return engine.compile((module) => emit(module, shape, tile), true)[what]
    })

  /** Plans the convolution of images [n, h, w, c] to [n, oh, ow, filters], with `at` rows and columns of zeros before them. Undefined if the direct way is better or the only one. */
  function plan(
    x: Operand,
    at: readonly [number, number],
    [oh, ow]: readonly [number, number],
    filters: number,
    window: Window,
  ): Job | undefined {
    const [images, h, w, c] = x.shape
    const { kernelSize, strides, dilation } = window
    const fits = kernelSize.every((k) => k === 3) && [...strides, ...dilation].every((n) => n === 1)
    if (!fits || !even(oh) || !even(ow) || c % 4 > 0 || filters % 4 > 0 || Math.min(c, filters) < LEAST) return undefined
    const shape = { width: ow + 2, channels: c, filters, tiles: [oh / 2, ow / 2] } as const
    const { inputs, outputs } = blockFloats(shape)
    if (4 * ((oh + 2) * (ow + 2) * c + inputs + outputs) + 192 > SCRATCH_BYTES) return undefined
    return { images, from: address(x), placement: { size: [h, w, c], at, within: [oh + 2, ow + 2] }, shape }
  }

  /** Addresses in a scratch area: V, the products or W, a padded image. */
  function areas(part: number, { inputs, outputs }: { inputs: number; outputs: number }): [v: number, products: number, image: number] {
    const v = scratchOf(part)
    return [v, v + 4 * inputs + 64, v + 4 * (inputs + outputs) + 128]
  }

  const isInPlace = ({ size: [h, w], at: [top, left], within: [height, width] }: Placement): boolean =>
    top === 0 && left === 0 && h === height && w === width

  /** y = the images of a job convolved with the packed filter in `panels`. */
  function forward({ images, from, placement, shape }: Job, panels: number, tile: Tile, to: number, bias: number, relu: boolean): void {
    const run = kernelFor('forward', shape, tile)
    const [h, w, c] = placement.size
    const outFloats = 4 * shape.tiles[0] * shape.tiles[1] * shape.filters
    const body: Body = (begin, end, call, part) => {
      const [v, products, padded] = areas(part, blockFloats(shape))
      for (let i = begin; i < end; i++) {
        const image = from + 4 * i * h * w * c
        if (!isInPlace(placement)) tools.place(call, padded, image, placement)
        call(run, to + 4 * i * outFloats, isInPlace(placement) ? image : padded, panels, v, products, bias, relu ? 1 : 0)
      }
    }
    engine.split(images, 1, images * outFloats * 9 * c * MULTIPLY_ADD * SAVING, body, PADDING_VALUES + 9)
  }

  /** Runs `work` with the 16 matrices of a filter, packed: [c, f] each, or [f, c] for the turned filter. */
  function withFilter(filter: Operand, turned: boolean, tile: Tile, work: (panels: number) => void): void {
    const [, , c, f] = filter.shape
    const [rows, columns] = turned ? [f, c] : [c, f]
    const panelFloats = rows * Math.ceil(columns / tile.nr) * tile.nr
    tools.withMemory(16 * (panelFloats + c * f), (panels) => {
      const u = panels + 64 * panelFloats
      filterKernels()[turned ? 'turnedFilter' : 'filter'](u, address(filter), c * f)
      const { packBRows, packBColumns } = tools.packing(tile)
      for (let k = 0; k < 16; k++) {
        const [to, from] = [panels + 4 * k * panelFloats, u + 4 * k * c * f]
        if (turned) packBColumns(to, from, columns, rows, 4 * f)
        else packBRows(to, from, columns, rows, 4 * f)
      }
      work(panels)
    })
  }

  return {
    conv2d(out, x, filter, bias, window, relu) {
      const job = plan(x, window.padBefore, window.outSize, filter.shape[3], window)
      if (!job) return false
      const tile = tileForFilters(engine, filter.shape[3])
      withFilter(filter, false, tile, (panels) => forward(job, panels, tile, address(out), bias ? address(bias) : 0, relu))
      engine.clearUpperHalves()
      return true
    },

    conv2dInput(out, dY, filter, window) {
      const at = [2 - window.padBefore[0], 2 - window.padBefore[1]] as const
      const job = plan(dY, at, [out.shape[1], out.shape[2]], filter.shape[2], window)
      if (!job) return false
      const tile = tileForFilters(engine, filter.shape[2])
      withFilter(filter, true, tile, (panels) => forward(job, panels, tile, address(out), 0, false))
      engine.clearUpperHalves()
      return true
    },

    conv2dFilter(out, x, dY, window) {
      const job = plan(x, window.padBefore, window.outSize, dY.shape[3], window)
      if (!job) return false
      const { images, from, placement, shape } = job
      const [h, w, c] = placement.size
      const { filters } = shape
      const tile = tileForFilters(engine, filters)
      const run = kernelFor('accumulate', shape, tile)
      const size = 16 * c * filters
      const groups = groupsFor(images, size)
      const start = (group: number): number => Math.floor((group * images) / groups)
      const dYBytes = (4 * dY.size) / images
      tools.withMemory(groups * size, (sums) => {
        for (let turn = 0; turn < Math.ceil(images / groups); turn += IMAGES_PER_JOB) {
          const body: Body = (begin, end, call, part) => {
            const [v, cotangents, padded] = areas(part, blockFloats(shape))
            for (let group = begin; group < end; group++) {
              const sum = sums + 4 * group * size
              if (turn === 0) call(tools.fill(), sum, 4 * size, 0)
              const last = Math.min(start(group + 1), start(group) + turn + IMAGES_PER_JOB)
              for (let i = start(group) + turn; i < last; i++) {
                const image = from + 4 * i * h * w * c
                if (!isInPlace(placement)) tools.place(call, padded, image, placement)
                call(run, sum, isInPlace(placement) ? image : padded, address(dY) + i * dYBytes, v, cotangents)
              }
            }
          }
          const work = Math.min(images, groups * IMAGES_PER_JOB) * (dY.size / images) * 9 * c * MULTIPLY_ADD * SAVING
          engine.split(groups, 1, work, body, 5 + IMAGES_PER_JOB * (PADDING_VALUES + 7))
        }
        tools.addAll(sums, sums + 4 * size, size, groups - 1)
        filterKernels().filterGradient(address(out), sums, c * filters)
      })
      engine.clearUpperHalves()
      return true
    },
  }
}

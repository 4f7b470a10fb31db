/**
 * The fused kernels `conv2d`, `conv2dInput` and `conv2dFilter`: which kernel computes each, and how the work is cut.
 *
 * - Forward: conv-kernel.ts, direct. The filter is packed once. Threads share the images, or the output rows if there are few images.
 * - Input gradient: a product with the transposed filter, into a buffer that stays in the second-level cache, then col2im from there, a few output
 *   rows of one image at a time. (A direct convolution with the flipped filter would compute the border in vain, and is slower.)
 * - Filter gradient: conv-kernel.ts, direct, with images in groups. Each group sums into a buffer of its own; the buffers are added in order. The
 *   number of groups depends on the shape alone, never on threads.
 *
 * Padding is put in place image by image, in scratch memory. 3 × 3 windows over enough channels go to winograd.ts instead.
 */
import type { Window } from '../../../tensor/shape.js'
import type { FusedKernels, Operand } from '../../backend.js'
import { address } from '../engine/address.js'
import type { Engine, KernelFunction } from '../engine/engine.js'
import { entry, lazy } from '../engine/made-once.js'
import { SCRATCH_BYTES, scratchOf } from '../engine/memory.js'
import { type Body, type Call, direct } from '../engine/threads.js'
import { emitRows, type Tile, tileFor } from '../product/gemm-kernel.js'
import { type ConvShape, convolutionCheck, emitFilterGradient, emitForward, panelFloats } from './conv-kernel.js'
import { createConvTools, groupsFor, MULTIPLY_ADD, PADDING_VALUES, type Placement, tileForFilters } from './conv-shared.js'
import { emitFold, geometryOf } from './unfold.js'
import { createWinograd } from './winograd.js'

/** Bytes of the buffer between the product and col2im. */
const UNFOLDED_BYTES = 256 * 1024
/** The values of the calls for an image (padding, and the kernel), and of those for a block of the input gradient; and the blocks of a job. */
const VALUES_PER_IMAGE = PADDING_VALUES + 9
const VALUES_PER_BLOCK = 11 + 21
const BLOCKS_PER_JOB = 12
const IMAGES_PER_JOB = 20

/** The size of an image with its padding in place, cut where no window reaches. */
interface Padded {
  readonly height: number
  readonly width: number
}

/** Gives the address of image i with its padding in place; it may add calls that put it there. */
type ImageAt = (call: Call, part: number, i: number) => number

function paddedSize(x: Operand, { kernelSize, strides, dilation, padBefore, outSize }: Window): Padded {
  const [height, width] = [0, 1].map((axis) => (outSize[axis] - 1) * strides[axis] + (kernelSize[axis] - 1) * dilation[axis] + 1)
  const inside = padBefore[0] === 0 && padBefore[1] === 0 && height <= x.shape[1] && width <= x.shape[2]
  return inside ? { height: x.shape[1], width: x.shape[2] } : { height, width }
}

const shapeOf = ({ height, width }: Padded, filter: Operand, { kernelSize, strides, dilation, outSize }: Window): ConvShape => ({
  image: [height, width, filter.shape[2]],
  kernel: kernelSize,
  strides,
  dilation,
  out: outSize,
  filters: filter.shape[3],
})

type Convolutions = Required<Pick<FusedKernels, 'conv2d' | 'conv2dInput' | 'conv2dFilter'>>

/** The convolution kernels. */
export function createConv(engine: Engine): Convolutions {
  engine.addWidthCheck(convolutionCheck)
  const tools = createConvTools(engine)
  const winograd = createWinograd(engine, tools)
  const foldKernel = lazy(() => engine.compileOne((module) => emitFold(module, true)))
  const productKernel = lazy(() => {
    const tile = tileFor(engine.v8Version, engine.relaxed, engine.simd256)
    return { tile, product: engine.compile((module) => emitRows(module, tile), true).rows }
  })
  const modules = new Map<string, KernelFunction>()
  const kernelFor = (what: 'forward' | 'filterGradient', shape: ConvShape, tile: Tile): KernelFunction =>
    entry(modules, `${what} ${JSON.stringify([shape, tile])}`, () => {
      const emit = what === 'forward' ? emitForward : emitFilterGradient
      return engine.compile((module) => emit(module, shape, tile), true)[what]
    })

  /**
   * Runs `work` on images with their padding in place. Without padding these are the images themselves. Else each is copied into the scratch area of
   * its part of the job; if it is too large for that, all are copied beforehand.
   */
  function withPadding<R>(x: Operand, window: Window, work: (shape: Padded, imageAt: ImageAt) => R): R {
    const [n, h, w, c] = x.shape
    const shape = paddedSize(x, window)
    const from = address(x)
    const imageBytes = 4 * h * w * c
    const inPlace = window.padBefore.every((before) => before === 0) && shape.height === h && shape.width === w
    if (inPlace) return work(shape, (_call, _part, i) => from + i * imageBytes)
    const { height, width } = shape
    const paddedBytes = 4 * height * width * c
    const placement: Placement = { size: [h, w, c], at: window.padBefore, within: [height, width] }
    const put = (call: Call, to: number, i: number): number => {
      tools.place(call, to, from + i * imageBytes, placement)
      return to
    }
    if (paddedBytes <= SCRATCH_BYTES - 64) return work(shape, (call, part, i) => put(call, scratchOf(part), i))
    return tools.withMemory((n * paddedBytes) / 4, (all) => {
      engine.split(
        n,
        1,
        (n * paddedBytes) / 8,
        (begin, end, call) => {
          for (let i = begin; i < end; i++) put(call, all + i * paddedBytes, i)
        },
        VALUES_PER_IMAGE,
      )
      return work(shape, (_call, _part, i) => all + i * paddedBytes)
    })
  }

  return {
    conv2d(out, x, filter, bias, window, relu) {
      if (out.size === 0) return
      if (winograd.conv2d(out, x, filter, bias, window, relu)) return
      const [kh, kw, c, filters] = filter.shape
      const steps = kh * kw * c
      const tile = tileForFilters(engine, filters)
      const images = x.shape[0]
      tools.withMemory(steps * Math.ceil(filters / tile.nr) * tile.nr, (panels) => {
        tools.packing(tile).packBRows(panels, address(filter), filters, steps, 4 * filters)
        withPadding(x, window, (padded, imageAt) => {
          const shape = shapeOf(padded, filter, window)
          const run = kernelFor('forward', shape, tile)
          const [oh, ow] = shape.out
          const rowBytes = 4 * shape.strides[0] * padded.width * c
          const biasAt = bias ? address(bias) : 0
          const to = address(out)
          const rowsOf = (call: Call, part: number, i: number, first: number, count: number): void => {
            const at = imageAt(call, part, i) + first * rowBytes
            call(run, to + 4 * (i * oh + first) * ow * filters, at, panels, first, count, biasAt, relu ? 1 : 0)
          }
          const nanoseconds = out.size * steps * MULTIPLY_ADD
          if (images >= 4) {
            engine.split(
              images,
              1,
              nanoseconds,
              (begin, end, call, part) => {
                for (let i = begin; i < end; i++) rowsOf(call, part, i, 0, oh)
              },
              VALUES_PER_IMAGE,
            )
          } else {
            for (let i = 0; i < images; i++) {
              engine.split(oh, 1, nanoseconds / images, (begin, end, call, part) => rowsOf(call, part, i, begin, end - begin))
            }
          }
        })
      })
      engine.clearUpperHalves()
    },

    conv2dInput(out, dY, filter, window) {
      if (out.size === 0) return
      const [kh, kw, c, filters] = filter.shape
      const [n, oh, ow] = dY.shape
      const steps = kh * kw * c
      const { tile, product } = productKernel()
      const { packBColumns } = tools.packing(tile)
      const [to, from] = [address(out), address(dY)]
      const imageBytes = (4 * out.size) / n
      /** Output rows of a block. */
      const most = Math.max(1, Math.min(oh, Math.floor(UNFOLDED_BYTES / (4 * ow * steps))))
      const unfoldedFloats = most * ow * steps + 16
      if (dY.size === 0) return void tools.fill()(to, 4 * out.size, 0)
      if (winograd.conv2dInput(out, dY, filter, window)) return
      const fits = 4 * unfoldedFloats <= SCRATCH_BYTES
      // A row too long for scratch memory uses a buffer; then one part runs at a time.
      tools.withMemory(filters * Math.ceil(steps / tile.nr) * tile.nr + (fits ? 0 : unfoldedFloats), (panels) => {
        const buffer = panels + 4 * filters * Math.ceil(steps / tile.nr) * tile.nr
        packBColumns(panels, address(filter), steps, filters, 4 * filters)
        /** Handles output rows [first, last) of image i. */
        const image = (call: Call, part: number, i: number, first: number, last: number): void => {
          const unfolded = fits ? scratchOf(part) : buffer
          if (first === 0) call(tools.fill(), to + i * imageBytes, imageBytes, 0)
          for (let oy = first; oy < last; oy += most) {
            const rows = Math.min(most, last - oy)
            const block = {
              ...window,
              outSize: [rows, ow],
              padBefore: [window.padBefore[0] - oy * window.strides[0], window.padBefore[1]],
            } as const
            const lines = from + 4 * (i * oh + oy) * ow * filters
            call(product, unfolded, lines, panels, rows * ow, steps, filters, 4 * steps, 0, 4 * filters)
            call(foldKernel(), to + i * imageBytes, unfolded, 0, 1, ...geometryOf(out.shape, block))
          }
        }
        if (!fits) {
          for (let i = 0; i < n; i++) image(direct, 0, i, 0, oh)
          return
        }
        // Blocks of one image overlap, so they are taken in order. A job has as many blocks as its list of calls has room for.
        for (let first = 0; first < oh; first += BLOCKS_PER_JOB * most) {
          const last = Math.min(oh, first + BLOCKS_PER_JOB * most)
          const body: Body = (begin, end, call, part) => {
            for (let i = begin; i < end; i++) image(call, part, i, first, last)
          }
          const values = 5 + Math.ceil((last - first) / most) * VALUES_PER_BLOCK
          engine.split(n, 1, n * (last - first) * ow * filters * steps * MULTIPLY_ADD, body, values)
        }
      })
      engine.clearUpperHalves()
    },

    conv2dFilter(out, x, dY, window) {
      if (out.size === 0) return
      if (dY.size === 0) return void tools.fill()(address(out), 4 * out.size, 0)
      if (winograd.conv2dFilter(out, x, dY, window)) return
      const [n, oh, ow, filters] = dY.shape
      const tile = tileForFilters(engine, filters)
      const groups = groupsFor(n, out.size)
      // Threads share the groups. If there are more threads, they share bands of filters, too, which changes no sum.
      const panelCount = Math.ceil(filters / tile.nr)
      const bandFilters = Math.ceil(panelCount / Math.min(panelCount, Math.ceil(engine.threads / groups))) * tile.nr
      const bands = Math.ceil(filters / bandFilters)
      withPadding(x, window, (padded, imageAt) => {
        const shape = shapeOf(padded, out, window)
        const run = kernelFor('filterGradient', shape, tile)
        tools.withMemory((groups - 1) * out.size + groups * bands * panelFloats(shape, tile), (sums) => {
          const panels = sums + 4 * (groups - 1) * out.size
          const sumOf = (group: number): number => (group === 0 ? address(out) : sums + 4 * (group - 1) * out.size)
          const from = address(dY)
          const start = (group: number): number => Math.floor((group * n) / groups)
          // A band is no range of memory, so with bands the sums are zeroed here.
          for (let group = 0; bands > 1 && group < groups; group++) tools.fill()(sumOf(group), 4 * out.size, 0)
          for (let turn = 0; turn < Math.ceil(n / groups); turn += IMAGES_PER_JOB) {
            const body: Body = (begin, end, call, part) => {
              for (let item = begin; item < end; item++) {
                const [group, first] = [Math.floor(item / bands), (item % bands) * bandFilters]
                if (bands === 1 && turn === 0) call(tools.fill(), sumOf(group), 4 * out.size, 0)
                const panel = panels + 4 * item * panelFloats(shape, tile)
                const last = Math.min(start(group + 1), start(group) + turn + IMAGES_PER_JOB)
                const count = Math.min(bandFilters, filters - first)
                for (let i = start(group) + turn; i < last; i++)
                  call(run, sumOf(group) + 4 * first, imageAt(call, part, i), from + 4 * (i * oh * ow * filters + first), panel, 1, count)
              }
            }
            const images = Math.min(n, groups * IMAGES_PER_JOB)
            const nanoseconds = images * oh * ow * out.size * MULTIPLY_ADD
            engine.split(groups * bands, 1, nanoseconds, body, 5 + IMAGES_PER_JOB * VALUES_PER_IMAGE)
          }
          tools.addAll(address(out), sums, out.size, groups - 1)
        })
      })
      engine.clearUpperHalves()
    },
  }
}

/**
 * How the kernels of pooling and of depthwise convolution walk over the windows of images [n, h, w, c]: window by window, and inside a window along
 * the channels, four to eight at a time. Padding is not put in place. The cells of a window inside the image are at constant distances, so the code
 * handles them one by one. A window that hangs over the edge, or has very many cells, is a loop over the cells inside.
 *
 * A module is compiled for each shape, but for any number of images. Positions are in bytes from the start of the images, so two tensors of one
 * shape can be walked together.
 */
import type { Window } from '../../../tensor/shape.js'
import type { FunctionBuilder, Local } from '../assembler/assembler.js'
import { type I32, i32, type Vector, v128 } from '../assembler/instructions.js'

/** Windows over images: the image's size and the window. */
export interface WindowShape {
  readonly image: readonly [h: number, w: number, c: number]
  readonly window: Window
}

export const windowShape = (x: readonly number[], { kernelSize, strides, dilation, padBefore, outSize }: Window): WindowShape => ({
  image: [x[1], x[2], x[3]],
  window: { kernelSize, strides, dilation, padBefore, outSize },
})

/** Bytes of a pixel, of a row, of an image. */
export function bytesOf({ image: [h, w, c] }: WindowShape): { pixel: number; row: number; image: number } {
  return { pixel: 4 * c, row: 4 * w * c, image: 4 * h * w * c }
}

/** The most cells of a window for which the code is written out cell by cell. */
const MOST_CELLS = 32

/** The distances of a window's cells from its first one, in bytes, for a window inside the image. */
export function cellOffsets(shape: WindowShape): number[] {
  const { kernelSize, dilation } = shape.window
  const { pixel, row } = bytesOf(shape)
  const offsets: number[] = []
  for (let ky = 0; ky < kernelSize[0]; ky++)
    for (let kx = 0; kx < kernelSize[1]; kx++) offsets.push(ky * dilation[0] * row + kx * dilation[1] * pixel)
  return offsets
}

/** A window that is partly inside the image: cells [ky, ky + rows) × [kx, kx + columns) are. */
export interface Clipped {
  readonly ky: Local<'i32'>
  readonly rows: Local<'i32'>
  readonly kx: Local<'i32'>
  readonly columns: Local<'i32'>
}

/** The code for one window. `first` is the position of its first cell inside the image, `at` that of its output, both at channel 0. */
export interface Visit {
  inside?(first: Local<'i32'>, at: Local<'i32'>): void
  /** Used instead of `inside`: handles all windows of a row that are inside, `count` of them, before the windows at the edges. */
  run?(first: Local<'i32'>, at: Local<'i32'>, count: number): void
  edge(first: Local<'i32'>, at: Local<'i32'>, clipped: Clipped): void
}

/** Computes which i in [0, k) have start + i·dilation in [0, n): the first one and how many. */
function emitClip(
  f: FunctionBuilder,
  start: Local<'i32'>,
  [k, dilation, n]: readonly [number, number, number],
  first: Local<'i32'>,
  count: Local<'i32'>,
): void {
  const steps = (distance: I32): I32 => (dilation === 1 ? distance : i32.divS(i32.add(distance, dilation - 1), dilation))
  f.set(first, 0)
  f.if(i32.ltS(start, 0), () => f.set(first, steps(i32.sub(0, start))))
  f.set(count, k)
  f.if(
    i32.ltS(start, n),
    () => f.set(count, steps(i32.sub(n, start))),
    () => f.set(count, 0),
  )
  f.if(i32.gtS(count, k), () => f.set(count, k))
  f.set(count, i32.sub(count, first))
  f.if(i32.ltS(count, 0), () => f.set(count, 0))
}

/** Walks the window rows `begin` to `end` of n·oh. */
export function emitWindows(f: FunctionBuilder, shape: WindowShape, begin: I32, end: I32, visit: Visit): void {
  const { image, window } = shape
  const [h, w] = image
  const { kernelSize, strides, dilation, padBefore, outSize } = window
  const { pixel, row: rowBytes, image: imageBytes } = bytesOf(shape)
  const reach = (kernelSize[1] - 1) * dilation[1] + 1
  const [first, at, top, left, line, ky, rows, kx, columns] = Array.from({ length: 9 }, () => f.local('i32'))
  f.set(at, i32.mul(begin, outSize[1] * pixel))
  const edge = (): void => {
    emitClip(f, left, [kernelSize[1], dilation[1], w], kx, columns)
    f.set(first, i32.add(line, i32.mul(i32.add(left, i32.mul(kx, dilation[1])), pixel)))
    visit.edge(first, at, { ky, rows, kx, columns })
  }
  /** The windows of a row that are inside the image: [from, to). */
  const from = Math.ceil(padBefore[1] / strides[1])
  const to = Math.min(outSize[1], Math.floor((w - reach + padBefore[1]) / strides[1]) + 1)
  const written = kernelSize[0] * kernelSize[1] <= MOST_CELLS && w >= reach
  f.for(begin, end, 1, (row) => {
    f.set(top, i32.sub(i32.mul(i32.remS(row, outSize[0]), strides[0]), padBefore[0]))
    emitClip(f, top, [kernelSize[0], dilation[0], h], ky, rows)
    const y = i32.add(top, i32.mul(ky, dilation[0]))
    f.set(line, i32.add(i32.mul(i32.divS(row, outSize[0]), imageBytes), i32.mul(y, rowBytes)))
    if (visit.run && written && to > from)
      f.if(i32.eq(rows, kernelSize[0]), () => {
        f.set(first, i32.add(line, (from * strides[1] - padBefore[1]) * pixel))
        visit.run?.(first, f.let(i32.add(at, from * pixel)), to - from)
      })
    f.set(left, -padBefore[1])
    f.for(0, outSize[1], 1, () => {
      if (written)
        f.if(
          i32.and(i32.eq(rows, kernelSize[0]), i32.leU(left, w - reach)),
          () => {
            if (visit.run) return
            f.set(first, i32.add(line, i32.mul(left, pixel)))
            visit.inside?.(first, at)
          },
          edge,
        )
      else edge()
      f.advance(left, strides[1])
      f.advance(at, pixel)
    })
  })
}

/** Emits a loop over the cells of a clipped window that are inside: their distance from the first, in bytes, and the position of their weights [kh, kw, c]. */
export function emitCells(
  f: FunctionBuilder,
  shape: WindowShape,
  { ky, rows, kx, columns }: Clipped,
  cell: (offset: Local<'i32'>, weights: Local<'i32'>) => void,
): void {
  const { kernelSize, dilation } = shape.window
  const { pixel, row } = bytesOf(shape)
  const [offset, weights, line] = [f.local('i32'), f.local('i32'), f.local('i32')]
  f.set(line, 0)
  f.for(ky, i32.add(ky, rows), 1, (y) => {
    f.set(offset, line)
    f.set(weights, i32.mul(i32.add(i32.mul(y, kernelSize[1]), kx), pixel))
    f.for(0, columns, 1, () => {
      cell(offset, weights)
      f.advance(offset, dilation[1] * pixel)
      f.advance(weights, pixel)
    })
    f.advance(line, dilation[0] * row)
  })
}

/**
 * Emits a walk along c channels, a few vectors at a time. `step` handles a vector at each of the offsets; `lanes` is the number of channels in each. `pointers`
 * move along.
 */
export function emitChannels(
  f: FunctionBuilder,
  c: number,
  pointers: readonly Local<'i32'>[],
  step: (offsets: readonly number[], lanes: number) => void,
  vectors = 2,
): void {
  const turns = Math.floor(c / (4 * vectors))
  const offsets = (count: number, from: number): number[] => Array.from({ length: count }, (_, v) => from + 16 * v)
  let base = 0
  if (turns === 1) {
    step(offsets(vectors, 0), 4)
    base = 16 * vectors
  } else if (turns > 1) {
    const left = f.let(i32.const(turns))
    f.loop((again) => {
      step(offsets(vectors, 0), 4)
      for (const pointer of pointers) f.advance(pointer, 16 * vectors)
      f.advance(left, -1)
      f.break(again, left)
    })
  }
  const rest = Math.floor((c % (4 * vectors)) / 4)
  if (rest > 0) step(offsets(rest, base), 4)
  if (c % 4 > 0) step([base + 16 * rest], c % 4)
}

/** Stores only the first `lanes` lanes. */
export function storeFirst(f: FunctionBuilder, to: Local<'i32'>, value: Vector, lanes: number, offset: number): void {
  if (lanes === 4) f.do(v128.store(to, value, offset))
  else if (lanes === 1) f.do(v128.store32Lane(to, value, 0, offset))
  else {
    const some = f.let(value)
    f.do(v128.store64Lane(to, some, 0, offset))
    if (lanes === 3) f.do(v128.store32Lane(to, some, 2, offset + 8))
  }
}

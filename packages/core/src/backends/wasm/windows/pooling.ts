/**
 * Pooling over windows and its gradients. Each is one pass over the image and the windows.
 *
 * The gradient of the maximum searches for the maximum again, which costs less than to store and read its place. The cotangent goes to the first cell
 * that equals the maximum, or to the first NaN. One exception: if all cells inside are −Infinity and padding comes before the first of them,
 * the padding was the maximum, and no cell gets the cotangent.
 *
 * Where relu made the image, its gradient masks that of the maximum: dX where x > 0. The maximum of a window is a cell that gets something, so a window whose
 * maximum is not above 0 gives nothing to any cell, and one comparison for each window does for all of its cells.
 *
 * Where windows overlap, a cell's sum is taken in the order [oy, ox]. So threads share rows of windows forward, and whole images backward.
 */
import type { Window } from '../../../tensor/shape.js'
import type { FusedKernels, Operand } from '../../backend.js'
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js'
import { f32x4, i32, i32x4, memory, type Vector, v128 } from '../assembler/instructions.js'
import { address } from '../engine/address.js'
import type { Engine, KernelFunction } from '../engine/engine.js'
import { entry } from '../engine/made-once.js'
import {
  bytesOf,
  type Clipped,
  cellOffsets,
  emitCells,
  emitChannels,
  emitWindows,
  storeFirst,
  type WindowShape,
  windowShape,
} from './window-walk.js'

type Emit = (module: ModuleBuilder, shape: WindowShape) => void

/**
 * The maximum, NaN if any value is NaN. V8 compiles `f32x4.max` to eight instructions; `pmax` and a mask of NaNs need three.
 */
function maximum(values: readonly Local<'v128'>[]): Vector {
  const isNaN = values.map((x): Vector => f32x4.ne(x, x)).reduce((a, b) => v128.or(a, b))
  return v128.or(
    values.reduce<Vector>((a, b) => f32x4.pmax(a, b), values[0]),
    isNaN,
  )
}

const total = (values: readonly Vector[]): Vector => values.reduce((a, b) => f32x4.add(a, b))

/** x / count. If count is a power of two, x·(1/count) gives the same bits. */
const dividedBy = (f: FunctionBuilder, x: Vector, count: number): Vector =>
  Number.isInteger(Math.log2(count)) ? f32x4.mul(x, f.splat(1 / count)) : f32x4.div(x, f.splat(count))

/** The number of cells of a clipped window that are inside the image. */
const cellsInside = (f: FunctionBuilder, { rows, columns }: Clipped): Local<'v128'> =>
  f.let(f32x4.convertI32x4S(i32x4.splat(i32.mul(rows, columns))))

/** Writes `kernel(y, x, begin, end)` for window rows begin to end of n·oh. */
const emitForward =
  (mean: boolean): Emit =>
  (module, shape) => {
    const c = shape.image[2]
    const cells = cellOffsets(shape)
    module.export('kernel', { y: 'i32', x: 'i32', begin: 'i32', end: 'i32' }, null, (f, { y, x, begin, end }) => {
      const [from, to, value] = [f.local('i32'), f.local('i32'), f.local('v128')]
      const along = (first: Local<'i32'>, at: Local<'i32'>, result: (offset: number) => Vector): void => {
        f.set(from, i32.add(x, first))
        f.set(to, i32.add(y, at))
        emitChannels(f, c, [from, to], (offsets, lanes) => {
          for (const offset of offsets) storeFirst(f, to, result(offset), lanes, offset)
        })
      }
      emitWindows(f, shape, begin, end, {
        inside: (first, at) =>
          along(first, at, (offset) => {
            const values = cells.map((cell) => v128.load(from, cell + offset))
            return mean ? dividedBy(f, total(values), cells.length) : maximum(values.map((value) => f.let(value)))
          }),
        edge(first, at, clipped) {
          const count = cellsInside(f, clipped)
          along(first, at, (offset) => {
            f.set(value, f.splat(mean ? 0 : -Infinity))
            emitCells(f, shape, clipped, (cell) => {
              const next = v128.load(i32.add(from, cell), offset)
              f.set(value, mean ? f32x4.add(value, next) : f32x4.max(value, next))
            })
            return mean ? f32x4.div(value, count) : value
          })
        },
      })
    })
  }

/** `once`: each cell is in exactly one window. `apart`: each cell is in at most one. */
function coverage({ image: [h, w], window }: WindowShape): { once: boolean; apart: boolean } {
  const { kernelSize, strides, dilation, padBefore, outSize } = window
  const apart = [0, 1].every((axis) => (kernelSize[axis] - 1) * dilation[axis] + 1 <= strides[axis])
  const whole = [h, w].every((n, axis) => padBefore[axis] === 0 && kernelSize[axis] === strides[axis] && outSize[axis] * strides[axis] >= n)
  return { once: apart && whole, apart }
}

/** Sets images begin to end of dX to zero, unless the kernel will write every cell. */
function emitClear(f: FunctionBuilder, shape: WindowShape, dX: Local<'i32'>, begin: Local<'i32'>, end: Local<'i32'>): void {
  if (coverage(shape).once) return
  const { image } = bytesOf(shape)
  f.do(memory.fill(i32.add(dX, i32.mul(begin, image)), 0, i32.mul(i32.sub(end, begin), image)))
}

/** Writes `kernel(dX, dY, begin, end)` for images begin to end. */
const emitAverageGradient: Emit = (module, shape) => {
  const c = shape.image[2]
  const cells = cellOffsets(shape)
  const { apart } = coverage(shape)
  const rows = shape.window.outSize[0]
  module.export('kernel', { dX: 'i32', dY: 'i32', begin: 'i32', end: 'i32' }, null, (f, { dX, dY, begin, end }) => {
    const [to, from, share, target] = [f.local('i32'), f.local('i32'), f.local('v128'), f.local('i32')]
    const add = (pointer: Local<'i32'>, lanes: number, offset: number): void =>
      storeFirst(f, pointer, apart ? share : f32x4.add(v128.load(pointer, offset), share), lanes, offset)
    const start = (first: Local<'i32'>, at: Local<'i32'>): void => {
      f.set(to, i32.add(dX, first))
      f.set(from, i32.add(dY, at))
    }
    f.for(begin, end, 1, (image) => {
      const next = f.let(i32.add(image, 1))
      emitClear(f, shape, dX, image, next)
      emitWindows(f, shape, i32.mul(image, rows), i32.mul(next, rows), {
        inside(first, at) {
          start(first, at)
          emitChannels(f, c, [to, from], (offsets, lanes) => {
            for (const offset of offsets) {
              f.set(share, dividedBy(f, v128.load(from, offset), cells.length))
              for (const cell of cells) add(to, lanes, cell + offset)
            }
          })
        },
        edge(first, at, clipped) {
          start(first, at)
          const count = cellsInside(f, clipped)
          emitChannels(f, c, [to, from], (offsets, lanes) => {
            for (const offset of offsets) {
              f.set(share, f32x4.div(v128.load(from, offset), count))
              emitCells(f, shape, clipped, (cell) => {
                f.set(target, i32.add(to, cell))
                add(target, lanes, offset)
              })
            }
          })
        },
      })
    })
  })
}

/** Writes `kernel(dX, x, dY, begin, end)` for images begin to end. `gated`: dX is 0 where x is not above 0. */
const emitMaxGradient = (module: ModuleBuilder, shape: WindowShape, gated: boolean): void => {
  const c = shape.image[2]
  const cells = cellOffsets(shape)
  const { apart } = coverage(shape)
  const rows = shape.window.outSize[0]
  const parameters = { dX: 'i32', x: 'i32', dY: 'i32', begin: 'i32', end: 'i32' } as const
  module.export('kernel', parameters, null, (f, { dX, x, dY, begin, end }) => {
    const [to, from, above, target, source] = Array.from({ length: 5 }, () => f.local('i32'))
    const [most, rest, hit, never] = Array.from({ length: 4 }, () => f.local('v128'))
    const start = (first: Local<'i32'>, at: Local<'i32'>): void => {
      f.set(to, i32.add(dX, first))
      f.set(from, i32.add(x, first))
      f.set(above, i32.add(dY, at))
    }
    /** Gives `rest` to the cell, in the lanes where `value` is true; `rest` is the part of dY that no cell has got yet. */
    const give = (value: Vector, pointer: Local<'i32'>, lanes: number, offset: number, last = false): void => {
      f.set(hit, value)
      const share = f.let(v128.and(rest, hit))
      if (!last) f.set(rest, v128.andNot(rest, hit))
      storeFirst(f, pointer, apart ? share : f32x4.add(v128.load(pointer, offset), share), lanes, offset)
    }
    const cotangent = (offset: number): Vector => {
      const all = v128.load(above, offset)
      return gated ? v128.and(all, f32x4.gt(most, f.splat(0))) : all
    }
    const isMaximum = (value: Local<'v128'>): Vector => v128.or(f32x4.eq(value, most), f32x4.ne(value, value))
    f.for(begin, end, 1, (image) => {
      const next = f.let(i32.add(image, 1))
      emitClear(f, shape, dX, image, next)
      emitWindows(f, shape, i32.mul(image, rows), i32.mul(next, rows), {
        inside(first, at) {
          start(first, at)
          emitChannels(f, c, [to, from, above], (offsets, lanes) => {
            for (const offset of offsets) {
              const values = cells.map((cell) => f.let(v128.load(from, cell + offset)))
              f.set(most, maximum(values))
              f.set(rest, cotangent(offset))
              values.forEach((value, i) => {
                give(isMaximum(value), to, lanes, cells[i] + offset, i === cells.length - 1)
              })
            }
          })
        },
        edge(first, at, clipped) {
          start(first, at)
          f.set(never, f.splat(NaN))
          f.if(i32.or(clipped.ky, clipped.kx), () => f.set(never, f.splat(-Infinity)))
          emitChannels(f, c, [to, from, above], (offsets, lanes) => {
            for (const offset of offsets) {
              const value = f.local('v128')
              f.set(most, f.splat(-Infinity))
              emitCells(f, shape, clipped, (cell) => f.set(most, f32x4.max(most, v128.load(i32.add(from, cell), offset))))
              f.set(rest, cotangent(offset))
              emitCells(f, shape, clipped, (cell) => {
                f.set(source, i32.add(from, cell))
                f.set(target, i32.add(to, cell))
                f.set(value, v128.load(source, offset))
                give(v128.and(isMaximum(value), f32x4.ne(value, never)), target, lanes, offset)
              })
            }
          })
        },
      })
    })
  })
}

type Pooling = Required<Pick<FusedKernels, 'maxPool2d' | 'maxPool2dGradient' | 'averagePool2d' | 'averagePool2dGradient'>>

/** Estimated nanoseconds of a vector of one window cell. */
const PER_CELL = 0.3

/** The pooling kernels. */
export function createPooling(engine: Engine): Pooling {
  const kernels = new Map<string, KernelFunction>()
  const kernelFor = (what: string, emit: Emit, shape: WindowShape): KernelFunction =>
    entry(kernels, `${what} ${JSON.stringify(shape)}`, () => engine.compileOne((module) => emit(module, shape)))
  const cost = (y: Operand, { kernelSize: [kh, kw] }: Window): number => y.size * kh * kw * PER_CELL

  const forward =
    (what: string, emit: Emit) =>
    (out: Operand, x: Operand, window: Window): void => {
      if (out.size === 0) return
      const run = kernelFor(what, emit, windowShape(x.shape, window))
      const [to, from] = [address(out), address(x)]
      engine.split(out.shape[0] * out.shape[1], 1, cost(out, window), (begin, end, call) => call(run, to, from, begin, end))
    }

  /** Runs a gradient kernel. `inputs`: dY, and x before it if the kernel needs it. */
  const backward = (what: string, emit: Emit, out: Operand, inputs: readonly Operand[], window: Window): void => {
    if (out.size === 0) return
    const run = kernelFor(what, emit, windowShape(out.shape, window))
    const addresses = [out, ...inputs].map(address)
    const nanoseconds = 2 * cost(inputs[inputs.length - 1], window)
    engine.split(out.shape[0], 1, nanoseconds, (begin, end, call) => call(run, ...addresses, begin, end))
  }

  return {
    maxPool2d: forward('max', emitForward(false)),
    averagePool2d: forward('average', emitForward(true)),
    maxPool2dGradient: (out, x, dY, window, gated = false) =>
      backward(`max gradient ${gated}`, (module, shape) => emitMaxGradient(module, shape, gated), out, [x, dY], window),
    averagePool2dGradient: (out, dY, window) => backward('average gradient', emitAverageGradient, out, [dY], window),
  }
}

/**
 * Depthwise convolution, each channel of x by its own filter of [kh, kw, c], and its two gradients. The lanes of a vector are channels.
 *
 * - Forward: y[o] = Σ x[cell]·F[cell] over the window's cells, in the order (ky, kx).
 * - Input gradient. With strides 1 it is the same sum over dY, with the filter turned by 180° and the complementary padding. With other strides it is
 *   dX[cell] += dY[o]·F[cell], window by window, image by image.
 * - Filter gradient: dF[cell] = Σ x[cell]·dY[o] over the windows. Along a row of windows inside the image the sums stay in registers, four channels at
 *   a time; windows at the edge add to memory. Rows of windows are summed in groups, each in a buffer of its own, and the buffers are added in
 *   order. The shape alone decides the groups.
 */
import type { Window } from '../../../tensor/shape.js'
import type { FusedKernels, Operand } from '../../backend.js'
import type { Local, ModuleBuilder } from '../assembler/assembler.js'
import { memory as bulk, f32x4, i32, v128 } from '../assembler/instructions.js'
import { address } from '../engine/address.js'
import type { Engine, KernelFunction } from '../engine/engine.js'
import { entry, lazy } from '../engine/made-once.js'
import { emitAddAll } from './conv-kernel.js'
import { bytesOf, cellOffsets, emitCells, emitChannels, emitWindows, storeFirst, type WindowShape, windowShape } from './window-walk.js'

/** Estimated nanoseconds of a multiply-add of one element. */
const MULTIPLY_ADD = 0.15
/** The most groups of rows with a sum of their own, for a filter's gradient. */
const GROUPS = 16

/** Vectors of channels taken together at the edge, where finding the cells takes longer than the sum. */
const EDGE_VECTORS = 8
/** The most weights of a channel that stay in registers together. */
const FACTORS = 12

/** Writes `kernel(y, x, filter, begin, end)` for window rows begin to end of n·oh. `turned`: the filter is turned by 180°. */
function emitForward(module: ModuleBuilder, shape: WindowShape, turned: boolean): void {
  const c = shape.image[2]
  const cells = cellOffsets(shape)
  const { pixel } = bytesOf(shape)
  const lastWeights = (cells.length - 1) * pixel
  const parameters = { y: 'i32', x: 'i32', filter: 'i32', begin: 'i32', end: 'i32' } as const
  module.export('kernel', parameters, null, (f, { y, x, filter, begin, end }) => {
    const [from, to, weights] = [f.local('i32'), f.local('i32'), f.local('i32')]
    const start = (first: Local<'i32'>, at: Local<'i32'>): void => {
      f.set(from, i32.add(x, first))
      f.set(to, i32.add(y, at))
      f.set(weights, filter)
    }
    const sums = Array.from({ length: EDGE_VECTORS }, () => f.local('v128'))
    const weightAt = (i: number): number => (turned ? lastWeights - i * pixel : i * pixel)
    /** Handles the windows of a row, four channels at a time; the weights of these channels stay in registers. */
    const inRegisters = (first: Local<'i32'>, at: Local<'i32'>, count: number): void => {
      start(first, at)
      const [a, b, left] = [f.local('i32'), f.local('i32'), f.local('i32')]
      const factors = cells.map(() => f.local('v128'))
      emitChannels(f, c, [from, to, weights], (offsets, lanes) => {
        for (const offset of offsets) {
          factors.forEach((factor, i) => {
            f.set(factor, v128.load(weights, weightAt(i) + offset))
          })
          f.set(a, from)
          f.set(b, to)
          f.set(left, count)
          f.loop((again) => {
            cells.forEach((cell, i) => {
              const value = v128.load(a, cell + offset)
              f.set(sums[0], i === 0 ? f32x4.mul(value, factors[i]) : f.madd(value, factors[i], sums[0]))
            })
            storeFirst(f, b, sums[0], lanes, offset)
            f.advance(a, shape.window.strides[1] * pixel)
            f.advance(b, pixel)
            f.advance(left, -1)
            f.break(again, left)
          })
        }
      })
    }
    const eachWindow = (first: Local<'i32'>, at: Local<'i32'>): void => {
      start(first, at)
      emitChannels(f, c, [from, to, weights], (offsets, lanes) => {
        cells.forEach((cell, i) => {
          offsets.forEach((offset, v) => {
            const [value, factor] = [v128.load(from, cell + offset), v128.load(weights, weightAt(i) + offset)]
            f.set(sums[v], i === 0 ? f32x4.mul(value, factor) : f.madd(value, factor, sums[v]))
          })
        })
        offsets.forEach((offset, v) => {
          storeFirst(f, to, sums[v], lanes, offset)
        })
      })
    }
    emitWindows(f, shape, begin, end, {
      ...(cells.length <= FACTORS ? { run: inRegisters } : { inside: eachWindow }),
      edge(first, at, clipped) {
        start(first, at)
        const along = (offsets: readonly number[], lanes: number): void => {
          offsets.forEach((_, v) => {
            f.set(sums[v], f.splat(0))
          })
          emitCells(f, shape, clipped, (cell, weight) => {
            const factorAt = f.let(i32.add(weights, turned ? i32.sub(lastWeights, weight) : weight))
            const valueAt = f.let(i32.add(from, cell))
            offsets.forEach((offset, v) => {
              f.set(sums[v], f.madd(v128.load(valueAt, offset), v128.load(factorAt, offset), sums[v]))
            })
          })
          offsets.forEach((offset, v) => {
            storeFirst(f, to, sums[v], lanes, offset)
          })
        }
        emitChannels(f, c, [from, to, weights], along, EDGE_VECTORS)
      },
    })
  })
}

/** Writes `kernel(dX, dY, filter, begin, end)` for images begin to end, window by window. */
function emitScatter(module: ModuleBuilder, shape: WindowShape): void {
  const c = shape.image[2]
  const cells = cellOffsets(shape)
  const { pixel, image: imageBytes } = bytesOf(shape)
  const rows = shape.window.outSize[0]
  const parameters = { dX: 'i32', dY: 'i32', filter: 'i32', begin: 'i32', end: 'i32' } as const
  module.export('kernel', parameters, null, (f, { dX, dY, filter, begin, end }) => {
    const [to, from, weights, target] = Array.from({ length: 4 }, () => f.local('i32'))
    const start = (first: Local<'i32'>, at: Local<'i32'>): void => {
      f.set(to, i32.add(dX, first))
      f.set(from, i32.add(dY, at))
      f.set(weights, filter)
    }
    const cotangents = [f.local('v128'), f.local('v128')]
    f.for(begin, end, 1, (image) => {
      f.do(bulk.fill(i32.add(dX, i32.mul(image, imageBytes)), 0, imageBytes))
      emitWindows(f, shape, i32.mul(image, rows), i32.mul(i32.add(image, 1), rows), {
        inside(first, at) {
          start(first, at)
          emitChannels(f, c, [to, from, weights], (offsets, lanes) => {
            offsets.forEach((offset, v) => {
              f.set(cotangents[v], v128.load(from, offset))
            })
            cells.forEach((cell, i) => {
              offsets.forEach((offset, v) => {
                const sum = f.madd(cotangents[v], v128.load(weights, i * pixel + offset), v128.load(to, cell + offset))
                storeFirst(f, to, sum, lanes, cell + offset)
              })
            })
          })
        },
        edge(first, at, clipped) {
          start(first, at)
          emitChannels(f, c, [to, from, weights], (offsets, lanes) => {
            offsets.forEach((offset, v) => {
              f.set(cotangents[v], v128.load(from, offset))
            })
            emitCells(f, shape, clipped, (cell, weight) => {
              f.set(target, i32.add(to, cell))
              const factorAt = f.let(i32.add(weights, weight))
              offsets.forEach((offset, v) => {
                const sum = f.madd(cotangents[v], v128.load(factorAt, offset), v128.load(target, offset))
                storeFirst(f, target, sum, lanes, offset)
              })
            })
          })
        },
      })
    })
  })
}

/** The most sums that stay in registers together. */
const SUMS = 12

/** Writes `kernel(dF, x, dY, begin, end)`: the contribution to dF of window rows begin to end of n·oh. */
function emitFilterGradient(module: ModuleBuilder, shape: WindowShape): void {
  const c = shape.image[2]
  const cells = cellOffsets(shape)
  const { pixel } = bytesOf(shape)
  const { kernelSize, strides } = shape.window
  const parameters = { dF: 'i32', x: 'i32', dY: 'i32', begin: 'i32', end: 'i32' } as const
  module.export('kernel', parameters, null, (f, { dF, x, dY, begin, end }) => {
    const [to, from, above, target, a, b, left] = Array.from({ length: 7 }, () => f.local('i32'))
    const cotangents = Array.from({ length: EDGE_VECTORS }, () => f.local('v128'))
    const [cotangent] = cotangents
    const sums = cells.slice(0, SUMS).map(() => f.local('v128'))
    const start = (first: Local<'i32'>, at: Local<'i32'>): void => {
      f.set(to, dF)
      f.set(from, i32.add(x, first))
      f.set(above, i32.add(dY, at))
    }
    f.do(bulk.fill(dF, 0, kernelSize[0] * kernelSize[1] * pixel))
    emitWindows(f, shape, begin, end, {
      run(first, at, count) {
        start(first, at)
        const along = (chunk: number, offset: number, lanes: number): void => {
          const some = cells.slice(chunk, chunk + SUMS)
          f.set(a, from)
          f.set(b, above)
          f.set(left, count)
          some.forEach((_, i) => {
            f.set(sums[i], f.splat(0))
          })
          f.loop((again) => {
            f.set(cotangent, v128.load(b, offset))
            some.forEach((cell, i) => {
              f.set(sums[i], f.madd(v128.load(a, cell + offset), cotangent, sums[i]))
            })
            f.advance(a, strides[1] * pixel)
            f.advance(b, pixel)
            f.advance(left, -1)
            f.break(again, left)
          })
          some.forEach((_, i) => {
            const place = (chunk + i) * pixel + offset
            storeFirst(f, to, f32x4.add(v128.load(to, place), sums[i]), lanes, place)
          })
        }
        emitChannels(f, c, [to, from, above], (offsets, lanes) => {
          for (const offset of offsets) for (let chunk = 0; chunk < cells.length; chunk += SUMS) along(chunk, offset, lanes)
        })
      },
      edge(first, at, clipped) {
        start(first, at)
        const along = (offsets: readonly number[], lanes: number): void => {
          offsets.forEach((offset, v) => {
            f.set(cotangents[v], v128.load(above, offset))
          })
          emitCells(f, shape, clipped, (cell, weight) => {
            f.set(target, i32.add(to, weight))
            f.set(a, i32.add(from, cell))
            offsets.forEach((offset, v) => {
              storeFirst(f, target, f.madd(v128.load(a, offset), cotangents[v], v128.load(target, offset)), lanes, offset)
            })
          })
        }
        emitChannels(f, c, [to, from, above], along, EDGE_VECTORS)
      },
    })
  })
}

type Depthwise = Required<Pick<FusedKernels, 'depthwiseConv2d' | 'depthwiseConv2dInput' | 'depthwiseConv2dFilter'>>

/** The depthwise kernels. */
export function createDepthwise(engine: Engine): Depthwise {
  const kernels = new Map<string, KernelFunction>()
  const kernelFor = (what: string, shape: WindowShape, emit: (module: ModuleBuilder, shape: WindowShape) => void): KernelFunction =>
    entry(kernels, `${what} ${JSON.stringify(shape)}`, () => engine.compileOne((module) => emit(module, shape)))
  const addAllKernel = lazy(() => engine.compile(emitAddAll).addAll)
  const cost = (y: Operand, { kernelSize: [kh, kw] }: Window): number => y.size * kh * kw * MULTIPLY_ADD

  const forward = (out: Operand, x: Operand, filter: Operand, window: Window, turned: boolean): void => {
    const run = kernelFor(turned ? 'turned' : 'forward', windowShape(x.shape, window), (module, shape) =>
      emitForward(module, shape, turned),
    )
    const addresses = [out, x, filter].map(address)
    engine.split(out.shape[0] * out.shape[1], 1, cost(out, window), (begin, end, call) => call(run, ...addresses, begin, end))
  }

  return {
    depthwiseConv2d(out, x, filter, window) {
      if (out.size > 0) forward(out, x, filter, window, false)
    },

    depthwiseConv2dInput(out, dY, filter, window) {
      if (out.size === 0) return
      const { kernelSize, strides, dilation, padBefore } = window
      if (strides[0] === 1 && strides[1] === 1) {
        const complement = (axis: 0 | 1): number => (kernelSize[axis] - 1) * dilation[axis] - padBefore[axis]
        const back = { ...window, padBefore: [complement(0), complement(1)], outSize: [out.shape[1], out.shape[2]] } as const
        forward(out, dY, filter, back, true)
        return
      }
      const run = kernelFor('scatter', windowShape(out.shape, window), emitScatter)
      const addresses = [out, dY, filter].map(address)
      engine.split(out.shape[0], 1, 2 * cost(dY, window), (begin, end, call) => call(run, ...addresses, begin, end))
    },

    depthwiseConv2dFilter(out, x, dY, window) {
      if (out.size === 0) return
      const run = kernelFor('filter', windowShape(x.shape, window), emitFilterGradient)
      const [to, from, above] = [out, x, dY].map(address)
      const rows = dY.shape[0] * window.outSize[0]
      const groups = Math.max(1, Math.min(rows, GROUPS))
      const start = (group: number): number => Math.floor((group * rows) / groups)
      const bytes = 4 * (groups - 1) * out.size
      const others = engine.memory.alloc(bytes)
      try {
        const sumOf = (group: number): number => (group === 0 ? to : others + 4 * (group - 1) * out.size)
        engine.split(
          groups,
          1,
          cost(dY, window),
          (begin, end, call) => {
            for (let group = begin; group < end; group++) call(run, sumOf(group), from, above, start(group), start(group + 1))
          },
          7,
        )
        addAllKernel()(to, others, out.size, groups - 1)
      } finally {
        engine.memory.free(others, bytes)
      }
    },
  }
}

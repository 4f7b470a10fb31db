/**
 * Sliding windows. `unfold` (im2col) copies every window of x [n, h, w, c] into a row of the output; `fold` (col2im) adds the rows back to x.
 *
 * Both walk [image, oy, ox, ky]. The columns kx of a window are taken one pixel (c elements) at a time; with dilation 1 they are
 * one run of pixels, clipped to the image. Threads share unfold by rows of windows (image·oy). They share fold by images: windows
 * of one image overlap, so their sum is taken in one order, [oy, ox, ky, kx].
 */
import type { DType } from '../../../tensor/dtype.js'
import type { Window } from '../../../tensor/shape.js'
import type { Kernels, Operand } from '../../backend.js'
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js'
import { elementBytes, storeSome } from '../assembler/elements.js'
import { f32x4, i32, i32x4, v128 } from '../assembler/instructions.js'
import { address } from '../engine/address.js'
import type { Engine, KernelFunction } from '../engine/engine.js'
import { entry } from '../engine/made-once.js'
import { emitFill, fillPattern } from '../shape/copy.js'

/** Sizes that both kernels take as parameters, after their pointers. */
const geometry = {
  h: 'i32',
  w: 'i32',
  c: 'i32',
  oh: 'i32',
  ow: 'i32',
  kh: 'i32',
  kw: 'i32',
  strideY: 'i32',
  strideX: 'i32',
  dilationY: 'i32',
  dilationX: 'i32',
  padY: 'i32',
  padX: 'i32',
} as const

export const geometryOf = (x: readonly number[], { kernelSize, strides, dilation, padBefore, outSize }: Window): number[] => [
  x[1],
  x[2],
  x[3],
  ...outSize,
  ...kernelSize,
  ...strides,
  ...dilation,
  ...padBefore,
]

/** Writes `n` elements: a 32-bit pattern, or a copy from `from`. Moves `to`. */
function emitRun(
  f: FunctionBuilder,
  bytes: number,
  to: Local<'i32'>,
  n: Local<'i32'>,
  from: Local<'i32'> | null,
  fill: Local<'i32'>,
): void {
  if (bytes === 1) {
    f.while(i32.gtS(n, 0), () => {
      f.do(i32.store8(to, from ? i32.load8U(from) : fill))
      if (from) f.advance(from, 1)
      f.advance(to, 1)
      f.advance(n, -1)
    })
    return
  }
  f.while(i32.geS(n, 4), () => {
    f.do(v128.store(to, from ? v128.load(from) : i32x4.splat(fill)))
    if (from) f.advance(from, 16)
    f.advance(to, 16)
    f.advance(n, -4)
  })
  f.if(n, () => {
    storeSome(f, 'float32', to, from ? v128.load(from) : i32x4.splat(fill), n)
    f.advance(to, i32.shl(i32.and(n, 1), 2)) // storeSome has advanced by two elements if n ≥ 2; this is the odd one
  })
}

const atLeast = (f: FunctionBuilder, local: Local<'i32'>, bound: Local<'i32'> | number): void =>
  f.if(i32.ltS(local, bound), () => f.set(local, bound))
const atMost = (f: FunctionBuilder, local: Local<'i32'>, bound: Local<'i32'> | number): void =>
  f.if(i32.gtS(local, bound), () => f.set(local, bound))

/** Writes `kernel(out, x, fill, begin, end, …geometry)` for window rows begin to end of n·oh. */
function emitUnfold(module: ModuleBuilder, bytes: number): void {
  const parameters = { out: 'i32', x: 'i32', fill: 'i32', begin: 'i32', end: 'i32', ...geometry } as const
  module.export('kernel', parameters, null, (f, p) => {
    const { out, x, fill, begin, end, h, w, c, oh, ow, kh, kw, strideY, strideX, dilationY, dilationX, padY, padX } = p
    const pixel = f.let(i32.mul(c, bytes))
    const rowBytes = f.let(i32.mul(w, pixel))
    const imageBytes = f.let(i32.mul(h, rowBytes))
    const [left, right, count, from, y, line] = [0, 1, 2, 3, 4, 5].map(() => f.local('i32'))
    const windowElements = f.let(i32.mul(kw, c))
    const to = f.let(i32.add(out, i32.mul(i32.mul(i32.mul(begin, ow), i32.mul(kh, windowElements)), bytes)))
    f.for(begin, end, 1, (at) => {
      const image = f.let(i32.add(x, i32.mul(i32.divS(at, oh), imageBytes)))
      const top = f.let(i32.sub(i32.mul(i32.remS(at, oh), strideY), padY))
      f.for(0, ow, 1, (ox) => {
        const start = f.let(i32.sub(i32.mul(ox, strideX), padX))
        f.set(y, top)
        f.for(0, kh, 1, () => {
          f.if(
            i32.geU(y, h), // also true for a negative y
            () => {
              f.set(count, windowElements)
              emitRun(f, bytes, to, count, null, fill)
            },
            () => {
              f.set(line, i32.add(image, i32.mul(y, rowBytes)))
              f.block((done) => {
                // Nearly always the whole run is inside.
                f.if(i32.and(i32.eq(dilationX, 1), i32.and(i32.geS(start, 0), i32.leS(i32.add(start, kw), w))), () => {
                  f.set(from, i32.add(line, i32.mul(start, pixel)))
                  f.set(count, windowElements)
                  emitRun(f, bytes, to, count, from, fill)
                  f.break(done)
                })
                f.if(
                  i32.eq(dilationX, 1),
                  () => {
                    // Of columns start … start + kw, columns left … right are inside.
                    f.set(left, start)
                    atLeast(f, left, 0)
                    atMost(f, left, w)
                    f.set(right, i32.add(start, kw))
                    atMost(f, right, w)
                    atLeast(f, right, left)
                    f.set(count, i32.mul(i32.sub(left, start), c))
                    atMost(f, count, windowElements)
                    emitRun(f, bytes, to, count, null, fill)
                    f.set(from, i32.add(line, i32.mul(left, pixel)))
                    f.set(count, i32.mul(i32.sub(right, left), c))
                    emitRun(f, bytes, to, count, from, fill)
                    f.set(count, i32.mul(i32.sub(i32.add(start, kw), right), c))
                    atMost(f, count, windowElements)
                    emitRun(f, bytes, to, count, null, fill)
                  },
                  () => {
                    f.set(left, start)
                    f.for(0, kw, 1, () => {
                      f.set(count, c)
                      f.if(
                        i32.geU(left, w),
                        () => emitRun(f, bytes, to, count, null, fill),
                        () => {
                          f.set(from, i32.add(line, i32.mul(left, pixel)))
                          emitRun(f, bytes, to, count, from, fill)
                        },
                      )
                      f.advance(left, dilationX)
                    })
                  },
                )
              })
            },
          )
          f.advance(y, dilationY)
        })
      })
    })
  })
}

/** Writes `kernel(out, x, begin, end, …geometry)` for images begin to end. out must hold zeros. */
export function emitFold(module: ModuleBuilder, float: boolean): void {
  const parameters = { out: 'i32', x: 'i32', begin: 'i32', end: 'i32', ...geometry } as const
  module.export('kernel', parameters, null, (f, p) => {
    const { out, x, begin, end, h, w, c, oh, ow, kh, kw, strideY, strideX, dilationY, dilationX, padY, padX } = p
    const pixel = f.let(i32.shl(c, 2))
    const rowBytes = f.let(i32.mul(w, pixel))
    const imageBytes = f.let(i32.mul(h, rowBytes))
    const windowBytes = f.let(i32.mul(i32.mul(kh, kw), pixel))
    const kernelRowBytes = f.let(i32.mul(kw, pixel))
    const from = f.let(i32.add(x, i32.mul(i32.mul(i32.mul(begin, oh), ow), windowBytes)))
    const [count, to, source, y, column, line] = [0, 1, 2, 3, 4, 5].map(() => f.local('i32'))
    const add = float ? f32x4.add : i32x4.add
    /** to[0..count) += source[0..count) */
    const addRun = (): void => {
      f.while(i32.geS(count, 4), () => {
        f.do(v128.store(to, add(v128.load(to), v128.load(source))))
        f.advance(to, 16)
        f.advance(source, 16)
        f.advance(count, -4)
      })
      f.if(count, () => {
        // A load may read past the end; a store must write exactly the elements that are left.
        const sum = f.let(add(v128.load(to), v128.load(source)))
        storeSome(f, 'float32', to, sum, count)
      })
    }
    f.for(begin, end, 1, (image) => {
      const target = f.let(i32.add(out, i32.mul(image, imageBytes)))
      f.for(0, oh, 1, (oy) => {
        const top = f.let(i32.sub(i32.mul(oy, strideY), padY))
        f.for(0, ow, 1, (ox) => {
          const start = f.let(i32.sub(i32.mul(ox, strideX), padX))
          f.set(y, top)
          f.for(0, kh, 1, () => {
            f.if(i32.ltU(y, h), () => {
              f.set(line, i32.add(target, i32.mul(y, rowBytes)))
              f.if(
                i32.and(i32.eq(dilationX, 1), i32.and(i32.geS(start, 0), i32.leS(i32.add(start, kw), w))),
                () => {
                  f.set(to, i32.add(line, i32.mul(start, pixel)))
                  f.set(source, from)
                  f.set(count, i32.mul(kw, c))
                  addRun()
                },
                () => {
                  f.set(column, start)
                  f.for(0, kw, 1, (kx) => {
                    f.if(i32.ltU(column, w), () => {
                      f.set(to, i32.add(line, i32.mul(column, pixel)))
                      f.set(source, i32.add(from, i32.mul(kx, pixel)))
                      f.set(count, c)
                      addRun()
                    })
                    f.advance(column, dilationX)
                  })
                },
              )
            })
            f.advance(from, kernelRowBytes)
            f.advance(y, dilationY)
          })
        })
      })
    })
  })
}

/** The primitives `unfold` and `fold`. */
export function createWindow(engine: Engine): Pick<Kernels, 'unfold' | 'fold'> {
  const unfoldKernels = new Map<number, KernelFunction>()
  const foldKernels = new Map<DType, KernelFunction>()
  let fillKernel: KernelFunction | undefined
  return {
    unfold(out: Operand, x: Operand, window: Window, fill: number) {
      if (out.size === 0) return
      const bytes = elementBytes(x.dtype)
      const run = entry(unfoldKernels, bytes, () => engine.compileOne((module) => emitUnfold(module, bytes)))
      const rows = x.shape[0] * window.outSize[0]
      const [to, from, pattern, geometry] = [address(out), address(x), fillPattern(fill, x.dtype), geometryOf(x.shape, window)]
      engine.split(rows, 1, out.size * 0.5, (begin, end, call) => call(run, to, from, pattern, begin, end, ...geometry))
    },

    fold(out: Operand, x: Operand, window: Window) {
      if (out.size === 0) return
      fillKernel ??= engine.compileOne((module) => emitFill(module))
      const clear = fillKernel
      const run = entry(foldKernels, x.dtype, (dtype) => engine.compileOne((module) => emitFold(module, dtype === 'float32')))
      const [to, from, geometry] = [address(out), address(x), geometryOf(out.shape, window)]
      const images = out.shape[0]
      const imageBytes = (4 * out.size) / images
      engine.split(images, 1, x.size * 0.7, (begin, end, call) => {
        call(clear, to + begin * imageBytes, (end - begin) * imageBytes, 0)
        call(run, to, from, begin, end, ...geometry)
      })
    },
  }
}

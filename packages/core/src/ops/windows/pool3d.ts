/** Pooling over windows of volumes, channels last. Maxima and means of windows are taken plane by plane, and then along depth. */
import { requireOptions } from '../../arguments.js'
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import type { Tensor } from '../../tensor/tensor.js'
import { requireFloats } from '../requirements.js'
import { averagePool2d, maxPool2d } from './pool.js'
import { slidingWindow3d, type Triple, WINDOW_3D_OPTIONS, type Window3dOptions } from './window3d.js'

type PoolOptions = Window3dOptions & { poolSize: Triple }

function pooling(name: 'maxPool3d' | 'averagePool3d'): (x: Tensor, poolSize: Triple, options?: Window3dOptions) => Tensor {
  const call = defineComposed<PoolOptions>({
    name,
    compose: ([x], { poolSize, strides = poolSize, ...options }, ops) => {
      const pool = name === 'maxPool3d' ? maxPool2d : averagePool2d
      const [n, d, h, w, c] = x.shape
      const { depth, plane, outSize } = slidingWindow3d(name, x.shape, poolSize, { strides, ...options }, 'poolSize')
      const planes = pool(ops.reshape(x, [n * d, h, w, c]), [poolSize[1], poolSize[2]], plane)
      const { kernelSize, strides: along, dilation } = depth
      const y = pool(ops.reshape(planes, [n, d, outSize[1] * outSize[2], c]), kernelSize, {
        strides: along,
        padding: plane.padding,
        dilation,
      })
      return ops.reshape(y, [n, ...outSize, c])
    },
    samples: samples(),
  })
  return (x, poolSize, options = {}) => {
    requireFloats(name, 'x', x)
    requireOptions(name, options, WINDOW_3D_OPTIONS)
    slidingWindow3d(name, x.shape, poolSize, { ...options, strides: options.strides ?? poolSize }, 'poolSize')
    return call([x], { ...options, poolSize })
  }
}

/**
 * The largest value of each window.
 *
 * Shape:    [n, d, h, w, c] → [n, od, oh, ow, c]; strides default to the pool size
 * Gradient: to the first largest cell of each window, in the order of memory
 *
 * @throws ShapeError if the window is larger than the padded input.
 * @example
 * ```ts
 * const y = maxPool3d(ones([1, 4, 4, 4, 2]), [2, 2, 2])   // [1, 2, 2, 2, 2]
 * ```
 */
export const maxPool3d: (x: Tensor, poolSize: Triple, options?: Window3dOptions) => Tensor = pooling('maxPool3d')

/**
 * The mean of each window; under `same` padding of its cells inside x.
 *
 * Shape:    [n, d, h, w, c] → [n, od, oh, ow, c]; strides default to the pool size
 * Gradient: dY / cells inside, to each cell of the window
 *
 * @throws ShapeError if the window is larger than the padded input.
 * @example
 * ```ts
 * const y = averagePool3d(ones([1, 5, 4, 4, 2]), [2, 2, 2], { padding: 'same' })   // [1, 3, 2, 2, 2]
 * ```
 */
export const averagePool3d: (x: Tensor, poolSize: Triple, options?: Window3dOptions) => Tensor = pooling('averagePool3d')

function samples(): Sample<PoolOptions>[] {
  return [
    sampleWith({ poolSize: [2, 2, 2] }, [1, 4, 4, 5, 2]),
    sampleWith({ poolSize: [2, 3, 2], strides: [1, 2, 2], padding: 'same' }, [2, 3, 4, 3, 1]),
    sampleWith({ poolSize: [1, 2, 2], dilation: [1, 2, 1] }, [1, 2, 3, 4, 3]),
    sampleWith({ poolSize: [2, 2, 2] }, [0, 2, 2, 2, 1]),
    sampleWith({ poolSize: [3, 2, 2], padding: 'same' }, [1, 7, 9, 6, 5]),
  ]
}

/**
 * The ops of Fourier transforms. Each takes or gives real and imaginary part as one tensor [2, ..], whose parts `partsOf` takes out. All run on the host,
 * in float64.
 */
import { defineOp } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { ops } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import type { HostValues } from '../../backends/backend.js'
import { reduceExtent, type Shape } from '../../tensor/shape.js'
import type { Tensor } from '../../tensor/tensor.js'
import { planReal } from './real-transform.js'
import { complexArray } from './roots.js'
import { planTransform } from './transform.js'

/** A complex tensor: two real ones of one shape. */
export interface ComplexTensor {
  real: Tensor
  imag: Tensor
}

/** The axis, from 0, and for real signals the length of the signal. */
export interface Along {
  axis: number
  n: number
}

/** Calls f with the position of the first element and the distance of elements for each row along an axis. */
function eachRow(shape: Shape, axis: number, f: (row: (x: HostValues, length: number, part?: number) => Strided) => void): void {
  const { outer, inner } = reduceExtent(shape, axis, axis)
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      f((x, length, part = 0) => ({ x, length, inner, start: (part * outer + o) * length * inner + i }))
    }
  }
}

/** A row of values at equal distances. */
interface Strided {
  x: HostValues
  length: number
  inner: number
  start: number
}

function load({ x, length, inner, start }: Strided, row: Float64Array): void {
  for (let j = 0; j < length; j++) row[j] = x[start + j * inner]
}

function store({ x, length, inner, start }: Strided, row: Float64Array): void {
  for (let j = 0; j < length; j++) x[start + j * inner] = row[j]
}

const partOf = (packed: Tensor, part: number): Tensor => ops.squeeze(ops.slice(packed, [part], [1]), 0)
/** Both parts of a packed result. */
export const partsOf = (packed: Tensor): ComplexTensor => ({ real: partOf(packed, 0), imag: partOf(packed, 1) })

/** Σ x[j]·e^(∓2πi·jk/n) along an axis. */
export const callFourier = defineOp<{ axis: number; inverse: boolean }>({
  name: 'fourier',
  rule: 'dX = the transform of dY with the other sign',
  shape: ([real]) => ({ shape: [2, ...real.shape], dtype: real.dtype }),
  forward: (k, out, [real, imag], { axis, inverse }) => {
    const n = real.shape[axis]
    k.host(out, [real, imag], (y, [re, im]) => {
      const transform = planTransform(n)
      const [x, z] = [complexArray(n), complexArray(n)]
      const [first, second] = inverse ? [1, 0] : [0, 1] // the inverse swaps real and imaginary part
      eachRow(real.shape, axis, (row) => {
        load(row(re, n), x[first])
        load(row(im, n), x[second])
        transform(x, z)
        store(row(y, n), z[first])
        store(row(y, n, 1), z[second])
      })
    })
  },
  vjp: ({ dY, options }, inputs) => {
    let packed: Tensor | undefined
    const back = (part: number) => (): Tensor => {
      packed ??= callFourier([partOf(dY, 0), partOf(dY, 1)], { ...options, inverse: !options.inverse })
      return partOf(packed, part)
    }
    return inputs.map((_, part) => back(part))
  },
  samples: fourierSamples(),
})

/** The shape with another size of one axis. */
export const resized = (shape: Shape, axis: number, size: number): Shape => shape.map((n, i) => (i === axis ? size : n))

/** The shape of a spectrum of n real numbers, along an axis. */
const halved = (shape: Shape, { axis, n }: Along): Shape => resized(shape, axis, Math.floor(n / 2) + 1)

/** Σ x[j]·e^(−2πi·jk/n) of real numbers, for k ≤ n/2. */
export const callRealFourier = defineOp<Along>({
  name: 'realFourier',
  rule: 'dX = realFourierAdjoint(dY)',
  shape: ([x], along) => ({ shape: [2, ...halved(x.shape, along)], dtype: x.dtype }),
  forward: (k, out, [x], { axis, n }) => {
    const size = Math.floor(n / 2) + 1
    k.host(out, [x], (y, [values]) => {
      const plan = planReal(n)
      const [signal, spectrum] = [new Float64Array(n), complexArray(size)]
      eachRow(x.shape, axis, (row) => {
        load(row(values, n), signal)
        plan.forward(signal, spectrum)
        store(row(y, size), spectrum[0])
        store(row(y, size, 1), spectrum[1])
      })
    })
  },
  vjp: ({ dY, options }) => [() => callRealFourierAdjoint([partOf(dY, 0), partOf(dY, 1)], options)],
  samples: realFourierSamples(),
})

/** x[j] = Σ over k ≤ n/2 of the real part of y[k]·e^(2πi·jk/n). */
export const callRealFourierAdjoint = defineOp<Along>({
  name: 'realFourierAdjoint',
  rule: 'dY = realFourier(dX)',
  shape: ([real], { axis, n }) => ({ shape: resized(real.shape, axis, n), dtype: real.dtype }),
  forward: (k, out, [real, imag], { axis, n }) => {
    const size = Math.floor(n / 2) + 1
    k.host(out, [real, imag], (x, [re, im]) => {
      const plan = planReal(n)
      const [signal, spectrum] = [new Float64Array(n), complexArray(size)]
      eachRow(real.shape, axis, (row) => {
        load(row(re, size), spectrum[0])
        load(row(im, size), spectrum[1])
        plan.adjoint(spectrum, signal)
        store(row(x, n), signal)
      })
    })
  },
  vjp: ({ dY, options }) => {
    let packed: Tensor | undefined
    const back = (part: number) => (): Tensor => {
      packed ??= callRealFourier([dY], options)
      return partOf(packed, part)
    }
    return [back(0), back(1)]
  },
  samples: realFourierAdjointSamples(),
})

function fourierSamples(): Sample<{ axis: number; inverse: boolean }>[] {
  const [forth, back] = [false, true].map((inverse) => (axis: number) => ({ axis, inverse }))
  return [
    sampleWith(forth(0), [8], [8]),
    sampleWith(back(1), [2, 6], [2, 6]),
    sampleWith(forth(0), [5, 1], [5, 1]),
    sampleWith(back(1), [2, 3, 2], [2, 3, 2]),
    sampleWith(forth(0), [1], [1]),
    sampleWith(forth(1), [0, 3], [0, 3]),
    sampleWith(forth(0), [37, 2], [37, 2]),
    sampleWith(back(1), [67, 130], [67, 130]),
  ]
}

function realFourierSamples(): Sample<Along>[] {
  return [
    sampleWith({ axis: 0, n: 8 }, [8]),
    sampleWith({ axis: 1, n: 5 }, [2, 5]),
    sampleWith({ axis: 0, n: 6 }, [6, 3]),
    sampleWith({ axis: 0, n: 1 }, [1]),
    sampleWith({ axis: 1, n: 2 }, [0, 2]),
    sampleWith({ axis: 1, n: 130 }, [67, 130]),
  ]
}

function realFourierAdjointSamples(): Sample<Along>[] {
  return [
    sampleWith({ axis: 0, n: 8 }, [5], [5]),
    sampleWith({ axis: 1, n: 5 }, [2, 3], [2, 3]),
    sampleWith({ axis: 0, n: 6 }, [4, 3], [4, 3]),
    sampleWith({ axis: 0, n: 1 }, [1], [1]),
    sampleWith({ axis: 1, n: 2 }, [0, 2], [0, 2]),
    sampleWith({ axis: 1, n: 130 }, [67, 66], [67, 66]),
  ]
}

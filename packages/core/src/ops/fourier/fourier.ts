/** Discrete Fourier transforms. A complex tensor is a pair of real ones, { real, imag }. */
import { requireOptions, requireWhole } from '../../arguments.js'
import { ops } from '../../autodiff/op.js'
import { shapeError } from '../../errors.js'
import { floatOf, promote, requireDType } from '../../tensor/dtype.js'
import { scope } from '../../tensor/scope.js'
import { normalizeAxes, normalizeAxis, requireWholes, sameShape } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { type Along, type ComplexTensor, callFourier, callRealFourier, callRealFourierAdjoint, partsOf, resized } from './dft.js'

/** Along which axis a transform goes, and how long it is. */
export interface FourierOptions {
  /** The last axis if left out. */
  axis?: number
  /** The length of the transform: the signal is cropped, or zeros are put at its end. The size of the axis if left out. */
  n?: number
}

/** Checks x and the options of a transform: x as floats, the axis from 0, and the length, `usual` where none is given. */
function along(
  op: string,
  name: string,
  x: unknown,
  options: FourierOptions,
  usual = (size: number): number => size,
): Along & { x: Tensor } {
  requireTensor(op, name, x)
  requireDType(op, name, x.dtype, ['float32', 'float64', 'int32', 'uint8'])
  requireOptions(op, options, ['axis', 'n'], `${op}(x, { axis: 0 })`)
  const { axis: place = -1 } = options
  const axis = normalizeAxis(op, place, x.rank)
  const { n = usual(x.shape[axis]) } = options
  requireWhole(op, 'the length n', n, { least: 1 })
  return { x: ops.cast(x, floatOf(x.dtype, x.backend)), axis, n }
}

/** Real and imaginary part, checked to fit each other, as along. */
function complexAlong(op: string, real: unknown, imag: unknown, options: FourierOptions, usual?: (size: number) => number) {
  const re = along(op, 'real', real, options, usual)
  const im = along(op, 'imag', imag, options, usual)
  const shapes = [re.x, im.x].map(({ shape }, i) => ({ name: ['real', 'imag'][i], shape }))
  if (!sameShape(re.x.shape, im.x.shape)) throw shapeError(op, 'real and imaginary part have different shapes', shapes)
  const dtype = promote(re.x.dtype, im.x.dtype)
  return { real: ops.cast(re.x, dtype), imag: ops.cast(im.x, dtype), axis: re.axis, n: re.n }
}

/** x cropped, or with zeros at the end, to `size` elements along an axis. */
function fitted(x: Tensor, axis: number, size: number): Tensor {
  const now = x.shape[axis]
  if (size <= now) {
    return ops.slice(
      x,
      x.shape.map(() => 0),
      resized(x.shape, axis, size),
    )
  }
  return ops.pad(
    x,
    x.shape.map((_, i) => [0, i === axis ? size - now : 0] as const),
  )
}

function transformed(op: string, re: Tensor, im: Tensor, options: FourierOptions, inverse: boolean): ComplexTensor {
  return scope(() => {
    const { real, imag, axis, n } = complexAlong(op, re, im, options)
    const packed = callFourier([fitted(real, axis, n), fitted(imag, axis, n)], { axis, inverse })
    return partsOf(inverse ? ops.div(packed, n) : packed)
  })
}

/**
 * The discrete Fourier transform of complex numbers along an axis: y[k] = Σ x[j]·e^(−2πi·jk/n).
 *
 * Shape:    real and imag [.., n, ..] → real and imag of the same shape
 * Gradient: the transform with the other sign, of the cotangents
 * Cost:     n·log n for every length, on the host
 *
 * @throws ShapeError if the parts differ in shape, ValueError for an axis out of range or of no elements.
 * @example
 * ```ts
 * const { real, imag } = fft(tensor([1, 2, 3, 4]), zeros([4]))   // 10, −2 + 2i, −2, −2 − 2i
 * ```
 */
export function fft(real: Tensor, imag: Tensor, options: FourierOptions = {}): ComplexTensor {
  return transformed('fft', real, imag, options, false)
}

/**
 * The inverse of `fft`: x[j] = Σ y[k]·e^(2πi·jk/n) / n.
 *
 * Shape:    real and imag [.., n, ..] → real and imag of the same shape
 * Gradient: the transform with the other sign, of the cotangents, divided by n
 * Cost:     n·log n for every length, on the host
 *
 * @throws ShapeError if the parts differ in shape, ValueError for an axis out of range or of no elements.
 * @example
 * ```ts
 * const { real, imag } = fft(tensor([1, 2, 3, 4]), zeros([4]))
 * const signal = ifft(real, imag).real   // 1, 2, 3, 4
 * ```
 */
export function ifft(real: Tensor, imag: Tensor, options: FourierOptions = {}): ComplexTensor {
  return transformed('ifft', real, imag, options, true)
}

/**
 * The Fourier transform of real numbers, of which the first half says all: y[k] = Σ x[j]·e^(−2πi·jk/n) for k ≤ n/2.
 *
 * Shape:    [.., n, ..] → real and imag [.., ⌊n/2⌋ + 1, ..]
 * Gradient: dX[j] = Σ over k of the real part of dY[k]·e^(2πi·jk/n)
 * Cost:     n·log n, half of `fft`'s for even n, on the host
 *
 * @throws ValueError for an axis out of range or of no elements.
 * @example
 * ```ts
 * const { real, imag } = rfft(tensor([1, 2, 3, 4]))   // 10, −2 + 2i, −2
 * ```
 */
export function rfft(x: Tensor, options: FourierOptions = {}): ComplexTensor {
  return scope(() => {
    const { x: signal, axis, n } = along('rfft', 'x', x, options)
    return partsOf(callRealFourier([fitted(signal, axis, n)], { axis, n }))
  })
}

/**
 * The inverse of `rfft`: real numbers from the first half of their spectrum. The imaginary part of frequency 0, and for even n that of n/2, is ignored.
 *
 * Shape:    real and imag [.., m, ..] → [.., n, ..], n = 2·(m − 1) if it is not given
 * Gradient: `rfft` of dX, divided by n, twice where a frequency stands for two
 * Cost:     n·log n, half of `fft`'s for even n, on the host
 *
 * @throws ShapeError if the parts differ in shape, ValueError for an axis out of range or a length of 0.
 * @example
 * ```ts
 * const { real, imag } = rfft(tensor([1, 2, 3, 4]))
 * const signal = irfft(real, imag)   // 1, 2, 3, 4
 * ```
 */
export function irfft(real: Tensor, imag: Tensor, options: FourierOptions = {}): Tensor {
  return scope(() => {
    const at = complexAlong('irfft', real, imag, options, (size) => 2 * (size - 1))
    const { axis, n } = at
    const size = Math.floor(n / 2) + 1
    const alone = (k: number): boolean => k === 0 || 2 * k === n
    const weights = ops.tensor(
      Float64Array.from({ length: size }, (_, k) => (alone(k) ? 1 : 2) / n),
      { dtype: at.real.dtype, backend: at.real.backend, shape: at.real.shape.map((_, i) => (i === axis ? size : 1)) },
    )
    const weighted = (x: Tensor): Tensor => ops.mul(fitted(x, axis, size), weights)
    return callRealFourierAdjoint([weighted(at.real), weighted(at.imag)], { axis, n })
  })
}

/** The two axes of `fft2`. */
export interface Fourier2dOptions {
  /** The last two axes if left out. */
  axes?: readonly [number, number]
}

function transformed2d(
  op: string,
  transform: (real: Tensor, imag: Tensor, options: FourierOptions) => ComplexTensor,
  re: Tensor,
  im: Tensor,
  options: Fourier2dOptions,
): ComplexTensor {
  requireOptions(op, options, ['axes'], `${op}(real, imag, { axes: [0, 1] })`)
  const { axes = [-2, -1] } = options
  requireWholes(op, 'axes', axes, 2)
  return scope(() => {
    const { real, imag } = complexAlong(op, re, im, { axis: axes[1] })
    normalizeAxes(op, axes, real.rank) // throws for one axis twice
    const rows = transform(real, imag, { axis: axes[1] })
    return transform(rows.real, rows.imag, { axis: axes[0] })
  })
}

/**
 * The two-dimensional Fourier transform of complex numbers: `fft` along one axis, then along the other.
 *
 * Shape:    real and imag [.., h, w] → real and imag [.., h, w]
 * Gradient: the transform with the other sign, of the cotangents
 * Cost:     h·w·log(h·w), on the host
 *
 * @throws ShapeError if the parts differ in shape, ValueError for an axis out of range or of no elements.
 * @example
 * ```ts
 * const { real, imag } = fft2(ones([2, 2]), zeros([2, 2]))   // 4 at [0, 0], else 0
 * ```
 */
export function fft2(real: Tensor, imag: Tensor, options: Fourier2dOptions = {}): ComplexTensor {
  return transformed2d('fft2', fft, real, imag, options)
}

/**
 * The inverse of `fft2`.
 *
 * Shape:    real and imag [.., h, w] → real and imag [.., h, w]
 * Gradient: the transform with the other sign, of the cotangents, divided by h·w
 * Cost:     h·w·log(h·w), on the host
 *
 * @throws ShapeError if the parts differ in shape, ValueError for an axis out of range or of no elements.
 * @example
 * ```ts
 * const { real, imag } = ifft2(ones([2, 2]), zeros([2, 2]))   // 1 at [0, 0], else 0
 * ```
 */
export function ifft2(real: Tensor, imag: Tensor, options: Fourier2dOptions = {}): ComplexTensor {
  return transformed2d('ifft2', ifft, real, imag, options)
}

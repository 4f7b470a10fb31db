/** The short-time Fourier transform. */
import { requireBoolean, requireChoice, requireOptions, requireWhole } from '../../arguments.js'
import { ops } from '../../autodiff/op.js'
import { shapeError } from '../../errors.js'
import { floatOf } from '../../tensor/dtype.js'
import { scope } from '../../tensor/scope.js'
import { requireTensor, Tensor } from '../../tensor/tensor.js'
import type { ComplexTensor } from './dft.js'
import { rfft } from './fourier.js'
import { rootOfUnity } from './roots.js'

/** How `stft` cuts a signal into frames. */
export interface StftOptions {
  /** The length of the window. */
  sequenceLength: number
  /** From the start of one frame to the start of the next. */
  sequenceStride: number
  /** The length of a transform, at least that of the window, which gets zeros on both sides. The window's length if left out. */
  fftLength?: number
  /** Weights of a frame: a periodic Hann (if left out) or Hamming window, a tensor [sequenceLength], or null for none. */
  window?: 'hann' | 'hamming' | Tensor | null
  /** Continues the signal by its mirror image, fftLength / 2 elements on both sides, so that frames are centred. True if left out. */
  center?: boolean
}

const STFT_OPTIONS = ['sequenceLength', 'sequenceStride', 'fftLength', 'window', 'center']

/**
 * The short-time Fourier transform: `rfft` of overlapping, weighted frames of a signal. The frames are those of keras.ops.stft.
 *
 * Shape:    [.., t] → real and imag [.., frames, ⌊fftLength/2⌋ + 1]
 * Gradient: through the frames
 * Cost:     frames · fftLength · log fftLength, on the host
 *
 * @throws ShapeError if the signal is shorter than a frame, ValueError for a length that does not fit.
 * @example
 * ```ts
 * const { real, imag } = stft(ones([24]), { sequenceLength: 8, sequenceStride: 4 })   // both [7, 5]
 * ```
 */
export function stft(x: Tensor, options: StftOptions): ComplexTensor {
  requireTensor('stft', 'x', x)
  requireOptions('stft', options, STFT_OPTIONS, 'stft(x, { sequenceLength: 8, sequenceStride: 4 })')
  const { sequenceLength, sequenceStride, fftLength = sequenceLength, window = 'hann', center = true } = options ?? {}
  requireWhole('stft', 'sequenceLength', sequenceLength, { least: 1 })
  requireWhole('stft', 'sequenceStride', sequenceStride, { least: 1 })
  requireWhole('stft', 'fftLength', fftLength, { least: sequenceLength })
  requireBoolean('stft', 'center', center)
  if (x.rank === 0) throw shapeError('stft', 'a scalar has no axis of time', [{ name: 'x', shape: x.shape }])
  const length = x.shape[x.rank - 1]
  const border = center ? Math.floor(fftLength / 2) : 0
  const frames = 1 + Math.floor((length + 2 * border - fftLength) / sequenceStride)
  if (frames < 1 || border >= length) {
    const needs = center ? `more than ${border} to be continued by its mirror image` : `${fftLength} for a frame`
    throw shapeError('stft', `the signal has ${length} elements, it needs ${needs}`, [{ name: 'x', shape: x.shape, bad: [-1] }])
  }
  return scope(() => {
    const signal = ops.cast(x, floatOf(x.dtype, x.backend))
    const at: number[] = [] // where each element of each frame comes from
    for (let frame = 0; frame < frames; frame++) {
      for (let j = 0; j < fftLength; j++) {
        const place = Math.abs(frame * sequenceStride + j - border)
        at.push(place < length ? place : 2 * (length - 1) - place)
      }
    }
    const cut = ops.reshape(ops.gather(signal, at, { axis: -1 }), [...x.shape.slice(0, -1), frames, fftLength])
    const before = Math.floor((fftLength - sequenceLength) / 2)
    const weights = ops.pad(weightsOf(signal, window, sequenceLength), [[before, fftLength - sequenceLength - before]])
    return rfft(ops.mul(cut, weights))
  })
}

/** The window as a tensor beside the signal. */
function weightsOf(signal: Tensor, window: StftOptions['window'], length: number): Tensor {
  const { dtype, backend } = signal
  if (window instanceof Tensor) {
    if (window.rank === 1 && window.size === length) return ops.cast(window, dtype)
    throw shapeError('stft', `the window must have sequenceLength = ${length} elements`, [{ name: 'window', shape: window.shape }])
  }
  requireChoice('stft', 'window', window, ['hann', 'hamming', null])
  if (window === null) return ops.ones([length], { dtype, backend })
  const mean = window === 'hann' ? 0.5 : 0.54
  const values = Float64Array.from({ length }, (_, j) => mean - (1 - mean) * rootOfUnity(j, length)[0])
  return ops.tensor(values, { dtype, backend })
}

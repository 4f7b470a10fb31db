/** Checking derivatives against central differences, in float64 on the reference backend. */
import { requireFunction, requireNumber, requireOptions, requireWhole } from '../arguments.js'
import type { Backend } from '../backends/backend.js'
import { getBackend } from '../backends/index.js'
import { GradientError, showShape, ValueError } from '../errors.js'
import { withBackend } from '../runtime.js'
import { isFloat } from '../tensor/dtype.js'
import { scope } from '../tensor/scope.js'
import { sizeOf } from '../tensor/shape.js'
import { fromHost, requireTensor, requireTensors, type Tensor } from '../tensor/tensor.js'
import { differentiate } from './differentiate.js'
import { ops } from './op.js'

/** The options of `gradCheck`. */
export interface GradCheckOptions {
  /** How far each element is moved; 1e-5 by default. The error of a central difference is of order step². */
  step?: number
  /** The largest |analytic − numeric| / (1 + |numeric|) allowed; 1e-6 by default. */
  tolerance?: number
  /** How many elements of each input are moved at most, evenly spread; all by default. */
  maxElements?: number
  /** Gets each element that is compared. With it, the check goes over all of them before it throws for the first that is wrong. */
  onElement?: (element: GradCheckElement) => void
}

/** An element of an input, with its derivative from both sides. */
export interface GradCheckElement {
  /** Which argument of f, from 0. */
  input: number
  /** Which of its elements, row by row. */
  index: number
  /** The value of the element. */
  x: number
  /** The derivative by the rules. */
  analytic: number
  /** The central difference. */
  numeric: number
  /** Whether the two are within the tolerance. */
  agrees: boolean
}

/** The result of `gradCheck`. */
export interface GradCheckReport {
  /** The largest |analytic − numeric| / (1 + |numeric|). */
  worst: number
  /** How many elements were compared. */
  checked: number
}

/**
 * Compares the gradient of f with central differences (f(x + ε) − f(x − ε)) / 2ε, in float64 on the reference backend.
 *
 * f may return any shape; the check is of the sum of its elements with fixed weights. It runs on the backend of the inputs if that has float64, else on
 * `await getBackend('reference')`. Tensors that f takes from outside, such as weights, must be there already, in float64; after
 * `await useBackend('reference', { dtype: 'float64' })` all tensors are.
 *
 * @throws GradientError that names the first element where the two disagree. With `onElement` it is thrown at the end.
 * @example
 * ```ts
 * const { checked } = await gradCheck((x) => x.tanh().sum(), [tensor([0.5, -1])])
 * console.log(checked) // 2
 * ```
 */
export async function gradCheck(
  f: (...xs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  options: GradCheckOptions = {},
): Promise<GradCheckReport> {
  requireFunction('gradCheck', 'f', f, 'await gradCheck((x) => x.tanh().sum(), [x])')
  requireTensors('gradCheck', 'inputs', inputs)
  if (inputs.length === 0) throw new ValueError('gradCheck: give the arguments of f: gradCheck(f, [x]).')
  requireOptions('gradCheck', options, ['step', 'tolerance', 'maxElements', 'onElement'])
  const { step = 1e-5, tolerance = 1e-6, maxElements = Infinity, onElement } = options
  if (onElement !== undefined) requireFunction('gradCheck', 'onElement', onElement)
  requireNumber('gradCheck', 'step', step, { above: 0 })
  requireNumber('gradCheck', 'tolerance', tolerance, { above: 0 })
  if (maxElements !== Infinity) requireWhole('gradCheck', 'maxElements', maxElements, { least: 1 })
  const [given] = inputs.map((x) => x.backend)
  const backend = given.dtypes.has('float64') ? given : await getBackend('reference')
  const hosts = await Promise.all(inputs.map(async (x) => ({ values: Float64Array.from(await x.data()), shape: x.shape, dtype: x.dtype })))
  return withBackend(backend, () =>
    scope(() => {
      const make = (): Tensor[] =>
        hosts.map(({ values, shape, dtype }) =>
          isFloat(dtype) ? fromHost(backend, values.slice(), shape, 'float64') : fromHost(backend, Int32Array.from(values), shape, dtype),
        )
      const weighted = (y: Tensor): Tensor => {
        requireTensor('gradCheck', "the function's result", y)
        const weights = Float64Array.from({ length: sizeOf(y.shape) }, (_, i) => Math.sin(1 + 2.7 * i))
        return ops.sum(ops.mul(y, fromHost(backend, weights, y.shape, 'float64')))
      }
      const xs = make()
      const sources = xs.filter((x) => isFloat(x.dtype))
      const { grads } = differentiate(
        'gradCheck',
        sources,
        () => weighted(f(...xs)),
        (y) => fromHost(backend, Float64Array.of(1), y.shape, 'float64'),
      )
      const valueAt = (): number => scope(() => (backend.readSync as NonNullable<Backend['readSync']>)(weighted(f(...make())).storage)[0])

      let worst = 0
      let checked = 0
      let source = 0
      let wrong: GradientError | undefined
      hosts.forEach(({ values, shape, dtype }, k) => {
        if (!isFloat(dtype)) return
        const grad = grads[source++]
        const analytic = grad ? (backend.readSync as NonNullable<Backend['readSync']>)(grad.storage) : new Float64Array(values.length)
        const stride = Math.max(1, Math.ceil(values.length / maxElements))
        for (let i = 0; i < values.length; i += stride) {
          const before = values[i]
          values[i] = before + step
          const above = valueAt()
          values[i] = before - step
          const below = valueAt()
          values[i] = before
          const numeric = (above - below) / (2 * step)
          const error = Math.abs(analytic[i] - numeric) / (1 + Math.abs(numeric))
          checked++
          const agrees = error <= tolerance
          onElement?.({ input: k, index: i, x: before, analytic: analytic[i], numeric, agrees })
          if (!agrees) {
            wrong ??= new GradientError(
              `gradCheck: element ${i} of input ${k} ${showShape(shape)}: the derivative is ${analytic[i]}, the central difference ${numeric} (x = ${before}, step ${step}).`,
            )
            if (!onElement) throw wrong
          }
          worst = Math.max(worst, error)
        }
      })
      if (wrong) throw wrong
      return { worst, checked }
    }),
  )
}

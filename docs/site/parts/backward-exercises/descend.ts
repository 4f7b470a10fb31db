/** One step of gradient descent. */
import { mul, type Parameter, scope, sub, type Tensor, valueAndGrad } from '@cotangent/core'

/** The numbers of a tensor, on a backend that can be read at once, as those of the worker can. */
export const valuesOf = (x: Tensor): ArrayLike<number> => x.backend.readSync?.(x.storage) ?? []

/** Moves the parameters against the gradient; returns the loss before. A parameter that a wrong rule leaves without a gradient stays. */
export const descend = (parameters: readonly Parameter[], loss: () => Tensor, rate: number): number =>
  scope(() => {
    const { value, grads } = valueAndGrad([...parameters], loss, { unconnected: 'zeros' })
    parameters.forEach((w, i) => {
      w.assign(sub(w, mul(grads[i], rate)))
    })
    return valuesOf(value)[0]
  })

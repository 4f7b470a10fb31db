/** Turns the output of a sequence op, [t, n, w], into the order of its input, [n, t, w]. */
import { defineOp } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import type { View } from '../../backends/backend.js'
import type { Tensor } from '../../tensor/tensor.js'

interface Options {
  /** The first step to take. −1 is a step of zeros before step 0. */
  first: number
  /** How many steps to take. */
  count: number
  /** Whether the result has the last step first. */
  reverse: boolean
}

const call = defineOp<Options>({
  name: 'stepsByRow',
  rule: 'dX = dY with the steps in the order of x, and zeros for the others',
  shape: ([{ shape, dtype }], { count }) => ({ shape: [shape[1], count, shape[2]], dtype }),
  forward: (k, out, [x], { first, count, reverse }) => {
    const view: View = { axis: [1, 0, 2], start: [0, first + (reverse ? count - 1 : 0), 0], step: [1, reverse ? -1 : 1, 1], fill: 0 }
    k.copy(out, x, view)
  },
  vjp: ({ dY, options: { first, count, reverse } }, [x], ops) => [
    () => {
      const steps = ops.transpose(reverse ? ops.flip(dY, 1) : dY, [1, 0, 2]) // [count, n, w]
      const before = Math.max(0, -first)
      const inside = ops.slice(steps, [before, 0, 0], [count - before, -1, -1])
      return ops.pad(inside, [
        [Math.max(0, first), x.shape[0] - first - count],
        [0, 0],
        [0, 0],
      ])
    },
  ],
  linear: true,
  samples: stepsByRowSamples(),
})

/**
 * @internal Some steps of x, by rows of the batch, in one copy: out[i, j] = x[first + j, i], or with `reverse` out[i, j] = x[first + count − 1 − j, i].
 *
 * Shape: x [t, n, w] → [n, count, w]
 */
export const stepsByRow = (x: Tensor, first: number, count: number, reverse: boolean): Tensor => call([x], { first, count, reverse })

function stepsByRowSamples(): Sample<Options>[] {
  return [
    sampleWith({ first: 0, count: 3, reverse: false }, [4, 2, 3]),
    sampleWith({ first: -1, count: 3, reverse: false }, [4, 2, 3]),
    sampleWith({ first: 1, count: 3, reverse: true }, [5, 3, 1]),
    sampleWith({ first: -1, count: 1, reverse: true }, [1, 1, 2]),
    sampleWith({ first: -1, count: 32, reverse: true }, [33, 17, 20]),
  ]
}

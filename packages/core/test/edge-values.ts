/**
 * Values at the edges that every backend must give. Sources: NumPy 1.24 in float32 (`np.mod`, `np.power`, …), SciPy's rules, IEEE 754, and sums by hand. The
 * reference must give them, too, since the sweep at the edges (extremes.ts) compares the other backends with it.
 *
 * The file is longer than 300 lines because it is one table.
 */

import {
  argMax,
  argMin,
  atan2,
  type Backend,
  clip,
  cos,
  floorDiv,
  grad,
  logSoftmax,
  logSumExp,
  max,
  maximum,
  mean,
  min,
  minimum,
  mod,
  moments,
  mulNoNaN,
  oneHot,
  pow,
  relu,
  round,
  scope,
  sign,
  sin,
  softmax,
  softmaxCrossEntropy,
  softplus,
  sum,
  type Tensor,
  tan,
  tensor,
  variance,
} from '../src/index.js'
import type { DType } from '../src/tensor/dtype.js'

export interface EdgeValue {
  readonly name: string
  readonly make: (t: (values: unknown, dtype?: DType) => Tensor) => Tensor
  readonly want: readonly number[]
  /** The relative error allowed; 0 if left out. */
  readonly within?: number
}

const [inf, nan] = [Infinity, Number.NaN]

/** A list of triples as three columns. */
const columns = (rows: readonly (readonly [number, number, number])[]) => [0, 1, 2].map((i) => rows.map((row) => row[i]))
const pairs = (name: string, f: (a: Tensor, b: Tensor) => Tensor, rows: [number, number, number][], within = 0): EdgeValue => {
  const [a, b, want] = columns(rows)
  return { name, make: (t) => f(t(a), t(b)), want, within }
}

/** The relative error of functions: float32 has 24 bits, and they are computed to 2 or 3 units in the last place. */
const FUNCTION = 3e-7

/** Angles that are float32 exactly, with NumPy's float64 sin, cos and tan. Of all float32, the fifth is nearest to a multiple of π/2. */
const angles: [number, number, number, number][] = [
  [8388609, -0.5252556929962007, -0.8509444499937001, 0.6172620233907036],
  [1e8, 0.931639027109726, -0.3633850893556905, -2.563778906728377],
  [999999986991104, 0.9944343070894763, 0.10535847798574674, 9.43857889845378],
  [1.0000000200408773e20, 0.6565766778545903, 0.7542592830701055, 0.870492007976472],
  [7.729178919452902e28, 1, -1.6147697982476211e-9, -619283318.9506139],
  [3.4028234663852886e38, -0.5218765233336585, 0.8530210398303042, -0.6117979498342481],
]
const ofAngles = (name: string, f: (x: Tensor) => Tensor, column: number): EdgeValue => ({
  name,
  make: (t) => f(t(angles.map(([x]) => x))),
  want: angles.map((row) => row[column]),
  within: FUNCTION,
})

/** The values that every backend gives. */
export const edgeValues: readonly EdgeValue[] = [
  // Σ eˣ of a row of −∞ is 0, of a row with ∞ it is ∞.
  {
    name: 'logSumExp',
    make: (t) =>
      logSumExp(
        t([
          [-inf, -inf],
          [inf, 0],
          [inf, -inf],
          [0, -inf],
          [inf, inf],
          [nan, 0],
          [1e38, 1e38],
          [-3e38, 3e38],
        ]),
      ),
    want: [-inf, inf, inf, 0, inf, nan, 1e38, 3e38],
    within: FUNCTION,
  },
  {
    name: 'softmax',
    make: (t) =>
      softmax(
        t([
          [0, -inf],
          [-inf, 3],
          [3e38, -3e38],
          [88, 88],
        ]),
      ),
    want: [1, 0, 0, 1, 1, 0, 0.5, 0.5],
  },
  {
    name: 'softmax of rows without a finite maximum',
    make: (t) =>
      softmax(
        t([
          [-inf, -inf],
          [inf, 0],
          [nan, 0],
        ]),
      ),
    want: [nan, nan, nan, nan, nan, nan],
  },
  {
    name: 'logSoftmax',
    make: (t) =>
      logSoftmax(
        t([
          [1e5, 1e5 - 1],
          [0, -inf],
          [3e38, 3e38],
        ]),
      ),
    want: [-0.31326168751822286, -1.3132616875182228, 0, -inf, -Math.LN2, -Math.LN2],
    within: FUNCTION,
  },
  {
    name: 'softmaxCrossEntropy',
    make: (t) =>
      softmaxCrossEntropy(
        t([
          [1e5, 1e5 - 1],
          [0, -inf],
          [0, -inf],
          [3e38, 0],
        ]),
        oneHot(t([0, 0, 1, 0], 'int32'), 2),
      ),
    want: [0.31326168751822286, 0, inf, 0],
    within: FUNCTION,
  },
  {
    name: 'the gradient of softmaxCrossEntropy with a logit of −∞',
    make: (t) => {
      const labels = t([
        [1, 0, 0],
        [0, 1, 0],
      ])
      return grad((x: Tensor) => softmaxCrossEntropy(x, labels).sum())(
        t([
          [0, -inf, 0],
          [0, 0, -inf],
        ]),
      )
    },
    want: [-0.5, 0, 0.5, 0.5, -0.5, 0],
    within: FUNCTION,
  },
  {
    name: 'the gradient of logSumExp with a −∞',
    make: (t) => grad((x: Tensor) => logSumExp(x).sum())(t([[0, -inf, 0]])),
    want: [0.5, 0, 0.5],
    within: FUNCTION,
  },
  { name: 'softmax of no classes', make: (t) => softmax(t([[], [], []])), want: [] },
  { name: 'logSumExp of no classes', make: (t) => logSumExp(t([[], []])), want: [-inf, -inf] },
  { name: 'softmaxCrossEntropy of no classes', make: (t) => softmaxCrossEntropy(t([[], []]), t([[], []])), want: [0, 0] },
  { name: 'softplus', make: (t) => softplus(t([inf, -inf, nan, 3e38, -3e38])), want: [inf, 0, nan, 3e38, 0], within: FUNCTION },

  { name: 'mean of integers', make: (t) => mean(t([2e9, 2e9], 'int32')), want: [2e9] },
  {
    name: 'mean of uint8 along an axis',
    make: (t) =>
      mean(
        t(
          [
            [255, 0],
            [255, 1],
          ],
          'uint8',
        ),
        { axis: 0 },
      ),
    want: [255, 0.5],
  },
  { name: 'mean of bool', make: (t) => mean(t([true, false, true, true], 'bool')), want: [0.75] },
  { name: 'variance of integers', make: (t) => variance(t([2e9, -2e9], 'int32')), want: [4e18], within: FUNCTION },
  { name: 'variance of uint8', make: (t) => variance(t([255, 253], 'uint8')), want: [1] },
  {
    name: 'sum of uint8',
    make: (t) =>
      sum(
        t(
          Array.from({ length: 1000 }, () => 255),
          'uint8',
        ),
      ),
    want: [255_000],
  },
  {
    name: 'sum of bool',
    make: (t) =>
      sum(
        t(
          [
            [true, true],
            [false, true],
          ],
          'bool',
        ),
        { axis: 1 },
      ),
    want: [2, 1],
  },
  {
    name: 'mean with infinities',
    make: (t) =>
      mean(
        t([
          [1, inf],
          [inf, -inf],
          [nan, 1],
          [-inf, -inf],
        ]),
        { axis: 1 },
      ),
    want: [inf, nan, nan, -inf],
  },
  { name: 'mean over nothing', make: (t) => mean(t([[], []]), { axis: 1 }), want: [nan, nan] },
  {
    name: 'variance with infinities',
    make: (t) =>
      variance(
        t([
          [1, inf],
          [nan, 1],
          [-inf, -inf],
        ]),
        { axis: 1 },
      ),
    want: [nan, nan, nan],
  },
  {
    name: 'moments with infinities',
    make: (t) =>
      moments(
        t([
          [1, inf, -inf, nan, inf],
          [2, 3, -inf, 0, -inf],
          [3, 4, 5, 6, 7],
        ]),
      ),
    want: [2, inf, -inf, nan, nan, 2 / 3, nan, nan, nan, nan],
    within: FUNCTION,
  },

  {
    name: 'max',
    make: (t) =>
      max(
        t([
          [1, nan],
          [-inf, -inf],
          [inf, 0],
        ]),
        { axis: 1 },
      ),
    want: [nan, -inf, inf],
  },
  {
    name: 'min',
    make: (t) =>
      min(
        t([
          [1, nan],
          [inf, inf],
          [-inf, 0],
        ]),
        { axis: 1 },
      ),
    want: [nan, inf, -inf],
  },
  {
    name: 'argMax',
    make: (t) =>
      argMax(
        t([
          [1, nan, nan],
          [-inf, -inf, -inf],
          [0, inf, inf],
        ]),
      ),
    want: [1, 0, 1],
  },
  {
    name: 'argMin',
    make: (t) =>
      argMin(
        t([
          [1, nan, nan],
          [inf, inf, inf],
          [0, -inf, -inf],
        ]),
      ),
    want: [1, 0, 1],
  },
  pairs('maximum', maximum, [
    [nan, 1, nan],
    [1, nan, nan],
    [inf, -inf, inf],
  ]),
  pairs('minimum', minimum, [
    [nan, 1, nan],
    [1, nan, nan],
    [inf, -inf, -inf],
  ]),
  { name: 'clip', make: (t) => clip(t([nan, inf, -inf, 0.5]), -1, 1), want: [nan, 1, -1, 0.5] },
  { name: 'relu', make: (t) => relu(t([nan, inf, -inf, -1])), want: [nan, inf, 0, 0] },
  { name: 'sign', make: (t) => sign(t([nan, inf, -inf, 0, 2 ** -126])), want: [nan, 1, -1, 0, 1] },
  {
    name: 'round',
    make: (t) => round(t([-0.5, 0.5, 1.5, 2.5, -1.5, -2.5, 8388609, inf, nan, -0.2])),
    want: [0, 0, 2, 2, -2, -2, 8388609, inf, nan, 0],
  },

  pairs('mod', mod, [
    [1, inf, 1],
    [-1, inf, inf],
    [1, -inf, -inf],
    [-1, -inf, -1],
    [0, inf, 0],
    [inf, 2, nan],
    [5, 0, nan],
    [0, 0, nan],
    [1e8, 3, 1],
    [-1e8, 3, 2],
    [1e8, -3, -2],
    [3e38, 7, 1],
    [1e30, 3, 0],
    [1e20, Math.fround(0.1), 0.06060662865638733],
    [-1e-30, 3, 3],
    [6, 3, 0],
    [-6, 3, 0],
    [nan, 1, nan],
    [1, nan, nan],
  ]),
  pairs(
    'floorDiv',
    floorDiv,
    [
      [1, inf, 0],
      [-1, inf, -1],
      [1, -inf, -1],
      [-1, -inf, 0],
      [inf, 2, nan],
      [-inf, 2, nan],
      [5, 0, inf],
      [-5, 0, -inf],
      [0, 0, nan],
      [-1e-30, 3, -1],
      [6, -3, -2],
      [3e38, 7, 4.285714221131045e37],
      [nan, 1, nan],
    ],
    FUNCTION,
  ),
  { name: 'mod of int32', make: (t) => mod(t([7, -7, 7, -7, 7], 'int32'), t([3, 3, -3, -3, 0], 'int32')), want: [1, 2, -2, -1, 0] },
  {
    name: 'floorDiv of int32',
    make: (t) => floorDiv(t([7, -7, 7, -7, 7], 'int32'), t([3, 3, -3, -3, 0], 'int32')),
    want: [2, -3, -3, 2, 0],
  },
  pairs(
    'pow',
    pow,
    [
      [1, inf, 1],
      [1, -inf, 1],
      [1, nan, 1],
      [-1, inf, 1],
      [-1, -inf, 1],
      [nan, 0, 1],
      [inf, 0, 1],
      [0, 0, 1],
      [0, -1, inf],
      [0, inf, 0],
      [0, -inf, inf],
      [2, inf, inf],
      [2, -inf, 0],
      [0.5, inf, 0],
      [0.5, -inf, inf],
      [-2, inf, inf],
      [-0.5, inf, 0],
      [inf, 1, inf],
      [inf, -1, 0],
      [-inf, 3, -inf],
      [-inf, 2, inf],
      [-inf, -3, 0],
      [-8, Math.fround(1 / 3), nan],
      [-8, 3, -512],
      [nan, 1, nan],
      [2, nan, nan],
    ],
    FUNCTION,
  ),
  pairs(
    'atan2',
    atan2,
    [
      [0, 0, 0],
      [0, -1, Math.PI],
      [1, 0, Math.PI / 2],
      [1, -1, (3 * Math.PI) / 4],
      [1, inf, 0],
      [1, -inf, Math.PI],
      [inf, 1, Math.PI / 2],
      [inf, inf, Math.PI / 4],
      [inf, -inf, (3 * Math.PI) / 4],
      [-inf, inf, -Math.PI / 4],
      [-inf, -inf, (-3 * Math.PI) / 4],
      [nan, 1, nan],
      [1, nan, nan],
    ],
    FUNCTION,
  ),
  pairs('mulNoNaN', mulNoNaN, [
    [inf, 0, 0],
    [nan, 0, 0],
    [-inf, 2, -inf],
    [nan, 1, nan],
    [2, nan, nan],
    [3, 0.5, 1.5],
  ]),
  {
    name: 'the gradient of mulNoNaN',
    make: (t) => grad((a: Tensor) => mulNoNaN(a, t([0, 2])).sum())(t([inf, 0])),
    want: [0, 2],
  },
  ofAngles('sin of large angles', sin, 1),
  ofAngles('cos of large angles', cos, 2),
  ofAngles('tan of large angles', tan, 3),
]

/** Signs of zeros, as in NumPy. Devices do not keep them. */
export const zeroSigns: readonly EdgeValue[] = [
  { name: 'round', make: (t) => round(t([-0.5, -0.2, 0.5])), want: [-0, -0, 0] },
  pairs('mod', mod, [
    [6, -3, -0],
    [-6, 3, 0],
    [-0, 3, 0],
  ]),
  pairs('pow', pow, [
    [-0, 3, -0],
    [-inf, -3, -0],
    [-0, -1, -inf],
    [-0, -2, inf],
  ]),
  pairs(
    'atan2',
    atan2,
    [
      [0, -0, Math.PI],
      [-0, 0, -0],
      [-0, -0, -Math.PI],
      [-0, -1, -Math.PI],
      [-0, inf, -0],
    ],
    FUNCTION,
  ),
]

/** The names and values of those that a backend gets wrong. */
export async function wrongValues(values: readonly EdgeValue[], backend: Backend, signs = false): Promise<string[]> {
  const wrong: string[] = []
  for (const { name, make, want, within = 0 } of values) {
    let got: ArrayLike<number>
    try {
      using y = scope(() => make((v, dtype) => tensor(v as number[], { dtype, backend })))
      got = await y.data()
    } catch (error) {
      wrong.push(`${name}: ${error}`)
      continue
    }
    const bad = want.findIndex((w, i) => {
      if (signs ? Object.is(got[i], w) : got[i] === w || (Number.isNaN(w) && Number.isNaN(got[i]))) return false
      return !(Math.abs(got[i] - w) <= within * Math.abs(w)) || (signs && w === 0)
    })
    if (got.length !== want.length) wrong.push(`${name}: ${got.length} values instead of ${want.length}`)
    else if (bad >= 0) wrong.push(`${name} [${bad}]: ${got[bad]} instead of ${want[bad]}`)
  }
  return wrong
}

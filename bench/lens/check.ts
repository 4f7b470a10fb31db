/**
 * Checks that a packed kernel multiplies matrices: compares with products in float64, element by element.
 *
 * A sum of k products in float32, in any order, fused or not, has an error of at most γ·Σ|a·b| with γ = k·ε/(1 − k·ε), where ε = 2⁻²⁴ is the
 * unit roundoff (Higham, "Accuracy and Stability of Numerical Algorithms", §3.1). An index that is off by one gives a far larger error.
 */
import type { Engine, KernelFunction, Tile } from '@cotangent/core/kernels'
import { uniformValues } from '../random.js'
import type { Shape } from './lens.js'
import { PackedProduct } from './packed-product.js'

const EPSILON = 2 ** -24
/** The most multiply-adds of a reference; for larger products only some rows, evenly spaced, are compared. */
const MOST_WORK = 2 ** 30

export interface Checked {
  /** The number of products compared. */
  products: number
  /** The largest error, as a part of the allowed one. */
  worst: number
}

/** Compares C with a·b. Returns the largest error as a part of the bound. @throws Error that names the first wrong element */
export function compareProduct({ m, k, n }: Shape, a: Float32Array, b: Float32Array, c: Float32Array): number {
  const [sums, sizes] = [new Float64Array(n), new Float64Array(n)]
  const allowed = (k * EPSILON) / (1 - k * EPSILON)
  let worst = 0
  for (let i = 0; i < m; i += Math.ceil((m * k * n) / MOST_WORK)) {
    sums.fill(0)
    sizes.fill(0)
    for (let l = 0; l < k; l++) {
      const left = a[i * k + l]
      for (let j = 0; j < n; j++) {
        const product = left * b[l * n + j]
        sums[j] += product
        sizes[j] += Math.abs(product)
      }
    }
    for (let j = 0; j < n; j++) {
      const part = Math.abs(c[i * n + j] - sums[j]) / (allowed * sizes[j] + Number.MIN_VALUE)
      if (!(part <= 1)) throw new Error(`[${m}, ${k}] · [${k}, ${n}]: element [${i}, ${j}] is ${c[i * n + j]}, and should be ${sums[j]}`)
      worst = Math.max(worst, part)
    }
  }
  return worst
}

/**
 * Checks a kernel on small products, with every height of a last panel, several widths and two blocks of k, and then on the product that is
 * asked for. @throws Error that says what is wrong
 */
export function checkPacked(engine: Engine, packed: KernelFunction, tile: Tile, shape: Shape): Checked {
  const checked: Checked = { products: 0, worst: 0 }
  const check = (each: Shape, kBlock?: number): void => {
    const [a, b] = [uniformValues(7, each.m * each.k), uniformValues(8, each.k * each.n)]
    const product = new PackedProduct(engine, each, tile, a, b, kBlock)
    try {
      checked.worst = Math.max(checked.worst, compareProduct(each, a, b, product.result(packed)))
    } finally {
      product.dispose()
    }
    checked.products++
  }
  const k = 2 * tile.unroll + 3
  for (let m = 1; m <= 2 * tile.mr; m++) {
    for (const n of [1, tile.nr - 1, tile.nr, tile.nr + 2, 2 * tile.nr + 3]) check({ m, k, n }, tile.unroll + 2)
  }
  check(shape)
  return checked
}

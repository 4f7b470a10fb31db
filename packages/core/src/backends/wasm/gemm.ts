/**
 * The primitive `matMul`: which kernel of gemm-kernel.ts a product takes, and the blocking of large ones.
 *
 * - One row or column of output: dot products, or one strided row.
 * - Small or thin: B as it lies (or packed, if it is transposed), A as it lies.
 * - Else both packed, in blocks: KC steps of k at a time, so that a panel of B stays in the first-level cache; MC rows
 *   of A, which stay in the second; NC columns of B. Blocks of k are taken in order, and how k is cut depends on k alone.
 *
 * The choice depends on the whole product's shape, never on a part of it that a thread might get.
 */
import { sizeOf } from '../../shape.js'
import type { Kernels } from '../backend.js'
import { lazy } from './caching.js'
import type { Engine, KernelFunction } from './engine.js'
import { emitDot, emitPacked, emitStrided, tileFor } from './gemm-kernel.js'
import { emitPackA, emitPackB } from './gemm-pack.js'
import { SCRATCH_BYTES, SCRATCH_START } from './memory.js'
import { address } from './operand.js'

/** Most steps of k in a block. */
const KC = 400
/** Most rows of A in a block. */
const MC = 192
/** Most columns of B in a block. */
const NC = 1536
/** B of at most so many bytes is read where it lies. */
const DIRECT_BYTES = 24 * 1024

const B_PANELS = SCRATCH_START
const A_PANELS = SCRATCH_START + 4 * KC * (NC + 16)
if (A_PANELS + 4 * KC * (MC + 16) > SCRATCH_START + SCRATCH_BYTES) throw new Error('wasm: packed matrices do not fit the scratch area')

interface GemmKernels {
  packed: KernelFunction
  packARows: KernelFunction
  packAColumns: KernelFunction
  packBRows: KernelFunction
  packBColumns: KernelFunction
}

/** The primitive `matMul`. */
export function createMatMul(engine: Engine): Kernels['matMul'] {
  const tile = tileFor(engine.v8Version, engine.relaxed)
  const stridedKernel = lazy(() => engine.compile((module) => emitStrided(module, tile)).strided)
  const dotKernel = lazy(() => engine.compile(emitDot).dot)
  const packBKernels = lazy(() => {
    const { packBRows, packBColumns } = engine.compile((module) => emitPackB(module, tile))
    return { packBRows, packBColumns }
  })
  const largeKernels = lazy((): GemmKernels => {
    const { packed, packARows, packAColumns } = engine.compile((module) => {
      emitPacked(module, tile)
      emitPackA(module, tile)
    })
    return { packed, packARows, packAColumns, ...packBKernels() }
  })

  /** c [m, n] = a·b with both operands packed block by block. */
  function blocked(c: number, a: number, b: number, m: number, n: number, k: number, transposeA: boolean, transposeB: boolean): void {
    const { packed, packARows, packAColumns, packBRows, packBColumns } = largeKernels()
    const kBlock = evenBlock(k, KC, 1)
    const mBlock = evenBlock(m, MC, tile.mr)
    const nBlock = evenBlock(n, NC, tile.nr)
    for (let j = 0; j < n; j += nBlock) {
      const columns = Math.min(nBlock, n - j)
      for (let l = 0; l < k; l += kBlock) {
        const steps = Math.min(kBlock, k - l)
        if (transposeB) packBColumns(B_PANELS, b + 4 * (j * k + l), columns, steps, 4 * k)
        else packBRows(B_PANELS, b + 4 * (l * n + j), columns, steps, 4 * n)
        for (let i = 0; i < m; i += mBlock) {
          const rows = Math.min(mBlock, m - i)
          if (transposeA) packAColumns(A_PANELS, a + 4 * (l * m + i), rows, steps, 4 * m)
          else packARows(A_PANELS, a + 4 * (i * k + l), rows, steps, 4 * k)
          packed(c + 4 * (i * n + j), A_PANELS, B_PANELS, rows, columns, steps, 4 * n, l > 0 ? 1 : 0)
        }
      }
    }
  }

  /** One product of the batch. */
  function product(c: number, a: number, b: number, m: number, n: number, k: number, transposeA: boolean, transposeB: boolean): void {
    // A vector lies the same whether transposed or not.
    if (n === 1 && (!transposeA || m === 1)) return void dotKernel()(c, a, b, m, k, 4 * k)
    if (m === 1 && transposeB) return void dotKernel()(c, b, a, n, k, 4 * k)
    if (n === 1) return void stridedKernel()(c, b, a, 1, m, k, 4 * m, 4 * k, 4, 4 * m, 4 * tile.nr)

    const aRow = transposeA ? 4 : 4 * k
    const aStep = transposeA ? 4 * m : 4
    const thin = n <= 2 * tile.nr || m <= 2 * tile.mr || 4 * k * n <= DIRECT_BYTES
    if (!transposeB && thin) return void stridedKernel()(c, a, b, m, n, k, 4 * n, aRow, aStep, 4 * n, 4 * tile.nr)
    const packedWidth = Math.ceil(n / tile.nr) * tile.nr
    if (thin && 4 * k * packedWidth <= SCRATCH_BYTES - 64) {
      packBKernels().packBColumns(SCRATCH_START, b, n, k, 4 * k)
      return void stridedKernel()(c, a, SCRATCH_START, m, n, k, 4 * n, aRow, aStep, 4 * tile.nr, 4 * tile.nr * k)
    }
    blocked(c, a, b, m, n, k, transposeA, transposeB)
  }

  return (out, a, b, transposeA, transposeB) => {
    if (out.size === 0) return
    const rank = out.shape.length
    const m = out.shape[rank - 2]
    const n = out.shape[rank - 1]
    const k = a.shape[a.shape.length - (transposeA ? 2 : 1)]
    if (k === 0) return void engine.memory.bytes8.fill(0, address(out), address(out) + 4 * out.size)
    const batch = rank === 2 ? 1 : sizeOf(out.shape.slice(0, -2))
    const [c, left, right] = [address(out), address(a), address(b)]
    for (let g = 0; g < batch; g++) {
      product(c + 4 * g * m * n, left + 4 * g * m * k, right + 4 * g * k * n, m, n, k, transposeA, transposeB)
    }
  }
}

/** Cuts `total` into equal blocks of at most `most`, rounded up to a multiple of `unit`. */
function evenBlock(total: number, most: number, unit: number): number {
  const blocks = Math.ceil(total / most)
  return Math.ceil(total / blocks / unit) * unit
}

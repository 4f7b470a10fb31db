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
import { SCRATCH_BYTES, scratchOf } from './memory.js'
import { address } from './operand.js'
import type { Body, Call, Split } from './pool.js'

/** Most steps of k in a block. */
const KC = 400
/** Most rows of A in a block. */
const MC = 192
/** Most columns of B in a block. */
const NC = 1536
/** B of at most so many bytes is read where it lies. */
const DIRECT_BYTES = 24 * 1024

/** Most rows of C in a job, so that the list of its calls stays short. */
const ROWS_PER_JOB = 16 * MC

/** In a scratch area, behind the panels of B. */
const A_PANELS = 4 * KC * (NC + 16)
if (A_PANELS + 4 * KC * (MC + 16) > SCRATCH_BYTES) throw new Error('wasm: packed matrices do not fit the scratch area')

/** Rough nanoseconds of a multiply-add in a large product, and in a thin one. */
const MULTIPLY_ADD = 0.06
const THIN_MULTIPLY_ADD = 0.07

/** Values of the calls of a product of one block: packing B and A, and the product. */
const VALUES_PER_PRODUCT = 7 + 7 + 10 + 3

/** c [m, n] = op(a)·op(b), by address. */
interface Product {
  readonly c: number
  readonly a: number
  readonly b: number
  readonly m: number
  readonly n: number
  readonly k: number
  readonly transposeA: boolean
  readonly transposeB: boolean
}

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

  /**
   * c [m, n] = a·b with both operands packed block by block. A block of C is split along its longer side: each part packs
   * what is its own, and all of the other operand again, which is the smaller one.
   */
  function blocked(split: Split, { c, a, b, m, n, k, transposeA, transposeB }: Product): void {
    const { packed, packARows, packAColumns, packBRows, packBColumns } = largeKernels()
    const kBlock = evenBlock(k, KC, 1)
    const mBlock = evenBlock(m, MC, tile.mr)
    const nBlock = evenBlock(n, NC, tile.nr)
    const rowsPerJob = Math.floor(ROWS_PER_JOB / mBlock) * mBlock
    /** Rows [i0, i1) and columns [j0, j1) of C, for one block of k. */
    const block = (call: Call, part: number, i0: number, i1: number, j0: number, j1: number, l: number): void => {
      const bPanels = scratchOf(part)
      const aPanels = bPanels + A_PANELS
      const steps = Math.min(kBlock, k - l)
      if (transposeB) call(packBColumns, bPanels, b + 4 * (j0 * k + l), j1 - j0, steps, 4 * k)
      else call(packBRows, bPanels, b + 4 * (l * n + j0), j1 - j0, steps, 4 * n)
      for (let i = i0; i < i1; i += mBlock) {
        const rows = Math.min(mBlock, i1 - i)
        if (transposeA) call(packAColumns, aPanels, a + 4 * (l * m + i), rows, steps, 4 * m)
        else call(packARows, aPanels, a + 4 * (i * k + l), rows, steps, 4 * k)
        call(packed, c + 4 * (i * n + j0), aPanels, bPanels, rows, j1 - j0, steps, 4 * n, l > 0 ? 1 : 0)
      }
    }
    for (let j = 0; j < n; j += nBlock) {
      const jEnd = Math.min(n, j + nBlock)
      for (let l = 0; l < k; l += kBlock) {
        for (let i = 0; i < m; i += rowsPerJob) {
          const iEnd = Math.min(m, i + rowsPerJob)
          const [rows, columns] = [iEnd - i, jEnd - j]
          const nanoseconds = rows * columns * Math.min(kBlock, k - l) * MULTIPLY_ADD
          if (rows > columns) split(rows, tile.mr, nanoseconds, (from, to, call, part) => block(call, part, i + from, i + to, j, jEnd, l))
          else split(columns, tile.nr, nanoseconds, (from, to, call, part) => block(call, part, i, iEnd, j + from, j + to, l))
        }
      }
    }
  }

  /** One product of the batch. */
  function product(split: Split, whole: Product): void {
    const { c, a, b, m, n, k, transposeA, transposeB } = whole
    const nanoseconds = m * n * k * THIN_MULTIPLY_ADD
    /** out[r] = Σ matrix[r, :]·x */
    const dot = (matrix: number, x: number, rows: number): void =>
      split(rows, 16, 2 * nanoseconds, (from, to, call) => call(dotKernel(), c + 4 * from, matrix + 4 * from * k, x, to - from, k, 4 * k))
    // A vector lies the same whether transposed or not.
    if (n === 1 && (!transposeA || m === 1)) return void dot(a, b, m)
    if (m === 1 && transposeB) return void dot(b, a, n)
    if (n === 1) {
      split(m, 4 * tile.nr, 2 * nanoseconds, (from, to, call) =>
        call(stridedKernel(), c + 4 * from, b, a + 4 * from, 1, to - from, k, 4 * m, 4 * k, 4, 4 * m, 4 * tile.nr),
      )
      return
    }

    const aRow = transposeA ? 4 : 4 * k
    const aStep = transposeA ? 4 * m : 4
    const thin = n <= 2 * tile.nr || m <= 2 * tile.mr || 4 * k * n <= DIRECT_BYTES
    const packedBytes = 4 * k * Math.ceil(n / tile.nr) * tile.nr
    if (!thin || (transposeB && packedBytes > SCRATCH_BYTES - 64)) return void blocked(split, whole)
    /** Rows [i0, i1) and columns [j0, j1) of C. */
    const strided = (call: Call, part: number, i0: number, i1: number, j0: number, j1: number): void => {
      const [to, left] = [c + 4 * (i0 * n + j0), a + aRow * i0]
      if (transposeB) {
        call(packBKernels().packBColumns, scratchOf(part), b + 4 * j0 * k, j1 - j0, k, 4 * k)
        call(stridedKernel(), to, left, scratchOf(part), i1 - i0, j1 - j0, k, 4 * n, aRow, aStep, 4 * tile.nr, 4 * tile.nr * k)
      } else call(stridedKernel(), to, left, b + 4 * j0, i1 - i0, j1 - j0, k, 4 * n, aRow, aStep, 4 * n, 4 * tile.nr)
    }
    if (m >= n) split(m, tile.mr, nanoseconds, (from, to, call, part) => strided(call, part, from, to, 0, n))
    else split(n, tile.nr, nanoseconds, (from, to, call, part) => strided(call, part, 0, m, from, to))
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
    const one = (split: Split, g: number): void =>
      product(split, { c: c + 4 * g * m * n, a: left + 4 * g * m * k, b: right + 4 * g * k * n, m, n, k, transposeA, transposeB })
    // Small products are split by batch; of large ones each is split.
    if (batch > 1 && m <= MC && n <= NC && k <= KC) {
      const body: Body = (begin, end, call, part) => {
        const whole: Split = (total, _unit, _nanoseconds, make) => make(0, total, call, part)
        for (let g = begin; g < end; g++) one(whole, g)
      }
      engine.split(batch, 1, batch * m * n * k * THIN_MULTIPLY_ADD, body, VALUES_PER_PRODUCT)
    } else for (let g = 0; g < batch; g++) one(engine.split, g)
  }
}

/** Cuts `total` into equal blocks of at most `most`, rounded up to a multiple of `unit`. */
function evenBlock(total: number, most: number, unit: number): number {
  const blocks = Math.ceil(total / most)
  return Math.ceil(total / blocks / unit) * unit
}

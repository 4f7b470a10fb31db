/**
 * The primitive `matMul` and its fused form `affine`: chooses a kernel of gemm-kernel.ts for each product and cuts large products
 * into blocks.
 *
 * - One row or one column of output: dot products, or one strided row.
 * - A small or thin product, or a long k with few outputs: nothing is packed (but B if it is transposed), in blocks of rows and of k.
 * - Else B is packed, in blocks: KC steps of k, so that a panel of B stays in the first-level cache; MC rows of A,
 *   which stay in the second-level cache; NC columns of B. Blocks of k are taken in order, and k alone decides how it is cut. A is packed
 *   where its rows are columns in memory; otherwise a tile reads its rows where they lie, which is as fast.
 *
 * The choice depends on the shape of the whole product, never on the part that a thread gets.
 */
import { sizeOf } from '../../../tensor/shape.js'
import type { FusedKernels, Kernels, Operand } from '../../backend.js'
import { address } from '../engine/address.js'
import type { Engine } from '../engine/engine.js'
import { lazy } from '../engine/made-once.js'
import { SCRATCH_BYTES, scratchOf } from '../engine/memory.js'
import type { Body, Call, Split } from '../engine/threads.js'
import { CALLS_PER_PART } from '../engine/worker-program.js'
import { emitFinishKernel } from './bias-relu.js'
import { emitPacked, emitRows, emitStrided, productCheck, tileFor } from './gemm-kernel.js'
import { emitPackA, emitPackB } from './gemm-pack.js'
import { emitDot } from './matrix-vector.js'

/** The most steps of k in a block. */
const KC = 400
/** The most rows of A in a block. */
const MC = 192
/** The most columns of B in a block, and the most rows or columns that are packed for all threads. */
const NC = 1152
/** B of at most this many bytes is not packed. Neither operand is if the rows of A are columns in memory and C has at most this many bytes. */
const DIRECT_BYTES = 24 * 1024
/** Without packing: the most bytes of A and C in a block of rows, so that they stay in the second-level cache for every band of columns. */
const ROW_BLOCK_BYTES = 96 * 1024
/** If k walks down columns of more bytes than this, they do not stay in the cache from one tile to the next; then k is cut into blocks. */
const LONG_COLUMN_BYTES = 1024 * 1024
const SHORT_STEPS = 64

/** The most blocks of rows, times blocks of k, in a job, so that its list of calls stays short. */
const MOST_BLOCKS = 16
/** The most bytes that all threads pack before they multiply: each stop costs some microseconds, and what is packed should stay in the second-level cache. */
const TOGETHER = 512 * 1024

/** Bytes behind which a part's own panels start in its scratch area. Before them, in the first area alone, lie the panels packed for all threads. */
const OWN_PANELS = 4 * KC * (NC + 16)
if (2 * OWN_PANELS > SCRATCH_BYTES) throw new Error('wasm: packed matrices do not fit the scratch area')

/** Estimated nanoseconds: of a multiply-add in a large product, of one in a thin product, and of packing an element. */
const MULTIPLY_ADD = 0.06
const THIN_MULTIPLY_ADD = 0.07
const PACKING = 0.15

/** The values that the calls of a product of one block take: packing B, packing A, the product, the epilogue. */
const VALUES_PER_PRODUCT = 7 + 7 + 11 + 8 + 3

/** The step after a product: adds a bias to each column (its address, or 0), then takes max(0, ·) if `relu`. */
interface Epilogue {
  readonly bias: number
  readonly relu: boolean
}

/** One product c [m, n] = op(a)·op(b); operands by address. */
interface Product {
  readonly c: number
  readonly a: number
  readonly b: number
  readonly m: number
  readonly n: number
  readonly k: number
  readonly transposeA: boolean
  readonly transposeB: boolean
  readonly epilogue?: Epilogue
  /** Address of the scratch area for panels that all threads read. */
  readonly area: number
}

/** The primitive `matMul` and the fused kernel `affine`. */
export function createMatMul(engine: Engine): { matMul: Kernels['matMul']; affine: NonNullable<FusedKernels['affine']> } {
  engine.addWidthCheck(productCheck)
  const chosenTile = lazy(() => tileFor(engine.v8Version, engine.relaxed, engine.simd256))
  const thinKernels = lazy(() => {
    const tile = chosenTile()
    const { strided } = engine.compile((module) => emitStrided(module, tile), true)
    const { packBColumns } = engine.compile((module) => emitPackB(module, tile))
    return { strided, packBColumns }
  })
  const finishKernel = lazy(() => engine.compile(emitFinishKernel).finish)
  /** Runs the epilogue on rows [i, i + rows) and columns [j, j + columns) of a product. */
  const finish = (call: Call, { c, n, epilogue }: Product, i: number, rows: number, j: number, columns: number): void => {
    if (epilogue) call(finishKernel(), c + 4 * (i * n + j), rows, columns, 4 * n, epilogue.bias + 4 * j, epilogue.relu ? 1 : 0)
  }
  const dotKernel = lazy(() => engine.compile(emitDot).dot)
  const packKernels = lazy(() =>
    engine.compile((module) => {
      emitPackA(module, chosenTile())
      emitPackB(module, chosenTile())
    }),
  )
  const packedKernel = lazy(() => engine.compile((module) => emitPacked(module, chosenTile()), true).packed)
  const rowsKernel = lazy(() => engine.compile((module) => emitRows(module, chosenTile()), true).rows)

  /**
   * A product in blocks, with B packed, and A too where its rows are columns in memory. C is split along its longer side. The threads together pack the operand that
   * all of them need, for as many blocks of k as stay in the second-level cache; then each packs what its own part needs.
   */
  function blocked(split: Split, whole: Product): void {
    const { c, a, b, m, n, k, transposeA, transposeB, area } = whole
    const { packAColumns, packBRows, packBColumns } = packKernels()
    const tile = chosenTile()
    const kBlock = evenBlock(k, KC, 1)
    const mBlock = evenBlock(m, MC, tile.mr)
    const nBlock = evenBlock(n, NC, tile.nr)
    const shared = scratchOf(area)
    const packA = (call: Call, to: number, i: number, rows: number, l: number, steps: number): void =>
      call(packAColumns, to, a + 4 * (l * m + i), rows, steps, 4 * m)
    const packB = (call: Call, to: number, j: number, columns: number, l: number, steps: number): void => {
      if (transposeB) call(packBColumns, to, b + 4 * (j * k + l), columns, steps, 4 * k)
      else call(packBRows, to, b + 4 * (l * n + j), columns, steps, 4 * n)
    }
    /** Rows from i and columns from j, in the block of k that begins at l. `aPanels` is not used where the rows of A lie as they are. */
    const multiply = (call: Call, aPanels: number, bPanels: number, i: number, rows: number, j: number, width: number, l: number): void => {
      const steps = Math.min(kBlock, k - l)
      const [to, goesOn] = [c + 4 * (i * n + j), l > 0 ? 1 : 0]
      if (transposeA) call(packedKernel(), to, aPanels, bPanels, rows, width, steps, 4 * n, goesOn)
      else call(rowsKernel(), to, a + 4 * (i * k + l), bPanels, rows, width, steps, 4 * n, goesOn, 4 * k)
      if (l + steps === k) finish(call, whole, i, rows, j, width)
    }
    for (let j = 0; j < n; j += nBlock) {
      const columns = Math.min(nBlock, n - j)
      const byRows = m >= columns
      /** Columns, or rows, of the shared panels of a block of k; whole panels, since packing the last panel may write past its end. */
      const wide = byRows ? Math.ceil(columns / tile.nr) * tile.nr : transposeA ? Math.ceil(m / tile.mr) * tile.mr : 0
      /** The values that the calls of a block of k take, but those for the blocks of rows. */
      const mostBlocks = byRows ? MOST_BLOCKS : (CALLS_PER_PART - 1 - 8 * Math.ceil(m / mBlock)) / (7 + 11 * Math.ceil(m / mBlock))
      const blocks = Math.max(1, Math.floor(Math.min(mostBlocks, TOGETHER / (4 * wide * kBlock))))
      for (let first = 0; first < k; first += blocks * kBlock) {
        const end = Math.min(k, first + blocks * kBlock)
        /** Calls `visit` with each block of k: where it begins, its steps, and where the shared panels of it begin. */
        const eachBlock = (visit: (l: number, steps: number, panels: number) => void): void => {
          for (let l = first; l < end; l += kBlock) visit(l, Math.min(kBlock, end - l), shared + 4 * wide * (l - first))
        }
        const steps = end - first
        if (byRows) {
          split(columns, tile.nr, columns * steps * PACKING, (from, to, call) =>
            eachBlock((l, steps, panels) => packB(call, panels + 4 * from * steps, j + from, to - from, l, steps)),
          )
          const rowsPerJob = Math.max(1, Math.floor(MOST_BLOCKS / Math.ceil(steps / kBlock))) * mBlock
          for (let i = 0; i < m; i += rowsPerJob) {
            const rows = Math.min(rowsPerJob, m - i)
            split(rows, tile.mr, rows * columns * steps * MULTIPLY_ADD, (from, to, call, part) =>
              eachBlock((l, steps, panels) => {
                const own = scratchOf(part) + OWN_PANELS
                for (let at = i + from; at < i + to; at += mBlock) {
                  const height = Math.min(mBlock, i + to - at)
                  if (transposeA) packA(call, own, at, height, l, steps)
                  multiply(call, own, panels, at, height, j, columns, l)
                }
              }),
            )
          }
        } else {
          if (transposeA)
            split(m, tile.mr, m * steps * PACKING, (from, to, call) =>
              eachBlock((l, steps, panels) => packA(call, panels + 4 * from * steps, from, to - from, l, steps)),
            )
          split(columns, tile.nr, m * columns * steps * MULTIPLY_ADD, (from, to, call, part) =>
            eachBlock((l, steps, panels) => {
              const own = scratchOf(part) + OWN_PANELS
              packB(call, own, j + from, to - from, l, steps)
              for (let i = 0; i < m; i += mBlock)
                multiply(call, panels + 4 * i * steps, own, i, Math.min(mBlock, m - i), j + from, to - from, l)
            }),
          )
        }
      }
    }
    engine.clearUpperHalves()
  }

  /** Computes one product of the batch. */
  function product(split: Split, whole: Product): void {
    const { c, a, b, m, n, k, transposeA, transposeB, epilogue } = whole
    const nanoseconds = m * n * k * THIN_MULTIPLY_ADD
    const { mr, nr } = chosenTile()
    /** out[r] = Σ matrix[r, :]·x */
    const dot = (matrix: number, x: number, rows: number): void =>
      split(rows, 16, 2 * nanoseconds, (from, to, call) => {
        call(dotKernel(), c + 4 * from, matrix + 4 * from * k, x, to - from, k, 4 * k)
        if (n === 1) finish(call, whole, from, to - from, 0, 1)
        else finish(call, whole, 0, 1, from, to - from)
      })
    // A vector has the same layout whether transposed or not.
    if (n === 1 && (!transposeA || m === 1)) return void dot(a, b, m)
    if (m === 1 && transposeB) return void dot(b, a, n)
    if (n === 1) {
      const { strided } = thinKernels()
      split(m, 4 * nr, 2 * nanoseconds, (from, to, call) => {
        call(strided, c + 4 * from, b, a + 4 * from, 1, to - from, k, 4 * m, 4 * k, 4, 4 * m, 4 * nr, 1, k, 0, 0)
        finish(call, whole, from, to - from, 0, 1)
      })
      engine.clearUpperHalves()
      return
    }

    const aRow = transposeA ? 4 : 4 * k
    const aStep = transposeA ? 4 * m : 4
    const thin = n <= 2 * nr || m <= 2 * mr || 4 * k * n <= DIRECT_BYTES || (transposeA && !transposeB && 4 * m * n <= DIRECT_BYTES)
    const packedBytes = 4 * k * Math.ceil(n / nr) * nr
    if (!thin || (transposeB && packedBytes > SCRATCH_BYTES - 64)) return void blocked(split, whole)
    const { strided, packBColumns } = thinKernels()
    const kBlock = 4 * k * (transposeA ? m + n : n) > LONG_COLUMN_BYTES ? SHORT_STEPS : k
    const rowBlock = mr * Math.max(1, Math.floor(ROW_BLOCK_BYTES / (4 * (n + kBlock) * mr)))
    const relu = epilogue?.relu ? 1 : 0
    /** Computes rows [i0, i1) and columns [j0, j1) of C. */
    const some = (call: Call, part: number, i0: number, i1: number, j0: number, j1: number): void => {
      const to = c + 4 * (i0 * n + j0)
      const left = a + aRow * i0
      const bias = epilogue ? epilogue.bias + 4 * j0 : 0
      if (transposeB) {
        const right = scratchOf(part)
        call(packBColumns, right, b + 4 * j0 * k, j1 - j0, k, 4 * k)
        call(strided, to, left, right, i1 - i0, j1 - j0, k, 4 * n, aRow, aStep, 4 * nr, 4 * nr * k, rowBlock, kBlock, bias, relu)
      } else {
        const right = b + 4 * j0
        call(strided, to, left, right, i1 - i0, j1 - j0, k, 4 * n, aRow, aStep, 4 * n, 4 * nr, rowBlock, kBlock, bias, relu)
      }
    }
    if (m >= n) split(m, mr, nanoseconds, (from, to, call, part) => some(call, part, from, to, 0, n))
    else split(n, nr, nanoseconds, (from, to, call, part) => some(call, part, 0, m, from, to))
    engine.clearUpperHalves()
  }

  function matMul(out: Operand, a: Operand, b: Operand, transposeA: boolean, transposeB: boolean, epilogue?: Epilogue): void {
    if (out.size === 0) return
    const rank = out.shape.length
    const m = out.shape[rank - 2]
    const n = out.shape[rank - 1]
    const k = a.shape[a.shape.length - (transposeA ? 2 : 1)]
    const batch = rank === 2 ? 1 : sizeOf(out.shape.slice(0, -2))
    const [c, left, right] = [address(out), address(a), address(b)]
    const one = (split: Split, g: number, area: number): void => {
      const [cAt, aAt, bAt] = [c + 4 * g * m * n, left + 4 * g * m * k, right + 4 * g * k * n]
      product(split, { c: cAt, a: aAt, b: bAt, m, n, k, transposeA, transposeB, epilogue, area })
    }
    // Small products: threads share the batch. Large products: threads share each one.
    if (batch > 1 && m <= MC && n <= MC && k <= KC) {
      const body: Body = (begin, end, call, part) => {
        const whole: Split = (total, _unit, _nanoseconds, make) => make(0, total, call, part)
        for (let g = begin; g < end; g++) one(whole, g, part)
      }
      engine.split(batch, 1, batch * m * n * k * THIN_MULTIPLY_ADD, body, VALUES_PER_PRODUCT)
    } else for (let g = 0; g < batch; g++) one(engine.split, g, 0)
  }

  return {
    matMul,
    affine: (out, x, weights, bias, relu) => matMul(out, x, weights, false, false, { bias: address(bias), relu }),
  }
}

/** The size of equal blocks that cut `total`: at most `most`, rounded up to a multiple of `unit`. */
function evenBlock(total: number, most: number, unit: number): number {
  const blocks = Math.ceil(total / most)
  return Math.ceil(total / blocks / unit) * unit
}

/**
 * Lays a matrix product out for a packed kernel without core's driver. The panels are packed here, in plain TypeScript, so a kernel with any register tile can be
 * run, checked and timed alone.
 *
 * A block of A is panels of `mr` rows, k by k; the last panel has the rows that are left. A block of B is panels of `nr` columns, k by k; the last panel is
 * filled up with NaN, which must not reach C. Blocks are cut as core's driver cuts them, and later blocks of k accumulate.
 */
import type { Engine, KernelFunction, Tile } from '@cotangent/core/kernels'
import type { Shape } from './lens.js'

/** The most steps of k, rows of A and columns of B in a block. */
const [KC, MC, NC] = [400, 192, 1536]

/** Cuts `total` into equal blocks of at most `most`, rounded up to a multiple of `unit`; returns where each starts, and its size. */
function blocks(total: number, most: number, unit: number): [start: number, size: number][] {
  const count = Math.ceil(total / most)
  const size = Math.ceil(total / count / unit) * unit
  return Array.from({ length: Math.ceil(total / size) }, (_, i) => [i * size, Math.min(size, total - i * size)])
}

/** Columns behind each row of C that a kernel must not write to, and the number they hold. */
const GAP = 5
const UNTOUCHED = -12345
/** Bytes that a kernel may read behind the end of an array. */
const SLACK = 4096

export class PackedProduct {
  readonly shape: Shape
  readonly #engine: Engine
  readonly #c: number
  readonly #held: [address: number, bytes: number][] = []
  /** The arguments of the calls that make the product, in order. */
  readonly #calls: number[][] = []

  /** @param kBlock most steps of k in a block */
  constructor(engine: Engine, shape: Shape, tile: Tile, a: Float32Array, b: Float32Array, kBlock = KC) {
    const { m, k, n } = shape
    this.shape = shape
    this.#engine = engine
    const rowBytes = 4 * (n + GAP)
    this.#c = this.#put(new Float32Array(m * (n + GAP)))
    for (const [j, columns] of blocks(n, NC, tile.nr)) {
      for (const [l, steps] of blocks(k, kBlock, 1)) {
        const bPanels = this.#put(panels(columns, tile.nr, steps, true, (column, step) => b[(l + step) * n + j + column]))
        for (const [i, rows] of blocks(m, MC, tile.mr)) {
          const aPanels = this.#put(panels(rows, tile.mr, steps, false, (row, step) => a[(i + row) * k + l + step]))
          this.#calls.push([this.#c + i * rowBytes + 4 * j, aPanels, bPanels, rows, columns, steps, rowBytes, l > 0 ? 1 : 0])
        }
      }
    }
  }

  #put(values: Float32Array): number {
    const bytes = values.byteLength + SLACK
    const address = this.#engine.memory.alloc(bytes)
    this.#held.push([address, bytes])
    this.#engine.memory.floats.set(values, address / 4)
    return address
  }

  /** Computes C = A·B. */
  run(packed: KernelFunction): void {
    for (const call of this.#calls) packed(...call)
  }

  /** C after one run, row by row without gaps. @throws Error if the kernel wrote between the rows or behind them */
  result(packed: KernelFunction): Float32Array {
    const { m, n } = this.shape
    const cells = (): Float32Array => this.#engine.memory.floats.subarray(this.#c / 4, this.#c / 4 + m * (n + GAP))
    cells().fill(UNTOUCHED)
    this.run(packed)
    const c = new Float32Array(m * n)
    for (let i = 0; i < m; i++) {
      const row = cells().subarray(i * (n + GAP), (i + 1) * (n + GAP))
      const touched = row.findIndex((value, j) => j >= n && value !== UNTOUCHED)
      if (touched >= 0) throw new Error(`it writes ${row[touched]} at [${i}, ${touched}] of a result with ${n} columns`)
      c.set(row.subarray(0, n), i * n)
    }
    return c
  }

  dispose(): void {
    for (const [address, bytes] of this.#held) this.#engine.memory.free(address, bytes)
  }
}

/** Panels of `width` lines of `count`, step by step. The last one is narrower, or filled up with NaN. */
function panels(count: number, width: number, steps: number, filled: boolean, at: (line: number, step: number) => number): Float32Array {
  const packed = new Float32Array((filled ? Math.ceil(count / width) * width : count) * steps)
  let to = 0
  for (let first = 0; first < count; first += width) {
    const lines = filled ? width : Math.min(width, count - first)
    for (let step = 0; step < steps; step++) {
      for (let line = first; line < first + lines; line++) packed[to++] = line < count ? at(line, step) : Number.NaN
    }
  }
  return packed
}

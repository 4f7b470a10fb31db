/**
 * Matrix products. One cell a thread works everywhere. But engines are faster with fewer and wider reads, each in its own way (`engine.tiling`):
 *
 * - `columns` (webgpu): a thread makes four neighbouring cells of a row, so one read of A serves four products. The output is row-major
 *   as it comes.
 * - `rows` (webasm): the same, but neighbouring threads are on neighbouring rows, because one instruction serves four of them (by-rows.ts).
 * - `vectors` (webgl2): both operands are first packed into vectors of four, A along k and B along its columns, filled up with zeros.
 *   Five reads then serve sixteen products. Packing also undoes transposes. A last launch unpacks, and adds bias and relu.
 *
 * A small product is made one cell a thread. So are rows whose length is no multiple of four, except with `vectors`.
 */
import { sizeOf } from '../../../tensor/shape.js'
import type { FusedKernels, Kernels, Operand } from '../../backend.js'
import type { Engine } from '../device/engine.js'
import { address } from '../source/addressing.js'
import { dotInto, returnCells } from '../source/dot.js'
import { byRows, fourColumnsByRows } from './by-rows.js'
import { type Make, withTemporaries } from './temporaries.js'

/** With fewer multiply-adds than this, launches cost more than they save. */
const SMALL = 2 ** 15
/** A sum of fewer terms than this does not make up for handling cells in fours. */
const SHORT = 16

/** An operand [batch, rows, columns], by its strides. */
interface Matrix {
  x: Operand
  strides: readonly [batch: number, row: number, column: number]
  /** x already holds vectors, [batch, rows, columns / 4]; columns is a multiple of four. */
  packed?: boolean
}

export interface Product {
  batch: number
  m: number
  n: number
  k: number
  a: Matrix
  b: Matrix
  bias?: Operand
  relu?: boolean
}

/** The number of vectors of four terms that are added before their sum joins the others. */
const BLOCK = 16

const perThread = { axisPerThread: true }

function oneByOne(engine: Engine, out: Operand, product: Product): void {
  const { batch, m, n, k, a, b, bias, relu } = product
  engine.run(
    out,
    [batch, m, n],
    { arrays: { a: a.x, b: b.x, ...(bias ? { bias } : {}) } },
    ({ at: [g, i, j] }) => {
      const left = { array: 'a', start: { at: [[g, a.strides[0]] as const, [i, a.strides[1]] as const] }, step: a.strides[2] }
      const right = { array: 'b', start: { at: [[g, b.strides[0]] as const, [j, b.strides[2]] as const] }, step: b.strides[1] }
      return `${dotInto('dot', k, left, right, 1)}\n${returnCells('dot', 1, relu, bias && (() => `bias[${j}]`))}`
    },
    perThread,
  )
}

/** The product with four columns a thread. */
function inColumns(engine: Engine, out: Operand, { batch, m, n, k, a, b, bias, relu }: Product): void {
  const arrays = { a: a.x, b: b.x, ...(bias ? { bias } : {}) }
  const body = ([g, i, j]: readonly string[]): string => {
    const left = { array: 'a', start: { at: [[g, a.strides[0]] as const, [i, a.strides[1]] as const] }, step: a.strides[2] }
    const right = { array: 'b', start: { at: [[g, b.strides[0]] as const, [j, 4 * b.strides[2]] as const] }, step: b.strides[1] }
    return `${dotInto('dot', k, left, right, 4, b.strides[2])}\n${returnCells('dot', 4, relu, bias && ((c) => `bias[${address([j], [4], c)}]`))}`
  }
  const place: Make<void> = (...launch) => engine.runFours(out, ...launch)
  if (byRows(engine, m)) fourColumnsByRows(engine, out, { batch, rows: m, columns: n }, { arrays }, body, place)
  else place([batch, m, n / 4], { arrays }, ({ at }) => body(at), perThread)
}

/** The product by vectors, whatever its size; only where `tiling` is `vectors`. */
export function inVectors(engine: Engine, out: Operand, product: Product): void {
  const { batch, m, n, k, a, b, bias, relu } = product
  const [k4, n4] = [k, n].map((size) => Math.ceil(size / 4))
  /** Packs x [batch, rows, columns] into vectors, [batch, rows, columns / 4]. A batch that repeats is packed once. */
  const pack = ({ x, strides }: Matrix, rows: number, columns: number, make: Make): Operand =>
    make(
      [strides[0] === 0 ? 1 : batch, rows, Math.ceil(columns / 4)],
      { arrays: { x } },
      ({ at: [g, i, j] }) => {
        const values = [0, 1, 2, 3].map((c) => {
          const value = `x[${address([g, i, j], [strides[0], strides[1], 4 * strides[2]], c * strides[2])}]`
          const last = Math.ceil(columns / 4) - 1
          return columns % 4 === 0 || c < columns % 4 ? value : last === 0 ? '0' : `(${j} === ${last} ? 0 : ${value})`
        })
        const lines = values.map((value, c) => `const v${c} = ${value};`)
        return `${lines.join('\n')}\nreturn [v0, v1, v2, v3];`
      },
      { ...perThread, fours: 'vectors' },
    )
  withTemporaries(engine, a.x, (make) => {
    const left = a.packed ? a.x : pack(a, m, k, make)
    const right = pack(b, k, n, make)
    const y = make(
      [batch, m, n4],
      { arrays: { left, right } },
      ({ at: [g, i, j] }) => {
        const [leftBatch, rightBatch] = [a.strides[0] === 0 ? 0 : m * k4, b.strides[0] === 0 ? 0 : k * n4]
        const cells = [0, 1, 2, 3]
        /** Statements that add four terms (or the last few) of each cell to `target`; l is made of counters and their steps. */
        const turn = (target: string, prefix: string, l: readonly (readonly [string, number])[], offset: number, count: number): string => {
          const rows = cells.slice(0, count)
          const names = l.map(([name]) => name)
          const steps = (unit: number): number[] => l.map(([, step]) => step * unit)
          return [
            `const ${prefix}v = left[${address([g, i, ...names], [leftBatch, k4, ...steps(1)], offset)}];`,
            ...rows.map((u) => {
              const at = address([g, j, ...names], [rightBatch, 1, ...steps(4 * n4)], (4 * offset + u) * n4)
              return `const ${prefix}w${u} = right[${at}];`
            }),
            ...cells.map((c) => `${target}${c} += ${rows.map((u) => `${prefix}v[${u}] * ${prefix}w${u}[${c}]`).join(' + ')};`),
          ].join('\n')
        }
        // Sums run in blocks, for the reason that source/dot.ts gives.
        const blocks = k4 > 2 * BLOCK ? Math.floor(k / 4 / BLOCK) : 0
        const whole = Math.floor(k / 4) - blocks * BLOCK
        const block = [['block', BLOCK] as const, ['inside', 1] as const]
        return [
          ...cells.map((c) => `let sum${c} = 0;`),
          ...(blocks > 0
            ? [
                `for (let block = 0; block < ${blocks}; block++) {`,
                ...cells.map((c) => `let part${c} = 0;`),
                `for (let inside = 0; inside < ${BLOCK}; inside++) {`,
                turn('part', 'a', block, 0, 4),
                '}',
                ...cells.map((c) => `sum${c} += part${c};`),
                '}',
              ]
            : []),
          whole > 0 ? `for (let l = 0; l < ${whole}; l++) {\n${turn('sum', 'b', [['l', 1]], blocks * BLOCK, 4)}\n}` : '',
          k % 4 > 0 ? turn('sum', 'c', [], k4 - 1, k % 4) : '',
          'return [sum0, sum1, sum2, sum3];',
        ].join('\n')
      },
      { ...perThread, fours: 'flat' },
    )
    engine.run(
      out,
      [batch, m, n],
      { arrays: { y, ...(bias ? { bias } : {}) } },
      ({ at: [g, i, j] }) =>
        `const y0 = y[${address([g, i, j], [m * 4 * n4, 4 * n4, 1])}];\n${returnCells('y', 1, relu, bias && (() => `bias[${j}]`))}`,
      perThread,
    )
  })
}

function multiply(engine: Engine, out: Operand, product: Product): void {
  const { batch, m, n, k } = product
  const large = batch * m * n * k >= SMALL && k >= SHORT
  if (large && engine.tiling === 'vectors') inVectors(engine, out, product)
  else if (large && engine.tiling && n % 4 === 0) inColumns(engine, out, product)
  else oneByOne(engine, out, product)
}

export function productKernels(engine: Engine): Pick<Kernels, 'matMul'> & Required<Pick<FusedKernels, 'affine'>> {
  return {
    matMul(out, a, b, transposeA, transposeB) {
      const [m, n] = out.shape.slice(-2)
      const k = a.shape[a.shape.length - (transposeA ? 2 : 1)]
      multiply(engine, out, {
        batch: sizeOf(out.shape.slice(0, -2)),
        m,
        n,
        k,
        a: { x: a, strides: transposeA ? [m * k, 1, m] : [m * k, k, 1] },
        b: { x: b, strides: transposeB ? [k * n, 1, k] : [k * n, n, 1] },
      })
    },

    affine(out, x, weights, bias, relu) {
      const [m, n] = out.shape
      const k = x.shape[1]
      multiply(engine, out, { batch: 1, m, n, k, a: { x, strides: [0, k, 1] }, b: { x: weights, strides: [0, n, 1] }, bias, relu })
    },
  }
}

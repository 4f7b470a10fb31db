/**
 * The walk back of gradient-kernel.ts for kernels that have computed z = x·W + b themselves. The cotangents of z never leave the caches:
 *
 * ```
 *   step:   dZ [rows, g·u] as in gradient-kernel.ts;  P = dZ·Uᵀ for the earlier step;  dX = dZ·Wᵀ if it is wanted
 *   chunk:  after some steps, over all their rows:    dW += xᵀ·dZ,  dU += (h₋∘m)ᵀ·dZ,  db += Σ dZ
 * ```
 *
 * x and h₋ of a chunk are copied beside each other, so that the products of a chunk sum over whole rows. Their sums go on from chunk to chunk in the order of the walk.
 *
 * One call does one group of rows, and adds to the sums of this group alone. The groups depend on the size of the batch only (inputs.ts).
 */
import type { FunctionReference, ModuleBuilder } from '../assembler/assembler.js'
import { storeSome } from '../assembler/elements.js'
import { f32x4, i32, memory, v128 } from '../assembler/instructions.js'
import type { WidthCheck } from '../engine/width.js'
import { emitBand, emitPanels, emitTile } from '../product/gemm-kernel.js'
import { lstm } from './cells.js'
import { emitLast, emitStep, layout } from './gradient-kernel.js'
import { emitForward } from './kernel.js'
import {
  emitCopyChunk,
  emitPanelProduct,
  gradientChunkOf,
  type InputSide,
  panelsOf,
  type RecurrenceShape,
  run,
} from './recurrence-shared.js'

/** A shape whose kernels compute z. */
export type FromInputs = RecurrenceShape & { readonly from: InputSide }

/** Floats of the sums of a group: dW [in, g·u], dU [u, g·u], db [g·u], one behind the other. */
export const sumsOf = ({ cell, units, from }: FromInputs): number => (from.width + units + 1) * cell.columns * units

/** Writes a function (to, h, factors, rows) that copies rows of h: to [rows, ⌈u/4⌉·4]. With dropout it multiplies them by the factors. */
function emitCopyStates(module: ModuleBuilder, { units, dropped }: FromInputs): FunctionReference<'i32'> {
  return module.function({ to: 'i32', h: 'i32', factors: 'i32', rows: 'i32' }, 'i32', (f, { to, h, factors, rows }) => {
    const [from, by] = [f.local('i32'), f.local('i32')]
    f.while(i32.gtS(rows, 0), () => {
      f.set(from, h)
      f.set(by, factors)
      f.for(0, units, 4, () => {
        f.do(v128.store(to, dropped ? f32x4.mul(v128.load(from), v128.load(by)) : v128.load(from)))
        for (const pointer of [to, from, by]) f.advance(pointer, 16)
      })
      for (const pointer of [h, factors]) f.advance(pointer, 4 * units)
      f.advance(rows, -1)
    })
    return i32.const(0)
  })
}

/** Writes a function (c, a, b, k): c [m, g·u] += aᵀ·b, with a [k, m] and b = dZ [k, g·u] in scratch memory. Rows of a have `aRow` bytes. */
function emitAccumulate(module: ModuleBuilder, shape: FromInputs, m: number, aRow: number, bRow: number): FunctionReference<'i32'> {
  const { cell, units, tile } = shape
  const cRow = 4 * cell.columns * units
  return module.function({ c: 'i32', a: 'i32', b: 'i32', k: 'i32' }, 'i32', (f, { c, a, b, k }) => {
    const [left, columns, aTile, cTile, aAt, bAt] = Array.from({ length: 6 }, () => f.local('i32'))
    f.set(left, cell.columns * units)
    f.while(i32.gtS(left, 0), () => {
      f.set(columns, left)
      f.if(i32.gtS(left, tile.nr), () => f.set(columns, tile.nr))
      f.set(aTile, a)
      f.set(cTile, c)
      emitBand(f, tile, f.let(i32.const(m)), (height) => {
        f.set(aAt, aTile)
        f.set(bAt, b)
        const operands = { a: aAt, b: bAt, aRow: 4, aStep: aRow, bStep: bRow }
        emitTile(f, height, tile, operands, { c: cTile, cRow, columns, accumulate: 1 }, k)
        f.advance(aTile, 4 * height)
        f.advance(cTile, cRow * height)
      })
      f.advance(b, 4 * tile.nr)
      f.advance(c, 4 * tile.nr)
      f.advance(left, -tile.nr)
    })
    return i32.const(0)
  })
}

/** Writes a function (to, dZ, rows): to [g·u] += Σ of the rows. */
function emitAddRows(module: ModuleBuilder, { cell, units }: FromInputs, row: number): FunctionReference<'i32'> {
  return module.function({ to: 'i32', dZ: 'i32', rows: 'i32' }, 'i32', (f, { to, dZ, rows }) => {
    const [columns, at, left] = Array.from({ length: 3 }, () => f.local('i32'))
    const some = (vectors: number) => {
      const sums = Array.from({ length: vectors }, () => f.let(f.splat(0)))
      f.set(at, dZ)
      f.set(left, rows)
      f.while(i32.gtS(left, 0), () => {
        for (const [v, sum] of sums.entries()) f.set(sum, f32x4.add(sum, v128.load(at, 16 * v)))
        f.advance(at, row)
        f.advance(left, -1)
      })
      return sums.map((sum, v) => f.let(f32x4.add(v128.load(to, 16 * v), sum)))
    }
    f.set(columns, cell.columns * units)
    for (const vectors of [8, 1])
      f.while(i32.geS(columns, 4 * vectors), () => {
        for (const [v, sum] of some(vectors).entries()) f.do(v128.store(to, sum, 16 * v))
        f.advance(to, 16 * vectors)
        f.advance(dZ, 16 * vectors)
        f.advance(columns, -4 * vectors)
      })
    f.if(columns, () => storeSome(f, 'float32', to, some(1)[0], columns))
    return i32.const(0)
  })
}

/** Writes a function (c, cRow, dZ, panels, rows): dX of one step, c [rows, in] = dZ·Wᵀ, with rows of c `cRow` bytes apart. */
function emitInputCotangents(module: ModuleBuilder, { cell, units, tile, from }: FromInputs, zRow: number): FunctionReference<'i32'> {
  const k = cell.columns * units
  const parameters = { c: 'i32', cRow: 'i32', dZ: 'i32', panels: 'i32', rows: 'i32' } as const
  return module.function(parameters, 'i32', (f, { c, cRow, dZ, panels, rows }) => {
    emitPanels(f, tile, { c, a: dZ, b: panels, m: rows, n: f.let(i32.const(from.width)), k, cRow, accumulate: 0 }, zRow)
    return i32.const(0)
  })
}

/**
 * Writes `backward(dX, dY, y, first, second, x, sums, states, panels, dropout, mask, rows, n, t, scratch)` for one group of `rows` rows; the addresses are those of its
 * first row. `sums` is dW, dU and db of the group, and `states` the cotangents of the states before the first step, [n, states·u]. The panels are
 * those of Uᵀ, then those of Wᵀ.
 */
export function emitBackwardFromInputs(module: ModuleBuilder, shape: FromInputs): void {
  const { cell, units, tile, masked, goBackwards, from } = shape
  const { wide } = panelsOf(shape)
  const chunk = gradientChunkOf(shape, from)
  const { arrays, arrayBytes, most } = layout(shape)
  const [xRow, hRow, zRow] = [4 * chunk.xFloats, 4 * chunk.hFloats, 4 * chunk.zFloats]
  const k = cell.columns * units
  const [rowBytes, inputBytes, panelBytes] = [4 * units, 4 * from.width, 4 * tile.nr * k]
  const lastStep = emitStep(module, shape, cell.backPhases[0], true, zRow)
  const step = from.lastOnly ? emitStep(module, shape, cell.backPhases[0], true, zRow, true) : lastStep
  const product = emitPanelProduct(module, tile, k, zRow, 4 * wide)
  const lastStates = emitLast(module, shape, cell.states)
  const copyX = emitCopyChunk(module, from.width, 'in')
  const copyDX = emitCopyChunk(module, from.width, 'out')
  const copyH = emitCopyStates(module, shape)
  const accumulateW = emitAccumulate(module, shape, from.width, xRow, zRow)
  const accumulateU = emitAccumulate(module, shape, units, hRow, zRow)
  const addRows = emitAddRows(module, shape, zRow)
  const inputCotangents = from.wantsX ? emitInputCotangents(module, shape, zRow) : undefined
  const parameters = {
    dX: 'i32',
    dY: 'i32',
    y: 'i32',
    first: 'i32',
    second: 'i32',
    x: 'i32',
    sums: 'i32',
    states: 'i32',
    panels: 'i32',
    dropout: 'i32',
    mask: 'i32',
    rows: 'i32',
    n: 'i32',
    t: 'i32',
    scratch: 'i32',
  } as const
  module.export('backward', parameters, null, (f, p) => {
    const { dX, dY, y, x, sums, states, panels, dropout, mask, rows, n, t, scratch } = p
    const [block, offset, xOffset, h, before, maskAt, panel, left, count, slot, to] = Array.from({ length: 11 }, () => f.local('i32'))
    const stepBytes = f.let(i32.mul(n, rowBytes))
    const partBytes = f.let(i32.mul(stepBytes, t))
    const last = f.let(i32.add(t, -1))
    const lastOffset = f.let(i32.mul(last, stepBytes))
    const sampleBytes = f.let(i32.mul(t, inputBytes)) // of a row of x
    const dZ = f.let(i32.add(scratch, arrays * arrayBytes))
    const xs = f.let(i32.add(dZ, zRow * chunk.rows))
    const hs = f.let(i32.add(xs, xRow * chunk.rows))
    const dXs = f.let(i32.add(hs, hRow * chunk.rows))
    f.do(memory.fill(sums, 0, 4 * sumsOf(shape)))
    f.while(i32.gtS(rows, 0), () => {
      f.set(block, rows)
      f.if(i32.gtS(block, most), () => f.set(block, most))
      f.do(memory.fill(scratch, 0, arrays * arrayBytes))
      f.set(offset, lastOffset)
      f.set(xOffset, goBackwards ? 0 : i32.mul(last, inputBytes))
      f.set(maskAt, goBackwards ? mask : i32.add(mask, i32.shl(last, 2)))
      f.set(left, t)
      f.while(i32.gtS(left, 0), () => {
        f.set(count, i32.divU(i32.const(chunk.rows), block))
        f.if(i32.gtS(count, left), () => f.set(count, left))
        f.for(0, count, 1, (s) => {
          f.set(slot, i32.mul(s, block))
          f.set(to, i32.add(dZ, i32.mul(slot, zRow)))
          f.set(h, p.first)
          f.set(before, p.second)
          f.if(offset, () => {
            f.set(h, i32.sub(i32.add(y, offset), stepBytes))
            f.set(before, i32.add(h, i32.mul(partBytes, cell.states - 1)))
          })
          const at = [to, i32.add(dY, offset), i32.add(y, offset), before, dropout, maskAt, scratch, block, t, partBytes]
          if (step === lastStep) run(f, step, ...at)
          else
            f.if(
              i32.eq(offset, lastOffset),
              () => run(f, lastStep, ...at),
              () => run(f, step, ...at),
            )
          f.set(panel, panels)
          f.for(0, 4 * wide, 4 * tile.nr, (at) => {
            run(f, product, i32.add(scratch, at), to, panel, block, 0)
            f.advance(panel, panelBytes)
          })
          if (inputCotangents) run(f, inputCotangents, i32.add(dXs, i32.mul(slot, xRow)), xRow, to, panel, block)
          run(f, copyH, i32.add(hs, i32.mul(slot, hRow)), h, dropout, block)
          f.advance(offset, i32.sub(0, stepBytes))
          f.advance(maskAt, goBackwards ? 4 : -4)
        })
        const all = f.let(i32.mul(count, block))
        const next = goBackwards ? inputBytes : -inputBytes
        run(f, copyX, xs, i32.add(x, xOffset), count, block, next, sampleBytes)
        if (inputCotangents) run(f, copyDX, dXs, i32.add(dX, xOffset), count, block, next, sampleBytes)
        f.advance(xOffset, i32.mul(count, next))
        run(f, accumulateW, sums, xs, dZ, all)
        run(f, accumulateU, i32.add(sums, from.width * 4 * k), hs, dZ, all)
        run(f, addRows, i32.add(sums, (from.width + units) * 4 * k), dZ, all)
        f.advance(left, i32.sub(0, count))
      })
      run(f, lastStates, states, dropout, scratch, block)
      const forward = f.let(i32.mul(block, rowBytes))
      for (const pointer of [dY, y, p.first, p.second, dropout]) f.advance(pointer, forward)
      for (const pointer of [dX, x]) f.advance(pointer, i32.mul(block, sampleBytes))
      f.advance(states, i32.mul(forward, cell.states))
      if (masked) f.advance(mask, i32.mul(block, i32.shl(t, 2)))
      f.advance(rows, i32.sub(0, block))
    })
  })
}

const checkedShape: FromInputs = {
  cell: lstm(false),
  units: 8,
  tile: { mr: 2, nr: 16, unroll: 1 },
  masked: false,
  dropped: true,
  goBackwards: false,
  statesOnly: true,
  from: { width: 6, biased: true, wantsX: true, lastOnly: true },
}

/** The self-test at 256 bits of recurrent layers with their inputs: three steps of an LSTM forwards and backwards. */
export const fromInputsCheck: WidthCheck = {
  name: 'recurrent layer',
  emit(module) {
    emitForward(module, checkedShape)
    emitBackwardFromInputs(module, checkedShape)
  },
  run({ forward, backward }) {
    const [rows, steps] = [5, 3]
    const [y, x, h, c, panels, bias, dX, sums, states, dY, dropout, scratch] = [
      0, 4096, 5120, 5632, 8192, 12288, 13312, 14336, 16384, 20480, 24576, 65536,
    ]
    forward(y, x, h, c, panels, bias, dropout, 0, rows, rows, steps, scratch)
    backward(dX, dY, y, h, c, x, sums, states, panels, dropout, 0, rows, rows, steps, scratch)
  },
}

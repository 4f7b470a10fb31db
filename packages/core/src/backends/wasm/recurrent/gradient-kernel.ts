/**
 * Backpropagation through time in WebAssembly, for the cells of cells.ts. One call walks all steps, from the last to the first, for some rows of the batch:
 *
 * ```
 *   dH = dY's h + P of the later step;   dZ, dC₋ from the parts kept by the forward pass;   P = dZ·Uᵀ, times the dropout factors
 * ```
 *
 * P is computed by the register tile of gemm-kernel.ts, with Uᵀ packed before, gate by gate, so that a panel stays in the first-level cache; the
 * contributions of the gates are added in their order. At a masked step the cotangents of the states bypass the cell; those of the other parts go through it.
 *
 * A GRU takes two rounds a step: first through the candidate's weights to the reset gate, then from both gates (`Cell.backPhases`).
 *
 * Output [t + 1, n, columns·u]: dZ in the order of the steps, so that dU is one product over all of them. The last row holds the cotangents of the states before
 * the first step, side by side, and zeros behind them. With the reset after the product dZ has one column more: the product's cotangent differs from z's.
 */
import type { FunctionReference, Local, ModuleBuilder } from '../assembler/assembler.js'
import { f32x4, i32, memory, type Vector, v128 } from '../assembler/instructions.js'
import { SCRATCH_BYTES } from '../engine/memory.js'
import type { WidthCheck } from '../engine/width.js'
import type { BackPhase } from './cell.js'
import { lstm } from './cells.js'
import { emitForward } from './kernel.js'
import {
  blockRows,
  counts,
  emitPanelProduct,
  emitUnits,
  gradientChunkOf,
  panelsOf,
  type RecurrenceShape,
  run,
  storeUnits,
} from './recurrence-shared.js'

/** Scratch arrays [rows, wide], one behind the other: P, the cotangent that bypasses the product, and the cotangents of the states except the first. */
export const layout = (shape: RecurrenceShape) => {
  const arrays = 1 + shape.cell.states
  const most = Math.min(
    blockRows(arrays * panelsOf(shape).wide, SCRATCH_BYTES / 2),
    shape.from ? gradientChunkOf(shape, shape.from).rows : Infinity,
  )
  return { arrays, most, arrayBytes: 4 * most * panelsOf(shape).wide }
}

/** Writes a function: one phase of a backward step, for some rows. Rows of dZ are `dZRow` bytes apart. With `unread`, dY is 0 at this step. */
export function emitStep(
  module: ModuleBuilder,
  shape: RecurrenceShape,
  phase: BackPhase,
  isFirst: boolean,
  dZRow: number,
  unread = false,
): FunctionReference<'i32'> {
  const { cell, units, masked, dropped, statesOnly } = shape
  const { arrayBytes } = layout(shape)
  const { wide } = panelsOf(shape)
  const parameters = {
    dZ: 'i32',
    dY: 'i32',
    y: 'i32',
    second: 'i32',
    dropout: 'i32',
    mask: 'i32',
    scratch: 'i32',
    rows: 'i32',
    t: 'i32',
    partBytes: 'i32',
  } as const
  return module.function(parameters, 'i32', (f, { dZ, dY, y, second, dropout, mask, scratch, rows, t, partBytes }) => {
    const carries = (i: number): number => (1 + i) * arrayBytes // where the cotangent of state i > 0 waits for the earlier step
    const counted = masked ? f.local('v128') : undefined
    const maskRow = f.let(i32.shl(t, 2))
    const passes = masked || cell.keeps
    /** The cotangents of the states after the step: those that came in plus those of the later step. */
    const statesAfter = (dAt: readonly Local<'i32'>[], offset: number): Local<'v128'>[] =>
      Array.from({ length: cell.states }, (_, i) => {
        const own = (later: Vector): Local<'v128'> => f.let(unread ? later : f32x4.add(v128.load(dAt[i], offset), later))
        if (i > 0) return own(v128.load(kept, carries(i) + offset))
        const product = v128.load(kept, offset)
        const back = dropped ? f32x4.mul(product, v128.load(factors, offset)) : product
        return own(passes ? f32x4.add(back, v128.load(kept, arrayBytes + offset)) : back)
      })
    const [to, d, from, before, factors, kept] = Array.from({ length: 6 }, () => f.local('i32'))
    f.while(i32.gtS(rows, 0), () => {
      if (counted) f.set(counted, counts(f, mask))
      for (const [at, start] of [
        [to, dZ],
        [d, dY],
        [from, y],
        [before, second],
        [factors, dropout],
        [kept, scratch],
      ])
        f.set(at, start)
      emitUnits(f, units, [to, d, from, before, factors, kept], (vectors, some) => {
        const lanes = Array.from({ length: vectors }, (_, v) => 16 * v)
        const address = (start: Local<'i32'>, p: number): Local<'i32'> => (p === 0 ? start : f.let(i32.add(start, i32.mul(partBytes, p))))
        const dAt = Array.from({ length: unread ? 0 : statesOnly ? cell.states : cell.parts }, (_, p) => address(d, p))
        const partAt = Array.from({ length: cell.parts }, (_, p) => address(from, p))
        const results = lanes.map((offset) => {
          const all = isFirst ? statesAfter(dAt, offset) : []
          const own = counted ? all.map((x) => f.let(v128.and(x, counted))) : all
          const passed = counted ? all.map((x) => f.let(v128.andNot(x, counted))) : []
          const result = phase.back(f, {
            d: own,
            plusPart: (p, x) => (statesOnly || unread ? x : f32x4.add(v128.load(dAt[p], offset), x)),
            part: (p) => f.let(v128.load(partAt[p], offset)),
            before: () => f.let(v128.load(before, offset)),
            factors: () => (dropped ? v128.load(factors, offset) : undefined),
            product: () => f.let(v128.load(kept, offset)),
          })
          return { ...result, passed }
        })
        const sum = (x: Local<'v128'> | undefined, y: Local<'v128'> | undefined): Vector[] =>
          x && y ? [f32x4.add(x, y)] : [x ?? y ?? []].flat()
        const keep = (at: number, values: Vector[]): void => {
          for (const [v, value] of values.entries()) f.do(v128.store(kept, value, at + lanes[v]))
        }
        if (isFirst) {
          for (let i = 1; i < cell.states; i++)
            keep(
              carries(i),
              results.flatMap(({ dBefore, passed }) => sum(dBefore?.[i - 1], passed[i])),
            )
          keep(
            arrayBytes,
            results.flatMap(({ kept: own, passed }) => sum(own, passed[0])),
          )
        }
        keep(
          0,
          results.flatMap(({ product }) => product ?? []),
        )
        for (const [i, [column]] of results[0].dZ.entries()) {
          const at = column === 0 ? to : f.let(i32.add(to, 4 * column * units))
          storeUnits(
            f,
            at,
            results.map(({ dZ: values }) => values[i][1]),
            some,
          )
        }
      })
      f.advance(dZ, dZRow)
      for (const pointer of [dY, y, second, dropout]) f.advance(pointer, 4 * units)
      f.advance(mask, maskRow)
      f.advance(scratch, 4 * wide)
      f.advance(rows, -1)
    })
    return i32.const(0)
  })
}

/** Writes a function that stores the cotangents of the states before the first step, in rows of `columns` times u: side by side, and zeros behind them. */
export function emitLast(module: ModuleBuilder, shape: RecurrenceShape, columns: number): FunctionReference<'i32'> {
  const { cell, units, masked, dropped } = shape
  const { arrayBytes } = layout(shape)
  const { wide } = panelsOf(shape)
  return module.function({ to: 'i32', dropout: 'i32', scratch: 'i32', rows: 'i32' }, 'i32', (f, { to, dropout, scratch, rows }) => {
    const [toAt, factors, kept] = [f.local('i32'), f.local('i32'), f.local('i32')]
    f.while(i32.gtS(rows, 0), () => {
      if (columns > cell.states) f.do(memory.fill(i32.add(to, 4 * cell.states * units), 0, 4 * (columns - cell.states) * units))
      f.set(toAt, to)
      f.set(factors, dropout)
      f.set(kept, scratch)
      emitUnits(f, units, [toAt, factors, kept], (vectors, some) => {
        for (let i = 0; i < cell.states; i++) {
          const values = Array.from({ length: vectors }, (_, v) => {
            if (i > 0) return v128.load(kept, (1 + i) * arrayBytes + 16 * v)
            const back = v128.load(kept, 16 * v)
            const product = dropped ? f32x4.mul(back, v128.load(factors, 16 * v)) : back
            return masked || cell.keeps ? f32x4.add(product, v128.load(kept, arrayBytes + 16 * v)) : product
          })
          storeUnits(f, i === 0 ? toAt : f.let(i32.add(toAt, 4 * i * units)), values, some)
        }
      })
      f.advance(to, 4 * columns * units)
      f.advance(dropout, 4 * units)
      f.advance(scratch, 4 * wide)
      f.advance(rows, -1)
    })
    return i32.const(0)
  })
}

/** Writes `backward(out, dY, y, second, panels, bias, dropout, mask, rows, n, t, scratch)`: addresses of the first of `rows` rows of n. */
export function emitBackward(module: ModuleBuilder, shape: RecurrenceShape): void {
  const { cell, units, tile, masked, goBackwards } = shape
  const panels = panelsOf(shape)
  const { arrays, arrayBytes, most } = layout(shape)
  const rowBytes = 4 * units
  const zBytes = cell.columns * rowBytes
  const product = emitPanelProduct(module, tile, units, zBytes, 4 * panels.wide)
  const steps = cell.backPhases.map((phase, i) => ({ ...phase, step: emitStep(module, shape, phase, i === 0, zBytes) }))
  const lastStates = emitLast(module, shape, cell.columns)
  const parameters = {
    out: 'i32',
    dY: 'i32',
    y: 'i32',
    second: 'i32',
    panels: 'i32',
    bias: 'i32',
    dropout: 'i32',
    mask: 'i32',
    rows: 'i32',
    n: 'i32',
    t: 'i32',
    scratch: 'i32',
  } as const
  module.export('backward', parameters, null, (f, p) => {
    const { out, dY, y, second, dropout, mask, rows, n, t, scratch } = p
    const [block, offset, to, before, maskAt, panel] = Array.from({ length: 6 }, () => f.local('i32'))
    const stepBytes = f.let(i32.mul(n, rowBytes))
    const partBytes = f.let(i32.mul(stepBytes, t))
    const last = f.let(i32.add(t, -1))
    f.while(i32.gtS(rows, 0), () => {
      f.set(block, rows)
      f.if(i32.gtS(block, most), () => f.set(block, most))
      f.do(memory.fill(scratch, 0, arrays * arrayBytes))
      f.set(offset, i32.mul(last, stepBytes))
      f.set(maskAt, goBackwards ? mask : i32.add(mask, i32.shl(last, 2)))
      f.while(i32.geS(offset, 0), () => {
        f.set(to, i32.add(out, i32.mul(offset, cell.columns)))
        f.set(before, second)
        f.if(offset, () => f.set(before, i32.sub(i32.add(i32.add(y, offset), i32.mul(partBytes, cell.states - 1)), stepBytes)))
        for (const [i, { step, multiplied }] of steps.entries()) {
          run(f, step, to, i32.add(dY, offset), i32.add(y, offset), before, dropout, maskAt, scratch, block, t, partBytes)
          for (const [j, [column, gate]] of multiplied.entries()) {
            f.set(panel, i32.add(p.panels, gate * panels.gateBytes))
            f.for(0, 4 * panels.wide, 4 * tile.nr, (at) => {
              run(f, product, i32.add(scratch, at), i32.add(to, column * rowBytes), panel, block, i + j > 0 ? 1 : 0)
              f.advance(panel, panels.bytes)
            })
          }
        }
        f.advance(offset, i32.sub(0, stepBytes))
        f.advance(maskAt, goBackwards ? 4 : -4)
      })
      run(f, lastStates, i32.add(out, i32.mul(partBytes, cell.columns)), dropout, scratch, block)
      const forward = f.let(i32.mul(block, rowBytes))
      for (const pointer of [dY, y, second, dropout]) f.advance(pointer, forward)
      f.advance(out, i32.mul(forward, cell.columns))
      if (masked) f.advance(mask, i32.mul(block, i32.shl(t, 2)))
      f.advance(rows, i32.sub(0, block))
    })
  })
}

const checkedShape: RecurrenceShape = {
  cell: lstm(false),
  units: 20,
  tile: { mr: 2, nr: 16, unroll: 1 },
  masked: false,
  dropped: false,
  goBackwards: false,
  statesOnly: false,
}

/** The self-test of recurrent networks at 256 bits: three steps of an LSTM forwards and backwards. */
export const cellCheck: WidthCheck = {
  name: 'recurrent cell',
  emit(module) {
    emitForward(module, checkedShape)
    emitBackward(module, checkedShape)
  },
  run({ forward, backward }) {
    const [rows, steps] = [5, 3]
    const [y, z, h, c, panels, out, scratch] = [0, 8192, 13312, 14336, 16384, 28672, 65536]
    forward(y, z, h, c, panels, 0, 0, 0, rows, rows, steps, scratch)
    backward(out, z, y, c, panels, 0, 0, 0, rows, rows, steps, scratch)
  },
}

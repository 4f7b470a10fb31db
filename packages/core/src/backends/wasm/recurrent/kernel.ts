/**
 * A recurrent cell over a whole sequence in WebAssembly. One call runs all steps for some rows of the batch. (gradient-kernel.ts walks back;
 * ops/recurrent/ says what the inputs and the output hold.)
 *
 * Rows of the batch do not depend on each other. So threads share the rows and meet once a sequence. Rows are taken in blocks, whose states stay in the
 * second-level cache from step to step. A step does, for NR units at a time:
 *
 * ```
 *   product [rows, g, NR] = h₋ [rows, u] · U[:, the g·NR columns of these units]     the register tile of gemm-kernel.ts; h₋ is read where it lies
 *   gates: z + product → the parts of the output at this step                        four units at a time, two vectors a turn
 * ```
 *
 * The sums that go into the gates never leave the first-level cache. Each sum is Σ over k in ascending order, and z is added after it. These are the bits
 * of the composition, whatever rows a thread has. A GRU has two products a step, since the reset gate's result meets weights again (`Cell.phases`).
 *
 * U is packed before, gate by gate: ⌈u/NR⌉ panels of NR columns for each gate. The last panel may have units that do not exist. They are computed in panels
 * and scratch memory, and never stored.
 */
import { call, type FunctionBuilder, type FunctionReference, type Local, type ModuleBuilder } from '../assembler/assembler.js'
import { storeSome } from '../assembler/elements.js'
import { f32x4, type I32, i32, type Vector, v128 } from '../assembler/instructions.js'
import { SCRATCH_BYTES } from '../engine/memory.js'
import { emitBand, emitTile, type Tile } from '../product/gemm-kernel.js'
import type { Cell, Phase } from './cells.js'

/** The sizes and options that a module is compiled for. */
export interface RecurrenceShape {
  readonly cell: Cell
  readonly units: number
  readonly tile: Tile
  readonly masked: boolean
  readonly dropped: boolean
  readonly goBackwards: boolean
}

/** The most rows of the batch in a block: whole tiles of 3, 4 and 6 rows. */
const ROWS = 96

/** Rows of a block if a row needs this many floats of scratch memory. */
export const blockRows = (floats: number): number => Math.max(1, Math.min(ROWS, Math.floor((SCRATCH_BYTES - 256) / (4 * floats))))

/** Panels of a gate, bytes of a panel, bytes of a gate, and the number of units rounded up to whole panels. */
export function panelsOf({ units, tile }: Pick<RecurrenceShape, 'units' | 'tile'>) {
  const count = Math.ceil(units / tile.nr)
  const bytes = 4 * tile.nr * units
  return { count, bytes, gateBytes: count * bytes, wide: count * tile.nr }
}

/** Writes a function (c, a, b, rows, accumulate) for one panel: c [rows, NR] (+)= a [rows, units] · b. Rows of a and c have given distances in bytes. */
export function emitPanelProduct(
  module: ModuleBuilder,
  { units, tile }: RecurrenceShape,
  aRow: number,
  cRow: number,
): FunctionReference<'i32'> {
  const parameters = { c: 'i32', a: 'i32', b: 'i32', rows: 'i32', accumulate: 'i32' } as const
  return module.function(parameters, 'i32', (f, { c, a, b, rows, accumulate }) => {
    const [aAt, bAt] = [f.local('i32'), f.local('i32')]
    emitBand(f, tile, rows, (height) => {
      f.set(aAt, a)
      f.set(bAt, b)
      const operands = { a: aAt, b: bAt, aRow, aStep: 4, bStep: 4 * tile.nr }
      emitTile(f, height, tile, operands, { c, cRow, columns: tile.nr, accumulate }, units)
      f.advance(a, aRow * height)
      f.advance(c, cRow * height)
    })
    return i32.const(0)
  })
}

/** Calls a function that returns nothing of interest. */
export const run = (f: FunctionBuilder, callee: FunctionReference<'i32'>, ...values: readonly I32[]): void =>
  f.set(f.local('i32'), call(callee, ...values))

/** Emits a walk along `width` units: two vectors a turn, then one, then the rest (`some` is the number of its units). Moves the pointers. */
export function emitUnits(
  f: FunctionBuilder,
  width: I32,
  pointers: readonly Local<'i32'>[],
  body: (vectors: number, some?: Local<'i32'>) => void,
): void {
  const left = f.local('i32')
  f.set(left, width)
  for (const vectors of [2, 1])
    f.while(i32.geS(left, 4 * vectors), () => {
      body(vectors)
      for (const pointer of pointers) f.advance(pointer, 16 * vectors)
      f.advance(left, -4 * vectors)
    })
  f.if(left, () => body(1, left))
}

/** Stores vectors side by side; with `some`, only that many units of the last one. */
export function storeUnits(f: FunctionBuilder, to: Local<'i32'>, vectors: readonly Vector[], some: Local<'i32'> | undefined): void {
  if (some) storeSome(f, 'float32', f.let(to), vectors[0], some)
  else for (const [v, vector] of vectors.entries()) f.do(v128.store(to, vector, 16 * v))
}

/** All ones if the step counts: the mask at this address is above 0. */
export const counts = (f: FunctionBuilder, mask: Local<'i32'>): Vector => f32x4.gt(v128.load32Splat(mask), f.splat(0))

/** Writes a function for the arithmetic after the product of a phase, for `width` units of some rows. Pointers are at the first unit. */
function emitGates(module: ModuleBuilder, { cell, units, tile, masked }: RecurrenceShape, phase: Phase): FunctionReference<'i32'> {
  const parameters = {
    z: 'i32',
    product: 'i32',
    bias: 'i32',
    to: 'i32',
    first: 'i32',
    second: 'i32',
    operand: 'i32',
    next: 'i32',
    mask: 'i32',
    rows: 'i32',
    width: 'i32',
    t: 'i32',
    partBytes: 'i32',
  } as const
  return module.function(parameters, 'i32', (f, p) => {
    const { z, product, bias, to, first, second, operand, next, mask, rows, width, t, partBytes } = p
    const states = [first, second].slice(0, cell.states)
    const [zAt, productAt, biasAt, toAt, operandAt, nextAt, ...statesAt] = Array.from({ length: 6 + cell.states }, () => f.local('i32'))
    const zRow = f.let(i32.mul(t, 4 * cell.gates * units))
    const maskRow = f.let(i32.shl(t, 2))
    const counted = masked ? f.local('v128') : undefined
    const partAt = (part: number): Local<'i32'> => (part === 0 ? toAt : f.let(i32.add(toAt, i32.mul(partBytes, part))))
    f.while(i32.gtS(rows, 0), () => {
      if (counted) f.set(counted, counts(f, mask))
      f.set(zAt, z)
      f.set(productAt, product)
      f.set(biasAt, bias)
      f.set(toAt, to)
      f.set(operandAt, operand)
      f.set(nextAt, next)
      for (const [i, at] of statesAt.entries()) f.set(at, states[i])
      emitUnits(f, width, [zAt, productAt, ...(cell.biased ? [biasAt] : []), toAt, operandAt, nextAt, ...statesAt], (vectors, some) => {
        const lanes = Array.from({ length: vectors }, (_, v) => 16 * v)
        const zOf = (i: number, offset: number): Vector => v128.load(zAt, 4 * phase.gates[i] * units + offset)
        const productOf = (i: number, offset: number): Vector => {
          const product = v128.load(productAt, 4 * i * tile.nr + offset)
          return cell.biased ? f32x4.add(product, v128.load(biasAt, 4 * phase.gates[i] * units + offset)) : product
        }
        const before = lanes.map((offset) => statesAt.map((at) => f.let(v128.load(at, offset))))
        const results = lanes.map((offset, v) =>
          phase.step(f, {
            sum: (i) => f.let(f32x4.add(zOf(i, offset), productOf(i, offset))),
            z: (i) => f.let(zOf(i, offset)),
            product: (i) => f.let(productOf(i, offset)),
            before: before[v],
            part: (part) => v128.load(partAt(part), offset),
            operand: () => v128.load(operandAt, offset),
          }),
        )
        for (const [i, [part]] of results[0].parts.entries()) {
          const values = results.map(({ parts }, v) =>
            counted !== undefined && part < cell.states ? v128.bitselect(parts[i][1], before[v][part], counted) : parts[i][1],
          )
          storeUnits(f, partAt(part), values, some)
        }
        const following = results.flatMap((result) => result.next ?? [])
        if (following.length > 0) storeUnits(f, nextAt, following, some)
      })
      f.advance(z, zRow)
      f.advance(product, 4 * phase.gates.length * tile.nr)
      for (const pointer of [to, operand, next, ...states]) f.advance(pointer, 4 * units)
      f.advance(mask, maskRow)
      f.advance(rows, -1)
    })
    return i32.const(0)
  })
}

/** Writes a function (to, x, factors, n): to[i] = x[i]·factors[i]. It stores whole vectors. */
function emitMultiply(module: ModuleBuilder): FunctionReference<'i32'> {
  return module.function({ to: 'i32', x: 'i32', factors: 'i32', n: 'i32' }, 'i32', (f, { to, x, factors, n }) => {
    f.while(i32.gtS(n, 0), () => {
      f.do(v128.store(to, f32x4.mul(v128.load(x), v128.load(factors))))
      for (const pointer of [to, x, factors]) f.advance(pointer, 16)
      f.advance(n, -4)
    })
    return i32.const(0)
  })
}

/** Writes `forward(y, z, first, second, panels, bias, dropout, mask, rows, n, t, scratch)`: addresses of the first of `rows` rows of n. */
export function emitForward(module: ModuleBuilder, shape: RecurrenceShape): void {
  const { cell, units, tile, masked, dropped, goBackwards } = shape
  const panels = panelsOf(shape)
  const rowBytes = 4 * units
  const zBytes = cell.gates * rowBytes
  const phases = cell.phases.map((phase) => ({
    ...phase,
    product: emitPanelProduct(module, shape, rowBytes, 4 * phase.gates.length * tile.nr),
    follow: emitGates(module, shape, phase),
  }))
  const multiply = emitMultiply(module)
  const productFloats = tile.nr * Math.max(...phases.map((phase) => phase.gates.length))
  const most = blockRows(productFloats + 2 * units)
  const parameters = {
    y: 'i32',
    z: 'i32',
    first: 'i32',
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
  module.export('forward', parameters, null, (f, p) => {
    const { y, z, mask, rows, n, t } = p
    const [block, a, operand, h, c, to, zAt, maskAt, panel, width] = Array.from({ length: 10 }, () => f.local('i32'))
    const stepBytes = f.let(i32.mul(n, rowBytes))
    const partBytes = f.let(i32.mul(stepBytes, t))
    const last = f.let(i32.add(t, -1))
    const dropTo = f.let(i32.add(p.scratch, 4 * productFloats * most))
    const next = f.let(i32.add(dropTo, rowBytes * most + 16))
    f.while(i32.gtS(rows, 0), () => {
      f.set(block, rows)
      f.if(i32.gtS(block, most), () => f.set(block, most))
      f.set(h, p.first)
      f.set(c, p.second)
      f.set(to, y)
      f.set(zAt, goBackwards ? i32.add(z, i32.mul(last, zBytes)) : z)
      f.set(maskAt, goBackwards ? i32.add(mask, i32.shl(last, 2)) : mask)
      f.for(0, t, 1, () => {
        f.set(a, h)
        if (dropped) {
          run(f, multiply, dropTo, h, p.dropout, i32.mul(block, units))
          f.set(a, dropTo)
        }
        f.set(operand, a)
        for (const { gates, product, follow } of phases) {
          f.set(panel, p.panels)
          f.for(0, rowBytes, 4 * tile.nr, (at) => {
            for (const [i, q] of gates.entries())
              run(f, product, i32.add(p.scratch, 4 * i * tile.nr), a, i32.add(panel, q * panels.gateBytes), block, 0)
            f.set(width, i32.sub(units, i32.shrS(at, 2)))
            f.if(i32.gtS(width, tile.nr), () => f.set(width, tile.nr))
            const pointers = [
              i32.add(zAt, at),
              p.scratch,
              i32.add(p.bias, at),
              ...[to, h, c, operand, next].map((start) => i32.add(start, at)),
            ]
            run(f, follow, ...pointers, maskAt, block, width, t, partBytes)
            f.advance(panel, panels.bytes)
          })
          f.set(a, next)
        }
        f.set(h, to)
        f.set(c, i32.add(to, partBytes))
        f.advance(to, stepBytes)
        f.advance(zAt, goBackwards ? -zBytes : zBytes)
        f.advance(maskAt, goBackwards ? -4 : 4)
      })
      const forward = f.let(i32.mul(block, rowBytes))
      for (const pointer of [y, p.first, p.second, p.dropout]) f.advance(pointer, forward)
      f.advance(z, i32.mul(i32.mul(block, t), zBytes))
      if (masked) f.advance(mask, i32.mul(block, i32.shl(t, 2)))
      f.advance(rows, i32.sub(0, block))
    })
  })
}

/**
 * A recurrent cell over a whole sequence in WebAssembly. One call runs all steps for some rows of the batch. (gradient-kernel.ts walks back;
 * ops/recurrent/ says what the inputs and the output hold.)
 *
 * Rows of the batch do not depend on each other. So threads share the rows and meet once a sequence. Rows are taken in blocks, whose states stay in the
 * second-level cache from step to step. A step does:
 *
 * ```
 *   product [rows, g·u] = h₋ [rows, u] · U                        the register tile of gemm-kernel.ts; h₋ is read where it lies
 *   touch: one float of each 64 bytes of z at this step           so that the gates find z in a cache
 *   gates: z + product → the parts of the output at this step     row by row, four units at a time, two vectors a turn
 * ```
 *
 * z and the parts of the output are far larger than the caches, and at one step they are short pieces that lie far apart. So the gates take whole rows, when the
 * products of all units are done: then each piece is as long as it can be. Gates of NR units at a time, while their sums are still in the first-level cache, take
 * longer (the README of backends/wasm has figures).
 *
 * Each sum is Σ over k in ascending order, and z is added after it. These are the bits of the composition, whatever rows a thread has. A GRU has two products a
 * step, since the reset gate's result meets weights again (`Cell.phases`).
 *
 * With `from` the kernel takes x instead of z. Where z of the next steps is wanted, x of as many steps as make a chunk is copied into scratch memory and multiplied by W;
 * the gates find z there, and add its bias.
 *
 * U is packed before, gate by gate: ⌈u/NR⌉ panels of NR columns for each gate. The last panel may have units that do not exist. They are computed in panels
 * and scratch memory, and never stored.
 */
import type { FunctionReference, Local, ModuleBuilder } from '../assembler/assembler.js'
import { f32x4, i32, type Vector, v128 } from '../assembler/instructions.js'
import type { Phase } from './cell.js'
import {
  blockRows,
  chunkOf,
  counts,
  emitCopyChunk,
  emitPanelProduct,
  emitUnits,
  panelsOf,
  type RecurrenceShape,
  run,
  storeUnits,
} from './recurrence-shared.js'

/**
 * Writes a function that reads one float of each 64 bytes of z at a step, for some rows. Rows of z are far apart, so the gates would wait for one line of the
 * cache after the other. Nothing hangs on these loads, so many wait together. The sum keeps the compiler from leaving them out.
 */
function emitTouch(module: ModuleBuilder, { cell, units }: RecurrenceShape): FunctionReference<'i32'> {
  return module.function({ z: 'i32', rows: 'i32', t: 'i32' }, 'i32', (f, { z, rows, t }) => {
    const zRow = f.let(i32.mul(t, 4 * cell.gates * units))
    const [at, end, sum] = [f.local('i32'), f.local('i32'), f.local('i32')]
    f.while(i32.gtS(rows, 0), () => {
      f.set(at, z)
      f.set(end, i32.add(z, 4 * cell.gates * units))
      f.while(i32.ltU(at, end), () => {
        f.set(sum, i32.add(sum, i32.load(at)))
        f.advance(at, 64)
      })
      f.advance(z, zRow)
      f.advance(rows, -1)
    })
    return sum
  })
}

/** Writes a function for the arithmetic after the product of a phase, for some rows. */
function emitGates(module: ModuleBuilder, shape: RecurrenceShape, phase: Phase): FunctionReference<'i32'> {
  const { cell, units, masked, from } = shape
  const { wide } = panelsOf(shape)
  const biased = cell.biased || from?.biased
  const gateBytes = 4 * (from ? wide : units) // from gate to gate in a row of z
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
    t: 'i32',
    partBytes: 'i32',
  } as const
  return module.function(parameters, 'i32', (f, p) => {
    const { z, product, bias, to, first, second, operand, next, mask, rows, t, partBytes } = p
    const states = [first, second].slice(0, cell.states)
    const [zAt, productAt, biasAt, toAt, operandAt, nextAt, ...statesAt] = Array.from({ length: 6 + cell.states }, () => f.local('i32'))
    const zRow = from ? cell.gates * gateBytes : f.let(i32.mul(t, cell.gates * gateBytes))
    const maskRow = f.let(i32.shl(t, 2))
    const counted = masked ? f.local('v128') : undefined
    const starts: [at: Local<'i32'>, start: Local<'i32'>][] = [
      [zAt, z],
      [productAt, product],
      ...(biased ? [[biasAt, bias] as [Local<'i32'>, Local<'i32'>]] : []),
      [toAt, to],
      [operandAt, operand],
      [nextAt, next],
      ...statesAt.map((at, i): [Local<'i32'>, Local<'i32'>] => [at, states[i]]),
    ]
    const partAt = (part: number): Local<'i32'> => (part === 0 ? toAt : f.let(i32.add(toAt, i32.mul(partBytes, part))))
    const biasOf = (i: number, offset: number): Vector => v128.load(biasAt, 4 * phase.gates[i] * units + offset)
    const zOf = (i: number, offset: number): Vector => {
      const z = v128.load(zAt, phase.gates[i] * gateBytes + offset)
      return from?.biased ? f32x4.add(z, biasOf(i, offset)) : z
    }
    const productOf = (i: number, offset: number): Vector => {
      const product = v128.load(productAt, 4 * i * wide + offset)
      return cell.biased ? f32x4.add(product, biasOf(i, offset)) : product
    }
    f.while(i32.gtS(rows, 0), () => {
      if (counted) f.set(counted, counts(f, mask))
      for (const step of phase.steps) {
        for (const [at, start] of starts) f.set(at, start)
        emitUnits(
          f,
          units,
          starts.map(([at]) => at),
          (vectors, some) => {
            const lanes = Array.from({ length: vectors }, (_, v) => 16 * v)
            const before = (state: number, offset: number): Local<'v128'> => f.let(v128.load(statesAt[state], offset))
            const results = lanes.map((offset) => {
              const { parts, next } = step(f, {
                sum: (i) => f.let(f32x4.add(zOf(i, offset), productOf(i, offset))),
                z: (i) => f.let(zOf(i, offset)),
                product: (i) => f.let(productOf(i, offset)),
                before: (state) => before(state, offset),
                part: (part) => v128.load(partAt(part), offset),
                operand: () => v128.load(operandAt, offset),
              })
              const own = ([part, value]: [number, Local<'v128'>]): Local<'v128'> =>
                counted !== undefined && part < cell.states ? f.let(v128.bitselect(value, before(part, offset), counted)) : value
              return { parts: parts.map((entry) => [entry[0], own(entry)] as const), next }
            })
            for (const [i, [part]] of results[0].parts.entries())
              storeUnits(
                f,
                partAt(part),
                results.map(({ parts }) => parts[i][1]),
                some,
              )
            const following = results.flatMap(({ next }) => next ?? [])
            if (following.length > 0) storeUnits(f, nextAt, following, some)
          },
        )
      }
      f.advance(z, zRow)
      f.advance(product, 4 * phase.gates.length * wide)
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

/**
 * Writes `forward(y, z, first, second, panels, bias, dropout, mask, rows, n, t, scratch)`: addresses of the first of `rows` rows of n. With `from`, z is the address of
 * x, the panels of U are followed by those of W, gate by gate, and `bias` is that of z.
 */
export function emitForward(module: ModuleBuilder, shape: RecurrenceShape): void {
  const { cell, units, tile, masked, dropped, goBackwards, from } = shape
  const panels = panelsOf(shape)
  const rowBytes = 4 * units
  const zBytes = from ? 4 * from.width : cell.gates * rowBytes // of a step in a row of z, or of x
  const phases = cell.phases.map((phase) => ({
    ...phase,
    product: emitPanelProduct(module, tile, units, rowBytes, 4 * phase.gates.length * panels.wide),
    follow: emitGates(module, shape, phase),
  }))
  const multiply = emitMultiply(module)
  const chunk = chunkOf(shape)
  const inputs = from && {
    copy: emitCopyChunk(module, from.width, 'in'),
    product: emitPanelProduct(module, tile, from.width, 4 * chunk.xFloats, 4 * chunk.zFloats),
    panelBytes: 4 * tile.nr * from.width,
  }
  const touch = emitTouch(module, shape)
  const productFloats = panels.wide * Math.max(...phases.map((phase) => phase.gates.length))
  const most = Math.min(
    blockRows(productFloats + 2 * units, 4 * chunk.rows * (chunk.xFloats + chunk.zFloats)),
    from ? chunk.rows : Infinity,
  )
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
    const [block, a, operand, h, c, to, zAt, maskAt, panel] = Array.from({ length: 9 }, () => f.local('i32'))
    const [xAt, perChunk, left, count] = Array.from({ length: 4 }, () => f.local('i32'))
    const stepBytes = f.let(i32.mul(n, rowBytes))
    const partBytes = f.let(i32.mul(stepBytes, t))
    const last = f.let(i32.add(t, -1))
    const dropTo = f.let(i32.add(p.scratch, 4 * productFloats * most))
    const next = f.let(i32.add(dropTo, rowBytes * most + 16))
    const xs = f.let(i32.add(next, rowBytes * most + 16))
    const zs = f.let(i32.add(xs, 4 * chunk.rows * chunk.xFloats))
    /** z of the next steps, as many as have room. */
    const emitChunk = ({ copy, product, panelBytes }: NonNullable<typeof inputs>, step: Local<'i32'>): void => {
      f.set(count, i32.sub(t, step))
      f.if(i32.gtS(count, perChunk), () => f.set(count, perChunk))
      f.set(left, count)
      const next = goBackwards ? -zBytes : zBytes
      run(f, copy, xs, xAt, count, block, next, f.let(i32.mul(t, zBytes)))
      f.advance(xAt, i32.mul(count, next))
      f.set(panel, i32.add(p.panels, cell.gates * panels.gateBytes))
      f.for(0, 4 * chunk.zFloats, 4 * tile.nr, (at) => {
        run(f, product, i32.add(zs, at), xs, panel, i32.mul(count, block), 0)
        f.advance(panel, panelBytes)
      })
      f.set(zAt, zs)
    }
    f.while(i32.gtS(rows, 0), () => {
      f.set(block, rows)
      f.if(i32.gtS(block, most), () => f.set(block, most))
      f.set(h, p.first)
      f.set(c, p.second)
      f.set(to, y)
      const start = goBackwards ? i32.add(z, i32.mul(last, zBytes)) : z
      if (from) {
        f.set(xAt, start)
        f.set(perChunk, i32.divU(i32.const(chunk.rows), block))
        f.set(left, 0)
      } else f.set(zAt, start)
      f.set(maskAt, goBackwards ? i32.add(mask, i32.shl(last, 2)) : mask)
      f.for(0, t, 1, (step) => {
        f.set(a, h)
        if (dropped) {
          run(f, multiply, dropTo, h, p.dropout, i32.mul(block, units))
          f.set(a, dropTo)
        }
        f.set(operand, a)
        for (const [i, { gates, product, follow }] of phases.entries()) {
          for (const [g, q] of gates.entries()) {
            f.set(panel, i32.add(p.panels, q * panels.gateBytes))
            f.for(0, 4 * panels.wide, 4 * tile.nr, (at) => {
              run(f, product, i32.add(p.scratch, i32.add(at, 4 * g * panels.wide)), a, panel, block, 0)
              f.advance(panel, panels.bytes)
            })
          }
          if (i === 0) {
            if (inputs) f.if(i32.eqz(left), () => emitChunk(inputs, step))
            else run(f, touch, zAt, block, t)
          }
          run(f, follow, zAt, p.scratch, p.bias, to, h, c, operand, next, maskAt, block, t, partBytes)
          f.set(a, next)
        }
        f.set(h, to)
        f.set(c, i32.add(to, partBytes))
        f.advance(to, stepBytes)
        if (from) {
          f.advance(zAt, i32.mul(block, 4 * chunk.zFloats))
          f.advance(left, -1)
        } else f.advance(zAt, goBackwards ? -zBytes : zBytes)
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

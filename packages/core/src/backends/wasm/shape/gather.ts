/**
 * Rows by index: `gather` copies rows, out[i] = x[indices[i]]; `scatterAdd` sums rows, out[indices[i]] += x[i]. x is [rows, inner].
 *
 * Indices are checked before anything is written. scatterAdd adds in the order of the indices, which fixes the order of the sum
 * of each output row; threads share the columns.
 */

import { ValueError } from '../../../errors.js'
import type { DType } from '../../../tensor/dtype.js'
import type { Kernels, Operand } from '../../backend.js'
import type { ModuleBuilder } from '../assembler/assembler.js'
import { elementBytes, storeSome } from '../assembler/elements.js'
import { f32x4, i32, i32x4, v128 } from '../assembler/instructions.js'
import { address } from '../engine/address.js'
import type { Engine, KernelFunction } from '../engine/engine.js'
import { entry } from '../engine/made-once.js'
import type { TouchedRows } from './touched-rows.js'

/** Writes `kernel(indices, count, rows)`: the position of the first index outside 0 … rows−1, or −1. */
function emitCheck(module: ModuleBuilder): void {
  module.export('kernel', { indices: 'i32', count: 'i32', rows: 'i32' }, 'i32', (f, { indices, count, rows }) => {
    f.for(0, count, 1, (i) => {
      f.if(i32.geU(i32.load(i32.add(indices, i32.shl(i, 2))), rows), () => f.return(i))
    })
    return i32.const(-1)
  })
}

/** Writes `kernel(out, x, indices, count, bytes)`: copies `count` rows of `bytes` bytes. */
function emitGather(module: ModuleBuilder): void {
  const parameters = { out: 'i32', x: 'i32', indices: 'i32', count: 'i32', bytes: 'i32' } as const
  module.export('kernel', parameters, null, (f, { out, x, indices, count, bytes }) => {
    const [from, n] = [f.local('i32'), f.local('i32')]
    f.while(i32.gtS(count, 0), () => {
      f.set(from, i32.add(x, i32.mul(i32.load(indices), bytes)))
      f.set(n, bytes)
      f.while(i32.geS(n, 16), () => {
        f.do(v128.store(out, v128.load(from)))
        f.advance(out, 16)
        f.advance(from, 16)
        f.advance(n, -16)
      })
      f.while(i32.geS(n, 4), () => {
        f.do(i32.store(out, i32.load(from)))
        f.advance(out, 4)
        f.advance(from, 4)
        f.advance(n, -4)
      })
      f.while(i32.gtS(n, 0), () => {
        f.do(i32.store8(out, i32.load8U(from)))
        f.advance(out, 1)
        f.advance(from, 1)
        f.advance(n, -1)
      })
      f.advance(indices, 4)
      f.advance(count, -1)
    })
  })
}

/** Writes `kernel(out, x, indices, count, inner, columns)`: adds the first `columns` columns of every row. out must hold zeros. */
function emitScatterAdd(module: ModuleBuilder, float: boolean): void {
  const parameters = { out: 'i32', x: 'i32', indices: 'i32', count: 'i32', inner: 'i32', columns: 'i32' } as const
  const add = float ? f32x4.add : i32x4.add
  module.export('kernel', parameters, null, (f, { out, x, indices, count, inner, columns }) => {
    const [to, from, n] = [f.local('i32'), f.local('i32'), f.local('i32')]
    const rowBytes = f.let(i32.shl(inner, 2))
    f.while(i32.gtS(count, 0), () => {
      f.set(to, i32.add(out, i32.mul(i32.load(indices), rowBytes)))
      f.set(from, x)
      f.set(n, columns)
      f.while(i32.geS(n, 4), () => {
        f.do(v128.store(to, add(v128.load(to), v128.load(from))))
        f.advance(to, 16)
        f.advance(from, 16)
        f.advance(n, -4)
      })
      f.if(n, () => storeSome(f, 'float32', to, add(v128.load(to), v128.load(from)), n))
      f.advance(x, rowBytes)
      f.advance(indices, 4)
      f.advance(count, -1)
    })
  })
}

/** The primitives `gather` and `scatterAdd`. */
export function createGather(engine: Engine, touched: TouchedRows): Pick<Kernels, 'gather' | 'scatterAdd'> {
  let checkKernel: KernelFunction | undefined
  let gatherKernel: KernelFunction | undefined
  const scatterKernels = new Map<DType, KernelFunction>()

  function check(indices: Operand, rows: number): void {
    checkKernel ??= engine.compileOne(emitCheck)
    const position = checkKernel(address(indices), indices.size, rows)
    if (position < 0) return
    const index = engine.memory.ints[address(indices) / 4 + position]
    throw new ValueError(`index ${index} at position ${position} is out of range: there are ${rows} rows (0 to ${rows - 1}).`)
  }

  return {
    gather(out, x, indices) {
      check(indices, x.shape[0])
      if (out.size === 0) return
      gatherKernel ??= engine.compileOne(emitGather)
      const run = gatherKernel
      const [to, from, index, bytes] = [address(out), address(x), address(indices), x.shape[1] * elementBytes(x.dtype)]
      engine.split(indices.size, Math.ceil(64 / bytes), indices.size * (3 + bytes / 8), (begin, end, call) =>
        call(run, to + begin * bytes, from, index + 4 * begin, end - begin, bytes),
      )
    },

    scatterAdd(out, x, indices) {
      const [rows, inner] = out.shape
      if (engine.collector) touched.expect(out.storage)
      check(indices, rows)
      if (out.size === 0) return
      engine.memory.bytes8.fill(0, address(out), address(out) + 4 * out.size)
      const run = entry(scatterKernels, out.dtype, (dtype) => engine.compileOne((module) => emitScatterAdd(module, dtype === 'float32')))
      const [to, from, index] = [address(out), address(x), address(indices)]
      if (out.dtype === 'float32') touched.note(out.storage, engine.memory.ints.subarray(index / 4, index / 4 + indices.size), rows)
      engine.split(inner, 16, x.size * 0.5, (begin, end, call) =>
        call(run, to + 4 * begin, from + 4 * begin, index, indices.size, inner, end - begin),
      )
    },
  }
}

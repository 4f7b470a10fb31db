/**
 * Elementwise choice: out[i] = condition[i] ? a[i] : b[i]. Broadcasting works as in zip.ts, with one more operand.
 */
import type { DType } from '../../../tensor/dtype.js'
import type { Kernels } from '../../backend.js'
import type { Local, ModuleBuilder } from '../assembler/assembler.js'
import { elementBytes, loadLanes, loadSplat, storeLanes, storeSome } from '../assembler/elements.js'
import { i32, i32x4, v128 } from '../assembler/instructions.js'
import { address } from '../engine/address.js'
import type { Engine, KernelFunction } from '../engine/engine.js'
import { entry } from '../engine/made-once.js'
import { planBroadcast, runBroadcast } from './broadcast.js'

/** Writes `kernel(out, c, a, b, rows, columns, cRow, aRow, bRow)`. */
function emitSelect(module: ModuleBuilder, dtype: DType, repeats: readonly boolean[]): void {
  const parameters = {
    out: 'i32',
    c: 'i32',
    a: 'i32',
    b: 'i32',
    rows: 'i32',
    columns: 'i32',
    cRow: 'i32',
    aRow: 'i32',
    bRow: 'i32',
  } as const
  module.export('kernel', parameters, null, (f, { out, c, a, b, rows, columns, cRow, aRow, bRow }) => {
    const operands = [
      { start: c, row: cRow, dtype: 'bool' as DType, repeats: repeats[0], at: f.local('i32'), value: f.local('v128') },
      { start: a, row: aRow, dtype, repeats: repeats[1], at: f.local('i32'), value: f.local('v128') },
      { start: b, row: bRow, dtype, repeats: repeats[2], at: f.local('i32'), value: f.local('v128') },
    ]
    const n = f.local('i32')
    const chosen = (): Local<'v128'> => {
      for (const operand of operands) if (!operand.repeats) f.set(operand.value, loadLanes(operand.dtype, operand.at))
      const [condition, x, y] = operands.map((operand) => operand.value)
      return f.let(v128.bitselect(x, y, i32x4.ne(condition, f.splatInt(0))))
    }
    f.while(i32.gtS(rows, 0), () => {
      f.set(n, columns)
      for (const operand of operands) {
        f.set(operand.at, operand.start)
        if (operand.repeats) f.set(operand.value, loadSplat(operand.dtype, operand.start))
      }
      f.while(i32.geS(n, 4), () => {
        storeLanes(f, dtype, out, chosen())
        for (const operand of operands) if (!operand.repeats) f.advance(operand.at, 4 * elementBytes(operand.dtype))
        f.advance(out, 4 * elementBytes(dtype))
        f.advance(n, -4)
      })
      f.if(n, () => {
        storeSome(f, dtype, out, chosen(), n)
        f.advance(out, i32.mul(i32.and(n, 1), elementBytes(dtype)))
      })
      for (const operand of operands) f.advance(operand.start, operand.row)
      f.advance(rows, -1)
    })
  })
}

/** The primitive `select`. */
export function createSelect(engine: Engine): Kernels['select'] {
  const tables = new Map<DType, Map<number, KernelFunction>>()
  return (out, condition, a, b) => {
    if (out.size === 0) return
    const plan = planBroadcast(out.shape, [condition, a, b])
    const variant = plan.repeats.reduce((bits, repeats) => 2 * bits + (repeats ? 1 : 0), 0)
    const variants = entry(tables, out.dtype, () => new Map<number, KernelFunction>())
    const run = entry(variants, variant, () => engine.compileOne((module) => emitSelect(module, out.dtype, plan.repeats)))
    runBroadcast(engine.split, run, plan, address(out), elementBytes(out.dtype), [condition, a, b], 0.5)
  }
}

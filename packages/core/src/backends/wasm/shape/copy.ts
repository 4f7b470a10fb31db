/**
 * Filling and strided copies. Every transpose, slice, flip, broadcast and pad is one `View` and is done here.
 *
 * The output cells that read inside the input form a box. Example: padding [2, 2] to [4, 4] has a box of 2 × 2. Over that box
 * both addresses are linear in the coordinates. So if the box is not the whole output, the output is filled first. Then the
 * box is copied by nested loops, one for each axis, with a byte stride on each side. Axes that continue each other are joined
 * into one first. The two innermost loops are one of four kernels: runs of bytes, one repeated element, a transposition, or
 * single elements. Further axes are walked here.
 *
 * The file is longer than 300 lines because the kernels and the choice between them belong together.
 */
import type { DType } from '../../../tensor/dtype.js'
import { stridesOf } from '../../../tensor/shape.js'
import type { Kernels, Operand, View } from '../../backend.js'
import type { ModuleBuilder } from '../assembler/assembler.js'
import { elementBytes, transposed } from '../assembler/elements.js'
import { f32, i32, i32x4, memory, type Vector, v128 } from '../assembler/instructions.js'
import { address } from '../engine/address.js'
import type { Engine, KernelFunction } from '../engine/engine.js'
import { entry } from '../engine/made-once.js'
import type { Body, Call } from '../engine/threads.js'

/** The fewest bytes of zeros that the host's own fill takes over. It is a call out of WebAssembly, and does not read what it overwrites: three times as fast in memory. */
const HOST_FILL = 4096

/** Writes `kernel(out, bytes, pattern)`: fills a range with a 32-bit pattern; the last pattern may be cut. */
export function emitFill(module: ModuleBuilder, name = 'kernel'): void {
  module.export(name, { out: 'i32', bytes: 'i32', pattern: 'i32' }, null, (f, { out, bytes, pattern }) => {
    f.if(i32.and(i32.eqz(pattern), i32.geS(bytes, HOST_FILL)), () => {
      f.do(memory.fill(out, 0, bytes))
      f.set(bytes, 0)
    })
    const value = f.let(i32x4.splat(pattern))
    f.while(i32.geS(bytes, 64), () => {
      for (let v = 0; v < 4; v++) f.do(v128.store(out, value, 16 * v))
      f.advance(out, 64)
      f.advance(bytes, -64)
    })
    f.while(i32.geS(bytes, 4), () => {
      f.do(i32.store(out, pattern))
      f.advance(out, 4)
      f.advance(bytes, -4)
    })
    f.while(i32.gtS(bytes, 0), () => {
      f.do(i32.store8(out, pattern))
      f.advance(out, 1)
      f.advance(bytes, -1)
    })
  })
}

/** Writes `kernel(to, from, rows, bytes, toRow, fromRow)`: copies runs of bytes. */
export function emitRuns(module: ModuleBuilder): void {
  const parameters = { to: 'i32', from: 'i32', rows: 'i32', bytes: 'i32', toRow: 'i32', fromRow: 'i32' } as const
  module.export('kernel', parameters, null, (f, { to, from, rows, bytes, toRow, fromRow }) => {
    const [p, q, n] = [f.local('i32'), f.local('i32'), f.local('i32')]
    f.while(i32.gtS(rows, 0), () => {
      f.set(p, to)
      f.set(q, from)
      f.set(n, bytes)
      for (const width of [64, 16]) {
        f.while(i32.geS(n, width), () => {
          const vectors: Vector[] = []
          for (let at = 0; at < width; at += 16) vectors.push(f.let(v128.load(q, at)))
          vectors.forEach((vector, v) => {
            f.do(v128.store(p, vector, 16 * v))
          })
          f.advance(p, width)
          f.advance(q, width)
          f.advance(n, -width)
        })
      }
      f.while(i32.geS(n, 4), () => {
        f.do(i32.store(p, i32.load(q)))
        f.advance(p, 4)
        f.advance(q, 4)
        f.advance(n, -4)
      })
      f.while(i32.gtS(n, 0), () => {
        f.do(i32.store8(p, i32.load8U(q)))
        f.advance(p, 1)
        f.advance(q, 1)
        f.advance(n, -1)
      })
      f.advance(to, toRow)
      f.advance(from, fromRow)
      f.advance(rows, -1)
    })
  })
}

/** Writes `kernel(to, from, rows, columns, toRow, fromRow, toColumn, fromColumn)`: copies single elements at any strides. */
function emitElements(module: ModuleBuilder, bytes: number): void {
  const parameters = {
    to: 'i32',
    from: 'i32',
    rows: 'i32',
    columns: 'i32',
    toRow: 'i32',
    fromRow: 'i32',
    toColumn: 'i32',
    fromColumn: 'i32',
  } as const
  module.export('kernel', parameters, null, (f, { to, from, rows, columns, toRow, fromRow, toColumn, fromColumn }) => {
    const [p, q, n] = [f.local('i32'), f.local('i32'), f.local('i32')]
    f.while(i32.gtS(rows, 0), () => {
      f.set(p, to)
      f.set(q, from)
      f.set(n, columns)
      f.while(i32.gtS(n, 0), () => {
        f.do(bytes === 1 ? i32.store8(p, i32.load8U(q)) : i32.store(p, i32.load(q)))
        f.advance(p, toColumn)
        f.advance(q, fromColumn)
        f.advance(n, -1)
      })
      f.advance(to, toRow)
      f.advance(from, fromRow)
      f.advance(rows, -1)
    })
  })
}

/**
 * Writes `kernel(to, from, rows, columns, toRow, fromColumn)`: to[r, c] = from[c, r] for 4-byte elements, consecutive along c
 * in `to` and along r in `from`. Tiles of 4 × 4 are transposed in registers. The walk goes down the columns of `to`, in bands of
 * four, so that whole cache lines of `from` are used before they leave the cache.
 */
function emitTranspose(module: ModuleBuilder): void {
  const parameters = { to: 'i32', from: 'i32', rows: 'i32', columns: 'i32', toRow: 'i32', fromColumn: 'i32' } as const
  module.export('kernel', parameters, null, (f, { to, from, rows, columns, toRow, fromColumn }) => {
    const [p, q, r, c] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')]
    const [source, target] = [f.local('i32'), f.local('i32')]
    f.while(i32.geS(columns, 4), () => {
      f.set(p, to)
      f.set(q, from)
      f.set(r, rows)
      f.while(i32.geS(r, 4), () => {
        f.set(source, q)
        const lines = [0, 1, 2, 3].map((i) => {
          if (i > 0) f.advance(source, fromColumn)
          return f.let(v128.load(source))
        })
        f.set(target, p)
        transposed(lines.map((line) => line)).forEach((line, i) => {
          if (i > 0) f.advance(target, toRow)
          f.do(v128.store(target, line))
        })
        f.set(p, i32.add(p, i32.shl(toRow, 2)))
        f.advance(q, 16)
        f.advance(r, -4)
      })
      // Up to three rows are left below the last whole tile.
      f.while(i32.gtS(r, 0), () => {
        f.set(source, q)
        for (let i = 0; i < 4; i++) {
          f.do(f32.store(p, f32.load(source), 4 * i))
          f.advance(source, fromColumn)
        }
        f.advance(p, toRow)
        f.advance(q, 4)
        f.advance(r, -1)
      })
      f.advance(to, 16)
      f.set(from, i32.add(from, i32.shl(fromColumn, 2)))
      f.advance(columns, -4)
    })
    // Up to three columns are left beside the last whole tile.
    f.set(c, columns)
    f.while(i32.gtS(c, 0), () => {
      f.set(p, to)
      f.set(q, from)
      f.set(r, rows)
      f.while(i32.gtS(r, 0), () => {
        f.do(i32.store(p, i32.load(q)))
        f.advance(p, toRow)
        f.advance(q, 4)
        f.advance(r, -1)
      })
      f.advance(to, 4)
      f.advance(from, fromColumn)
      f.advance(c, -1)
    })
  })
}

/** Estimated nanoseconds to move a byte. */
const PER_BYTE = 0.12
/** The values that a call of `move` takes, and the most calls for one item of a job. */
const VALUES_PER_MOVE = 10
const MOST_CALLS = 45

/** One loop of a copy: its number of turns, and the bytes by which each side moves a turn. */
interface Loop {
  size: number
  to: number
  from: number
}

/** The 32-bit pattern that fills memory with a value. */
export function fillPattern(value: number, dtype: DType): number {
  if (dtype === 'uint8') return (value & 0xff) * 0x01010101
  if (dtype !== 'float32') return value | 0
  floatBits[0] = value
  return intBits[0]
}
const floatBits = new Float32Array(1)
const intBits = new Int32Array(floatBits.buffer)

/** The primitives `fill` and `copy`. */
export function createCopy(engine: Engine): Pick<Kernels, 'fill' | 'copy'> {
  let fillKernel: KernelFunction | undefined
  let runsKernel: KernelFunction | undefined
  let transposeKernel: KernelFunction | undefined
  const elementKernels = new Map<number, KernelFunction>()

  const fill = (out: Operand, value: number): void => {
    fillKernel ??= engine.compileOne((module) => emitFill(module))
    const run = fillKernel
    const [to, bytes, pattern] = [address(out), out.size * elementBytes(out.dtype), fillPattern(value, out.dtype)]
    engine.split(bytes, 64, bytes * PER_BYTE, (begin, end, call) => call(run, to + begin, end - begin, pattern))
  }

  /** Copies along the two given loops. */
  function move(call: Call, to: number, from: number, outer: Loop, inner: Loop, bytes: number): void {
    if (inner.to === bytes && inner.from === bytes) {
      runsKernel ??= engine.compileOne(emitRuns)
      call(runsKernel, to, from, outer.size, inner.size * bytes, outer.to, outer.from)
    } else if (bytes === 4 && inner.to === 4 && outer.from === 4 && inner.from !== 0) {
      transposeKernel ??= engine.compileOne(emitTranspose)
      call(transposeKernel, to, from, outer.size, inner.size, outer.to, inner.from)
    } else {
      const run = entry(elementKernels, bytes, () => engine.compileOne((module) => emitElements(module, bytes)))
      call(run, to, from, outer.size, inner.size, outer.to, outer.from, inner.to, inner.from)
    }
  }

  const copy = (out: Operand, x: Operand, view: View): void => {
    if (out.size === 0) return
    const bytes = elementBytes(out.dtype)
    const toStrides = stridesOf(out.shape)
    const fromStrides = stridesOf(x.shape)
    let to = address(out)
    let from = address(x)
    let whole = true
    const loops: Loop[] = []
    for (let i = 0; i < out.shape.length; i++) {
      const size = out.shape[i]
      const axis = view.axis[i]
      if (axis < 0) {
        if (size > 1) loops.push({ size, to: toStrides[i] * bytes, from: 0 })
        continue
      }
      const [first, last] = insideRange(view.start[i], view.step[i], size, x.shape[axis])
      if (first > 0 || last < size) whole = false
      const count = Math.max(0, last - first)
      to += first * toStrides[i] * bytes
      from += (view.start[i] + first * view.step[i]) * fromStrides[axis] * bytes
      if (count !== 1) loops.push({ size: count, to: toStrides[i] * bytes, from: view.step[i] * fromStrides[axis] * bytes })
    }
    if (!whole) fill(out, view.fill)
    if (loops.some((loop) => loop.size === 0)) return

    const joined = join(loops)
    const inner = joined.pop() ?? { size: 1, to: bytes, from: bytes }
    // The second loop of the kernel: the one that makes it a transposition, if there is one, else the longest.
    let second = joined.findIndex((loop) => loop.from === bytes)
    if (second < 0 || inner.from === bytes) second = longest(joined)
    const outer = joined.length > 0 ? joined.splice(second, 1)[0] : { size: 1, to: 0, from: 0 }
    const size = joined.reduce((product, loop) => product * loop.size, outer.size * inner.size)
    const nanoseconds = size * bytes * PER_BYTE
    const [first] = joined
    if (first) {
      // One item is one turn of the first loop. It takes this many calls of `move`.
      const calls = size / (first.size * outer.size * inner.size)
      const some: Body = (begin, end, call) =>
        walk([{ ...first, size: end - begin }, ...joined.slice(1)], 0, to + begin * first.to, from + begin * first.from, (atTo, atFrom) =>
          move(call, atTo, atFrom, outer, inner, bytes),
        )
      engine.split(first.size, 1, calls > MOST_CALLS ? 0 : nanoseconds, some, calls * VALUES_PER_MOVE)
      return
    }
    // Threads share the longer of the two loops. Runs of bytes are cut at cache lines.
    const byRows = outer.size >= 16 || outer.size >= inner.size
    const cut = byRows ? outer : inner
    engine.split(cut.size, byRows ? 4 : 64, nanoseconds, (begin, end, call) => {
      const part = { ...cut, size: end - begin }
      move(call, to + begin * cut.to, from + begin * cut.from, byRows ? part : outer, byRows ? inner : part, bytes)
    })
  }

  return { fill, copy }
}

/** The output indices [first, last) whose input index start + index·step lies in 0 … size−1. */
function insideRange(start: number, step: number, count: number, size: number): [first: number, last: number] {
  if (step === 0) return start >= 0 && start < size ? [0, count] : [0, 0]
  const a = step > 0 ? Math.ceil(-start / step) : Math.ceil((size - 1 - start) / step)
  const b = step > 0 ? Math.floor((size - 1 - start) / step) : Math.floor(-start / step)
  return [Math.max(0, a), Math.min(count, b + 1)]
}

/** Joins neighbouring loops, outermost first, if the outer one continues the inner one on both sides. */
function join(loops: readonly Loop[]): Loop[] {
  const joined: Loop[] = []
  for (const loop of loops) {
    const last = joined.at(-1)
    if (last && last.to === loop.to * loop.size && last.from === loop.from * loop.size)
      joined[joined.length - 1] = { size: last.size * loop.size, to: loop.to, from: loop.from }
    else joined.push(loop)
  }
  return joined
}

function longest(loops: readonly Loop[]): number {
  let best = 0
  for (let i = 1; i < loops.length; i++) if (loops[i].size > loops[best].size) best = i
  return best
}

function walk(loops: readonly Loop[], depth: number, to: number, from: number, visit: (to: number, from: number) => void): void {
  if (depth === loops.length) {
    visit(to, from)
    return
  }
  const { size, to: toStep, from: fromStep } = loops[depth]
  for (let i = 0; i < size; i++) walk(loops, depth + 1, to + i * toStep, from + i * fromStep, visit)
}

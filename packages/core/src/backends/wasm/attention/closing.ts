/** Closed scores: by masks, the diagonal, and a bias of −∞. */
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js'
import { f32x4, i32, i32x4, type Vector, v128 } from '../assembler/instructions.js'
import { type AttentionShape, CLOSED, closes, downKeys, KEY, openKeys, overUnits, triangular, vectors } from './block.js'
import { nothing, type Procedure } from './products.js'

/** Emits a change of those scores of a unit at whose key some queries are open and others closed; there are as many as queries. `open` is all ones where open. */
export function nearDiagonal(
  f: FunctionBuilder,
  shape: AttentionShape,
  block: Local<'i32'>,
  offset: Local<'i32'>,
  first: Local<'i32'>,
  keys: Local<'i32'>,
  diagonal: Local<'i32'>,
  change: (value: Vector, open: Vector) => Vector,
): void {
  const count = openKeys(f, shape, keys, diagonal, first)
  const whole = f.let(i32.add(i32.add(diagonal, first), 1)) // keys that all queries may look at
  f.if(i32.ltS(whole, 0), () => f.set(whole, 0))
  const at = f.let(i32.add(i32.add(block, offset), i32.mul(whole, KEY)))
  const key = f.let(i32x4.splat(whole))
  const start = f.let(i32x4.splat(i32.add(diagonal, first)))
  const lasts = vectors((v) => f.let(i32x4.add(start, f.splatInt(4 * v, 4 * v + 1, 4 * v + 2, 4 * v + 3))))
  downKeys(f, i32.sub(count, whole), [at], () => {
    for (const [v, last] of lasts.entries()) f.do(v128.store(at, change(v128.load(at, 16 * v), i32x4.leS(key, last)), 16 * v))
    f.set(key, i32x4.add(key, f.splatInt(1)))
  })
}

/** Four numbers of 32 bits as a vector. */
const gathered = (pointers: readonly Local<'i32'>[]): Vector =>
  pointers.slice(1).reduce<Vector>((lanes, pointer, i) => i32x4.replaceLane(lanes, i + 1, i32.load(pointer)), v128.load32Splat(pointers[0]))

/** Pointers to the rows of four queries in a mask or bias. Queries that do not exist read the last one. */
function rowPointers(f: FunctionBuilder, from: Local<'i32'>, row: Local<'i32'>, rows: Local<'i32'>, first: Local<'i32'>): Local<'i32'>[] {
  return [0, 1, 2, 3].map((lane) => {
    const index = f.let(i32.add(first, lane))
    f.if(i32.geS(index, rows), () => f.set(index, i32.add(rows, -1)))
    return f.let(i32.add(from, i32.mul(index, row)))
  })
}

/** Writes a function (to, keys, rows, diagonal, mask, maskRow, maskStep): all ones where a score is open, for a block that the mask closes. */
export function emitOpen(module: ModuleBuilder, { masked, causal }: AttentionShape): Procedure {
  const parameters = { to: 'i32', keys: 'i32', rows: 'i32', diagonal: 'i32', mask: 'i32', maskRow: 'i32', maskStep: 'i32' } as const
  return module.function(parameters, 'i32', (f, { to, keys, rows, diagonal, mask, maskRow, maskStep }) => {
    const [at, key] = [f.local('i32'), f.local('v128')]
    f.for(0, rows, 4, (first) => {
      f.set(at, i32.add(to, i32.shl(first, 2)))
      const pointers = masked ? rowPointers(f, mask, maskRow, rows, first) : []
      const last = causal ? f.let(i32x4.add(i32x4.splat(i32.add(diagonal, first)), f.splatInt(0, 1, 2, 3))) : undefined
      f.set(key, f.splatInt(0))
      downKeys(f, keys, [at], () => {
        const given = masked ? i32x4.ne(gathered(pointers), f.splatInt(0)) : undefined
        const past = last ? i32x4.leS(key, last) : undefined
        f.do(v128.store(at, given && past ? v128.and(given, past) : ((given ?? past) as Vector)))
        f.set(key, i32x4.add(key, f.splatInt(1)))
        for (const pointer of pointers) f.advance(pointer, maskStep)
      })
    })
    return nothing
  })
}

/** Writes a function (scores, open, keys, rows, diagonal, bias, biasRow, biasStep): adds the bias, then closes what is closed. */
export function emitClose(module: ModuleBuilder, shape: AttentionShape): Procedure {
  const { biased } = shape
  const places = { scores: 'i32', open: 'i32', keys: 'i32', rows: 'i32', diagonal: 'i32' } as const
  const parameters = { ...places, bias: 'i32', biasRow: 'i32', biasStep: 'i32' } as const
  return module.function(parameters, 'i32', (f, { scores, open, keys, rows, diagonal, bias, biasRow, biasStep }) => {
    const [at, openAt] = [f.local('i32'), f.local('i32')]
    if (triangular(shape)) {
      overUnits(f, rows, (offset, first) =>
        nearDiagonal(f, shape, scores, offset, first, keys, diagonal, (score, open) => v128.bitselect(score, f.splat(CLOSED), open)),
      )
      return nothing
    }
    f.for(0, rows, 4, (first) => {
      f.set(at, i32.add(scores, i32.shl(first, 2)))
      f.set(openAt, i32.add(open, i32.shl(first, 2)))
      const pointers = biased ? rowPointers(f, bias, biasRow, rows, first) : []
      downKeys(f, keys, [at, openAt], () => {
        const plain = v128.load(at)
        const score = biased ? f32x4.add(plain, f32x4.max(gathered(pointers), f.splat(CLOSED))) : plain
        f.do(v128.store(at, closes(shape) ? v128.bitselect(score, f.splat(CLOSED), v128.load(openAt)) : score))
        for (const pointer of pointers) f.advance(pointer, biasStep)
      })
    })
    return nothing
  })
}

/** Writes a function (maxima, rows): whether a row has met nothing but closed scores. */
export function emitAllClosed(module: ModuleBuilder): Procedure {
  return module.function({ maxima: 'i32', rows: 'i32' }, 'i32', (f, { maxima, rows }) => {
    const found = f.local('v128')
    f.set(found, f.splat(0))
    f.for(0, rows, 4, (first) => {
      f.set(found, v128.or(found, f32x4.le(v128.load(i32.add(maxima, i32.shl(first, 2))), f.splat(CLOSED))))
    })
    return v128.anyTrue(found)
  })
}

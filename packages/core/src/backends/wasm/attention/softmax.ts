/**
 * Softmax of a block of scores [keys, QUERIES] in scratch memory. A vector holds four queries, so their maxima and sums need nothing across lanes. Blocks of keys come one
 * after the other: with the maximum m so far,
 *
 *   m ← max(m, block)    E = e^(score − m)    l ← l·e^(m before − m) + Σ E
 *
 * and what was summed with the old m is multiplied by the same e^(m before − m), `factors` (Milakov & Gimelshein: "Online normalizer calculation for softmax", 2018).
 * At the end a weight is E·e^(m of its block − m)/l.
 */
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js'
import { exp } from '../assembler/functions-float32.js'
import { f32x4, i32, v128 } from '../assembler/instructions.js'
import { type AttentionShape, closes, downKeys, KEY, openKeys, overUnits, state, triangular, VECTORS, vectors } from './block.js'
import { nearDiagonal } from './closing.js'
import { nothing, type Procedure } from './products.js'

/** Emits E = e^(score − maximum) of a unit, in place; adds it to `sums`. Keys from `count` on become 0. */
function emitExponentials(
  f: FunctionBuilder,
  shape: AttentionShape,
  from: Local<'i32'>,
  keys: Local<'i32'>,
  count: Local<'i32'>,
  maxima: readonly Local<'v128'>[],
  sums: readonly Local<'v128'>[],
): void {
  const at = f.let(from)
  downKeys(f, count, [at], () => {
    const values = maxima.map((maximum, v) => f.let(exp(f, f.let(f32x4.sub(v128.load(at, 16 * v), maximum)))))
    sums.forEach((sum, v) => {
      f.set(sum, f32x4.add(sum, values[v]))
    })
    values.forEach((value, v) => {
      f.do(v128.store(at, value, 16 * v))
    })
  })
  if (triangular(shape))
    downKeys(f, i32.sub(keys, count), [at], () => {
      for (let v = 0; v < VECTORS; v++) f.do(v128.store(at, f.splat(0), 16 * v))
    })
}

/**
 * Writes a function (scores, keys, rows, diagonal, at, kept, later): the step of the header for one block of keys. `at` is the state; `kept` gets the block's m; `later`
 * is 0 for the first block. Returns whether a maximum grew, so that sums must be multiplied.
 */
export function emitWeigh(module: ModuleBuilder, shape: AttentionShape): Procedure {
  const parameters = { scores: 'i32', keys: 'i32', rows: 'i32', diagonal: 'i32', at: 'i32', kept: 'i32', later: 'i32' } as const
  return module.function(parameters, 'i32', (f, { scores, keys, rows, diagonal, at, kept, later }) => {
    const [from, here, to] = [f.local('i32'), f.local('i32'), f.local('i32')]
    const [maxima, others, sums, factors] = [0, 1, 2, 3].map(() => vectors(() => f.local('v128')))
    const grown = f.local('v128')
    f.set(grown, f.splat(0))
    overUnits(f, rows, (offset, first) => {
      const count = openKeys(f, shape, keys, diagonal, first)
      f.set(from, i32.add(scores, offset))
      f.set(here, from)
      f.set(to, i32.add(at, offset))
      for (let v = 0; v < VECTORS; v++) {
        f.set(maxima[v], f.splat(-Infinity))
        f.if(later, () => f.set(maxima[v], v128.load(to, state.maxima + 16 * v)))
        f.set(others[v], maxima[v])
        f.set(factors[v], maxima[v])
      }
      // Two maxima for each vector, so that one need not wait for the other.
      downKeys(f, i32.shrS(count, 1), [here], () => {
        for (const [i, list] of [maxima, others].entries())
          for (let v = 0; v < VECTORS; v++) f.set(list[v], f32x4.max(list[v], v128.load(here, i * KEY + 16 * v)))
        f.advance(here, KEY)
      })
      f.if(i32.and(count, 1), () => {
        for (let v = 0; v < VECTORS; v++) f.set(maxima[v], f32x4.max(maxima[v], v128.load(here, 16 * v)))
      })
      for (let v = 0; v < VECTORS; v++) {
        f.set(maxima[v], f32x4.max(maxima[v], others[v]))
        f.set(sums[v], f.splat(0))
      }
      emitExponentials(f, shape, from, keys, count, maxima, sums)
      f.if(later, () => {
        for (let v = 0; v < VECTORS; v++) {
          f.set(grown, v128.or(grown, f32x4.ne(maxima[v], factors[v])))
          f.set(factors[v], exp(f, f.let(f32x4.sub(factors[v], maxima[v]))))
          f.set(sums[v], f.madd(v128.load(to, state.sums + 16 * v), factors[v], sums[v]))
          f.do(v128.store(to, factors[v], state.factors + 16 * v))
        }
      })
      f.set(here, i32.add(kept, offset))
      for (let v = 0; v < VECTORS; v++) {
        f.do(v128.store(to, maxima[v], state.maxima + 16 * v))
        f.do(v128.store(to, sums[v], state.sums + 16 * v))
        f.do(v128.store(here, maxima[v], 16 * v))
      }
    })
    return v128.anyTrue(grown)
  })
}

/** Writes a function (scores, keys, rows, diagonal, kept): E once more, with the maxima that its block had. */
export function emitWeighAgain(module: ModuleBuilder, shape: AttentionShape): Procedure {
  const parameters = { scores: 'i32', keys: 'i32', rows: 'i32', diagonal: 'i32', kept: 'i32' } as const
  return module.function(parameters, 'i32', (f, { scores, keys, rows, diagonal, kept }) => {
    overUnits(f, rows, (offset, first) => {
      const count = openKeys(f, shape, keys, diagonal, first)
      const from = f.let(i32.add(kept, offset))
      const maxima = vectors((v) => f.let(v128.load(from, 16 * v)))
      emitExponentials(f, shape, f.let(i32.add(scores, offset)), keys, count, maxima, [])
    })
    return nothing
  })
}

/**
 * Writes a function (e, products, open, keys, rows, diagonal, at, kept, scale): E becomes the weights P, and the products dY·V become the cotangents of
 * the scores, P·(products − delta), times the scale; 0 where closed.
 */
export function emitScoreGradient(module: ModuleBuilder, shape: AttentionShape): Procedure {
  const places = { e: 'i32', products: 'i32', open: 'i32', keys: 'i32', rows: 'i32', diagonal: 'i32' } as const
  const parameters = { ...places, at: 'i32', kept: 'i32', scale: 'f32' } as const
  return module.function(parameters, 'i32', (f, { e, products, open, keys, rows, diagonal, at, kept, scale }) => {
    const scales = f.let(f32x4.splat(scale))
    const [eAt, productAt, openAt, from, keptAt] = Array.from({ length: 5 }, () => f.local('i32'))
    overUnits(f, rows, (offset, first) => {
      const count = openKeys(f, shape, keys, diagonal, first)
      for (const [pointer, start] of [[eAt, e] as const, [productAt, products], [openAt, open], [from, at], [keptAt, kept]] as const)
        f.set(pointer, i32.add(start, offset))
      const factors = vectors((v) => {
        const grown = f.let(f32x4.sub(v128.load(keptAt, 16 * v), v128.load(from, state.maxima + 16 * v)))
        return f.let(f32x4.div(exp(f, grown), v128.load(from, state.sums + 16 * v)))
      })
      const deltas = vectors((v) => f.let(v128.load(from, state.deltas + 16 * v)))
      downKeys(f, count, [eAt, productAt, openAt], () => {
        const weights = vectors((v) => f.let(f32x4.mul(v128.load(eAt, 16 * v), factors[v])))
        const slopes = vectors((v) => {
          const slope = f32x4.mul(f32x4.mul(weights[v], f32x4.sub(v128.load(productAt, 16 * v), deltas[v])), scales)
          return f.let(closes(shape) ? v128.and(slope, v128.load(openAt, 16 * v)) : slope)
        })
        for (let v = 0; v < VECTORS; v++) f.do(v128.store(eAt, weights[v], 16 * v))
        for (let v = 0; v < VECTORS; v++) f.do(v128.store(productAt, slopes[v], 16 * v))
      })
      if (!triangular(shape)) return
      nearDiagonal(f, shape, products, offset, first, keys, diagonal, v128.and) // 0·∞ is NaN
      downKeys(f, i32.sub(keys, count), [productAt], () => {
        for (let v = 0; v < VECTORS; v++) f.do(v128.store(productAt, f.splat(0), 16 * v))
      })
    })
    return nothing
  })
}

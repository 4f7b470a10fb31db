/**
 * The gradients of attention for query, key and value, in WebAssembly (Dao et al.: "FlashAttention", 2022). An item is a head of keys of one sample, with the heads of
 * queries that share it. For each block of queries, with P the weights and delta = Σ dY·Y of each query:
 *
 *   first pass    E of each block of keys, until m and l of the queries are known
 *   second pass   P = E·e^(m of the block − m)/l     dS = P·(V·dYᵀ − delta)·scale
 *                 dV += P·dY     dK += dS·Q          dQ += dSᵀ·K
 *
 * The first pass keeps E, [s, QUERIES], in scratch memory. For so many keys that it does not fit there, the second pass computes it once more. dK and dV are summed in
 * the order of heads and queries.
 */

import { type ModuleBuilder, call as result } from '../assembler/assembler.js'
import { firstLanes } from '../assembler/elements.js'
import { f32x4, i32, memory, v128 } from '../assembler/instructions.js'
import { across, alongRow } from '../reduce/softmax.js'
import { type AttentionShape, state, triangular } from './block.js'
import { BLOCK, common, emitParts, emitScores, emitSight, overKeys, wholePanels } from './forward-kernel.js'
import { emitProduct, nothing, type Procedure, QUERIES, run, type Shortened } from './products.js'
import { emitScoreGradient, emitWeighAgain } from './softmax.js'

/** Writes a function (at, y, dY, rows): delta = Σ dY·y of each row. */
function emitDeltas(module: ModuleBuilder, { heads, width }: AttentionShape): Procedure {
  return module.function({ at: 'i32', y: 'i32', dY: 'i32', rows: 'i32' }, 'i32', (f, { at, y, dY, rows }) => {
    const [a, b, n, sum] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('v128')]
    const columns = f.let(i32.const(width))
    f.while(i32.gtS(rows, 0), () => {
      f.set(a, y)
      f.set(b, dY)
      f.set(sum, f.splat(0))
      alongRow(
        f,
        n,
        columns,
        () => {
          f.advance(a, 16)
          f.advance(b, 16)
        },
        () => f.set(sum, f.madd(v128.load(a), v128.load(b), sum)),
        () => f.set(sum, f32x4.add(sum, v128.and(f32x4.mul(v128.load(a), v128.load(b)), firstLanes(f, n)))),
      )
      f.do(v128.store32Lane(at, across(f, sum, f32x4.add), 0, state.deltas))
      f.advance(at, 4)
      for (const pointer of [y, dY]) f.advance(pointer, 4 * heads * width)
      f.advance(rows, -1)
    })
    return nothing
  })
}

/** Writes a function (at, rows, columns, row): zeros in rows of `columns` bytes. */
function emitZeros(module: ModuleBuilder): Procedure {
  return module.function({ at: 'i32', rows: 'i32', bytes: 'i32', row: 'i32' }, 'i32', (f, { at, rows, bytes, row }) => {
    f.while(i32.gtS(rows, 0), () => {
      f.do(memory.fill(at, 0, bytes))
      f.advance(at, row)
      f.advance(rows, -1)
    })
    return nothing
  })
}

/** Where things lie in the scratch area of the gradient kernel, and its bytes: with E of all s keys, or of one block. */
export function gradientLayout({ depth, width }: AttentionShape, s: number, keepsAll: boolean, blockKeys: number) {
  const kept = state.bytes
  // Blocks end at the diagonal, and go on from there where a row is closed: one block more, and one that is cut.
  const open = kept + 4 * QUERIES * (Math.ceil(s / blockKeys) + 2)
  const products = open + BLOCK
  const panels = products + BLOCK
  const above = panels + 4 * QUERIES * depth
  const e = above + 4 * QUERIES * width
  return { kept, open, products, panels, above, e, bytes: e + (keepsAll ? 4 * QUERIES * s : BLOCK) + 64 }
}

/** Writes `gradient(dQ, dK, dV, dY, y, q, k, v, …common, first, last, area, open, e, keepsAll)` for items `first` to `last`. */
export function emitGradient(module: ModuleBuilder, shape: AttentionShape): void {
  const { heads, groups, depth, width, tile } = shape
  const parts = emitParts(module, shape)
  const cut = (how: Shortened): Shortened | undefined => (triangular(shape) ? how : undefined)
  const [queryRow, aboveRow, keyRow, valueRow] = [4 * heads * depth, 4 * heads * width, 4 * groups * depth, 4 * groups * width]
  const down = { aRow: 4 * QUERIES, aStep: 4 }
  const scored = { aRow: valueRow, aStep: 4, bStep: 4 * tile.nr, cRow: 4 * QUERIES, panels: true }
  const products = width === depth ? parts.scores : emitProduct(module, tile, scored, cut('rows'))
  const toKeys = emitProduct(module, tile, { ...down, bStep: queryRow, cRow: keyRow }, cut('firstSteps'))
  const toValues = width === depth ? toKeys : emitProduct(module, tile, { ...down, bStep: aboveRow, cRow: valueRow }, cut('firstSteps'))
  const toQueries = emitProduct(module, tile, { aRow: 4, aStep: 4 * QUERIES, bStep: keyRow, cRow: queryRow }, cut('lastSteps'))
  const weighAgain = emitWeighAgain(module, shape)
  const slopes = emitScoreGradient(module, shape)
  const deltas = emitDeltas(module, shape)
  const zeros = emitZeros(module)
  const places = { dQ: 'i32', dK: 'i32', dV: 'i32', dY: 'i32', y: 'i32', q: 'i32', k: 'i32', v: 'i32' } as const
  const scratch = { area: 'i32', openAt: 'i32', productsAt: 'i32', panelsAt: 'i32', aboveAt: 'i32', eAt: 'i32', keepsAll: 'i32' } as const
  const parameters = { ...places, ...common, first: 'i32', last: 'i32', ...scratch } as const
  module.export('gradient', parameters, null, (f, p) => {
    const { t, s, scale, blockRows, blockKeys, first: item, last, area, keepsAll } = p
    const { openAt: open, productsAt, panelsAt: panels, aboveAt, eAt } = p
    const one = f.let(f32x4.extractLane(f.splat(1), 0))
    const [to, kept, later] = [f.local('i32'), f.local('i32'), f.local('i32')]
    /** Where E of the keys from `start` lies. */
    const place = (start: Parameters<typeof i32.mul>[0]) => i32.add(eAt, i32.mul(i32.mul(start, keepsAll), 4 * QUERIES))
    f.while(i32.ltS(item, last), () => {
      const [sample, group] = [f.let(i32.divS(item, groups)), f.let(i32.remS(item, groups))]
      const base = f.let(i32.add(i32.mul(i32.mul(sample, s), groups), group))
      const [key, value, dKey, dValue] = (
        [
          [p.k, depth],
          [p.v, width],
          [p.dK, depth],
          [p.dV, width],
        ] as const
      ).map(([from, size]) => f.let(i32.add(from, i32.mul(base, 4 * size))))
      f.do(run(zeros, dKey, s, 4 * depth, keyRow), run(zeros, dValue, s, 4 * width, valueRow))
      f.for(0, heads / groups, 1, (within) => {
        const head = f.let(i32.add(i32.mul(group, heads / groups), within))
        f.for(0, t, blockRows, (row) => {
          const rows = f.let(i32.sub(t, row))
          f.if(i32.gtS(rows, blockRows), () => f.set(rows, blockRows))
          const at = f.let(i32.add(i32.mul(i32.add(i32.mul(sample, t), row), heads), head))
          const query = f.let(i32.add(p.q, i32.mul(at, 4 * depth)))
          const dQuery = f.let(i32.add(p.dQ, i32.mul(at, 4 * depth)))
          const above = f.let(i32.add(p.dY, i32.mul(at, 4 * width)))
          f.do(run(parts.pack, panels, query, rows, depth, queryRow, scale))
          f.do(run(parts.pack, aboveAt, above, rows, width, aboveRow, one))
          f.do(run(deltas, area, i32.add(p.y, i32.mul(at, 4 * width)), above, rows))
          const wide = wholePanels(f, rows, tile.nr)
          const sight = emitSight(f, shape, p, { sample, head, row, rows })

          const score = (start: typeof to, keys: typeof to, diagonal: typeof to): void => {
            f.set(to, place(start))
            emitScores(f, shape, parts, p, sight, { to, open, key, panels, rows, wide, first: start, keys, diagonal })
          }
          f.set(later, 0)
          f.set(kept, i32.add(area, state.bytes))
          overKeys(f, sight, row, blockKeys, (start, keys, diagonal) => {
            score(start, keys, diagonal)
            f.do(run(parts.weigh, to, keys, rows, diagonal, area, kept, later))
            f.set(later, 1)
            f.advance(kept, 4 * QUERIES)
            const { allClosed } = parts
            if (allClosed)
              f.if(i32.eq(i32.add(start, keys), sight.past), () => f.if(result(allClosed, area, rows), () => f.set(sight.end, s)))
          })

          f.set(later, 0)
          f.set(kept, i32.add(area, state.bytes))
          overKeys(f, sight, row, blockKeys, (start, keys, diagonal) => {
            f.if(
              keepsAll,
              () => {
                f.set(to, place(start))
                // The first pass left the open positions of its last block.
                if (parts.open) {
                  const maskAt = i32.add(sight.mask, i32.mul(start, p.maskStep))
                  f.do(run(parts.open, open, keys, rows, diagonal, maskAt, p.maskRow, p.maskStep))
                }
              },
              () => {
                score(start, keys, diagonal)
                f.do(run(weighAgain, to, keys, rows, diagonal, kept))
              },
            )
            const [keyAt, valueAt] = [f.let(i32.mul(start, keyRow)), f.let(i32.mul(start, valueRow))]
            f.do(run(products, productsAt, i32.add(value, valueAt), aboveAt, keys, wide, width, 0, diagonal))
            f.do(run(slopes, to, productsAt, open, keys, rows, diagonal, area, kept, scale))
            f.do(run(toValues, i32.add(dValue, valueAt), to, above, keys, width, rows, 1, diagonal))
            f.do(run(toKeys, i32.add(dKey, keyAt), productsAt, query, keys, depth, rows, 1, diagonal))
            f.do(run(toQueries, dQuery, productsAt, i32.add(key, keyAt), rows, depth, keys, later, diagonal))
            f.set(later, 1)
            f.advance(kept, 4 * QUERIES)
          })
        })
      })
      f.advance(item, 1)
    })
  })
}

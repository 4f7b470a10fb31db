/**
 * Attention in WebAssembly, forward. An item is a block of queries of one head of one sample; its keys come in blocks. For each block: scores, their E = e^(score − m)
 * (softmax.ts), and Y ← Y·factors + Eᵀ·V in scratch memory. At the end out = Y/l. So what is kept of all scores is one block.
 *
 * Where a mask or bias may close a row altogether, all its keys weigh the same, those behind the diagonal too. So a block of queries that met such a row goes on to the last
 * key; for the other rows these add weights of 0.
 */
import { type FunctionBuilder, type Local, type ModuleBuilder, call as result } from '../assembler/assembler.js'
import { storeSome } from '../assembler/elements.js'
import { f32x4, i32, v128 } from '../assembler/instructions.js'
import { type AttentionShape, closes, state, triangular } from './block.js'
import { emitAllClosed, emitClose, emitOpen } from './closing.js'
import { emitPack, emitProduct, KEYS, nothing, type Procedure, QUERIES, run } from './products.js'
import { emitWeigh } from './softmax.js'

/** Bytes of a block of scores. */
export const BLOCK = 4 * QUERIES * KEYS

/** Panels of queries are as long as their numbers; rows of Y are whole panels. */
export const roundUp = (n: number, unit: number): number => Math.ceil(n / unit) * unit

/** The parameters that both kernels have: sizes, factor, distances in mask and bias from one sample, head, query and key to the next, sizes of blocks. */
export const common = {
  t: 'i32',
  s: 'i32',
  scale: 'f32',
  mask: 'i32',
  maskSample: 'i32',
  maskHead: 'i32',
  maskRow: 'i32',
  maskStep: 'i32',
  bias: 'i32',
  biasSample: 'i32',
  biasHead: 'i32',
  biasRow: 'i32',
  biasStep: 'i32',
  blockRows: 'i32',
  blockKeys: 'i32',
} as const

type Common = { readonly [name in keyof typeof common]: Local<(typeof common)[name]> }

/** The scores that are closed to one block of queries: its rows of mask and bias, and how many keys it may look at. */
export interface Sight {
  readonly mask: Local<'i32'>
  readonly bias: Local<'i32'>
  /** Keys up to the diagonal. */
  readonly past: Local<'i32'>
  /** All keys that are looked at: `past`, or all if a row is closed. */
  readonly end: Local<'i32'>
}

/** Emits what a block of queries of head `head` of sample `sample` sees. */
export function emitSight(
  f: FunctionBuilder,
  shape: AttentionShape,
  p: Common,
  at: Record<'sample' | 'head' | 'row' | 'rows', Local<'i32'>>,
): Sight {
  const { sample, head, row, rows } = at
  const rowOf = (base: Local<'i32'>, bySample: Local<'i32'>, byHead: Local<'i32'>, byRow: Local<'i32'>): Local<'i32'> =>
    f.let(i32.add(i32.add(base, i32.mul(sample, bySample)), i32.add(i32.mul(head, byHead), i32.mul(row, byRow))))
  const past = f.let(p.s)
  if (shape.causal) {
    f.set(past, i32.add(row, rows))
    f.if(i32.gtS(past, p.s), () => f.set(past, p.s))
  }
  return {
    mask: rowOf(p.mask, p.maskSample, p.maskHead, p.maskRow),
    bias: rowOf(p.bias, p.biasSample, p.biasHead, p.biasRow),
    past,
    end: f.let(past),
  }
}

/** Emits a walk over the blocks of keys; `body` gets the first key of a block, how many there are, and the diagonal. */
export function overKeys(
  f: FunctionBuilder,
  { past, end }: Sight,
  row: Local<'i32'>,
  blockKeys: Local<'i32'>,
  body: (first: Local<'i32'>, keys: Local<'i32'>, diagonal: Local<'i32'>) => void,
): void {
  const [first, keys, diagonal] = [f.local('i32'), f.local('i32'), f.local('i32')]
  f.set(first, 0)
  f.loop((again) => {
    f.set(keys, i32.sub(past, first))
    f.if(i32.leS(keys, 0), () => f.set(keys, i32.sub(end, first)))
    f.if(i32.gtS(keys, blockKeys), () => f.set(keys, blockKeys))
    f.set(diagonal, i32.sub(row, first))
    body(first, keys, diagonal)
    f.advance(first, keys)
    f.break(again, i32.ltS(first, end))
  })
}

/** The functions with which both kernels make scores. */
export interface Parts {
  readonly pack: Procedure
  /** scores = K·Qᵀ, and V·dYᵀ if values are as wide. */
  readonly scores: Procedure
  readonly open: Procedure | undefined
  readonly close: Procedure | undefined
  readonly weigh: Procedure
  readonly allClosed: Procedure | undefined
}

export function emitParts(module: ModuleBuilder, shape: AttentionShape): Parts {
  const { groups, depth, tile, biased, causal } = shape
  const strides = { aRow: 4 * groups * depth, aStep: 4, bStep: 4 * tile.nr, cRow: 4 * QUERIES, panels: true }
  return {
    pack: emitPack(module, tile),
    scores: emitProduct(module, tile, strides, triangular(shape) ? 'rows' : undefined),
    open: closes(shape) ? emitOpen(module, shape) : undefined,
    close: closes(shape) || causal || biased ? emitClose(module, shape) : undefined,
    weigh: emitWeigh(module, shape),
    allClosed: causal && !triangular(shape) ? emitAllClosed(module) : undefined,
  }
}

/** The rows of a block as whole panels. */
export function wholePanels(f: FunctionBuilder, rows: Local<'i32'>, nr: number): Local<'i32'> {
  return f.let(i32.and(i32.add(rows, nr - 1), -nr))
}

/** Emits the block of scores of some keys, with bias, and closed where it is closed. */
export function emitScores(
  f: FunctionBuilder,
  { depth, groups, masked }: AttentionShape,
  { scores, open, close }: Parts,
  p: Common,
  { mask, bias }: Sight,
  at: Record<'to' | 'open' | 'key' | 'panels' | 'rows' | 'wide' | 'first' | 'keys' | 'diagonal', Local<'i32'>>,
): void {
  const { to, panels, rows, wide, first, keys, diagonal } = at
  const keyAt = i32.add(at.key, i32.mul(first, 4 * groups * depth))
  f.do(run(scores, to, keyAt, panels, keys, wide, depth, 0, diagonal))
  if (open) {
    const maskAt = masked ? i32.add(mask, i32.mul(first, p.maskStep)) : mask
    f.do(run(open, at.open, keys, rows, diagonal, maskAt, p.maskRow, p.maskStep))
  }
  if (close) f.do(run(close, to, at.open, keys, rows, diagonal, i32.add(bias, i32.mul(first, p.biasStep)), p.biasRow, p.biasStep))
}

/** Writes a function (y, at, rows): rows of Y times their factors. */
function emitRescale(module: ModuleBuilder, wide: number): Procedure {
  return module.function({ y: 'i32', at: 'i32', rows: 'i32' }, 'i32', (f, { y, at, rows }) => {
    f.while(i32.gtS(rows, 0), () => {
      const factor = f.let(v128.load32Splat(at, state.factors))
      f.for(0, wide / 4, 1, () => {
        f.do(v128.store(y, f32x4.mul(v128.load(y), factor)))
        f.advance(y, 16)
      })
      f.advance(at, 4)
      f.advance(rows, -1)
    })
    return nothing
  })
}

/** Writes a function (out, y, at, rows): out = Y/l. */
function emitFinish(module: ModuleBuilder, { heads, width }: AttentionShape, wide: number): Procedure {
  return module.function({ out: 'i32', y: 'i32', at: 'i32', rows: 'i32' }, 'i32', (f, { out, y, at, rows }) => {
    const [to, from] = [f.local('i32'), f.local('i32')]
    f.while(i32.gtS(rows, 0), () => {
      const sum = f.let(v128.load32Splat(at, state.sums))
      f.set(to, out)
      f.set(from, y)
      f.for(0, width >> 2, 1, () => {
        f.do(v128.store(to, f32x4.div(v128.load(from), sum)))
        f.advance(to, 16)
        f.advance(from, 16)
      })
      if (width % 4 > 0) storeSome(f, 'float32', to, f32x4.div(v128.load(from), sum), f.let(i32.const(width % 4)))
      f.advance(out, 4 * heads * width)
      f.advance(y, 4 * wide)
      f.advance(at, 4)
      f.advance(rows, -1)
    })
    return nothing
  })
}

/** Where things lie in the scratch area of the forward kernel, and its bytes. */
export function forwardLayout({ depth, width, tile }: AttentionShape) {
  const scores = state.bytes + 4 * QUERIES // the block's maxima stand behind the state, for nobody
  const open = scores + BLOCK
  const panels = open + BLOCK
  const y = panels + 4 * QUERIES * depth
  return { scores, open, panels, y, bytes: y + 4 * QUERIES * roundUp(width, tile.nr) + 64 }
}

/** Writes `forward(out, q, k, v, …common, first, last, area)` for items `first` to `last`. */
export function emitForward(module: ModuleBuilder, shape: AttentionShape): void {
  const { heads, groups, depth, width, tile } = shape
  const wideY = roundUp(width, tile.nr)
  const parts = emitParts(module, shape)
  const strides = { aRow: 4, aStep: 4 * QUERIES, bStep: 4 * groups * width, cRow: 4 * wideY }
  const mix = emitProduct(module, tile, strides, triangular(shape) ? 'lastSteps' : undefined)
  const rescale = emitRescale(module, wideY)
  const finish = emitFinish(module, shape, wideY)
  const layout = forwardLayout(shape)
  const parameters = { out: 'i32', q: 'i32', k: 'i32', v: 'i32', ...common, first: 'i32', last: 'i32', area: 'i32' } as const
  module.export('forward', parameters, null, (f, p) => {
    const { out, q, k, v, t, s, scale, blockRows, blockKeys, first: item, last, area } = p
    const blocks = f.let(i32.divS(i32.add(t, i32.add(blockRows, -1)), blockRows))
    const [to, open, panels, y] = [layout.scores, layout.open, layout.panels, layout.y].map((offset) => f.let(i32.add(area, offset)))
    const kept = f.let(i32.add(area, state.bytes))
    const [later, grown] = [f.local('i32'), f.local('i32')]
    f.while(i32.ltS(item, last), () => {
      const index = f.let(i32.divS(item, blocks))
      const [sample, head] = [f.let(i32.divS(index, heads)), f.let(i32.remS(index, heads))]
      const row = f.let(i32.mul(i32.remS(item, blocks), blockRows))
      const rows = f.let(i32.sub(t, row))
      f.if(i32.gtS(rows, blockRows), () => f.set(rows, blockRows))
      const group = f.let(i32.divS(head, heads / groups))
      const queryRow = f.let(i32.add(i32.mul(i32.add(i32.mul(sample, t), row), heads), head))
      const keyRow = f.let(i32.add(i32.mul(i32.mul(sample, s), groups), group))
      const key = f.let(i32.add(k, i32.mul(keyRow, 4 * depth)))
      const value = f.let(i32.add(v, i32.mul(keyRow, 4 * width)))
      f.do(run(parts.pack, panels, i32.add(q, i32.mul(queryRow, 4 * depth)), rows, depth, 4 * heads * depth, scale))
      const wide = wholePanels(f, rows, tile.nr)
      const sight = emitSight(f, shape, p, { sample, head, row, rows })
      f.set(later, 0)
      overKeys(f, sight, row, blockKeys, (start, keys, diagonal) => {
        emitScores(f, shape, parts, p, sight, { to, open, key, panels, rows, wide, first: start, keys, diagonal })
        f.set(grown, result(parts.weigh, to, keys, rows, diagonal, area, kept, later))
        f.if(grown, () => f.do(run(rescale, y, area, rows)))
        f.do(run(mix, y, to, i32.add(value, i32.mul(start, 4 * groups * width)), rows, i32.const(wideY), keys, later, diagonal))
        f.set(later, 1)
        const { allClosed } = parts
        if (allClosed) f.if(i32.eq(i32.add(start, keys), sight.past), () => f.if(result(allClosed, area, rows), () => f.set(sight.end, s)))
      })
      f.do(run(finish, i32.add(out, i32.mul(queryRow, 4 * width)), y, area, rows))
      f.advance(item, 1)
    })
  })
}

/**
 * The fused kernels `attention` and `attentionGradient`: which blocks there are, where they lie in scratch memory, and what threads share. Forward they share the blocks of
 * queries of all heads and samples; backward the heads of keys, since a head's dK and dV are sums over its queries.
 */
import { sizeOf } from '../../../tensor/shape.js'
import type { AttentionKernelOptions, FusedKernels, Operand } from '../../backend.js'
import { address } from '../engine/address.js'
import type { Engine, KernelFunction } from '../engine/engine.js'
import { entry } from '../engine/made-once.js'
import { SCRATCH_BYTES, scratchOf } from '../engine/memory.js'
import type { Tile } from '../product/gemm-kernel.js'
import type { AttentionShape } from './block.js'
import { emitForward, forwardLayout } from './forward-kernel.js'
import { emitGradient, gradientLayout } from './gradient-kernel.js'
import { KEYS, QUERIES } from './products.js'

/** Estimated nanoseconds of a multiply-add, and of a score's exponential and what is around it. */
const MULTIPLY_ADD = 0.06
const SCORE = { forward: 1.5, gradient: 2.5 }

/** Heads have 32 or 64 numbers, seldom multiples of 12: a tile of 8 columns leaves none of them over. */
function tileOf({ v8Version, relaxed, simd256 }: Engine): Tile {
  if (simd256) return { mr: 6, nr: 16, unroll: 4 }
  return relaxed && v8Version >= 13 ? { mr: 6, nr: 8, unroll: 4 } : { mr: 4, nr: 8, unroll: 1 }
}

/** Equal blocks of at most `most`, a multiple of `unit`. */
const even = (total: number, most: number, unit: number): number => Math.ceil(total / Math.ceil(total / most) / unit) * unit

/** Bytes from one sample, head, query and key to the next in a tensor that broadcasts to [b, heads, t, s]. */
function distances(x: Operand | undefined): [number, number, number, number] {
  if (!x) return [0, 0, 0, 0]
  const shape = [...new Array<number>(4 - x.shape.length).fill(1), ...x.shape]
  return [0, 1, 2, 3].map((axis) => (shape[axis] === 1 ? 0 : 4 * sizeOf(shape.slice(axis + 1)))) as [number, number, number, number]
}

/** The attention kernels. */
export function createAttention(engine: Engine): Required<Pick<FusedKernels, 'attention' | 'attentionGradient'>> {
  const tile = tileOf(engine)
  const modules = new Map<string, KernelFunction>()

  /** The part of both kernels that follows from the operands: the compiled shape, sizes, and the arguments that they have in common. */
  function prepared([q, k, v, ...more]: readonly Operand[], { masked, biased, causal, scale }: AttentionKernelOptions) {
    const [b, t, heads, depth] = q.shape
    const [, s, groups, width] = v.shape
    const mask = masked ? more[0] : undefined
    const bias = biased ? more[masked ? 1 : 0] : undefined
    const shape: AttentionShape = { heads, groups, depth, width, masked, biased, causal, tile }
    const [blockRows, blockKeys] = [even(t, QUERIES, tile.nr), even(s, KEYS, 4)]
    const common = [
      ...[t, s, scale],
      ...[mask ? address(mask) : 0, ...distances(mask)],
      ...[bias ? address(bias) : 0, ...distances(bias)],
      ...[blockRows, blockKeys],
    ]
    const scores = b * heads * t * s * (causal ? 0.6 : 1)
    return { shape, b, t, s, heads, groups, depth, width, blockRows, blockKeys, common, scores, at: [address(q), address(k), address(v)] }
  }

  const kernel = (what: 'forward' | 'gradient', shape: AttentionShape): KernelFunction => {
    const { heads, groups, depth, width, masked, biased, causal } = shape
    const key = [what, heads, groups, depth, width, masked, biased, causal].join()
    const emit = what === 'forward' ? emitForward : emitGradient
    return entry(modules, key, () => engine.compile((module) => emit(module, shape), true)[what])
  }

  /** Shares `total` items. An area that is larger than a part's scratch area is taken from the heap, for one thread. */
  function overItems(
    total: number,
    bytes: number,
    nanoseconds: number,
    run: (area: number, ...range: [number, number]) => readonly number[],
    what: KernelFunction,
  ): void {
    if (bytes <= SCRATCH_BYTES) {
      engine.split(total, 1, nanoseconds, (begin, end, call, part) => call(what, ...run(scratchOf(part), begin, end)))
    } else {
      const area = engine.memory.alloc(bytes)
      try {
        engine.split(total, total, nanoseconds, (begin, end, call) => call(what, ...run(area, begin, end)))
      } finally {
        engine.memory.free(area, bytes)
      }
    }
    engine.clearUpperHalves()
  }

  return {
    attention(out, inputs, options) {
      if (out.size === 0) return
      const { shape, b, t, heads, depth, width, blockRows, common, scores, at } = prepared(inputs, options)
      const nanoseconds = scores * ((depth + width) * MULTIPLY_ADD + SCORE.forward)
      const items = b * heads * Math.ceil(t / blockRows)
      const to = address(out)
      const run = (area: number, begin: number, end: number): number[] => [to, ...at, ...common, begin, end, area]
      overItems(items, forwardLayout(shape).bytes, nanoseconds, run, kernel('forward', shape))
    },

    attentionGradient(out, [dY, y, ...inputs], options) {
      if (out.size === 0) return
      const { shape, b, s, groups, depth, width, blockKeys, common, scores, at } = prepared(inputs, options)
      const nanoseconds = scores * ((3 * depth + 2 * width) * MULTIPLY_ADD + SCORE.gradient)
      const to = address(out)
      const gradients = [to, to + 4 * inputs[0].size, to + 4 * (inputs[0].size + inputs[1].size)]
      const keepsAll = gradientLayout(shape, s, true, blockKeys).bytes <= SCRATCH_BYTES
      const { kept: _, bytes, ...offsets } = gradientLayout(shape, s, keepsAll, blockKeys)
      const { open, products, panels, above, e } = offsets
      const run = (area: number, begin: number, end: number): number[] => {
        const places = [open, products, panels, above, e].map((offset) => area + offset)
        return [...gradients, address(dY), address(y), ...at, ...common, begin, end, area, ...places, keepsAll ? 1 : 0]
      }
      overItems(b * groups, bytes, nanoseconds, run, kernel('gradient', shape))
    },
  }
}

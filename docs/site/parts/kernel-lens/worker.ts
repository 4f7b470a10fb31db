/** The lens of the bench, in a page: what an op compiles and runs, how fast, beside a loop and beside another kernel. */
import type { Tile } from '@cotangent/core/kernels'
import * as kernels from '@cotangent/core/kernels'
import { emitPacked } from '@cotangent/core/kernels'
import { calls } from '../../../../bench/lens/calls.js'
import { textOf } from '../../../../bench/lens/disassemble.js'
import { type Check, type Look, look, operandsOf, opNamed, type PlainLoop, type Speed, speed, summed } from '../../../../bench/lens/look.js'
import type { InnerLoop } from '../../../../bench/lens/loops.js'
import { checkedSizes } from '../../../../bench/lens/ops.js'
import { type Emit, studied } from '../../../../bench/lens/study.js'
import { CodeError, runReaderCode } from '../shared/reader-code.js'
import { serve } from '../shared/serve.js'

export type { Check, Look, Speed }

/** Another kernel beside ours. */
export interface VariantFound extends Omit<Speed, 'limits'> {
  tile: Tile
  ourTile: Tile
  products: number
  /** The largest error, as a part of what rounding may make. */
  worst: number
  peak: number
  loop: Omit<InnerLoop, 'lines'>
  text: string[]
}

const A_SECOND = { turnMs: 2, leastPairs: 4, mostPairs: 60, quietPairs: 12, mostMs: 1500 }

/** The function that the reader's code exports. */
async function exported<F>(code: string, name: string, modules: Record<string, unknown> = {}): Promise<F> {
  const { exports } = await runReaderCode(code, modules, () => undefined)
  if (typeof exports[name] !== 'function')
    throw new CodeError(
      name === 'default' ? 'The code must export a function (module, tile) as its default.' : `The code must export a function ${name}.`,
    )
  return exports[name] as F
}

export const functions = {
  look: (name: string, sizes: readonly number[]): Promise<Look> => look(name, sizes),

  /** @param code a plain loop that exports a function of the op's name */
  async speed(name: string, sizes: readonly number[], code: string): Promise<Speed> {
    return speed(name, sizes, await exported<PlainLoop>(code, name))
  },

  /** @param code exports `emit(module, tile)` as its default; null is our kernel with another tile */
  async variant(sizes: readonly number[], tile: Tile, code: string | null): Promise<VariantFound> {
    const [m, k, n] = checkedSizes(opNamed('matMul'), sizes)
    const emit = code === null ? emitPacked : await exported<Emit>(code, 'default', { '@cotangent/core/kernels': kernels })
    const { pairs, checked, loop, ...found } = studied(
      { m, k, n },
      { name: code === null ? 'this tile' : 'your kernel', emit, tile },
      A_SECOND,
    )
    const { lines, ...counts } = loop
    return { ...summed(pairs), ...checked, ...found, loop: counts, text: textOf(lines) }
  },

  /** The kernels that the gpu backend makes for the op, as JavaScript and as WGSL. */
  async gpu(name: string, sizes: readonly number[]) {
    const [{ gpuSources }, { tensor }] = await Promise.all([import('@cotangent/core/gpu'), import('@cotangent/core')])
    const op = opNamed(name)
    const all = checkedSizes(op, sizes)
    const values = operandsOf(op, all)
    const shapes = Object.values(op.operands(all))
    return gpuSources((backend) =>
      calls[name](
        shapes.map((shape, i) => tensor(values[i], { shape, backend })),
        all,
      ),
    )
  },
}

serve(functions)

/** Finds the inner loops of a kernel, and what one turn of them does. */
import type { Disassembled, Line } from './disassemble.js'

/** The inner loop of a kernel, and the work of one turn. */
export interface InnerLoop {
  lines: Line[]
  /** Vectors in which products are summed. */
  accumulators: number
  /** Multiply-adds of vectors. */
  multiplyAdds: number
  fused: boolean
  vectorLoads: number
  /** Loads of one float into all lanes. */
  splats: number
}

/** Where the loops that contain no other loop start and end: the positions of `loop` and of its `end`. With `ran`, loops that did not run do not count. */
export function innerLoops(lines: readonly Line[], ran: (line: number) => boolean = () => true): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = []
  lines.forEach((line, start) => {
    if (line.name !== 'loop' || !ran(start)) return
    const end = lines.findIndex((other, i) => i > start && other.name === 'end' && other.depth === line.depth)
    if (!lines.slice(start + 1, end).some(({ name }, i) => name === 'loop' && ran(start + 1 + i))) found.push({ start, end })
  })
  return found
}

/** The work of one turn. */
export function analysed(lines: Line[]): InnerLoop {
  const count = (wanted: string): number => lines.filter(({ name }) => name === wanted).length
  const fused = count('f32x4.relaxed_madd')
  const sums = lines.filter(
    ({ name }, i) => i > 0 && name === 'local.set' && ['f32x4.relaxed_madd', 'f32x4.add'].includes(lines[i - 1].name),
  )
  return {
    lines,
    accumulators: new Set(sums.map(({ operands }) => operands)).size,
    multiplyAdds: fused || count('f32x4.mul'),
    fused: fused > 0,
    vectorLoads: count('v128.load'),
    splats: count('v128.load32_splat'),
  }
}

/** The loop with the largest tile; of several, the most unrolled one. */
export function microKernel({ lines }: Disassembled): InnerLoop {
  const loops = innerLoops(lines).map(({ start, end }) => analysed(lines.slice(start, end + 1)))
  const [best] = loops.sort((a, b) => b.accumulators - a.accumulators || b.multiplyAdds - a.multiplyAdds)
  if (!best || best.multiplyAdds === 0) throw new Error('lens: the kernel has no loop of multiply-adds.')
  return best
}

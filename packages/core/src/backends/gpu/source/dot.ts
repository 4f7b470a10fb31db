/**
 * The inner loop of products: Σ over l of a(l)·b(l, c), for one column c, or for four columns that share the reads of a.
 *
 * - Unrolled. Addresses are made of loop counters and literals only, which are integers on every engine, and each product needs fewer of them.
 *   On a 256³ product, one cell a thread and eight terms a turn are 1.1 to 2.8 times as fast as the plain loop, four cells and four terms 1.8 to 4.6.
 * - Blocked. 64 terms are added before their sum joins the others, so the rounding error of n terms is about that of n/64 + 64.
 */
import { address } from './addressing.js'
import { maxOf } from './rules.js'

/** A sum of coordinates times their strides, plus an offset. */
export interface Position {
  readonly at: readonly (readonly [coordinate: string, stride: number])[]
  readonly offset?: number
}
const place = (...positions: Position[]): string => {
  const at = positions.flatMap((p) => p.at)
  return address(
    at.map(([coordinate]) => coordinate),
    at.map(([, stride]) => stride),
    positions.reduce((sum, p) => sum + (p.offset ?? 0), 0),
  )
}
/** The same position in units of `stride`. */
const scaled = ({ at, offset = 0 }: Position, stride: number): Position => ({
  at: at.map(([coordinate, step]) => [coordinate, step * stride]),
  offset: offset * stride,
})

/** How one operand is read: the name of its array, where the sum begins, and the distance between its terms. */
export interface DotOperand {
  readonly array: string
  readonly start: Position
  readonly step: number
  /** Another operand, which multiplies this one term by term. */
  readonly times?: DotOperand
}

const BLOCK = 64
/** Up to this many blocks each has a loop of its own. Addresses of one counter are shorter, which saves a quarter of the time in WebAssembly. */
const APART = 8

/** Statements that set `sum0` (to `sum3`) to Σ a·b over `length` terms. The columns of b are `columnStep` apart. */
export function dotInto(sum: string, length: number, a: DotOperand, b: DotOperand, columns: 1 | 4, columnStep = 0): string {
  const unroll = columns === 1 ? 8 : 4
  const each = (line: (c: number) => string): string => Array.from({ length: columns }, (_, c) => line(c)).join('\n')
  /** Statements that add `count` terms, from l on, to `target`. Names begin with `prefix`, since some engines have one scope only. */
  const terms = (target: string, prefix: string, l: Position, count: number): string => {
    const lines: string[] = []
    for (let u = 0; u < count; u++) {
      const here: Position = { at: l.at, offset: (l.offset ?? 0) + u }
      const read = ({ array, start, step, times }: DotOperand): string =>
        `${array}[${place(start, scaled(here, step))}]${times ? ` * ${read(times)}` : ''}`
      const value = read(a)
      const other = (c: number): string => `${b.array}[${place(b.start, scaled(here, b.step), { at: [], offset: c * columnStep })}]`
      if (columns === 1) lines.push(`${target}0 += ${value} * ${other(0)};`)
      else {
        lines.push(`const ${prefix}${u} = ${value};`)
        lines.push(each((c) => `${target}${c} += ${prefix}${u} * ${other(c)};`))
      }
    }
    return lines.join('\n')
  }

  const lines = [each((c) => `let ${sum}${c} = 0;`)]
  const blocks = length > 2 * BLOCK ? Math.floor(length / BLOCK) : 0
  const part = `${sum}Part`
  /** The loop over one block: l is its counter plus the block's start. */
  const block = (name: string, prefix: string, start: Position): string[] => [
    `for (let ${name} = 0; ${name} < ${BLOCK / unroll}; ${name}++) {`,
    terms(part, prefix, { ...start, at: [...start.at, [name, unroll]] }, unroll),
    '}',
    each((c) => `${sum}${c} += ${part}${c};`),
  ]
  if (blocks > 0) lines.push(each((c) => `let ${part}${c} = 0;`))
  if (blocks <= APART) {
    for (let g = 0; g < blocks; g++) {
      if (g > 0) lines.push(each((c) => `${part}${c} = 0;`))
      lines.push(...block(`${sum}In${g}`, `${sum}A${g}x`, { at: [], offset: g * BLOCK }))
    }
  } else {
    lines.push(
      `for (let ${sum}Block = 0; ${sum}Block < ${blocks}; ${sum}Block++) {`,
      each((c) => `${part}${c} = 0;`),
      ...block(`${sum}In`, `${sum}A`, { at: [[`${sum}Block`, BLOCK]] }),
      '}',
    )
  }
  const turns = Math.floor((length - blocks * BLOCK) / unroll)
  if (turns > 0) {
    lines.push(
      `for (let ${sum}Rest = 0; ${sum}Rest < ${turns}; ${sum}Rest++) {`,
      terms(sum, `${sum}B`, { at: [[`${sum}Rest`, unroll]], offset: blocks * BLOCK }, unroll),
      '}',
    )
  }
  const done = blocks * BLOCK + turns * unroll
  lines.push(terms(sum, `${sum}C`, { at: [], offset: done }, length - done))
  return lines.join('\n')
}

/** Statements that return `name0`, or `name0` to `name3` as an array, with bias and relu if asked for. */
export function returnCells(name: string, columns: 1 | 4, relu = false, bias?: (c: number) => string): string {
  const cells = Array.from({ length: columns }, (_, c) => c)
  const lines = cells.flatMap((c) => [
    `const ${name}Sum${c} = ${name}${c}${bias ? ` + ${bias(c)}` : ''};`,
    `const ${name}Cell${c} = ${relu ? maxOf(`${name}Sum${c}`, '0') : `${name}Sum${c}`};`,
  ])
  const values = cells.map((c) => `${name}Cell${c}`)
  return `${lines.join('\n')}\nreturn ${columns === 1 ? values[0] : `[${values.join(', ')}]`};`
}

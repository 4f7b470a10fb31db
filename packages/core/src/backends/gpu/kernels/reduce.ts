/**
 * Kernels that loop over one axis: reduce and scan. One thread makes one output cell; if that would leave a device idle, it makes a part of a cell. Loops have
 * literal bounds, and sums run in blocks (source/rules.ts).
 */
import { ValueError } from '../../../errors.js'
import type { ReduceExtent } from '../../../tensor/shape.js'
import type { Kernels, Operand, ReduceKernel } from '../../backend.js'
import type { Engine } from '../device/engine.js'
import { address } from '../source/addressing.js'
import { EXACT_INTEGER, MAX_WIDTH, maxOf, minOf, sumInto } from '../source/rules.js'
import { type Make, withTemporaries } from './temporaries.js'

/** Kernels that can be applied to parts and then to the parts' results. */
type Reduction = Exclude<ReduceKernel, 'argMax' | 'argMin'>

/** The cells that one loop walks: their number, and the expression of one. */
interface Cells {
  readonly length: number
  cell(l: string): string
}

/** Statements that set `result` to a reduction over all cells of the pieces. */
function reduceInto(kernel: Reduction, pieces: readonly Cells[]): string {
  if (kernel === 'sum') {
    const sums = pieces.map(({ length, cell }, i) => sumInto(`sum${i}`, length, cell))
    return [...sums, `const result = ${pieces.map((_, i) => `sum${i}`).join(' + ')};`].join('\n')
  }
  const step = { prod: 'result * v', max: maxOf('v', 'result'), min: minOf('v', 'result') }[kernel]
  const loops = pieces.map(
    ({ length, cell }, i) => `for (let l${i} = 0; l${i} < ${length}; l${i}++) {\n  const v = ${cell(`l${i}`)};\n  result = ${step};\n}`,
  )
  return [`let result = ${kernel === 'prod' ? '1' : pieces[0].cell('0')};`, ...loops].join('\n')
}

/** The body that finds the place of the largest or smallest cell. A value neither better than the best nor at most as good is NaN; the first NaN ends the search. */
function placeBody(kernel: 'argMax' | 'argMin', { length, cell }: Cells): string {
  const [better, worse] = kernel === 'argMax' ? ['>', '<='] : ['<', '>=']
  return `
let best = ${cell('0')};
let place = 0;
let open = 1;
for (let l = 0; l < ${length}; l++) {
  const v = ${cell('l')};
  const better = v ${better} best ? 1 : 0;
  const worse = v ${worse} best ? 1 : 0;
  const found = better + worse === 0 ? 1 : better;
  const here = l;
  place = found * open > 0 ? here : place;
  best = better * open > 0 ? v : best;
  open = better + worse === 0 ? 0 : open;
}
return place;`
}

/** The cells of a part. Below this number of threads a device idles. */
const PART = 64
const THREADS = 4096

/** The input of a reduction: arrays by name, and the expression of a cell. */
export interface Source {
  readonly arrays: Readonly<Record<string, Operand>>
  cell(o: string, l: string, i: string): string
}

/**
 * A reduction over `length`. First, launches here make a long axis shorter by parts; a part takes every `parts`-th cell, so that neighbouring threads read
 * neighbouring cells. The last launch is the caller's: it gets arrays, and statements that set `result` for a cell of [outer, inner].
 */
export function reduction(
  engine: Engine,
  make: Make,
  kernel: Reduction,
  { outer, length, inner }: ReduceExtent,
  source: Source,
): { arrays: Record<string, Operand>; body(o: string, i: string): string } {
  let left = source
  let count = length
  const arrays: Record<string, Operand> = {}
  const rests: { length: number; cell: Source['cell'] }[] = []
  // Positions beyond what float locals hold must come from thread dimensions. So coordinates of parts must not be decoded there.
  const exact = outer * length * inner <= engine.exact || outer * inner === 1
  while (engine.parallel && outer * inner < THREADS && count >= 4 * PART) {
    const { cell, arrays: whole } = left
    const parts = Math.floor(count / PART)
    if (!exact && parts > MAX_WIDTH) break
    const made = make([outer, parts, inner], { arrays: whole }, ({ at: [o, p, i] }) => {
      const walked = (l: string): string => cell(o, `(${address([l, p], [parts, 1])})`, i)
      return `${reduceInto(kernel, [{ length: PART, cell: walked }])}\nreturn result;`
    })
    const done = parts * PART
    if (count > done) {
      rests.push({ length: count - done, cell: (o, l, i) => cell(o, `(${address([l], [1], done)})`, i) })
      Object.assign(arrays, whole)
    }
    const name = `parts${parts}`
    left = { arrays: { [name]: made }, cell: (o, l, i) => `${name}[${address([o, l, i], [parts * inner, inner, 1])}]` }
    count = parts
  }
  const pieces = [{ length: count, cell: left.cell }, ...rests]
  return {
    arrays: { ...arrays, ...left.arrays },
    body: (o, i) =>
      reduceInto(
        kernel,
        pieces.map(({ length, cell }) => ({ length, cell: (l) => cell(o, l, i) })),
      ),
  }
}

/** Throws at the next read if a result, or a number it was made of, is so large that float32 may have rounded it. */
function inspectWhole(engine: Engine, op: 'sum' | 'prod' | 'cumSum', results: Operand): void {
  const check = (values: Float32Array): void => {
    const beyond = values.find((v) => Math.abs(v) >= EXACT_INTEGER)
    if (beyond === undefined) return
    throw new ValueError(
      `${op}: the gpu backend holds whole numbers as float32, exact below ${EXACT_INTEGER} (2^24) in sums and products, but a value here is ${beyond}. Cast first: x.cast('float32').`,
    )
  }
  engine.inspect(results, check, `in op ${op}, called before this read; the device reports errors late`)
}

/** The same check for sums of whole numbers, if they can become so large. It uses the sums of magnitudes, since no partial sum is larger. */
function inspectSums(engine: Engine, make: Make, op: 'sum' | 'cumSum', x: Operand, extent: ReduceExtent): void {
  const { outer, length, inner } = extent
  const most = { bool: 1, uint8: 255, int32: Infinity }[x.dtype as 'bool'] ?? 0
  if (x.size === 0 || !(length * most > EXACT_INTEGER)) return
  const cell = (o: string, l: string, i: string): string => `Math.abs(x[${address([o, l, i], [length * inner, inner, 1])}])`
  const { arrays, body } = reduction(engine, make, 'sum', extent, { arrays: { x }, cell })
  inspectWhole(
    engine,
    op,
    make([outer, inner], { arrays }, ({ at: [o, i] }) => `${body(o, i)}\nreturn result;`),
  )
}

export function reduceKernels(engine: Engine): Pick<Kernels, 'reduce' | 'scan'> {
  return {
    reduce(out, x, kernel, extent) {
      const { outer, length, inner } = extent
      const cell = (o: string, l: string, i: string): string => `x[${address([o, l, i], [length * inner, inner, 1])}]`
      if (kernel === 'argMax' || kernel === 'argMin') {
        engine.run(out, [outer, inner], { arrays: { x } }, ({ at: [o, i] }) => placeBody(kernel, { length, cell: (l) => cell(o, l, i) }))
        return
      }
      withTemporaries(engine, x, (make) => {
        const { arrays, body } = reduction(engine, make, kernel, extent, { arrays: { x }, cell })
        engine.run(out, [outer, inner], { arrays }, ({ at: [o, i] }) => `${body(o, i)}\nreturn result;`)
        if (kernel === 'prod' && x.dtype === 'int32') inspectWhole(engine, 'prod', out)
        if (kernel === 'sum') inspectSums(engine, make, 'sum', x, extent)
      })
    },

    // Every cell sums its own prefix: O(length²) reads, but no pass waits for another.
    scan(out, x, { outer, length, inner }, exclusive, reverse) {
      const reaches = `${reverse ? '>' : '<'}${exclusive ? '' : '='}`
      engine.run(
        out,
        [outer, length, inner],
        { arrays: { x } },
        ({ at: [o, here, i] }) => `
const last = ${here};
${sumInto('sum', length, (l) => `(${l} ${reaches} last ? x[${address([o, l, i], [length * inner, inner, 1])}] : 0)`)}
return sum;`,
      )
      withTemporaries(engine, x, (make) => inspectSums(engine, make, 'cumSum', x, { outer, length, inner }))
    },
  }
}

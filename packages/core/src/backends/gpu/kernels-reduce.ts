/**
 * Kernels that loop over one axis: reduce and scan. One thread makes one output cell; loops have literal bounds and sums
 * are blocked (rules.ts).
 */
import type { Kernels, ReduceKernel } from '../backend.js'
import { address } from './addressing.js'
import type { Engine } from './engine.js'
import { maxOf, minOf, sumInto } from './rules.js'

/** The body of a reduction over `length` cells, where `cell(l)` reads one. */
function reduceBody(kernel: ReduceKernel, length: number, cell: (l: string) => string): string {
  const loop = (line: string): string => `for (let l = 0; l < ${length}; l++) {\n  const v = ${cell('l')};\n  ${line}\n}`
  switch (kernel) {
    case 'sum':
      return `${sumInto('sum', length, cell)}\nreturn sum;`
    case 'prod':
      return `let best = 1;\n${loop('best = best * v;')}\nreturn best;`
    case 'max':
    case 'min':
      return `let best = ${cell('0')};\n${loop(`best = ${kernel === 'max' ? maxOf('v', 'best') : minOf('v', 'best')};`)}\nreturn best;`
    case 'argMax':
    case 'argMin': {
      // a value neither better than the best nor at most as good is NaN: the first one closes the search
      const [better, worse] = kernel === 'argMax' ? ['>', '<='] : ['<', '>=']
      return `
let best = ${cell('0')};
let place = 0;
let open = 1;
${loop(`
  const better = v ${better} best ? 1 : 0;
  const worse = v ${worse} best ? 1 : 0;
  const found = better + worse === 0 ? 1 : better;
  const here = l;
  place = found * open > 0 ? here : place;
  best = better * open > 0 ? v : best;
  open = better + worse === 0 ? 0 : open;`)}
return place;`
    }
  }
}

export function reduceKernels(engine: Engine): Pick<Kernels, 'reduce' | 'scan'> {
  return {
    reduce(out, x, kernel, { outer, length, inner }) {
      engine.run(out, [outer, inner], { arrays: { x } }, ({ at: [o, i] }) =>
        reduceBody(kernel, length, (l) => `x[${address([o, l, i], [length * inner, inner, 1])}]`),
      )
    },

    // every cell sums its own prefix: O(length²) reads, but no pass waits for another
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
    },
  }
}

/** Kernels that choose rows by index: gather and its adjoint. Indices are checked on the host first (host-kernels.ts). */
import type { Kernels } from '../backend.js'
import { address } from './addressing.js'
import type { Engine } from './engine.js'
import { checkIndices } from './host-kernels.js'
import { sumInto } from './rules.js'

export function rowKernels(engine: Engine): Pick<Kernels, 'gather' | 'scatterAdd'> {
  return {
    gather(out, x, indices) {
      const [rows, inner] = x.shape
      checkIndices(engine, 'gather', indices, rows)
      engine.run(
        out,
        [indices.size, inner],
        { arrays: { x, indices } },
        ({ at: [i, j] }) => `
const row = indices[${i}];
return x[${address(['row', j], [inner, 1])}];`,
        { floatAddresses: true },
      )
    },

    // Every output cell looks at every index: O(rows · count · inner). The segments of sorted indices that would make this
    // O(count · inner) want a plan from the host; that belongs to the device engine, where the indices are not at hand.
    scatterAdd(out, x, indices) {
      const [rows, inner] = out.shape
      checkIndices(engine, 'scatterAdd', indices, rows)
      engine.run(
        out,
        [rows, inner],
        { arrays: { x, indices } },
        ({ at: [row, j] }) => `
const here = ${row};
${sumInto('sum', indices.size, (l) => `(indices[${l}] === here ? x[${address([l, j], [inner, 1])}] : 0)`)}
return sum;`,
        { floatAddresses: true },
      )
    },
  }
}

/** Kernels in two widths have one result, whatever the length decides; where the engine has no 256 bits, both are 128. */
import { afterAll, expect, it } from 'vitest'
import * as c from '../../../index.js'
import { WIDE_FROM } from './two-widths.js'

const backends = [{ threads: 1, simd256: false }, { threads: 1 }, { threads: 2 }].map(c.createWasmBackend)
afterAll(async () => {
  for (const backend of backends) await backend.dispose?.()
})

const special = [0, -0, Number.NaN, Infinity, -Infinity, 1e-40, -1e-40, 90, -90, 104, -110, 3.4e38, -3.4e38]
const functions = [c.exp, c.tanh, c.sigmoid, c.softplus, c.erf]
const activations: ((x: c.Tensor) => c.Tensor)[] = [(x) => c.silu(x), (x) => c.gelu(x), (x) => c.gelu(x, { approximate: true })]
const descent = c.updateProgram('twoWidths', { slots: 1, inputs: 1, scalars: 2 }, ([w], [g], [rate, one]) => [
  w.sub(g.mul(rate).div(g.square().sqrt().add(one))),
])

it.each([WIDE_FROM - 1, WIDE_FROM, WIDE_FROM + 7, 70_001])('functions, activations, an update and a draw of %i elements', (n) => {
  const results = (backend: c.Backend): Buffer[] =>
    c.withBackend(backend, () =>
      c.scope(() => {
        const x = c.concat([c.tensor(special), c.normal(c.key(1), [n - special.length], { stddev: 6 })])
        const slot = new c.Parameter(c.normal(c.key(2), [n]))
        c.applyUpdate(descent, [slot], [c.normal(c.key(3), [n])], [0.1, 1])
        const all = [
          ...functions.map((f) => f(x)),
          ...activations.map((f) => f(x)),
          ...activations.map((f) => c.vjp((y) => f(y), [x], c.onesLike(x)).grads[0]),
          c.dropout(c.key(4), c.ones([n]), 0.3),
          slot,
        ].map(({ storage }) => Buffer.from(new Uint8Array((backend.readSync as NonNullable<typeof backend.readSync>)(storage).buffer)))
        slot.dispose()
        return all
      }),
    )
  const [expected, ...others] = backends.map(results)
  for (const other of others) expect(other.map((bytes, i) => bytes.equals(expected[i]))).not.toContain(false)
})

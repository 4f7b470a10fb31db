/** The kernels of activations give the bits of their compositions, which are their definition; that of gelu has another formula. */
import { expect, test } from 'vitest'
import { ops, registry } from '../../src/autodiff/op.js'
import * as c from '../../src/index.js'
import { wasm } from '../helpers.js'

const special = [0, -0, 1, -1, NaN, Infinity, -Infinity, 1e-40, -1e-40, 88, -88, 5.5, -5.5, 3.4e38, -3.4e38, 1e-20]

test.each(['geluTanh', 'silu'])('%s and its gradient', (name) => {
  const [value, gradient] = [name, `${name}Gradient`].map((each) => registry.get(each) as NonNullable<ReturnType<typeof registry.get>>)
  c.withBackend(wasm, () =>
    c.scope(() => {
      const drawn = c.normal(c.key(3), [4099], { stddev: 4 })
      const x = c.concat([drawn, c.tensor(special)])
      const dY = c.normal(c.key(4), [x.size])
      for (const [op, inputs] of [
        [value, [x]],
        [gradient, [x, dY]],
      ] as const) {
        const composed = op.compose?.(inputs, {}, ops) as c.Tensor
        const [got, want] = [op.call(inputs, {}), composed].map((y) => wasm.readSync?.(y.storage) as Float32Array)
        const different = [...got.keys()].filter((i) => !Object.is(got[i], want[i]))
        expect(different.map((i) => [x.backend.readSync?.(x.storage)[i], got[i], want[i]])).toEqual([])
      }
    }),
  )
})

test.each([true, false])('gelu and its gradient are within 4·2⁻²⁴ of |x|, and of 1; relaxedSimd %s', (relaxedSimd) => {
  const values = (backend: c.Backend): Float32Array[] =>
    c.withBackend(backend, () =>
      c.scope(() => {
        const x = c.concat([c.linspace(-16, 16, 40_001).cast('float32'), c.tensor(special, { dtype: 'float32' })])
        const { value, grads } = c.vjp((each) => c.gelu(each), [x], c.onesLike(x))
        return [value, ...grads, x].map((y) => Float32Array.from(backend.readSync?.(y.storage) ?? []))
      }),
    )
  const [got, want] = [c.createWasmBackend({ threads: 1, relaxedSimd }), c.createReferenceBackend()].map(values)
  const x = got[2]
  for (const [i, sizeAt] of [(j: number) => Math.abs(x[j]), () => 1].entries()) {
    const wrong = [...x.keys()].filter(
      (j) => !Object.is(got[i][j], want[i][j]) && !(Math.abs(got[i][j] - want[i][j]) <= 4 * 2 ** -24 * sizeAt(j)),
    )
    expect(wrong.map((j) => [x[j], got[i][j], want[i][j]])).toEqual([])
  }
})

/** Compiled steps have the bits of the program: every op, and its derivative. */
import { describe, expect, it } from 'vitest'
import { compileStep, createWasmBackend, registry, scope, type Tensor } from '../src/index.js'
import { runStep } from '../src/step-listener.js'
import { drawInputs, firstDerivatives, hasGradient, place } from './sweep.js'

const wasm = createWasmBackend()
const ops = [...registry.values()].filter((op) => op.samples.length > 0)

const bytesOf = async (tensors: readonly (Tensor | undefined)[]): Promise<string[]> =>
  Promise.all(
    tensors.map(async (t) => {
      const data = await t?.data()
      t?.dispose()
      return data ? Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex') : 'none'
    }),
  )

describe('every op, with its derivative, has the bits of the program', () => {
  it.each(ops.map((op) => [op.name, op] as const))('%s', async (_, op) => {
    // Two samples of each op; in .ci/run and npm run test:long each one.
    const samples = process.env.COTANGENT_TESTS ? op.samples : op.samples.slice(0, 2)
    for (const [i, sample] of samples.entries()) {
      const options = sample.options ?? {}
      const program = (...xs: Tensor[]): { y: Tensor; grads: (Tensor | undefined)[] } => {
        const y = op.call(xs, options)
        const out = xs.includes(y) ? y.mul(1) : y
        return {
          y: out,
          grads: hasGradient(op, sample, xs, y) ? firstDerivatives(op, xs, options).map((g) => g && (xs.includes(g) ? g.mul(1) : g)) : [],
        }
      }
      const step = compileStep(program)
      for (let call = 0; call < 5; call++) {
        // Other values in each call, but the same samples.
        const inputs = drawInputs(op, sample, i)
        const xs = place(wasm, inputs, 'float32')
        const moved = xs.map((x) => (x.dtype === 'float32' && call % 2 === 1 ? x.mul(1 + 2 ** -6) : x))
        const compiled = step(...moved)
        const eager = runStep(undefined, () => scope(() => program(...moved)))
        expect(await bytesOf([compiled.y, ...compiled.grads]), `call ${call}`).toEqual(await bytesOf([eager.y, ...eager.grads]))
        for (const x of new Set([...xs, ...moved])) x.dispose()
      }
      expect(step.info()).toMatchObject({ recorded: true })
      step.dispose()
    }
  })
})

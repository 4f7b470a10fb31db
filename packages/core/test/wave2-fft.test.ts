/** The golden vectors of Fourier transforms, values and gradients, on the reference in float64 and on wasm in float32. */
import { describe, expect, test } from 'vitest'
import * as c from '../src/index.js'
import { expectClose, type GoldenTensor, loadGolden, tensorOf } from './golden.js'
import { places } from './wave2.js'

type Tensor = c.Tensor
type Tensors = Record<string, Tensor>

interface Params {
  op: string
  axis: number
  n: number | null
  axes: [number, number]
  sequenceLength: number
  sequenceStride: number
  fftLength: number
  window: 'hann' | null
  center: boolean
}

const along = ({ axis, n }: Params): c.FourierOptions => ({ axis, n: n ?? undefined })

/** The results of each op, by the names that the file uses. */
const outputs: Record<string, (inputs: Tensors, params: Params) => Tensors> = {
  fft: ({ real, imag }, params) => ({ ...c.fft(real, imag, along(params)) }),
  ifft: ({ real, imag }, params) => ({ ...c.ifft(real, imag, along(params)) }),
  fft2: ({ real, imag }, { axes }) => ({ ...c.fft2(real, imag, { axes }) }),
  ifft2: ({ real, imag }, { axes }) => ({ ...c.ifft2(real, imag, { axes }) }),
  rfft: ({ x }, params) => ({ ...c.rfft(x, along(params)) }),
  irfft: ({ real, imag }, params) => ({ output: c.irfft(real, imag, along(params)) }),
  stft: ({ x }, { sequenceLength, sequenceStride, fftLength, window, center }) => ({
    ...c.stft(x, { sequenceLength, sequenceStride, fftLength, window, center }),
  }),
}

const { cases, tolerance } = loadGolden<Params>('wave2/fft')
if (!tolerance) throw new Error('no tolerance in the file')

describe.each(places)('Fourier transforms on $name', ({ backend, floats }) => {
  test.each(cases.map((each) => [each.name, each] as const))('%s', async (_, { params, inputs, expected }) => {
    const before = backend.memory()
    const place = (tensor: GoldenTensor): Tensor => tensorOf(tensor, backend, floats)
    const run = outputs[params.op]
    // The inputs of a transform are those that are no cotangent of an output.
    const names = Object.keys(inputs).filter((name) => !name.startsWith('grad_'))
    const results = c.withBackend(backend, () =>
      c.scope(() => {
        const xs = names.map((name) => place(inputs[name]))
        const transform = (...args: Tensor[]): Tensors => run(Object.fromEntries(names.map((name, i) => [name, args[i]])), params)
        /** Σ output·(its cotangent) */
        const weighted = (...args: Tensor[]): Tensor =>
          Object.entries(transform(...args))
            .map(([name, y]) => y.mul(place(inputs[`grad_${name}`])).sum())
            .reduce((a, b) => a.add(b))
        const { grads } = c.vjp(weighted, xs, c.ones([], { dtype: floats }))
        return { ...transform(...xs), ...Object.fromEntries(names.map((name, i) => [`grad_${name}`, grads[i]])) }
      }),
    ) as Tensors
    expect(Object.keys(results).sort()).toEqual(Object.keys(expected).sort())
    for (const [name, want] of Object.entries(expected)) await expectClose(results[name], want, tolerance[floats], name)
    for (const tensor of Object.values(results)) tensor.dispose()
    expect(backend.memory()).toMatchObject({ buffers: before.buffers, bytes: before.bytes })
  })
})

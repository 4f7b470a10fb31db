/**
 * Derivatives against definitions: vjp and jvp are adjoint for random functions, linear ops are adjoint to the op that pulls back through them, and conv2d
 * and matMul equal explicit loops.
 */
import * as fc from 'fast-check'
import { describe, test } from 'vitest'
import * as c from '../src/index.js'
import { broadcastable, holds, listOf, number, runs, type Shape, shapes, sizeOf, tiled } from './arbitraries.js'
import { dot, eachCell, make, near, onReference, reader, valuesOf, wasm } from './helpers.js'

type Tensor = c.Tensor
const { scope } = c

describe('derivatives', () => {
  /** Smooth functions of a vector of 6 values that are not 0; the results have any size. */
  const functions: [string, (x: Tensor) => Tensor][] = [
    ['tanh of a product', (x) => c.matMul(c.reshape(x, [2, 3]), c.reshape(x, [3, 2])).tanh()],
    ['softmax', (x) => c.softmax(c.reshape(x, [2, 3]))],
    ['logSumExp', (x) => c.logSumExp(c.reshape(x, [3, 2]))],
    ['quotient', (x) => c.div(x, c.add(c.square(x), 1))],
    ['cumSum of exp', (x) => c.cumSum(c.exp(x), { reverse: true })],
    ['convolution', (x) => c.conv1d(c.reshape(x, [1, 6, 1]), c.reshape(c.slice(x, [1], [3]), [3, 1, 1]), { padding: 'same' })],
    ['gather', (x) => c.mul(c.gather(x, make([5, 0, 0, 2], [4], 'int32')), c.slice(x, [2], [4]))],
    ['variance', (x) => c.variance(c.reshape(x, [2, 3]), { axis: 1 })],
    ['prod', (x) => c.prod(c.reshape(x, [2, 3]), { axis: 0 })],
  ]
  const six = fc.array(number, { minLength: 6, maxLength: 6 })

  test.each(functions)('%s: ⟨vjp(u), v⟩ = ⟨u, jvp(v)⟩, and jvp equals central differences', (_, f) => {
    fc.assert(
      fc.property(six, six, fc.integer({ min: 0, max: 1000 }), (x, v, seed) =>
        holds(() => {
          const { value, tangent } = c.jvp(f, [make(x)], [make(v)])
          const u = Array.from({ length: value.size }, (_, i) => Math.sin(seed + 3 * i))
          const { grads } = c.vjp(f, [make(x)], make(u, value.shape))
          const step = 1e-5
          const [above, below] = [1, -1].map((sign) => valuesOf(f(make(x.map((xi, i) => xi + sign * step * v[i])))))
          const numeric = above.map((a, i) => (a - below[i]) / (2 * step))
          return near([dot(valuesOf(grads[0]), v)], [dot(u, valuesOf(tangent))], 1e-9) && near(valuesOf(tangent), numeric, 2e-6)
        }),
      ),
      { numRuns: 25 },
    )
  })

  const adjoint = (
    name: string,
    cases: fc.Arbitrary<{ from: Shape; to: Shape; x: number[]; y: number[]; forward: (x: Tensor) => Tensor; back: (y: Tensor) => Tensor }>,
  ): void => {
    test(`${name}: ⟨A x, y⟩ = ⟨x, Aᵀ y⟩`, () => {
      fc.assert(
        fc.property(cases, ({ from, to, x, y, forward, back }) =>
          holds(() => {
            const [ax, aty] = [forward(make(x, from)), back(make(y, to))]
            return (
              ax.shape.join() === to.join() &&
              aty.shape.join() === from.join() &&
              near([dot(valuesOf(ax), y)], [dot(x, valuesOf(aty))], 1e-9)
            )
          }),
        ),
        runs,
      )
    })
  }
  adjoint(
    'broadcastTo and sumTo',
    broadcastable.chain(({ a: from, out: to }) =>
      fc.tuple(listOf(from), listOf(to)).map(([x, y]) => ({
        from,
        to,
        x,
        y,
        forward: (t: Tensor) => c.broadcastTo(t, to),
        back: (t: Tensor) => c.sumTo(t, from),
      })),
    ),
  )
  adjoint(
    'gather and scatterAdd',
    fc.tuple(fc.integer({ min: 1, max: 5 }), fc.array(fc.nat({ max: 3 }), { maxLength: 2 }), shapes).chain(([rows, lead, rest]) => {
      const [from, to] = [
        [rows, ...rest],
        [...lead, ...rest],
      ]
      const count = sizeOf(lead)
      return fc
        .tuple(listOf(from), listOf(to), fc.array(fc.nat({ max: rows - 1 }), { minLength: count, maxLength: count }))
        .map(([x, y, indices]) => ({
          from,
          to,
          x,
          y,
          forward: (t: Tensor) => c.gather(t, make(indices, lead, 'int32')),
          back: (t: Tensor) => c.scatterAdd(t, make(indices, lead, 'int32'), rows),
        }))
    }),
  )
  const windows = fc
    .record({
      n: fc.integer({ min: 0, max: 2 }),
      h: fc.integer({ min: 3, max: 6 }),
      w: fc.integer({ min: 3, max: 6 }),
      channels: fc.integer({ min: 1, max: 3 }),
      kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 })),
      strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 })),
      dilation: fc.tuple(fc.constant(1), fc.integer({ min: 1, max: 2 })),
      padding: fc.constantFrom('valid' as const, 'same' as const, 'causal' as const),
    })
    .map((w) => ({ ...w, options: { strides: w.strides, dilation: w.dilation, padding: w.padding } }))
  adjoint(
    'unfold and fold',
    windows.chain(({ n, h, w, channels, kernel, options }) => {
      const from = [n, h, w, channels]
      const to = scope(() => onReference(() => c.unfold(c.zeros(from), kernel, options).shape))
      return fc.tuple(listOf(from), listOf(to)).map(([x, y]) => ({
        from,
        to,
        x,
        y,
        forward: (t: Tensor) => c.unfold(t, kernel, options),
        back: (t: Tensor) => c.fold(t, [h, w], options),
      }))
    }),
  )

  test('conv2d equals its definition by loops, on reference and wasm', () => {
    const cases = windows.chain((w) =>
      fc.integer({ min: 1, max: 3 }).chain((filters) => {
        const xShape = [w.n, w.h, w.w, w.channels]
        const fShape = [...w.kernel, w.channels, filters]
        return fc.tuple(fc.constant({ ...w, xShape, fShape, filters }), listOf(xShape), listOf(fShape))
      }),
    )
    fc.assert(
      fc.property(cases, ([{ xShape, fShape, filters, h, w, channels, kernel, strides, dilation, padding, options }, x, f]) =>
        holds(() => {
          const got = c.conv2d(make(x, xShape), make(f, fShape), options)
          const extent = (n: number, k: number, s: number, d: number): [number, number] => {
            const reach = (k - 1) * d + 1
            if (padding === 'valid') return [Math.ceil((n - reach + 1) / s), 0]
            if (padding === 'causal') return [Math.ceil(n / s), reach - 1]
            const out = Math.ceil(n / s)
            return [out, Math.floor(Math.max((out - 1) * s + reach - n, 0) / 2)]
          }
          const [oh, top] = extent(h, kernel[0], strides[0], dilation[0])
          const [ow, left] = extent(w, kernel[1], strides[1], dilation[1])
          const [readX, readF] = [reader(x, xShape), reader(f, fShape)]
          const want: number[] = []
          eachCell([xShape[0], oh, ow, filters], ([b, oy, ox, filter]) => {
            let sum = 0
            eachCell([kernel[0], kernel[1], channels], ([ky, kx, ch]) => {
              const [iy, ix] = [oy * strides[0] + ky * dilation[0] - top, ox * strides[1] + kx * dilation[1] - left]
              if (iy >= 0 && iy < h && ix >= 0 && ix < w) sum += readX([b, iy, ix, ch]) * readF([ky, kx, ch, filter])
            })
            want.push(sum)
          })
          const fast = c.conv2d(c.tensor(x, { shape: xShape, backend: wasm }), c.tensor(f, { shape: fShape, backend: wasm }), options)
          return got.shape.join() === [xShape[0], oh, ow, filters].join() && near(valuesOf(got), want) && near(valuesOf(fast), want, 1e-4)
        }),
      ),
      runs,
    )
  })

  test('matMul with every pair of transposes, batches broadcast, equals its definition', () => {
    const cases = fc
      .record({
        size: fc.tuple(...[0, 1, 2].map(() => fc.nat({ max: 5 }))),
        batch: broadcastable,
        transposeA: fc.boolean(),
        transposeB: fc.boolean(),
      })
      .chain(({ size: [m, k, n], batch, transposeA, transposeB }) => {
        const aShape = [...batch.a, ...(transposeA ? [k, m] : [m, k])]
        const bShape = [...batch.b, ...(transposeB ? [n, k] : [k, n])]
        return fc.tuple(fc.constant({ m, k, n, batch, transposeA, transposeB, aShape, bShape }), listOf(aShape), listOf(bShape))
      })
    fc.assert(
      fc.property(cases, ([{ m, k, n, batch, transposeA, transposeB, aShape, bShape }, x, y]) =>
        holds(() => {
          const got = c.matMul(make(x, aShape), make(y, bShape), { transposeA, transposeB })
          const matrices = (values: number[], lead: Shape, rows: number, columns: number): ((at: readonly number[]) => number) =>
            reader(tiled(values, [...lead, rows, columns], [...batch.out, rows, columns]), [...batch.out, rows, columns])
          const readA = transposeA ? matrices(x, batch.a, k, m) : matrices(x, batch.a, m, k)
          const readB = transposeB ? matrices(y, batch.b, n, k) : matrices(y, batch.b, k, n)
          const want: number[] = []
          eachCell([...batch.out, m, n], (at) => {
            const lead = at.slice(0, -2)
            const [i, j] = at.slice(-2)
            let sum = 0
            for (let l = 0; l < k; l++)
              sum += readA([...lead, ...(transposeA ? [l, i] : [i, l])]) * readB([...lead, ...(transposeB ? [j, l] : [l, j])])
            want.push(sum)
          })
          return got.shape.join() === [...batch.out, m, n].join() && near(valuesOf(got), want)
        }),
      ),
      runs,
    )
  })
})

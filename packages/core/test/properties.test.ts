/**
 * Properties of ops for random shapes and values, against explicit loops: broadcasting, round trips, reductions, NumPy's rules. The file is longer than 300 lines
 * because these properties share their arbitraries.
 */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as c from '../src/index.js'
import { arrays, broadcastable, filledShapes, holds, listOf, number, runs, sizeOf, tiled } from './arbitraries.js'
import { eachCell, make, near, reader, reference, valuesOf, wasm } from './helpers.js'

type Tensor = c.Tensor
const { scope } = c

describe('broadcasting', () => {
  const { add, sub, mul, div, maximum, minimum, less, atan2 } = c
  const binary = Object.entries({ add, sub, mul, div, maximum, minimum, less, atan2 }) as [string, (a: Tensor, b: Tensor) => Tensor][]
  test.each(binary)('%s of broadcast operands is that of tiled ones', (_, op) => {
    fc.assert(
      fc.property(
        broadcastable.chain(({ a, b, out }) => fc.tuple(fc.constant({ a, b, out }), listOf(a), listOf(b))),
        ([{ a, b, out }, x, y]) =>
          holds(() => {
            const got = op(make(x, a), make(y, b))
            const want = op(make(tiled(x, a, out), out), make(tiled(y, b, out), out))
            return got.shape.join() === out.join() && near(valuesOf(got), valuesOf(want), 0)
          }),
      ),
      runs,
    )
  })
  test('broadcastTo and where too', () => {
    fc.assert(
      fc.property(
        broadcastable.chain(({ a, b, out }) => fc.tuple(fc.constant({ a, b, out }), listOf(a), listOf(b), listOf(out))),
        ([{ a, b, out }, x, y, z]) =>
          holds(() => {
            const spread = valuesOf(c.broadcastTo(make(x, a), out))
            const condition = c.greater(make(z, out), 0)
            const chosen = valuesOf(c.where(condition, make(x, a), make(y, b)))
            const [xs, ys] = [tiled(x, a, out), tiled(y, b, out)]
            return (
              near(spread, xs, 0) &&
              near(
                chosen,
                z.map((v, i) => (v > 0 ? xs[i] : ys[i])),
                0,
              )
            )
          }),
      ),
      runs,
    )
  })
})

describe('round trips', () => {
  test('reshape keeps the elements in order', () => {
    fc.assert(
      fc.property(arrays, ([shape, x]) =>
        holds(() => {
          const flat = c.flatten(make(x, shape))
          return near(valuesOf(c.reshape(flat, shape)), x, 0) && near(valuesOf(flat), x, 0)
        }),
      ),
      runs,
    )
  })
  const permuted = arrays.chain(([shape, x]) =>
    fc.tuple(
      fc.constant(shape),
      fc.constant(x),
      fc.shuffledSubarray(
        shape.map((_, i) => i),
        { minLength: shape.length },
      ),
    ),
  )
  test('transpose moves every element to its permuted place, and back', () => {
    fc.assert(
      fc.property(permuted, ([shape, x, axes]) =>
        holds(() => {
          const y = c.transpose(make(x, shape), axes)
          const read = reader(x, shape)
          const want: number[] = []
          eachCell(y.shape, (at) => want.push(read(shape.map((_, axis) => at[axes.indexOf(axis)]))))
          const back = c.transpose(
            y,
            axes.map((_, i) => axes.indexOf(i)),
          )
          return near(valuesOf(y), want, 0) && near(valuesOf(back), x, 0)
        }),
      ),
      runs,
    )
  })
  test('slice undoes pad', () => {
    const padded = arrays.chain(([shape, x]) =>
      fc.tuple(
        fc.constant(shape),
        fc.constant(x),
        fc.array(fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 2 })), { minLength: shape.length, maxLength: shape.length }),
        number,
      ),
    )
    fc.assert(
      fc.property(padded, ([shape, x, pads, value]) =>
        holds(() => {
          const wide = c.pad(make(x, shape), pads, value)
          const back = c.slice(
            wide,
            pads.map(([before]) => before),
            shape,
          )
          const inside = x.reduce((a, b) => a + b, 0)
          const total = valuesOf(wide).reduce((a, b) => a + b, 0)
          return near(valuesOf(back), x, 0) && near([total], [inside + value * (wide.size - x.length)], 1e-9)
        }),
      ),
      runs,
    )
  })
  test('flip twice is the identity, and once reverses', () => {
    fc.assert(
      fc.property(arrays, ([shape, x]) =>
        holds(() => {
          const y = c.flip(make(x, shape))
          return near(valuesOf(y), x.toReversed(), 0) && near(valuesOf(c.flip(y)), x, 0)
        }),
      ),
      runs,
    )
  })
  test('concat undoes split, for every dtype', () => {
    const cut = filledShapes.chain((shape) =>
      fc.tuple(
        fc.constant(shape),
        fc.array(fc.integer({ min: 0, max: 1 }), { minLength: sizeOf(shape), maxLength: sizeOf(shape) }),
        fc.nat({ max: shape.length - 1 }),
        fc.nat(),
        fc.constantFrom('float64', 'int32', 'uint8', 'bool'),
      ),
    )
    fc.assert(
      fc.property(cut, ([shape, x, axis, where, dtype]) =>
        holds(() => {
          const first = where % (shape[axis] + 1)
          const parts = c.split(make(x, shape, dtype as c.DType), [first, shape[axis] - first], axis)
          const whole = c.concat(parts, axis)
          return whole.dtype === dtype && near(valuesOf(whole), x, 0)
        }),
      ),
      runs,
    )
  })
  test('stack then split gives the parts', () => {
    fc.assert(
      fc.property(arrays, fc.integer({ min: 1, max: 4 }), ([shape, x], count) =>
        holds(() => {
          const parts = Array.from({ length: count }, (_, i) =>
            make(
              x.map((v) => v + i),
              shape,
            ),
          )
          const back = c.split(c.stack(parts), count)
          return back.every((part, i) => near(valuesOf(c.squeeze(part, 0)), valuesOf(parts[i]), 0))
        }),
      ),
      runs,
    )
  })
})

describe("NumPy's rules", () => {
  const whole = fc.integer({ min: -20, max: 20 })
  const divisor = whole.filter((n) => n !== 0)
  const pythonMod = (a: number, b: number): number => ((a % b) + b) % b
  test.each([
    ['float64', reference],
    ['int32', reference],
    ['float32', wasm],
    ['int32', wasm],
  ] as const)('mod and floorDiv follow the divisor’s sign (%s on %#)', (dtype, backend) => {
    fc.assert(
      fc.property(fc.array(fc.tuple(whole, divisor), { minLength: 1, maxLength: 9 }), (pairs) =>
        scope(() => {
          const [a, b] = [0, 1].map((i) =>
            c.tensor(
              pairs.map((p) => p[i]),
              { dtype, backend },
            ),
          )
          const [rest, quotient] = [valuesOf(c.mod(a, b)), valuesOf(c.floorDiv(a, b))]
          return pairs.every(
            ([x, y], i) => rest[i] === pythonMod(x, y) + 0 && quotient[i] === Math.floor(x / y) && quotient[i] * y + rest[i] === x,
          )
        }),
      ),
      runs,
    )
  })
  test('mod and floorDiv of fractions, as NumPy gives them', () => {
    scope(() => {
      const [a, b] = [make([5.5, -5.5, 5.5, -5.5, 0.75, -0.25]), make([2, 2, -2, -2, 0.5, 0.5])]
      expect(valuesOf(c.mod(a, b))).toEqual([1.5, 0.5, -0.5, -1.5, 0.25, 0.25])
      expect(valuesOf(c.floorDiv(a, b))).toEqual([2, -3, -3, 2, 1, -1])
    })
  })
  test.each([
    ['float64', reference],
    ['float32', wasm],
  ] as const)('round takes halves to the even neighbour (%s)', (dtype, backend) => {
    scope(() => {
      const x = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4999, 0.49999997, 1e10, -1e10, Infinity]
      const want = [-2, -2, 0, 0, 2, 2, 2, 0, 1e10, -1e10, Infinity]
      expect(valuesOf(c.round(c.tensor(x, { dtype, backend }))).map((v) => v + 0)).toEqual(want)
    })
  })
  test('cumSum with all options equals its definition', () => {
    const cases = filledShapes.chain((shape) =>
      fc.tuple(fc.constant(shape), listOf(shape), fc.nat({ max: shape.length - 1 }), fc.boolean(), fc.boolean()),
    )
    fc.assert(
      fc.property(cases, ([shape, x, axis, exclusive, reverse]) =>
        holds(() => {
          const read = reader(x, shape)
          const want: number[] = []
          eachCell(shape, (at) => {
            let sum = 0
            for (let j = 0; j < shape[axis]; j++) {
              const before = reverse ? j > at[axis] : j < at[axis]
              if (before || (!exclusive && j === at[axis])) sum += read(at.map((v, i) => (i === axis ? j : v)))
            }
            want.push(sum)
          })
          return near(valuesOf(c.cumSum(make(x, shape), { axis, exclusive, reverse })), want)
        }),
      ),
      runs,
    )
  })
  test('reductions over any axes equal their definitions', () => {
    const cases = filledShapes.chain((shape) =>
      fc.tuple(fc.constant(shape), listOf(shape), fc.subarray(shape.map((_, i) => i)), fc.boolean()),
    )
    fc.assert(
      fc.property(cases, ([shape, x, axis, keepDims]) =>
        holds(() => {
          const groups = new Map<string, number[]>()
          eachCell(shape, (at, i) => {
            const group = at.filter((_, k) => !axis.includes(k)).join()
            groups.set(group, [...(groups.get(group) ?? []), x[i]])
          })
          const each = (f: (group: number[]) => number): number[] => [...groups.values()].map(f)
          const mean = (g: number[]): number => g.reduce((a, b) => a + b) / g.length
          const t = make(x, shape)
          const options = { axis, keepDims }
          const shapeWanted = shape.flatMap((n, i) => (axis.includes(i) ? (keepDims ? [1] : []) : [n]))
          return (
            c.sum(t, options).shape.join() === shapeWanted.join() &&
            near(
              valuesOf(c.sum(t, options)),
              each((g) => g.reduce((a, b) => a + b)),
            ) &&
            near(
              valuesOf(c.prod(t, options)),
              each((g) => g.reduce((a, b) => a * b)),
            ) &&
            near(
              valuesOf(c.max(t, options)),
              each((g) => Math.max(...g)),
            ) &&
            near(
              valuesOf(c.min(t, options)),
              each((g) => Math.min(...g)),
            ) &&
            near(valuesOf(c.mean(t, options)), each(mean)) &&
            near(
              valuesOf(c.variance(t, options)),
              each((g) => mean(g.map((v) => (v - mean(g)) ** 2))),
            )
          )
        }),
      ),
      runs,
    )
  })
})

describe('softmax', () => {
  test.each([
    ['reference', reference, 'float64', 1e-12],
    ['wasm', wasm, 'float32', 1e-6],
  ] as const)('rows are positive and sum to 1, also for huge logits (%s)', (_, backend, dtype, tolerance) => {
    const rows = fc
      .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 9 }))
      .chain(([n, m]) =>
        fc.tuple(fc.constant([n, m]), fc.array(fc.double({ min: -1e4, max: 1e4, noNaN: true }), { minLength: n * m, maxLength: n * m })),
      )
    fc.assert(
      fc.property(rows, ([shape, x]) =>
        scope(() => {
          const y = c.softmax(c.tensor(x, { shape, dtype, backend }))
          const sums = valuesOf(c.sum(y, { axis: 1 }))
          return valuesOf(y).every((v) => v >= 0) && sums.every((s) => Math.abs(s - 1) < tolerance)
        }),
      ),
      runs,
    )
  })
  test('softmax does not see a shift of the row; logSoftmax is its logarithm', () => {
    fc.assert(
      fc.property(fc.array(number, { minLength: 1, maxLength: 8 }), number, (x, shift) =>
        holds(() => {
          const y = valuesOf(c.softmax(make(x)))
          const moved = valuesOf(c.softmax(make(x.map((v) => v + shift))))
          return near(y, moved) && near(valuesOf(c.exp(c.logSoftmax(make(x)))), y)
        }),
      ),
      runs,
    )
  })
})

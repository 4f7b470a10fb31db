/** The golden vectors of linear algebra, values and gradients, on the reference in float64 and on wasm in float32. */
import { describe, expect, test } from 'vitest'
import * as c from '../src/index.js'
import { expectClose, type GoldenCase, type GoldenTensor, loadGolden, tensorOf } from './golden.js'
import { places } from './wave2.js'

type Tensor = c.Tensor
type Tensors = Record<string, Tensor>

interface Params {
  op: string
  lower: boolean
  transpose: boolean
  unitDiagonal: boolean
  rank: number
  n: number
  ord: 'fro' | 'nuc' | number | null
  axis: number | [number, number]
  keepDims: boolean
}

const { cholesky, determinant, eigh, inverse, leastSquares, logDeterminant, lu, matMul, matrixExp, matrixPower, norm, pseudoInverse } = c
const { add, exp, eye, mul, qr, slice, solve, sum, svd, transpose, triangularSolve } = c

const swapped = (x: Tensor): Tensor => transpose(x, [...x.shape.map((_, i) => i).slice(0, -2), x.rank - 1, x.rank - 2])
const symmetric = (m: Tensor): Tensor => mul(add(m, swapped(m)), 0.5)
const positive = (m: Tensor): Tensor => {
  const n = m.shape[m.rank - 1]
  return add(matMul(m, swapped(m)), mul(eye(n, n, { dtype: m.dtype, backend: m.backend }), 0.5))
}

/** The results of each op, by the names that the file uses. */
const outputs: Record<string, (inputs: Tensors, params: Params) => Tensors> = {
  cholesky: ({ m }) => ({ output: cholesky(positive(m)) }),
  triangularSolve: ({ a, b }, { lower, transpose, unitDiagonal }) => ({
    output: triangularSolve(a, b, { lower, transpose, unitDiagonal }),
  }),
  solve: ({ a, b }) => ({ output: solve(a, b) }),
  inv: ({ a }) => ({ output: inverse(a) }),
  det: ({ a }) => ({ output: determinant(a) }),
  slogdet: ({ a }) => {
    const { sign, log } = logDeterminant(a)
    return { sign, logabsdet: log }
  },
  qr: ({ a }) => ({ ...qr(a) }),
  eighValues: ({ m }) => ({ output: eigh(symmetric(m)).values }),
  eighVectors: ({ m }) => ({ output: eigh(symmetric(m)).vectors }),
  eighFunction: ({ m }) => {
    const { values, vectors } = eigh(symmetric(m))
    return { output: matMul(mul(vectors, exp(values)), vectors, { transposeB: true }) }
  },
  svdValues: ({ a }) => ({ output: svd(a).s }),
  svd: ({ a }) => ({ ...svd(a) }),
  svdReconstruct: ({ a }, { rank }) => {
    const { u, s, vT } = svd(a)
    return { output: matMul(mul(slice(u, [0, 0], [-1, rank]), slice(s, [0], [rank])), slice(vT, [0, 0], [rank, -1])) }
  },
  pinv: ({ a }) => ({ output: pseudoInverse(a) }),
  // The file rounds to ten digits, so a matrix has the stated rank to that many.
  lstsq: ({ a, b }, { rank }) => ({ output: leastSquares(a, b, rank ? { tolerance: 1e-8 } : {}) }),
  // `null` is an ord that is not given.
  norm: ({ a }, { ord, axis, keepDims }) => ({ output: norm(a, { ord: ord ?? undefined, axis, keepDims }) }),
  matrixPower: ({ a }, { n }) => ({ output: matrixPower(a, n) }),
  matrixExp: ({ a }) => ({ output: matrixExp(a) }),
  lu: ({ a }) => ({ ...lu(a) }),
  choleskySolve: ({ m, b }) => {
    const l = cholesky(positive(m))
    return { output: triangularSolve(l, triangularSolve(l, b), { transpose: true }) }
  },
}

const { cases, tolerance } = loadGolden<Params>('wave2/linalg')
if (!tolerance) throw new Error('no tolerance in the file')

/** The gradient of which inputs a case states. */
const sources = ({ expected }: GoldenCase<Params>): string[] =>
  Object.keys(expected).flatMap((name) => (name.startsWith('grad_') ? [name.slice('grad_'.length)] : []))

describe.each(places)('linear algebra on $name', ({ backend, floats }) => {
  test.each(cases.map((each) => [each.name, each] as const))('%s', async (_, each) => {
    const before = backend.memory()
    const { params, inputs, expected } = each
    const place = (tensor: GoldenTensor): Tensor => tensorOf(tensor, backend, floats)
    const results = c.withBackend(backend, () =>
      c.scope(() => {
        const placed = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, place(value)]))
        const run = outputs[params.op]
        const names = sources(each)
        /** Σ output·(its cotangent): the cotangent of `q` is `grad_q`, that of `output` and `logabsdet` is `grad_output`. */
        const weighted = (...xs: Tensor[]): Tensor => {
          const results = run({ ...placed, ...Object.fromEntries(names.map((name, i) => [name, xs[i]])) }, params)
          const terms = Object.entries(results).flatMap(([name, y]) => {
            if (name === 'sign') return []
            const weight = placed[`grad_${name}`] ?? placed.grad_output
            return weight ? [sum(mul(y, weight))] : []
          })
          return terms.reduce((a, b) => add(a, b))
        }
        const one = c.ones([], { dtype: floats })
        const grads =
          names.length === 0
            ? []
            : c.vjp(
                weighted,
                names.map((name) => placed[name]),
                one,
              ).grads
        return { ...run(placed, params), ...Object.fromEntries(names.map((name, i) => [`grad_${name}`, grads[i]])) }
      }),
    ) as Tensors
    expect(Object.keys(results).sort()).toEqual(Object.keys(expected).sort())
    for (const [name, want] of Object.entries(expected)) await expectClose(results[name], want, tolerance[floats], name)
    for (const tensor of Object.values(results)) tensor.dispose()
    expect(backend.memory()).toMatchObject({ buffers: before.buffers, bytes: before.bytes })
  })
})

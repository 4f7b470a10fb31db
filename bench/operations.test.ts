/** The rows of `operations` in a small size: what libraries compute is the same, and NumPy's values are ours. */
import { describe, expect, test } from 'vitest'
import { accuracyOf, accuracyRows, accuracyTable, isExact, relativeError } from './accuracy.js'
import { type LibraryName, takesPart } from './adapter.js'
import { type Contestant, startContestant } from './contestant.js'
import { fingerprint, type OperationWorkload, operandsOf, operations } from './operations.js'
import { howToInstall, peerVersions } from './peers.js'
import { shapeOf } from './workloads.js'

/** The row with axes of at most 12 elements. Groups still divide 12, and a prime length is 11. */
function small(row: OperationWorkload): OperationWorkload {
  const most = row.name === 'fft-prime' ? 11 : row.name === 'fft' ? 8 : 12
  const filter = (i: number): boolean => row.op.toLowerCase().includes('conv2d') && i === 1
  const operands = row.operands.map((operand, i) => ({
    ...operand,
    shape: operand.shape.map((n, axis) => (filter(i) && axis === 2 && row.groups ? most / row.groups : Math.min(n, most))),
  }))
  return { ...row, operands, ...(row.size && { size: [17, 17] as const }) }
}

/** The result of a library. */
async function valueOf(contestant: Contestant, workload: OperationWorkload): Promise<number> {
  await contestant.prepare(workload, 7)
  return (await contestant.run(1)).value
}

const row = (name: string): OperationWorkload => operations.find((each) => each.name === name) as OperationWorkload

describe('fingerprint', () => {
  const values = [3, -1, 2, 5]
  const print = fingerprint([values])
  test('changes with one value, with the order, and with the scale', () => {
    for (const other of [[3, -1, 2, 5.1], [-1, 3, 2, 5], values.map((x) => 1.01 * x), [3, 1, 2, 5]]) {
      expect(Math.abs(fingerprint([other]) - print)).toBeGreaterThan(1e-3)
    }
  })
  test('without signs, where a vector may have either', () => {
    expect(fingerprint([[3, -1, 2]], true)).toBe(fingerprint([[-3, 1, -2]], true))
  })
})

test('operands: symmetric and positive definite matrices', () => {
  const [a] = operandsOf({ ...row('cholesky'), operands: [{ shape: [3, 3], form: 'positive' }] }, 7)
  expect([a[1], a[2], a[5]]).toEqual([a[3], a[6], a[7]])
  expect(Math.min(a[0], a[4], a[8])).toBeGreaterThan(Math.abs(a[1]) + Math.abs(a[2]))
})

test('a row by hand is run in our own process, and only where there is one', () => {
  expect(operations.filter((each) => takesPart('cotangent-core-by-hand', each)).map(({ name }) => name)).toEqual([
    'sort',
    'einsum',
    'einsum-8',
    'resize',
    'attention',
    'attention-gradient',
    'log-sum-exp',
  ])
  expect(shapeOf(row('einsum-8'))).toBe('2x8x8 2x8x8')
})

test('relative errors', () => {
  expect(relativeError([1, -2], [1, 2], true)).toBe(0)
  expect(relativeError([1, 2.5], [1, 2])).toBe(0.25)
  expect(relativeError([1, Number.NaN], [1, 2])).toBeNaN()
  expect(relativeError([1], [1, 2])).toBe(Number.POSITIVE_INFINITY)
  const table = accuracyTable([{ name: 'svd', dtype: 'float64', error: 1e-9, limit: 1e-10 }])
  expect(table).toContain('TOO LARGE')
  expect(isExact({ name: 'svd', dtype: 'float64', error: Number.NaN, limit: 1e-10 })).toBe(false)
})

describe('installed libraries compute what we do', () => {
  const peers: LibraryName[] = (['numpy', 'jax'] as const).filter((name) => peerVersions(name === 'jax' ? 'jax-js' : name))
  test('every row, in a small size', { timeout: 120_000 }, async () => {
    const contestants: Contestant[] = []
    try {
      for (const name of ['cotangent-core', 'cotangent-core-by-hand', ...peers] as const) {
        contestants.push(await startContestant(name, contestants))
      }
      for (const each of operations.map(small)) {
        const entered = contestants.filter(({ library }) => takesPart(library, each))
        const values: PromiseSettledResult<number>[] = []
        for (const contestant of entered) values.push(...(await Promise.allSettled([valueOf(contestant, each)])))
        const [ours] = values
        values.forEach((value, i) => {
          const { library } = entered[i]
          // A peer says if it cannot do a row; whatever it computes is right.
          if (value.status === 'rejected') expect(library, `${each.name}: ${value.reason}`).not.toContain('cotangent')
          else expect(Math.abs(value.value - (ours as typeof value).value), `${each.name}: ${library}`).toBeLessThan(1e-3)
        })
      }
    } finally {
      for (const contestant of contestants) contestant.close()
    }
  })

  test.skipIf(!peerVersions('numpy'))(`NumPy's values are ours; else: ${howToInstall('numpy')}`, { timeout: 60_000 }, async () => {
    const found = await accuracyOf(accuracyRows.map(small), 7)
    expect(found.filter((each) => !isExact(each))).toEqual([])
    expect(found).toHaveLength(2 * accuracyRows.length)
  })
})

/** The lens on every op that it has: counts that arithmetic can predict, values, plain loops, and statements that leave nothing on the stack. */
import { Engine, emitPacked } from '@cotangent/core/kernels'
import { describe, expect, test } from 'vitest'
import { explained } from './explained.js'
import { look, operandsOf, type PlainLoop, speed } from './look.js'
import { countedIn } from './modules.js'
import { checkedSizes, lensOps } from './ops.js'
import * as plain from './plain.js'

/** Small, and no multiple of a vector or a tile. */
const small: Record<string, number[]> = {
  matMul: [7, 30, 21],
  affine: [5, 18, 9],
  conv2d: [2, 9, 3, 6, 3],
  depthwiseConv2d: [2, 7, 6, 3],
  maxPool2d: [3, 6, 9],
  softmax: [4, 11],
  layerNorm: [5, 13],
  sum: [6, 19],
  lstmCell: [3, 5, 7],
}
const sizesOf = (name: string): number[] => small[name] ?? [43]
const hasty = { turnMs: 0.01, leastPairs: 1, mostPairs: 1, quietPairs: 0 }

describe.each(lensOps.map((op) => [op.name, op] as const))('%s', (name, op) => {
  test('is right, and its plain loop computes the same', async () => {
    const seen = await look(name, sizesOf(name))
    expect(seen.check.sound, JSON.stringify(seen.check)).toBe(true)
    const { ratio } = await speed(name, sizesOf(name), (plain as unknown as Record<string, PlainLoop>)[name], hasty)
    expect(ratio.median).toBeGreaterThan(0)
  })

  test('has kernels whose statements are whole, each instruction explained', async () => {
    const { kernels, records } = await look(name, checkedSizes(op, sizesOf(name)))
    expect(records.length).toBeGreaterThan(0)
    expect(kernels.length).toBeGreaterThan(0)
    expect(kernels[0].loop, 'an inner loop').toBeDefined()
    for (const { statements } of kernels) {
      for (const { text, words } of statements) {
        expect(text).not.toContain('…')
        for (const [name, operands] of words.map((word) => word.split(' '))) expect(explained({ name, operands })).toMatch(/\.$/)
      }
    }
  })
})

test('the counts of a product are those of its tile', async () => {
  const [m, k, n] = [40, 100, 80]
  const { kernels, flops } = await look('matMul', [m, k, n])
  const [rows] = kernels
  const tile = rows.loop?.turn.multiplyAdds ?? 0
  expect(flops).toBe(2 * m * k * n)
  // Tiles cover all of C, and columns beyond it.
  expect(8 * rows.total.multiplyAdds).toBeGreaterThanOrEqual(flops)
  expect(8 * rows.total.multiplyAdds).toBeLessThan(1.5 * flops)
  expect(tile * (rows.loop?.turns ?? 0)).toBeLessThanOrEqual(rows.total.multiplyAdds)
  expect(rows.parameters.map(({ name }) => name)).toEqual(['c', 'a', 'b', 'm', 'n', 'k', 'cRow', 'accumulate', 'aRow'])
})

test.each([true, false])('sums of a tile are multiply-adds, fused %s', async (relaxedSimd) => {
  const { kernels } = await look('matMul', [40, 100, 80], { relaxedSimd })
  const [{ statements, loop }] = kernels
  const inside = statements.slice(loop?.from, (loop?.to ?? 0) + 1)
  expect(inside.filter(({ purpose }) => purpose === 'multiply-add')).toHaveLength(loop?.turn.multiplyAdds ?? 0)
  expect(inside.some(({ words }) => words.some((word) => /^local\.get v\d+$/.test(word)))).toBe(true)
})

test('an addition reads two vectors and writes one for four elements', async () => {
  const { kernels, bytes } = await look('add', [4096])
  expect(kernels[0].total).toMatchObject({ bytesRead: 2 * 4 * 4096, bytesWritten: 4 * 4096, flops: 4096 })
  expect(bytes).toBe(3 * 4 * 4096)
})

test('a module with counters computes what it did', () => {
  const tile = { mr: 2, nr: 8, unroll: 2 }
  const run = (): Float32Array => {
    const engine = new Engine({})
    const { packed } = engine.compile((module) => emitPacked(module, tile))
    const [c, a, b] = [0, 1, 2].map(() => engine.memory.alloc(4096))
    engine.memory.floats.fill(1.25, a / 4, a / 4 + 1024)
    engine.memory.floats.fill(-0.5, b / 4, b / 4 + 1024)
    packed(c, a, b, 3, 8, 5, 32, 0)
    return engine.memory.floats.slice(c / 4, c / 4 + 24)
  }
  const values: Float32Array[] = []
  const [[counted]] = countedIn(() => values.push(run()))
  expect(values[0]).toEqual(run())
  const multiplyAdds = counted.lines.reduce((sum, { name }, i) => sum + (name === 'f32x4.relaxed_madd' ? counted.runs[i] : 0), 0)
  expect(multiplyAdds).toBe((3 * 8 * 5) / 4)
})

test('wrong sizes and wrong loops are refused', async () => {
  await expect(look('matMul', [0, 3, 3])).rejects.toThrow('matMul: m is a whole number from 1 to 2048, got 0.')
  await expect(look('matMul', [2048, 2048, 2048])).rejects.toThrow('million steps')
  await expect(look('conv2d', [1, 5, 1, 1, 9])).rejects.toThrow('size is a whole number')
  await expect(look('matMull')).rejects.toThrow('The lens has no op "matMull".')
  const almost: PlainLoop = (y, x) => {
    for (let i = 0; i < y.length; i++) y[i] = (x as Float32Array)[i] + (i === 5 ? 1 : 0)
  }
  await expect(speed('relu', [8], almost, hasty)).rejects.toThrow(/it is not timed: value \d is/)
  expect(operandsOf(lensOps[0], [2, 3, 4]).map(({ length }) => length)).toEqual([6, 12])
})

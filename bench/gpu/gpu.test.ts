/** The benchmark of the gpu backend's kernels, in a small run: its figures and its table. */
import { expect, test } from 'vitest'
import { gpuTable } from './gpu.js'
import { measure } from './measure.js'

test('figures of a small run: plain and ours agree, and everything was timed', async () => {
  const figures = await measure('webasm', 2, { product: 36, image: [1, 8, 7, 4], filters: 8, moved: 8, launches: 3 })
  expect(figures.kernels.map(({ name }) => name)).toEqual(['matMul 36³', 'conv2d 1×8×7×4 → 8, 3×3'])
  for (const { plain, ours, difference } of figures.kernels) {
    expect([plain.length, ours.length]).toEqual([2, 2])
    expect(difference).toBeLessThan(1e-5)
  }
  for (const list of [figures.launch, figures.upload, figures.readback]) expect(list.filter((ms) => ms >= 0)).toHaveLength(2)
})

test('the table shows the ratio of rounds', () => {
  const kernels = [{ name: 'matMul 4³', plain: [8, 20, 30], ours: [4, 4, 5], difference: 2e-6 }]
  const text = gpuTable('Node 20', { mode: 'webasm', kernels, launch: [0.001], upload: [1], readback: [2] })
  expect(text).toContain('5.00 (2.00–6.00)')
  expect(text).toContain('launch 1.00 (1.00–1.00) µs')
})

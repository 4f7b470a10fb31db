/** The values at the edges (edge-values.ts) on those engines of the gpu backend that run in Node. */
import { describe, expect, test } from 'vitest'
import { cumSum, type GpuMode, mean, prod, scope, sum, tensor } from '../../src/index.js'
import { edgeValues, wrongValues } from '../edge-values.js'
import { withoutWebGpu } from '../webgpu-node.js'
import { failureOf, onMode } from './checks.js'

const modes: [GpuMode, string][] = [
  ['webasm', ''],
  ['cpu', ''],
  ['webgpu', withoutWebGpu],
]

/** A gpu refuses 2e9 as an int32, so these cases do not run there. */
const held = edgeValues.filter(({ name }) => !/^(mean|variance) of integers$/.test(name))

describe.each(modes)('%s', (mode, without) => {
  test.skipIf(without)(`values at the edges${without}`, async () => {
    expect(await onMode(mode, (gpu) => wrongValues(held, gpu))).toEqual([])
  })

  test.skipIf(without)(`sums and products that float32 would round are refused${without}`, async () => {
    await onMode(mode, async (gpu) => {
      const read = (make: (x: (values: unknown) => ReturnType<typeof tensor>) => ReturnType<typeof tensor>): Promise<string> =>
        failureOf(async () => {
          using y = scope(() => make((values) => tensor(values as number[], { dtype: 'int32', backend: gpu })))
          await y.data()
        })
      expect(await read((x) => sum(x([2 ** 24, 1])))).toMatch(
        /^ValueError: sum: the gpu backend holds whole numbers as float32, exact below 16777216 \(2\^24\)/,
      )
      expect(await read((x) => sum(x([2 ** 24, 1, -(2 ** 24)])))).toMatch('ValueError: sum') // a partial sum was rounded
      expect(await read((x) => prod(x([4097, 4097])))).toMatch('ValueError: prod')
      expect(await read((x) => cumSum(x([2 ** 24, 1])))).toMatch('ValueError: cumSum')
      expect(await read((x) => sum(x([2 ** 23, 2 ** 23 - 1])))).toBe('nothing failed')
    })
  })
})

test('the mean of nine million bytes of 255 is 255 on an engine that adds in float32', async () => {
  await onMode('webasm', async (gpu) => {
    using bytes = tensor(new Uint8Array(9_000_000).fill(255), { dtype: 'uint8', backend: gpu })
    using average = mean(bytes)
    expect(await average.data()).toEqual(Float32Array.of(255))
  })
})

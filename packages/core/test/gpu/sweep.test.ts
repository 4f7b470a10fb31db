/** The op sweep on those engines of the gpu backend that run in Node: values, gradients and second derivatives against the reference. */
import { expect, test } from 'vitest'
import { type GpuMode, registry } from '../../src/index.js'
import { withoutWebGpu } from '../webgpu-node.js'
import { sweep } from './checks.js'

const ops = [...registry.values()].filter((op) => op.samples.length > 0)

for (const [mode, without] of [
  ['webasm', ''],
  ['cpu', ''],
  ['webgpu', withoutWebGpu],
] satisfies [GpuMode, string][]) {
  test.skipIf(without)(
    `every op on ${mode}${without}`,
    async () => {
      expect(await sweep(mode)).toEqual({ mode, ops: ops.length, cases: expect.any(Number), wrong: [], buffers: 0 })
    },
    900_000,
  )
}

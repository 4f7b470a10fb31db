/** The op sweep on the engines of the gpu backend that run in Node: values, gradients and second derivatives against the reference. */
import { expect, test } from 'vitest'
import { type GpuMode, registry } from '../src/index.js'
import { sweep } from './gpu-checks.js'
import { withoutWebGpu } from './webgpu-node.js'

const ops = [...registry.values()].filter((op) => op.samples.length > 0)

test.each<[GpuMode, string]>([
  ['webasm', ''],
  ['cpu', ''],
  ['webgpu', withoutWebGpu],
])(
  'every op on %s%s',
  async (mode, without) => {
    if (without) return expect(without).toContain('skipped')
    expect(await sweep(mode)).toEqual({ mode, ops: ops.length, cases: expect.any(Number), wrong: [], buffers: 0 })
  },
  900_000,
)

/** Kernels as text: gpu.js translates them without a device. */
import { conv2d, matMul, maxPool2d, ones, softmax, tanh, tensor } from '@cotangent/core'
import { expect, test } from 'vitest'
import { gpuSources } from '../../src/gpu.js'

test('an elementwise kernel, as the backend writes it and as WGSL', async () => {
  const sources = await gpuSources((backend) => tanh(ones([8], { backend })))
  expect(sources).toHaveLength(2) // ones are a kernel, too
  const [, { javascript, wgsl, threads }] = sources
  expect(javascript).toContain('Math.exp(')
  expect(wgsl).toContain('@compute @workgroup_size(64, 1, 1)')
  expect(wgsl).toContain('exp(')
  expect(threads).toEqual([8])
})

test('uploads are no kernels of an op', async () => {
  const sources = await gpuSources((backend) => tanh(tensor([1, 2, 3], { backend })))
  expect(sources).toHaveLength(1)
})

test('kernels of several inputs and steps', async () => {
  const values = (shape: number[], backend: Parameters<Parameters<typeof gpuSources>[0]>[0]) =>
    tensor(new Float32Array(shape.reduce((a, b) => a * b)), { shape, backend })
  const [product] = await gpuSources((backend) => matMul(values([32, 64], backend), values([64, 48], backend)))
  expect(product.wgsl).toMatch(/var<storage, read> user_a[\s\S]*var<storage, read> user_b/)
  expect(product.threads).toEqual([48 / 4, 32]) // four columns a thread
  expect(await gpuSources((backend) => softmax(values([4, 10], backend)))).toHaveLength(2)
  expect((await gpuSources((backend) => maxPool2d(values([1, 4, 4, 2], backend), [2, 2]))).length).toBeGreaterThan(0)
  expect((await gpuSources((backend) => conv2d(values([1, 8, 8, 4], backend), values([3, 3, 4, 8], backend)))).length).toBeGreaterThan(0)
})

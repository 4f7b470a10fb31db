/** Numbers of tensors, and the kernels that made them, as the page gets them. */
import type { Tensor } from '@cotangent/core'
import type { TensorValue } from '../shared/tensor-value.js'
import type { Kernel } from './data.js'
import type { KernelCall } from './observe.js'

export const valuesOf = (tensor: Tensor): TensorValue['values'] => {
  tensor.requireLive('explorer')
  const values = tensor.backend.readSync?.(tensor.storage)
  if (!values) throw new Error(`The ${tensor.backend.name} backend cannot be read at once.`)
  return values
}

export const bytesOf = ({ dtype, size }: Tensor): number => size * (dtype === 'float64' ? 8 : dtype === 'uint8' ? 1 : 4)

const shapesOf = ({ inputs, out }: KernelCall): string =>
  `${inputs.map(({ shape }) => `[${shape.join(', ')}]`).join(', ')} → [${out.shape.join(', ')}]`
export const kernelOf = (call: KernelCall): Kernel => ({ name: call.name, fused: call.fused, shapes: shapesOf(call) })

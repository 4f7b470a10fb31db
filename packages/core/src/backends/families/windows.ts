/** Kernels of windows over images: convolutions, pooling, im2col. */
import type { KernelFamily } from '../backend.js'
import { createConv } from '../wasm/windows/conv.js'
import { createDepthwise } from '../wasm/windows/depthwise.js'
import { createPooling } from '../wasm/windows/pooling.js'
import { createWindow } from '../wasm/windows/unfold.js'

export const windowKernels: KernelFamily = {
  wasm: (engine) => ({ ...createWindow(engine), ...createConv(engine), ...createDepthwise(engine), ...createPooling(engine) }),
}

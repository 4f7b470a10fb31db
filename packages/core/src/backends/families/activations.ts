/** Kernels of activations that are compositions of several functions, and of their gradients. */
import type { KernelFamily } from '../backend.js'
import { createActivate } from '../wasm/elementwise/activate.js'

export const activationKernels: KernelFamily = { wasm: createActivate }

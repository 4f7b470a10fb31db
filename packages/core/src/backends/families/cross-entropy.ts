/** Kernels of cross-entropy, from weights of the classes and from class numbers. */
import type { KernelFamily } from '../backend.js'
import { createCrossEntropy } from '../wasm/reduce/cross-entropy.js'

export const crossEntropyKernels: KernelFamily = { wasm: createCrossEntropy }

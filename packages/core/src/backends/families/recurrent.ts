/** Kernels of recurrent networks: whole sequences of LSTM, GRU and simple RNN, and their gradients. */
import type { KernelFamily } from '../backend.js'
import { createFromInputs } from '../wasm/recurrent/inputs.js'
import { createRecurrence } from '../wasm/recurrent/recurrence.js'

export const recurrentKernels: KernelFamily = { wasm: (engine) => ({ ...createRecurrence(engine), ...createFromInputs(engine) }) }

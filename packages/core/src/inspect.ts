/** Looking at tensors and at memory. */
import { requireFunction } from './arguments.js'
import { CotangentError } from './errors.js'
import { log } from './platform.js'
import { defaultBackend } from './runtime.js'
import { formatTensor } from './tensor/format.js'
import { liveTensors, requireTensor, type Tensor } from './tensor/tensor.js'

/** Prints a tensor's values as NumPy would, `...` in the middle of long axes. */
export async function print(x: Tensor): Promise<void> {
  requireTensor('print', 'x', x)
  log(formatTensor(await x.data(), x.shape, x.dtype))
}

/** Counts of living things: tensors in the process, and buffers and bytes on the default backend. */
export function memory(): { tensors: number; buffers: number; bytes: number; reservedBytes: number } {
  return { tensors: liveTensors(), ...defaultBackend().memory() }
}

/**
 * Runs `fn` (which may be async) and throws if it leaves tensors behind.
 *
 * @example
 * ```ts
 * await expectNoLeaks(() => model.fit(x, y, { epochs: 1 }))
 * ```
 */
export async function expectNoLeaks<R>(fn: () => R | Promise<R>): Promise<R> {
  requireFunction('expectNoLeaks', 'fn', fn, 'await expectNoLeaks(() => …)')
  const before = memory()
  const result = await fn()
  const after = memory()
  const leaked = after.tensors - before.tensors
  if (leaked > 0 || after.buffers > before.buffers) {
    throw new CotangentError(
      `expectNoLeaks: ${leaked} tensors (${after.bytes - before.bytes} bytes) are left. Return nothing from the function that holds tensors, ` +
        'and put the code in scope(() => …) or dispose() them.',
    )
  }
  return result
}

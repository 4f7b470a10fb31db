/** Looking at tensors and at memory. */
import { requireFunction } from './arguments.js'
import type { MemoryInfo } from './backends/backend.js'
import { CotangentError } from './errors.js'
import { log } from './platform.js'
import { defaultBackend } from './runtime.js'
import { formatTensor } from './tensor/format.js'
import { liveTensors, requireTensor, type Tensor } from './tensor/tensor.js'

/**
 * Prints a tensor's values as NumPy does: `[[1. 2.]` over ` [3. 4.]]`, with `...` in the middle of long axes.
 *
 * @example
 * ```ts
 * await print(tensor([[1, 2], [3, 4]]))
 * ```
 */
export async function print(x: Tensor): Promise<void> {
  requireTensor('print', 'x', x)
  log(formatTensor(await x.data(), x.shape, x.dtype))
}

/**
 * Counts the memory in use: tensors in the process; buffers, bytes, reserved bytes and bytes of recorded steps on the default backend.
 *
 * @example
 * ```ts
 * const before = memory().tensors
 * const x = zeros([3])
 * console.log(memory().tensors - before) // 1
 * ```
 */
export function memory(): { tensors: number } & MemoryInfo {
  return { tensors: liveTensors(), ...defaultBackend().memory() }
}

/**
 * Runs `fn`, which may be async, and throws if more tensors are alive afterwards than before. Returns the result of `fn`.
 *
 * @throws CotangentError that says how many tensors and bytes are left.
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

/** A backend that says what it does: which kernels run, on what, and how many bytes are alive. It computes with another one. */
import type { Backend, Operand, Storage } from '@cotangent/core'

export interface KernelCall {
  /** The primitive or fused kernel, with the row of its table: `map tanh`, `matMul`, `affine`. */
  readonly name: string
  readonly fused: boolean
  readonly inputs: readonly Operand[]
  readonly out: Operand
  /** Its place when the call was made; a gpu backend would put another there. */
  readonly storage: Storage
}

export interface Observed {
  readonly backend: Backend
  /** The calls since somebody emptied the list. */
  readonly calls: KernelCall[]
  /** The largest number of bytes alive since somebody set it. */
  peak: number
}

const isOperand = (value: unknown): value is Operand =>
  typeof value === 'object' && value !== null && 'storage' in value && 'shape' in value

type Kernel = (out: Operand, ...values: unknown[]) => void

export function observe(inner: Backend): Observed {
  const calls: KernelCall[] = []
  const watched = <T extends object>(kernels: T, fused: boolean): T =>
    new Proxy(kernels, {
      get(from, name) {
        const kernel = Reflect.get(from, name) as unknown
        if (typeof kernel !== 'function' || typeof name !== 'string') return kernel
        return (out: Operand, ...values: unknown[]): void => {
          ;(kernel as Kernel).call(from, out, ...values)
          if (!isOperand(out)) return // an optimizer's step
          const row = values.find((value) => typeof value === 'string')
          calls.push({ name: row ? `${name} ${row}` : name, fused, inputs: values.flat().filter(isOperand), out, storage: out.storage })
        }
      },
    })
  const observed: Observed = {
    calls,
    peak: 0,
    backend: {
      ...inner,
      kernels: watched(inner.kernels, false),
      fused: watched(inner.fused, true),
      alloc(size, dtype) {
        const handle = inner.alloc(size, dtype)
        observed.peak = Math.max(observed.peak, inner.memory().bytes)
        return handle
      },
    },
  }
  return observed
}

/** Those of the calls that made `output` of `inputs`, in their order. */
export function callsFor(calls: readonly KernelCall[], output: Storage, inputs: readonly Storage[]): KernelCall[] {
  const wanted = new Set<Storage>([output])
  const given = new Set(inputs)
  return [...calls]
    .reverse()
    .filter(({ storage, inputs }) => {
      if (!wanted.has(storage) || given.has(storage)) return false
      for (const input of inputs) wanted.add(input.storage)
      return true
    })
    .reverse()
}

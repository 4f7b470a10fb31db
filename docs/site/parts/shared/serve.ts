/** The worker's side of engine.ts: answers calls with the functions of a module. */
import type { Told } from './engine.js'
import { readerLine } from './reader-code.js'

/** Sends something on the way to the answer; it keeps a call with a limit alive. The last argument of each function. */
export type Tell = (progress: unknown, transfer?: Transferable[]) => void

/** An answer with parts that move to the page instead of being copied. */
export class Moved<T> {
  constructor(
    readonly value: T,
    readonly transfer: Transferable[],
  ) {}
}

interface Scope {
  postMessage(message: unknown, transfer?: Transferable[]): void
  onmessage: ((event: { data: { id: number; name: string; values: unknown[] } }) => void) | null
}

export function toldOf(error: unknown): Told {
  if (!(error instanceof Error)) return { name: 'Error', message: `The code threw ${String(error)}, which is no Error.` }
  return { name: error.name, message: error.message, ...readerLine(error) }
}

// biome-ignore lint/suspicious/noExplicitAny: any functions
export function serve(functions: Record<string, (...values: any[]) => unknown>): void {
  const scope = globalThis as unknown as Scope
  scope.onmessage = async ({ data: { id, name, values } }) => {
    const tell: Tell = (progress, transfer) => scope.postMessage({ id, progress }, transfer)
    try {
      const value = await functions[name](...values, tell)
      if (value instanceof Moved) scope.postMessage({ id, value: value.value }, value.transfer)
      else scope.postMessage({ id, value })
    } catch (error) {
      scope.postMessage({ id, error: toldOf(error) })
    }
  }
}

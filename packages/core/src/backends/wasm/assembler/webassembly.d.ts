/**
 * Declares the part of the WebAssembly namespace that the backend uses. Core compiles without the type libraries of browsers and
 * Node, so that it uses nothing of either by mistake; and ECMAScript's library has no such declaration.
 */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array)
  }

  class Instance {
    constructor(module: Module, imports?: Record<string, Record<string, unknown>>)
    readonly exports: Record<string, unknown>
  }

  class Memory {
    constructor(descriptor: { initial: number; maximum?: number; shared?: boolean })
    readonly buffer: ArrayBufferLike
    /** Grows the memory by a number of 64 KiB pages and returns how many it had before. */
    grow(pages: number): number
  }

  function validate(bytes: Uint8Array): boolean
}

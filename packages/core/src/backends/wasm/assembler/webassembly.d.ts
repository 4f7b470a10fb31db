/**
 * The part of the WebAssembly namespace that the backend uses. Core compiles without the type libraries of browsers and Node,
 * so that nothing of either slips in, and neither ECMAScript's nor @types/node declare this.
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
    /** Grows by a number of 64 KiB pages and returns how many there were. */
    grow(pages: number): number
  }

  function validate(bytes: Uint8Array): boolean
}

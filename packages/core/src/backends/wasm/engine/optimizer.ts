/**
 * V8's optimising compiler, asked for one function of WebAssembly.
 *
 * V8 compiles WebAssembly twice: at once by a fast compiler, then, in the background, what is called often by an optimising one. A kernel wants the second at once. The flag
 * `--no-liftoff` gives that, but flags are of the whole process, and V8 compiles other modules in the background meanwhile. With the flag the first `.h5` cost five times
 * as much on Node 20, and since V8 14 (Node 25) such a module may end the process: its optimiser expects traces of the first compiler (`Check failed:
 * function_feedback != …`). `--no-wasm-deopt`, which turns that off, ends it elsewhere (`shared_info.is_null() implies v8_flags.wasm_deopt`).
 */

/** Has V8 optimise an exported function of WebAssembly before it returns. It may be called only while `NATIVES` is set. */
export type Optimize = (exported: unknown) => void

/** A flag that admits the names of V8's own functions in JavaScript: set and reset. It says only how text is read. */
export const NATIVES = ['--allow-natives-syntax', '--no-allow-natives-syntax'] as const

let known: Optimize | null | undefined

/**
 * `Optimize`, or null where there is none; V8 then optimises a kernel in the background, after some calls, as it does in a page.
 *
 * `%WasmTierUpFunction` is a function of V8's own tests. V8 forgets the code of a function that was not called for a while, and reads its text again at the next call, so
 * the flag has to be set at every call.
 *
 * @param withFlag runs a function while `NATIVES` is set
 */
export function optimizer(withFlag: (read: () => Optimize) => Optimize): Optimize | null {
  if (known === undefined) {
    try {
      const ask = withFlag(() => new Function('exported', '%WasmTierUpFunction(exported)') as Optimize)
      known = (exported) => {
        try {
          ask(exported)
        } catch {
          // Another thread of the process reset the flag just now: V8 optimises this kernel later.
        }
      }
    } catch {
      known = null // no such name, or a host that makes no functions of texts
    }
  }
  return known
}

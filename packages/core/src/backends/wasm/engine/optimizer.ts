/**
 * V8's optimising compiler, asked for one function of WebAssembly.
 *
 * V8 compiles WebAssembly twice: at once by a fast compiler, then, in the background, what is called often by an optimising one. A kernel wants the second at once. The flag
 * `--no-liftoff` gives that, but flags are of the whole process, and V8 compiles other modules in the background meanwhile. With the flag the first `.h5` cost five times
 * as much on Node 20, and since V8 14 (Node 25) such a module may end the process: its optimiser expects traces of the first compiler (`Check failed:
 * function_feedback != …`). `--no-wasm-deopt`, which turns that off, ends it elsewhere (`shared_info.is_null() implies v8_flags.wasm_deopt`).
 */

/** Has V8 optimise an exported function of WebAssembly before it returns. */
export type Optimize = (exported: unknown) => void

let known: Optimize | null | undefined

/**
 * `Optimize`, or null where there is none; V8 then optimises a kernel in the background, after some calls, as it does in a page.
 *
 * `%WasmTierUpFunction` is a function of V8's own tests. The flag that admits such names only says how text is read, so it is set while one line is read.
 *
 * @param withFlag runs a function while the flag is set
 */
export function optimizer(withFlag: (flag: [set: string, reset: string], read: () => Optimize) => Optimize): Optimize | null {
  if (known === undefined) {
    try {
      known = withFlag(
        ['--allow-natives-syntax', '--no-allow-natives-syntax'],
        () => new Function('exported', '%WasmTierUpFunction(exported)') as Optimize,
      )
    } catch {
      known = null // no such name, or a host that makes no functions of texts
    }
  }
  return known
}

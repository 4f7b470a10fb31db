/** The few features of the host that core uses. They are typed here because core compiles without the types of the DOM or of Node. */
interface Host {
  console?: { warn(message: string): void; log(message: string): void }
  process?: {
    env?: Record<string, string | undefined>
    getBuiltinModule?(id: string): unknown
  }
  gc?: () => void
  Bun?: { gc?(synchronous: boolean): void }
  setImmediate?(work: () => void): unknown
  setTimeout?(work: () => void, milliseconds?: number): unknown
}
const host = globalThis as unknown as Host

/** Prints a warning, if there is a console. */
export const warn = (message: string): void => host.console?.warn(message)
const said = new Set<string>()
/** Prints a warning once for each text in a process. */
export function warnOnce(text: string): void {
  if (said.has(text)) return
  said.add(text)
  warn(text)
}
/** Prints a line, if there is a console. */
export const log = (message: string): void => host.console?.log(message)

/** A variable of the environment. Undefined if it is empty, if there is no environment, or if it may not be read (Deno without --allow-env). */
export function environment(name: string): string | undefined {
  try {
    return host.process?.env?.[name] || undefined
  } catch {
    return undefined
  }
}

/** Imports a package that may be missing. A bundler does not see its name, so it neither looks for the package nor replaces it. */
export const importByName = (name: string): Promise<unknown> => import(/* @vite-ignore */ /* webpackIgnore: true */ name)

/** Waits one turn of the event loop. */
export const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    if (host.setImmediate) host.setImmediate(resolve)
    else if (host.setTimeout) host.setTimeout(resolve, 0)
    else resolve()
  })

let collect: (() => void) | undefined

/** Runs the garbage collector. Where it cannot be called, makes it likely that it runs. */
export function collectGarbage(): void {
  collect ??= host.gc ?? bunCollector() ?? v8Collector() ?? pressure
  collect()
}

function bunCollector(): (() => void) | undefined {
  const { Bun } = host
  return Bun?.gc ? () => Bun.gc?.(true) : undefined
}

/** V8 gives its collector to contexts that are made while the flag --expose-gc is set. Node and Deno allow setting it at run time. */
function v8Collector(): (() => void) | undefined {
  try {
    const v8 = host.process?.getBuiltinModule?.('node:v8') as { setFlagsFromString(flag: string): void }
    const vm = host.process?.getBuiltinModule?.('node:vm') as { runInNewContext(code: string): unknown }
    v8.setFlagsFromString('--expose-gc')
    try {
      return vm.runInNewContext('gc') as () => void
    } finally {
      v8.setFlagsFromString('--no-expose-gc')
    }
  } catch {
    return undefined
  }
}

/** Allocates an array buffer: engines count the bytes of buffers and collect when there are many. */
function pressure(): void {
  try {
    new ArrayBuffer(64 * 2 ** 20)
  } catch {
    // There is no room for the buffer, so the engine has just collected.
  }
}

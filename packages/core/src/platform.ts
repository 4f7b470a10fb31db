/** The few things of the host that core touches, typed here because core compiles without DOM or Node types. */

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

/** Says something to the person at the console, where there is one. */
export const warn = (message: string): void => host.console?.warn(message)
/** Prints a line. */
export const log = (message: string): void => host.console?.log(message)

/** A variable of the environment; undefined if it is empty, where there is none, and where it may not be read (Deno without --allow-env). */
export function environment(name: string): string | undefined {
  try {
    return host.process?.env?.[name] || undefined
  } catch {
    return undefined
  }
}

/** Imports a package that may be missing. No bundler sees its name here, so none looks for it, complains, or puts something else in its place. */
export const importByName = (name: string): Promise<unknown> => import(/* @vite-ignore */ /* webpackIgnore: true */ name)

/** A turn of the event loop. */
export const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    if (host.setImmediate) host.setImmediate(resolve)
    else if (host.setTimeout) host.setTimeout(resolve, 0)
    else resolve()
  })

let collect: (() => void) | undefined

/** Runs the garbage collector, or where it cannot be called makes it likely that it runs. */
export function collectGarbage(): void {
  collect ??= host.gc ?? bunCollector() ?? v8Collector() ?? pressure
  collect()
}

function bunCollector(): (() => void) | undefined {
  const { Bun } = host
  return Bun?.gc ? () => Bun.gc?.(true) : undefined
}

/** V8 shows its collector to contexts that are made while this flag is set; Node and Deno let it be set at run time. */
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

/** Engines count the bytes of array buffers and collect when many have come. */
function pressure(): void {
  try {
    new ArrayBuffer(64 * 2 ** 20)
  } catch {
    // There is no room for it; then the engine has just collected.
  }
}

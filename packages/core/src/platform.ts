/** The few things of the host that core touches, typed here because core compiles without DOM or Node types. */

interface Host {
  console?: { warn(message: string): void; log(message: string): void }
}
const host = globalThis as unknown as Host

/** Says something to the person at the console, where there is one. */
export const warn = (message: string): void => host.console?.warn(message)
/** Prints a line. */
export const log = (message: string): void => host.console?.log(message)

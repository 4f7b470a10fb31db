/** The few things of the host that this package uses. They are typed here, because the package compiles without types of DOM or Node. */

interface Host {
  console?: { log(line: string): void; warn(line: string): void }
  process?: { stdout?: { write(text: string): unknown; isTTY?: boolean } }
  performance: { now(): number }
  setTimeout(fn: () => void, ms: number): unknown
  TextEncoder: new () => { encode(text: string): Uint8Array }
}
const host = globalThis as unknown as Host

/** Prints a line. */
export const print = (line: string): void => host.console?.log(line)
/** Prints a warning. */
export const warn = (line: string): void => host.console?.warn(line)
/** Milliseconds since some fixed moment. */
export const now = (): number => host.performance.now()
/** The bytes of a text in UTF-8. */
export const utf8 = (text: string): Uint8Array => new host.TextEncoder().encode(text)
/** Lets timers, input and painting run, and a page's workers start. */
const yieldToHost = (): Promise<void> => new Promise((resolve) => host.setTimeout(resolve, 0))

/** Milliseconds from one turn of the host to the next. */
const TURN_MS = 50

/** For long work: a function to await between its pieces. It gives the host a turn when one is due. */
export function hostTurns(): () => Promise<void> | undefined {
  let turn = now()
  return () => {
    if (now() - turn <= TURN_MS) return undefined
    return yieldToHost().then(() => {
      turn = now()
    })
  }
}

/** The output for progress lines: stdout as it is if there is one, otherwise whole lines on the console. */
export function standardOutput(): { write: (text: string) => void; isTerminal: boolean } {
  const stdout = host.process?.stdout
  if (stdout) return { write: (text) => void stdout.write(text), isTerminal: stdout.isTTY === true }
  let pending = ''
  return {
    isTerminal: false,
    write(text) {
      pending += text
      const end = pending.lastIndexOf('\n')
      if (end < 0) return
      print(pending.slice(0, end))
      pending = pending.slice(end + 1)
    },
  }
}

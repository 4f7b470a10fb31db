/** Running programs inside a test without their lines on the screen. */
import { vi } from 'vitest'

/** Runs a program, and gives what it returned and what it printed with `console.log`. Progress bars are dropped. */
export async function quietly<Result>(run: () => Promise<Result>): Promise<{ result: Result; printed: string }> {
  const lines: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((...parts: unknown[]) => void lines.push(parts.join(' ')))
  const write = vi.spyOn(process.stdout, 'write').mockImplementation(() => true)
  try {
    const result = await run()
    return { result, printed: lines.join('\n') }
  } finally {
    log.mockRestore()
    write.mockRestore()
  }
}

/** How long a page does not answer: the tasks of its main thread. Chromium alone tells them, from 50 ms on. */
import type { Page } from 'playwright-core'

/** Milliseconds after which a reader notices that the page does not answer. */
const NOTICED = 100

interface Task {
  /** The page where it ran, from the top of the site. */
  readonly page: string
  /** Milliseconds. */
  readonly duration: number
  /** The function that took most of it, and its file. */
  readonly script: string
}

/**
 * Listens to the tasks of all pages that are opened afterwards.
 *
 * @returns gives a line for each page with such a task: the longest, and those that are noticed
 */
export async function watchTasks(page: Page, base: string): Promise<() => Promise<string[]>> {
  if (page.context().browser()?.browserType().name() !== 'chromium') return async () => []
  const tasks: Task[] = []
  await page.exposeBinding('taskSeen', (source, duration: number, script = '') => {
    tasks.push({ page: source.page.url().replace(base, '').replace(/#.*/s, ''), duration, script })
  })
  await page.addInitScript(listen)
  return async () => {
    await page.waitForTimeout(100) // entries come a moment after their task
    return [...new Set(tasks.map((task) => task.page))].map((name) => {
      const all = tasks.filter((task) => task.page === name)
      const noticed = all.filter(({ duration }) => duration > NOTICED).sort((a, b) => b.duration - a.duration)
      const list = noticed.map(({ duration, script }) => `${duration} ms${script && ` in ${script}`}`).join(', ')
      return `${name}: the longest task took ${Math.max(...all.map(({ duration }) => duration))} ms${list && `; over ${NOTICED} ms: ${list}`}`
    })
  }
}

/**
 * Runs in the page. Its functions have no names, because tsx would keep a name by a helper that the page has not. A long frame names the scripts of its tasks; its entry
 * comes later than theirs.
 */
function listen(): void {
  interface Script extends PerformanceEntry {
    readonly sourceURL: string
    readonly sourceFunctionName: string
    readonly invoker: string
  }
  const { taskSeen } = globalThis as unknown as { taskSeen(duration: number, script?: string): void }
  const scripts: Script[] = []
  new PerformanceObserver((list) => {
    for (const frame of list.getEntries() as (PerformanceEntry & { scripts: Script[] })[]) scripts.push(...frame.scripts)
  }).observe({ type: 'long-animation-frame', buffered: true })
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries())
      setTimeout(() => {
        const inside = scripts.filter((script) => script.startTime >= startTime - 1 && script.startTime < startTime + duration)
        const [most] = inside.sort((a, b) => b.duration - a.duration)
        const { sourceURL = '', sourceFunctionName = '', invoker = '' } = most ?? {}
        taskSeen(Math.round(duration), most && `${sourceFunctionName || invoker} of ${sourceURL.split('/').at(-1) || 'the walk'}`)
      }, 50)
  }).observe({ type: 'longtask', buffered: true })
}

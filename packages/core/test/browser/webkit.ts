/**
 * WebKit, as Debian's WebKitGTK has it: its small browser, driven by its driver in a display that nobody sees (Xvfb). Playwright drives only a WebKit of its own, which it
 * downloads. The protocol is W3C WebDriver; of its commands a test needs six.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import type { Started, Tab } from './browsers.js'

const driverPath = [process.env.COTANGENT_WEBKITDRIVER, '/usr/bin/WebKitWebDriver'].find((path) => path && existsSync(path))
const displayPath = '/usr/bin/Xvfb'

/** The reason why WebKit is not here, for the names of skipped tests; empty if it is. */
export function webKitLacks(): string {
  if (driverPath && (process.env.DISPLAY || existsSync(displayPath))) return ''
  return ' (skipped: no WebKit with its driver here; apt-get install webkit2gtk-driver xvfb)'
}

/** Where a page keeps what its console said: the driver does not tell. `recordConsole` runs in the page before its module. */
export const recordConsole = `globalThis.said = []
for (const [kind, type] of [['log', 'log'], ['info', 'info'], ['warn', 'warning'], ['error', 'error'], ['debug', 'debug']]) {
  const own = console[kind]
  console[kind] = (...values) => { said.push(type + ': ' + values.join(' ')); own.apply(console, values) }
}
addEventListener('error', ({ message }) => said.push('uncaught: ' + message))
addEventListener('unhandledrejection', ({ reason }) => said.push('uncaught: ' + reason))
`

/** The longest that a function of a page may take, in ms. */
const LONGEST = 900_000

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Starts a display without a screen and resolves to its name; Xvfb writes its number into the pipe when it is ready. */
async function startDisplay(): Promise<{ name: string; process?: ChildProcess }> {
  const { DISPLAY } = process.env
  if (DISPLAY) return { name: DISPLAY }
  const display = spawn(displayPath, ['-displayfd', '3', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  const number = await new Promise<string>((resolve, reject) => {
    display.once('error', reject).once('exit', (code) => reject(new Error(`Xvfb ended with ${code}.`)))
    display.stdio[3]?.once('data', (text) => resolve(String(text).trim()))
  })
  return { name: `:${number}`, process: display }
}

/** Starts WebKit. A driver has one session, so its pages are opened one after the other. */
export async function startWebKit(): Promise<Started> {
  if (!driverPath) throw new Error(`startWebKit:${webKitLacks()}`)
  const display = await startDisplay()
  const port = await freePort()
  // Safari gives isolated pages SharedArrayBuffer. WebKitGTK has it, too, but only if this variable is set.
  const env = { ...process.env, DISPLAY: display.name, JSC_useSharedArrayBuffer: '1' }
  const driver = spawn(driverPath, [`--port=${port}`], { stdio: 'ignore', env })
  const stop = () => {
    driver.kill()
    display.process?.kill()
  }

  async function send(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, ...(body !== undefined && { body: JSON.stringify(body) }) })
    const { value } = (await response.json()) as { value: { error?: string; message?: string } | null }
    if (!response.ok) throw new Error(`WebKit: ${value?.message || value?.error || response.status}`)
    return value
  }

  try {
    for (let attempt = 0; ; attempt++) {
      const ready = await send('GET', '/status').then(
        () => true,
        () => false,
      )
      if (ready) break
      if (attempt > 200) throw new Error('WebKit: its driver does not answer.')
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    const { sessionId } = (await send('POST', '/session', { capabilities: { alwaysMatch: {} } })) as { sessionId: string }
    const session = `/session/${sessionId}`
    await send('POST', `${session}/timeouts`, { script: LONGEST, pageLoad: 60_000 })
    const evaluate = (script: string, args: unknown[] = []) => send('POST', `${session}/execute/async`, { script, args })

    async function open(url: string): Promise<Tab> {
      await send('POST', `${session}/url`, { url })
      const said: string[] = []
      const listen = async () => {
        const heard = (await evaluate('arguments[0](globalThis.said.splice(0))')) as string[]
        said.push(...heard)
      }
      for (let attempt = 0; !(await evaluate('arguments[0](globalThis.tests !== undefined)')); attempt++) {
        if (attempt > 600) {
          await listen()
          throw new Error(`The page did not load its module. Its console: ${said.join('\n') || 'nothing'}`)
        }
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      return {
        async run(there, asked) {
          const script = `const [asked, done] = arguments
            ;(${there})(asked).then((value) => done({ value }), (error) => done({ error: String(error.message ?? error) }))`
          const { value, error } = (await evaluate(script, [asked])) as { value?: unknown; error?: string }
          await listen()
          if (error !== undefined) throw new Error(error)
          return value ?? undefined
        },
        said,
        workers: () => Number.NaN,
        close: async () => void (await send('POST', `${session}/url`, { url: 'about:blank' })),
      }
    }
    return {
      open,
      async close() {
        await send('DELETE', session).catch(() => {})
        stop()
      },
    }
  } catch (error) {
    stop()
    throw error
  }
}

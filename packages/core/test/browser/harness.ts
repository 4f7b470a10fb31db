/**
 * Tests in a real page. A module is bundled, served on localhost and opened in a headless Chromium; Node calls its exported
 * functions.
 *
 * ```ts
 * const site = await openSite<typeof import('./page.js')>(new URL('./page.ts', import.meta.url))
 * const page = await site.open(isolated)
 * expect(await page.call('double', 2)).toBe(4)    // export const double = (x: number) => 2 * x, in page.ts
 * expect(page.said).toEqual([])                    // nothing on the console
 * await site.close()
 * ```
 *
 * Every `open` makes a new page with its own headers, so settings of the process (`configure`) start afresh. Arguments and results travel as JSON;
 * typed arrays may be among them. Chromium must be on the system, it is never downloaded: without it tests are skipped, and `withoutChromium` says what to do.
 */
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type Browser, chromium } from 'playwright-core'

/** Response headers. */
export type Headers = Readonly<Record<string, string>>

/** The headers that give a page SharedArrayBuffer, and so threads. */
export const isolated: Headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }

/** The browser: `COTANGENT_CHROMIUM`, or the places where systems install it. */
const executable = [
  process.env.COTANGENT_CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].find((path) => path && existsSync(path))

/** The reason why there is no browser, for the names of skipped tests; empty if there is one. */
export const withoutChromium = executable ? '' : ' (skipped: no Chromium here; apt-get install chromium, or name one in COTANGENT_CHROMIUM)'

/** Flags for WebGL 2 and WebGPU in software, on any machine. */
export const gpuFlags: readonly string[] = [
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
]

/** Starts the browser, for tests that open files. `args` are further flags for Chromium. */
export function openBrowser(args: readonly string[] = []): Promise<Browser> {
  if (!executable) throw new Error(`openBrowser:${withoutChromium}`)
  return chromium.launch({ executablePath: executable, args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), ...args] })
}

/** The functions that a page's module exports. */
type Functions = Record<string, (...values: never[]) => unknown>

export interface OpenPage<M extends Functions> {
  /** Calls an exported function in the page. An error there is thrown here. */
  call<N extends keyof M & string>(name: N, ...values: Parameters<M[N]>): Promise<Awaited<ReturnType<M[N]>>>
  /** The same in a dedicated worker of the page. The worker loads the module again and ends afterwards. */
  callInWorker<N extends keyof M & string>(name: N, ...values: Parameters<M[N]>): Promise<Awaited<ReturnType<M[N]>>>
  /** Everything on the console so far, including workers' output and uncaught errors, as `warning: …`. */
  readonly said: string[]
  /** The number of the page's workers. */
  workers(): number
  close(): Promise<void>
}

export interface Site<M extends Functions> {
  open(headers?: Headers): Promise<OpenPage<M>>
  close(): Promise<void>
}

const html = `<!doctype html><title>test</title><link rel="icon" href="data:,">
<script type="module">globalThis.tests = await import('./page.js')</script>`

const worker = `onmessage = async ({ data: [name, values] }) => {
  try {
    const tests = await import('./page.js')
    postMessage({ value: await tests[name](...values) })
  } catch (error) {
    postMessage({ error: String(error.stack ?? error) })
  }
}`

/** Calls a function of the page's module. This code runs in the page. */
async function callThere({ name, values, inWorker }: { name: string; values: unknown[]; inWorker: boolean }): Promise<unknown> {
  const here = globalThis as unknown as {
    tests: Record<string, (...values: unknown[]) => unknown>
    Worker: new (
      url: string,
    ) => {
      postMessage(message: unknown): void
      terminate(): void
      onmessage(event: { data: { value?: unknown; error?: string } }): void
      onerror(event: { message?: string }): void
    }
  }
  if (!inWorker) return here.tests[name](...values)
  const thread = new here.Worker('./worker.js')
  try {
    return await new Promise((resolve, reject) => {
      thread.onmessage = ({ data }) => (data.error === undefined ? resolve(data.value) : reject(new Error(data.error)))
      thread.onerror = ({ message }) => reject(new Error(`the worker did not start: ${message}`))
      thread.postMessage([name, values])
    })
  } finally {
    thread.terminate()
  }
}

/** The module and all it imports, by file name. Modules that are imported on demand stay in files of their own. */
async function bundle(entry: URL): Promise<Map<string, Uint8Array>> {
  const { outputFiles } = await build({
    entryPoints: { page: fileURLToPath(entry) },
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['@cotangent/source'],
    outdir: 'out',
    write: false,
    logLevel: 'silent', // problems are thrown
  })
  return new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]))
}

/** Bundles a module of test functions and starts the browser for it. `args` are further flags for Chromium. */
export async function openSite<M extends Functions>(entry: URL, args: readonly string[] = []): Promise<Site<M>> {
  const files = new Map<string, string | Uint8Array>([...(await bundle(entry)), ['', html], ['worker.js', worker]])
  const opened: Headers[] = []

  // Page i lives at /i/; everything it loads gets its headers.
  const server = createServer(({ url = '' }, response) => {
    const [, index, file = ''] = url.split('/')
    const content = files.get(file)
    const type = file.endsWith('.js') ? 'text/javascript' : 'text/html'
    response.writeHead(content === undefined ? 404 : 200, { 'Content-Type': type, ...opened[Number(index)] }).end(content)
  })
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`
  const browser = await openBrowser(args)

  return {
    async open(headers = {}) {
      const page = await browser.newPage()
      const said: string[] = []
      page.on('console', (message) => said.push(`${message.type()}: ${message.text()}`))
      page.on('pageerror', (error) => said.push(`uncaught: ${error.message}`))
      await page.goto(`${origin}/${opened.push(headers) - 1}/`)
      await page.waitForFunction('globalThis.tests !== undefined').catch((error) => {
        throw new Error(`The page did not load its module (${error}). Its console: ${said.join('\n') || 'nothing'}`)
      })
      const call =
        (inWorker: boolean) =>
        (name: string, ...values: unknown[]) =>
          page.evaluate(callThere, { name, values, inWorker })
      return {
        call: call(false) as OpenPage<M>['call'],
        callInWorker: call(true) as OpenPage<M>['callInWorker'],
        said,
        workers: () => page.workers().length,
        close: () => page.close(),
      }
    },
    async close() {
      await browser.close()
      server.closeAllConnections()
      server.close()
    },
  }
}

/**
 * Tests in a real page. A module is bundled, served on localhost and opened in a headless browser, Chromium if nothing is said; Node calls its exported
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
 * except in WebKit, typed arrays may be among them.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type Asked, type BrowserName, start, without } from './browsers.js'
import { recordConsole } from './webkit.js'

/** Response headers. */
export type Headers = Readonly<Record<string, string>>

/** The headers that give a page SharedArrayBuffer, and so threads. */
export const isolated: Headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }

/** Why tests in Chromium are skipped; empty if they are not. */
export const withoutChromium = without('chromium')

/** Flags for WebGL 2 and WebGPU in software, on any machine. */
export const gpuFlags: readonly string[] = [
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
]

/** A policy that allows scripts of the site and WebAssembly, and no more. */
export const strict: Headers = { 'Content-Security-Policy': "script-src 'self' 'wasm-unsafe-eval'" }

/** The functions that a page's module exports. */
type Functions = Record<string, (...values: never[]) => unknown>

export interface OpenPage<M extends Functions> {
  /** Calls an exported function in the page. An error there is thrown here. */
  call<N extends keyof M & string>(name: N, ...values: Parameters<M[N]>): Promise<Awaited<ReturnType<M[N]>>>
  /** The same in a dedicated worker of the page. The worker loads the module again and ends afterwards. */
  callInWorker<N extends keyof M & string>(name: N, ...values: Parameters<M[N]>): Promise<Awaited<ReturnType<M[N]>>>
  /** Everything on the console so far, including workers' output and uncaught errors, as `warning: …`. */
  readonly said: string[]
  /** The number of the page's workers; NaN in WebKit, which does not tell. */
  workers(): number
  close(): Promise<void>
}

export interface Site<M extends Functions> {
  open(headers?: Headers): Promise<OpenPage<M>>
  close(): Promise<void>
}

const html = `<!doctype html><title>test</title><link rel="icon" href="data:,">
<script src="./before.js"></script><script type="module" src="./start.js"></script>`

const starter = `globalThis.tests = await import('./page.js')`

const worker = `onmessage = async ({ data: [name, values] }) => {
  try {
    const tests = await import('./page.js')
    postMessage({ value: await tests[name](...values) })
  } catch (error) {
    postMessage({ error: String(error.stack ?? error) })
  }
}`

/** Calls a function of the page's module. This code runs in the page. */
async function callThere({ name, values, inWorker }: Asked): Promise<unknown> {
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

/** Bundles a module of test functions and starts the browser for it. `flags` are further ones for Chromium. */
export async function openSite<M extends Functions>(
  entry: URL,
  { browser: name = 'chromium', flags = [] }: { browser?: BrowserName; flags?: readonly string[] } = {},
): Promise<Site<M>> {
  const files = new Map<string, string | Uint8Array>([
    ...(await bundle(entry)),
    ['', html],
    ['before.js', name === 'webkit' ? recordConsole : ''],
    ['start.js', starter],
    ['worker.js', worker],
  ])
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
  const browser = await start(name, flags)

  return {
    async open(headers = {}) {
      const tab = await browser.open(`${origin}/${opened.push(headers) - 1}/`)
      const call =
        (inWorker: boolean) =>
        (name: string, ...values: unknown[]) =>
          tab.run(callThere, { name, values, inWorker })
      return {
        call: call(false) as OpenPage<M>['call'],
        callInWorker: call(true) as OpenPage<M>['callInWorker'],
        said: tab.said,
        workers: tab.workers,
        close: tab.close,
      }
    },
    async close() {
      await browser.close()
      server.closeAllConnections()
      server.close()
    },
  }
}

/** Serves the site from a path below the top, with the strictest policy of scripts under which it has to work, and no other header. */
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { out } from '../build/places.js'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
}

/** Where the site lies on the server. */
const PATH = '/some/where/'
export const policy = "script-src 'self' 'wasm-unsafe-eval' blob:"

export async function serveSite(): Promise<{ base: string; close(): void }> {
  const server = createServer(({ url = '' }, response) => {
    const path = decodeURIComponent(url.split('?')[0])
    const named = path.startsWith(PATH) ? normalize(path.slice(PATH.length)) : undefined
    const file =
      named === undefined || named.startsWith('..')
        ? undefined
        : join(out, named.endsWith('/') || named === '.' ? join(named, 'index.html') : named)
    if (!file || !existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end('There is no such file.')
      return
    }
    response.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'text/plain; charset=utf-8', 'Content-Security-Policy': policy })
    createReadStream(file).pipe(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}${PATH}`,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

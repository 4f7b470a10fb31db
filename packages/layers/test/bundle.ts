/** One file of a program of ours, for processes that start often. */
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** @param entry from this folder */
export async function bundle(entry: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['@cotangent/source'],
    external: ['gpu.js', 'webgpu', 'gl'],
    logLevel: 'error',
  })
}

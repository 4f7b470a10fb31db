/** Bundles a program into one file, for processes that start often. */
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** @param entry its path from this folder */
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

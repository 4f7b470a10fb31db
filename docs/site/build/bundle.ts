/**
 * The scripts of the site, by esbuild. The folder parts/x-y holds the custom element `x-y`: index.ts defines it, worker.ts, if there is one, is what runs in its worker.
 * What several of them need lies in files that they share.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildOptions, build, type Metafile } from 'esbuild'
import { out, top } from './places.js'

const parts = join(top, 'docs/site/parts')

/** The names of all custom elements that have a script. */
export const elements = (): string[] => readdirSync(parts).filter((name) => existsSync(join(parts, name, 'index.ts')))

export async function bundle(): Promise<Metafile> {
  const entryPoints = Object.fromEntries(
    elements().flatMap((name) => [
      [name, join(parts, name, 'index.ts')],
      ...(existsSync(join(parts, name, 'worker.ts')) ? [[`${name}-worker`, join(parts, name, 'worker.ts')]] : []),
    ]),
  )
  const options: BuildOptions = {
    entryPoints,
    outdir: join(out, 'parts'),
    bundle: true,
    splitting: true,
    minify: true,
    sourcemap: false,
    format: 'esm',
    target: 'es2022',
    charset: 'utf8',
    conditions: ['@cotangent/source', 'browser'],
    // What only Node and an explicit choice of gpu.js or HDF5 load.
    external: ['node:*', 'gpu.js', 'h5wasm'],
    nodePaths: [join(top, 'docs/node_modules'), join(top, 'node_modules')],
    legalComments: 'linked',
    metafile: true,
    logLevel: 'warning',
  }
  return (await build(options)).metafile as Metafile
}

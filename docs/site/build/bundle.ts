/**
 * The scripts of the site, by esbuild. The folder parts/x-y holds the custom element `x-y`: index.ts defines it, worker.ts, if there is one, is what runs in its worker.
 * What several of them need lies in files that they share.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild'
import { out, top } from './places.js'

const parts = join(top, 'docs/site/parts')

/** The names of all custom elements that have a script. */
export const elements = (): string[] => readdirSync(parts).filter((name) => existsSync(join(parts, name, 'index.ts')))

/** `import text from 'text:../file.ts'` gives a file as it is written, to be shown. */
const texts: Plugin = {
  name: 'texts',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^text:/ }, ({ path, importer }) => ({ path: resolve(dirname(importer), path.slice(5)), namespace: 'text' }))
    onLoad({ filter: /./, namespace: 'text' }, ({ path }) => ({ contents: readFileSync(path, 'utf8'), loader: 'text' }))
  },
}

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
    plugins: [texts],
    // What only Node and an explicit choice of HDF5 load. (gpu.js is a chunk of its own, for pages that import @cotangent/core/gpu.)
    external: ['node:*', 'h5wasm'],
    nodePaths: [join(top, 'docs/node_modules'), join(top, 'node_modules')],
    legalComments: 'linked',
    metafile: true,
    logLevel: 'warning',
  }
  return (await build(options)).metafile as Metafile
}

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

/** The workers that share no files with others: the front page is somebody's first, so it loads what it needs of the library and no more. */
const ALONE: readonly string[] = ['train-digits']

export async function bundle(): Promise<Metafile> {
  const worker = (name: string): [string, string][] => {
    const path = join(parts, name, 'worker.ts')
    return existsSync(path) ? [[`${name}-worker`, path]] : []
  }
  const shared = elements().flatMap((name) => [[name, join(parts, name, 'index.ts')], ...(ALONE.includes(name) ? [] : worker(name))])
  const built = await Promise.all([shared, ...ALONE.map(worker)].map((entries) => bundled(Object.fromEntries(entries))))
  return {
    inputs: Object.assign({}, ...built.map(({ inputs }) => inputs)),
    outputs: Object.assign({}, ...built.map(({ outputs }) => outputs)),
  }
}

async function bundled(entryPoints: Record<string, string>): Promise<Metafile> {
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
    // An import for its types alone: packages/datasets/src/globals.ts.
    logOverride: { 'ignored-bare-import': 'silent' },
  }
  return (await build(options)).metafile as Metafile
}

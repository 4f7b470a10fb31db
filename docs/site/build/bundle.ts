/**
 * The scripts of the site, by esbuild. The folder parts/x-y holds the custom element `x-y`: index.ts defines it, worker.ts, if there is one, is what runs in its worker.
 * Code that several of them need lies in files that they share.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild'
import { lensOps } from '../../../bench/lens/ops.js'
import { typeset } from './markdown.js'
import { out, top } from './places.js'

const parts = join(top, 'docs/site/parts')

/** The names of all custom elements that have a script. */
export const elements = (): string[] => readdirSync(parts).filter((name) => existsSync(join(parts, name, 'index.ts')))

/** Modules that the build makes for the parts: `import names from 'site:names'`. */
const made: Readonly<Record<string, () => object>> = {
  /** The values and classes that a program can import, by module, from the reviewed lists. */
  'site:names': () =>
    Object.fromEntries(
      ['core', 'layers'].map((name) => {
        const lines = readFileSync(join(top, `packages/${name}/api.txt`), 'utf8').split('\n')
        const found = lines.flatMap((line) => /^(?:value|class) (\w+)/.exec(line)?.[1] ?? [])
        return [`@cotangent/${name}`, [...new Set(found)]]
      }),
    ),
  /** The formulas of the lens as HTML, so that the page need not typeset them. */
  'site:formulas': () => Object.fromEntries(lensOps.map(({ name, formula }) => [name, typeset(formula, true)])),
}
const maker: Plugin = {
  name: 'made',
  setup(builder) {
    builder.onResolve({ filter: /^site:/ }, ({ path }) => ({ path, namespace: 'site' }))
    builder.onLoad({ filter: /./, namespace: 'site' }, ({ path }) => ({ contents: JSON.stringify(made[path]()), loader: 'json' }))
  },
}
/** The workers that share no files with others: these pages load what they need of the library and no more. The front page is somebody's first, and the time machine runs at once. */
const ALONE: readonly string[] = ['train-digits', 'time-machine']
/** `import text from 'text:../file.ts'` gives a file as it is written, to be shown. */
const texts: Plugin = {
  name: 'texts',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^text:/ }, ({ path, importer }) => ({ path: resolve(dirname(importer), path.slice(5)), namespace: 'text' }))
    onLoad({ filter: /./, namespace: 'text' }, ({ path }) => ({ contents: readFileSync(path, 'utf8'), loader: 'text' }))
  },
}

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
    // Modules that only Node and an explicit choice of HDF5 load. (gpu.js is a chunk of its own, for pages that import @cotangent/core/gpu.)
    external: ['node:*', 'h5wasm'],
    nodePaths: [join(top, 'docs/node_modules'), join(top, 'node_modules')],
    legalComments: 'linked',
    plugins: [maker, texts],
    metafile: true,
    logLevel: 'warning',
    // An import for its types alone: packages/datasets/src/globals.ts.
    logOverride: { 'ignored-bare-import': 'silent' },
  }
  return (await build(options)).metafile as Metafile
}

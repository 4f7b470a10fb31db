/**
 * The scripts of the site, by esbuild. The folder parts/x-y holds the custom element `x-y`: index.ts defines it, worker.ts, if there is one, is what runs in its worker.
 * What several of them need lies in files that they share.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild'
import { out, top } from './places.js'

const parts = join(top, 'docs/site/parts')

/** The names of all custom elements that have a script. */
export const elements = (): string[] => readdirSync(parts).filter((name) => existsSync(join(parts, name, 'index.ts')))

/** `import names from 'site:names'` gives the values and classes that a program can import, by module, from the reviewed lists. */
const names: Plugin = {
  name: 'names',
  setup(builder) {
    builder.onResolve({ filter: /^site:names$/ }, ({ path }) => ({ path, namespace: 'site' }))
    builder.onLoad({ filter: /./, namespace: 'site' }, () => {
      const lists = ['core', 'layers'].map((name) => {
        const lines = readFileSync(join(top, `packages/${name}/api.txt`), 'utf8').split('\n')
        const found = lines.flatMap((line) => /^(?:value|class) (\w+)/.exec(line)?.[1] ?? [])
        return [`@cotangent/${name}`, [...new Set(found)]]
      })
      return { contents: JSON.stringify(Object.fromEntries(lists)), loader: 'json' }
    })
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
    // What only Node and an explicit choice of gpu.js or HDF5 load.
    external: ['node:*', 'gpu.js', 'h5wasm'],
    nodePaths: [join(top, 'docs/node_modules'), join(top, 'node_modules')],
    legalComments: 'linked',
    plugins: [names],
    metafile: true,
    logLevel: 'warning',
  }
  return (await build(options)).metafile as Metafile
}

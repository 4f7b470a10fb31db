/** Programs whose bundles are measured: by bundles.test.ts against their ceilings, by `npm run trust` for the table of docs/trust.md. */
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

export interface BundledProgram {
  readonly name: string
  readonly program: string
  /** The most bytes, gzipped. A commit that needs more raises it here, and says why. */
  readonly ceiling: number
}

export const bundledPrograms: readonly BundledProgram[] = [
  { name: 'tensors and `grad`', program: "export { grad, tensor } from '@cotangent/core'", ceiling: 67_500 },
  { name: 'a `Sequential` of dense layers', program: "export { dense, Sequential } from '@cotangent/layers'", ceiling: 138_500 },
  { name: 'the same with an LSTM', program: "export { dense, lstm, Sequential } from '@cotangent/layers'", ceiling: 159_000 },
  {
    name: 'the same with convolution and pooling',
    program: "export { conv2d, dense, flatten, maxPooling2d, Sequential } from '@cotangent/layers'",
    ceiling: 159_000,
  },
  { name: 'all of core', program: "export * from '@cotangent/core'", ceiling: 166_000 },
  { name: 'all of layers', program: "export * from '@cotangent/layers'", ceiling: 302_000 },
]

/** The bytes that a page loads before a program runs, gzipped, and the modules in them. Files that load later do not count. */
export async function measureBundle(program: string): Promise<{ bytes: number; held: string[] }> {
  const { metafile, outputFiles } = await build({
    stdin: { contents: program, resolveDir: fileURLToPath(new URL('../../../examples', import.meta.url)), loader: 'ts' },
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    conditions: ['@cotangent/source'],
    external: ['node:*'],
    outdir: 'out',
    write: false,
    metafile: true,
  })
  const loaded = new Set(Object.keys(metafile.outputs).filter((path) => metafile.outputs[path].entryPoint === '<stdin>'))
  for (const path of loaded)
    for (const { kind, path: other } of metafile.outputs[path].imports)
      if (kind === 'import-statement' && metafile.outputs[other]) loaded.add(other)
  let bytes = 0
  const held: string[] = []
  for (const path of loaded) {
    const file = outputFiles.find((each) => each.path.endsWith(path))
    bytes += gzipSync(file!.contents).length
    for (const [input, { bytesInOutput }] of Object.entries(metafile.outputs[path].inputs)) if (bytesInOutput > 0) held.push(input)
  }
  return { bytes, held }
}

/** What a bundler sees of the packages that are optional: nothing, unless the entry for gpu.js is imported. */
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, test } from 'vitest'

const source = (name: string): string => JSON.stringify(fileURLToPath(new URL(`../src/${name}`, import.meta.url)))

/** The modules that a bundle holds or asks for, and its text. */
async function bundle(program: string): Promise<{ asked: string[]; held: string[]; text: string; warnings: number }> {
  const { metafile, outputFiles, warnings } = await build({
    stdin: { contents: program, resolveDir: import.meta.dirname, loader: 'ts' },
    bundle: true,
    splitting: true,
    minifySyntax: true, // which folds constants
    format: 'esm',
    target: 'es2022',
    outdir: 'out',
    write: false,
    metafile: true,
    logLevel: 'silent',
  })
  const inputs = Object.entries(metafile.inputs)
  return {
    asked: inputs.flatMap(([, { imports }]) => imports.filter(({ external }) => external).map(({ path }) => path)),
    held: inputs.map(([path]) => path).filter((path) => path.includes('node_modules')),
    text: outputFiles.map(({ text }) => text).join('\n'),
    warnings: warnings.length,
  }
}

test('the main entry asks for no package, by no name that could be folded', async () => {
  const { asked, held, text, warnings } = await bundle(`export * from ${source('index.ts')}`)
  expect([asked, held, warnings]).toEqual([[], [], 0])
  const imports = Array.from(text.matchAll(/\bimport\(([^)]*)\)/g), ([, what]) => what.replace(/\/\*.*?\*\//gs, '').trim())
  // Its own chunk, and the one import by a name that is an argument.
  for (const what of imports) expect(what).toMatch(/^"\.\/[\w-]+\.js"$|^name$/)
  expect(imports).toContain('name')
})

test('the entry for gpu.js brings it along', async () => {
  const { asked, held } = await bundle(`import ${source('gpu.ts')}\nexport * from ${source('index.ts')}`)
  expect(asked).toEqual([])
  expect(held.some((path) => path.includes('gpu.js/dist/gpu-browser'))).toBe(true)
})

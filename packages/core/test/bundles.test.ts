/**
 * Bundles: optional packages are in one only if it imports the entry for gpu.js, and tree shaking leaves programs that work.
 *
 * Loading core has effects: ops register themselves, and index.ts attaches the methods. So core's package.json says `sideEffects: true`; with `false` a
 * bundler would drop index.ts. Loading layers or datasets has no effect.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { bundledPrograms, measureBundle } from './bundle-sizes.js'

const trust = readFileSync(new URL('../../../docs/trust.md', import.meta.url), 'utf8')

const source = (name: string): string => JSON.stringify(fileURLToPath(new URL(`../src/${name}`, import.meta.url)))

/** Bundles a program: the modules that the bundle contains, those it asks for, and its text. */
async function bundle(program: string): Promise<{ asked: string[]; held: string[]; text: string; warnings: number }> {
  const { metafile, outputFiles, warnings } = await build({
    stdin: { contents: program, resolveDir: import.meta.dirname, loader: 'ts' },
    bundle: true,
    splitting: true,
    minifySyntax: true, // folds constants
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

test('the main entry imports no package, and no name that a bundler could fold into one', async () => {
  const { asked, held, text, warnings } = await bundle(`export * from ${source('index.ts')}`)
  expect([asked, held, warnings]).toEqual([[], [], 0])
  const imports = Array.from(text.matchAll(/\bimport\(([^)]*)\)/g), ([, what]) => what.replace(/\/\*.*?\*\//gs, '').trim())
  // Its own chunk, and the one import whose name is an argument.
  for (const what of imports) expect(what).toMatch(/^"\.\/[\w-]+\.js"$|^name$/)
  expect(imports).toContain('name')
})

test('the entry for gpu.js brings it along', async () => {
  const { asked, held } = await bundle(`import ${source('gpu.ts')}\nexport * from ${source('index.ts')}`)
  expect(asked).toEqual([])
  expect(held.some((path) => path.includes('gpu.js/dist/gpu-browser'))).toBe(true)
})

/** Bundles a program of two named imports, dropping what package.json's `sideEffects` allows; runs it; returns what it prints. */
async function shaken(program: string): Promise<{ printed: string; bytes: number }> {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: fileURLToPath(new URL('../../../examples', import.meta.url)), loader: 'ts' },
    bundle: true,
    treeShaking: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    conditions: ['@cotangent/source'],
    external: ['gpu.js', 'h5wasm'],
    write: false,
    logLevel: 'silent',
  })
  const [{ text, contents }] = outputFiles
  return {
    printed: execFileSync(process.execPath, ['--input-type=module'], { input: text, encoding: 'utf8' }).trim(),
    bytes: contents.length,
  }
}

test('a program of two names of core differentiates', async () => {
  const program = `import { grad, tensor } from '@cotangent/core'
    console.log(String(await grad((x) => x.square().sum())(tensor([1, 2])).array()))`
  expect((await shaken(program)).printed).toBe('2,4')
})

test('a program of two layers trains, without what it does not name', async () => {
  const use = `const model = new Sequential([dense(1, { inputShape: [1] })], { seed: 7 })
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    const { history } = await model.fit([[1], [2]], [[2], [4]], { epochs: 2, verbose: 0 })
    console.log(history.loss[1] < history.loss[0])`
  const few = await shaken(`import { dense, Sequential } from '@cotangent/layers'\n${use}`)
  const all = await shaken(
    `import * as layers from '@cotangent/layers'\nconst { dense, Sequential } = layers\n${use}\nglobalThis.kept = layers`,
  )
  expect([few.printed, all.printed]).toEqual(['true', 'true'])
  expect(few.bytes).toBeLessThan(all.bytes)
})

test('a program that names no op of images, networks, linear algebra, Fourier transforms or statistics holds none of them, and runs', async () => {
  const program = `import { grad, tensor } from ${source('index.ts')}
    export const slope = await grad((x) => x.tanh().square().sum())(tensor([0, 1])).array()`
  const { metafile, outputFiles } = await build({
    stdin: { contents: program, resolveDir: import.meta.dirname, loader: 'ts' },
    bundle: true,
    minifySyntax: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    metafile: true,
    outfile: 'out.js',
  })
  const [{ inputs }] = Object.values(metafile.outputs)
  const held = Object.keys(inputs).filter((path) => inputs[path].bytesInOutput > 0)
  expect(held.some((path) => path.includes('src/ops/product/'))).toBe(true)
  const left =
    /src\/ops\/(?:(?:windows|recurrent|activation|attention|image|linalg|fourier|cumulative|random)\/|.*(?:-norm|normalize|einsum|outer|segment|quantile|search|cross-entropy)\.ts$)/
  expect(held.filter((path) => left.test(path))).toEqual([])
  // With the ops go their kernels.
  expect(held.filter((path) => /backends\/(families|wasm\/(attention|windows|recurrent))\//.test(path))).toEqual([])
  const { slope } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`)
  expect(slope[0]).toBe(0)
  expect(slope[1]).toBeCloseTo(2 * Math.tanh(1) * (1 - Math.tanh(1) ** 2), 5)
})

test.each(bundledPrograms)('a page of $name loads at most $ceiling bytes, gzipped, before it runs', async ({ program, ceiling, name }) => {
  const { bytes } = await measureBundle(program)
  expect(bytes).toBeLessThanOrEqual(ceiling)
  // The table that readers see has the same ceiling.
  const row = trust.split('\n').find((line) => line.startsWith(`| ${name} |`))
  expect(row).toMatch(new RegExp(`\\| ${ceiling / 1000} \\|$`))
})

test('a Sequential of dense layers holds no operation between layers, and no op or kernel of families that it does not name', async () => {
  const { held } = await measureBundle("export { dense, Sequential } from '@cotangent/layers'")
  expect(held.some((path) => path.includes('layers/src/layers/core/dense.ts'))).toBe(true)
  const left =
    /src\/(?:ops\/(?:windows|recurrent|attention|image|linalg|fourier|cumulative)\/|backends\/wasm\/(?:attention|windows|recurrent)\/|backends\/gpu\/|graph\/operations\/|io\/)|h5wasm/
  expect(held.filter((path) => left.test(path))).toEqual([])
})

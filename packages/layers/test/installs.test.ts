/**
 * The packed packages on every host and in every bundler. Other Nodes come from `npm run nodes:install`; Deno, Bun and the bundlers from npm into a folder of their own,
 * and where npm cannot get them, their tests are skipped and say so. `npm run test:long` alone builds with bundlers other than the repository's esbuild.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { installPacked, root, run } from './packed-packages.js'

const folder = mkdtempSync(join(tmpdir(), 'cotangent-installs-'))
const tools = join(folder, 'tools')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const long = process.env.COTANGENT_TESTS === 'all'
const bundlers = ['vite@8', 'webpack@5', 'rollup@4', '@rollup/plugin-node-resolve@16']

/** Installs packages where only tests find them; false if npm cannot get them. */
function fetched(...packages: string[]): boolean {
  mkdirSync(tools, { recursive: true })
  const options = ['--silent', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--prefix', tools]
  try {
    run('npm', ['install', ...options, ...packages], root)
    return true
  } catch {
    return false
  }
}
const tool = (path: string): string => join(tools, 'node_modules', path)
const isLinux = process.platform === 'linux' && process.arch === 'x64'
// One call: a second would remove what the first has installed.
const all = fetched(...(isLinux ? ['@deno/linux-x64-glibc@2', '@oven/bun-linux-x64@1'] : []), ...(long ? bundlers : []))
const missing = (path: string): string => (existsSync(path) ? '' : ' (skipped: not here)')

beforeAll(() => {
  installPacked(folder)
}, 480_000)

const program = `
import { grad, split, tensor } from '@cotangent/core'
import { Adam, dense, losses, Sequential } from '@cotangent/layers'
import { loadModel, saveModel } from '@cotangent/layers/node'
const model = new Sequential([dense(4, { activation: 'relu', inputShape: [2] }), dense(2, { activation: 'softmax' })], { seed: 1 })
model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy' })
const x = [[0, 0], [0, 1], [1, 0], [1, 1]]
const { history } = await model.fit(x, [[1, 0], [0, 1], [0, 1], [1, 0]], { epochs: 3, verbose: 0 })
const values = await (await model.predict(x)).array()
const same = []
for (const file of ['model.h5', 'model.keras']) {
  await saveModel(model, file)
  same.push(JSON.stringify(await (await (await loadModel(file)).predict(x)).array()) === JSON.stringify(values))
}
const slope = await grad((v) => v.square().sum())(tensor([1, 2])).array()
const names = [Sequential, Adam, split, losses.meanSquaredError].map(({ name }) => name)
console.log(JSON.stringify({ learns: history.loss[2] < history.loss[0], same, slope, names, values }))
`
/** Reads a model that a host with more permissions has saved. */
const reader = `
import { loadModel } from '@cotangent/layers/node'
console.log(JSON.stringify(await (await (await loadModel('model.h5')).predict([[0, 0], [0, 1], [1, 0], [1, 1]])).array()))
`

describe('hosts', () => {
  const deno = tool('@deno/linux-x64-glibc/deno')
  const bun = tool('@oven/bun-linux-x64/bin/bun')
  const hosts: [name: string, command: string, args: string[]][] = [
    ...['22', '24', '26'].map((major): [string, string, string[]] => [
      `Node ${major}`,
      join(root, `.nodes/node_modules/node-${major}/bin/node`),
      [],
    ]),
    ['Bun', bun, ['run']],
    ['Deno that may read and write this folder', deno, ['run', '--no-prompt', '--allow-read', '--allow-write=.']],
  ]
  let own: { values: number[][] }
  beforeAll(() => {
    writeFileSync(join(folder, 'program.mjs'), program)
    writeFileSync(join(folder, 'reader.mjs'), reader)
    writeFileSync(join(folder, 'required.cjs'), "console.log(typeof require('@cotangent/layers/node').loadModel)")
    own = JSON.parse(run(process.execPath, ['program.mjs'], folder))
  })

  test('this Node trains, saves and loads; functions and classes have their names', () => {
    expect(own).toMatchObject({
      learns: true,
      same: [true, true],
      slope: [2, 4],
      names: ['Sequential', 'Adam', 'split', 'meanSquaredError'],
    })
  })

  for (const [name, command, args] of hosts) {
    test.skipIf(missing(command))(`${name} does the same, with the same bits${missing(command)}`, () => {
      expect(JSON.parse(run(command, [...args, 'program.mjs'], folder))).toEqual(own)
      if (name.startsWith('Node')) expect(run(command, ['required.cjs'], folder)).toBe('function\n')
    })
  }
  test.skipIf(missing(deno))(`Deno that may only read loads a model${missing(deno)}`, () => {
    expect(JSON.parse(run(deno, ['run', '--no-prompt', '--allow-read', 'reader.mjs'], folder))).toEqual(own.values)
  })
})

/** A page that trains; with files and gpu.js, it may load both later. */
const page = (files: string): string => `
import { useBackend } from '@cotangent/core'
import { dense, ${files} Sequential } from '@cotangent/layers'
const model = new Sequential([dense(2, { activation: 'softmax', inputShape: [2] })], { seed: 7 })
model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' })
const { history } = await model.fit([[1, 2], [3, 1]], [[0, 1], [1, 0]], { epochs: 2, verbose: 0 })
globalThis.later = { ${files} gpu: () => useBackend('gpu') }
console.log(history.loss[1] < history.loss[0])
`

/** Each builds `main.js` of the folder into `out` and prints its warnings as a JSON list. */
const builds: Record<string, string> = {
  esbuild: `
    import { build } from '${join(root, 'node_modules/esbuild/lib/main.js')}'
    const { warnings } = await build({ entryPoints: ['main.js'], bundle: true, splitting: true, format: 'esm', minify: true, outdir: 'out', logLevel: 'silent' })
    console.log(JSON.stringify(warnings))`,
  rollup: `
    import { rollup } from '${tool('rollup/dist/es/rollup.js')}'
    import resolve from '${tool('@rollup/plugin-node-resolve/dist/es/index.js')}'
    const said = []
    const made = await rollup({ input: 'main.js', plugins: [resolve({ browser: true })], onLog: (level, { message }) => said.push(level + ': ' + message) })
    await made.write({ dir: 'out', format: 'es' })
    console.log(JSON.stringify(said))`,
  webpack: `
    import webpack from '${tool('webpack/lib/index.js')}'
    // Without its advice about sizes, which counts files that load later, too.
    const options = { mode: 'production', context: process.cwd(), entry: './main.js', performance: false, output: { path: process.cwd() + '/out', filename: 'main.js' } }
    webpack(options, (error, { compilation }) => console.log(JSON.stringify([...(error ? [String(error)] : []), ...[...compilation.warnings, ...compilation.errors].map(String)])))`,
  vite: `
    import { build } from '${tool('vite/dist/node/index.js')}'
    const said = []
    const note = (message) => said.push(message)
    const customLogger = { info() {}, warn: note, warnOnce: note, error: note, clearScreen() {}, hasErrorLogged: () => false, hasWarned: false }
    // The limit of its advice about sizes: HDF5 has 5 MB, and loads when a file is read.
    await build({ root: process.cwd(), configFile: false, customLogger, build: { outDir: 'out', target: 'es2022', chunkSizeWarningLimit: 6000 } })
    console.log(JSON.stringify(said))`,
}
const scriptsIn = (path: string): string[] =>
  readdirSync(path, { recursive: true, encoding: 'utf8' }).flatMap((name) => (name.endsWith('.js') ? [join(path, name)] : []))

describe('bundlers', () => {
  const isHere = (name: string): boolean => name === 'esbuild' || (long && all && existsSync(tool(name)))
  for (const [name, build] of Object.entries(builds)) {
    const reason = isHere(name) ? '' : long ? ' (skipped: npm did not get it)' : ' (skipped: npm run test:long)'
    test.skipIf(!isHere(name))(`${name} builds a page without a warning; HDF5 and the gpu backend are files of their own${reason}`, () => {
      const place = join(folder, name)
      mkdirSync(place)
      writeFileSync(join(place, 'index.html'), '<!doctype html><script type="module" src="./main.js"></script>')
      writeFileSync(join(place, 'build.mjs'), build)
      writeFileSync(join(place, 'main.js'), page('modelFromBytes,'))
      expect(JSON.parse(run(process.execPath, ['build.mjs'], place).split('\n').at(-2) as string)).toEqual([])
      const texts = scriptsIn(join(place, 'out')).map((path) => readFileSync(path, 'utf8'))
      // A word of each: of training, of HDF5's library, of the gpu backend.
      const holding = (word: string): number[] => texts.flatMap((text, i) => (text.includes(word) ? [i] : []))
      const [first, hdf5, gpu] = [holding('categoricalCrossentropy'), holding('H5Fopen'), holding('headlessgl')]
      expect([first.length, hdf5.length > 0, gpu.length > 0]).toEqual([1, true, true])
      expect([...hdf5, ...gpu]).not.toContain(first[0])
    })
  }
})

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../../..')
const folder = mkdtempSync(join(tmpdir(), 'cotangent-packed-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const run = (command: string, args: readonly string[], cwd: string): string =>
  execFileSync(command, args, { cwd, encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' }, stdio: ['ignore', 'pipe', 'pipe'] })

/** What a user would write: every package imported, types used, one step trained. */
const program = `
import { grad, matMul, tensor, zeros, type Tensor } from '@cotangent/core'
import { dense, Sequential } from '@cotangent/layers'
import { loadModel, saveModel } from '@cotangent/layers/node'
import { toCategorical } from '@cotangent/datasets'

const dx: Tensor = grad((x: Tensor) => x.square().sum())(tensor([1, 2, 3]))
const y: Tensor<readonly [32, 10]> = matMul(zeros([32, 784] as const), zeros([784, 10] as const))
// @ts-expect-error inner dimensions differ
const bad = () => matMul(zeros([32, 784] as const), zeros([128, 10] as const))

const model = new Sequential([dense(4, { activation: 'relu', inputShape: [2] }), dense(2, { activation: 'softmax' })], { seed: 1 })
model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
const labels = toCategorical([0, 1, 1, 0])
const x = [[0, 0], [0, 1], [1, 0], [1, 1]]
const [first] = await model.trainOnBatch(x, labels)
for (let i = 0; i < 50; i++) await model.trainOnBatch(x, labels)
const [last] = await model.evaluate(x, labels)
const before = await (await model.predict(x)).array()
const same: boolean[] = []
for (const file of ['model.h5', 'model.keras']) {
  await saveModel(model, file)
  const after = await (await (await loadModel(file)).predict(x)).array()
  same.push(JSON.stringify(after) === JSON.stringify(before))
}
console.log(JSON.stringify({ same, dx: await dx.array(), shape: y.shape, bad: typeof bad, learns: last < first }))
`

test('the packed packages install into an empty folder, type-check, and train a step', () => {
  run('npm', ['run', 'build', '--silent'], root)
  for (const name of ['core', 'layers', 'datasets'])
    run('npm', ['pack', '--silent', '--pack-destination', folder, '-w', `@cotangent/${name}`], root)
  const archives = readdirSync(folder).filter((file) => file.endsWith('.tgz'))
  expect(archives.sort()).toEqual(['cotangent-core-0.1.0.tgz', 'cotangent-datasets-0.1.0.tgz', 'cotangent-layers-0.1.0.tgz'])

  writeFileSync(join(folder, 'package.json'), '{ "name": "user", "private": true, "type": "module" }')
  // What the packages depend on comes out of npm's cache, where installing this repository has left it.
  run('npm', ['install', '--silent', '--no-audit', '--no-fund', '--prefer-offline', ...archives.map((file) => `./${file}`)], folder)
  expect(readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual([
    '@cotangent',
    'fflate',
    'h5wasm',
    'nanotar',
  ])

  writeFileSync(join(folder, 'program.ts'), program)
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: { strict: true, target: 'ES2022', lib: ['ES2023', 'DOM', 'ESNext.Disposable'], module: 'NodeNext', types: [] },
      files: ['program.ts'],
    }),
  )
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], folder)
  const printed = JSON.parse(run(process.execPath, ['program.js'], folder)) as unknown
  expect(printed).toEqual({ same: [true, true], dx: [2, 4, 6], shape: [32, 10], bad: 'function', learns: true })
})

/** The packages as users install them: packed, installed into an empty folder, compiled by several compilers, and run. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { installPacked, root, run } from './packed-packages.js'

const folder = mkdtempSync(join(tmpdir(), 'cotangent-packed-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A user's program: it imports every package, uses types, and trains one step. */
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
console.log(JSON.stringify({ same, dx: await dx.array(), shape: y.shape, bad: typeof bad, learns: Number(last) < Number(first) }))
`

/** A declaration of every entry, for the compilers of users alone. */
const entries = `
export * from '@cotangent/core'
export * from '@cotangent/core/gpu'
export * as layers from '@cotangent/layers'
export * as node from '@cotangent/layers/node'
export * as report from '@cotangent/layers/report'
export * as datasets from '@cotangent/datasets'
export * as formats from '@cotangent/datasets/formats'
`

/** Compiler settings of users that check declarations more strictly than ours. */
const strictest = { strict: true, skipLibCheck: false, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, noEmit: true }
/**
 * The oldest TypeScript that works, and the one that builds these packages. The oldest is installed here and no dependency of the repository, since two versions would share
 * one `tsc`; where npm cannot get it, it is left out.
 */
function compilers(): string[] {
  const found = [join(root, 'node_modules/typescript')]
  const oldest = join(folder, 'oldest')
  try {
    run('npm', ['install', '--silent', '--no-audit', '--no-fund', '--prefer-offline', '--prefix', oldest, 'typescript@5.5.4'], root)
    found.unshift(join(oldest, 'node_modules/typescript'))
  } catch (error) {
    console.log(`typescript@5.5.4 was not tried: npm did not get it (${(error as Error).message})`)
  }
  return found
}
/** Without types of a host, and with those of browsers and of Node, which must not clash with ours. */
const surroundings = {
  nothing: { lib: ['ES2022'], types: [] },
  browser: { lib: ['ES2023', 'DOM'], types: [] },
  node: { lib: ['ES2023'], types: ['node'], typeRoots: [join(root, 'node_modules/@types')] },
}

test('the packed packages install into an empty folder, type-check, and train a step', () => {
  const archives = installPacked(folder)
  expect(archives).toEqual(['cotangent-core-0.1.0.tgz', 'cotangent-datasets-0.1.0.tgz', 'cotangent-layers-0.1.0.tgz'])

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

  writeFileSync(join(folder, 'entries.ts'), entries)
  for (const [i, compiler] of compilers().entries()) {
    // The newest compiler is tried where no types of a host are there.
    for (const [name, around] of Object.entries(surroundings).slice(0, i === 0 ? undefined : 1)) {
      const compilerOptions = { ...strictest, ...around, target: 'ES2022', module: 'NodeNext' }
      writeFileSync(join(folder, `${name}.json`), JSON.stringify({ compilerOptions, files: ['program.ts', 'entries.ts'] }))
      const said = spawnSync(process.execPath, [join(compiler, 'bin/tsc'), '-p', `${name}.json`], {
        cwd: folder,
        encoding: 'utf8',
      })
      // Only Node and browsers have types for the user's console.log.
      const errors = said.stdout
        .split('\n')
        .filter((line) => line !== '' && !(name === 'nothing' && line.includes("Cannot find name 'console'")))
      expect(errors, `${compiler} with ${name}`).toEqual([])
    }
  }

  const printed = JSON.parse(run(process.execPath, ['program.js'], folder)) as unknown
  expect(printed).toEqual({ same: [true, true], dx: [2, 4, 6], shape: [32, 10], bad: 'function', learns: true })
}, 480_000) // npm and five compilers, on a machine that may be busy

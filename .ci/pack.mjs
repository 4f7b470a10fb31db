/**
 * `npm run pack`: builds the packages and packs them into out/pack, as a registry would serve them.
 *
 * `npm run pack:check` then looks at the tarballs from outside:
 *
 * - publint and "are the types wrong" find nothing (both come from the registry, by npx);
 * - a new project, outside of this repository, installs the three tarballs. TypeScript accepts a program that imports every entry point, with the
 *   module resolutions node16 and bundler; the program trains two steps, as it is and bundled by esbuild.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const packed = join(root, 'out', 'pack')
const names = ['core', 'layers', 'datasets']

const run = (command, args, cwd = root) => {
  console.log(`> ${command} ${args.join(' ').replaceAll(root, '')}`)
  execFileSync(command, args, { cwd, stdio: 'inherit', shell: process.platform === 'win32' })
}

const program = `
import { grad, tensor } from '@cotangent/core'
import { requireFunction } from '@cotangent/core/arguments'
import { createGpuBackend } from '@cotangent/core/gpu'
import { ModuleBuilder } from '@cotangent/core/kernels'
import { ndarray, toCategorical } from '@cotangent/datasets'
import { writeNpy } from '@cotangent/datasets/formats'
import { dense, Sequential } from '@cotangent/layers'
import { report, saveModel } from '@cotangent/layers/node'
import { readRecord } from '@cotangent/layers/report'

for (const entry of [requireFunction, createGpuBackend, ModuleBuilder, writeNpy, saveModel, readRecord]) if (typeof entry !== 'function') throw new Error('an entry is empty')

const slope: number[] = Array.from(await grad((x) => x.square().sum())(tensor([1, 2])).data())
if (slope.join() !== '2,4') throw new Error(\`the gradient is \${slope.join()}\`)

const model = new Sequential([dense(2, { activation: 'softmax', inputShape: [2] })], { seed: 7 })
model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' })
const labels = toCategorical(ndarray(Uint8Array.of(0, 1), [2]), 2)
const { history } = await model.fit([[1, 2], [3, 1]], labels, { epochs: 2, batchSize: 2, verbose: 0, callbacks: [report({ file: 'report.html' })] })
const [first, second] = history.loss
if (!(second < first)) throw new Error(\`the loss goes from \${first} to \${second}\`)
console.log(\`two steps: \${first.toFixed(4)} → \${second.toFixed(4)}\`)
`

function pack() {
  run('npm', ['run', 'build', '--silent'])
  rmSync(packed, { recursive: true, force: true })
  mkdirSync(packed, { recursive: true })
  run('npm', ['pack', '--silent', '--pack-destination', packed, ...names.flatMap((name) => ['--workspace', `@cotangent/${name}`])])
  return readdirSync(packed).map((name) => join(packed, name))
}

function lint(tarballs) {
  for (const tarball of tarballs) {
    run('npx', ['--yes', 'publint@0.3.25', tarball, '--strict'])
    // The packages are ES modules alone; resolution from CommonJS and by the rules before package.json's "exports" is left out.
    run('npx', ['--yes', '@arethetypeswrong/cli@0.18.5', tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-emoji'])
  }
}

function useFromOutside(tarballs) {
  const project = mkdtempSync(join(tmpdir(), 'cotangent-pack-'))
  try {
    const write = (name, text) => writeFileSync(join(project, name), text)
    write('package.json', JSON.stringify({ name: 'outside', private: true, type: 'module' }))
    run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...tarballs], project)
    write('train.ts', program)
    const options = { strict: true, target: 'ES2022', lib: ['ES2023', 'ESNext.Disposable', 'DOM'], types: [], outDir: 'out' }
    for (const [module, moduleResolution] of [
      ['ESNext', 'bundler'],
      ['Node16', 'node16'],
    ]) {
      write('tsconfig.json', JSON.stringify({ compilerOptions: { ...options, module, moduleResolution }, files: ['train.ts'] }))
      run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project])
    }
    run(process.execPath, ['out/train.js'], project)
    const esbuild = join(root, 'node_modules/esbuild/bin/esbuild')
    run(
      esbuild,
      ['out/train.js', '--bundle', '--format=esm', '--platform=node', '--external:gpu.js', '--outfile=bundled.mjs', '--log-level=warning'],
      project,
    )
    run(process.execPath, ['bundled.mjs'], project)
  } finally {
    rmSync(project, { recursive: true, force: true })
  }
}

const tarballs = pack()
if (process.argv.includes('--check')) {
  lint(tarballs)
  useFromOutside(tarballs)
}
console.log(tarballs.map((path) => path.slice(root.length)).join('\n'))

/**
 * Makes the scripts of reports with esbuild. `npm run build` writes them to dist/report: `view.js` for pages that train, `script.js` for report files. Run from source, they
 * are made when a report is written, once for each state of the sources.
 */
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))

/** The licences of the packages in a bundle, as a comment: each copy of their code has to hold them. */
async function notices(inputs: readonly string[]): Promise<string> {
  const folders = new Set(inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []))
  const texts = new Map<string, string[]>()
  for (const folder of folders) {
    const file = (await readdir(folder)).find((name) => /^licen[cs]e/i.test(name))
    const text = file ? (await readFile(join(folder, file), 'utf8')).replaceAll('*/', '* /').trim() : 'See its package.json.'
    texts.set(text, [...(texts.get(text) ?? []), folder.slice(folder.lastIndexOf('node_modules/') + 13)])
  }
  return `/*!\n${Array.from(texts, ([text, names]) => `${names.join(', ')}:\n${text}\n`).join('\n')}*/\n`
}

async function bundle(entry: string, format: 'iife' | 'esm'): Promise<string> {
  const { build } = await import('esbuild')
  const { outputFiles, metafile } = await build({
    absWorkingDir: here,
    metafile: true,
    entryPoints: [join(here, entry)],
    bundle: true,
    minify: true,
    format,
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'inline',
    write: false,
    logLevel: 'silent', // problems are thrown
  })
  return (await notices(Object.keys(metafile.inputs).map((path) => join(here, path)))) + outputFiles[0].text
}

/** The script of a report file. It is kept under node_modules/.cache, or in the folder for temporary files. */
export async function pageScript(): Promise<string> {
  const hash = createHash('sha256')
  // It has the versions of the packages in the bundle.
  hash.update(await readFile(fileURLToPath(new URL('../../../../../package-lock.json', import.meta.url))).catch(() => ''))
  for (const name of (await readdir(here)).sort()) hash.update(name).update(await readFile(join(here, name)))
  const name = `report-${hash.digest('hex').slice(0, 16)}.js`
  const folders = [fileURLToPath(new URL('../../../../../node_modules/.cache/cotangent', import.meta.url)), join(tmpdir(), 'cotangent')]
  for (const folder of folders) {
    const kept = await readFile(join(folder, name), 'utf8').catch(() => undefined)
    if (kept) return kept
  }
  const script = await bundle('main.ts', 'iife')
  for (const folder of folders) {
    try {
      await mkdir(folder, { recursive: true })
      const unfinished = join(folder, `${name}.${process.pid}`)
      await writeFile(unfinished, script)
      await rename(unfinished, join(folder, name))
      break
    } catch {} // the next folder; without one the script is made again the next time
  }
  return script
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const dist = fileURLToPath(new URL('../../../dist/report/', import.meta.url))
  await writeFile(join(dist, 'view.js'), await bundle('mount.ts', 'esm'))
  await writeFile(
    join(dist, 'script.js'),
    `/** The script of report files, as text. */\nexport const pageScript = async () => ${JSON.stringify(await bundle('main.ts', 'iife'))}\n`,
  )
}

/** The packages as a registry would serve them, in a folder of a user. */
import { execFileSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'

export const root = resolve(import.meta.dirname, '../../..')

/** Runs a command without the options of this process; throws with what it printed if it fails. */
export const run = (command: string, args: readonly string[], cwd: string): string =>
  execFileSync(command, args, { cwd, encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' }, stdio: ['ignore', 'pipe', 'pipe'] })

/** Builds and packs the packages, and installs them into an empty folder, without install scripts. Returns the archives. */
export function installPacked(folder: string): string[] {
  run('npm', ['run', 'build', '--silent'], root)
  for (const name of ['core', 'layers', 'datasets'])
    run('npm', ['pack', '--silent', '--pack-destination', folder, '-w', `@cotangent/${name}`], root)
  const archives = readdirSync(folder).filter((file) => file.endsWith('.tgz'))
  writeFileSync(`${folder}/package.json`, '{ "name": "user", "private": true, "type": "module" }')
  // Dependencies come from npm's cache; installing this repository has put them there.
  const options = ['--silent', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline']
  run('npm', ['install', ...options, ...archives.map((file) => `./${file}`)], folder)
  return archives.sort()
}

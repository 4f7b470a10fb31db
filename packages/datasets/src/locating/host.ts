/**
 * The machine the data are on: environment, files, installed packages. A page has none of them.
 *
 * Node's modules are loaded when first needed, under names a bundler does not follow, so the package bundles for browsers.
 */
import { DatasetError, reasonOf } from '../errors.js'

export interface Host {
  /** An environment variable; undefined if unset or empty. */
  variable(name: string): string | undefined
  /** The directory downloads are kept in. */
  readonly cacheRoot: string
  /** Joins parts to an absolute path. */
  path(...parts: string[]): string
  isDirectory(path: string): Promise<boolean>
  isFile(path: string): Promise<boolean>
  read(path: string): Promise<Uint8Array>
  /** The bytes of a file, part by part. */
  stream(path: string): ReadableStream<Uint8Array>
  /** Names in a directory, in the order of their bytes; none if it does not exist. */
  list(path: string): Promise<string[]>
  /** Writes a file whole or not at all; makes its directory. */
  write(path: string, bytes: Uint8Array): Promise<void>
  /** The directory of an installed npm package, looked for from the working directory and from the program's entry. */
  findPackage(name: string): Promise<string | undefined>
}

/** Replacements for the process's surroundings, for tests. */
export interface HostOverrides {
  env?: Readonly<Record<string, string | undefined>>
  home?: string
  /** Directories from which npm packages are looked for. */
  packageRoots?: readonly string[]
}

const builtin = <M>(name: string): Promise<M> => import(/* @vite-ignore */ /* webpackIgnore: true */ `node:${name}`) as Promise<M>

/** The directory downloads are kept in: `COTANGENT_CACHE`, `$XDG_CACHE_HOME/cotangent` or `~/.cache/cotangent`. */
function cacheRootOf(env: Readonly<Record<string, string | undefined>>, home: string, path: typeof import('node:path')): string {
  if (env.COTANGENT_CACHE) return path.resolve(env.COTANGENT_CACHE)
  // The XDG specification: a relative path is to be ignored.
  const xdg = env.XDG_CACHE_HOME
  return path.join(xdg && path.isAbsolute(xdg) ? xdg : path.join(home, '.cache'), 'cotangent')
}

/** The machine this process runs on; undefined in a browser. */
export async function nodeHost(overrides: HostOverrides = {}): Promise<Host | undefined> {
  if (typeof process === 'undefined' || !process.versions?.node) return undefined
  const [fs, path, os, { createRequire }, { createReadStream }, { Readable }] = await Promise.all([
    builtin<typeof import('node:fs/promises')>('fs/promises'),
    builtin<typeof import('node:path')>('path'),
    builtin<typeof import('node:os')>('os'),
    builtin<typeof import('node:module')>('module'),
    builtin<typeof import('node:fs')>('fs'),
    builtin<typeof import('node:stream')>('stream'),
  ])
  const env = overrides.env ?? process.env

  const packageRoots = async (): Promise<readonly string[]> => {
    if (overrides.packageRoots) return overrides.packageRoots
    const entry = process.argv[1]
    // The entry may be a link, as those in node_modules/.bin are.
    const real = entry && (await fs.realpath(entry).catch(() => entry))
    return real ? [process.cwd(), path.dirname(real)] : [process.cwd()]
  }

  const write = async (target: string, bytes: Uint8Array): Promise<void> => {
    await fs.mkdir(path.dirname(target), { recursive: true })
    const unique = `${process.pid}-${Math.random().toString(36).slice(2)}`
    const temporary = `${target}.${unique}.tmp`
    try {
      const file = await fs.open(temporary, 'wx')
      try {
        await file.writeFile(bytes)
        await file.sync()
      } finally {
        await file.close()
      }
      await fs.rename(temporary, target)
    } catch (error) {
      await fs.rm(temporary, { force: true }).catch(() => {})
      throw error
    }
  }

  return {
    variable: (name) => env[name] || undefined,
    cacheRoot: cacheRootOf(env, overrides.home ?? os.homedir(), path),
    path: (...parts) => path.resolve(...parts),
    isDirectory: (at) => fs.stat(at).then((s) => s.isDirectory(), absent),
    isFile: (at) => fs.stat(at).then((s) => s.isFile(), absent),
    async read(at) {
      const { buffer, byteOffset, length } = await fs.readFile(at)
      return new Uint8Array(buffer, byteOffset, length)
    },
    stream: (at) => Readable.toWeb(createReadStream(at, { highWaterMark: 1 << 20 })) as ReadableStream<Uint8Array>,
    async list(at) {
      const found = await fs.readdir(at).catch(absent)
      // UTF-8 bytes sort as code points; these names are ASCII nearly always.
      return found ? found.sort((a, b) => (a < b ? -1 : 1)) : []
    },
    write,
    async findPackage(name) {
      for (const root of await packageRoots()) {
        try {
          return path.dirname(createRequire(path.join(root, 'resolve.js')).resolve(`${name}/package.json`))
        } catch {
          // Not installed there; the next root may have it.
        }
      }
      return undefined
    },
  }
}

/** A path that is not there is no error; one that may not be looked at is. */
function absent(error: unknown): false {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT' || code === 'ENOTDIR') return false
  throw new DatasetError(reasonOf(error), { cause: error })
}

/**
 * The peers that are installed, and their versions: the packages in bench/peers, and PyTorch and NumPy if a Python on this machine has them. A missing peer is
 * left out, and a line says so.
 */
import { execFileSync } from 'node:child_process'
import { versionIn } from './machine.js'

const tfjs = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-layers']
const packagesOf: Record<string, readonly string[]> = {
  'tfjs-wasm': [...tfjs, '@tensorflow/tfjs-backend-wasm'],
  'tfjs-cpu': [...tfjs, '@tensorflow/tfjs-backend-cpu'],
  'jax-js': ['@jax-js/jax'],
  'gpujs-webasm': ['gpu.js'],
  'gpujs-cpu': ['gpu.js'],
  'js-loop': [],
  eager: [],
}

/**
 * The environment of a Python process. OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE are removed: they would make its BLAS use other kernels than it chooses
 * for the processor.
 */
export function threadEnvironment(threads: number): NodeJS.ProcessEnv {
  const { OPENBLAS_CORETYPE: _, OPENBLAS_L2_SIZE: __, ...environment } = process.env
  return { ...environment, OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: String(threads) }
}

/** A Python interpreter that has a module, and the module's version. */
export interface Python {
  python: string
  /** Without what a distribution has added to it. */
  version: string
}

/** The peers that are modules of Python, and how to get them. */
const pythonModules: Record<string, string> = {
  torch: "a Python that can import torch (Debian's python3-torch with libopenblas0-openmp; --python or PYTHON names others)",
  numpy: "a Python that can import numpy (Debian's python3-numpy; --python or PYTHON names others)",
}
export const isPython = (peer: string | undefined): boolean => peer !== undefined && peer in pythonModules

/** The interpreters that a text names, separated by commas. */
export const pythonsIn = (text: string | undefined): string[] =>
  (text ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean)

let named: readonly string[] = pythonsIn(process.env.PYTHON)
const found = new Map<string, readonly Python[]>()

/** Takes these interpreters instead of those in the variable PYTHON. */
export function usePythons(list: readonly string[]): void {
  named = list
  found.clear()
}

/**
 * The interpreters that can import a module: of several that are named all, but only the first of each version; else the first of the one that is named,
 * python3, and the system's python3.
 */
export function pythonsWith(module: string): readonly Python[] {
  let list = found.get(module)
  if (!list) {
    const several = named.length > 1
    const tried: Python[] = []
    for (const python of several ? named : [...named, 'python3', '/usr/bin/python3']) {
      const version = versionOf(module, python)
      if (version !== undefined && !tried.some((other) => other.version === version)) tried.push({ python, version })
      if (!several && tried.length > 0) break
    }
    list = tried
    found.set(module, list)
  }
  return list
}

/** The interpreter of a library: that of its version (`torch-2@2.6.0`), else the first. */
export const pythonOf = (module: string, library: string): Python | undefined => {
  const [, version] = library.split('@')
  return pythonsWith(module).find((each) => version === undefined || each.version === version)
}

function versionOf(module: string, python: string): string | undefined {
  try {
    const version = execFileSync(python, ['-c', `import ${module}; print(${module}.__version__)`], {
      env: threadEnvironment(1),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return version.trim().replace(/\+.*$/, '')
  } catch {
    return undefined // there is no such interpreter, or it has no such module
  }
}

/** The interpreters that were named and cannot import a module. */
export const pythonsWithout = (module: string): string[] => named.filter((python) => versionOf(module, python) === undefined)

/** The versions of a peer's parts; undefined if it is not installed. */
export function peerVersions(peer: string): Record<string, string> | undefined {
  if (isPython(peer)) {
    const versions = pythonsWith(peer).map(({ version }) => version)
    return versions.length > 0 ? { [peer]: versions.join(' and ') } : undefined
  }
  const parts = packagesOf[peer].map((name) => [name, versionIn(`./peers/node_modules/${name}/package.json`)] as const)
  return parts.every(([, version]) => version !== undefined) ? (Object.fromEntries(parts) as Record<string, string>) : undefined
}

/** How to install a peer. */
export const howToInstall = (peer: string): string => pythonModules[peer] ?? 'npm run bench:install'

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
  version: string
}

/** The peers that are modules of Python, and how to get them. */
const pythonModules: Record<string, string> = {
  torch: "a Python that can import torch (Debian's python3-torch with libopenblas0-openmp; PYTHON names another)",
  numpy: "a Python that can import numpy (Debian's python3-numpy; PYTHON names another)",
}
export const isPython = (peer: string | undefined): boolean => peer !== undefined && peer in pythonModules

const pythons = new Map<string, Python | undefined>()

/** The first of PYTHON, python3 and the system's python3 that can import a module. */
export function pythonWith(module: string): Python | undefined {
  if (!pythons.has(module)) pythons.set(module, findPython(module))
  return pythons.get(module)
}

function findPython(module: string): Python | undefined {
  for (const python of [process.env.PYTHON, 'python3', '/usr/bin/python3']) {
    if (!python) continue
    try {
      const version = execFileSync(python, ['-c', `import ${module}; print(${module}.__version__)`], {
        env: threadEnvironment(1),
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      return { python, version: version.trim() }
    } catch {
      // There is no such interpreter, or it has no such module.
    }
  }
  return undefined
}

/** The versions of a peer's parts; undefined if it is not installed. */
export function peerVersions(peer: string): Record<string, string> | undefined {
  if (isPython(peer)) {
    const found = pythonWith(peer)
    return found && { [peer]: found.version }
  }
  const found = packagesOf[peer].map((name) => [name, versionIn(`./peers/node_modules/${name}/package.json`)] as const)
  return found.every(([, version]) => version !== undefined) ? (Object.fromEntries(found) as Record<string, string>) : undefined
}

/** How to install a peer. */
export const howToInstall = (peer: string): string => pythonModules[peer] ?? 'npm run bench:install'

/**
 * The peers that are installed, and their versions: the packages in bench/peers, and PyTorch if a Python on this machine has it. A missing peer is
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
 * The environment of a PyTorch process. OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE are removed: they would make its BLAS use other kernels than it chooses
 * for the processor.
 */
export function torchEnvironment(threads: number): NodeJS.ProcessEnv {
  const { OPENBLAS_CORETYPE: _, OPENBLAS_L2_SIZE: __, ...environment } = process.env
  return { ...environment, OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: String(threads) }
}

export interface Torch {
  /** The Python interpreter that has it. */
  python: string
  version: string
}

let torch: Torch | null | undefined

/** The first of PYTHON, python3 and the system's python3 that can import torch. */
export function pythonWithTorch(): Torch | undefined {
  if (torch === undefined) {
    torch = null
    for (const python of [process.env.PYTHON, 'python3', '/usr/bin/python3']) {
      if (!python) continue
      try {
        const version = execFileSync(python, ['-c', 'import torch; print(torch.__version__)'], {
          env: torchEnvironment(1),
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
        })
        torch = { python, version: version.trim() }
        break
      } catch {
        // There is no such interpreter, or it has no torch.
      }
    }
  }
  return torch ?? undefined
}

/** The versions of a peer's parts; undefined if it is not installed. */
export function peerVersions(peer: string): Record<string, string> | undefined {
  if (peer === 'torch') {
    const found = pythonWithTorch()
    return found && { torch: found.version }
  }
  const found = packagesOf[peer].map((name) => [name, versionIn(`./peers/node_modules/${name}/package.json`)] as const)
  return found.every(([, version]) => version !== undefined) ? (Object.fromEntries(found) as Record<string, string>) : undefined
}

/** How to install a peer. */
export const howToInstall = (peer: string): string =>
  peer === 'torch'
    ? "a Python that can import torch (Debian's python3-torch with libopenblas0-openmp; PYTHON names another)"
    : 'npm run bench:install'

/**
 * gpu.js 2.24.1 as far as it is used here, and the one place that loads it.
 *
 * Its own typings say that `Input` takes `number[]`, miss half of the result types and need the DOM library, so the few names
 * below are declared again and cast once. It is an optional peer dependency: nothing imports it before a gpu backend is asked for.
 */
import { BackendError } from '../../errors.js'

/** The gpu.js engines that run in any process: WebAssembly that gpu.js emits itself, and generated JavaScript. */
export type GpuMode = 'webasm' | 'cpu'

/** A flat array with the sizes a kernel should see. */
export type KernelInput = object

/** Rows, or layers of rows, for outputs of two and three dimensions. */
export type KernelResult = Float32Array | Float32Array[] | Float32Array[][]

export interface KernelSettings {
  output: number[]
  precision: 'single'
  tactic: 'precision'
  loopMaxIterations: number
  pipeline: boolean
  immutable: boolean
}

/** A kernel, compiled at its first call for the input sizes of that call. */
export interface CompiledKernel {
  (...args: (KernelInput | number)[]): KernelResult
  readonly kernel: { readonly constructor: { readonly mode: string }; readonly fallbackReason?: string | null }
  destroy(): void
}

export interface GpuInstance {
  createKernel(source: string, settings: KernelSettings): CompiledKernel
  /** Every kernel ever made and not destroyed. */
  readonly kernels: unknown[]
  destroy(): Promise<void>
}

export interface GpuJs {
  readonly GPU: new (settings: { mode: GpuMode }) => GpuInstance
  readonly Input: new (values: Float32Array, size: readonly number[]) => KernelInput
}

async function importGpuJs(): Promise<unknown> {
  return import('gpu.js')
}

/** Loads gpu.js, or throws a BackendError that says how to install it. */
export async function loadGpuJs(load: () => Promise<unknown> = importGpuJs): Promise<GpuJs> {
  let module: unknown
  try {
    module = await load()
  } catch (error) {
    throw new BackendError(
      'The gpu backend needs gpu.js: run `npm i gpu.js@2.24.1` ' +
        '(with `ignore-scripts=true` in .npmrc, so that its optional dependency `gl`, which is not needed, is not compiled). ' +
        `Loading it failed with: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    )
  }
  const names = module as Partial<GpuJs> & { default?: GpuJs }
  return names.GPU && names.Input ? (names as GpuJs) : (names.default as GpuJs)
}

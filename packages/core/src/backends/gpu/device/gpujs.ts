/**
 * Declares the part of gpu.js 2.24.1 that is used here, and loads it. No other file imports it.
 *
 * gpu.js' own typings are wrong for us: `Input` takes only `number[]`, half of the result types are missing, and they need the DOM library.
 * So the few names below are declared again and cast once. gpu.js is an optional peer dependency, imported when a gpu backend is asked for.
 */
import { BackendError } from '../../../errors.js'
import { importByName } from '../../../platform.js'

/**
 * The engines of gpu.js that are used. `webgpu`, `webgl2` and `headlessgl` keep their results on the device. `webasm` (WebAssembly
 * that gpu.js emits itself) and `cpu` (generated JavaScript) run in any process, on host arrays.
 */
export const GPU_MODES = ['webgpu', 'webgl2', 'headlessgl', 'webasm', 'cpu'] as const
export type GpuMode = (typeof GPU_MODES)[number]

/** A flat array with the sizes that a kernel should see. */
export type KernelInput = object

/** The result of a device engine under `pipeline`: memory on the device. Clones share it; it is freed when all of them are deleted. */
export interface DeviceResult {
  /** The sizes that a kernel sees. */
  output: number[]
  /** The same sizes for WebGL, padded to three. */
  dimensions: ArrayLike<number>
  /** Numbers in a cell (WebGPU). */
  componentCount: number
  /** How kernels read it: one number a texel, or four (WebGL). */
  type: string
  /** The texture's width and height (WebGL). */
  readonly size: ArrayLike<number>
  delete(): void
  /** The values, nested by `output` (WebGPU). */
  toArray(): Promise<Float32Array>
  /** Four floats for each texel (WebGL). */
  renderValues(): Float32Array
}

/** A kernel's result. On host engines: an array, or rows, or layers of rows, for an output of one, two or three dimensions. On devices: memory. */
export type KernelResult = Float32Array | Float32Array[] | Float32Array[][] | DeviceResult

export interface KernelSettings {
  output: number[]
  precision: 'single'
  tactic: 'precision'
  loopMaxIterations: number
  pipeline: boolean
  immutable: boolean
}

/** A kernel. Its first call compiles it for the inputs of that call. On WebGPU every call gives a Promise. */
export interface CompiledKernel {
  (...args: (KernelInput | number)[]): KernelResult | Promise<KernelResult>
  readonly kernel: {
    readonly constructor: { readonly mode: string }
    readonly fallbackReason?: string | null
    /** Private, in gpu.js' WebAssembly: cuts the values of a call into rows, and into an array for each four numbers. */
    _shapeOutput?(values: Float32Array): KernelResult
  }
  destroy(): void
}

/** A kernel of gpu.js for WebGPU, by itself: its text can be had without a device. */
export interface WgslKernel {
  /** Translates at once, and goes on with the device, which may be missing. */
  build(...args: (KernelInput | number)[]): Promise<void>
  /** The WGSL, after `build`. */
  readonly compiledSource: string
}

export interface GpuInstance {
  createKernel(source: string, settings: KernelSettings): CompiledKernel
  /** All kernels that have been made and not destroyed. */
  readonly kernels: unknown[]
  destroy(): Promise<void>
}

/** The members of a WebGPU device that we use. */
export interface WebGpuDevice {
  readonly lost: Promise<{ reason: string; message: string }>
  readonly limits: { readonly maxComputeWorkgroupsPerDimension: number }
  createBuffer(descriptor: object): { destroy(): void }
  onuncapturederror: ((event: { error: { message: string } }) => void) | null
}

export interface GpuJs {
  readonly GPU: (new (settings: {
    mode: GpuMode
    canvas?: object
    context?: object
  }) => GpuInstance) & {
    readonly isWebGL2Supported: boolean
    readonly isHeadlessGLSupported: boolean
  }
  readonly Input: new (values: Float32Array, size: readonly number[]) => KernelInput
  readonly WebGL2Kernel: { readonly features: { readonly isFloatRead: boolean; readonly isTextureFloat: boolean } }
  readonly HeadlessGLKernel: GpuJs['WebGL2Kernel'] & { readonly prototype: { initContext(): object } }
  readonly WebGPUKernel: new (source: string, settings: KernelSettings) => WgslKernel
  readonly WebGPUContext: {
    /** The one device of the process; the first call requests it. */
    acquire(): Promise<{ adapter: { info?: Record<string, string> }; device: WebGpuDevice }>
    destroy(): Promise<void>
  }
}

/** How gpu.js is imported: by its name; the entry for bundles replaces this. */
let importIt: () => Promise<unknown> = () => importByName('gpu.js')
export function provideGpuJs(load: () => Promise<unknown>): void {
  importIt = load
}

async function importGpuJs(): Promise<unknown> {
  // gpu.js' build for browsers replaces the global `GPU`, which is WebGPU's own there.
  const native = Object.getOwnPropertyDescriptor(globalThis, 'GPU')
  try {
    return await importIt()
  } finally {
    if (native?.configurable) Object.defineProperty(globalThis, 'GPU', native)
  }
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
        "A bundle also needs `import '@cotangent/core/gpu'`, which brings gpu.js into it. " +
        `Loading it failed with: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    )
  }
  const names = module as Partial<GpuJs> & { default?: GpuJs }
  return names.GPU && names.Input ? (names as GpuJs) : (names.default as GpuJs)
}

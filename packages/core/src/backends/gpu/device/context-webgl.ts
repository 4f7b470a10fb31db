/**
 * The context for WebGL. A value is a texture with one float in each texel, in row-major order whatever the texture's width. Calls return at once; reading
 * waits for the device.
 *
 * - A kernel is compiled for the class of its arguments' textures (the rank of the output that made them) and for their size. Both are in its layout.
 * - A result is viewed as one dimension from the start, so kernels and reshapes never see the rank it was made with.
 * - After the context is lost kernels give zeros. `isContextLost` says so at once, the event some time later.
 */
import { BackendError } from '../../../errors.js'
import { kernelSettings, kernelSource, type Limits } from '../source/rules.js'
import type { Context, Fours, Value } from './context.js'
import type { DeviceResult, GpuInstance, GpuJs } from './gpujs.js'

/** The members of a rendering context that we use. */
interface Rendering {
  isContextLost(): boolean
  getExtension(name: string): object | null
  getParameter(name: number): unknown
  createTexture(): object
  deleteTexture(texture: object | null): void
}
interface Canvas {
  getContext(kind: 'webgl2', settings: object): Rendering | null
  addEventListener(name: 'webglcontextlost', listener: () => void): void
}
interface Page {
  document?: { createElement(name: 'canvas'): Canvas }
  OffscreenCanvas?: new (width: number, height: number) => Canvas
}

const MAX_TEXTURE_SIZE = 0x0d33
/** The settings that gpu.js asks for. The first request for a canvas decides. */
const SETTINGS = { alpha: false, depth: false, antialias: false }

const layouts = new WeakMap<object, string>()

/** The members that WebGL 2 and headless-gl have in common. */
const textures = (gpujs: GpuJs, limits: Limits) => ({
  kernelMode: 'gpu',
  Input: gpujs.Input,
  resident: true,
  async: false,
  limits,
  layout: (value: Value) => layouts.get(value) as string,
  adopt(result: unknown, size: number, rank: number, fours?: Fours) {
    const texture = result as DeviceResult
    layouts.set(texture, `${fours ?? ''}${rank}:${texture.size[0]}x${texture.size[1]}`)
    if (fours === 'flat') texture.type = 'MemoryOptimizedNumberTexture'
    const length = fours === 'vectors' ? size / 4 : size
    texture.output = [length]
    texture.dimensions = [length, 1, 1]
    return texture
  },
  argument: (value: Value) => value,
  read(value: Value, size: number) {
    const texels = (value as DeviceResult).renderValues()
    const values = new Float32Array(size)
    for (let i = 0; i < size; i++) values[i] = texels[4 * i]
    return values
  },
  takeError: () => undefined,
})

function makeCanvas(): Canvas {
  const { document, OffscreenCanvas } = globalThis as Page
  const canvas = document ? document.createElement('canvas') : new (OffscreenCanvas as NonNullable<Page['OffscreenCanvas']>)(1, 1)
  // gpu.js makes its canvas as large as the largest texture, but nothing is ever drawn on it.
  for (const side of ['width', 'height']) Object.defineProperty(canvas, side, { get: () => 1, set() {} })
  return canvas
}

/** Starts to count textures of a context; the returned function gives the number alive. */
function countTextures(gl: Rendering): () => number {
  const alive = new Set<object>()
  const { createTexture, deleteTexture } = gl
  gl.createTexture = () => {
    const texture = createTexture.call(gl)
    if (texture) alive.add(texture)
    return texture
  }
  gl.deleteTexture = (texture) => {
    if (texture) alive.delete(texture)
    deleteTexture.call(gl, texture)
  }
  return () => alive.size
}

/** A context on WebGL 2. Throws a BackendError that says why if there is none. */
export function webgl2Context(gpujs: GpuJs, limits: Limits): Context {
  if (!gpujs.GPU.isWebGL2Supported) throw new BackendError('there is no WebGL 2')
  const { isFloatRead, isTextureFloat } = gpujs.WebGL2Kernel.features
  const canvas = makeCanvas()
  const gl = canvas.getContext('webgl2', SETTINGS)
  if (!gl) throw new BackendError('the browser gives no WebGL 2 context')
  if (!isFloatRead || !isTextureFloat || !gl.getExtension('EXT_color_buffer_float')) {
    throw new BackendError('this WebGL 2 does not draw into float textures')
  }

  const objects = countTextures(gl)
  const gpu = new gpujs.GPU({ mode: 'webgl2', canvas })
  return {
    mode: 'webgl2',
    gpu,
    tiling: 'vectors',
    ...textures(gpujs, { ...limits, texture: Math.min(limits.texture, gl.getParameter(MAX_TEXTURE_SIZE) as number) }),
    objects,
    lost: () => (gl.isContextLost() ? 'the browser took the WebGL context away' : undefined),
    onLost(tell) {
      canvas.addEventListener('webglcontextlost', () => tell('the browser took the WebGL context away'))
    },
    async close() {
      await gpu.destroy()
      ;(gl.getExtension('WEBGL_lose_context') as { loseContext(): void } | null)?.loseContext()
    },
  }
}

/** The number of turns after which the driver ends a loop, if that happens before 2^17. */
function turnsOfDriver(gpu: GpuInstance): number {
  const turns = 2 ** 17
  const source = kernelSource(['one'], `let sum = 0;\nfor (let l = 0; l < ${turns}; l++) {\n  sum += one;\n}\nreturn sum;`)
  const kernel = gpu.createKernel(source, kernelSettings([1]))
  const [taken] = kernel(1) as Float32Array
  kernel.destroy()
  return taken === turns ? Infinity : taken
}

/** A context on the npm package `gl`; it must be installed and have a display. Its driver is the system's OpenGL. It never reports that it is lost. */
export function headlessContext(gpujs: GpuJs, limits: Limits): Context {
  if (!gpujs.GPU.isHeadlessGLSupported) throw new BackendError('there is no headless-gl (the npm package `gl`), or no display for it')
  const { isFloatRead, isTextureFloat } = gpujs.HeadlessGLKernel.features
  if (!isFloatRead || !isTextureFloat) throw new BackendError('this headless-gl does not draw into float textures')
  const gl = gpujs.HeadlessGLKernel.prototype.initContext() as Rendering
  // gpu.js makes the drawing area as large as the largest texture at every kernel, but nothing is ever drawn on it.
  const { getExtension } = gl
  gl.getExtension = (name) => (name === 'STACKGL_resize_drawingbuffer' ? { resize() {} } : getExtension.call(gl, name))
  const objects = countTextures(gl)
  const gpu = new gpujs.GPU({ mode: 'headlessgl', context: gl })
  const texture = Math.min(limits.texture, gl.getParameter(MAX_TEXTURE_SIZE) as number)
  return {
    mode: 'headlessgl',
    gpu,
    tiling: 'vectors',
    ...textures(gpujs, { ...limits, texture, turns: turnsOfDriver(gpu) }),
    objects,
    lost: () => undefined,
    onLost() {},
    async close() {
      const taken = gpu.kernels.length > 0 // gpu.js destroys the context together with its kernels, but only if there are any
      await gpu.destroy()
      if (!taken) (gl.getExtension('STACKGL_destroy_context') as { destroy(): void } | null)?.destroy()
    },
  }
}

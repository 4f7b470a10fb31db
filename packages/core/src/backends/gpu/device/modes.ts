/**
 * Chooses the engine of gpu.js: the one asked for, or the first of a list that answers. A process has one context for each engine, however many backends
 * use it: with every further WebGL context a browser comes closer to dropping the oldest.
 */
import { describeValue } from '../../../arguments.js'
import { BackendError } from '../../../errors.js'
import type { Limits } from '../source/rules.js'
import { type Context, hostContext } from './context.js'
import { headlessContext, webgl2Context } from './context-webgl.js'
import { type WebGpuSeams, webgpuContext } from './context-webgpu.js'
import { GPU_MODES, type GpuJs, type GpuMode } from './gpujs.js'

/** The best engine first. */
const ORDER: readonly GpuMode[] = ['webgpu', 'webgl2', 'headlessgl', 'webasm', 'cpu']

interface Shared {
  readonly context: Promise<Context>
  users: number
}
/** The contexts in use, for each copy of gpu.js that was loaded. */
const open = new WeakMap<object, Map<GpuMode, Shared>>()

async function make(gpujs: GpuJs, mode: GpuMode, limits: Limits, seams: WebGpuSeams): Promise<Context> {
  switch (mode) {
    case 'webgpu':
      return webgpuContext(gpujs, limits, seams)
    case 'webgl2':
      return webgl2Context(gpujs, limits)
    case 'headlessgl':
      return headlessContext(gpujs, limits)
    default:
      return hostContext(gpujs, mode, limits)
  }
}

/** The context of a mode, shared with other backends, and a function that gives it back. */
async function enter(gpujs: GpuJs, mode: GpuMode, limits: Limits, seams: WebGpuSeams): Promise<Entered> {
  const contexts = open.get(gpujs.GPU) ?? new Map<GpuMode, Shared>()
  open.set(gpujs.GPU, contexts)
  const known = contexts.get(mode)
  const usable = await known?.context.then(
    (context) => context.lost() === undefined,
    () => false,
  )
  // Another caller may have made a new one in the meantime.
  if (!usable && contexts.get(mode) === known) contexts.set(mode, { context: make(gpujs, mode, limits, seams), users: 0 })
  const mine = contexts.get(mode) as Shared
  const forget = (): void => {
    if (contexts.get(mode) === mine) contexts.delete(mode)
  }
  mine.users++
  let context: Context
  try {
    context = await mine.context
  } catch (error) {
    forget()
    throw error
  }
  return {
    context,
    async leave() {
      if (--mine.users > 0) return
      forget()
      await context.close()
    },
  }
}

export interface Entered {
  context: Context
  leave(): Promise<void>
}

/** Enters the mode asked for, or the best one that works; `passedOver` says why better ones do not. */
export async function enterMode(
  gpujs: GpuJs,
  asked: GpuMode | undefined,
  limits: Limits,
  seams: WebGpuSeams = {},
): Promise<Entered & { passedOver: string[] }> {
  if (asked !== undefined && !GPU_MODES.includes(asked)) {
    throw new BackendError(`gpu: mode must be one of ${GPU_MODES.join(', ')}, got ${describeValue(asked)}.`)
  }
  const passedOver: string[] = []
  for (const mode of asked ? [asked] : ORDER) {
    try {
      return { ...(await enter(gpujs, mode, limits, seams)), passedOver }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      if (asked) throw new BackendError(`gpu: the mode '${mode}' was asked for, but ${reason}.`, { cause: error })
      passedOver.push(`${mode}: ${reason}`)
    }
  }
  throw new BackendError(`gpu: no engine of gpu.js runs here (${passedOver.join('; ')}).`)
}

/** The process-wide settings: the default backend and the debug switches. Stacks of scopes and tapes live in their own files. */
import { describeValue, requireBoolean, requireFunction, requireOptions } from './arguments.js'
import type { Backend } from './backends/backend.js'
import { BackendError, ValueError } from './errors.js'
import { requireSynchronous } from './tensor/scope.js'

/** The switches of `debug`. */
export interface DebugOptions {
  /** Check every op's output and every update for NaN and infinity, and throw a NonFiniteError at the first, with the values that led there. Slow; off, it costs nothing. */
  nonFinite?: boolean
  /** Record where tensors are made and freed, for messages about disposed tensors, and name each place that leaves some to the garbage collector. Slow. */
  leaks?: boolean
}

const DEBUG_OPTIONS = ['nonFinite', 'leaks'] as const

export const debugging: Required<DebugOptions> = { nonFinite: false, leaks: false }

/** Switches checks on or off that are too slow to have always. Returns the settings now in force. */
export function debug(options: DebugOptions = {}): Required<DebugOptions> {
  requireOptions('debug', options, DEBUG_OPTIONS, 'debug({ nonFinite: true })')
  for (const name of DEBUG_OPTIONS) if (options[name] !== undefined) requireBoolean('debug', name, options[name])
  for (const name of DEBUG_OPTIONS) debugging[name] = options[name] ?? debugging[name]
  return { ...debugging }
}

/** Throws unless `value` is a backend. */
export function requireBackend(what: string, value: unknown): asserts value is Backend {
  if (typeof value === 'object' && value !== null && 'kernels' in value && 'dtypes' in value) return
  const name = typeof value === 'string' ? `'${value}'` : "'reference'"
  throw new ValueError(`${what}: expected a backend, got ${describeValue(value)}. Get one first: await getBackend(${name}).`)
}

let current: Backend | undefined
let makeDefault: (() => Backend) | undefined

/** Names how the default backend is made when first needed. */
export function setDefaultFactory(factory: () => Backend): void {
  makeDefault = factory
}

/** The backend that new tensors go to. */
export function defaultBackend(): Backend {
  if (current) return current
  if (!makeDefault) throw new BackendError("No backend is set. Import from '@cotangent/core', not from its inner files.")
  current = makeDefault()
  return current
}

export function setDefaultBackend(backend: Backend): void {
  current = backend
}

/** Runs a synchronous function with another default backend. */
export function withBackend<R>(backend: Backend, fn: () => R): R {
  requireBackend('withBackend', backend)
  requireFunction('withBackend', 'fn', fn, 'withBackend(backend, () => …)')
  const before = current
  current = backend
  try {
    const result = fn()
    requireSynchronous('withBackend', result)
    return result
  } finally {
    current = before
  }
}

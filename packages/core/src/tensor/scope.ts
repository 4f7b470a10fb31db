/**
 * Lifetimes. Tensor memory lives outside the JavaScript heap, so somebody must say when it ends: the innermost scope does, for
 * everything made inside it. Training functions open scopes themselves; user code rarely needs one.
 *
 * Invariants: scopes nest and are synchronous; a tensor belongs to at most one scope; a tensor that an active tape still
 * needs moves outward instead of being freed. Tensors made outside every scope are left to the garbage collector (finalizer.ts).
 */
import { describeValue, requireFunction } from '../arguments.js'
import { heldByTape } from '../autodiff/recording.js'
import { CotangentError, ValueError } from '../errors.js'
import { watch } from './finalizer.js'
import type { Tensor } from './tensor.js'

/** The scopes that are open, innermost last: each is the list of tensors it will free. */
const stack: Tensor[][] = []

/** Puts a new tensor under the care of the innermost scope, or of the finalizer when there is none. */
export function own(tensor: Tensor): void {
  if (stack.length > 0) stack[stack.length - 1].push(tensor)
  else watch(tensor)
}

/**
 * Runs `fn` and frees every tensor made in it, except those in its result (a tensor, or arrays and plain objects of tensors), which pass to the
 * surrounding scope, and those marked with `keep`.
 *
 * Scopes are synchronous: an `fn` that returns a Promise is an error, because tensors made after its first await would escape.
 *
 * @example
 * ```ts
 * const norm = scope(() => x.square().sum().sqrt())   // x² and Σ are freed, norm is not
 * ```
 */
export function scope<R>(fn: () => R): R {
  requireFunction('scope', 'fn', fn, 'scope(() => …)')
  const mine: Tensor[] = []
  stack.push(mine)
  let result: R | undefined
  try {
    result = fn()
    requireSynchronous('scope', result)
    return result
  } finally {
    stack.pop()
    close(mine, tensorsIn(result))
  }
}

function close(mine: Tensor[], survivors: ReadonlySet<Tensor>): void {
  for (const tensor of mine) {
    if (tensor.disposed || tensor.kept) continue
    if (survivors.has(tensor) || heldByTape(tensor)) own(tensor)
    else tensor.dispose()
  }
}

/** A scope that also says which tensors of its result were made inside it: the others belong to somebody else. */
export function scopeOfFresh<R>(fn: () => R): { result: R; fresh: Tensor[] } {
  const mine: Tensor[] = []
  stack.push(mine)
  let result: R
  let survivors: ReadonlySet<Tensor> = new Set()
  try {
    result = fn()
    survivors = tensorsIn(result)
  } finally {
    stack.pop()
    close(mine, survivors)
  }
  return { result, fresh: mine.filter((tensor) => survivors.has(tensor)) }
}

/** Exempts a tensor from every scope: it lives until `dispose()`. Returns it. */
export function keep<T extends Tensor>(tensor: T): T {
  if (typeof tensor !== 'object' || tensor === null || !isTensor(tensor)) {
    throw new ValueError(`keep: expected a tensor, got ${describeValue(tensor)}.`)
  }
  tensor.kept = true
  return tensor
}

/** Frees a tensor that an op made for itself, as soon as the op is done; a tape that needs it leaves it to its scope. */
export function discard(tensor: Tensor): void {
  if (!heldByTape(tensor)) tensor.dispose()
}

/** Throws when a function that must be synchronous returned a Promise. */
export function requireSynchronous(what: string, result: unknown): void {
  const promise = result as PromiseLike<unknown> | undefined
  if (typeof promise?.then !== 'function') return
  // The rest of the function fails on freed tensors, which must not end the process as an unhandled rejection.
  promise.then(undefined, () => {})
  throw new CotangentError(
    `${what}: the function returned a Promise, but scopes, tapes and withBackend are synchronous. Await your data first, then call ${what} with a function that is not async.`,
  )
}

/** Every tensor in a value: itself, or inside arrays and plain objects. */
export function tensorsIn(value: unknown): Set<Tensor> {
  const found = new Set<Tensor>()
  const seen = new Set<object>()
  const visit = (item: unknown): void => {
    if (typeof item !== 'object' || item === null) return
    if (isTensor(item)) {
      found.add(item)
      return
    }
    const array = Array.isArray(item)
    if (seen.has(item) || !(array || Object.getPrototypeOf(item) === Object.prototype)) return
    seen.add(item)
    for (const inner of array ? item : Object.values(item)) visit(inner)
  }
  visit(value)
  return found
}

/** True for tensors, by their brand: this module must not import the class. */
const isTensor = (value: object): value is Tensor => 'storage' in value && 'releaser' in value

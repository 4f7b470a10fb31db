/** The memory in which recorded steps work. All steps of an engine share it, one after another. */
import type { Engine } from '../engine/engine.js'

/** The memory of recorded steps. Nothing in it outlives a step, so all steps of an engine share it. */
export interface Arena {
  at: number
  bytes: number
  /** Changes whenever the memory moves. */
  version: number
  /** The steps that need it. Without any, it is given back. */
  users: number
}
const arenas = new WeakMap<Engine, Arena>()

/** The memory of the steps of an engine. */
export function arenaOf(engine: Engine): Arena {
  const arena = arenas.get(engine) ?? { at: 0, bytes: 0, version: 0, users: 0 }
  arenas.set(engine, arena)
  return arena
}

/** Sees to it that there are so many bytes. Without room for them the memory stays as large as it was, and the error is thrown. */
export function grow({ memory }: Engine, arena: Arena, bytes: number): void {
  const before = arena.bytes
  if (before >= bytes) return
  const take = (size: number): void => {
    arena.at = memory.allocForSteps(size)
    arena.bytes = size
  }
  shrink({ memory }, arena)
  try {
    take(bytes)
  } catch (error) {
    if (before > 0) take(before)
    throw error
  }
}

/** Gives the memory back. */
export function shrink({ memory }: Pick<Engine, 'memory'>, arena: Arena): void {
  if (arena.bytes > 0) memory.freeForSteps(arena.at, arena.bytes)
  arena.bytes = 0
  arena.version++
}

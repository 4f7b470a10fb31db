/** Keeping account of cotangents during a walk backwards. */
import { discard } from '../tensor/scope.js'
import type { Tensor } from '../tensor/tensor.js'
import { ops } from './op.js'

/**
 * The cotangents of a walk. What the walk made itself is freed as soon as no tensor needs it any more, so that the memory of a backward
 * pass is that of a few cotangents, not of all; a visitor may keep them, so then they stay to the end.
 */
export class Cotangents {
  readonly #of: Map<Tensor, Tensor>
  readonly #sources: ReadonlySet<Tensor>
  readonly #frees: boolean
  /** For cotangents made by the walk: for how many tensors each stands. */
  readonly #uses = new Map<Tensor, number>()

  constructor(output: Tensor, seed: Tensor, sources: readonly Tensor[], frees: boolean) {
    this.#of = new Map([[output, seed]])
    this.#sources = new Set(sources)
    this.#frees = frees
  }

  get(tensor: Tensor): Tensor | undefined {
    return this.#of.get(tensor)
  }

  /** Adds to the cotangent of a tensor; `fresh` says that the walk made the addend. */
  add(tensor: Tensor, addend: Tensor, fresh: boolean): void {
    if (fresh && !this.#uses.has(addend)) this.#uses.set(addend, 0)
    const before = this.#of.get(tensor)
    if (!before) {
      this.#set(tensor, addend)
      return
    }
    const sum = ops.add(before, addend)
    this.#uses.set(sum, 0)
    this.#set(tensor, sum)
    this.#drop(before)
    if (this.#uses.get(addend) === 0) this.#free(addend)
  }

  /** Says that the record of this tensor has been passed; only a source's cotangent is still wanted. */
  release(tensor: Tensor): void {
    const cotangent = this.#of.get(tensor)
    if (!cotangent || this.#sources.has(tensor)) return
    this.#of.delete(tensor)
    this.#drop(cotangent)
  }

  #set(tensor: Tensor, cotangent: Tensor): void {
    this.#of.set(tensor, cotangent)
    const uses = this.#uses.get(cotangent)
    if (uses !== undefined) this.#uses.set(cotangent, uses + 1)
  }

  #drop(cotangent: Tensor): void {
    const uses = this.#uses.get(cotangent)
    if (uses === undefined) return
    this.#uses.set(cotangent, uses - 1)
    if (uses === 1) this.#free(cotangent)
  }

  #free(cotangent: Tensor): void {
    this.#uses.delete(cotangent)
    if (this.#frees && !cotangent.kept) discard(cotangent)
  }
}

/** The table of cotangents that a walk backwards fills and empties. */
import { discard } from '../tensor/scope.js'
import type { Tensor } from '../tensor/tensor.js'
import { ops } from './op.js'

/**
 * The cotangents of a walk. A cotangent that the walk made is freed as soon as no tensor needs it any more. So a backward pass needs memory for a few
 * cotangents, not for all. If there is a visitor, nothing is freed, because the visitor may keep them.
 */
export class Cotangents {
  readonly #of: Map<Tensor, Tensor>
  readonly #sources: ReadonlySet<Tensor>
  readonly #frees: boolean
  /** For each cotangent that the walk made: how many tensors have it. */
  readonly #uses = new Map<Tensor, number>()

  constructor(output: Tensor, seed: Tensor, sources: readonly Tensor[], frees: boolean) {
    this.#of = new Map([[output, seed]])
    this.#sources = new Set(sources)
    this.#frees = frees
  }

  /** The cotangent of a tensor so far. */
  get(tensor: Tensor): Tensor | undefined {
    return this.#of.get(tensor)
  }

  /** Adds to the cotangent of a tensor. `fresh` says whether the walk made the addend. */
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

  /** Called when the record of this tensor is done. Its cotangent is dropped unless the tensor is a source. */
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

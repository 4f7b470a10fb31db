/** The derivative forwards from the one backwards. */
import type { Jvp, Vjp } from './op.js'
import { Tape } from './tape.js'

/**
 * The tangents of an op that states only how cotangents pass: u ↦ u·J is linear in u, and its transpose is v ↦ J·v. So J·v is the gradient by u of
 * s(u) = Σ (u·J)·v: two reverse passes.
 */
export const transposed =
  <O>(vjp: Vjp<O>): Jvp<O> =>
  ({ y, options }, inputs, ops) =>
    inputs.map((_, i) => (v) => {
      const u = ops.zerosLike(y)
      const tape = new Tape([u])
      const s = tape.run(() => {
        const pulled = vjp({ dY: u, y, options }, inputs, ops)[i]?.()
        return pulled && ops.sum(ops.mul(pulled, v))
      })
      const [tangent] = s && tape.tracks(s) ? tape.backward(s, ops.onesLike(s), [u]) : []
      return tangent ?? u
    })

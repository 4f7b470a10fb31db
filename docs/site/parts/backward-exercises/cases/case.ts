/** The check of an exercise: the calls that are tried, and the mistakes that are often made. */
import { type Tensor, tensor } from '@cotangent/core'

/** All that the package exports: what rules get as `ops` here. */
export type Namespace = typeof import('@cotangent/core')

/** How the numbers of an input are drawn; from −1.5 to 1.5, and not nearer to 0 than 0.1, unless said otherwise. */
export interface Input {
  readonly shape: readonly number[]
  readonly low?: number
  readonly high?: number
  readonly dtype?: 'int32'
  readonly values?: readonly number[]
}

/** A call of the op. */
export interface Case {
  /** In words, such as "b is repeated along the rows". */
  readonly name: string
  /** Its shapes are told only when the rule fails there. */
  readonly hidden?: boolean
  readonly inputs: readonly Input[]
  run(...xs: Tensor[]): Tensor
  /** Mistakes to think of when a rule is wrong here. */
  readonly why?: string
}

/** A rule that is often written, and what to say to it. */
export interface Mistake {
  readonly title: string
  readonly text: string
  vjp(at: { dY: Tensor; y: Tensor; options: never }, inputs: readonly Tensor[], ops: Namespace): readonly ((() => Tensor) | null)[]
}

export interface Checks {
  readonly cases: readonly Case[]
  readonly mistakes: readonly Mistake[]
}

/** Numbers that look random and are the same each time: the fractions of multiples of sines. */
export const noise = (seed: number, i: number): number => {
  const x = Math.sin(12.9898 * (i + 1) + 78.233 * (seed + 1)) * 43758.5453
  return x - Math.floor(x)
}

/** The tensor of an input, on the default backend. */
export function inputOf({ shape, low = -1.5, high = 1.5, dtype, values }: Input, seed: number): Tensor {
  const size = shape.reduce((n, each) => n * each, 1)
  const drawn = Array.from({ length: size }, (_, i) => {
    const x = low + (high - low) * noise(seed, i)
    return low < 0 && high > 0 && Math.abs(x) < 0.1 ? x + 0.1 * (x < 0 ? -1 : 1) : x
  })
  return tensor([...(values ?? drawn)], dtype ? { shape, dtype } : { shape })
}

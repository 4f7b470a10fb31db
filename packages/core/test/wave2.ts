/** Running golden vectors of wave2/ on every place: an output and the gradients of its inputs, with the tolerances of the file. */
import { type Backend, createReferenceBackend, createWasmBackend, scope, type Tensor, transpose, vjp, withBackend } from '../src/index.js'
import { expectClose, type GoldenTensor, type Tolerance, tensorOf } from './golden.js'

export interface Place {
  readonly name: string
  readonly backend: Backend
  readonly floats: 'float32' | 'float64'
}
export const places: readonly Place[] = [
  { name: 'reference float64', backend: createReferenceBackend(), floats: 'float64' },
  { name: 'wasm float32', backend: createWasmBackend(), floats: 'float32' },
]

/** A case of a layer: weights in the order of Keras, and how they come out of the gradient. */
export interface LayerCase {
  readonly name: string
  readonly layer: string
  readonly params: Record<string, unknown>
  readonly weights?: readonly (GoldenTensor & { name: string; trainable: boolean })[]
  readonly inputs: { readonly x: GoldenTensor; readonly grad_output?: GoldenTensor }
  readonly expected: { readonly output: GoldenTensor; readonly grad_x?: GoldenTensor; readonly grad_weights?: readonly GoldenTensor[] }
}

/** Runs f on the inputs and compares its output, and its gradients for those inputs whose expected gradient is given. */
export async function compare(
  { backend, floats }: Place,
  f: (...inputs: Tensor[]) => Tensor,
  inputs: readonly GoldenTensor[],
  output: GoldenTensor,
  gradOutput: GoldenTensor | undefined,
  grads: readonly (GoldenTensor | undefined)[],
  tolerance: Tolerance,
): Promise<void> {
  const before = backend.memory().buffers
  const make = (t: GoldenTensor): Tensor => tensorOf(t, backend, floats)
  const given = inputs.map(make)
  const made: Tensor[] = [...given]
  try {
    if (gradOutput) {
      const cotangent = make(gradOutput)
      made.push(cotangent)
      const floating = given.filter((t) => t.dtype === floats)
      const call = (...xs: Tensor[]): Tensor => f(...given.map((t) => (t.dtype === floats ? xs[floating.indexOf(t)] : t)))
      const { value, grads: byFloat } = withBackend(backend, () => vjp(call, floating, cotangent))
      made.push(value, ...byFloat)
      const found = given.map((t) => byFloat[floating.indexOf(t)])
      await expectClose(value, output, tolerance, 'output')
      for (const [i, want] of grads.entries()) if (want) await expectClose(found[i], want, tolerance, `gradient of input ${i}`)
    } else {
      const value = withBackend(backend, () => scope(() => f(...given)))
      made.push(value)
      await expectClose(value, output, tolerance, 'output')
    }
  } finally {
    for (const t of new Set(made)) t.dispose()
  }
  if (backend.memory().buffers !== before) throw new Error(`${backend.memory().buffers - before} buffers are left over`)
}

/** Runs a case of a layer; f gets x and the weights. */
export async function compareLayer(
  place: Place,
  { params, weights = [], inputs, expected }: LayerCase,
  f: (x: Tensor, weights: readonly Tensor[], params: Record<string, unknown>) => Tensor,
  tolerance: { readonly float64: Tolerance; readonly float32: Tolerance },
): Promise<void> {
  const trainable = weights.filter((w) => w.trainable)
  const first = params.dataFormat === 'channels_first'
  const run = (x: Tensor, ...ws: Tensor[]): Tensor =>
    first ? scope(() => channelsFirst(f(channelsLast(x), ws, params))) : f(x, ws, params)
  await compare(
    place,
    run,
    [inputs.x, ...weights],
    expected.output,
    inputs.grad_output,
    [expected.grad_x, ...weights.map((w) => (w.trainable ? expected.grad_weights?.[trainable.indexOf(w)] : undefined))],
    tolerance[place.floats],
  )
}

/** [n, c, ..] → [n, .., c] */
const channelsLast = (x: Tensor): Tensor => transpose(x, [0, ...x.shape.slice(2).map((_, i) => i + 2), 1])
/** [n, .., c] → [n, c, ..] */
const channelsFirst = (x: Tensor): Tensor => (x.rank === 2 ? x : transpose(x, [0, x.rank - 1, ...x.shape.slice(2).map((_, i) => i + 1)]))

/** A number for each of n axes, or such a list already. */
export const perAxis = (value: unknown, n: number, otherwise = 1): number[] =>
  Array.isArray(value) ? (value as number[]) : new Array<number>(n).fill((value as number | null | undefined) ?? otherwise)

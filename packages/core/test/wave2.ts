/** Running golden vectors of wave2/: an output and the gradients of its inputs, in float64 on the reference and in float32 on wasm. */
import { expect } from 'vitest'
import { type Backend, scope, type Tensor, transpose, vjp, withBackend } from '../src/index.js'
import { expectClose, type GoldenFile, type GoldenTensor, type Tolerance, tensorOf } from './golden.js'
import { reference, wasm } from './helpers.js'

export interface Place {
  readonly name: string
  readonly backend: Backend
  readonly floats: 'float64' | 'float32'
}

export const places: readonly Place[] = [
  { name: 'reference float64', backend: reference, floats: 'float64' },
  { name: 'wasm float32', backend: wasm, floats: 'float32' },
]

/** The tolerance that a file states for the place. */
export const toleranceOf = (file: GoldenFile<unknown>, { floats }: Place): Tolerance => {
  if (!file.tolerance) throw new Error(`${file.kind}: the file states no tolerance`)
  return file.tolerance[floats]
}

/** A case expects of a function: its output, and the gradient for each of its inputs that has one. */
export interface Expected {
  readonly output: GoldenTensor
  readonly gradOutput?: GoldenTensor
  readonly grads?: readonly (GoldenTensor | undefined)[]
}

/** Compares f(inputs) and its gradients with what the case expects. Nothing may leak. */
export async function checkCase(
  place: Place,
  tolerance: Tolerance,
  inputs: readonly GoldenTensor[],
  f: (...xs: Tensor[]) => Tensor,
  { output, gradOutput, grads = [] }: Expected,
): Promise<void> {
  const { backend, floats } = place
  const before = backend.memory()
  const make = (given: GoldenTensor): Tensor => tensorOf(given, backend, floats)
  const xs = inputs.map(make)
  const made = [...xs]
  try {
    if (!gradOutput) {
      const y = withBackend(backend, () => scope(() => f(...xs)))
      made.push(y)
      await expectClose(y, output, tolerance, 'output')
      return
    }
    const u = make(gradOutput)
    made.push(u)
    const followed = xs.filter((_, i) => grads[i])
    const result = withBackend(backend, () =>
      vjp((...given) => f(...xs.map((x, i) => (grads[i] ? given[followed.indexOf(x)] : x))), followed, u),
    )
    made.push(result.value, ...result.grads)
    await expectClose(result.value, output, tolerance, 'output')
    const wanted = grads.filter((want) => want !== undefined)
    for (const [i, want] of wanted.entries()) await expectClose(result.grads[i], want, tolerance, `gradient ${i}`)
  } finally {
    for (const tensor of made) tensor.dispose()
  }
  expect(backend.memory(), 'leaked memory').toMatchObject({ buffers: before.buffers, bytes: before.bytes })
}

/** A case of a layer: weights in the order of Keras, and how they come out of the gradient. */
export interface LayerCase {
  readonly name: string
  readonly layer: string
  readonly params: Record<string, unknown>
  readonly weights?: readonly (GoldenTensor & { name: string; trainable: boolean })[]
  readonly inputs: { readonly x: GoldenTensor; readonly grad_output?: GoldenTensor }
  readonly expected: { readonly output: GoldenTensor; readonly grad_x?: GoldenTensor; readonly grad_weights?: readonly GoldenTensor[] }
}

/** Runs a case of a layer; f gets x and the weights. */
export async function checkLayerCase(
  place: Place,
  { params, weights = [], inputs, expected }: LayerCase,
  f: (x: Tensor, weights: readonly Tensor[], params: Record<string, unknown>) => Tensor,
  tolerance: { readonly float64: Tolerance; readonly float32: Tolerance },
): Promise<void> {
  const trainable = weights.filter((w) => w.trainable)
  const first = params.dataFormat === 'channels_first'
  const run = (x: Tensor, ...ws: Tensor[]): Tensor =>
    first ? scope(() => channelsFirst(f(channelsLast(x), ws, params))) : f(x, ws, params)
  await checkCase(place, tolerance[place.floats], [inputs.x, ...weights], run, {
    output: expected.output,
    gradOutput: inputs.grad_output,
    grads: [expected.grad_x, ...weights.map((w) => (w.trainable ? expected.grad_weights?.[trainable.indexOf(w)] : undefined))],
  })
}

/** [n, c, ..] → [n, .., c] */
const channelsLast = (x: Tensor): Tensor => transpose(x, [0, ...x.shape.slice(2).map((_, i) => i + 2), 1])
/** [n, .., c] → [n, c, ..] */
const channelsFirst = (x: Tensor): Tensor => (x.rank === 2 ? x : transpose(x, [0, x.rank - 1, ...x.shape.slice(2).map((_, i) => i + 1)]))

/** A number for each of n axes, or such a list already. */
export const perAxis = (value: unknown, n: number, otherwise = 1): number[] =>
  Array.isArray(value) ? (value as number[]) : new Array<number>(n).fill((value as number | null | undefined) ?? otherwise)

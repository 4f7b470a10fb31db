/**
 * Layers on jax-js, written by hand. Images are [n, c, h, w] and the results of 1-D convolutions [n, c, t], as its convolutions take them. jax-js has no loop
 * that can be differentiated, so recurrent layers are unrolled.
 */
import { EMBEDDING_LIMIT, glorotLimit, type PlacedLayer, sizeOf } from '../placed.js'
import type { Flat, Jax, JaxArray } from './jax-library.js'

/** A shape [h, w, c] as [c, h, w]; any other shape stays. */
export const channelsFirst = (shape: readonly number[]): number[] => (shape.length === 3 ? [shape[2], shape[0], shape[1]] : [...shape])

/** A layer's weights, in the order in which `apply` takes them. */
export function weightsOf({ numpy: np }: Jax, { layer, kernel, recurrent }: PlacedLayer, next: () => number, constant?: number): Flat {
  const uniform = (shape: number[], limit: number): JaxArray =>
    np.array(
      Float32Array.from({ length: sizeOf(shape) }, () => constant ?? (2 * next() - 1) * limit),
      { shape },
    )
  if (layer.type === 'embedding') return [uniform([layer.vocabulary, layer.size], EMBEDDING_LIMIT)]
  if (!kernel) return []
  const width = kernel[kernel.length - 1]
  // The axes of the window come last: [kh, kw, c, f] becomes [f, c, kh, kw].
  const shape = kernel.length > 2 ? [width, kernel[kernel.length - 2], ...kernel.slice(0, -2)] : [...kernel]
  const one = (): Flat => {
    const bias = new Float32Array(width)
    // The forget gate's bias starts at 1.
    if (layer.type === 'lstm') bias.fill(1, layer.units, 2 * layer.units)
    const ofState = recurrent ? [uniform([...recurrent], glorotLimit(recurrent))] : []
    return [uniform(shape, glorotLimit(kernel)), ...ofState, np.array(bias, { shape: [width] })]
  }
  return layer.type === 'lstm' && layer.bidirectional ? [...one(), ...one()] : one()
}

type Take = () => JaxArray

/** One direction of a recurrent layer: the last state, from x [n, t, c]. */
function lastState(
  { numpy: np, nn, random }: Jax,
  { layer, input: [length], recurrent }: PlacedLayer,
  x: JaxArray,
  take: Take,
  key: Take,
  backwards = false,
) {
  const [w, u, bias] = [take(), take(), take()]
  const units = recurrent?.[0] ?? 0
  const mask = (rate: number, size: number): JaxArray | undefined =>
    rate === 0 ? undefined : np.where(random.bernoulli(key(), 1 - rate, [x.shape[0], size]), 1 / (1 - rate), 0)
  const ofInput = layer.type === 'lstm' ? mask(layer.dropout, x.shape[2]) : undefined
  const ofState = layer.type === 'lstm' ? mask(layer.recurrentDropout, units) : undefined
  let h = np.zeros([x.shape[0], units])
  let c = np.zeros([x.shape[0], units])
  for (let step = 0; step < length; step++) {
    const now = x.ref.slice([], backwards ? length - 1 - step : step) // [n, c]
    const seen = ofInput ? now.mul(ofInput.ref) : now
    const last = ofState ? h.mul(ofState.ref) : h
    const z = np.matmul(seen, w.ref).add(np.matmul(last, u.ref)).add(bias.ref)
    if (layer.type !== 'lstm') {
      h = np.tanh(z)
      continue
    }
    const [i, f, g, o] = np.split(z, 4, -1)
    c = nn
      .sigmoid(f)
      .mul(c)
      .add(nn.sigmoid(i).mul(np.tanh(g)))
    h = nn.sigmoid(o).mul(np.tanh(c.ref))
  }
  for (const each of [x, w, u, bias, c, ofInput, ofState]) each?.dispose()
  return h
}

/** The inputs of a layer besides h. */
interface Given {
  batch: number
  /** Gives its weights, one after the other. */
  take: Take
  /** Gives a key; only dropout needs it. */
  key: Take
  /** A layer before this one has windows along one axis, so channels already come first. */
  turned: boolean
}

/** Whether a layer has windows along one axis. */
export const slidesAlong = ({ layer: { type } }: PlacedLayer): boolean =>
  type === 'conv1d' || type === 'maxPool1d' || type === 'globalMaxPool1d'

/** Applies a layer to h. */
export function apply(jax: Jax, placed: PlacedLayer, h: JaxArray, { batch, take, key, turned }: Given): JaxArray {
  const { numpy: np, nn, lax, random } = jax
  const { layer, output } = placed
  const channels = (): JaxArray => (turned ? h : np.matrixTranspose(h)) // [n, c, t]
  switch (layer.type) {
    case 'dense': {
      const z = np.matmul(h, take()).add(take())
      return layer.activation === 'relu' ? nn.relu(z) : z
    }
    case 'conv': {
      const z = lax.convGeneralDilated(h, take(), [1, 1], layer.padding === 'same' ? 'SAME' : 'VALID')
      const biased = z.add(take().reshape([layer.filters, 1, 1]))
      return layer.activation === 'relu' ? nn.relu(biased) : biased
    }
    case 'conv1d': {
      const biased = lax.convGeneralDilated(channels(), take(), [1], 'VALID').add(take().reshape([layer.filters, 1]))
      return layer.activation === 'relu' ? nn.relu(biased) : biased
    }
    case 'maxPool':
      return lax.reduceWindow(h, np.max, [layer.size, layer.size], [layer.size, layer.size])
    case 'maxPool1d':
      return lax.reduceWindow(channels(), np.max, [layer.size], [layer.size])
    case 'globalMaxPool1d':
      return np.max(channels(), -1)
    case 'flatten':
      return h.reshape([batch, ...output])
    case 'embedding':
      return np.take(take(), h, 0)
    case 'lstm': {
      if (!layer.bidirectional) return lastState(jax, placed, h, take, key)
      const forward = lastState(jax, placed, h.ref, take, key)
      return np.concatenate([forward, lastState(jax, placed, h, take, key, true)], -1)
    }
    case 'simpleRnn':
      return lastState(jax, placed, h, take, key)
    case 'dropout': {
      const keep = 1 - layer.rate
      return np.where(random.bernoulli(key(), keep, [batch, ...channelsFirst(output)]), h.div(keep), 0)
    }
  }
}

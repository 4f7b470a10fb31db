/**
 * A network on jax-js, which has no layers or optimizers in this package: written out with `valueAndGrad`, a whole training step in one `jit`.
 * Images are [n, c, h, w], as its convolution wants them.
 */
import type { Prepared } from '../adapter.js'
import { classesOf, type PlacedLayer, placed, sizeOf, type TrainWorkload } from '../networks.js'
import { batchesOf, stream } from '../random.js'
import type { Flat, Jax, JaxArray } from './jax-library.js'

/** How many moments an optimizer keeps of each parameter. */
const momentsOf: Record<TrainWorkload['optimizer'], number> = { adam: 2, rmsprop: 1, adadelta: 2 }

/** [h, w, c] as [c, h, w]; [features] as it is. */
const channelsFirst = (shape: readonly number[]): number[] => (shape.length === 3 ? [shape[2], shape[0], shape[1]] : [...shape])

/** The factor of step t; Adam's bias corrections are folded into it. */
function rateAt(optimizer: TrainWorkload['optimizer'], t: number): number {
  if (optimizer === 'adadelta') return 1
  return optimizer === 'adam' ? (0.001 * Math.sqrt(1 - 0.999 ** t)) / (1 - 0.9 ** t) : 0.001
}

/** A network, ready to be trained. */
export function train(jax: Jax, workload: TrainWorkload, seed: number): Prepared {
  const { numpy: np, nn, random, lax } = jax
  const { batch, inputShape, optimizer } = workload
  const batches = batchesOf(workload, seed)
  const classes = classesOf(workload)
  const layers = placed(workload)
  const next = stream(seed + 1)
  const kept = momentsOf[optimizer]
  let parameters: Flat = []
  let moments: Flat = []
  for (const { layer, kernel, fans } of layers) {
    if (!kernel || !fans) continue
    const limit = Math.sqrt(6 / (fans[0] + fans[1])) // Glorot uniform
    const [shape, units] = layer.type === 'conv' ? [[kernel[3], kernel[2], kernel[0], kernel[1]], kernel[3]] : [[...kernel], kernel[1]]
    const values = Float32Array.from({ length: sizeOf(kernel) }, () => (2 * next() - 1) * limit)
    parameters.push(np.array(values, { shape }), np.array(new Float32Array(units), { shape: [units] }))
    for (const of of [shape, [units]]) for (let i = 0; i < kept; i++) moments.push(np.array(new Float32Array(sizeOf(of)), { shape: of }))
  }

  /** What a layer does to h; the key is given to dropout alone. */
  const apply = ({ layer, output }: PlacedLayer, h: JaxArray, take: () => JaxArray, key: () => JaxArray): JaxArray => {
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
      case 'maxPool':
        return lax.reduceWindow(h, np.max, [layer.size, layer.size], [layer.size, layer.size])
      case 'flatten':
        return h.reshape([batch, ...output])
      case 'dropout': {
        const keep = 1 - layer.rate
        return np.where(random.bernoulli(key(), keep, [batch, ...channelsFirst(output)]), h.div(keep), 0)
      }
    }
  }

  const lossOf = (weights: Flat, x: JaxArray, y: JaxArray, key: JaxArray): JaxArray => {
    let at = 0
    let rest = key
    const take = (): JaxArray => weights[at++]
    const anotherKey = (): JaxArray => {
      const [now, later] = random.split(rest, 2) as unknown as [JaxArray, JaxArray]
      rest = later
      return now
    }
    const h = layers.reduce((values, layer) => apply(layer, values, take, anotherKey), x)
    rest.dispose()
    return nn.logSoftmax(h, -1).mul(y).sum().neg().div(batch)
  }

  const step = jax.jit((weights: Flat, slots: Flat, x: JaxArray, y: JaxArray, key: JaxArray, rate: JaxArray): [JaxArray, Flat, Flat] => {
    const [loss, grads] = jax.valueAndGrad(lossOf)(
      weights.map((weight) => weight.ref),
      x,
      y,
      key,
    )
    const newSlots: Flat = []
    const moved = weights.map((weight, i) => {
      const g = grads[i]
      if (optimizer === 'adam') {
        const m = slots[2 * i].mul(0.9).add(g.ref.mul(1 - 0.9))
        const v = slots[2 * i + 1].mul(0.999).add(g.ref.mul(g).mul(1 - 0.999))
        newSlots.push(m.ref, v.ref)
        return weight.sub(m.mul(rate.ref).div(np.sqrt(v).add(1e-7)))
      }
      if (optimizer === 'adadelta') {
        const a = slots[2 * i].mul(0.95).add(g.ref.mul(g.ref).mul(1 - 0.95))
        const d = slots[2 * i + 1]
        const move = g.mul(np.sqrt(d.ref.add(1e-7))).div(np.sqrt(a.ref.add(1e-7)))
        newSlots.push(a, d.mul(0.95).add(move.ref.mul(move.ref).mul(1 - 0.95)))
        return weight.sub(move.mul(rate.ref))
      }
      const a = slots[i].mul(0.9).add(g.ref.mul(g.ref).mul(1 - 0.9))
      newSlots.push(a.ref)
      return weight.sub(g.mul(rate.ref).div(np.sqrt(a).add(1e-7)))
    })
    rate.dispose()
    return [loss, moved, newSlots]
  })

  let t = 0
  return {
    async run(steps) {
      let value = Number.NaN
      for (let i = 0; i < steps; i++) {
        const { x, y } = batches[t++ % batches.length]
        const images = np.array(x, { shape: [batch, ...channelsFirst(inputShape)] })
        const labels = np.array(y, { shape: [batch, classes] })
        const rate = rateAt(optimizer, t)
        const [loss, ...state] = step(parameters, moments, images, labels, random.key(t), np.array(rate))
        ;[parameters, moments] = state
        ;[value] = Array.from(await loss.data())
      }
      return value
    },
    dispose() {
      for (const each of [...parameters, ...moments]) each.dispose()
      step.dispose()
    },
  }
}

/**
 * A network on jax-js. This package of it has no layers or optimizers, so they are written by hand with `valueAndGrad`; a whole training step is one `jit`.
 * The layers are in jax-layers.ts.
 */
import type { Prepared } from '../adapter.js'
import type { TrainWorkload } from '../networks.js'
import { outputsOf, placed } from '../placed.js'
import { batchesOf, stream } from '../random.js'
import { apply, channelsFirst, slidesAlong, weightsOf } from './jax-layers.js'
import type { Flat, Jax, JaxArray } from './jax-library.js'

/** The number of moments that an optimizer keeps of each parameter. */
const momentsOf: Record<TrainWorkload['optimizer'], number> = { adam: 2, rmsprop: 1, adadelta: 2 }

/** The rate of step t; Adam's bias corrections are folded into it. */
function rateAt(optimizer: TrainWorkload['optimizer'], t: number): number {
  if (optimizer === 'adadelta') return 1
  return optimizer === 'adam' ? (0.001 * Math.sqrt(1 - 0.999 ** t)) / (1 - 0.9 ** t) : 0.001
}

/** A network, ready to be trained. */
export function train(jax: Jax, workload: TrainWorkload, seed: number): Prepared {
  const { numpy: np, nn, random } = jax
  const { batch, inputShape, loss, optimizer } = workload
  const batches = batchesOf(workload, seed)
  const outputs = outputsOf(workload)
  const layers = placed(workload)
  const next = stream(seed + 1)
  const kept = momentsOf[optimizer]
  let parameters: Flat = layers.flatMap((layer) => weightsOf(jax, layer, next, workload.constantWeights))
  let moments: Flat = parameters.flatMap(({ shape }) => Array.from({ length: kept }, () => np.zeros([...shape])))

  const lossOf = (weights: Flat, x: JaxArray, y: JaxArray, key: JaxArray): JaxArray => {
    let at = 0
    let rest = key
    const take = (): JaxArray => weights[at++]
    const anotherKey = (): JaxArray => {
      const [now, later] = random.split(rest, 2) as unknown as [JaxArray, JaxArray]
      rest = later
      return now
    }
    const z = layers.reduce((h, layer, i) => {
      const turned = layers.slice(0, i).some(slidesAlong)
      return apply(jax, layer, h, { batch, take, key: anotherKey, turned })
    }, x)
    rest.dispose()
    const losses = {
      categoricalCrossentropy: () => nn.logSoftmax(z, -1).mul(y).neg(),
      binaryCrossentropy: () => nn.softplus(z.ref).sub(z.mul(y)),
      meanAbsoluteError: () => np.abs(z.sub(y)),
    }
    return losses[loss]().sum().div(batch)
  }

  const step = jax.jit((weights: Flat, slots: Flat, x: JaxArray, y: JaxArray, key: JaxArray, rate: JaxArray): [JaxArray, Flat, Flat] => {
    const [value, grads] = jax.valueAndGrad(lossOf)(
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
    return [value, moved, newSlots]
  })

  let t = 0
  return {
    async run(steps) {
      let value = Number.NaN
      for (let i = 0; i < steps; i++) {
        const { x, y } = batches[t++ % batches.length]
        const inputs = np.array(x, { shape: [batch, ...channelsFirst(inputShape)] })
        const labels = np.array(y, { shape: [batch, outputs] })
        const rate = rateAt(optimizer, t)
        const [last, ...state] = step(parameters, moments, inputs, labels, random.key(t), np.array(rate))
        ;[parameters, moments] = state
        ;[value] = Array.from(await last.data())
      }
      return value
    },
    dispose() {
      for (const each of [...parameters, ...moments]) each.dispose()
      step.dispose()
    },
  }
}

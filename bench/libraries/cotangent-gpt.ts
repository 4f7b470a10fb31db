/** The GPT of examples/gpt, in layers and in ops alone. */
import { key, tensor } from '@cotangent/core'
import { createGpt, createTrainer } from '../../examples/gpt/gpt-core.js'
import { gptModel } from '../../examples/gpt/gpt-layers.js'
import type { Prepared } from '../adapter.js'
import { type GptWorkload, textsOf, waves } from '../gpt.js'

export function gptInLayers(workload: GptWorkload, seed: number, runEagerly?: boolean): Prepared {
  const { batch, context, steps } = workload
  const texts = textsOf(workload, seed)
  const model = gptModel(workload, { seed, steps, runEagerly })
  const shape = [batch, context]
  let t = 0
  return {
    async run(count) {
      let loss = Number.NaN
      for (let i = 0; i < count; i++) {
        const { ids, next } = texts[t++ % texts.length]
        ;[loss] = await model.trainOnBatch({ data: ids, shape }, { data: next, shape })
      }
      return loss
    },
    dispose: () => model.dispose(),
  }
}

export function gptInCore(workload: GptWorkload, seed: number): Prepared {
  const { batch, context, steps } = workload
  const texts = textsOf(workload, seed)
  const gpt = createGpt(workload, key(seed))
  if (workload.fixedWeights) {
    for (const [i, w] of gpt.parameters.filter(({ rank }) => rank === 2).entries()) {
      const [rows, columns] = w.shape
      w.assign(tensor(waves(i, rows, columns, 0.1), { shape: [rows, columns] }))
    }
  }
  const trainer = createTrainer(gpt, steps)
  return {
    async run(count) {
      let loss = Number.NaN
      for (let i = 0; i < count; i++) {
        const { ids, next } = texts[trainer.step % texts.length]
        const [x, y] = [ids, next].map((values) => tensor(values, { shape: [batch, context], dtype: 'int32' }))
        const before = trainer.train(x, y)
        loss = await before.item()
        for (const each of [before, x, y]) each.dispose()
      }
      return loss
    },
    dispose() {
      for (const each of [...trainer.gpt.parameters, ...trainer.state.flat()]) each.dispose()
    },
  }
}

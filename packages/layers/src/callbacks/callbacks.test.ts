/**
 * Callbacks in real trainings: their effects on the model, their printed lines, and the options that they refuse. One file, since all share its model and data.
 */
import { expectNoLeaks, memory } from '@cotangent/core'
import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  batchNormalization,
  type Callback,
  CSVLogger,
  dense,
  earlyStopping,
  exponentialDecay,
  type FitOptions,
  type History,
  type Logs,
  lambdaCallback,
  learningRateScheduler,
  ModelCheckpoint,
  metrics,
  reduceLROnPlateau,
  Sequential,
  sgd,
  terminateOnNaN,
  weightAveraging,
} from '../index.js'

const x = Array.from({ length: 12 }, (_, i) => [Math.sin(i), Math.cos(3 * i)])
const y = x.map(([a, b]) => [2 * a - b])

function model(learningRate: number | ReturnType<typeof exponentialDecay> = 0.1): Sequential {
  const made = new Sequential([dense(1, { inputShape: [2] })], { seed: 3 })
  made.compile({ optimizer: sgd({ learningRate }), loss: 'mse', metrics: ['mae'] })
  return made
}
const weightsOf = async (of: Sequential): Promise<number[]> => (await of.getWeights()).flatMap(({ data }) => [...data])

/** Trains. Returns the history and the printed text. */
async function train(of: Sequential, callbacks: Callback[], options: FitOptions = {}): Promise<{ history: History; text: string }> {
  let text = ''
  const output = {
    write(part: string) {
      text += part
    },
  }
  const history = await of.fit(x, y, { batchSize: 4, epochs: 4, verbose: 0, output, ...options, callbacks })
  return { history, text }
}

/** Replaces the logs of each epoch by given values. */
const pretend = (name: string, values: readonly number[]): Callback => ({
  onEpochEnd(epoch, logs) {
    logs[name] = values[epoch]
  },
})

afterEach(() => void vi.restoreAllMocks())

describe('earlyStopping', () => {
  test('puts the best weights back only if it ends the training, and says so as Keras does', async () => {
    const seen: number[][] = []
    const m = model()
    const watch: Callback = { onEpochEnd: async () => void seen.push(await weightsOf(m)) }
    const stopping = earlyStopping({ monitor: 'loss', patience: 2, restoreBestWeights: true, verbose: 1 })
    const { history, text } = await train(m, [watch, pretend('loss', [3, 1, 2, 2, 2]), stopping], { epochs: 5 })
    expect(history.epoch).toEqual([0, 1, 2, 3])
    expect(text).toBe('Restoring model weights from the end of the best epoch\nEpoch 00004: early stopping\n')
    expect(await weightsOf(m)).toEqual(seen[1])
    expect([stopping.best, stopping.bestEpoch, stopping.stoppedEpoch]).toEqual([1, 1, 3])

    seen.length = 0
    const { text: second } = await train(m, [watch, pretend('loss', [3, 1, 2, 2, 2]), stopping], { epochs: 3 })
    expect(second).toBe('')
    expect(stopping.stoppedEpoch).toBeUndefined()
    expect(await weightsOf(m), 'the last, not the best').toEqual(seen[2])
  })

  test('a value that there is not is warned of once, with what there is', async () => {
    const said = vi.spyOn(console, 'warn').mockImplementation(() => {})
    expect((await train(model(), [earlyStopping()])).history.epoch).toHaveLength(4)
    expect(said.mock.calls).toEqual([
      [
        expect.stringMatching(
          /earlyStopping: there is no "val_loss" .* There are: loss, mae\. For values of validation give fit validationData/,
        ),
      ],
    ])
  })

  test('epochs without validation are passed over in silence', async () => {
    const said = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const stopping = earlyStopping({ patience: 100 })
    await train(model(), [stopping], { validationSplit: 0.25, validationFreq: 2 })
    expect(said).not.toHaveBeenCalled()
    expect(stopping.bestEpoch).toBe(3)
  })

  test('which way is better: by name, or as said', () => {
    const best = (monitor: string, mode?: 'min' | 'max'): number => earlyStopping({ monitor, mode }).best
    for (const name of ['val_acc', 'accuracy', 'fmeasure', 'val_auc', 'precision', 'recall', 'f1_score', 'top_k_categorical_accuracy']) {
      expect(best(name), name).toBe(-Infinity)
    }
    for (const name of ['val_loss', 'mae', 'mean_squared_error', 'lr']) expect(best(name), name).toBe(Infinity)
    expect(best('mine', 'max')).toBe(-Infinity)
    expect(() => earlyStopping({ mode: 'least' as 'min' })).toThrow(/mode must be 'auto', 'min' or 'max', got text "least"/)
    expect(() => earlyStopping({ patiance: 1 } as never)).toThrow(/earlyStopping: there is no option "patiance"\. Did you mean "patience"/)
    expect(earlyStopping({ min_delta: 0.1, restore_best_weights: true }).wait).toBe(0)
  })
})

describe('the learning rate', () => {
  test('learningRateScheduler sets and logs it, from initialEpoch on', async () => {
    const m = model()
    const callback = learningRateScheduler((epoch, rate) => (epoch < 2 ? rate : 0.01 / epoch), { verbose: 1 })
    const { history, text } = await train(m, [callback], { initialEpoch: 1, epochs: 4 })
    expect(history.history.lr).toEqual([0.1, 0.005, 0.01 / 3])
    expect(text).toContain('\nEpoch 00003: LearningRateScheduler setting learning rate to 0.005.\n')
  })

  test('reduceLROnPlateau lowers it and says so', async () => {
    const m = model()
    const { history, text } = await train(m, [
      pretend('loss', [1, 1, 1, 1]),
      reduceLROnPlateau({ monitor: 'loss', patience: 1, factor: 1e-4, verbose: 1 }),
    ])
    expect(history.history.lr).toEqual([0.1, 0.1, 0.1 * 1e-4, 0.1 * 1e-4 * 1e-4])
    expect(text).toContain('\nEpoch 00002: ReduceLROnPlateau reducing learning rate to 1e-05.\n')
    expect(m.optimizer.learningRate).toBeCloseTo(1e-13, 20)
  })

  test('neither goes with a schedule, and bad values are refused', async () => {
    for (const callback of [reduceLROnPlateau({ monitor: 'loss' }), learningRateScheduler(() => 1)]) {
      const m = model(exponentialDecay({ initialLearningRate: 0.1, decaySteps: 3, decayRate: 0.5 }))
      await expect(train(m, [callback])).rejects.toThrow(/follows ExponentialDecay, so it cannot be set/)
    }
    await expect(train(model(), [learningRateScheduler(() => Number.NaN)])).rejects.toThrow(/for epoch 0 the function gave NaN/)
    expect(() => reduceLROnPlateau({ factor: 1 })).toThrow(/factor must be a number from 0 and below 1, got 1/)
  })
})

describe('ModelCheckpoint', () => {
  test('saves what is asked for, and says so as Keras does', async () => {
    const saved: unknown[] = []
    const m = model()
    const callback = new ModelCheckpoint('w-{epoch}-{loss:.1f}', {
      monitor: 'loss',
      saveBestOnly: true,
      saveWeightsOnly: true,
      verbose: 1,
      save: (of, path, options) => void saved.push([of === m, path, options]),
    })
    const { text } = await train(m, [pretend('loss', [2, 2.5, 1, 1]), callback])
    const weightsOnly = { weightsOnly: true }
    expect(saved).toEqual([
      [true, 'w-1-2.0', weightsOnly],
      [true, 'w-3-1.0', weightsOnly],
    ])
    expect(text).toBe(
      '\nEpoch 00001: loss improved from inf to 2.00000, saving model to w-1-2.0\n' +
        '\nEpoch 00002: loss did not improve from 2.00000\n' +
        '\nEpoch 00003: loss improved from 2.00000 to 1.00000, saving model to w-3-1.0\n' +
        '\nEpoch 00004: loss did not improve from 1.00000\n',
    )
  })

  test('a path that cannot be filled, and a saving that fails, end the training with nothing left behind', async () => {
    const m = model()
    await train(m, [])
    const before = memory().buffers
    const checkpoint = (path: string, save = (): void => {}): Callback => new ModelCheckpoint(path, { save })
    await expect(train(m, [checkpoint('{val_loss:.2f}.h5')])).rejects.toThrow(/There is no log "val_loss".*There are: epoch, loss, mae/)
    await expect(train(m, [checkpoint('{epoch:x}')])).rejects.toThrow(/the format "x" is not known/)
    const full = (): never => {
      throw new Error('disk full')
    }
    await expect(train(m, [checkpoint('a', full)])).rejects.toThrow('disk full')
    // Fewer if the garbage collector freed models of earlier tests.
    expect(memory().buffers).toBeLessThanOrEqual(before)
    expect(() => new ModelCheckpoint('a', {} as never)).toThrow(/save must be a function/)
  })
})

describe('terminateOnNaN', () => {
  test('ends at the batch, without validating', async () => {
    const m = model(1e30)
    const { history, text } = await train(m, [terminateOnNaN()], { validationData: [x, y] })
    expect(text).toMatch(/^Batch 1: Invalid loss, terminating training\n$/)
    expect(history.epoch).toEqual([0])
    expect(Object.keys(history.history).sort()).toEqual(['loss', 'mae'])
  })
})

describe('lambdaCallback', () => {
  test('calls what it is given, and only asks for batch logs if they are wanted', async () => {
    const told: string[] = []
    await train(
      model(),
      [lambdaCallback({ on_epoch_begin: (epoch: number) => void told.push(`begin ${epoch}`), onTrainEnd: () => void told.push('end') })],
      {
        epochs: 2,
      },
    )
    expect(told).toEqual(['begin 0', 'begin 1', 'end'])
    expect(lambdaCallback({}).onBatchEnd).toBeUndefined()
    expect(() => lambdaCallback({ onEpoch: () => {} } as never)).toThrow(/lambdaCallback: there is no option "onEpoch"/)
    expect(() => lambdaCallback({ onEpochEnd: 3 as never })).toThrow(/onEpochEnd must be a function, got 3/)
  })
})

describe('CSVLogger', () => {
  const sink = (there = ''): { text: string; begin(append: boolean): string; write(text: string): void } => ({
    text: there,
    begin(append) {
      if (!append) this.text = ''
      return this.text.split('\n')[0]
    },
    write(text) {
      this.text += text
    },
  })
  const rows = (text: string): string[][] =>
    text
      .trimEnd()
      .split('\r\n')
      .map((line) => line.split(','))

  test('columns in the order of their names, NA where an epoch has no value, numbers as they are', async () => {
    const to = sink('old')
    const { history } = await train(model(), [new CSVLogger(to)], { validationSplit: 0.25, validationFreq: 2 })
    const [header, ...lines] = rows(to.text)
    expect(header).toEqual(['epoch', 'loss', 'mae', 'val_loss', 'val_mae'])
    expect(lines.map((line) => line[3] === 'NA')).toEqual([true, false, true, false])
    expect(lines.map((line) => Number(line[1]))).toEqual(history.history.loss)
    expect(lines.map((line) => line[0])).toEqual(['0', '1', '2', '3'])
  })

  test('a name with the separator or a quote in it is quoted, and append knows it again', async () => {
    const to = sink()
    const m = new Sequential([dense(1, { activation: 'sigmoid', inputShape: [2] })], { seed: 3 })
    m.compile({ optimizer: 'sgd', loss: 'mse', metrics: [metrics.auc({ name: 'a,b "c"' })] })
    await train(m, [new CSVLogger(to)], { epochs: 1 })
    await train(m, [new CSVLogger(to, { append: true })], { initialEpoch: 1, epochs: 2 })
    expect(to.text).toMatch(/^epoch,"a,b ""c""",loss\r\n0,[^,]+,[^,]+\r\n1,[^,]+,[^,]+\r\n$/)
  })

  test('append goes on without a header, and refuses other columns', async () => {
    const [whole, parts] = [sink(), sink()]
    const m = model()
    await train(m, [new CSVLogger(whole)])
    const n = model()
    await train(n, [new CSVLogger(parts)], { epochs: 2 })
    await train(n, [new CSVLogger(parts, { append: true })], { initialEpoch: 2 })
    expect(parts.text).toBe(whole.text)
    await expect(train(n, [new CSVLogger(parts, { append: true })], { validationSplit: 0.5 })).rejects.toThrow(
      /the file begins with "epoch,loss,mae"/,
    )
    expect(() => new CSVLogger(parts, { separator: '.' })).toThrow(/separator must be one character/)
  })
})

describe('weightAveraging', () => {
  test('is the mean of the weights of the epochs from startEpoch on; others stay', async () => {
    const seen: number[][] = []
    const m = new Sequential([batchNormalization({ inputShape: [2] }), dense(1)], { seed: 3 })
    m.compile({ optimizer: sgd({ learningRate: 0.05 }), loss: 'mse' })
    const watch: Callback = { onEpochEnd: async () => void seen.push(await weightsOf(m)) }
    await train(m, [watch, weightAveraging({ startEpoch: 1 })])
    const after = await weightsOf(m)
    // gamma, beta, two moving averages, kernel, bias
    const moving = (i: number): boolean => i >= 4 && i < 8
    for (const [i, value] of after.entries()) {
      const mean = (seen[1][i] + seen[2][i] + seen[3][i]) / 3
      expect(value, `weight ${i}`).toBeCloseTo(moving(i) ? seen[3][i] : mean, 6)
      if (moving(i)) expect(value).toBe(seen[3][i])
    }
    const untouched = model()
    await train(untouched, [weightAveraging({ startEpoch: 9 })])
    const plain = model()
    await train(plain, [])
    expect(await weightsOf(untouched)).toEqual(await weightsOf(plain))
  })
})

describe('running', () => {
  test('in the order of the list, the history last; what is added to the logs is seen by those behind', async () => {
    const told: string[] = []
    const callback = (name: string): Callback => ({
      onTrainBegin: ({ metrics, epochs, steps }) => void told.push(`${name} ${metrics} ${epochs} ${steps}`),
      onEpochEnd: (_, logs: Logs) => {
        told.push(`${name} sees ${Object.keys(logs)}`)
        logs[name] = 1
      },
    })
    const { history } = await train(model(), [callback('a'), callback('b')], { epochs: 1, validationSplit: 0.5 })
    expect(told).toEqual([
      'a loss,mae,val_loss,val_mae 1 2',
      'b loss,mae,val_loss,val_mae 1 2',
      'a sees loss,mae,val_loss,val_mae',
      'b sees loss,mae,val_loss,val_mae,a',
    ])
    expect(Object.keys(history.history)).toEqual(['loss', 'mae', 'val_loss', 'val_mae', 'a', 'b'])
  })

  test('what is no list of callbacks is refused before anything runs', async () => {
    const begun = vi.fn()
    for (const [given, problem] of [
      [earlyStopping(), /callbacks must be a list, got an EarlyStopping/],
      [[{ onTrainBegin: begun }, null], /callbacks\[1\] is null, not a callback/],
      [[earlyStopping], /callbacks\[0\] is the function earlyStopping, not a callback\. Give a list of what earlyStopping\(\)/],
    ] as const)
      await expect(model().fit(x, y, { verbose: 0, callbacks: given as unknown as Callback[] })).rejects.toThrow(problem)
    expect(begun).not.toHaveBeenCalled()
  })

  test.each(['onTrainBegin', 'onEpochBegin', 'onBatchBegin', 'onBatchEnd', 'onEpochEnd', 'onTrainEnd'] as const)(
    'an error in %s comes out, and leaves nothing behind',
    async (stage) => {
      await expectNoLeaks(async () => {
        const m = model()
        const failing: Callback = {
          [stage]: () => {
            throw new Error(`in ${stage}`)
          },
        }
        await expect(train(m, [failing], { validationSplit: 0.25 })).rejects.toThrow(`in ${stage}`)
        m.dispose()
      })
    },
  )
})

describe("earlyStopping with variant 'keras3'", () => {
  /** Runs epochs with these values. Each epoch sets the one weight to its number. Returns the last weight. */
  const weightAfter = async (callback: ReturnType<typeof earlyStopping>, values: readonly number[]): Promise<number> => {
    const net = new Sequential([dense(1, { inputShape: [1], useBias: false })])
    net.compile({ optimizer: 'sgd', loss: 'mse' })
    await callback.onTrainBegin({
      model: net,
      epochs: values.length,
      steps: 1,
      samples: 1,
      metrics: ['loss'],
      print: () => {},
      place: async () => ({ numbers: {}, arrays: {} }),
      resume: () => {},
      watchGradients: () => undefined,
      wrapOutput: () => undefined,
    })
    net.stopTraining = false
    for (let epoch = 0; epoch < values.length && !net.stopTraining; epoch++) {
      net.setWeights([{ data: Float32Array.of(epoch), shape: [1, 1] }])
      await callback.onEpochEnd(epoch, { loss: values[epoch] })
    }
    callback.onTrainEnd()
    return (await net.getWeights())[0].data[0]
  }
  const options = { monitor: 'loss', restoreBestWeights: true } as const
  test.each([
    // The best is epoch 1; training ends at its last epoch, before patience is used up.
    { values: [3, 1, 2], patience: 5, keras2: 2, keras3: 1 },
    // It is ended here.
    { values: [3, 1, 2, 2, 0], patience: 2, keras2: 1, keras3: 1 },
    // Nothing is ever an improvement: Keras 3 keeps the first epoch.
    { values: [Number.NaN, Number.NaN], patience: 5, keras2: 1, keras3: 0 },
  ])('$values, patience $patience', async ({ values, patience, keras2, keras3 }) => {
    expect(await weightAfter(earlyStopping({ ...options, patience }), values)).toBe(keras2)
    expect(await weightAfter(earlyStopping({ ...options, patience, variant: 'keras3' }), values)).toBe(keras3)
  })
})

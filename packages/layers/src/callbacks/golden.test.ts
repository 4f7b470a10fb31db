/** The callbacks' golden vectors, made by the code of Keras 2.0.8 to 2.3.1 itself. */
import { describe, expect, test } from 'vitest'
import { expectClose } from '../../test/arithmetic.js'
import { loadGolden } from '../../test/golden.js'
import { type Callback, EarlyStopping, ModelCheckpoint, ReduceLROnPlateau } from '../index.js'
import type { Model } from '../models/model.js'
import { sgd } from '../optimizers/index.js'
import type { Logs } from './callback.js'

/** Calls a callback for epochs with these logs, until it ends the training. */
async function epochs(
  callback: Callback,
  logs: readonly Logs[],
  optimizer = sgd(),
  each: (logs: Logs) => void = () => {},
): Promise<number> {
  const model = { optimizer, stopTraining: false } as unknown as Model
  const metrics = Object.keys(logs[0])
  await callback.onTrainBegin?.({
    model,
    epochs: logs.length,
    steps: 1,
    samples: 1,
    metrics,
    print: () => {},
    place: async () => ({ numbers: {}, arrays: {} }),
    resume: () => {},
    watchGradients: () => undefined,
    wrapOutput: () => undefined,
  })
  let run = 0
  while (run < logs.length && !model.stopTraining) {
    const own = { ...logs[run] }
    await callback.onEpochBegin?.(run)
    await callback.onEpochEnd?.(run, own)
    each(own)
    run++
  }
  await callback.onTrainEnd?.()
  return run
}

const cases = loadGolden('callbacks.json')
const ofKind = (kind: string) => cases.filter(({ case_kind }) => case_kind === kind).map((c) => [c.name, c] as const)
const series = (inputs: Record<string, unknown>): Logs[] => (inputs.series as number[]).map((value) => ({ val_loss: value }))

describe('golden callbacks', () => {
  test.each(ofKind('early_stopping'))('early stopping: %s', async (_, { params, inputs, expected }) => {
    const callback = new EarlyStopping(params)
    expect(await epochs(callback, series(inputs))).toBe(expected.epochs_run)
    expect(callback.stoppedEpoch ?? null).toBe(expected.stopped_epoch_index)
    expect(callback.bestEpoch ?? null).toBe(expected.best_epoch_index)
  })

  test.each(ofKind('reduce_lr_on_plateau'))('reduce the rate: %s', async (_, { params, inputs, expected }) => {
    const optimizer = sgd({ learningRate: inputs.initial_lr as number })
    const [logged, after]: number[][] = [[], []]
    await epochs(new ReduceLROnPlateau(params), series(inputs), optimizer, (logs) => {
      logged.push(logs.lr)
      after.push(optimizer.learningRate)
    })
    const tolerance = { rtol: 1e-9, atol: 0 } // 10 digits are given
    expectClose('logged', logged, expected.lr_logged as number[], tolerance)
    expectClose('after', after, expected.lr_after_epoch as number[], tolerance)
  })

  test.each(ofKind('model_checkpoint'))('checkpoint: %s', async (_, { params, inputs, expected }) => {
    const { filepath, ...options } = params
    let saved: string | null = null
    const paths: (string | null)[] = []
    const save = (_model: Model, path: string): void => {
      saved = path
    }
    const callback = new ModelCheckpoint(filepath as string, { ...options, save })
    await epochs(callback, inputs.logs as Logs[], undefined, () => {
      paths.push(saved)
      saved = null
    })
    expect(paths).toEqual(expected.saved_path_per_epoch)
  })

  test('every kind is run', () => {
    expect([...new Set(cases.map(({ case_kind }) => case_kind))]).toEqual(['early_stopping', 'reduce_lr_on_plateau', 'model_checkpoint'])
  })
})

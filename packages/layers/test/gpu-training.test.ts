/** Trainings on the gpu backend's host engines, against the wasm backend and the reference. */
import { describe, test } from 'vitest'
import * as training from './gpu-training.js'
import { expectFlat, expectSameTraining } from './gpu-training-expectations.js'

describe('on webasm', () => {
  test.each(['perceptron', 'convolutional'] as const)(
    'a %s network trains as on wasm',
    (name) => expectSameTraining(training, 'webasm', name),
    600_000,
  )
  test('memory is flat over 500 steps', () => expectFlat(training, 'webasm'), 600_000)
})

test('on cpu a perceptron trains as on wasm', () => expectSameTraining(training, 'cpu', 'perceptron'), 600_000)

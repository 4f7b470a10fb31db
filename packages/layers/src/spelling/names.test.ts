/** Names in both spellings, and options objects. */
import { describe, expect, expectTypeOf, test } from 'vitest'
import { camelCase, lookUp, readOptions, type SnakeCase, type Spelling, snakeCase } from './names.js'

describe('spellings', () => {
  test.each([
    ['glorotUniform', 'glorot_uniform'],
    ['l1L2', 'l1_l2'],
    ['beta1', 'beta_1'],
    ['topKCategoricalAccuracy', 'top_k_categorical_accuracy'],
    ['mse', 'mse'],
  ])('%s is %s', (camel, snake) => {
    expect(snakeCase(camel)).toBe(snake)
    expect(camelCase(snake)).toBe(camel)
  })
  test('class names', () => {
    expect(camelCase('GlorotUniform')).toBe('glorotUniform')
    expect(snakeCase('VarianceScaling')).toBe('variance_scaling')
  })
  test('types follow', () => {
    expectTypeOf<SnakeCase<'glorotUniform'>>().toEqualTypeOf<'glorot_uniform'>()
    expectTypeOf<SnakeCase<'l1L2'>>().toEqualTypeOf<'l1_l2'>()
    expectTypeOf<SnakeCase<'beta1'>>().toEqualTypeOf<'beta_1'>()
    expectTypeOf<Spelling<'heNormal'>>().toEqualTypeOf<'heNormal' | 'he_normal'>()
  })
})

describe('lookUp', () => {
  const table = { meanSquaredError: 1, poisson: 2 }
  test('any spelling, and aliases', () => {
    for (const name of ['meanSquaredError', 'mean_squared_error', 'MeanSquaredError', 'MSE']) {
      expect(lookUp('loss', name, table, { mse: 'meanSquaredError' })).toBe(1)
    }
  })
  test('an unknown name lists what there is and suggests the nearest', () => {
    expect(() => lookUp('loss', 'poison', table)).toThrow(
      'There is no loss "poison". Did you mean "poisson"? There are: meanSquaredError, poisson.',
    )
    expect(() => lookUp('loss', 'zzz', table)).toThrow('There is no loss "zzz". There are: meanSquaredError, poisson.')
    expect(() => lookUp('loss', 'constructor', table)).toThrow(/no loss "constructor"/)
  })
})

test('options in either spelling; undefined means the default', () => {
  expect(readOptions('x', { learning_rate: 2, decay: undefined }, { learningRate: 1, decay: 0 })).toEqual({ learningRate: 2, decay: 0 })
  expect(() => readOptions('x', { toString: 1 }, { a: 1 })).toThrow(/x: there is no option "toString"/)
})

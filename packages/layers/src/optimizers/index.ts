/** The optimizers, and `getOptimizer`, which finds one by name. */
import { camelKeys, classNameOf, lookUp, requireCalled, type SavedObject } from '../spelling/names.js'
import { Adadelta, adadelta } from './adadelta.js'
import { Adagrad, adagrad } from './adagrad.js'
import { Adam, adam } from './adam.js'
import { Adamax, adamax } from './adamax.js'
import { AdamW, adamw } from './adamw.js'
import { Nadam, nadam } from './nadam.js'
import { Optimizer } from './optimizer.js'
import { RMSprop, rmsprop } from './rmsprop.js'
import { SGD, sgd } from './sgd.js'

export { Adadelta, type AdadeltaOptions, adadelta } from './adadelta.js'
export { Adagrad, type AdagradOptions, adagrad } from './adagrad.js'
export { Adam, type AdamOptions, adam } from './adam.js'
export { Adamax, type AdamaxOptions, adamax } from './adamax.js'
export { AdamW, type AdamWOptions, adamw } from './adamw.js'
export { Nadam, type NadamOptions, nadam } from './nadam.js'
export { Optimizer, type SavedState } from './optimizer.js'
export { RMSprop, type RMSpropOptions, rmsprop } from './rmsprop.js'
export {
  CosineDecay,
  type CosineDecayOptions,
  cosineDecay,
  type DecayOptions,
  ExponentialDecay,
  exponentialDecay,
  InverseTimeDecay,
  inverseTimeDecay,
  LearningRateSchedule,
  PiecewiseConstantDecay,
  type PiecewiseConstantDecayOptions,
  PolynomialDecay,
  type PolynomialDecayOptions,
  piecewiseConstantDecay,
  polynomialDecay,
} from './schedules.js'
export type { LearningRate, OptimizerOptions } from './settings.js'
export { SGD, type SGDOptions, sgd } from './sgd.js'

const table: Readonly<Record<string, new (options?: object) => Optimizer>> = {
  sgd: SGD,
  rmsprop: RMSprop,
  adagrad: Adagrad,
  adadelta: Adadelta,
  adam: Adam,
  adamw: AdamW,
  adamax: Adamax,
  nadam: Nadam,
}

/** Names of the optimizers. */
export type OptimizerName = 'sgd' | 'rmsprop' | 'adagrad' | 'adadelta' | 'adam' | 'adamw' | 'adamax' | 'nadam'
/** An optimizer by name (with its defaults), as an object, or in the form that saved models hold. */
export type OptimizerIdentifier = OptimizerName | Capitalize<OptimizerName> | 'SGD' | 'RMSprop' | 'AdamW' | Optimizer | SavedObject

/**
 * An optimizer by name, as an object, or from a saved model's description.
 *
 * @throws ValueError for an unknown name
 * @example
 * ```ts
 * const optimizer = getOptimizer('rmsprop')
 * console.log(optimizer.className, optimizer.learningRate)   // RMSprop 0.001
 * ```
 */
export function getOptimizer(id: OptimizerIdentifier): Optimizer {
  if (id instanceof Optimizer) return id
  requireCalled('optimizer', id, { sgd, rmsprop, adagrad, adadelta, adam, adamw, adamax, nadam })
  if (typeof id !== 'object' || id === null) return new (lookUp('optimizer', id, table))()
  const { name: _, ...config } = camelKeys(id.config ?? {})
  return new (lookUp('optimizer', classNameOf('optimizer', id), table))(config)
}

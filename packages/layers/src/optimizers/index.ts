/** The optimizers, and `getOptimizer`, which finds one by name. */
import { camelKeys, classNameOf, lookUp, requireCalled, type SavedObject } from '../spelling/names.js'
import { Adadelta, adadelta } from './adadelta.js'
import { Adafactor, adafactor } from './adafactor.js'
import { Adagrad, adagrad } from './adagrad.js'
import { Adam, adam } from './adam.js'
import { Adamax, adamax } from './adamax.js'
import { AdamW, adamw } from './adamw.js'
import { Ftrl, ftrl } from './ftrl.js'
import { Lamb, lamb } from './lamb.js'
import { Lion, lion } from './lion.js'
import { Muon, muon } from './muon.js'
import { Nadam, nadam } from './nadam.js'
import { Optimizer } from './optimizer.js'
import { RMSprop, rmsprop } from './rmsprop.js'
import { ScheduleFreeAdamW, scheduleFreeAdamW } from './schedule-free-adamw.js'
import { SGD, sgd } from './sgd.js'

export { Adadelta, type AdadeltaOptions, adadelta } from './adadelta.js'
export { Adafactor, type AdafactorOptions, adafactor } from './adafactor.js'
export { Adagrad, type AdagradOptions, adagrad } from './adagrad.js'
export { Adam, type AdamOptions, adam } from './adam.js'
export { Adamax, type AdamaxOptions, adamax } from './adamax.js'
export { AdamW, type AdamWOptions, adamw } from './adamw.js'
export {
  CosineDecay,
  type CosineDecayOptions,
  CosineDecayRestarts,
  type CosineDecayRestartsOptions,
  cosineDecay,
  cosineDecayRestarts,
} from './cosine-schedules.js'
export { Ftrl, type FtrlOptions, ftrl } from './ftrl.js'
export { Lamb, type LambOptions, lamb } from './lamb.js'
export { Lion, type LionOptions, lion } from './lion.js'
export { Muon, type MuonOptions, muon } from './muon.js'
export { Nadam, type NadamOptions, nadam } from './nadam.js'
export { Optimizer, type SavedState } from './optimizer.js'
export { RMSprop, type RMSpropOptions, rmsprop } from './rmsprop.js'
export { ScheduleFreeAdamW, type ScheduleFreeAdamWOptions, scheduleFreeAdamW } from './schedule-free-adamw.js'
export {
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
  lion: Lion,
  lamb: Lamb,
  adafactor: Adafactor,
  muon: Muon,
  ftrl: Ftrl,
  scheduleFreeAdamW: ScheduleFreeAdamW,
}

const makers = {
  sgd,
  rmsprop,
  adagrad,
  adadelta,
  adam,
  adamw,
  adamax,
  nadam,
  lion,
  lamb,
  adafactor,
  muon,
  ftrl,
  scheduleFreeAdamW,
}

/** Names of the optimizers. */
export type OptimizerName =
  | 'sgd'
  | 'rmsprop'
  | 'adagrad'
  | 'adadelta'
  | 'adam'
  | 'adamw'
  | 'adamax'
  | 'nadam'
  | 'lion'
  | 'lamb'
  | 'adafactor'
  | 'muon'
  | 'ftrl'
  | 'scheduleFreeAdamW'
/** All of them. */
export const optimizerNames = Object.keys(table) as readonly OptimizerName[]

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
  requireCalled('optimizer', id, makers)
  if (typeof id !== 'object' || id === null) return new (lookUp('optimizer', id, table))()
  const { name: _, ...config } = camelKeys(id.config ?? {})
  return new (lookUp('optimizer', classNameOf('optimizer', id), table))(config)
}

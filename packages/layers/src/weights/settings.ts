/**
 * Keras' three options for each weight of a layer: `kernelInitializer`, `kernelRegularizer`, `kernelConstraint`, and the same for bias, gamma and others.
 */

import { readOption } from '../layer-options.js'
import { savedForm } from '../spelling/names.js'
import { type Constraint, type ConstraintIdentifier, getConstraint } from './constraints.js'
import { getInitializer, type Initializer, type InitializerIdentifier } from './initializers.js'
import { getRegularizer, type Regularizer, type RegularizerIdentifier } from './regularizers.js'

/**
 * Options for the weights called `Name`: its initial values, a penalty added to the loss, and a constraint applied after each update. There is no
 * penalty and no constraint by default; the layer says its initializer.
 */
export type WeightOptions<Name extends string> = { [Key in Name as `${Key}Initializer`]?: InitializerIdentifier } & {
  [Key in Name as `${Key}Regularizer`]?: RegularizerIdentifier
} & { [Key in Name as `${Key}Constraint`]?: ConstraintIdentifier }

/** The three settings of one weight, looked up. `Layer.addWeight` takes them. */
export interface WeightSetting {
  initializer: Initializer
  regularizer?: Regularizer
  constraint?: Constraint
}

/** The names of these options for some weights. */
export const weightOptionNames = (weights: readonly string[]): string[] =>
  ['Initializer', 'Regularizer', 'Constraint'].flatMap((part) => weights.map((weight) => weight + part))

/** The settings of all weights of a layer, read from its options. */
export class WeightSettings<Name extends string> {
  readonly #settings: Record<string, WeightSetting>

  /**
   * @param className the layer's class, for messages
   * @param defaults the initializer of each weight, used if the options name none
   */
  constructor(className: string, options: object, defaults: Record<Name, InitializerIdentifier>) {
    const given = options as Record<string, undefined>
    this.#settings = Object.fromEntries(
      Object.entries<InitializerIdentifier>(defaults).map(([weight, initializer]) => [
        weight,
        {
          initializer: readOption(className, `${weight}Initializer`, given, (id) => getInitializer(id ?? initializer)),
          regularizer: readOption(className, `${weight}Regularizer`, given, (id) => getRegularizer(id)),
          constraint: readOption(className, `${weight}Constraint`, given, (id) => getConstraint(id)),
        },
      ]),
    )
  }

  of(weight: Name): WeightSetting {
    return this.#settings[weight]
  }

  /** The options that make equal settings. */
  getConfig(): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(this.#settings).flatMap(([weight, { initializer, regularizer, constraint }]) => [
        [`${weight}Initializer`, savedForm(initializer)],
        [`${weight}Regularizer`, regularizer && savedForm(regularizer)],
        [`${weight}Constraint`, constraint && savedForm(constraint)],
      ]),
    )
  }
}

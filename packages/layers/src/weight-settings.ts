/**
 * The three options that Keras has for each weight of a layer: `kernelInitializer`, `kernelRegularizer`, `kernelConstraint`, and so on for
 * bias, gamma, …
 */
import { type Constraint, type ConstraintIdentifier, getConstraint } from './constraints.js'
import { getInitializer, type Initializer, type InitializerIdentifier } from './initializers.js'
import { savedForm } from './names.js'
import { getRegularizer, type Regularizer, type RegularizerIdentifier } from './regularizers.js'

/** Options for the weights called `Name`: how they start, what they cost, and what they must stay. */
export type WeightOptions<Name extends string> = { [Key in Name as `${Key}Initializer`]?: InitializerIdentifier } & {
  [Key in Name as `${Key}Regularizer`]?: RegularizerIdentifier
} & { [Key in Name as `${Key}Constraint`]?: ConstraintIdentifier }

/** What `Layer.addWeight` takes. */
export interface WeightSetting {
  initializer: Initializer
  regularizer?: Regularizer
  constraint?: Constraint
}

/** Names of the options for some weights. */
export const weightOptionNames = (weights: readonly string[]): string[] =>
  ['Initializer', 'Regularizer', 'Constraint'].flatMap((part) => weights.map((weight) => weight + part))

/** The options for a layer's weights, looked up. */
export class WeightSettings<Name extends string> {
  readonly #settings: Record<string, WeightSetting>

  /** @param defaults the initializer of each weight where the options name none */
  constructor(options: object, defaults: Record<Name, InitializerIdentifier>) {
    const given = options as Record<string, undefined>
    this.#settings = Object.fromEntries(
      Object.entries<InitializerIdentifier>(defaults).map(([weight, initializer]) => [
        weight,
        {
          initializer: getInitializer(given[`${weight}Initializer`] ?? initializer),
          regularizer: getRegularizer(given[`${weight}Regularizer`]),
          constraint: getConstraint(given[`${weight}Constraint`]),
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

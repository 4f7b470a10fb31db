/** The state of an optimizer: its slots, values that it keeps for each parameter. They are saved slot after slot, each for all parameters. */
import { full, Parameter, type Shape, scope, sizeOf, type TypedArray, tensor, ValueError } from '@cotangent/core'

/** One array of a saved state. */
export interface SavedState {
  name: string
  shape: Shape
  data: TypedArray
}

/** A value that an optimizer keeps for each parameter, such as a running mean of its gradient. */
export interface Slot {
  name: string
  /** Its first value: a number, 0 if left out, or 'parameter' for a copy of the parameter. */
  initial?: number | 'parameter'
  /** Set if the rule, as configured, does not need the slot, and Keras saves zeros for it: of the parameter's shape, or one number. */
  unused?: 'shape' | 'single'
  /** The shape of a parameter's slot, or null if that parameter has none; the parameter's shape if left out. */
  shapeFor?(w: Parameter): Shape | null
}

/** The slots of parameters in the order in which they are saved: one slot after the other, each for all parameters that have it. */
export const slotPlaces = (
  slots: readonly Slot[],
  parameters: readonly Parameter[],
): { slot: Slot; w: Parameter; i: number; shape: Shape }[] =>
  slots.flatMap((slot) =>
    parameters.flatMap((w, i) => {
      const shape = slot.unused === 'single' ? [1] : slot.shapeFor ? slot.shapeFor(w) : w.shape
      return shape === null ? [] : [{ slot, w, i, shape }]
    }),
  )

/** A saved state: values that belong to no parameter, then one array for each slot of each parameter. */
export type SavedValues = readonly { readonly data: ArrayLike<number> }[]

/** The slots of all parameters. */
export class OptimizerState {
  /** The slots in use of each parameter; undefined for a slot that the parameter does not have. */
  readonly #values = new Map<Parameter, (Parameter | undefined)[]>()
  readonly #slots: () => readonly Slot[]

  /** @param slots in the order in which they are saved */
  constructor(slots: () => readonly Slot[]) {
    this.#slots = slots
  }

  /** The parameters that have a state, in the order of their first step. */
  get parameters(): readonly Parameter[] {
    return [...this.#values.keys()]
  }

  has(w: Parameter): boolean {
    return this.#values.has(w)
  }

  /** The first `count` slots in use of a parameter. */
  first(w: Parameter, count: number): readonly Parameter[] {
    return (this.#values.get(w) ?? []).slice(0, count).filter((value) => value !== undefined)
  }

  /** A parameter's slot of that name. */
  named(w: Parameter, name: string): Parameter {
    const at = this.#used().findIndex((slot) => slot.name === name)
    return (this.#values.get(w) as Parameter[])[at]
  }

  #used(): readonly Slot[] {
    return this.#slots().filter(({ unused }) => !unused)
  }

  /** Makes the slots of parameters that have none yet. */
  build(owner: string, parameters: readonly Parameter[]): void {
    const slots = this.#used()
    for (const w of parameters) {
      if (this.#values.has(w)) continue
      const { dtype, backend } = w
      const values = slots.map(({ name, initial = 0, shapeFor }) => {
        const shape = shapeFor ? shapeFor(w) : w.shape
        if (shape === null) return undefined
        const value = initial === 'parameter' ? w : full(shape, initial, { dtype, backend })
        return new Parameter(value, { name: `${owner}/${w.name}/${name}`, trainable: false })
      })
      this.#values.set(w, values)
    }
  }

  /** Copies of all slots on the host. */
  async save(): Promise<SavedState[]> {
    const saved: SavedState[] = []
    for (const { slot, w, i, shape } of slotPlaces(this.#slots(), [...this.#values.keys()])) {
      const data = slot.unused ? new Float32Array(sizeOf(shape)) : await this.named(w, slot.name).data()
      saved.push({ name: `${slot.name}_${i}`, shape, data })
    }
    return saved
  }

  /**
   * Finds out which saved array belongs where. Nothing changes until `restore` of the result is called.
   *
   * @param names those of the values that belong to no parameter
   * @param older whether to accept states of older Keras: without some of those values, or without the zeros of unused slots
   * @throws ValueError if the arrays do not fit these parameters
   */
  fit(owner: string, values: SavedValues, parameters: readonly Parameter[], names: readonly string[], older: boolean): Fitted {
    const slots = this.#slots()
    const wrong = (problem: string): ValueError => new ValueError(`${owner}.setWeights: ${problem}`)
    const layouts = (older ? [names.length, 1, 0] : [names.length]).flatMap((before) =>
      (older ? [slots, this.#used()] : [slots]).map((list) => ({ list, before })),
    )
    const placesOf = (list: readonly Slot[]) => slotPlaces(list, parameters)
    const kept = layouts.find(({ list, before }) => values.length === before + placesOf(list).length)
    if (!kept) {
      const expected = names.length + placesOf(slots).length
      throw wrong(
        `${values.length} arrays do not fit ${parameters.length} parameters, which need ${expected} (${[...names, ...slots.map(({ name }) => `${name} …`)].join(', ')}).`,
      )
    }
    const filled = placesOf(kept.list)
      .map(({ slot, w, shape }, at) => ({ slot, w, name: slot.name, size: sizeOf(shape), data: values[kept.before + at].data }))
      .filter(({ slot }) => !slot.unused)
    for (const { w, name, size, data } of filled) {
      if (data.length !== size) throw wrong(`"${name}" of parameter "${w.name}" has ${data.length} values, not ${size}.`)
    }
    return {
      before: values.slice(0, kept.before).map(({ data }) => Number(data[0])),
      restore: () => {
        this.dispose()
        this.build(owner, parameters)
        scope(() => {
          for (const { w, name, data } of filled) {
            const slot = this.named(w, name)
            slot.assign(tensor(Float64Array.from(data), { shape: slot.shape, dtype: slot.dtype, backend: slot.backend }))
          }
        })
      },
    }
  }

  dispose(): void {
    for (const values of this.#values.values()) for (const value of values) value?.dispose()
    this.#values.clear()
  }
}

/** A saved state that fits. */
export interface Fitted {
  /** The values that belong to no parameter. */
  before: readonly number[]
  /** Puts the slots back. */
  restore(): void
}

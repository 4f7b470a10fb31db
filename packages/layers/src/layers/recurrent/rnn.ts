/**
 * Runs a cell over the steps of sequences: masks, directions, states that are given, kept or returned. Source: Keras 2.3.1, layers/recurrent.py.
 *
 * It has more than 300 lines because one class does all of this, and each part needs the states of the others.
 */

import {
  cumSum,
  flip,
  type Shape,
  ShapeError,
  scope,
  shapeError,
  stack,
  type Tensor,
  unstack,
  ValueError,
  viewOf,
  where,
  zeros,
} from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import {
  type BatchShape,
  type BuildContext,
  type CallContext,
  Layer,
  type LayerOptions,
  type LayerOutputs,
  type ManyContext,
} from '../../layer.js'
import { flag, regularizer } from '../../option-rows.js'
import { passedOn, type TableFor, type ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { savedForm } from '../../spelling/names.js'
import type { Regularizer, RegularizerIdentifier } from '../../weights/regularizers.js'
import { type DropoutMasks, RNNCell } from './cells/cell.js'
import { type CellIdentifier, cellOf, type FromConfig, StackedRNNCells } from './cells/stacked-cells.js'
import { haveShapes, requireStateShapes, statefulOutputs, stepOf } from './states.js'

/** Options of every recurrent layer. */
export interface RNNOptions extends LayerOptions {
  /** Return the output of every step, [n, t, units], instead of that of the last one. False by default. */
  returnSequences?: boolean
  /** Return also the states after the last step, as further outputs: `layer.applyAll(x)` in a graph. `run` always returns them. False by default. */
  returnState?: boolean
  /** Take the steps from the last to the first; the outputs stay in that order. False by default. */
  goBackwards?: boolean
  /** Start each batch with the states after the batch before. The batch size must be known: `batchInputShape`. False by default. */
  stateful?: boolean
  /** Give 0 at masked steps instead of the output of the step before. False by default. */
  zeroOutputForMask?: boolean
  /** Accepted as in Keras, where it needs a known number of steps. It changes nothing; false by default. */
  unroll?: boolean
  /** A penalty on the output, which is added to the loss; none by default. */
  activityRegularizer?: RegularizerIdentifier
}

/** The options that belong to the layer rather than to the cell in it. */
export const rnnOptions = {
  returnSequences: flag(false),
  returnState: flag(false),
  goBackwards: flag(false),
  stateful: flag(false),
  unroll: flag(false),
  zeroOutputForMask: flag(false),
  activityRegularizer: regularizer(),
} satisfies TableFor<RNNOptions>

/** The context of `run`. */
export interface RNNContext extends Partial<CallContext> {
  /** The states before the first step. If left out: those kept by a stateful layer, else zeros. */
  initialState?: readonly Tensor[]
}

/**
 * Runs a cell over the steps of a sequence. At a masked step, output and states stay those of the step before.
 *
 * Shape: [n, t, in] → [n, units], with `returnSequences` [n, t, units]
 */
export abstract class RecurrentLayer extends Layer implements ValuesOf<typeof rnnOptions> {
  override readonly supportsMasking = true
  override readonly outputCount: number
  declare readonly activityRegularizer?: Regularizer
  readonly cell: RNNCell
  declare readonly returnSequences: boolean
  declare readonly returnState: boolean
  declare readonly goBackwards: boolean
  declare readonly stateful: boolean
  declare readonly unroll: boolean
  declare readonly zeroOutputForMask: boolean
  /** The shape of one step, once it is built. */
  #step?: BatchShape
  #states?: Tensor[]

  /** @param own names of options that the class has in addition to `RNNOptions` */
  constructor(className: string, cell: RNNCell | readonly RNNCell[], options: RNNOptions, own: readonly string[]) {
    super(className, options, { ...rnnOptions, own: passedOn(own) })
    if (!Array.isArray(cell) && !(cell instanceof RNNCell))
      throw new ValueError(`${className}: expected a cell, such as lstmCell(32), or a list of cells, got ${describeValue(cell)}.`)
    this.cell = Array.isArray(cell) ? new StackedRNNCells(cell) : cell
    this.outputCount = this.returnState ? 1 + this.cell.stateSizes.length : 1
  }

  /** An equal layer with some options changed, and without weights yet. */
  abstract copy(changes: RNNOptions): RecurrentLayer

  protected override get givesItsKey(): boolean {
    return true
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    if (inputShape.length !== 2 + this.cell.inputRank) {
      throw new ShapeError(
        `${this.describe()}: the input must have ${this.cell.inputRank === 1 ? 'three' : 2 + this.cell.inputRank} axes ${this.#axes}, got [${inputShape.map((n) => n ?? '?').join(', ')}].`,
      )
    }
    const [batch, steps] = inputShape
    if (this.stateful && batch === null) {
      throw new ValueError(
        `${this.describe()}: a stateful layer must know the batch size. Give the first layer batchInputShape: [batchSize, …].`,
      )
    }
    if (this.unroll && steps === null)
      throw new ValueError(`${this.describe()}: unroll needs a known number of steps in the input shape; leave it out.`)
    const [, ...output] = this.cell.outputShape(stepOf(inputShape))
    return this.returnSequences ? [batch, steps, ...output] : [batch, ...output]
  }
  /** The axes of its input, for messages. */
  get #axes(): string {
    return this.cell.inputRank === 1 ? '[batch, steps, features]' : '[batch, steps, …], with the sizes and channels of a step at the end,'
  }

  protected override makeWeights(inputShape: BatchShape, context: BuildContext): void {
    this.#step = stepOf(inputShape)
    this.cell.build(this.#step, context)
  }

  override outputMask(_x: Tensor, mask: Tensor | undefined): Tensor | undefined {
    return this.returnSequences ? mask : undefined
  }

  // In a graph, the states before the first step are further inputs. With `returnState`, those after the last step are further outputs.

  override outputShapes([x, ...states]: readonly BatchShape[]): BatchShape[] {
    const output = this.outputShape(x)
    const shapes = this.cell.stateShapes(stepOf(x))
    requireStateShapes(this, shapes, states)
    return this.returnState ? [output, ...shapes] : [output]
  }
  protected override makeAllWeights([x]: readonly BatchShape[], context: BuildContext): void {
    this.makeWeights(x, context)
  }
  override callAll([x, ...states]: readonly Tensor[], { masks, ...context }: ManyContext): LayerOutputs {
    const [mask] = masks
    const { output, states: after } = this.run(x, { ...context, mask, initialState: states.length > 0 ? states : undefined })
    return statefulOutputs([output], this.returnState ? after : [], this.outputMask(x, mask))
  }

  override call(x: Tensor, context: CallContext): Tensor {
    return this.run(x, context).output
  }

  /**
   * Runs the layer, and returns its output and the states after the last step.
   *
   * @throws ShapeError if input, mask or states have the wrong shape
   * @example
   * ```ts
   * const layer = lstm(4)
   * const model = new Sequential([layer], { seed: 7 })
   * model.build([null, 5, 3])
   * const { output, states } = layer.run(ones([2, 5, 3]), { initialState: [zeros([2, 4]), zeros([2, 4])] })
   * console.log(output.shape, states.length)   // [2, 4] 2
   * ```
   */
  run(x: Tensor, context: RNNContext = {}): { output: Tensor; states: Tensor[] } {
    return this.enter(context, (own) => this.#run(x, own))
  }

  #run(x: Tensor, context: RNNContext): { output: Tensor; states: Tensor[] } {
    this.#require(x, context)
    const { training = false, key, mask } = context
    return scope(() => {
      // Views, since the kept states are replaced below, and a tape may still need the old ones.
      const initial = context.initialState ?? this.#states?.map((state) => viewOf(state))
      const masks = this.cell.dropoutMasks(x, { training, key })
      const result = this.#byOp(x, mask, initial, masks) ?? this.#byStep(x, mask, initial, masks)
      if (this.stateful) this.#keep(result.states)
      return mask && this.zeroOutputForMask ? { ...result, output: this.#zeroWhereMasked(result.output, mask) } : result
    })
  }

  /** The output with 0 at masked steps. Without `returnSequences` there is one output, and the last step's mask decides. */
  #zeroWhereMasked(output: Tensor, mask: Tensor): Tensor {
    const [n, t] = mask.shape
    const inOrder = this.goBackwards ? flip(mask, 1) : mask // of the outputs
    const counts = this.returnSequences ? inOrder : inOrder.slice([0, t - 1], [n, 1])
    return where(besides(counts, output.rank), output, 0)
  }

  /** Runs core's op for whole sequences; undefined if there is none for this cell. */
  #byOp(
    x: Tensor,
    mask: Tensor | undefined,
    initialState: readonly Tensor[] | undefined,
    masks: DropoutMasks | undefined,
  ): { output: Tensor; states: Tensor[] } | undefined {
    const { goBackwards, returnSequences } = this
    const result = this.cell.sequence(x, { initialState, mask, goBackwards, returnSequences }, masks)
    if (!result) return undefined
    const output = result.outputs ?? result.states[0]
    if (!mask || !initialState) return { output, states: result.states }
    // As in Keras, the output is 0 before the first step that counts, whatever the state.
    const seen = cumSum((goBackwards ? flip(mask, 1) : mask).cast(x.dtype), { axis: 1 }).greater(0) // [n, t]
    const any = returnSequences ? seen.expandDims(2) : seen.slice([0, x.shape[1] - 1], [x.shape[0], 1])
    return { output: where(any, output, 0), states: result.states }
  }

  /** Runs the cell step by step. */
  #byStep(
    x: Tensor,
    mask: Tensor | undefined,
    initialState: readonly Tensor[] | undefined,
    masks: DropoutMasks | undefined,
  ): { output: Tensor; states: Tensor[] } {
    const none = (shape: BatchShape): Tensor => zeros(shape as Shape, { dtype: x.dtype, backend: x.backend })
    const shapes = this.cell.stateShapes(stepOf(x.shape))
    const ordered = (steps: Tensor[]): Tensor[] => (this.goBackwards ? steps.reverse() : steps)
    let states = initialState ?? shapes.map(none)
    let output: Tensor | undefined
    const counts = mask && ordered(unstack(mask, 1)).map((step) => step.expandDims(1)) // [n, 1] each
    const outputs: Tensor[] = []
    for (const [s, step] of ordered(unstack(x, 1)).entries()) {
      const after = this.cell.step(step, states, masks)
      const now = counts?.[s]
      const either = (fresh: Tensor, old: Tensor | undefined): Tensor => (now ? where(besides(now, fresh.rank), fresh, old ?? 0) : fresh)
      output = either(after.output, output)
      const before = states
      states = after.states.map((state, i) => either(state, before[i]))
      outputs.push(output)
    }
    return { output: this.returnSequences ? stack(outputs, 1) : (output as Tensor), states: [...states] }
  }

  #keep(states: readonly Tensor[]): void {
    const fresh = states.map((state) => viewOf(state).keep())
    this.#release()
    this.#states = fresh
  }
  #release(): void {
    for (const state of this.#states ?? []) state.dispose()
    this.#states = undefined
  }

  /** @internal */
  override get keptStates(): readonly Tensor[] {
    return this.#states ?? []
  }

  /** Forgets the states kept from batch to batch. If states are given, the next batch starts with them. */
  override resetStates(states?: readonly Tensor[]): void {
    super.resetStates()
    if (states) {
      this.#requireStates(states)
      scope(() => this.#keep(states))
    } else this.#release()
  }

  override dispose(): void {
    this.#release()
    super.dispose()
  }

  #require(x: Tensor, { initialState, mask }: RNNContext): void {
    if (x.rank !== 2 + this.cell.inputRank || x.shape[1] === 0) {
      throw shapeError(this.className, `the input must be ${this.#axes} with at least one step`, [{ name: 'x', shape: x.shape }])
    }
    const batch = this.#step?.[0] ?? null
    if (this.stateful && batch !== null && x.shape[0] !== batch) {
      throw new ShapeError(
        `${this.className}: is stateful with batches of ${batch} and got one of ${x.shape[0]}. Give fit, evaluate and predict the option batchSize: ${batch}, and a multiple of ${batch} samples (with validationSplit on both sides of it).`,
      )
    }
    if (mask && (mask.rank !== 2 || mask.shape[0] !== x.shape[0] || mask.shape[1] !== x.shape[1])) {
      throw shapeError(this.className, 'the mask must be [batch, steps]', [
        { name: 'x', shape: x.shape },
        { name: 'mask', shape: mask.shape },
      ])
    }
    if (initialState) this.#requireStates(initialState, stepOf(x.shape))
  }

  #requireStates(states: readonly Tensor[], step = this.#step ?? new Array<null>(1 + this.cell.inputRank).fill(null)): void {
    const shapes = this.cell.stateShapes(step)
    if (haveShapes(states, shapes)) return
    const wanted = shapes.map(([batch, ...sizes]) => `[${[batch ?? 'batch', ...sizes.map((n) => n ?? '?')].join(', ')}]`).join(' and ')
    throw new ShapeError(
      `${this.className}: the states must be ${wanted}, got ${states.map((s) => `[${s.shape.join(', ')}]`).join(' and ') || 'none'}.`,
    )
  }

  /** The options of the layer, without those of its cell. */
  protected layerConfig(): Record<string, unknown> {
    return super.getConfig()
  }
  protected override detail(): string {
    return `units ${this.cell.outputSize}`
  }
}

/** A mask [n, …] with axes of size 1 behind it, so that it has as many as a tensor. */
const besides = (mask: Tensor, rank: number): Tensor => mask.reshape([...mask.shape, ...new Array<number>(rank - mask.rank).fill(1)])

/**
 * Runs any cell over the steps of a sequence.
 *
 * Shape:   [n, t, in] → [n, outputSize], with `returnSequences` [n, t, outputSize]
 * Weights: those of the cell
 *
 * @throws ShapeError if the input is no [batch, steps, features] with at least one step
 */
export class RNN extends RecurrentLayer {
  override readonly className = ours(RNN, 'RNN')

  constructor(cell: RNNCell | readonly RNNCell[], options: RNNOptions = {}) {
    super('RNN', cell, options, [])
  }

  /** @param custom classes of cells that are not this package's, by name */
  static fromConfig(config: RNNOptions & { cell: CellIdentifier }, custom?: Readonly<Record<string, FromConfig<RNNCell>>>): RNN {
    const { cell, ...options } = config
    return new RNN(cellOf(cell, custom), options)
  }

  override copy(changes: RNNOptions): RNN {
    const { fromConfig } = this.cell.constructor as unknown as Partial<FromConfig<RNNCell>>
    if (!fromConfig)
      throw new ValueError(`${this.describe()}: to copy its cell the class ${this.cell.className} needs a static fromConfig.`)
    const cell = (this.cell.constructor as unknown as FromConfig<RNNCell>).fromConfig(this.cell.getConfig() as never)
    return new RNN(cell, { ...(this.layerConfig() as RNNOptions), ...changes })
  }

  override getConfig(): Record<string, unknown> {
    return { ...this.layerConfig(), cell: savedForm(this.cell) }
  }
}

/**
 * Makes an `RNN` of one cell, or of several: the output of each is the input of the next.
 *
 * @example
 * ```ts
 * const cells = [new LSTMCell(32), new LSTMCell(16)]
 * const model = new Sequential([rnn(cells, { returnSequences: true, inputShape: [null, 14] })])
 * console.log(model.output.shape)   // [null, null, 16]
 * ```
 */
export const rnn = (cell: RNNCell | readonly RNNCell[], options?: RNNOptions): RNN => new RNN(cell, options)

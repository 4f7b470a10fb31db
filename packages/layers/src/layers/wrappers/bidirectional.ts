/** A recurrent layer run in both directions. */

import { concat, flip, foldKey, ShapeError, type Tensor, ValueError } from '@cotangent/core'
import { describeValue, requireOptions } from '@cotangent/core/arguments'
import {
  type BatchShape,
  type BuildContext,
  type CallContext,
  Layer,
  type LayerOptions,
  type LayerOutputs,
  type ManyContext,
} from '../../layer.js'
import { layerOptions } from '../../layer-options.js'
import { givenChoice } from '../../option-rows.js'
import { optionNames, passedOn, type TableFor, type ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { type SavedObject, savedForm } from '../../spelling/names.js'
import type { Regularizer } from '../../weights/regularizers.js'
import { ConvLSTM1D, ConvLSTM2D, ConvLSTM3D } from '../recurrent/conv-lstm.js'
import { GRU, LSTM, SimpleRNN } from '../recurrent/recurrent.js'
import { RecurrentLayer, RNN, type RNNContext } from '../recurrent/rnn.js'
import { requireStateShapes, statefulOutputs, stepOf } from '../recurrent/states.js'
import { layerOf } from '../saved-layer.js'

/** How the outputs of both directions become one; null leaves two outputs. */
export type MergeMode = 'concat' | 'sum' | 'mul' | 'ave' | null

/** Options of `bidirectional`. */
export interface BidirectionalOptions extends LayerOptions {
  /**
   * `concat` (default) puts the forward output, then the backward one, on the last axis. `sum`, `mul`, `ave` combine them element by element. null keeps
   * both, as two outputs: `applyAll` in a graph.
   */
  mergeMode?: MergeMode
  /**
   * The layer for the other direction, with the same `returnSequences`, `returnState` and `stateful`, and the other `goBackwards`. By default an equal layer in the
   * other direction. It is copied, as the first one is.
   */
  backwardLayer?: RecurrentLayer
}

const bidirectionalOptions = {
  // null is one of the modes.
  mergeMode: givenChoice<MergeMode>(['concat', 'sum', 'mul', 'ave', null], 'concat'),
  backwardLayer: passedOn(['backwardLayer']),
} satisfies TableFor<BidirectionalOptions>

/** Throws unless a layer can be the other direction of another. */
function requireCounterpart(layer: RecurrentLayer, backward: RecurrentLayer): void {
  if (!(backward instanceof RecurrentLayer))
    throw new ValueError(`Bidirectional: backwardLayer must be a recurrent layer, such as lstm(32), got ${describeValue(backward)}.`)
  if (backward.goBackwards === layer.goBackwards)
    throw new ValueError(
      `Bidirectional: backwardLayer must have goBackwards: ${!layer.goBackwards}, since the layer has ${layer.goBackwards}.`,
    )
  const other = (['returnSequences', 'returnState', 'stateful'] as const).find((option) => backward[option] !== layer[option])
  if (other) throw new ValueError(`Bidirectional: backwardLayer must have the same ${other} as the layer, ${layer[other]}.`)
}

/** The result of `run`. */
export interface BidirectionalResult {
  /** One output; with `mergeMode: null` the forward output and the backward one. */
  outputs: Tensor[]
  /** The states of the forward layer, then those of the backward layer. */
  states: Tensor[]
}

/**
 * Runs two copies of a recurrent layer: one from the first step, one from the last.
 *
 * With `returnSequences` both outputs are in the order of the input. Otherwise each is the output after its own last step; for the backward copy that is
 * the first step of the sequence. `backwardLayer` may be another layer for the way back. The copies are named `forward_` and `backward_` plus the name of the layer. The layer itself is left alone.
 *
 * Shape:   that of the layer; with `concat` the last axis is twice as long
 * Weights: the forward copy's, then the backward copy's
 * Source:  Schuster & Paliwal 1997; Keras 2.3.1, layers/wrappers.py
 *
 * @throws ValueError if the layer is not recurrent
 */
export class Bidirectional extends Layer implements ValuesOf<typeof bidirectionalOptions> {
  override readonly className = ours(Bidirectional, 'Bidirectional')
  override readonly supportsMasking = true
  override readonly outputCount: number
  override readonly activityRegularizer?: Regularizer
  declare readonly mergeMode: MergeMode
  /** The given layer of the other direction as its config says it, if there is one. */
  readonly #given?: SavedObject
  readonly forward: RecurrentLayer
  readonly backward: RecurrentLayer

  constructor(layer: RecurrentLayer, options: BidirectionalOptions = {}) {
    if (!(layer instanceof RecurrentLayer))
      throw new ValueError(`Bidirectional: expected a recurrent layer, such as lstm(32), got ${describeValue(layer)}.`)
    requireOptions('Bidirectional', options, [...optionNames(bidirectionalOptions), ...layerOptions])
    const { batchInputShape = layer.batchInputShape } = options
    super('Bidirectional', options.inputShape || options.inputDim ? options : { ...options, batchInputShape }, bidirectionalOptions)
    this.forward = layer.copy({ name: `forward_${layer.name}` })
    const given = options.backwardLayer ?? undefined
    if (given !== undefined) requireCounterpart(layer, given)
    this.#given = given && savedForm(given)
    this.backward = (given ?? layer).copy({ name: `backward_${(given ?? layer).name}`, goBackwards: !layer.goBackwards })
    // As in Keras, the penalty is on the output of the wrapper.
    this.activityRegularizer = layer.activityRegularizer
    this.outputCount = (this.mergeMode === null ? 2 : 1) + (layer.returnState ? 2 * layer.cell.stateSizes.length : 0)
  }

  static fromConfig({
    layer,
    backwardLayer,
    ...options
  }: Omit<BidirectionalOptions, 'backwardLayer'> & {
    layer: RecurrentLayer | SavedObject
    backwardLayer?: RecurrentLayer | SavedObject
  }): Bidirectional {
    const classes = { SimpleRNN, LSTM, GRU, ConvLSTM1D, ConvLSTM2D, ConvLSTM3D, RNN }
    const made = (each: RecurrentLayer | SavedObject): RecurrentLayer => layerOf('Bidirectional', each, classes) as RecurrentLayer
    return new Bidirectional(made(layer), { ...options, ...(backwardLayer && { backwardLayer: made(backwardLayer) }) })
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    const [shape, other] = [this.forward, this.backward].map((layer) => layer.outputShape(inputShape))
    const apart = shape.findIndex((n, axis) => n !== other[axis] && !(this.mergeMode === 'concat' && axis === shape.length - 1))
    if (this.mergeMode !== null && (apart >= 0 || shape.length !== other.length))
      throw new ShapeError(
        `${this.describe()}: mergeMode '${this.mergeMode}' needs outputs of one shape, got [${shape.map((n) => n ?? '?').join(', ')}] and [${other.map((n) => n ?? '?').join(', ')}].`,
      )
    const features = (of: BatchShape): number | null => of[of.length - 1]
    const [a, b] = [features(shape), features(other)]
    return this.mergeMode === 'concat' ? [...shape.slice(0, -1), a === null || b === null ? null : a + b] : shape
  }

  protected override makeWeights(inputShape: BatchShape, context: BuildContext): void {
    for (const [i, layer] of [this.forward, this.backward].entries()) {
      layer.build(inputShape, { ...context, key: foldKey(context.key, i) })
      for (const weight of layer.weights) weight.name = `${this.name}/${weight.name}`
    }
  }

  override outputMask(_x: Tensor, mask: Tensor | undefined): Tensor | undefined {
    return this.forward.returnSequences ? mask : undefined
  }

  override outputShapes([x, ...states]: readonly BatchShape[]): BatchShape[] {
    const shape = this.outputShape(x)
    const step = stepOf(x)
    const shapes = [...this.forward.cell.stateShapes(step), ...this.backward.cell.stateShapes(step)]
    requireStateShapes(this, shapes, states)
    const after = this.forward.returnState ? shapes : []
    return [...(this.mergeMode === null ? [shape, this.backward.outputShape(x)] : [shape]), ...after]
  }
  protected override makeAllWeights([x]: readonly BatchShape[], context: BuildContext): void {
    this.makeWeights(x, context)
  }
  override callAll([x, ...states]: readonly Tensor[], { masks, ...context }: ManyContext): LayerOutputs {
    const [mask] = masks
    const result = this.run(x, { ...context, mask, initialState: states.length > 0 ? states : undefined })
    return statefulOutputs(result.outputs, this.forward.returnState ? result.states : [], this.outputMask(x, mask))
  }

  override call(x: Tensor, context: CallContext): Tensor {
    return this.run(x, context).outputs[0]
  }

  /** Runs both directions, and returns outputs and states. `initialState` has the forward copy's states first, then the backward copy's. */
  run(x: Tensor, context: RNNContext = {}): BidirectionalResult {
    return this.enter(context, (own) => this.#run(x, own))
  }

  #run(x: Tensor, { key, initialState, ...context }: RNNContext): BidirectionalResult {
    const half = this.forward.cell.stateSizes.length
    const [forward, backward] = [this.forward, this.backward].map((layer, i) =>
      layer.run(x, {
        ...context,
        key: key && foldKey(key, i),
        initialState: initialState?.slice(i * half, i === 0 ? half : undefined),
      }),
    )
    const reversed = this.forward.returnSequences ? flip(backward.output, 1) : backward.output
    return { outputs: this.#merge(forward.output, reversed), states: [...forward.states, ...backward.states] }
  }

  #merge(forward: Tensor, backward: Tensor): Tensor[] {
    switch (this.mergeMode) {
      case 'concat':
        return [concat([forward, backward], -1)]
      case 'sum':
        return [forward.add(backward)]
      case 'mul':
        return [forward.mul(backward)]
      case 'ave':
        return [forward.add(backward).mul(0.5)]
      default:
        return [forward, backward]
    }
  }

  override getConfig(): Record<string, unknown> {
    const config = this.forward.getConfig()
    const layer = { ...config, name: this.forward.name.replace(/^forward_/, '') }
    return {
      ...super.getConfig(),
      layer: savedForm({ className: this.forward.className, getConfig: () => layer }),
      ...(this.#given && { backwardLayer: this.#given }),
    }
  }
  protected override detail(): string {
    return `of ${this.forward.className}, units ${this.forward.cell.outputSize}`
  }
}

/**
 * Makes a `Bidirectional` of a recurrent layer.
 *
 * @example
 * ```ts
 * const model = new Sequential([bidirectional(lstm(32, { returnSequences: true }), { inputShape: [null, 14] })])
 * console.log(model.output.shape)   // [null, null, 64]
 * ```
 */
export const bidirectional = (layer: RecurrentLayer, options?: BidirectionalOptions): Bidirectional => new Bidirectional(layer, options)

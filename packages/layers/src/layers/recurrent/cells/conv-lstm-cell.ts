/** One step of a long short-term memory of pictures (Shi et al. 2015). Source: Keras 3.16, layers/rnn/conv_lstm.py. */
import { conv2d, conv3d, type Padding, ShapeError, type Tensor, windowExtent } from '@cotangent/core'
import type { ActivationIdentifier } from '../../../activations.js'
import { type BatchShape, requireSize } from '../../../layer.js'
import { activationOf, choice, count, flag } from '../../../option-rows.js'
import { fixed, type Option, positional, type TableFor } from '../../../option-table.js'
import { ours } from '../../../own-classes.js'
import { type DataFormat, moveAxis } from '../../data-format.js'
import { asPair, asTriple, type PerAxis, type Rank, type SpatialOptions, sizesOf, spatialOptions } from '../../spatial-layer.js'
import type { DropoutMasks, StepResult } from './cell.js'
import { GatedMemoryCell } from './lstm-cell.js'
import { type UnitsCellOptions, unitsCellOptions } from './units-cell.js'

/** Options of the cell in `convLSTM2d`. */
export interface ConvLSTMCellOptions extends SpatialOptions, UnitsCellOptions {
  /** How many cells the window moves along each axis of the input; 1 by default. */
  strides?: PerAxis
  /** `valid` (default) takes whole windows of the input only. `same` adds zeros around. */
  padding?: Padding
  /** The distance between neighbouring cells of a window of the input; 1 by default. */
  dilationRate?: PerAxis
  /** The activation of the gates; `sigmoid` by default, as in Keras 3. Keras 2 had `hardSigmoid`. */
  recurrentActivation?: ActivationIdentifier
  /** Whether the forget gate's bias starts at 1 (Jozefowicz et al. 2015); true by default. */
  unitForgetBias?: boolean
}

/** The units of a picture are its channels. */
const unitsOfFilters: Option<number> = { names: [], read: (_given, { before }) => before.filters as number, config: () => ({}) }

/** The table of all options of the cell for sequences of sequences, 1, of images, 2, or of volumes, 3. */
export const convLSTMCellTable = (rank: Rank) => {
  const { units: _, ...ofCell } = unitsCellOptions
  return {
    filters: positional(count()),
    kernelSize: positional(sizesOf(rank)),
    units: unitsOfFilters,
    strides: sizesOf(rank, 1),
    padding: choice<Padding>(['valid', 'same'], 'valid'),
    ...spatialOptions(rank),
    dilationRate: sizesOf(rank, 1),
    ...ofCell,
    recurrentActivation: activationOf('sigmoid'),
    unitForgetBias: flag(true),
    implementation: fixed<1 | 2>(1),
  } satisfies TableFor<ConvLSTMCellOptions>
}

/**
 * The step of `LSTMCell` with convolutions in the place of products: x ∗ W with strides, padding and dilation, and h ∗ U, which keeps the size. Each gate drops its
 * own choice of inputs and states.
 *
 * Shape:   [n, h, w, c] and states h, c [n, oh, ow, filters] → [n, oh, ow, filters]
 * Weights: kernel [kh, kw, c, 4·filters], recurrent_kernel [kh, kw, filters, 4·filters], bias [4·filters]
 */
export class ConvLSTMCell extends GatedMemoryCell {
  override readonly className = ours(ConvLSTMCell, 'ConvLSTMCell')
  declare readonly filters: number
  declare readonly kernelSize: readonly number[]
  declare readonly strides: readonly number[]
  declare readonly padding: Padding
  declare readonly dilationRate: readonly number[]
  declare readonly dataFormat: DataFormat
  readonly #rank: Rank

  /** @param className the class for messages: that of the layer */
  constructor(className: string, rank: Rank, filters: number, kernelSize: PerAxis, options: ConvLSTMCellOptions) {
    super(className, { filters, kernelSize }, options, convLSTMCellTable(rank))
    this.#rank = rank
  }

  override get inputRank(): number {
    return this.#rank + 1
  }
  get #channelAxis(): number {
    return this.dataFormat === 'channelsLast' ? this.#rank + 1 : 1
  }
  override outputShape(inputShape: BatchShape): BatchShape {
    const [batch, ...sizes] = inputShape
    sizes.splice(this.#channelAxis - 1, 1)
    const { kernelSize, strides, dilationRate, padding } = this
    const out = sizes.map((n, i) => (n === null ? null : windowExtent(n, kernelSize[i], strides[i], dilationRate[i], padding).out))
    if (out.some((n) => n !== null && n < 1)) {
      throw new ShapeError(
        `${this.describe()}: the window [${kernelSize.join(', ')}] is larger than a step of the input, ${this.dataFormat} ` +
          `[${inputShape.slice(1).join(', ')}]. Use a smaller kernelSize or padding 'same'.`,
      )
    }
    out.splice(this.#channelAxis - 1, 0, this.filters)
    return [batch, ...out]
  }
  override stateShapes(inputShape: BatchShape): readonly BatchShape[] {
    const shape = this.outputShape(inputShape)
    return [shape, shape]
  }
  protected override kernelShapes(inputShape: BatchShape): readonly [readonly number[], readonly number[]] {
    const channels = requireSize(this, inputShape, this.#channelAxis)
    return [
      [...this.kernelSize, channels],
      [...this.kernelSize, this.filters],
    ]
  }

  /** A convolution over channels at the end. */
  protected override times(v: Tensor, weight: Tensor, ofState: boolean): Tensor {
    const { padding, strides, dilationRate } = this
    if (this.#rank === 3) {
      const ofInput = { padding: padding as 'valid' | 'same', strides: asTriple(strides), dilation: asTriple(dilationRate) }
      return conv3d(v, weight, ofState ? { padding: 'same' } : ofInput)
    }
    const options = ofState ? ({ padding: 'same' } as const) : { padding, strides: asPair(strides), dilation: asPair(dilationRate) }
    return this.#rank === 2 ? conv2d(v, weight, options) : conv2d(v.expandDims(1), weight.expandDims(0), options).squeeze(1)
  }

  override step(x: Tensor, states: readonly Tensor[], masks?: DropoutMasks): StepResult {
    if (this.dataFormat === 'channelsLast') return super.step(x, states, masks)
    const last = (t: Tensor): Tensor => moveAxis(t, 1, t.rank - 1)
    const first = (t: Tensor): Tensor => moveAxis(t, t.rank - 1, 1)
    const after = super.step(last(x), states.map(last), masks && { input: masks.input?.map(last), recurrent: masks.recurrent?.map(last) })
    return { output: first(after.output), states: after.states.map(first) }
  }

  protected override hasOp(): boolean {
    return false
  }
  protected override runOp(): never {
    throw new Error('There is no op for ConvLSTMCell.')
  }
  protected override detail(): string {
    return `filters ${this.filters}`
  }
}

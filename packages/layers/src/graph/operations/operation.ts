/**
 * One op of core as a layer, so that graphs can compute between layers: Keras 3's operations on symbolic tensors. Operands that are numbers are constants of the
 * layer. So a use of the layer is told by its symbolic inputs alone, as for every other layer.
 */
import { addContext, type DType, type Tensor, tensor, ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import type { BatchShape, FinalActivation, LayerOptions, LayerOutputs, ManyContext } from '../../layer.js'
import { MergeLayer } from '../../layers/merge/merge-layer.js'
import { fixed } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { unknownName } from '../../spelling/names.js'
import type { Kind } from './kind.js'
import { kinds, type OperationName } from './kinds.js'
import type { Index } from './shapes.js'

/** An operand that is no symbolic tensor: a number, a truth value, or nested arrays of them. */
export type Constant = number | boolean | readonly Constant[]

/** A constant, or null for an operand that is left out before others. */
type Given = Constant | null

/** Options of `operation`. Each operation takes those of the op of that name in core. */
export interface OperationOptions extends LayerOptions {
  /** The axis, or for reductions the axes; the batch is axis 0. */
  axis?: number | readonly number[]
  /** Whether reductions keep the axes, with size 1; false by default. */
  keepDims?: boolean
  /** `reshape`: the new shape, batch included; one size may be −1. */
  shape?: readonly number[]
  /** `transpose`: the order of the axes, batch included; reversed by default. */
  axes?: readonly number[]
  /** `at`: what is read of each axis: a position, a slice such as '1:3', '...', or null for a new axis. */
  index?: readonly Index[]
  /** `repeat`: how often each element comes; `tile`: how often each axis comes, batch included. */
  repeats?: number | readonly number[]
  /** `einsum`: the equation, such as 'bij,bjk->bik'. */
  equation?: string
  /** `cast`: the dtype of the result. */
  dtype?: DType
  /** `clip`: the smallest value. */
  min?: number
  /** `clip`: the largest value. */
  max?: number
  /** `gelu`: whether by tanh; false by default. */
  approximate?: boolean
  /** `leakyRelu`: the slope below 0; 0.2 by default. */
  negativeSlope?: number
  /** `elu`: the limit below 0; 1 by default. */
  alpha?: number
  /** `round`: how many digits behind the point stay; 0 by default. */
  decimals?: number
  /** `split`: the number of equal parts, or their sizes. */
  parts?: number | readonly number[]
  /** `diff`: how often differences are taken; 1 by default. */
  n?: number
  /** `unstack`: the size of the axis. */
  num?: number
  /** `topK`: how many values; `tril`, `triu`, `diagonal`, `trace`: the diagonal, 0 by default. */
  k?: number
  /** `oneHot`: the number of classes. */
  depth?: number
  /** `pad`: how much before and after each axis, batch included. */
  pads?: readonly (readonly [number, number])[]
  /** `pad`: 'constant' (default), or the values inside without ('reflect') or with ('symmetric') the edge. */
  mode?: string
  /** `pad`: the value of the border; `threshold`: that of what is not above. */
  value?: number
  /** `roll`: by how many places. */
  shift?: number | readonly number[]
  /** `norm`: p of the norm along one axis, or 'inf'; left out, the norm of all numbers along the axes. */
  ord?: number | 'inf'
  /** `unitNorm`: p of the norm, 2 by default. */
  order?: number
  /** Norms: what keeps the divisor from 0; 1e-7 by default. */
  epsilon?: number
  /** `scaledDotProductAttention`: whether a query looks at the keys up to its own position alone. */
  causal?: boolean
  /** `scaledDotProductAttention`: the factor of the scores; 1/√dim by default. */
  scale?: number
  /** `threshold`: the limit. */
  threshold?: number
  /** `softShrink`, `hardShrink`: the limit; 0.5 by default. */
  lambda?: number
  /** `squareplus`: 4 by default. */
  b?: number
  /** `nanToNum`: what NaN becomes; 0 by default. */
  nan?: number
  /** `nanToNum`: what infinity becomes; the largest number by default. */
  posinf?: number
  /** `nanToNum`: what −infinity becomes; the smallest number by default. */
  neginf?: number
  /** `resize`, `extractPatches`: height and width. */
  size?: number | readonly number[]
  /** `resize`: the name of the interpolation; 'bilinear' by default. */
  interpolation?: string
  /** `resize`: whether smaller images are smoothed; false by default. */
  antialias?: boolean
  /** `maxPool`, `averagePool`: the size of windows. */
  poolSize?: number | readonly number[]
  /** Windows: the distance between neighbours; their size by default. */
  strides?: number | readonly number[]
  /** Windows: 'valid' (default) or 'same'. */
  padding?: string
  /** `depthToSpace`, `spaceToDepth`: the side of a block. */
  blockSize?: number
  /** Operands that are no symbolic tensors, by their place: `{ 0: 1 }` makes 1 − x of `sub`. */
  constants?: Readonly<Record<number, Given>>
}

const isConstant = (value: unknown): value is Constant =>
  typeof value === 'number' || typeof value === 'boolean' || (Array.isArray(value) && value.length > 0 && value.every(isConstant))

const entriesOf = (value: Constant): (number | boolean)[] => (Array.isArray(value) ? value.flatMap(entriesOf) : [value as number])

const shapeOf = (value: Constant): number[] => (Array.isArray(value) ? [value.length, ...shapeOf(value[0])] : [])

/**
 * An op of core as a layer. The class name in files is Keras 3's: `Mean`.
 *
 * Shape: as the op; the batch is axis 0
 * Source: Keras 3.16, ops/numpy.py and ops/nn.py. As there, the mask of an input ends here.
 *
 * @throws ValueError for an unknown operation, or an option that it does not take; ShapeError if shapes do not fit
 */
export class Operation extends MergeLayer {
  override readonly className: string
  override readonly outputCount: number
  /** The name of the op. */
  readonly op: OperationName
  readonly constants: Readonly<Record<number, Given>>

  constructor(op: OperationName, options: OperationOptions = {}) {
    if (!Object.hasOwn(kinds, op)) throw unknownName('operation', op, Object.keys(kinds))
    const { className, options: table } = kinds[op] as Kind
    const { constants = {}, ...rest } = options
    super(className, rest, { op: fixed(op), ...table })
    this.className = ours(Operation, className)
    this.op = op
    this.constants = constants
    this.outputCount = this.kind.count?.(this) ?? 1
    const fits = ([place, value]: [string, unknown]): boolean => isConstant(value) || (value === null && this.#mayLack(Number(place)))
    const wrong =
      typeof constants === 'object' && constants !== null ? Object.entries(constants).find((entry) => !fits(entry))?.[1] : constants
    if (wrong !== undefined)
      throw new ValueError(
        `${this.describe()}: constants are numbers or nested arrays of them, by place: { 1: 2 }; got ${describeValue(wrong)}.`,
      )
  }

  static fromConfig({ op, ...options }: OperationOptions & { op: OperationName }): Operation {
    return new Operation(op, options)
  }

  /** @internal The kind of the operation. */
  get kind(): Kind {
    return kinds[this.op]
  }

  /** Whether an operand may be left out. */
  #mayLack(place: number): boolean {
    const { operands, further = [] } = this.kind
    return typeof operands === 'number' && place >= operands && place < operands + further.length
  }

  /** @internal All operands in their order: what is given, and the constants at their places; undefined for those that are left out. */
  operands<Operand>(given: readonly Operand[], constantOf: (value: Constant) => Operand): Operand[] {
    const { operands: takes, further = [] } = this.kind
    const count = given.length + Object.keys(this.constants).length
    const fits = typeof takes === 'number' ? count >= takes && count <= takes + further.length : count >= 1
    const places = Object.keys(this.constants).map(Number)
    if (!fits || given.length === 0 || places.some((place) => !Number.isInteger(place) || place < 0 || place >= count)) {
      const constants = places.length > 0 ? ` and constants at the places ${places.join(', ')}` : ''
      throw new ValueError(
        `${this.describe()}: takes ${typeof takes !== 'number' ? 'at least one' : further.length > 0 ? `${takes} to ${takes + further.length}` : takes} operand${takes === 1 ? '' : 's'}, got ${given.length} inputs${constants}.`,
      )
    }
    const rest = [...given]
    return Array.from({ length: count }, (_, i) => {
      const constant = Object.hasOwn(this.constants, i) ? this.constants[i] : undefined
      if (constant === null) return undefined as Operand
      return constant === undefined ? (rest.shift() as Operand) : constantOf(constant)
    })
  }

  override outputShapes(inputShapes: readonly BatchShape[]): BatchShape[] {
    const shapes = this.operands<BatchShape>(inputShapes, shapeOf)
    try {
      const made = this.kind.shape(shapes, this)
      return this.kind.count ? [...(made as readonly BatchShape[])] : [made as BatchShape]
    } catch (error) {
      throw addContext(error, this.describe())
    }
  }
  override mergedShape(inputShapes: readonly BatchShape[]): BatchShape {
    return this.outputShapes(inputShapes)[0]
  }

  override merge(xs: readonly Tensor[]): Tensor {
    return this.#results(xs)[0]
  }

  #results(xs: readonly Tensor[]): Tensor[] {
    const { backend, dtype: own } = xs.find((x) => x.dtype !== 'bool') ?? xs[0]
    const constant = (value: Constant): Tensor => {
      const all = entriesOf(value)
      const fraction = all.some((entry) => typeof entry === 'number' && !Number.isInteger(entry))
      const dtype = all.every((entry) => typeof entry === 'boolean')
        ? 'bool'
        : own === 'bool' || (fraction && own === 'int32')
          ? 'float32'
          : own
      return tensor(value as never, { backend, dtype })
    }
    return [this.kind.run(this.operands(xs, constant), this)].flat()
  }

  /** None: as in Keras 3, masks end at operations. */
  override mergedMask(): undefined {
    return undefined
  }

  override get finalActivation(): FinalActivation {
    if (this.op === 'sigmoid') return 'sigmoid'
    return this.op === 'softmax' && (this as { axis?: number }).axis === -1 ? 'softmax' : undefined
  }
  override callAll(xs: readonly Tensor[], context: ManyContext, logits: readonly boolean[] = []): LayerOutputs {
    if (logits[0]) return { outputs: [xs[0]], masks: [undefined] }
    if (this.outputCount === 1) return super.callAll(xs, context)
    const outputs = this.#results(xs)
    return { outputs, masks: outputs.map(() => undefined) }
  }

  protected override ownConfig(): Record<string, unknown> {
    const { constants } = this
    return { op: this.op, ...super.ownConfig(), ...(Object.keys(constants).length > 0 && { constants }) }
  }
}

/**
 * Makes an op of core a layer, for graphs: `operation('mean', { axis: 1 }).apply(x)`. For most ops symbolic tensors have a method, too: `x.mean({ axis: 1 })`. One with several
 * results, such as 'split', gives them by `applyAll`.
 *
 * @param name the name of the op: 'add', 'mean', 'concat', 'where' …
 * @throws ValueError for an unknown operation, or an option that it does not take
 * @example
 * ```ts
 * const x = input({ shape: [2, 3] })
 * const rest = operation('sub', { constants: { 0: 1 } }).apply(x)   // 1 − x
 * const y = operation('where').apply([x.greater(0), x, rest])
 * const net = new GraphModel({ inputs: x, outputs: operation('mean', { axis: 1 }).apply(y) })
 * console.log(await net.apply(tensor([[[1, -1, 2], [3, -3, 4]]])).array())   // [[2, 3, 3]]
 * ```
 */
export const operation = (name: OperationName, options?: OperationOptions): Operation => new Operation(name, options)

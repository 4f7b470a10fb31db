/**
 * A graph before there are values: symbolic tensors, and the nodes that make them. A node is one use of a layer. A layer that is applied several times has
 * several nodes and one set of weights.
 */
import { addContext, Tensor, ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import type { BatchShape, Layer } from '../layer.js'

/**
 * A tensor of a graph before there are values: its shape, and the node that makes it. `input` and `layer.apply` make them.
 *
 * @example
 * ```ts
 * const x = input({ shape: [3] })
 * const y = dense(2).apply(x)
 * console.log(y.shape, y.node.inputs[0] === x)   // [null, 2] true
 * ```
 */
export class SymbolicTensor {
  /** The shape of a batch; null where a size is open. */
  readonly shape: BatchShape
  readonly node: LayerNode
  /** Its number among the node's outputs. */
  readonly index: number

  constructor(shape: BatchShape, node: LayerNode, index: number) {
    this.shape = shape
    this.node = node
    this.index = index
  }

  /** The layer whose output it is. */
  get layer(): Layer {
    return this.node.layer
  }

  /** `dense_1[0][0] [?, 10]`, for messages. */
  describe(): string {
    return `${this.layer.name}[${this.node.index}][${this.index}] [${this.shape.map((n) => n ?? '?').join(', ')}]`
  }

  /** Its text for console.log in Node. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `SymbolicTensor ${this.describe()}`
  }
}

/** Kinds of uses of a layer other than the usual one. */
export interface CallKind {
  readonly reverse?: boolean
  readonly inference?: boolean
}

/** One use of a layer: its symbolic inputs and outputs. `layer.apply` makes it; it is listed in `layer.inboundNodes`. */
export class LayerNode {
  readonly layer: Layer
  /** Empty for the node of an input layer. */
  readonly inputs: readonly SymbolicTensor[]
  readonly outputs: readonly SymbolicTensor[]
  /** Its number among the uses of its layer, as Keras counts. Those of models start at 1, since a model is one use of itself. */
  readonly index: number
  /** Whether the layer is called in reverse: `reversibleEmbedding` alone can be. */
  readonly reverse: boolean
  /** Whether the call never trains, as Keras' `layer(x, training=False)`: only files say so. */
  readonly inference: boolean

  constructor(layer: Layer, inputs: readonly SymbolicTensor[], outputShapes: readonly BatchShape[], how: CallKind = {}) {
    this.layer = layer
    this.inputs = inputs
    this.reverse = how.reverse ?? false
    this.inference = how.inference ?? false
    this.outputs = outputShapes.map((shape, i) => new SymbolicTensor(shape, this, i))
    this.index = layer.firstNodeIndex + layer.inboundNodes.length
    layer.inboundNodes.push(this)
  }
}

/** Names the value that was given in place of a symbolic tensor. */
function kindOf(wrong: unknown): string {
  if (wrong === undefined) return 'undefined. A model has them as model.inputs and model.outputs, a layer in it as layer.output'
  if (wrong instanceof Tensor) return 'a tensor of values. Those go through a model: model.apply(x), or model.predict(x)'
  if (typeof wrong === 'object' && wrong !== null && 'inboundNodes' in wrong) return 'a layer. Apply it first: layer.apply(x)'
  if ((wrong as object | undefined)?.constructor?.name === SymbolicTensor.name)
    return 'a symbolic tensor of another copy of @cotangent/layers'
  return describeValue(wrong)
}

/**
 * One symbolic tensor, or several, as a list.
 *
 * @throws ValueError for anything else; the message says what was probably meant
 */
export function symbolicList(what: string, given: SymbolicTensor | readonly SymbolicTensor[]): readonly SymbolicTensor[] {
  const list = given instanceof SymbolicTensor ? [given] : given
  const wrong = Array.isArray(list) ? list.find((x) => !(x instanceof SymbolicTensor)) : list
  if (Array.isArray(list) && list.length > 0 && wrong === undefined) return list
  const got = Array.isArray(list) && list.length === 0 ? 'an empty list' : kindOf(wrong)
  if (isValues(given)) {
    throw new ValueError(
      `${what}: got ${describeValue(given)} with numbers. A model is applied to a tensor of them, model.apply(tensor(x)), or gives its outputs by ` +
        'await model.predict(x); a layer is applied to a symbolic tensor, from input({ shape: […] }).',
    )
  }
  throw new ValueError(
    `${what}: expected a symbolic tensor, from input({ shape: […] }) or from a layer's apply, or a list of them; got ${got}.`,
  )
}

/** Whether something holds numbers, in nested or typed arrays. */
function isValues(given: unknown): boolean {
  if (ArrayBuffer.isView(given)) return true
  let first = given
  while (Array.isArray(first)) first = first[0]
  return Array.isArray(given) && (typeof first === 'number' || ArrayBuffer.isView(first))
}

/** Applies a layer to symbolic inputs. */
export function connect(layer: Layer, given: SymbolicTensor | readonly SymbolicTensor[], how: CallKind = {}): SymbolicTensor[] {
  const inputs = symbolicList(`${layer.describe()}, apply`, given)
  try {
    const shapes = inputs.map((x) => x.shape)
    return [...new LayerNode(layer, inputs, layer.outputShapes(shapes, how.reverse), how).outputs]
  } catch (error) {
    throw addContext(error, `where ${layer.describe()} is applied to ${inputs.map((x) => x.describe()).join(' and ')}`)
  }
}

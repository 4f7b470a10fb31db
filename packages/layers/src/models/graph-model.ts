/** A model as a graph of layers: Keras' functional form. */
import { foldKey, type Tensor, ValueError } from '@cotangent/core'
import { activateLogits, callLayer } from '../call-layer.js'
import { describeGraph, type GraphDescription, type GraphNetwork } from '../graph/description.js'
import { InputLayer } from '../graph/input-layer.js'
import { withOperations } from '../graph/operations/methods.js'
import { type GraphOrder, orderGraph } from '../graph/order.js'
import { graphRows } from '../graph/summary-rows.js'
import { type LayerNode, type SymbolicTensor, symbolicList } from '../graph/symbolic-tensor.js'
import { inside } from '../inside.js'
import type { BatchShape, BuildContext, FinalActivation, Layer, LayerOutputs, ManyContext } from '../layer.js'
import { ours } from '../own-classes.js'
import { uniqueNames } from '../spelling/automatic-names.js'
import { requireInputShapes } from '../training/checks.js'
import { Model as AnyModel, type InputPort, type ModelOptions, type Port } from './model.js'
import type { SummaryRow } from './summary-text.js'

/** Options of `model`. */
export interface GraphModelOptions extends ModelOptions {
  /** One or several symbolic tensors made by `input`. Required. */
  inputs: SymbolicTensor | readonly SymbolicTensor[]
  /** One or several symbolic tensors that the model computes. Required. */
  outputs: SymbolicTensor | readonly SymbolicTensor[]
}

const Model: typeof AnyModel = withOperations(AnyModel)

/** One use of a layer, as the forward pass runs it. */
interface Step {
  node: LayerNode
  /** Folded into the key of the step: the layer's index, then the number of the use if the layer is used again. */
  place: readonly number[]
}

/** The options, unless one is written as the argument of the first Keras. */
function withoutSingular(options: object): object {
  for (const name of ['input', 'output'])
    if (Object.hasOwn(options, name)) throw new ValueError(`model: there is no option "${name}". Did you mean "${name}s"?`)
  return options
}

/**
 * A model whose layers are connected in any way without a circle: several inputs and outputs, layers used more than once, models as layers.
 *
 * `layers` is in Keras' order and includes input layers. Missing weights are made at once. They depend on the seed and on the layer's index, input layers not
 * counted, so that a chain has the same weights as a Sequential.
 */
export class GraphModel extends Model {
  override readonly className = ours(GraphModel, 'Model')
  override readonly outputCount: number
  override readonly inputs: readonly SymbolicTensor[]
  override readonly outputs: readonly SymbolicTensor[]
  override readonly layers: readonly Layer[]
  override readonly inputPorts: readonly InputPort[]
  override readonly outputPorts: readonly Port[]
  readonly #order: GraphOrder
  readonly #steps: readonly Step[]

  constructor({ inputs, outputs, ...options }: GraphModelOptions) {
    super('Model', withoutSingular(options))
    this.inputs = symbolicList(`${this.name}: inputs`, inputs)
    this.outputs = symbolicList(`${this.name}: outputs`, outputs)
    this.outputCount = this.outputs.length
    this.#order = orderGraph(this.name, this.inputs, this.outputs)
    this.layers = this.#order.layers
    const open = (shape: BatchShape): BatchShape => [null, ...shape.slice(1)]
    this.inputPorts = this.inputs.map((x) => ({ name: x.layer.name, shape: open(x.shape), ...this.#valuesOf(x) }))
    const names = uniqueNames(this.outputs.map(({ layer }) => layer.name))
    this.outputPorts = this.outputs.map(({ shape }, i) => ({ name: names[i], shape: open(shape) }))
    this.#steps = this.#planned()
    this.#makeWeights(this.buildContext())
  }

  /** The dtype of the data of an input: int32 if all layers behind it take indices. */
  #valuesOf(x: SymbolicTensor): Pick<InputPort, 'dtype' | 'indexCount'> {
    const counts = this.#order.nodes.flatMap(({ layer, inputs, reverse }) =>
      inputs.flatMap((y, i) => (y === x ? [reverse ? undefined : layer.indexCount(i)] : [])),
    )
    const indices = counts.filter((count) => count !== undefined)
    const indexCount = indices.length > 0 ? Math.min(...indices) : undefined
    const always = indices.length > 0 && indices.length === counts.length && !this.outputs.includes(x)
    return { dtype: (x.layer as InputLayer).dtype ?? (always ? 'int32' : this.dtype), indexCount }
  }
  /** @internal */
  override indexCount(input: number): number | undefined {
    return this.inputPorts[input]?.indexCount
  }

  #planned(): Step[] {
    const indices = new Map(this.#withoutInputs().map((layer, i) => [layer, i]))
    const uses = new Map<Layer, number>()
    return this.#order.nodes
      .filter((node) => node.inputs.length > 0)
      .map((node) => {
        const use = uses.get(node.layer) ?? 0
        uses.set(node.layer, use + 1)
        const index = indices.get(node.layer) as number
        return { node, place: use === 0 ? [index] : [index, use] }
      })
  }

  #withoutInputs(): Layer[] {
    return this.layers.filter((layer) => !(layer instanceof InputLayer))
  }

  #makeWeights(context: BuildContext): void {
    const firstUse = (layer: Layer): LayerNode => (this.#steps.find(({ node }) => node.layer === layer) as Step).node
    inside(this, context.key, false, () => {
      for (const [i, layer] of this.#withoutInputs().entries()) {
        layer.buildAll(
          firstUse(layer).inputs.map(({ shape }) => shape),
          { ...context, key: foldKey(context.key, i) },
        )
      }
    })
  }

  /** A graph has its weights from the start. Inside another model its draws may follow that. */
  override build(_inputShape?: BatchShape, context?: BuildContext): void {
    if (context) this.followOuter(this.enterBuild(context))
  }
  override buildAll(_inputShapes: readonly BatchShape[], context: BuildContext): void {
    this.followOuter(this.enterBuild(context))
  }
  override get built(): boolean {
    return true
  }
  override get finalActivations(): readonly FinalActivation[] {
    return this.outputs.map(({ layer, index }) => layer.finalActivations[index])
  }
  override get finalActivation(): FinalActivation {
    return this.outputCount === 1 ? this.finalActivations[0] : undefined
  }
  /** @internal The nodes, each after those it needs. */
  get nodes(): readonly LayerNode[] {
    return this.#order.nodes
  }

  /** The structure of the graph, as files describe it: see `GraphDescription`. */
  describeGraph(): GraphDescription {
    return describeGraph(this.#network())
  }
  #network(): GraphNetwork {
    return { order: this.#order, inputs: this.inputs, outputs: this.outputs }
  }

  override outputShapes(inputShapes: readonly BatchShape[]): BatchShape[] {
    requireInputShapes(this, inputShapes)
    const shapes = new Map(this.inputs.map((x, i) => [x, inputShapes[i]]))
    const of = (x: SymbolicTensor): BatchShape => shapes.get(x) as BatchShape
    for (const { node } of this.#steps) {
      const results = node.layer.outputShapes(node.inputs.map(of), node.reverse)
      for (const [i, y] of node.outputs.entries()) shapes.set(y, results[i])
    }
    return this.outputs.map(of)
  }

  override callAll(xs: readonly Tensor[], { masks, ...context }: ManyContext, logits: readonly boolean[] = []): LayerOutputs {
    const values = new Map(this.inputs.map((x, i) => [x, { value: xs[i], mask: masks[i] }]))
    const before = new Map<SymbolicTensor, Tensor>()
    for (const { node, place } of this.#steps) {
      const given = node.inputs.map((x) => values.get(x) as { value: Tensor; mask: Tensor | undefined })
      const wanted = node.outputs.map((y) => this.outputs.some((output, i) => output === y && logits[i]))
      const result = callLayer(
        node.layer,
        place,
        given.map(({ value }) => value),
        {
          ...context,
          masks: given.map(({ mask }) => mask),
          ...(node.reverse && { reverse: true }),
          ...(node.inference && { training: false }),
        },
        wanted,
      )
      // Other layers may need the activated value as well as the logits.
      const finished =
        wanted.includes(true) && this.#isUsed(node) ? activateLogits(result.outputs, wanted, node.layer.finalActivations) : result.outputs
      for (const [i, y] of node.outputs.entries()) {
        values.set(y, { value: finished[i], mask: result.masks[i] })
        if (wanted[i]) before.set(y, result.outputs[i])
      }
    }
    return {
      outputs: this.outputs.map((y, i) => (logits[i] ? before.get(y) : values.get(y)?.value) as Tensor),
      masks: this.outputs.map((y) => values.get(y)?.mask),
    }
  }

  /** Whether anything but one output of logits needs the node's values. */
  #isUsed(node: LayerNode): boolean {
    return (
      this.#steps.some((step) => step.node.inputs.some((x) => x.node === node)) || this.outputs.filter((y) => y.node === node).length > 1
    )
  }

  protected override layerRows(): SummaryRow[] {
    return graphRows(this.#network())
  }
}

/**
 * Makes a `GraphModel` of the layers between symbolic inputs and outputs.
 *
 * @throws ValueError for an input that is missing or that no output depends on, or for two layers of one name
 * @example
 * ```ts
 * import { concatenate, dense, embedding, input, lstm, model } from '@cotangent/layers'
 *
 * const question = input({ shape: [null], name: 'question' })
 * const answer = input({ shape: [null], name: 'answer' })
 * const encode = lstm(32)
 * const words = embedding(1000, 16)
 * const both = concatenate().apply([encode.apply(words.apply(question)), encode.apply(words.apply(answer))])
 * const fits = model({ inputs: [question, answer], outputs: dense(1, { activation: 'sigmoid' }).apply(both), seed: 7 })
 * console.log(fits.countParams())   // 22337
 * ```
 */
export const model = (options: GraphModelOptions): GraphModel => new GraphModel(options)

/** A model whose layers follow one another. Source of its behaviour: Keras 2.3.1, engine/sequential.py. */
import { foldKey, ShapeError, type Tensor, ValueError } from '@cotangent/core'
import { callLayer } from '../call-layer.js'
import { CompileError } from '../errors.js'
import { InputLayer } from '../graph/input-layer.js'
import type { SymbolicTensor } from '../graph/symbolic-tensor.js'
import { inside } from '../inside.js'
import { type BatchShape, type BuildContext, type FinalActivation, Layer, type LayerOutputs, type ManyContext } from '../layer.js'
import { ours } from '../own-classes.js'
import { requireInputShapes } from '../training/checks.js'
import { type InputPort, Model, type ModelOptions, type Port } from './model.js'
import type { SummaryRow } from './summary-text.js'

const noLayers = (model: string): string => `${model}: the model has no layers. Add some: model.add(dense(10, …)).`

/**
 * A model whose layers follow one another. It gets its weights as soon as the first layer has an `inputShape`, otherwise from the first data it sees.
 *
 * @throws ValueError for something that is no layer, or a second layer of one name
 * @example
 * ```ts
 * const model = new Sequential([dense(128, { activation: 'relu', inputShape: [784] }), dropout(0.3), dense(10, { activation: 'softmax' })], { seed: 7 })
 * console.log(model.countParams())   // 101770
 * ```
 */
export class Sequential extends Model {
  override readonly className = ours(Sequential, 'Sequential')
  readonly #layers: Layer[] = []
  #inputShape?: BatchShape
  /** The output shape of each layer, once known. */
  readonly #shapes: BatchShape[] = []
  /** The symbolic input, and the output of each layer, once somebody asked for them. */
  readonly #symbols: SymbolicTensor[] = []

  /** The port of the input, for an input shape and the name of the first layer. */
  #inputPort?: { readonly of: BatchShape; readonly first: string; readonly ports: readonly InputPort[] }

  constructor(layers: readonly Layer[] = [], options: ModelOptions = {}) {
    super('Sequential', options)
    for (const layer of layers) this.add(layer)
  }

  override get layers(): readonly Layer[] {
    return this.#layers
  }
  override get built(): boolean {
    return this.#inputShape !== undefined && this.#shapes.length === this.#layers.length && this.#layers.length > 0
  }
  override get finalActivation(): FinalActivation {
    return this.#layers.at(-1)?.finalActivation
  }
  override get inputPorts(): readonly InputPort[] {
    if (!this.#inputShape) throw new ShapeError(`${this.name}: the input shape is not known yet.`)
    const indexCount = this.indexCount()
    const { name } = this.#layers[0]
    const known = this.#inputPort
    // Training asks several times in each step.
    if (known?.of === this.#inputShape && known.first === name && known.ports[0].indexCount === indexCount) return known.ports
    const dtype = indexCount === undefined ? this.dtype : 'int32'
    const ports = [{ name: `${name}_input`, shape: [null, ...this.#inputShape.slice(1)], dtype, indexCount }]
    this.#inputPort = { of: this.#inputShape, first: name, ports }
    return ports
  }
  /** @internal The shape of the input, with the batch size if it is fixed, as stateful layers need. */
  get batchShape(): BatchShape | undefined {
    return this.#inputShape
  }
  /** @internal */
  override indexCount(): number | undefined {
    return this.#layers[0]?.indexCount(0)
  }
  override get outputPorts(): readonly Port[] {
    return this.#shapes.slice(-1).map((shape) => ({ name: (this.#layers.at(-1) as Layer).name, shape }))
  }

  /** The symbolic input, in the graph that its layers make. @throws CompileError while the shape of the input is not known */
  get inputs(): readonly SymbolicTensor[] {
    return [this.connect()[0]]
  }
  /** The symbolic output, in the graph that its layers make. */
  get outputs(): readonly SymbolicTensor[] {
    return [this.connect().at(-1) as SymbolicTensor]
  }

  /** @internal The symbolic input and the output of each layer. They are made when somebody asks, since most chains need no graph. */
  connect(): readonly SymbolicTensor[] {
    this.requireBuilt()
    if (this.#symbols.length === 0) {
      const [{ name, dtype }] = this.inputPorts
      this.#symbols.push(new InputLayer({ batchShape: this.batchShape, dtype, name }).output)
    }
    for (const layer of this.#layers.slice(this.#symbols.length - 1))
      this.#symbols.push(layer.apply(this.#symbols.at(-1) as SymbolicTensor))
    return this.#symbols
  }

  /**
   * Appends a layer.
   *
   * @throws ValueError for something that is no layer, a layer of several outputs, or a name that is taken; ShapeError if its input does not fit
   */
  add(layer: Layer): void {
    if (!(layer instanceof Layer)) throw new ValueError(`${this.name}.add: expected a layer, such as dense(10), got ${typeof layer}.`)
    if (this.#layers.includes(layer)) throw new ValueError(`${this.name}.add: ${layer.describe()} is in the model already.`)
    if (this.#layers.some((other) => other.name === layer.name))
      throw new ValueError(`${this.name}.add: there is already a layer named "${layer.name}".`)
    if (layer.outputCount !== 1) {
      throw new ValueError(
        `${this.name}.add: ${layer.describe()} has several outputs, and layers in a Sequential have one. Take them all in a graph: layer.applyAll(x).`,
      )
    }
    if (layer instanceof InputLayer) {
      if (this.#layers.length > 0)
        throw new ValueError(`${this.name}.add: ${layer.describe()} says the shape of the input and must come first.`)
      this.#inputShape = layer.batchInputShape
      return
    }
    this.#layers.push(layer)
    layer.inStack(this, true)
    try {
      const shape = layer instanceof Model && layer.built ? layer.inputPorts[0].shape : layer.batchInputShape
      if (!this.#inputShape && this.#layers.length === 1 && shape) this.build(shape)
      else if (this.#inputShape) this.#buildFrom(this.#layers.length - 1)
    } catch (error) {
      this.#drop()
      throw error
    }
  }

  /** Removes the last layer. */
  pop(): void {
    if (this.#layers.length === 0) throw new ValueError(`${this.name}.pop: there are no layers.`)
    this.#drop()
    this.#shapes.length = Math.min(this.#shapes.length, this.#layers.length)
  }

  #drop(): void {
    this.#layers.pop()?.inStack(this, false)
    this.#symbols.length = Math.min(this.#symbols.length, this.#layers.length + 1)
  }

  override build(inputShape?: BatchShape, context?: BuildContext): void {
    const outer = context && this.enterBuild(context)
    if (this.built) {
      if (outer) this.followOuter(outer)
      return
    }
    const shape = inputShape ?? this.#layers[0]?.batchInputShape
    if (this.#layers.length === 0) throw new CompileError(noLayers(this.name))
    if (!shape) throw new CompileError(`${this.name}.build: the input shape is not known. Pass it, e.g. build([null, 784]).`)
    const before = this.#inputShape
    this.#inputShape = shape
    try {
      this.#buildFrom(this.#shapes.length, outer)
    } catch (error) {
      this.#inputShape = before
      throw error
    }
  }
  override buildAll(inputShapes: readonly BatchShape[], context: BuildContext): void {
    this.build(this.only(inputShapes), context)
  }

  #buildFrom(first: number, outer?: BuildContext): void {
    const context = this.buildContext(outer)
    inside(this, context.key, false, () => {
      for (let i = first; i < this.#layers.length; i++) {
        const layer = this.#layers[i]
        const input = this.#shapes[i - 1] ?? (this.#inputShape as BatchShape)
        const [output] = layer.outputShapes([input])
        layer.build(input, { ...context, key: foldKey(context.key, i) })
        this.#shapes[i] = output
      }
    })
  }

  override outputShapes(inputShapes: readonly BatchShape[]): BatchShape[] {
    if (this.#layers.length === 0) throw new CompileError(noLayers(this.name))
    if (this.built) requireInputShapes(this, inputShapes)
    return [this.#layers.reduce((shape, layer) => layer.outputShapes([shape])[0], this.only(inputShapes))]
  }

  override callAll(xs: readonly Tensor[], { masks: [mask], ...context }: ManyContext, logits: readonly boolean[] = []): LayerOutputs {
    const last = this.#layers.length - 1
    return this.#layers.reduce<LayerOutputs>(
      ({ outputs, masks }, layer, i) => callLayer(layer, [i], outputs, { ...context, masks }, i === last ? logits : []),
      { outputs: [this.only(xs)], masks: [mask] },
    )
  }

  protected override layerRows(): SummaryRow[] {
    return this.#layers.map((layer, i) => ({
      name: layer.name,
      className: layer.className,
      outputShape: [null, ...this.#shapes[i].slice(1)],
      params: layer.weights.reduce((n, w) => n + w.size, 0),
    }))
  }
}

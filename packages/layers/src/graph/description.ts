/**
 * A graph as a file describes it, after Keras' `inbound_nodes`. For each use of a layer, and for each input of that use, it says which layer, use and output the
 * input comes from: `[name, node_index, tensor_index]`.
 *
 * Uses are counted within the graph; those of models start at 1, as Keras' get_config numbers them. So a graph of fresh layers has the same numbers.
 */
import { ValueError } from '@cotangent/core'
import type { Layer } from '../layer.js'
import type { GraphOrder } from './order.js'
import { connect, type LayerNode, type SymbolicTensor } from './symbolic-tensor.js'

/** A tensor in a graph: Keras' `[name, node_index, tensor_index]`. */
export interface TensorPlace {
  /** The name of the layer whose output it is. */
  layer: string
  /** The number of the layer's use. */
  node: number
  /** The number of the output of that use. */
  tensor: number
}

/** A layer of a graph with its uses. */
export interface LayerUses {
  layer: Layer
  /** For each use, the places of its inputs; empty for an input layer. */
  inboundNodes: readonly (readonly TensorPlace[])[]
  /** For each use, whether the layer is called in reverse; none is if left out. */
  reverse?: readonly boolean[]
  /** For each use, whether it never trains; none is if left out. */
  inference?: readonly boolean[]
}

/** The structure of a graph. The configs and weights of its layers are not in it. */
export interface GraphDescription {
  /** In Keras' order, which is the order of weights. */
  layers: readonly LayerUses[]
  inputs: readonly TensorPlace[]
  outputs: readonly TensorPlace[]
}

/** The graph to describe. */
export interface GraphNetwork {
  order: GraphOrder
  inputs: readonly SymbolicTensor[]
  outputs: readonly SymbolicTensor[]
}

/** The uses of a layer within a graph, in the order in which they were made. */
export function usesIn({ nodes }: Pick<GraphOrder, 'nodes'>, layer: Layer): LayerNode[] {
  return layer.inboundNodes.filter((node) => nodes.includes(node))
}

/** @internal See GraphModel.describeGraph. */
export function describeGraph({ order, inputs, outputs }: GraphNetwork): GraphDescription {
  const numbers = new Map(order.layers.flatMap((layer) => usesIn(order, layer).map((node, i) => [node, layer.firstNodeIndex + i])))
  const place = ({ layer, node, index }: SymbolicTensor): TensorPlace => ({
    layer: layer.name,
    node: numbers.get(node) as number,
    tensor: index,
  })
  return {
    layers: order.layers.map((layer) => {
      const uses = usesIn(order, layer).filter((node) => node.inputs.length > 0)
      const [reverse, inference] = [uses.map((node) => node.reverse), uses.map((node) => node.inference)]
      return {
        layer,
        inboundNodes: uses.map((node) => node.inputs.map(place)),
        ...(reverse.includes(true) && { reverse }),
        ...(inference.includes(true) && { inference }),
      }
    }),
    inputs: inputs.map(place),
    outputs: outputs.map(place),
  }
}

/**
 * Connects layers as a description says. The result is what `model` takes.
 *
 * @throws ValueError for an input that no layer of the description makes
 * @example
 * ```ts
 * const x = new InputLayer({ shape: [4], name: 'x' })
 * const place = { layer: 'x', node: 0, tensor: 0 }
 * const y = { layer: dense(2, { name: 'y' }), inboundNodes: [[place]] }
 * const graph = connectGraph({ layers: [{ layer: x, inboundNodes: [] }, y], inputs: [place], outputs: [{ ...place, layer: 'y' }] })
 * console.log(new GraphModel(graph).countParams())   // 10
 * ```
 */
export function connectGraph({ layers, inputs, outputs }: GraphDescription): { inputs: SymbolicTensor[]; outputs: SymbolicTensor[] } {
  const made = new Map<string, SymbolicTensor>()
  const keyOf = ({ layer, node, tensor }: TensorPlace): string => JSON.stringify([layer, node, tensor])
  const note = (layer: Layer, node: number, tensors: readonly SymbolicTensor[]): void => {
    for (const [tensor, x] of tensors.entries()) made.set(keyOf({ layer: layer.name, node, tensor }), x)
  }
  const find = (place: TensorPlace): SymbolicTensor => {
    const x = made.get(keyOf(place))
    if (x) return x
    throw new ValueError(
      `connectGraph: no layer of the graph gives ${place.layer}[${place.node}][${place.tensor}]. Layers: ${layers.map(({ layer }) => layer.name).join(', ')}.`,
    )
  }

  // A layer may stand before layers that it needs. So the list is walked again as long as something could be connected.
  const waiting = layers.map(({ layer, inboundNodes, reverse = [], inference = [] }) => ({
    layer,
    next: 0,
    inboundNodes,
    reverse,
    inference,
  }))
  for (const { layer, inboundNodes } of waiting) if (inboundNodes.length === 0) note(layer, 0, layer.inboundNodes[0]?.outputs ?? [])
  for (let progress = true; progress; ) {
    progress = false
    for (const use of waiting) {
      for (; use.next < use.inboundNodes.length && use.inboundNodes[use.next].every((place) => made.has(keyOf(place))); use.next++) {
        const inputs = use.inboundNodes[use.next].map(find)
        const how = { reverse: use.reverse[use.next], inference: use.inference[use.next] }
        const outputs = how.reverse || how.inference ? connect(use.layer, inputs, how) : use.layer.applyAll(inputs)
        note(use.layer, use.layer.firstNodeIndex + use.next, outputs)
        progress = true
      }
    }
  }
  for (const { next, inboundNodes } of waiting) for (const place of inboundNodes.slice(next).flat()) find(place)
  return { inputs: inputs.map(find), outputs: outputs.map(find) }
}

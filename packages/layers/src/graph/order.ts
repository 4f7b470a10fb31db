/**
 * The nodes and layers between inputs and outputs, in Keras' order, which is also the order of weights. Layers furthest from the outputs come first; of equally
 * far ones, the one that a walk back from the outputs meets first. Source: keras/engine/network.py 2.3.1, _map_graph_network.
 */
import { ValueError } from '@cotangent/core'
import type { Layer } from '../layer.js'
import { InputLayer } from './input-layer.js'
import type { LayerNode, SymbolicTensor } from './symbolic-tensor.js'

/** The nodes and layers of a graph, in order. */
export interface GraphOrder {
  /** Every node stands after those it needs. */
  nodes: readonly LayerNode[]
  layers: readonly Layer[]
  /** For each node, the number of nodes that follow on the longest way to an output. */
  depths: ReadonlyMap<LayerNode, number>
}

/**
 * Orders the graph between inputs and outputs.
 *
 * @throws ValueError for an input that no `input` made, that is missing, or that no output depends on
 */
export function orderGraph(model: string, inputs: readonly SymbolicTensor[], outputs: readonly SymbolicTensor[]): GraphOrder {
  for (const x of inputs) {
    if (x.node.inputs.length > 0 || !(x.layer instanceof InputLayer))
      throw new ValueError(
        `${model}: the input ${x.describe()} is an output of ${x.layer.describe()}. Inputs are made by input({ shape: […] }).`,
      )
    if (inputs.indexOf(x) !== inputs.lastIndexOf(x)) throw new ValueError(`${model}: the input ${x.describe()} is listed twice.`)
  }

  // Each node after those it needs; each layer numbered as the walk from the outputs meets it.
  const nodes: LayerNode[] = []
  const met = new Map<Layer, number>()
  const seen = new Set<LayerNode>()
  // A loop with its own list, not a recursion: a chain of ten thousand layers would overflow the stack.
  const visit = (first: LayerNode): void => {
    const open = [{ node: first, next: -1 }]
    for (let top = open.at(-1); top; top = open.at(-1)) {
      const { node } = top
      if (top.next < 0) {
        if (seen.has(node)) {
          open.pop()
          continue
        }
        seen.add(node)
        if (!met.has(node.layer)) met.set(node.layer, met.size)
      }
      if (++top.next < node.inputs.length) open.push({ node: node.inputs[top.next].node, next: -1 })
      else {
        nodes.push(node)
        open.pop()
      }
    }
  }
  for (const y of outputs) visit(y.node)

  for (const node of nodes) {
    const [entry] = node.outputs
    if (node.inputs.length > 0 || inputs.includes(entry)) continue
    throw new ValueError(
      `${model}: the outputs need ${entry.describe()}, which is not among the inputs (${inputs.map((x) => x.describe()).join(', ')}).`,
    )
  }
  const idle = inputs.find((x) => !seen.has(x.node))
  if (idle) throw new ValueError(`${model}: no output depends on the input ${idle.describe()}. Leave it out, or connect it.`)

  const depths = new Map<LayerNode, number>()
  const layerDepths = new Map<Layer, number>()
  for (const node of [...nodes].reverse()) {
    // A layer used more than once is as far away as its furthest use.
    const depth = Math.max(depths.get(node) ?? 0, layerDepths.get(node.layer) ?? 0)
    depths.set(node, depth)
    layerDepths.set(node.layer, depth)
    for (const { node: before } of node.inputs) depths.set(before, Math.max(depth + 1, depths.get(before) ?? 0))
  }
  const layers = [...met.keys()].sort(
    (a, b) => (layerDepths.get(b) as number) - (layerDepths.get(a) as number) || (met.get(a) as number) - (met.get(b) as number),
  )
  const names = layers.map((layer) => layer.name)
  const twice = layers.find((layer, i) => names.indexOf(layer.name) !== i)
  if (twice) throw new ValueError(`${model}: there are two layers named "${twice.name}". Give one of them another name.`)
  return { nodes, layers, depths }
}

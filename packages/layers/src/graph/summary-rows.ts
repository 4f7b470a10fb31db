/** The rows of a graph's summary (keras/utils/layer_utils.py 2.3.1, print_summary). */
import type { BatchShape, Layer } from '../layer.js'
import type { SummaryRow } from '../models/summary-text.js'
import { type GraphNetwork, usesIn } from './description.js'
import type { GraphOrder } from './order.js'

/** A graph that is one chain is shown as a Sequential is, without connections. */
export function graphRows({ order }: GraphNetwork): SummaryRow[] {
  const chain = isChain(order)
  return order.layers.map((layer) => ({
    name: layer.name,
    className: layer.className,
    outputShape: shapeOf(layer),
    params: layer.weights.reduce((n, w) => n + w.size, 0),
    ...(!chain && {
      connections: usesIn(order, layer).flatMap((node) => node.inputs.map((x) => `${x.layer.name}[${x.node.index}][${x.index}]`)),
    }),
  }))
}

/** One node at each depth, with one input, and no layer used twice. */
const isChain = ({ nodes, layers, depths }: GraphOrder): boolean =>
  nodes.length === layers.length && new Set(depths.values()).size === nodes.length && nodes.every((node) => node.inputs.length <= 1)

/** The shape of all its uses, here and elsewhere, if it is the same. */
function shapeOf(layer: Layer): SummaryRow['outputShape'] {
  const all: BatchShape[][] = layer.inboundNodes.map((node) => node.outputs.map(({ shape }) => shape))
  const own = (layer as { outputPorts?: readonly { shape: BatchShape }[] }).outputPorts?.map(({ shape }) => shape)
  const [first, ...others] = own ? [own, ...all] : all
  if (others.some((shapes) => JSON.stringify(shapes) !== JSON.stringify(first))) return 'multiple'
  return first.length === 1 ? first[0] : first
}

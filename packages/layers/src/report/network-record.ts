/** The network of a run as data: what a picture and Keras' summary need. */
import type { TrainedModel } from '../callbacks/callback.js'
import type { Layer } from '../layer.js'
import type { GraphModel } from '../models/graph-model.js'
import type { Model } from '../models/model.js'
import { type SummaryRow, shapeText } from '../models/summary-text.js'
import type { NetworkRecord } from './record.js'

/** A setting as text: `0.001`, `[bias, gamma]`, `ExponentialDecay(initialLearningRate 0.1, …)`. */
function settingText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(settingText).join(', ')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  const { className = '', config = value } = value as { className?: string; config?: object }
  return `${className}(${Object.entries(config)
    .map(([name, part]) => `${name} ${settingText(part)}`)
    .join(', ')})`
}

/** The names of the layers that each layer reads. */
function sources(model: Model): (name: string) => string[] {
  const graph = (model as Partial<GraphModel>).describeGraph?.()
  if (!graph) {
    const names = model.layers.map(({ name }) => name)
    return (name) => names.slice(Math.max(0, names.indexOf(name) - 1), names.indexOf(name))
  }
  const found = new Map(graph.layers.map(({ layer, inboundNodes }) => [layer.name, inboundNodes.flat().map((place) => place.layer)]))
  return (name) => [...new Set(found.get(name))]
}

/** The layers so that each stands behind those that it reads. Keras' order of a graph need not be that. */
function inOrder<Row extends { name: string; from: string[] }>(rows: readonly Row[]): Row[] {
  const byName = new Map(rows.map((row) => [row.name, row]))
  const done = new Set<Row>()
  const visit = (row: Row): void => {
    if (done.has(row)) return
    for (const name of row.from) {
      const source = byName.get(name)
      if (source && source !== row) visit(source)
    }
    done.add(row)
  }
  for (const row of rows) visit(row)
  return [...done]
}

/** The network of a model that has its weights. */
export function networkOf(trained: TrainedModel): NetworkRecord {
  const model = trained as Model
  const rows = (model as unknown as { layerRows(): SummaryRow[] }).layerRows()
  const layers = new Map<string, Layer>(model.layers.map((layer) => [layer.name, layer]))
  const from = sources(model)
  const { optimizer, outputs } = model.trainer()
  const { learningRate, ...settings } = optimizer.getConfig()
  return {
    summary: model.summaryLines().join('\n'),
    layers: inOrder(
      rows.map(({ name, className, outputShape, params }) => {
        const layer = layers.get(name)
        return {
          name,
          type: className,
          outputShape: shapeText(outputShape),
          parameters: params,
          trainable: params === 0 || (layer !== undefined && layer.trainableWeights.length > 0),
          from: from(name),
        }
      }),
    ),
    optimizer: {
      name: optimizer.className,
      settings: Object.fromEntries(
        Object.entries({ learningRate, ...settings })
          .filter(([, value]) => value !== null && value !== undefined)
          .map(([name, value]) => [name, settingText(value)]),
      ),
    },
    ...(outputs.length > 0 && { loss: outputs.map(({ loss }) => loss.name).join(', ') }),
    metrics: outputs.flatMap(({ metrics }) => metrics.map(({ label }) => label)),
  }
}

/** The values between the layers of a model, for one sample. */
import { type Tensor, ValueError } from '@cotangent/core'
import { requireWhole } from '@cotangent/core/arguments'
import type { SymbolicTensor } from '../../graph/symbolic-tensor.js'
import type { Data } from '../../host-data.js'
import type { Layer } from '../../layer.js'
import { GraphModel } from '../../models/graph-model.js'
import type { Model } from '../../models/model.js'
import { Sequential } from '../../models/sequential.js'
import { requireSample } from '../../training/checks.js'
import { rowsOf } from '../../training/data.js'

/** One use of a layer in a model: the symbolic tensors that it takes and gives. */
export interface Use {
  layer: Layer
  inputs: readonly SymbolicTensor[]
  outputs: readonly SymbolicTensor[]
}

/** The layers of a model in the order in which they run, without those that are inputs. */
export function usesOf(what: string, model: Model): Use[] {
  if (model instanceof GraphModel) return model.nodes.filter(({ inputs }) => inputs.length > 0)
  if (model instanceof Sequential) return model.connect().flatMap(({ node }) => (node.inputs.length > 0 ? [node] : []))
  throw new ValueError(`${what}: the layers of ${model.describe()} cannot be told. A Sequential or a graph of layers is needed.`)
}

/** One sample as a batch of one. @param x data of a model of one input */
export function sampleOf(what: string, model: Model, x: Data, sample: number): Tensor {
  if (model.inputPorts.length !== 1)
    throw new ValueError(`${what}: ${model.describe()} has ${model.inputPorts.length} inputs, and this needs a model of one.`)
  const [port] = model.inputPorts
  const rows = rowsOf(`${what}: x`, x, model.backend)
  requireSample(model, `${what}: x`, rows.sampleShape, port)
  requireWhole(what, 'sample', sample, { least: 0, most: rows.count - 1 })
  return rows.take(Int32Array.of(sample), 0, 1, port.dtype)
}

/** The values of symbolic tensors behind the input, for a batch, with the masks of their steps. The tensors belong to the current scope. */
export function valuesAt(
  { inputs, dtype, backend }: Model,
  x: Tensor,
  outputs: readonly SymbolicTensor[],
): { values: Tensor[]; masks: (Tensor | undefined)[] } {
  const masks: (Tensor | undefined)[] = []
  // It shares its layers with the model and owns nothing, so it is not disposed of. A seed would draw weights of models inside again.
  const values = new GraphModel({ inputs, outputs, dtype, backend, name: 'between' }).applyAll(x, { masks })
  return { values, masks }
}

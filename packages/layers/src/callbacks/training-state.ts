/** The state of a training as numbers and arrays on the host: all that the rest of it depends on. */
import { type Parameter, type Tensor, tensor, ValueError } from '@cotangent/core'
import { fromHost, type HostArray } from '../host-data.js'
import { Layer } from '../layer.js'
import { Optimizer } from '../optimizers/optimizer.js'
import type { TrainedModel, TrainPlace } from './callback.js'

/** A state: JSON, and arrays by name. */
export interface TrainingState {
  readonly description: StateDescription
  readonly arrays: Readonly<Record<string, HostArray>>
}

interface StateDescription {
  readonly place: TrainPlace['numbers']
  readonly weights: readonly string[]
  readonly optimizers: readonly SavedOptimizer[]
}

interface SavedOptimizer {
  readonly className: string
  /** Null for a schedule. */
  readonly rate: number | null
  /** The parameters that have a state, as places in the list of all weights. */
  readonly parameters: readonly number[]
  readonly arrays: number
}

/** The model with the layers, models and optimizers among its own properties: those of a GAN, for example. */
function partsOf(model: TrainedModel): { layers: Layer[]; weights: Parameter[]; optimizers: Optimizer[] } {
  const values = [model, ...Object.values(model).flat()] as unknown[]
  const outer = values.filter((value) => value instanceof Layer)
  const inside = (layer: Layer): Layer[] => [layer, ...layer.inner.flatMap(inside)]
  return {
    layers: [...new Set(outer.flatMap(inside))],
    weights: [...new Set(outer.flatMap((layer) => layer.weights))],
    optimizers: [...new Set([model.optimizer, ...values.filter((value) => value instanceof Optimizer)])],
  }
}

/** Copies the state of a training to the host. */
export async function saveTraining(model: TrainedModel, { numbers, arrays: sums }: TrainPlace): Promise<TrainingState> {
  const { layers, weights, optimizers } = partsOf(model)
  const swapped = optimizers.filter((optimizer) => optimizer.averagesSwapped)
  for (const optimizer of swapped) optimizer.swapAverages()
  try {
    const arrays: Record<string, HostArray> = {}
    const copy = async (name: string, { shape, size }: Tensor, data: HostArray['data']): Promise<void> => {
      arrays[name] = { shape: size === 0 ? [0] : [...shape], data }
    }
    for (const [name, { shape, data }] of Object.entries(sums)) arrays[`epoch/${name}`] = { shape, data }
    for (const [i, w] of weights.entries()) await copy(`weight/${i}`, w, await w.data())
    for (const [i, { keptStates }] of layers.entries())
      for (const [j, state] of keptStates.entries()) await copy(`layer/${i}/${j}`, state, await state.data())
    const saved: SavedOptimizer[] = []
    for (const [i, optimizer] of optimizers.entries()) {
      const values = await optimizer.getWeights()
      for (const [j, { shape, data }] of values.entries()) arrays[`optimizer/${i}/${j}`] = { shape, data }
      const parameters = optimizer.parameters.map((w) => weights.indexOf(w))
      if (parameters.includes(-1)) {
        throw new ValueError(
          `backupAndRestore: ${optimizer.className} trains a parameter that is in no layer among the properties of "${model.name}". Make its layer or model one: this.critic = ….`,
        )
      }
      saved.push({
        className: optimizer.className,
        rate: optimizer.schedule ? null : optimizer.learningRate,
        parameters,
        arrays: values.length,
      })
    }
    return { description: { place: numbers, weights: weights.map(({ name }) => name), optimizers: saved }, arrays }
  } finally {
    for (const optimizer of swapped) optimizer.swapAverages()
  }
}

/**
 * Puts a state back.
 *
 * @returns the place to go on from
 * @throws ValueError if it is of another model or optimizer; then no weight changes
 */
export function restoreTraining(model: TrainedModel, { description, arrays }: TrainingState): TrainPlace {
  const { layers, weights, optimizers } = partsOf(model)
  const fail = (problem: string): ValueError =>
    new ValueError(
      `backupAndRestore: the backup is of another training than that of "${model.name}": ${problem}. Build the same model, or remove the backup.`,
    )
  if (description.weights.length !== weights.length)
    throw fail(`it has ${description.weights.length} weights, and the model ${weights.length}`)
  const values = weights.map((w, i) => {
    const value = arrays[`weight/${i}`]
    const same = value && value.data.length === w.size && (w.size === 0 || String(value.shape) === String(w.shape))
    if (!same) throw fail(`"${w.name}" is [${w.shape.join(', ')}], and there [${value?.shape.join(', ')}]`)
    return value
  })
  if (description.optimizers.length !== optimizers.length)
    throw fail(`it has ${description.optimizers.length} optimizers, and the model ${optimizers.length}`)
  for (const [i, { className }] of description.optimizers.entries()) {
    if (className !== optimizers[i].className) throw fail(`its optimizer is ${className}, and that of the model ${optimizers[i].className}`)
  }
  for (const [i, { rate, parameters, arrays: count }] of description.optimizers.entries()) {
    const optimizer = optimizers[i]
    const state = Array.from({ length: count }, (_, j) => arrays[`optimizer/${i}/${j}`])
    // Before its first step an optimizer has no state.
    if (parameters.length === 0) optimizer.dispose()
    else
      optimizer.setWeights(
        state,
        parameters.map((at) => weights[at]),
      )
    if (rate !== null && !optimizer.schedule) optimizer.learningRate = rate
  }
  for (const [i, w] of weights.entries()) {
    const value = tensor(values[i].data, { shape: w.shape, dtype: w.dtype, backend: w.backend })
    w.assign(value)
    value.dispose()
  }
  for (const [i, layer] of layers.entries()) restoreStates(layer, model, (j) => arrays[`layer/${i}/${j}`])
  const sums = Object.entries(arrays).filter(([name]) => name.startsWith('epoch/'))
  return { numbers: description.place, arrays: Object.fromEntries(sums.map(([name, array]) => [name.slice('epoch/'.length), array])) }
}

/** Puts the states of a layer back that it keeps from batch to batch. */
function restoreStates(layer: Layer, { backend }: TrainedModel, array: (j: number) => HostArray | undefined): void {
  const states: Tensor[] = []
  for (let value = array(0); value; value = array(states.length)) states.push(fromHost(value, backend))
  if (states.length === 0) return
  layer.resetStates(states)
  for (const state of states) state.dispose()
}

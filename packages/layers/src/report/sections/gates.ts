/** The gates of an LSTM over the steps of a sequence, and what they make of its memory. */
import { concat, ShapeError, scope, showShape, type Tensor, tensor, ValueError, zeros } from '@cotangent/core'
import { describeValue, requireText, requireWhole } from '@cotangent/core/arguments'
import type { Data, HostArray } from '../../host-data.js'
import { LSTMCell } from '../../layers/recurrent/cells/lstm-cell.js'
import { LSTM } from '../../layers/recurrent/recurrent.js'
import { Bidirectional } from '../../layers/wrappers/bidirectional.js'
import type { Model } from '../../models/model.js'
import { readOptions } from '../../spelling/names.js'
import { finite, shortened } from '../numbers.js'
import type { HeatSection } from '../record.js'
import { requireCount } from './images.js'
import { sampleOf, type Use, usesOf, valuesAt } from './inside.js'
import { requireModel } from './readings.js'

const parts = ['input', 'forget', 'output', 'candidate', 'cell', 'hidden'] as const
type Part = (typeof parts)[number]

/** The gates and states of an LSTM, each with a row for every step that counts: [steps, units]. */
export interface LstmGates extends Readonly<Record<Part, HostArray>> {
  /** The numbers of the steps in the order in which the layer took them. Masked steps are left out. */
  readonly steps: readonly number[]
}

/**
 * The gates and states of an LSTM over a sequence, from states of zeros and without dropout.
 *
 * `input`, `forget`, `output` are σ of the parts i, f, o of x·W + b + h₋·U, and `candidate` is the activation of c̃; `cell` is
 * c = forget·c₋ + input·candidate, and `hidden` is h = output·activation(c). The last row of `hidden` is what the layer gives. Source: `LSTMCell`.
 *
 * Shape: x [1, t, in], mask [1, t] → [t, units] each
 *
 * @param mask which steps count; at the others nothing changes
 * @throws ValueError for another layer, or one without weights; ShapeError for another shape of x
 * @example
 * ```ts
 * import { normal, key } from '@cotangent/core'
 * import { lstm, Sequential } from '@cotangent/layers'
 *
 * const layer = lstm(8)
 * const model = new Sequential([layer], { seed: 7 })
 * model.build([null, 28, 3])
 * const { forget, hidden } = await lstmGates(layer, normal(key(1), [1, 28, 3]))
 * console.log(forget.shape, hidden.shape)   // [28, 8] [28, 8]
 * ```
 */
export async function lstmGates(layer: LSTM, x: Tensor, mask?: Tensor): Promise<LstmGates> {
  const what = 'lstmGates'
  const cell = layer instanceof LSTM ? layer.cell : undefined
  if (!(cell instanceof LSTMCell)) throw new ValueError(`${what}: expected an LSTM layer, got ${describeValue(layer)}.`)
  if (!cell.built) throw new ValueError(`${what}: ${layer.name} has no weights yet. Build the model first: model.build([null, …]).`)
  const [wide] = cell.kernel.shape
  if (x.rank !== 3 || x.shape[0] !== 1 || x.shape[2] !== wide)
    throw new ShapeError(`${what}: x must be one sequence, [1, steps, ${wide}], got ${showShape(x.shape)}.`)
  const counts = mask && (await mask.data())
  const steps = Array.from({ length: x.shape[1] }, (_, step) => step).filter((step) => counts?.[step] !== 0)
  if (layer.goBackwards) steps.reverse()
  const { units } = cell
  const shape = [steps.length, units]
  const empty = { data: new Float32Array(0), shape }
  if (steps.length === 0) return { steps, input: empty, forget: empty, output: empty, candidate: empty, cell: empty, hidden: empty }

  const all = scope(() => {
    const taken = x.reshape([x.shape[1], wide]).gather(tensor(Int32Array.from(steps), { backend: x.backend })) // [t, in]
    const products = taken.matMul(cell.kernel) // [t, 4u]
    const ofInputs = cell.bias ? products.add(cell.bias) : products
    const none = (): Tensor => zeros([1, units], { dtype: x.dtype, backend: x.backend })
    let [h, c] = [none(), none()]
    const rows: Tensor[] = []
    for (let step = 0; step < steps.length; step++) {
      const z = ofInputs.slice([step, 0], [1, 4 * units]).add(h.matMul(cell.recurrentKernel)) // [1, 4u]
      const [i, f, candidate, o] = [0, 1, 2, 3].map((gate) => {
        const part = z.slice([0, gate * units], [1, units])
        return gate === 2 ? cell.activation.call(part) : cell.recurrentActivation.call(part)
      })
      c = f.mul(c).add(i.mul(candidate))
      h = o.mul(cell.activation.call(c))
      rows.push(concat([i, f, o, candidate, c, h], -1))
    }
    return concat(rows, 0).keep() // [t, 6u]
  })
  try {
    const values = await all.data()
    const partAt = (place: number): HostArray => {
      const data = new Float32Array(steps.length * units)
      for (let step = 0; step < steps.length; step++) {
        const from = (step * parts.length + place) * units
        data.set(values.subarray(from, from + units), step * units)
      }
      return { data, shape }
    }
    return { steps, ...(Object.fromEntries(parts.map((part, place) => [part, partAt(place)])) as Record<Part, HostArray>) }
  } finally {
    all.dispose()
  }
}

/** Options of `gateSections`. */
export interface GateOptions {
  /** The row of the data that is shown; 0 by default. */
  sample?: number
  /** The name of the layer; the first LSTM by default. Of a `bidirectional` one the forward half is shown. */
  layer?: string
  /** The name of a step, such as its word; its number by default. */
  step?: (step: number) => string
  /** The word for a step: `row`, `word`; `step` by default. */
  steps?: string
  /** How many of the last steps are shown; 60 by default. */
  most?: number
  /** How many units are shown: those whose hidden state changes most; 24 by default. */
  units?: number
}

const explained: Readonly<Record<Part, readonly [title: string, says: string]>> = {
  input: ['Input gate', 'Near 1, the candidate of the step enters the cell.'],
  forget: ['Forget gate', 'Near 1, the cell keeps what it holds; near 0, it forgets it.'],
  output: ['Output gate', 'Near 1, the cell shows in the hidden state.'],
  candidate: ['Candidate', 'What the step would write into the cell, from −1 to 1.'],
  cell: ['Cell state', 'The memory: forget gate · cell before + input gate · candidate.'],
  hidden: ['Hidden state', 'Output gate · tanh(cell). Its last column is what the layer gives.'],
}

/**
 * The gates of an LSTM as heat maps over the steps of one sample: input, forget and output gate, candidate, cell state and hidden state. A row is a unit of the layer.
 *
 * Shape: x [n, …] as the model takes it
 *
 * @throws ValueError if the model has no LSTM, or no such one; ShapeError if x does not fit the model
 * @example
 * ```ts
 * import { dense, lstm, Sequential } from '@cotangent/layers'
 *
 * const model = new Sequential([lstm(16, { inputShape: [28, 28] }), dense(10, { activation: 'softmax' })], { seed: 7 })
 * const maps = await gateSections(model, { data: new Float32Array(784), shape: [1, 28, 28] }, { steps: 'row', units: 8 })
 * console.log(maps.map(({ title }) => title).join(', '))   // Input gate, Forget gate, Output gate, Candidate, Cell state, Hidden state
 * console.log(maps[0].values.length, maps[0].values[0].length)   // 8 28
 * ```
 */
export async function gateSections(model: Model, x: Data, options?: GateOptions): Promise<HeatSection[]> {
  const what = 'gateSections'
  requireModel(what, model)
  const { sample, layer, step, steps, most, units } = readOptions(
    what,
    options,
    { sample: 0, layer: undefined as string | undefined, step: String as (step: number) => string, steps: 'step', most: 60, units: 24 },
    {
      sample: (of, name, value) => requireWhole(of, name, value, { least: 0 }),
      layer: requireText,
      most: requireCount,
      units: requireCount,
      step(of, name, value) {
        if (typeof value !== 'function')
          throw new ValueError(`${of}: ${name} must be a function of a step's number, got ${describeValue(value)}.`)
      },
    },
  )
  const { use, cells } = lstmUse(what, model, layer)
  const [sequence, mask] = scope(() => {
    const given = sampleOf(what, model, x, sample)
    const [before] = use.inputs
    if (before === model.inputs[0]) return [given.cast(model.dtype).keep(), undefined]
    const { values, masks } = valuesAt(model, given, [before])
    return [values[0].keep(), masks[0]?.keep()]
  })
  try {
    return sectionsOf(await lstmGates(cells, sequence, mask), { name: cells.name, step, steps, most, units })
  } finally {
    sequence.dispose()
    mask?.dispose()
  }
}

function lstmUse(what: string, model: Model, name: string | undefined): { use: Use; cells: LSTM } {
  const found = usesOf(what, model).flatMap((use) => {
    const cells = use.layer instanceof Bidirectional ? use.layer.forward : use.layer
    return cells instanceof LSTM ? [{ use, cells }] : []
  })
  const one = name === undefined ? found[0] : found.find(({ use, cells }) => use.layer.name === name || cells.name === name)
  if (one) return one
  const there = found.map(({ use }) => use.layer.name)
  const which = name === undefined ? 'has no LSTM' : `has no LSTM "${name}"`
  throw new ValueError(`${what}: ${model.name} ${which}.${there.length > 0 ? ` There are: ${there.join(', ')}.` : ''}`)
}

function sectionsOf(
  gates: LstmGates,
  {
    name,
    step,
    steps: label,
    most,
    units: shown,
  }: { name: string; step: (step: number) => string; steps: string; most: number; units: number },
): HeatSection[] {
  const { steps, hidden } = gates
  const units = hidden.shape[1]
  const from = Math.max(0, steps.length - most)
  const span = (unit: number): number => {
    let [low, high] = [Infinity, -Infinity]
    for (let t = from; t < steps.length; t++) {
      const value = hidden.data[t * units + unit]
      ;[low, high] = [Math.min(low, value), Math.max(high, value)]
    }
    return high - low
  }
  const liveliest = Array.from({ length: units }, (_, unit) => ({ unit, span: span(unit) }))
    .sort((a, b) => b.span - a.span || a.unit - b.unit)
    .slice(0, shown)
    .map(({ unit }) => unit)
    .sort((a, b) => a - b)
  const which = liveliest.length < units ? ` The ${liveliest.length} of ${units} units that change most.` : ''
  const when = from > 0 ? ` The last ${steps.length - from} of ${steps.length} steps.` : ''
  const columns = steps.slice(from).map((number) => step(number))
  return parts.map((part, i) => ({
    kind: 'heat',
    title: explained[part][0],
    says: `${explained[part][1]}${i === 0 ? ` ${name} over the steps of one sample.${which}${when}` : ''}`,
    rows: { label: 'unit', names: liveliest.map(String) },
    columns: { label, names: columns },
    values: liveliest.map((unit) => columns.map((_, t) => finite(shortened(gates[part].data[(from + t) * units + unit])))),
    ...((part === 'candidate' || part === 'cell' || part === 'hidden') && { diverging: true }),
  }))
}

/** Factors of the samples' losses: given one a sample, or made from the class of each. */
import { type Backend, ShapeError, Tensor, type TypedArray, ValueError } from '@cotangent/core'
import { type Data, dataByName, type ModelData, type Rows, rowsOf } from './data.js'
import type { Port } from './model.js'
import { entryOf } from './names.js'

/** Class number → factor. */
export type ClassWeight = Readonly<Record<number, number>>

/** How samples are weighed. */
export interface Weighting {
  /**
   * Factors of the samples' losses, [n], or of the steps' losses, [n, t]. With several outputs a list or record by output; one array counts for all. As in
   * Keras 2.3 the loss of a batch is the sum of the weighted losses over the number of samples, not over the sum of weights.
   */
  sampleWeight?: ModelData | Readonly<Record<string, Data | undefined>>
  /** A factor for each class, `{ 0: 1, 1: 5 }`, of class numbers or one-hot rows; with several outputs a list or record by output. */
  classWeight?: ClassWeight | readonly (ClassWeight | undefined)[] | Readonly<Record<string, ClassWeight | undefined>>
}

/** The factors for each output, where there are any. */
export async function weightRows(
  what: string,
  ports: readonly Port[],
  ys: readonly { data: Data; rows: Rows }[],
  { sampleWeight, classWeight }: Weighting,
  backend: Backend,
): Promise<(Rows | undefined)[]> {
  const names = ports.map((port) => port.name)
  const given = sampleWeight === undefined ? [] : weightData(`${what}sampleWeight`, names, sampleWeight)
  const classes = classWeight === undefined ? [] : byOutput<ClassWeight>(`${what}classWeight`, names, classWeight)
  return Promise.all(
    ports.map(async ({ shape }, i) => {
      const label = names.length > 1 ? `${what}sampleWeight of "${names[i]}"` : `${what}sampleWeight`
      const rows = given[i] && factorRows(label, given[i], ys[i].rows.count, shape, backend)
      const factors = classes[i]
      if (!factors) return rows
      const ofClass = classFactors(`${what}classWeight`, ys[i], await valuesOf(ys[i]), factors)
      if (rows) {
        if (rows.sampleShape.length > 0) throw new ShapeError(`${label}: with classWeight there is one factor a sample, not one a step.`)
        const values = await valuesOf({ data: given[i] as Data, rows })
        for (let s = 0; s < ofClass.length; s++) ofClass[s] *= values[s]
      }
      return rowsOf(`${what}classWeight`, { data: ofClass, shape: [ofClass.length] }, backend)
    }),
  )
}

/** One array for all outputs, or one for each. */
function weightData(what: string, names: readonly string[], given: NonNullable<Weighting['sampleWeight']>): (Data | undefined)[] {
  const forAll = given instanceof Tensor || ('data' in given && 'shape' in given) || (Array.isArray(given) && typeof given[0] === 'number')
  if (forAll) return names.map(() => given as Data)
  if (Array.isArray(given)) return dataByName(what, 'output', names, given)
  return byOutput(what, names, given as Readonly<Record<string, Data | undefined>>)
}

/** A list or record by output; a record of the only output may do without its name. */
function byOutput<Value>(what: string, names: readonly string[], given: object): (Value | undefined)[] {
  if (Array.isArray(given)) {
    if (given.length !== names.length)
      throw new ValueError(`${what}: ${given.length} are given for ${names.length} outputs (${names.join(', ')}).`)
    return [...given]
  }
  const record = given as Readonly<Record<string, Value | undefined>>
  const keys = Object.keys(record)
  if (names.length === 1 && !(keys.length === 1 && keys[0] === names[0])) return [given as Value]
  const unknown = keys.find((key) => !names.includes(key))
  if (unknown !== undefined) throw new ValueError(`${what}: there is no output "${unknown}". Outputs: ${names.join(', ')}.`)
  return names.map((name) => entryOf(record, name))
}

function factorRows(what: string, data: Data, count: number, output: Port['shape'], backend: Backend): Rows {
  const rows = rowsOf(what, data, backend)
  const steps = rows.sampleShape.length
  const fits = steps === 0 || (steps < output.length - 1 && rows.sampleShape.every((n, i) => (output[i + 1] ?? n) === n))
  if (rows.count !== count || !fits) {
    throw new ShapeError(`${what} has shape [${[rows.count, ...rows.sampleShape].join(', ')}], expected one number a sample, [${count}].`)
  }
  return rows
}

const valuesOf = async ({ data, rows }: { data: Data; rows: Rows }): Promise<TypedArray> => rows.host ?? (await (data as Tensor).data())

/** The factor of each sample, by its class number or the largest place of its one-hot row. */
function classFactors(what: string, { rows }: { rows: Rows }, values: TypedArray, factors: ClassWeight): Float32Array {
  const { count, sampleShape } = rows
  if (sampleShape.length > 1)
    throw new ShapeError(`${what}: targets [${[count, ...sampleShape].join(', ')}] have no one class a sample. Give sampleWeight instead.`)
  const width = sampleShape[0] ?? 1
  const result = new Float32Array(count)
  for (let s = 0; s < count; s++) {
    let best = 0
    for (let c = 1; c < width; c++) if (values[s * width + c] > values[s * width + best]) best = c
    const label = width > 1 ? best : values[s]
    const factor = entryOf(factors as Readonly<Record<string, number>>, String(label))
    if (typeof factor !== 'number') {
      throw new ValueError(
        `${what}: sample ${s} is of class ${label}, which has no factor. Classes with one: ${Object.keys(factors).join(', ')}.`,
      )
    }
    result[s] = factor
  }
  return result
}

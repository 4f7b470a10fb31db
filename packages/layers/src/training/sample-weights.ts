/** Factors of the samples' losses: given for each sample, or made from the class of each. */
import { type Backend, ShapeError, Tensor, type TypedArray, ValueError } from '@cotangent/core'
import { describeValue, requireNumber } from '@cotangent/core/arguments'
import { type Data, isRecord, isShaped, isTyped } from '../host-data.js'
import { entryOf } from '../spelling/names.js'
import { dataByName, type ModelData, type Rows, rowsOf } from './data.js'
import type { Port } from './trainable.js'

/** The factor of each class, by class number. */
export type ClassWeight = Readonly<Record<number, number>>

/** Factors of the samples' losses. */
export interface Weighting {
  /**
   * Factors of the samples' losses, [n], or of the steps' losses, [n, t]; 1 by default. With several outputs: a list or record by output, or one array for all. As
   * in Keras 2.3, the loss of a batch is the sum of the weighted losses divided by the number of samples, not by the sum of weights.
   */
  sampleWeight?: ModelData | Readonly<Record<string, Data | undefined>>
  /**
   * The factor of each class, such as `{ 0: 1, 1: 5 }`, for targets that are class numbers or one-hot rows. With several outputs: a list or record by output.
   */
  classWeight?: ClassWeight | readonly (ClassWeight | undefined)[] | Readonly<Record<string, ClassWeight | undefined>>
}

/** The factors for each output; undefined if it has none. */
export async function weightRows(
  what: string,
  ports: readonly Port[],
  ys: readonly { data: Data; rows: Rows }[],
  { sampleWeight, classWeight }: Weighting,
  backend: Backend,
): Promise<(Rows | undefined)[]> {
  const names = ports.map((port) => port.name)
  const given = sampleWeight === undefined ? [] : weightData(`${what}sampleWeight`, names, sampleWeight)
  const classes = classWeight === undefined ? [] : classWeights(`${what}classWeight`, names, classWeight)
  return Promise.all(
    ports.map(async ({ shape }, i) => {
      const label = names.length > 1 ? `${what}sampleWeight of "${names[i]}"` : `${what}sampleWeight`
      const own = given[i] ?? undefined
      const rows = own === undefined ? undefined : factorRows(label, own, ys[i].rows.count, shape, backend)
      const factors = classes[i]
      if (!factors) return rows
      const classLabel = names.length > 1 ? `${what}classWeight of "${names[i]}"` : `${what}classWeight`
      requireClasses(classLabel, factors, ys[i].rows, shape)
      const ofClass = classFactors(classLabel, ys[i], await valuesOf(ys[i]), factors)
      if (rows) {
        if (rows.sampleShape.length > 0)
          throw new ShapeError(`${label}: with classWeight there is one factor for each sample, not for each step.`)
        const values = await valuesOf({ data: given[i] as Data, rows })
        for (let s = 0; s < ofClass.length; s++) ofClass[s] *= values[s]
      }
      return rowsOf(`${what}classWeight`, { data: ofClass, shape: [ofClass.length] }, backend)
    }),
  )
}

/** The sample weights of each output: one array for all, or one for each. */
function weightData(what: string, names: readonly string[], given: unknown): (Data | undefined)[] {
  const isNumber = (value: unknown): boolean => typeof value === 'number' || typeof value === 'boolean'
  const forAll = given instanceof Tensor || isShaped(given) || isTyped(given) || (Array.isArray(given) && isNumber(given[0]))
  if (forAll) return names.map(() => given as Data)
  if (isRecord(given)) return byOutput<Data>(what, names, given)
  return dataByName(what, 'output', names, given as ModelData)
}

/** The class weights of each output. */
function classWeights(what: string, names: readonly string[], given: unknown): (ClassWeight | undefined)[] {
  const expected = 'expected a factor for each class, { 0: 1, 1: 5 }'
  if (!isRecord(given) && !Array.isArray(given)) throw new ValueError(`${what}: ${expected}, got ${describeValue(given)}.`)
  return byOutput<unknown>(what, names, given).map((one) => {
    if (one === undefined || one === null) return undefined
    if (!isRecord(one)) throw new ValueError(`${what}: ${expected}, got ${describeValue(Array.isArray(given) ? given : one)}.`)
    return one as ClassWeight
  })
}

/** Throws for a class that does not exist, and a factor that is no number. */
function requireClasses(what: string, factors: ClassWeight, { count, sampleShape }: Rows, output: Port['shape']): void {
  if (sampleShape.length > 1)
    throw new ShapeError(
      `${what}: targets [${[count, ...sampleShape].join(', ')}] do not have one class for each sample. Give sampleWeight instead.`,
    )
  // One-hot rows, or an output of several values, say the number of classes. An output of one value may have any class numbers.
  const width = sampleShape[0] ?? 1
  const classes = width > 1 ? width : (output.at(-1) ?? 1)
  for (const [name, factor] of Object.entries(factors)) {
    requireNumber(what, `the factor of class ${name}`, factor)
    if (!/^-?\d+$/.test(name)) throw new ValueError(`${what}: classes are whole numbers, got ${describeValue(name)}.`)
    if (classes === 1 || (Number(name) >= 0 && Number(name) < classes)) continue
    throw new ValueError(`${what}: there is no class ${name}: the output has ${classes} classes, 0 to ${classes - 1}.`)
  }
}

/** A list or record by output. With one output, its name may be left out. */
function byOutput<Value>(what: string, names: readonly string[], given: object): (Value | undefined)[] {
  if (Array.isArray(given)) {
    if (given.length !== names.length && !(names.length === 1 && typeof given[0] === 'number'))
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
    throw new ShapeError(
      `${what} has shape [${[rows.count, ...rows.sampleShape].join(', ')}], expected one number for each sample, [${count}].`,
    )
  }
  return rows
}

const valuesOf = async ({ data, rows }: { data: Data; rows: Rows }): Promise<TypedArray> => rows.host ?? (await (data as Tensor).data())

/** The factor of each sample, by its class number or the position of the largest value in its one-hot row. */
function classFactors(what: string, { rows }: { rows: Rows }, values: TypedArray, factors: ClassWeight): Float32Array {
  const { count, sampleShape } = rows
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

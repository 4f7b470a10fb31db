/**
 * Data for training, and rows taken from it.
 *
 * Host arrays stay on the host. Each batch is uploaded in its own type, uint8 images as bytes; so the backend needs memory for one batch. Shuffled rows are
 * gathered where the batch lies. Tensors stay where they are, and their rows are gathered there.
 */
import {
  type Backend,
  type DType,
  type Shape,
  ShapeError,
  sizeOf,
  Tensor,
  type TypedArray,
  tensor,
  ValueError,
  writeTensor,
} from '@cotangent/core'
import { describeValue, refuseStranger } from '@cotangent/core/arguments'
import { type Data, isRecord, isShaped, isTyped, readHost } from '../host-data.js'
import { entryOf, unknownName } from '../spelling/names.js'

/** The data of all inputs, or of all outputs, of a model: those of the only one, a list in their order, or a record by their names. */
export type ModelData = Data | Texts | readonly (Data | Texts)[] | Readonly<Record<string, Data | Texts>>

/** Texts, for an input that takes them (`takeTexts`). */
export type Texts = readonly string[] | readonly (readonly string[])[]

/** Data with its samples counted and its rows ready to be taken. */
export interface Rows {
  readonly count: number
  /** Shape of one sample. */
  readonly sampleShape: Shape
  /** Samples order[begin..end) as a tensor of `dtype`, owned by the current scope. */
  take(order: Int32Array, begin: number, end: number, dtype: DType): Tensor
  /** Samples begin..end as rows of the same kind, without a copy if possible. */
  slice(begin: number, end: number): Rows
  /** The values, if they are on the host. */
  readonly host?: TypedArray
}

/**
 * The data of each input or output, in order.
 *
 * @param what `fit: x`, for messages
 * @param kind `input` or `output`
 * @throws ValueError for a wrong number of data, or an unknown or missing name
 */
export function dataByName(what: string, kind: string, names: readonly string[], data: ModelData): Data[] {
  refuseStranger(what, data)
  if (isOne(data)) return [requireOne(what, kind, names, data)]
  if (Array.isArray(data)) return dataInOrder(what, kind, names, data)
  if (!isRecord(data)) {
    if (names.length > 1) throw severalNeeded(what, kind, names, describeValue(data))
    throw new ValueError(
      `${what}: expected a tensor, an object { data, shape }, a typed array or nested arrays, got ${describeValue(data)}.`,
    )
  }
  const record = data as Readonly<Record<string, Data>>
  const unknown = Object.keys(record).find((name) => !names.includes(name))
  if (unknown === 'data') throw new ValueError(`${what}: an object with data needs their shape, too: { data, shape: [samples, …] }.`)
  if (unknown !== undefined) throw unknownName(`${kind} for ${what} called`, unknown, names)
  const missing = names.find((name) => entryOf(record, name) === undefined)
  if (missing !== undefined) throw new ValueError(`${what}: there is nothing for the ${kind} "${missing}".`)
  return names.map((name) => record[name])
}

const isOne = (data: unknown): data is Data => data instanceof Tensor || isShaped(data) || isTyped(data)

function requireOne(what: string, kind: string, names: readonly string[], data: Data): Data {
  if (names.length > 1) throw severalNeeded(what, kind, names, describeValue(data))
  return data
}

/** A list: for several inputs, the data of each in their order; for one, nested arrays. */
function dataInOrder(what: string, kind: string, names: readonly string[], list: readonly unknown[]): Data[] {
  if (names.length > 1) {
    if (list.length === names.length) return [...list] as Data[]
    throw severalNeeded(what, kind, names, `a list of ${list.length}`)
  }
  const [first] = list
  if (!(first instanceof Tensor || isShaped(first))) return [list as Data]
  if (list.length === 1) return [first]
  throw new ValueError(
    `${what}: a list of ${list.length} data, each ${describeValue(first)}, but the model has one ${kind}. Samples go in one tensor: stack(list).`,
  )
}

const severalNeeded = (what: string, kind: string, names: readonly string[], got: string): ValueError =>
  new ValueError(
    `${what}: the model has ${names.length} ${kind}s, so a list of ${names.length} data or a record by name is expected (${names.join(', ')}); got ${got}.`,
  )

/** Rows of any kind of data; `what` names it in messages. */
export function rowsOf(what: string, data: Data, backend: Backend): Rows {
  refuseStranger(what, data)
  if (data instanceof Tensor) {
    data.requireLive(what)
    requireBatchAxis(what, data.shape)
    return tensorRows(data, 0, data.shape[0])
  }
  const { data: values, shape } = readHost(what, data)
  requireBatchAxis(what, shape)
  return hostRows(what, values, shape, backend)
}

function requireBatchAxis(what: string, shape: Shape): void {
  if (shape.length === 0) throw new ShapeError(`${what}: is a scalar; data need a first axis that counts the samples.`)
}

function hostRows(what: string, values: TypedArray, shape: Shape, backend: Backend): Rows {
  const sampleShape = shape.slice(1)
  const width = sizeOf(sampleShape)
  const size = shape[0] * width
  /** For values that `tensor` has to convert; used again for every batch, since backends copy the values that they get. */
  let staging: TypedArray | undefined
  /** The samples order[begin..end) as a view, if they are neighbours. */
  const neighbours = (order: Int32Array, begin: number, end: number): TypedArray | undefined => {
    for (let i = begin + 1; i < end; i++) if (order[i] !== order[i - 1] + 1) return undefined
    return begin < end ? values.subarray(order[begin] * width, (order[begin] + end - begin) * width) : undefined
  }
  const gather = (to: TypedArray, order: Int32Array, begin: number, end: number): void => {
    for (let i = begin, at = 0; i < end; i++, at += width) {
      const from = order[i] * width
      if (width < 16) for (let j = 0; j < width; j++) to[at + j] = values[from + j]
      else to.set(values.subarray(from, from + width), at)
    }
  }
  return {
    count: shape[0],
    sampleShape,
    host: values,
    take(order, begin, end, dtype) {
      if (values.length !== size) {
        throw new ValueError(
          `${what}: there are ${values.length} values where ${size} were: the buffer was transferred or resized while its samples were in use.`,
        )
      }
      const type: DType = values instanceof Uint8Array ? 'uint8' : values instanceof Int32Array ? 'int32' : dtype
      const taken = [end - begin, ...sampleShape]
      let batch = neighbours(order, begin, end)
      // To a float, or to an element of its own type, a value is copied as `tensor` converts it.
      if (!batch && (type.startsWith('float') || values instanceof Uint8Array || values instanceof Int32Array))
        return writeTensor(taken, (to) => gather(to, order, begin, end), { dtype: type, backend }).cast(dtype)
      if (!batch) {
        const needed = (end - begin) * width
        if (!staging || staging.length < needed) staging = new (values.constructor as new (size: number) => TypedArray)(needed)
        gather(staging, order, begin, end)
        batch = staging.subarray(0, needed)
      }
      return tensor(batch, { shape: taken, dtype: type, backend }).cast(dtype)
    },
    slice: (begin, end) => hostRows(what, values.subarray(begin * width, end * width), [end - begin, ...sampleShape], backend),
  }
}

function tensorRows(data: Tensor, first: number, count: number): Rows {
  return {
    count,
    sampleShape: data.shape.slice(1),
    take(order, begin, end, dtype) {
      const indices = order.slice(begin, end)
      if (first > 0) for (let i = 0; i < indices.length; i++) indices[i] += first
      return data.gather(tensor(indices, { backend: data.backend })).cast(dtype)
    },
    slice: (begin, end) => tensorRows(data, first + begin, end - begin),
  }
}

/** The same samples, each number as a row of one: [n] → [n, 1]. */
export const asColumn = (rows: Rows): Rows => ({
  ...rows,
  sampleShape: [1],
  take: (...which) => rows.take(...which).expandDims(-1),
  slice: (begin, end) => asColumn(rows.slice(begin, end)),
})

/** 0, 1, … n − 1. */
export function identityOrder(n: number): Int32Array {
  const order = new Int32Array(n)
  for (let i = 0; i < n; i++) order[i] = i
  return order
}

let counting: Int32Array = new Int32Array(0)

/** 0, 1, … up to n − 1 at least, the same array for all who ask. It is for reading only. */
export function countingTo(n: number): Int32Array {
  if (counting.length < n) counting = identityOrder(n)
  return counting
}

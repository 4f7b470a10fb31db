/**
 * Checks of values that a device would not report: indices, which pick rows, and class numbers. Host arrays are searched. Tensors are read once and searched, if
 * the backend can read at once or the caller waits anyway.
 */
import { type DType, ShapeError, scope, Tensor, type TypedArray, ValueError } from '@cotangent/core'
import type { Data } from '../host-data.js'
import { checkLabels } from '../losses/index.js'
import type { Rows } from './data.js'
import type { InputPort } from './trainable.js'

/** The values on the host; undefined if reading them needs a wait and `wait` is false. */
export async function hostValues(data: Data, rows: Rows, wait = true): Promise<TypedArray | undefined> {
  if (rows.host || !(data instanceof Tensor)) return rows.host
  return data.backend.readSync?.(data.storage) ?? (wait ? data.data() : undefined)
}

/** Least and greatest of the values that a dtype of whole numbers holds. */
const limits: Partial<Record<DType, readonly [number, number]>> = { int32: [-(2 ** 31), 2 ** 31 - 1], uint8: [0, 255] }

/**
 * Checks the data of an input that takes whole numbers. A cast alone would turn NaN and −0.5 into 0, and so pick row 0.
 *
 * @throws ValueError that names the first wrong value and its place
 */
export async function requireWholeValues(what: string, data: Data, rows: Rows, port: InputPort, wait: boolean): Promise<void> {
  const { dtype, indexCount } = port
  const range = indexCount === undefined || indexCount === Number.POSITIVE_INFINITY ? limits[dtype] : ([0, indexCount - 1] as const)
  // An int32 tensor can only be out of range, and the op reports that.
  if (!range || (data instanceof Tensor && !data.dtype.startsWith('float'))) return
  const values = await hostValues(data, rows, wait)
  const at = values?.findIndex((value) => !(Number.isInteger(value) && value >= range[0] && value <= range[1])) ?? -1
  if (!values || at < 0) return
  const place = placeOf(at, [rows.count, ...rows.sampleShape])
  const why = range === limits[dtype] ? `this input is ${dtype}, so` : 'these are indices of rows, so'
  throw new ValueError(`${what}${place} is ${values[at]}: ${why} they must be whole numbers from ${range[0]} to ${range[1]}.`)
}

/** `[2][0]` for the first value of the third row. */
function placeOf(at: number, shape: readonly number[]): string {
  let rest = at
  const places = shape.map((_, axis) => {
    const width = shape.slice(axis + 1).reduce((size, n) => size * n, 1)
    const place = Math.floor(rest / width)
    rest -= place * width
    return `[${place}]`
  })
  return places.join('')
}

/** Counts wrong class numbers on the device, where reading them would mean a wait. The count is read at the end of an epoch. */
export class LateLabels {
  #count?: Tensor

  /** @param labels class numbers as the loss gets them */
  add(labels: Tensor, classes: number, ignored?: number | null): void {
    scope(() => {
      const y = labels.cast('float32')
      const right = y.equal(y.floor()).logicalAnd(y.greaterEqual(0)).logicalAnd(y.less(classes))
      const fine = typeof ignored === 'number' ? right.logicalOr(y.equal(ignored)) : right
      const wrong = fine.logicalNot().cast('float32').sum()
      const count = (this.#count ? this.#count.add(wrong) : wrong).keep()
      this.#count?.dispose()
      this.#count = count
    })
  }

  /** @throws ValueError if there were wrong ones since the last call */
  async check(what: string): Promise<void> {
    const count = this.#count
    this.#count = undefined
    if (!count) return
    const wrong = await count.item()
    count.dispose()
    if (wrong > 0) throw new ValueError(`${what}: ${wrong} of the labels were no class numbers of the model's output, and had the loss 0.`)
  }

  dispose(): void {
    this.#count?.dispose()
    this.#count = undefined
  }
}

/** Checks class numbers if they can be read at once; the others go to `late`. */
export async function requireLabels(
  what: string,
  data: Data,
  rows: Rows,
  classes: number,
  late?: LateLabels,
  ignored?: number | null,
): Promise<void> {
  const values = await hostValues(data, rows, late === undefined)
  if (values) checkLabels(values, classes, what, ignored)
  else if (data instanceof Tensor) late?.add(data, classes, ignored)
}

/** Throws if there are no samples, and so no mean. */
export function requireSamples(what: string, count: number): void {
  if (count === 0) throw new ShapeError(`${what}: there are no samples in it.`)
}

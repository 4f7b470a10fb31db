/** Curves over one axis: a series as it was measured, and a forecast beside the truth. */
import { ShapeError, scope, showShape, tensor, ValueError } from '@cotangent/core'
import { describeValue, requireNumber, requireText, requireWhole } from '@cotangent/core/arguments'
import { type HostArray, isRecord, readHost } from '../../host-data.js'
import type { Model } from '../../models/model.js'
import { readOptions } from '../../spelling/names.js'
import { finite, shortened } from '../numbers.js'
import type { LinesSection } from '../record.js'
import { requireCount } from './images.js'
import { requireModel } from './readings.js'

/** An axis: what stands on it. */
export interface AxisOptions {
  label: string
  unit?: string
}

/** Options of `seriesSection`. */
export interface SeriesOptions {
  title?: string
  /** A sentence or two: how to read it. */
  says?: string
  /** The axis across. `step` is the distance from one value to the next, 1 by default; `from` the place of the first, 0 by default. */
  x?: AxisOptions & { step?: number; from?: number }
  y?: AxisOptions & { log?: boolean }
  /** Points that are kept at most; 2000 by default. */
  most?: number
}

const axisDefaults = { label: '', unit: undefined as string | undefined }

function readAxes(what: string, { x, y }: Pick<SeriesOptions, 'x' | 'y'>) {
  const across = readOptions(`${what}: x`, x, { ...axisDefaults, label: 'step', step: 1, from: 0 }, { unit: requireText })
  const up = readOptions(`${what}: y`, y, { ...axisDefaults, label: 'value', log: false }, { unit: requireText })
  return { across, up }
}

const seriesDefaults = {
  title: 'Series',
  says: undefined as string | undefined,
  x: undefined as SeriesOptions['x'],
  y: undefined as SeriesOptions['y'],
  most: 2000,
}

/**
 * Series of one length as curves. Of a series that is longer than `most`, each stretch keeps its least and its greatest value, so that no peak is lost. A value that is
 * not finite is a gap.
 *
 * @param series by name: lists of numbers, all of one length
 * @throws ValueError for no series, an empty one, or series of different lengths
 * @example
 * ```ts
 * const temperature = Float64Array.from({ length: 10_000 }, (_, hour) => 10 * Math.sin(hour / 24))
 * const { x, series } = seriesSection({ temperature }, { x: { label: 'day', step: 1 / 24 }, y: { label: 'temperature', unit: '°C' } })
 * console.log(x.values.length, series[0].name)   // 2000 temperature
 * ```
 */
export function seriesSection(series: Readonly<Record<string, ArrayLike<number>>>, options?: SeriesOptions): LinesSection {
  const what = 'seriesSection'
  const { title, says, most, ...axes } = readOptions(what, options, seriesDefaults, {
    says: requireText,
    most: (of, name, value) => requireWhole(of, name, value, { least: 2 }),
  })
  if (!isRecord(series) || Object.keys(series).length === 0)
    throw new ValueError(`${what}: expected series by their names, { temperature: [1.5, …] }, got ${describeValue(series)}.`)
  const lists = Object.entries(series).map(([name, values]) => ({ name, values: readSeries(`${what}: ${name}`, values) }))
  const [{ name: first, values }] = lists
  const odd = lists.find((list) => list.values.length !== values.length)
  if (odd)
    throw new ValueError(
      `${what}: all series must have one length, but "${first}" has ${values.length} values and "${odd.name}" ${odd.values.length}.`,
    )
  const { across, up } = readAxes(what, axes)
  const thinned = thin(lists, most)
  return {
    kind: 'lines',
    title,
    ...(says && { says }),
    x: {
      label: across.label,
      values: thinned.at.map((i) => rounded(across.from + i * across.step)),
      ...(across.unit && { unit: across.unit }),
    },
    y: { label: up.label, ...(up.unit && { unit: up.unit }), ...(up.log && { log: true }) },
    series: thinned.lists,
  }
}

function readSeries(what: string, given: unknown): HostArray['data'] {
  const { data, shape } = readHost(what, given)
  if (shape.length !== 1 || shape[0] === 0) throw new ShapeError(`${what}: must be a list of at least one number, got ${showShape(shape)}.`)
  return data
}

/** A place on an axis without the last digits of a product: 0.30000000000000004 is 0.3. */
const rounded = (value: number): number => Number(value.toPrecision(9))
const orNull = (value: number): number | null => finite(shortened(value))

interface List {
  name: string
  values: HostArray['data']
}

/** At most `most` places, and the values of all lists there. */
function thin(lists: readonly List[], most: number): { at: number[]; lists: { name: string; values: (number | null)[] }[] } {
  const count = lists[0].values.length
  if (count <= most) {
    const at = Array.from({ length: count }, (_, i) => i)
    return { at, lists: lists.map(({ name, values }) => ({ name, values: Array.from(values, orNull) })) }
  }
  // Each stretch has two places, with the least and the greatest value in the order in which they come.
  const stretches = Math.floor(most / 2)
  const start = (stretch: number): number => Math.floor((stretch * count) / stretches)
  const at = Array.from({ length: 2 * stretches }, (_, i) =>
    i % 2 === 0 ? start(i / 2) : Math.floor((start((i - 1) / 2) + start((i + 1) / 2)) / 2),
  )
  return {
    at,
    lists: lists.map(({ name, values }) => ({
      name,
      values: Array.from({ length: stretches }, (_, stretch) => {
        let [least, greatest] = [-1, -1]
        for (let i = start(stretch); i < start(stretch + 1); i++) {
          if (!Number.isFinite(values[i])) continue
          if (least < 0 || values[i] < values[least]) least = i
          if (greatest < 0 || values[i] > values[greatest]) greatest = i
        }
        const pair = least <= greatest ? [least, greatest] : [greatest, least]
        return pair.map((i) => (i < 0 ? null : shortened(values[i])))
      }).flat(),
    })),
  }
}

/** Options of `forecastSection`. */
export interface ForecastOptions extends SeriesOptions {
  /** Windows that are shown, from the first on; 240 by default. */
  windows?: number
  /** The column of a window that is predicted, for the naive forecast, which says that nothing changes. Without it there is none. */
  column?: number
  /** The mean and deviation that standardised the values: they are shown as value · deviation + mean. */
  scale?: { readonly mean: number; readonly deviation: number }
}

/**
 * A network's forecast of a series, beside what came, and beside the naive forecast: that the last value of the window stays.
 *
 * Shape: batches of x [b, steps, columns] and y [b] or [b, 1], as `seriesWindows` gives them, in the order of time
 *
 * @throws ShapeError for batches or predictions of another shape; ValueError for a column that windows do not have, or no windows
 * @example
 * ```ts
 * import { dense, flatten, Sequential } from '@cotangent/layers'
 *
 * const model = new Sequential([flatten({ inputShape: [3, 2] }), dense(1, { kernelInitializer: 'zeros' })])
 * const batch = [{ data: Float32Array.of(0, 1, 0, 2, 0, 3), shape: [1, 3, 2] }, { data: Float32Array.of(4), shape: [1] }]
 * const { series } = await forecastSection(model, [batch], { column: 1, scale: { mean: 10, deviation: 2 } })
 * console.log(series.map(({ name, values }) => `${name} ${values}`))   // ['measured 18', 'network 10', 'naive 16']
 * ```
 */
export async function forecastSection(
  model: Model,
  batches: Iterable<readonly unknown[]> | AsyncIterable<readonly unknown[]>,
  options?: ForecastOptions,
): Promise<LinesSection> {
  const what = 'forecastSection'
  requireModel(what, model)
  const { windows, column, scale, ...rest } = readOptions(
    what,
    options,
    {
      ...seriesDefaults,
      title: 'Forecast',
      windows: 240,
      column: undefined as number | undefined,
      scale: undefined as ForecastOptions['scale'],
    },
    {
      says: requireText,
      windows: requireCount,
      column: (of, name, value) => requireWhole(of, name, value, { least: 0 }),
      scale(of, name, value) {
        if (!isRecord(value)) throw new ValueError(`${of}: ${name} must be { mean, deviation }, got ${describeValue(value)}.`)
        for (const part of ['mean', 'deviation']) requireNumber(of, `${name}.${part}`, value[part])
      },
    },
  )
  const lists = { measured: [] as number[], network: [] as number[], naive: [] as number[] }
  for await (const batch of batches) {
    await addBatch(what, model, batch, lists, column)
    if (lists.measured.length >= windows) break
  }
  if (lists.measured.length === 0) throw new ValueError(`${what}: there are no windows.`)
  const { mean, deviation } = scale ?? { mean: 0, deviation: 1 }
  const shown = (values: readonly number[]): number[] => values.slice(0, windows).map((value) => value * deviation + mean)
  const series = {
    measured: shown(lists.measured),
    network: shown(lists.network),
    ...(column !== undefined && { naive: shown(lists.naive) }),
  }
  return seriesSection(series, rest)
}

async function addBatch(
  what: string,
  model: Model,
  batch: readonly unknown[],
  lists: { measured: number[]; network: number[]; naive: number[] },
  column: number | undefined,
): Promise<void> {
  const [x, y] = Array.isArray(batch) ? [readHost(`${what}: x`, batch[0]), readHost(`${what}: y`, batch[1])] : []
  if (!x || !y) throw new ValueError(`${what}: expected batches [x, y], got ${describeValue(batch)}.`)
  const [count, steps, columns] = x.shape
  if (x.shape.length !== 3 || steps === 0) throw new ShapeError(`${what}: x must be [windows, steps, columns], got ${showShape(x.shape)}.`)
  if (y.data.length !== count)
    throw new ShapeError(`${what}: y must have one number for each of the ${count} windows, got ${showShape(y.shape)}.`)
  if (column !== undefined && column >= columns)
    throw new ValueError(`${what}: there is no column ${column}; windows have ${columns}, counted from 0.`)
  const outputs = scope(() => model.apply(tensor(x.data, { shape: x.shape, dtype: model.dtype, backend: model.backend })).keep())
  try {
    if (outputs.size !== count)
      throw new ShapeError(`${what}: the model must give one number for each of the ${count} windows, got ${showShape(outputs.shape)}.`)
    lists.network.push(...(await outputs.data()))
  } finally {
    outputs.dispose()
  }
  lists.measured.push(...y.data)
  for (let i = 0; i < count && column !== undefined; i++) lists.naive.push(x.data[((i + 1) * steps - 1) * columns + column])
}

/** Layers over one axis or several: the option and its check against a shape. */
import { ShapeError } from '@cotangent/core'
import { requireWhole } from '@cotangent/core/arguments'
import { requireWholeList } from '../layer-options.js'
import type { BatchShape } from '../layer-types.js'
import type { Option } from '../option-table.js'

/** A row for one axis or a list of them; the last one by default. */
export const axisOrAxes = (): Option<number | readonly number[]> => ({
  read(given, { className, name }): number | readonly number[] {
    const axis = (given ?? -1) as number | readonly number[]
    if (typeof axis === 'number') requireWhole(className, name, axis)
    else requireWholeList(className, name, axis, 'such as [1, 2], or one')
    return axis
  },
})

/**
 * The axes, counted from the front and in order.
 *
 * @throws ShapeError if one is no axis of a sample, or is named twice
 */
export function axesOf(layer: { describe(): string }, given: number | readonly number[], shape: BatchShape): number[] {
  const axes = (typeof given === 'number' ? [given] : given).map((axis) => (axis < 0 ? axis + shape.length : axis))
  const bad = axes.some((axis) => !Number.isInteger(axis) || axis < 1 || axis >= shape.length)
  if (bad || axes.length === 0 || new Set(axes).size !== axes.length) {
    throw new ShapeError(
      `${layer.describe()}: axis ${JSON.stringify(given)} must name axes of a sample in [${shape.map((n) => n ?? '?').join(', ')}], each once. ` +
        'The first is the batch.',
    )
  }
  return axes.sort((a, b) => a - b)
}

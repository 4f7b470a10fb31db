/**
 * The table that `summary()` prints, character for character, in the forms of Keras 2.2.5 to 2.3.1 and of 2.2.4 and before, which has no `Model:` line.
 * Source: keras/utils/layer_utils.py, print_summary.
 */

type BatchShape = readonly (number | null)[]

/** The version of Keras whose table to print. */
export type SummaryStyle = '2.3' | '2.2.4'

/** One layer's row. */
export interface SummaryRow {
  name: string
  className: string
  /** With the batch axis, null where open; a list of shapes for several outputs; `multiple` if uses of the layer differ. */
  outputShape: BatchShape | readonly BatchShape[] | 'multiple'
  params: number
  /** In graphs: the places of its inputs, such as `dense_1[0][0]`. */
  connections?: readonly string[]
}

/** The content of the table. */
export interface SummaryTable {
  modelName: string
  layers: readonly SummaryRow[]
  trainable: number
  nonTrainable: number
  style?: SummaryStyle
}

/** The ends of the columns: 45 %, 85 % and all of the width. */
const PLAIN = [29, 55, 65]
/** The same with connections: 33 %, 55 %, 67 % and all. */
const CONNECTED = [32, 53, 65, 98]

/** Each field after the first replaces the last character before it by a blank. The line is cut or padded to the end of its column. */
function row(ends: readonly number[], fields: readonly string[]): string {
  return fields.reduce((line, field, i) => ((i > 0 ? `${line.slice(0, -1)} ` : '') + field).slice(0, ends[i]).padEnd(ends[i]), '')
}

/** A shape as a Python tuple: `(None, 28, 28, 32)`, `(None,)`. */
const tuple = (shape: BatchShape): string => `(${shape.map((n) => n ?? 'None').join(', ')}${shape.length === 1 ? ',' : ''})`

/** A shape, a Python list of shapes, or `multiple`. */
export function shapeText(shape: SummaryRow['outputShape']): string {
  if (shape === 'multiple') return shape
  return Array.isArray(shape[0]) ? `[${(shape as readonly BatchShape[]).map(tuple).join(', ')}]` : tuple(shape as BatchShape)
}

/** `1,320,065` */
const commas = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ',')

/**
 * The lines of the table.
 *
 * @example
 * ```ts
 * const row = { name: 'dense_1', className: 'Dense', outputShape: [null, 10], params: 7850 }
 * const lines = summaryLines({ modelName: 'sequential_1', layers: [row], trainable: 7850, nonTrainable: 0 })
 * console.log(lines[0], lines.length)   // Model: "sequential_1" 10
 * ```
 */
export function summaryLines({ modelName, layers, trainable, nonTrainable, style = '2.3' }: SummaryTable): string[] {
  const connected = layers.some(({ connections }) => connections)
  const ends = connected ? CONNECTED : PLAIN
  const [thin, thick] = ['_', '='].map((stroke) => stroke.repeat(ends[ends.length - 1]))
  return [
    ...(style === '2.3' ? [`Model: "${modelName}"`] : []),
    thin,
    row(ends, ['Layer (type)', 'Output Shape', 'Param #', ...(connected ? ['Connected to'] : [])]),
    thick,
    ...layers.flatMap(({ name, className, outputShape, params, connections = [] }, i) => [
      row(ends, [`${name} (${className})`, shapeText(outputShape), String(params), ...(connected ? [connections[0] ?? ''] : [])]),
      ...connections.slice(1).map((connection) => row(ends, ['', '', '', connection])),
      i < layers.length - 1 ? thin : thick,
    ]),
    `Total params: ${commas(trainable + nonTrainable)}`,
    `Trainable params: ${commas(trainable)}`,
    `Non-trainable params: ${commas(nonTrainable)}`,
    thin,
  ]
}

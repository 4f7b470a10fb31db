/**
 * The table that `summary()` prints (keras/utils/layer_utils.py, print_summary), character for character, in the forms of Keras 2.2.5 to 2.3.1
 * and of 2.2.4 and before, which has no `Model:` line.
 */

/** Which Keras' table. */
export type SummaryStyle = '2.3' | '2.2.4'

/** One layer's row. */
export interface SummaryRow {
  name: string
  className: string
  /** With the batch axis; null is open. */
  outputShape: readonly (number | null)[]
  params: number
}

/** What the table shows. */
export interface SummaryTable {
  modelName: string
  layers: readonly SummaryRow[]
  trainable: number
  nonTrainable: number
  style?: SummaryStyle
}

const WIDTH = 65
/** Where the columns end: 45 %, 85 % and all of the width. */
const ENDS = [29, 55, 65]

/** Each later field takes the place of the last character of what precedes it, and the line is cut or padded to its column's end. */
function row(fields: readonly string[]): string {
  return fields.reduce((line, field, i) => ((i > 0 ? `${line.slice(0, -1)} ` : '') + field).slice(0, ENDS[i]).padEnd(ENDS[i]), '')
}

/** A shape as a Python tuple: `(None, 28, 28, 32)`, `(None,)`. */
const tuple = (shape: readonly (number | null)[]): string => `(${shape.map((n) => n ?? 'None').join(', ')}${shape.length === 1 ? ',' : ''})`

/** `1,320,065` */
const commas = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ',')

/**
 * The lines of the table.
 *
 * @example
 * ```ts
 * const row = { name: 'dense_1', className: 'Dense', outputShape: [null, 10], params: 7850 }
 * summaryLines({ modelName: 'sequential_1', layers: [row], trainable: 7850, nonTrainable: 0 }).join('\n')
 * ```
 */
export function summaryLines({ modelName, layers, trainable, nonTrainable, style = '2.3' }: SummaryTable): string[] {
  const [thin, thick] = ['_'.repeat(WIDTH), '='.repeat(WIDTH)]
  return [
    ...(style === '2.3' ? [`Model: "${modelName}"`] : []),
    thin,
    row(['Layer (type)', 'Output Shape', 'Param #']),
    thick,
    ...layers.flatMap(({ name, className, outputShape, params }, i) => [
      row([`${name} (${className})`, tuple(outputShape), String(params)]),
      i < layers.length - 1 ? thin : thick,
    ]),
    `Total params: ${commas(trainable + nonTrainable)}`,
    `Trainable params: ${commas(trainable)}`,
    `Non-trainable params: ${commas(nonTrainable)}`,
    thin,
  ]
}

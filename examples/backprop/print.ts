/** Prints the walk and the training, in lines of at most 100 columns. */
import type { Shape } from '@cotangent/core'
import { points, targets } from './network.js'
import type { Training, TrainOptions } from './train.js'
import type { Checked, Row, Step, Value, Walk } from './walk.js'

const DECIMALS = 5
/** The width of a number: a sign, a digit, the point and the decimals. */
const CELL = DECIMALS + 3
/** The width of four numbers in brackets, the widest row of this network: a column vector, written as a line. */
const BLOCK = 4 * (CELL + 1) + 2

/** The headings and tables of the first two parts: the tape, and the walk backwards over it. */
export function walkLines({ weights, rows, steps, text }: Walk): string[] {
  return [
    ...heading('The tape'),
    'x [4, 2] holds the four points of exclusive or, t [4, 1] their targets. The parameters at the start:',
    '',
    ...weights.flatMap((w) => beside(`   ${w.name} ${shape(w.shape)}`.padEnd(14), matrix(w))),
    '',
    'Forward, each op appends one record: the op, its inputs, its output.',
    '',
    ...rows.flatMap(recordLines),
    '',
    'The same from tape.toString(), where tensors without a name are numbered as they appear:',
    '',
    ...text.split('\n'),
    '',
    ...heading('The way back'),
    'From the last record to the first. The cotangent of a value is the derivative of the loss by it.',
    'A record takes the cotangent of its output, dY, and sends one to each input by the rule of its op,',
    'where X, or A and B, are the inputs and Y is the output; constants get none. The central difference',
    'beside it is [loss(v + ε) − loss(v − ε)] / 2ε: one number of this very value v is moved, and the',
    'rest of the tape replayed. The error is the largest in a tensor, relative to its largest entry.',
    '',
    `${''.padEnd(11)}${'  cotangent'.padEnd(BLOCK + 1)}${'  central difference'.padEnd(BLOCK)}${'error'.padStart(8)}`,
    ...steps.flatMap((step) => stepLines(step, rows[step.index])),
  ]
}

/** The last part: the training of the same network. */
export function trainingLines({ losses, predictions, right }: Training, { rate, steps }: TrainOptions): string[] {
  const most = Math.max(...losses.map(({ loss }) => loss))
  const verdict = [
    `${right} of ${targets.length} right.`,
    ...(right < targets.length ? ['Descent has ended in a local minimum: another --seed starts elsewhere.'] : []),
  ]
  return [
    ...heading('Training'),
    `Gradient descent, w ← w − ${rate}·dw, at most ${steps} steps, in float32 on the default backend.`,
    '',
    '   step      loss',
    ...losses.map(
      ({ step, loss }) => `${String(step).padStart(7)}   ${loss.toFixed(DECIMALS)}   ${'█'.repeat(Math.ceil((60 * loss) / most))}`,
    ),
    '',
    '   point    target   prediction',
    ...predictions.map((p, i) => `   (${points[i].join(', ')})   ${String(targets[i]).padStart(5)}   ${p.toFixed(4).padStart(10)}`),
    '',
    verdict.join(' '),
  ]
}

/** `u = matMul(x, W1)` */
const call = (row: Row): string => `${row.output.name} = ${row.op}(${row.inputs.map(({ name }) => name).join(', ')})`

function recordLines(row: Row, index: number): string[] {
  const shapes = `${row.inputs.map((input) => shape(input.shape)).join(', ')} → ${shape(row.output.shape)}`
  return beside(
    `${String(index).padStart(2)}  ${`${call(row)}${row.path && `   in ${row.path}`}`.padEnd(28)}${shapes.padEnd(24)} `,
    matrix(row.output),
  )
}

function stepLines({ index, arrives, parts, sends }: Step, row: Row): string[] {
  const note = parts > 1 ? `   (dY is the sum of ${parts}: ${row.output.name} was used ${parts} times)` : ''
  return [
    '',
    `${String(index).padStart(2)}  ${call(row).padEnd(28)} ${row.rule}${note}`,
    ...compare(`    d${row.output.name}`, arrives),
    ...sends.flatMap((sent) => (sent ? compare(`  → d${sent.name}`, sent) : [])),
  ]
}

/** A cotangent, its central differences, and the error between them. */
function compare(label: string, checked: Checked): string[] {
  const left = matrix(checked)
  const right = matrix({ ...checked, values: checked.differences })
  return left.map((line, i) => {
    const last = i === left.length - 1 ? checked.error.toExponential(0).padStart(8) : ''
    return `${(i === 0 ? label : '').padEnd(11)}${line.padEnd(BLOCK + 1)}${right[i].padEnd(BLOCK)}${last}`.trimEnd()
  })
}

/** A matrix, one line a row. A column vector is written as a line with ᵀ, a scalar without brackets. */
function matrix({ shape, values }: Pick<Value, 'shape' | 'values'>): string[] {
  if (shape.length === 0) return [` ${fixed(values[0])}`]
  const columns = shape[shape.length - 1]
  if (shape.length === 2 && columns === 1 && shape[0] > 1) return [`${bracket(values)}ᵀ`]
  return Array.from({ length: values.length / columns }, (_, i) => bracket(values.slice(i * columns, (i + 1) * columns)))
}

const bracket = (values: readonly number[]): string => `[${values.map(fixed).join(' ')}]`

/** A number with fixed decimals and width, without a negative zero. */
const fixed = (value: number): string =>
  value
    .toFixed(DECIMALS)
    .replace(/^-(0\.0*)$/, '$1')
    .padStart(CELL)

const shape = (sizes: Shape): string => `[${sizes.join(', ')}]`

/** Puts several lines to the right of a label. */
const beside = (label: string, lines: readonly string[]): string[] =>
  lines.map((line, i) => `${i === 0 ? label : ' '.repeat(label.length)}${line}`.trimEnd())

const heading = (text: string): string[] => [text, '─'.repeat(text.length)]

/** The equations of `einsum`, such as `'...ij,jk->...ik'`: which label each axis has. */
import { shapeError, ValueError } from '../../errors.js'
import type { Shape } from '../../tensor/shape.js'

/** The label of each axis: a letter, or `.0`, `.1`, … for the axes of an ellipsis, counted from its end. */
export type Labels = readonly string[]

/** An equation with every axis labelled, and the size of each label. */
export interface Equation {
  inputs: readonly Labels[]
  output: Labels
  sizes: ReadonlyMap<string, number>
}

const ELLIPSIS = '...'
const TERM = /^[a-zA-Z]*(\.\.\.)?[a-zA-Z]*$/

const wrong = (equation: string, problem: string): ValueError =>
  new ValueError(`einsum: ${problem} in '${equation}'. Write one letter an axis, as in 'ij,jk->ik'.`)

/** Reads an equation for operands of the given shapes. Throws a ValueError or a ShapeError where it does not fit them. */
export function parseEquation(equation: string, shapes: readonly Shape[]): Equation {
  const [left, right, ...more] = equation.replaceAll(/\s/g, '').split('->')
  if (more.length > 0) throw wrong(equation, "'->' occurs twice")
  const terms = left.split(',')
  for (const term of [...terms, right ?? '']) if (!TERM.test(term)) throw wrong(equation, `'${term}' is not made of letters and one '...'`)
  if (terms.length !== shapes.length) throw wrong(equation, `there are ${shapes.length} operands, but ${terms.length} terms`)
  const inputs = terms.map((term, i) => labelsOf(equation, term, shapes[i], i))
  const widest = Math.max(0, ...inputs.map((labels) => labels.filter((label) => label.startsWith('.')).length))
  const dots = dotLabels(widest)
  const output = right === undefined ? impliedOutput(inputs, dots) : splitTerm(right, dots)
  const repeated = output.find((label, i) => output.indexOf(label) !== i)
  if (repeated !== undefined) throw wrong(equation, `'${repeated}' occurs twice in the output`)
  const unknown = output.find((label) => !inputs.some((labels) => labels.includes(label)))
  if (unknown !== undefined) throw wrong(equation, `no operand has the '${unknown}' of the output`)
  return { inputs, output, sizes: sizesOf(equation, inputs, shapes) }
}

/** Labels of an ellipsis of n axes. */
const dotLabels = (n: number): string[] => Array.from({ length: n }, (_, i) => `.${n - 1 - i}`)

function splitTerm(term: string, dots: Labels): string[] {
  const [before, after] = term.split(ELLIPSIS)
  return after === undefined ? [...before] : [...before, ...dots, ...after]
}

function labelsOf(equation: string, term: string, shape: Shape, i: number): string[] {
  const letters = term.replace(ELLIPSIS, '').length
  const dots = shape.length - letters
  if (dots === 0 || (dots > 0 && term.includes(ELLIPSIS))) return splitTerm(term, dotLabels(dots))
  throw shapeError(
    'einsum',
    `'${term}' in '${equation}' names ${letters} ${letters === 1 ? 'axis' : 'axes'}, operand ${i} has ${shape.length}`,
    [{ name: `operand ${i}`, shape }],
    dots > 0 ? "'...' stands for axes that no letter names." : undefined,
  )
}

/** The ellipsis, then the letters that occur once. */
function impliedOutput(inputs: readonly Labels[], dots: Labels): string[] {
  const letters = inputs.flat().filter((label) => !label.startsWith('.'))
  return [...dots, ...letters.filter((label) => letters.indexOf(label) === letters.lastIndexOf(label)).sort()]
}

/** The size of each label. Sizes of one label must agree; between operands, 1 broadcasts. */
function sizesOf(equation: string, inputs: readonly Labels[], shapes: readonly Shape[]): Map<string, number> {
  const sizes = new Map<string, number>()
  const from = new Map<string, number>()
  inputs.forEach((labels, i) => {
    labels.forEach((label, axis) => {
      const n = shapes[i][axis]
      const known = sizes.get(label)
      const inOperand = shapes[i][labels.indexOf(label)]
      if (n !== inOperand || (known !== undefined && known !== n && known !== 1 && n !== 1)) {
        const other = n !== inOperand ? i : (from.get(label) as number)
        const name = label.startsWith('.') ? `axis ${-1 - Number(label.slice(1))} of '...'` : `'${label}'`
        throw shapeError('einsum', `${name} in '${equation}' has two sizes, ${n !== inOperand ? inOperand : known} and ${n}`, [
          { name: `operand ${other}`, shape: shapes[other], bad: [inputs[other].indexOf(label)] },
          { name: `operand ${i}`, shape: shapes[i], bad: [axis] },
        ])
      }
      if (known === undefined || known === 1) {
        sizes.set(label, n)
        from.set(label, i)
      }
    })
  })
  return sizes
}

/**
 * Prints values as NumPy does (`array2string` with its default options): as few digits as tell the numbers apart, at most 8 decimals, aligned
 * columns, lines of at most 75 characters, `...` in the middle of long axes of large tensors.
 */
import type { DType } from './dtype.js'
import type { Shape } from './shape.js'
import { stridesOf } from './shape.js'

const EDGE = 3
const THRESHOLD = 1000
const LINE = 75
const DECIMALS = 8

/** The values of a tensor as text. */
export function formatTensor(values: ArrayLike<number>, shape: Shape, dtype: DType): string {
  const strides = stridesOf(shape)
  const summarize = values.length > THRESHOLD
  /** Positions shown along an axis; -1 stands for the dots. */
  const shown = (axis: number): number[] => {
    const n = shape[axis]
    if (!summarize || n <= 2 * EDGE) return Array.from({ length: n }, (_, i) => i)
    return [0, 1, 2, -1, n - 3, n - 2, n - 1]
  }
  if (values.length === 0) return '[]'

  const picked: number[] = []
  const collect = (axis: number, offset: number): void => {
    if (axis === shape.length) picked.push(values[offset])
    else for (const i of shown(axis)) if (i >= 0) collect(axis + 1, offset + i * strides[axis])
  }
  collect(0, 0)
  const cell = cellFormatter(picked, dtype)
  if (shape.length === 0) return cell(values[0]).trim().replace(/\.$/, '.0')

  const draw = (axis: number, offset: number): string => {
    const indent = ' '.repeat(axis + 1)
    const items = shown(axis).map((i) => {
      if (i < 0) return '...'
      const at = offset + i * strides[axis]
      return axis === shape.length - 1 ? cell(values[at]) : draw(axis + 1, at)
    })
    if (axis < shape.length - 1) return `[${items.join('\n'.repeat(shape.length - axis - 1) + indent)}]`
    // Each axis has a closing bracket, which needs one character.
    let text = ''
    let line = ''
    for (const item of items) {
      if (line !== '' && indent.length + line.length + 1 + item.length > LINE - shape.length) {
        text += `${line.trimEnd()}\n${indent}`
        line = ''
      }
      line += line === '' ? item : ` ${item}`
    }
    return `[${text}${line}]`
  }
  return draw(0, 0)
}

/** A function that prints every shown number at the same width. */
function cellFormatter(shown: readonly number[], dtype: DType): (value: number) => string {
  if (dtype === 'bool') return (v) => (v ? ' True' : 'False')
  if (dtype === 'int32' || dtype === 'uint8') return padded(shown, String)

  const finite = shown.filter(Number.isFinite)
  const magnitudes = finite.filter((v) => v !== 0).map(Math.abs)
  const largest = Math.max(0, ...magnitudes)
  const smallest = Math.min(Infinity, ...magnitudes)
  const cutoff = dtype === 'float32' ? 1e6 : 1e8 // since NumPy 2.3; before, 1e8 for both
  const number = magnitudes.length > 0 && (largest >= cutoff || smallest < 1e-4 || largest / smallest > 1000) ? scientific : positional
  return padded(shown, number(finite, dtype))
}

/** Pads texts to the width of the longest. */
function padded(shown: readonly number[], text: (value: number) => string): (value: number) => string {
  const width = shown.reduce((most, v) => Math.max(most, text(v).length), 0)
  return (v) => text(v).padStart(width)
}

const special = (value: number): string => (Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf')
const signed = (value: number, digits: string): string => (Object.is(value, -0) ? `-${digits}` : digits)

/** The fewest significant digits that give the number back in its dtype, as `d.ddde±x`. */
function shortest(value: number, dtype: DType): string {
  if (dtype === 'float64') return value.toExponential()
  for (let digits = 0; digits < 9; digits++) {
    const text = value.toExponential(digits)
    if (Math.fround(Number(text)) === value) return text
  }
  return value.toExponential(9)
}

/** `12.5`, `3.  `: the decimal points are aligned. */
function positional(finite: readonly number[], dtype: DType): (value: number) => string {
  const text = (v: number): string => {
    const [digits, exponent] = shortest(v, dtype).replace(/^-/, '').split('e')
    const decimals = Math.max(0, (digits.split('.')[1]?.length ?? 0) - Number(exponent))
    const fixed = Math.abs(Number(`${digits}e${exponent}`)).toFixed(Math.min(decimals, DECIMALS))
    const [whole, fraction = ''] = fixed.split('.')
    return `${v < 0 || Object.is(v, -0) ? '-' : ''}${whole}.${fraction.replace(/0+$/, '')}`
  }
  const decimalsOf = (t: string): number => t.length - t.indexOf('.') - 1
  const most = Math.max(0, ...finite.map((v) => decimalsOf(text(v))))
  return (v) => {
    if (!Number.isFinite(v)) return special(v)
    const t = text(v)
    return t + ' '.repeat(most - decimalsOf(t))
  }
}

/** `1.25e-05`: all numbers have the same number of decimals. */
function scientific(finite: readonly number[], dtype: DType): (value: number) => string {
  const decimalsOf = (v: number): number => Math.min(DECIMALS, shortest(v, dtype).split('e')[0].split('.')[1]?.length ?? 0)
  const decimals = Math.max(0, ...finite.map(decimalsOf))
  return (v) => {
    if (!Number.isFinite(v)) return special(v)
    const exact = shortest(v, dtype)
    const [digits, exponent] = (decimalsOf(v) < DECIMALS ? exact : v.toExponential(decimals)).split('e')
    const [whole, fraction = ''] = digits.split('.')
    const power = Math.abs(Number(exponent)).toString().padStart(2, '0')
    return `${signed(v, whole)}.${fraction.padEnd(decimals, '0')}e${exponent.startsWith('-') ? '-' : '+'}${power}`
  }
}

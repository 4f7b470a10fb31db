/**
 * Kernels for people who do not read WebAssembly: a statement of the stack machine as an assignment. (explained.ts has a sentence for each instruction.)
 *
 * `local.get 3  v128.load offset=16  local.set 12` is `v12 = four floats at b + 16`.
 */
import type { Disassembled, Line } from './disassemble.js'
import { endsStatement } from './disassemble.js'

/** The purpose of a statement. */
export type Purpose = 'load' | 'multiply-add' | 'arithmetic' | 'store' | 'address' | 'control'

export interface Statement {
  depth: number
  /** Its instructions are lines `from` to `to`, the latter included. */
  from: number
  to: number
  /** The statement as an assignment. */
  text: string
  purpose: Purpose
  /** The variable that it sets. */
  sets?: string
  /** The variables that it reads. */
  reads: string[]
}

/** The names of a function's variables by number: parameters as the module names them, others by type and number. */
export function variableNames({ parameters, parameterNames, locals }: Disassembled): string[] {
  const letter: Record<string, string> = { i32: 'i', i64: 'l', f32: 's', f64: 'd', v128: 'v' }
  const others = locals.flatMap((group) => {
    const [count, type] = group.split(' ')
    return Array.from({ length: Number(count) }, () => letter[type] ?? 'x')
  })
  return [...parameters.map((_, i) => parameterNames[i] ?? `p${i}`), ...others.map((type, i) => `${type}${parameters.length + i}`)]
}

const infix: Record<string, string> = {
  add: '+',
  sub: '−',
  mul: '·',
  div: '÷',
  div_s: '÷',
  div_u: '÷',
  rem_s: 'mod',
  rem_u: 'mod',
  and: '&',
  or: '|',
  xor: '^',
  shl: '<<',
  shr_s: '>>',
  shr_u: '>>>',
  eq: '=',
  ne: '≠',
  lt: '<',
  lt_s: '<',
  lt_u: '<',
  gt: '>',
  gt_s: '>',
  gt_u: '>',
  le: '≤',
  le_s: '≤',
  ge: '≥',
  ge_s: '≥',
  ge_u: '≥',
}

/** Instructions that take one value. */
const unary =
  /\.(eqz|clz|abs|neg|sqrt|ceil|floor|trunc|nearest|not|any_true|all_true|splat)$|\.(convert|extend|promote|demote|trunc_sat|reinterpret|wrap|extract_lane)/

const loads: Record<string, string> = {
  'v128.load': 'four floats at',
  'v128.load32_splat': 'four times the float at',
  'v128.load8_splat': 'sixteen times the byte at',
  'v128.load32_zero': 'one float and three zeros at',
  'i32.load': 'the whole number at',
  'f32.load': 'the float at',
  'f64.load': 'the double at',
}

const bracketed = (text: string): string => (/ ([+−·÷&|^<>=≠≤≥?]|mod|at)/.test(text) ? `(${text})` : text)
const offset = (address: string, operands: string): string => {
  const found = /offset=(\d+)/.exec(operands)
  return found ? `${address} + ${found[1]}` : address
}

/** Sixteen bytes of a constant as numbers, or as one if all are equal. What would be tiny or huge as a float is a whole number, a mask or an exponent. */
function constant(operands: string): string {
  const bytes = Uint8Array.from(operands.split(' '), Number)
  const whole = new Int32Array(bytes.buffer)
  const isWhole = [...new Float32Array(bytes.buffer)].some(
    (x) => Number.isNaN(x) || (x !== 0 && (Math.abs(x) < 1e-30 || Math.abs(x) > 1e35)),
  )
  const numbers = isWhole ? [...whole].map(String) : [...new Float32Array(bytes.buffer)].map((x) => String(Number(x.toPrecision(7))))
  return numbers.every((each) => each === numbers[0]) ? numbers[0] : `[${numbers.join(', ')}]`
}

/** Variables that are set once, to a constant: the assembler puts the constants of loops there. */
export function constantsOf({ lines }: Disassembled): Map<number, string> {
  const found = new Map<number, string>()
  const seen = new Set<number>()
  lines.forEach(({ name, operands }, i) => {
    if (name !== 'local.set' && name !== 'local.tee') return
    const before = lines[i - 1]
    if (before?.name === 'v128.const' && !seen.has(Number(operands))) found.set(Number(operands), constant(before.operands))
    else found.delete(Number(operands))
    seen.add(Number(operands))
  })
  return found
}

interface Term {
  text: string
  reads: string[]
  /** A product of floats, which an addition makes a multiply-add. */
  product?: boolean
}

/** The statements of a function. A branch back is one of its own. */
export function statementsOf(f: Disassembled, module: readonly Disassembled[] = [f]): Statement[] {
  const names = variableNames(f)
  const constants = constantsOf(f)
  const statements: Statement[] = []
  let stack: Term[] = []
  let from = 0
  let kinds = new Set<Purpose>()
  const pop = (): Term => stack.pop() ?? { text: '…', reads: [] }
  const push = (text: string, ...terms: Term[]): void => void stack.push({ text, reads: terms.flatMap(({ reads }) => reads) })
  const end = (to: number, text: string, purpose: Purpose, terms: Term[], sets?: string): void => {
    statements.push({ depth: f.lines[to].depth, from, to, text, purpose, sets, reads: [...new Set(terms.flatMap(({ reads }) => reads))] })
    from = to + 1
    kinds = new Set()
  }
  f.lines.forEach(({ name, operands }, i) => {
    const word = name.slice(name.indexOf('.') + 1)
    const value = operands === '' ? '' : Number(operands)
    if (name === 'local.get') push(constants.get(Number(value)) ?? names[Number(value)], { text: '', reads: [names[Number(value)]] })
    else if (name === 'local.set') {
      const x = pop()
      const sets = names[Number(value)]
      end(i, `${sets} = ${x.text}`, purposeOf(kinds, sets), [x], sets)
    } else if (name === 'local.tee') {
      const x = pop()
      push(`(${names[Number(value)]} = ${x.text})`, x)
    } else if (name === 'v128.const') push(constant(operands))
    else if (word === 'const') push(operands)
    else if (name in loads) {
      kinds.add('load')
      const at = pop()
      push(`${loads[name]} ${offset(at.text, operands)}`, at)
    } else if (/\.load/.test(name)) {
      kinds.add('load')
      const at = pop()
      push(`${name}(${offset(at.text, operands)})`, at)
    } else if (/\.store/.test(name)) {
      const [x, at] = [pop(), pop()]
      const lane = /store(\d+)_lane/.test(name) ? `lane ${operands.split(' ').at(-1)} of ` : ''
      end(i, `memory at ${offset(at.text, operands)} = ${lane}${x.text}`, 'store', [x, at])
    } else if (name === 'f32x4.relaxed_madd') {
      kinds.add('multiply-add')
      const [z, y, x] = [pop(), pop(), pop()]
      push(`${bracketed(x.text)} · ${bracketed(y.text)} + ${bracketed(z.text)}`, x, y, z)
    } else if (/bitselect|^select/.test(name) || name === 'select') {
      kinds.add('arithmetic')
      const [c, b, a] = [pop(), pop(), pop()]
      push(`${bracketed(c.text)} ? ${bracketed(a.text)} : ${bracketed(b.text)}`, a, b, c)
    } else if (name === 'call') {
      const callee = module[Number(value)]
      const terms = Array.from({ length: callee?.parameters.length ?? 0 }, pop).reverse()
      push(`${callee?.name ?? `function ${operands}`}(${terms.map(({ text }) => text).join(', ')})`, ...terms)
      if ((callee?.results.length ?? 0) === 0) {
        const x = pop()
        end(i, x.text, 'control', [x])
      }
    } else if (/^memory\./.test(name)) {
      const [n, x, to] = [pop(), pop(), pop()]
      end(i, name === 'memory.copy' ? `copy ${n.text} bytes from ${x.text} to ${to.text}` : `fill ${n.text} bytes at ${to.text}`, 'store', [
        n,
        x,
        to,
      ])
    } else if (name === 'if' || name === 'br_if') {
      const x = pop()
      const back = name === 'br_if' && loopAt(f.lines, i, Number(value))
      end(i, name === 'if' ? `if ${x.text}` : `${back ? 'once more' : 'leave'} if ${x.text}`, 'control', [x])
    } else if (endsStatement.test(name)) {
      const x = name === 'drop' || name === 'return' ? stack : []
      const text = name === 'br' && loopAt(f.lines, i, Number(value)) ? 'once more' : name === 'br' ? 'leave' : name
      end(i, [text, ...x.map((term) => term.text)].join(' '), 'control', x)
      if (name === 'drop' || name === 'return') stack = []
    } else if (unary.test(name)) {
      kinds.add('arithmetic')
      const x = pop()
      const sign = word === 'neg' ? `−${bracketed(x.text)}` : undefined
      push(sign ?? `${word}${operands === '' ? '' : ` ${operands}`}(${x.text})`, x)
    } else {
      if (!name.startsWith('i32.')) kinds.add('arithmetic')
      const [y, x] = [pop(), pop()]
      if (name === 'f32x4.add' && (x.product || y.product)) kinds.add('multiply-add')
      const sign = infix[word]
      const less = sign === '+' && /^-\d+$/.test(y.text)
      push(
        less
          ? `${bracketed(x.text)} − ${y.text.slice(1)}`
          : sign
            ? `${bracketed(x.text)} ${sign} ${bracketed(y.text)}`
            : `${word}(${x.text}, ${y.text})`,
        x,
        y,
      )
      if (name === 'f32x4.mul') stack[stack.length - 1].product = true
    }
  })
  if (from < f.lines.length) end(f.lines.length - 1, `result ${stack.map(({ text }) => text).join(', ')}`, 'control', stack)
  return statements
}

/** A variable of vectors that is set by arithmetic, or of addresses and counts. */
function purposeOf(kinds: ReadonlySet<Purpose>, sets: string): Purpose {
  for (const kind of ['multiply-add', 'load', 'arithmetic'] as const) if (kinds.has(kind)) return kind
  return sets.startsWith('v') && /^v\d+$/.test(sets) ? 'arithmetic' : 'address'
}

/** Whether a branch of so many levels leads back to a loop's start. */
function loopAt(lines: readonly Line[], at: number, levels: number): boolean {
  let left = levels
  let depth = lines[at].depth
  for (let i = at - 1; i >= 0; i--) {
    if (lines[i].depth !== depth - 1 || !['block', 'loop', 'if'].includes(lines[i].name)) continue
    if (left-- === 0) return lines[i].name === 'loop'
    depth--
  }
  return false
}

/** Additions, multiplications and the like of floats that one run of an instruction makes; a fused multiply-add is two for each lane. */
export function flopsOf(name: string): number {
  if (name === 'f32x4.relaxed_madd') return 8
  const [shape, word] = name.split('.')
  if (!/^(add|sub|mul|div|sqrt|min|max|pmin|pmax)$/.test(word ?? '')) return 0
  return { f32x4: 4, f64x2: 2, f32: 1, f64: 1 }[shape] ?? 0
}

/** The bytes that one run of an instruction reads or writes. */
export function bytesOf(name: string): { read: number; written: number } {
  const found = /^(\w+)\.(load|store)(\d*)/.exec(name)
  if (!found) return { read: 0, written: 0 }
  const whole: Record<string, number> = { v128: 16, i32: 4, f32: 4, i64: 8, f64: 8 }
  const bytes = found[3] ? Number(found[3]) / 8 : whole[found[1]]
  return found[2] === 'load' ? { read: bytes, written: 0 } : { read: 0, written: bytes }
}

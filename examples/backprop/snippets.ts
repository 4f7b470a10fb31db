/**
 * Documentation that runs: finds the code in Markdown files and in `@example` blocks of doc comments, runs it, and compares what it
 * prints with what its comments say.
 *
 * In Markdown the info string after the three backquotes says what a block is:
 *
 * - `ts` runs, as a program of its own; `ts continued` runs behind the block before it;
 * - `ts no-run="reason"` is counted as skipped (in doc comments, too);
 * - `ts source=path` is a quotation: its lines stand in that file; a line `…` (or `// …`) leaves some out, indentation may be less;
 * - `text printed` behind a block is what it prints;
 * - `text run=backprop`, `wat run=kernel` are outputs: their lines stand in what that program prints; `…` as above.
 *
 * Inside code a comment at the end of a line is an expectation:
 *
 * - `console.log(a, b)   // text` must print that text; comments under it in the same column go on with further lines;
 * - `const y = f(x)   // [2, 3]` gives the shape of the tensor y (`// [6] → [2, 3]`: the last one counts);
 * - `f(x)   // 1` and `const p = f(x)   // p.rest[0] = [2, 40]` give a value; any other comment is a remark.
 *
 * Spaces beside brackets don't count, and `…` stands for anything. After `≈`, numbers need only agree to the digits shown.
 */
import { createRequire } from 'node:module'
import { format, inspect } from 'node:util'
import { Tensor } from '@cotangent/core'
import ts from 'typescript'
import { shown } from '../../docs/site/parts/shared/shown.js'

/** A fenced block of a Markdown file. */
export interface Block {
  language: string
  /** The words of the info string after the language: `key=value` or `word`. */
  info: Readonly<Record<string, string>>
  text: string
  /** The line of the opening fence, counted from 1. */
  line: number
}

/** The fenced blocks of a Markdown text. */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = []
  for (const match of markdown.matchAll(/^( *)```(\w+)([^\n]*)\n([\s\S]*?)^ *```/gm)) {
    const [, indent, language, rest, body] = match
    const words = Array.from(rest.matchAll(/([\w-]+)(?:=("[^"]*"|\S+))?/g), ([, name, value = '']) => [name, value.replaceAll('"', '')])
    const text = indent ? body.replaceAll(new RegExp(`^${indent}`, 'gm'), '') : body
    blocks.push({ language, info: Object.fromEntries(words), text, line: lineOf(markdown, match.index) })
  }
  return blocks
}

/** The ```ts blocks of the doc comments in a source file. */
export function examplesOf(source: string): Block[] {
  return Array.from(source.matchAll(/\/\*\*[\s\S]*?\*\//g)).flatMap((comment) => {
    const text = comment[0].replaceAll(/^ *\* ?/gm, '')
    if (!text.includes('@example')) return []
    const first = lineOf(source, comment.index)
    return blocksOf(text.slice(text.indexOf('@example')))
      .filter(({ language }) => language === 'ts')
      .map((block) => ({ ...block, line: first + lineOf(text, text.indexOf('@example')) + block.line - 2 }))
  })
}

const lineOf = (text: string, index: number): number => text.slice(0, index).split('\n').length

/** The difference between a quotation and the file; undefined if there is none. */
export function misquoted(quotation: string, original: string): string | undefined {
  const rest = original.split('\n').map((line) => line.trimEnd())
  let from = 0
  for (const part of quotation.split(/^ *(?:\/\/ |;; )?… *$\n?/m)) {
    const lines = part.replace(/\n$/, '').split('\n')
    if (part.trim() === '') continue
    const at = rest.findIndex((_, start) => start >= from && sameLines(lines, rest.slice(start, start + lines.length)))
    if (at < 0) return `these lines are not there (any more), or not in this order:\n${part}`
    from = at + lines.length
  }
  return undefined
}

/** Whether the lines are equal, but for one indentation that all of them lack. */
function sameLines(lines: readonly string[], original: readonly string[]): boolean {
  const indent = original[0].length - original[0].trimStart().length - (lines[0].length - lines[0].trimStart().length)
  return indent >= 0 && lines.every((line, i) => (line.trim() === '' ? original[i] === '' : `${' '.repeat(indent)}${line}` === original[i]))
}

/** An expectation, and its place in the snippet. */
interface Expectation {
  text: string
  line: number
}

/**
 * Runs code. Throws its error, or one that names the line whose expectation fails. Returns the number of expectations met.
 *
 * @param say gets what the code prints
 */
export async function runSnippet(
  code: string,
  given: Readonly<Record<string, unknown>>,
  modules: Readonly<Record<string, unknown>>,
  say: (text: string) => void = () => undefined,
) {
  const { instrumented, expectations } = instrument(code)
  const { outputText } = ts.transpileModule(instrumented, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: false },
  })
  const met = new Set<number>()
  const fail = (id: number, actual: string): never => {
    const { text, line } = expectations[id]
    throw new Error(`line ${line}: expected  ${text}\n        but got  ${actual}`)
  }
  const compare = (id: number, text: string, actual: string): void => {
    met.add(id)
    if (!agrees(text, actual)) fail(id, actual)
  }
  const builtin = createRequire(import.meta.url)
  const hooks = {
    require: (name: string): unknown => modules[name] ?? builtin(name),
    exports: {},
    __log: (id: number, ...values: unknown[]) => {
      say(values.map(shown).join(' '))
      compare(id, expectations[id].text, format(...values))
    },
    __shape: (id: number, x: unknown) =>
      compare(id, afterArrow(expectations[id].text), x instanceof Tensor ? inspect(x.shape) : inspect(x)),
    __value: async (id: number, x: unknown) =>
      compare(id, expectations[id].text.replace(/^.* = /, ''), inspect(x instanceof Tensor ? await x.array() : await x, { depth: 9 })),
    console: { ...console, log: (...values: unknown[]) => say(values.map(shown).join(' ')) },
  }
  const scope = { ...given, ...hooks }
  const AsyncFunction = (async () => undefined).constructor as new (...text: string[]) => (...values: unknown[]) => Promise<void>
  await new AsyncFunction(...Object.keys(scope), `{\n${outputText.replace(/^"use strict";\n/, '')}\n}`)(...Object.values(scope))
  const missed = expectations.find((_, id) => !met.has(id))
  if (missed) throw new Error(`line ${missed.line}: never reached, expected  ${missed.text}`)
  return expectations.length
}

const afterArrow = (text: string): string => text.slice(text.lastIndexOf('→') + 1).trim()
const LIST = /^(?:.*→ *)?\[[\d, ]*\]$/
const LITERAL = /^≈? *(?:-?[\d.]+(?:e-?\d+)?|true|false|'.*'|\[[-+\d.e, [\]]*\])$/
const EQUATION = /^([A-Za-z_]\w*(?:\.\w+|\[\d+\])*) = (.+)$/

/** The code with a call inserted at every place that has an expectation. */
function instrument(code: string): { instrumented: string; expectations: Expectation[] } {
  const file = ts.createSourceFile('snippet.ts', code, ts.ScriptTarget.ES2022, true)
  const lines = code.split('\n')
  const expectations: Expectation[] = []
  const edits: { from: number; to: number; text: string }[] = []

  const expectationAt = (end: number, more: boolean): string | undefined => {
    const { line, character } = file.getLineAndCharacterOfPosition(end)
    const comment = /^[;\s]*\/\/ ?(.*)$/.exec(lines[line].slice(character))
    if (!comment) return undefined
    const texts = [comment[1].replace(/^→ ?/, '').trimEnd()]
    const column = lines[line].length - comment[1].length
    for (let next = line + 1; more && new RegExp(`^ {${column - 3}}// `).test(lines[next] ?? ''); next++)
      texts.push(lines[next].slice(column).trimEnd())
    return texts.join('\n')
  }
  const expect = (text: string, at: ts.Node): number => {
    return expectations.push({ text, line: file.getLineAndCharacterOfPosition(at.getStart()).line + 1 }) - 1
  }
  const visit = (node: ts.Node): void => {
    if (ts.isExpressionStatement(node)) {
      const { expression } = node
      const text = expectationAt(node.end, ts.isCallExpression(expression))
      if (text !== undefined && ts.isCallExpression(expression) && expression.expression.getText() === 'console.log') {
        edits.push({ from: expression.getStart(), to: expression.arguments.pos, text: `__log(${expect(text, node)}, ` })
      } else if (text !== undefined && LITERAL.test(text) && node.parent === file) {
        const to = expression.end
        edits.push({ from: expression.getStart(), to, text: `await __value(${expect(text, node)}, ${expression.getText()})` })
      }
    } else if (ts.isVariableStatement(node) && node.parent === file) {
      const text = expectationAt(node.end, false)
      const { name } = node.declarationList.declarations[0]
      const equation = text === undefined ? null : EQUATION.exec(text)
      if (text !== undefined && LIST.test(text) && ts.isIdentifier(name)) {
        edits.push({ from: node.end, to: node.end, text: `;__shape(${expect(text, node)}, ${name.text})` })
      } else if (text !== undefined && equation && LITERAL.test(equation[2])) {
        edits.push({ from: node.end, to: node.end, text: `;await __value(${expect(text, node)}, ${equation[1]})` })
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  edits.sort((a, b) => b.from - a.from)
  const instrumented = edits.reduce((text, edit) => text.slice(0, edit.from) + edit.text + text.slice(edit.to), code)
  return { instrumented, expectations }
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** Whether a program printed this, but for spaces at the ends of lines. */
export const isPrinted = (expected: string, actual: string): boolean => {
  const plain = (text: string): string => text.replaceAll(/ +$/gm, '').trim()
  return plain(expected) === plain(actual)
}

/** Whether two texts are equal but for spaces beside brackets and at line ends; after ≈ to the digits shown. */
function agrees(expected: string, actual: string): boolean {
  const plain = (text: string): string =>
    text
      .replaceAll(/\s*\n\s*/g, '\n')
      .replaceAll(/([[({]) +/g, '$1')
      .replaceAll(/ +([\])}])/g, '$1')
      .trim()
  const [a, b] = [plain(expected.replace('≈', '')), plain(actual)]
  if (!expected.includes('≈')) return new RegExp(`^${a.split('…').map(escaped).join('[^]*')}$`).test(b)
  const number = /-?\d+(?:\.(\d+))?(?:e[-+]?\d+)?/g
  const numbersOf = (text: string): number[] => Array.from(text.matchAll(number), ([digits]) => Number(digits))
  const places = Array.from(a.matchAll(number), ([, decimals = '']) => decimals.length)
  const [left, right] = [numbersOf(a), numbersOf(b)]
  const close = left.length === right.length && left.every((value, i) => Math.abs(value - right[i]) <= 0.51 * 10 ** -places[i])
  return close && a.replaceAll(number, '#') === b.replaceAll(number, '#')
}

/**
 * Where each op is defined, and where its kernels are: a file that the explorer loads when somebody asks, with the text, so that it shows what runs. It is read from
 * packages/ at each build.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { registry } from '@cotangent/core'
import ts from 'typescript'
import { top } from './places.js'

/** Lines of a file, counted from 1. */
export interface Place {
  readonly file: string
  readonly from: number
  readonly to: number
  readonly text: string
}

export interface OpSources {
  readonly places: readonly Place[]
  /** For each op the number of the place of its definition, and the lines of the derivative in that file. */
  readonly ops: Readonly<Record<string, { readonly place: number; readonly derivative?: readonly [number, number] }>>
  /** For each primitive (`matMul`), row of a primitive's table (`map tanh`) and fused kernel (`affine`) the place of what emits its WebAssembly. */
  readonly kernels: Readonly<Record<string, number>>
}

const CORE = 'packages/core/src'

function files(folder: string): ts.SourceFile[] {
  return readdirSync(join(top, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name)
    if (entry.isDirectory()) return files(path)
    if (!entry.name.endsWith('.ts') || /\.test(-d)?\.ts$/.test(entry.name)) return []
    return [ts.createSourceFile(path, readFileSync(join(top, path), 'utf8'), ts.ScriptTarget.ES2022, true)]
  })
}

function each(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node)
  node.forEachChild((child) => each(child, visit))
}

/** The statement at the top of the file that holds the node. */
function statementOf(node: ts.Node): ts.Node {
  let at = node
  while (!ts.isSourceFile(at.parent)) at = at.parent
  return at
}

const linesOf = (file: ts.SourceFile, from: number, to: number): [number, number] => [
  file.getLineAndCharacterOfPosition(from).line + 1,
  file.getLineAndCharacterOfPosition(to).line + 1,
]

function placeOf(node: ts.Node, comments: boolean): Place {
  const file = node.getSourceFile()
  const begin = comments ? (ts.getLeadingCommentRanges(file.text, node.pos)?.at(-1)?.pos ?? node.getStart()) : node.getStart()
  const [from, to] = linesOf(file, begin, node.end)
  return {
    file: file.fileName,
    from,
    to,
    text: file.text
      .split('\n')
      .slice(from - 1, to)
      .join('\n'),
  }
}

/** True unless a function stands between the node and the top of its file. */
function isAtTop(node: ts.Node): boolean {
  for (let at = node.parent; !ts.isSourceFile(at); at = at.parent) if (ts.isFunctionLike(at)) return false
  return true
}

/** The name that a definition gives: `defineOp({ name: 'x' })`, or a row of a table: `unary('x', …)`. */
function definedName(node: ts.Node): string | undefined {
  if (!ts.isStringLiteral(node) || !isAtTop(node)) return undefined
  const { parent } = node
  if (ts.isPropertyAssignment(parent) && ts.isIdentifier(parent.name) && parent.name.text === 'name') return node.text
  if (ts.isCallExpression(parent) && parent.arguments[0] === node) return node.text
  return undefined
}

const DERIVATIVES = /^(vjp|slope|derivative)$/

function derivativeIn(statement: ts.Node): [number, number] | undefined {
  let found: [number, number] | undefined
  each(statement, (node) => {
    if (found || !(ts.isPropertyAssignment(node) || ts.isMethodDeclaration(node) || ts.isShorthandPropertyAssignment(node))) return
    if (ts.isIdentifier(node.name) && DERIVATIVES.test(node.name.text)) found = linesOf(node.getSourceFile(), node.getStart(), node.end)
  })
  return found
}

/** Places, each once. */
class Places {
  readonly all: Place[] = []
  readonly #numbers = new Map<ts.Node, number>()

  of(node: ts.Node, comments = true): number {
    let number = this.#numbers.get(node)
    if (number === undefined) {
      number = this.all.push(placeOf(node, comments)) - 1
      this.#numbers.set(node, number)
    }
    return number
  }
}

function opsOf(places: Places): OpSources['ops'] {
  const found: Record<string, OpSources['ops'][string]> = {}
  for (const file of [...files(`${CORE}/ops`), ...files(`${CORE}/autodiff`)]) {
    each(file, (node) => {
      const name = definedName(node)
      if (!name || !registry.has(name) || found[name]) return
      const statement = statementOf(node)
      found[name] = { place: places.of(statement), derivative: derivativeIn(statement) }
    })
  }
  return found
}

/** The names of all kernels, as the contract of backends has them. */
function kernelNames(): Set<string> {
  const names = new Set<string>()
  for (const file of files(`${CORE}/backends`).filter(({ fileName }) => fileName.endsWith('backends/backend.ts'))) {
    each(file, (node) => {
      if (!ts.isInterfaceDeclaration(node) || !/^(Fused)?Kernels$/.test(node.name.text)) return
      for (const { name } of node.members) if (name && ts.isIdentifier(name)) names.add(name.text)
    })
  }
  return names
}

/** Tables of rows by the primitive that has them. */
const TABLES: Readonly<Record<string, string>> = { 'elementwise/map.ts': 'map', 'elementwise/zip.ts': 'zip', 'reduce/reduce.ts': 'reduce' }

/** Kernels by the functions that make them: a backend's kernels are what `create…` functions return. */
function kernelsOf(places: Places): OpSources['kernels'] {
  const found: Record<string, number> = {}
  const names = kernelNames()
  const note = (name: string, node: ts.Node): void => {
    if (names.has(name)) found[name] ??= places.of(node)
  }
  for (const file of files(`${CORE}/backends/wasm`)) {
    const table = Object.entries(TABLES).find(([path]) => file.fileName.endsWith(path))?.[1]
    each(file, (node) => {
      const maker = ts.isFunctionDeclaration(node) ? /^create([A-Z])(.*)$/.exec(node.name?.text ?? '') : undefined
      if (maker) {
        note(maker[1].toLowerCase() + maker[2], node)
        each(node, (inner) => {
          if (!ts.isReturnStatement(inner) || !inner.expression || !ts.isObjectLiteralExpression(inner.expression)) return
          for (const { name } of inner.expression.properties) if (name && ts.isIdentifier(name)) note(name.text, node)
        })
      }
      if (table && ts.isPropertyAssignment(node) && ts.isIdentifier(node.name) && isAtTop(node))
        found[`${table} ${node.name.text}`] ??= places.of(node, false)
    })
  }
  return found
}

export function opSources(): OpSources {
  const places = new Places()
  return { ops: opsOf(places), kernels: kernelsOf(places), places: places.all }
}

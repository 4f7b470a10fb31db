/**
 * The JavaScript of the published packages, made by `npm run build` after tsc has written the declarations: for each package one file for each entry, and the chunks
 * that entries share. Several hundred modules took three to five times as long to load as these files do.
 *
 * A bundler of a user drops modules that nothing uses, as "sideEffects" of package.json allows. In one file there are no modules left to drop, only statements, and
 * bundlers keep a call whose result nobody uses, since it may do something. So every top-level initializer that computes something is marked as pure: what
 * "sideEffects" says of a module holds for its constants, too. Bare statements, such as those of core's index.ts, stay.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import ts from 'typescript'

const root = fileURLToPath(new URL('../packages/', import.meta.url))
const PURE = '/* @__PURE__ */ '

/** Whether every bundler sees that evaluating an expression does nothing but make its value. */
function isPlain(node) {
  if (ts.isAsExpression(node) || ts.isSatisfiesExpression(node) || ts.isParenthesizedExpression(node)) return isPlain(node.expression)
  if (ts.isArrayLiteralExpression(node)) return node.elements.every(isPlain)
  if (ts.isObjectLiteralExpression(node))
    return node.properties.every(
      (property) =>
        (ts.isPropertyAssignment(property) && !ts.isComputedPropertyName(property.name) && isPlain(property.initializer)) ||
        ts.isShorthandPropertyAssignment(property) ||
        (ts.isMethodDeclaration(property) && !ts.isComputedPropertyName(property.name)),
    )
  return isNumber(node) || ts.isIdentifier(node) || ts.isFunctionLike(node) || ts.isStringLiteralLike(node) || isWord(node)
}
const isWord = ({ kind }) =>
  [ts.SyntaxKind.TrueKeyword, ts.SyntaxKind.FalseKeyword, ts.SyntaxKind.NullKeyword, ts.SyntaxKind.RegularExpressionLiteral].includes(kind)
const isNumber = (node) =>
  ts.isNumericLiteral(node) ||
  ts.isBigIntLiteral(node) ||
  (ts.isPrefixUnaryExpression(node) && isNumber(node.operand)) ||
  (ts.isParenthesizedExpression(node) && isNumber(node.expression)) ||
  // Such as 320 * 1024: esbuild computes it. A division stays.
  (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.AsteriskToken && isNumber(node.left) && isNumber(node.right))

/** The text of a module with its top-level initializers marked. Lines stay, so source maps hold. */
function markPure(path, text) {
  const marks = []
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true)
  for (const statement of file.statements) {
    if (!ts.isVariableStatement(statement)) continue
    for (const { name, initializer } of statement.declarationList.declarations) {
      if (!initializer || isPlain(initializer)) continue
      if (!ts.isIdentifier(name)) throw new Error(`${path}: no bundler can drop "${name.getText()}": write a constant for each name`)
      let call = initializer
      while (ts.isAsExpression(call) || ts.isSatisfiesExpression(call)) call = call.expression
      const isCall =
        (ts.isCallExpression(call) || ts.isNewExpression(call)) && isPlain(call.expression) && (call.arguments ?? []).every(isPlain)
      if (isCall) marks.push([initializer.getStart(), PURE])
      else marks.push([initializer.getStart(), `${PURE}(() => (`], [initializer.end, '))()'])
    }
  }
  marks.sort(([a], [b]) => b - a)
  for (const [at, mark] of marks) text = text.slice(0, at) + mark + text.slice(at)
  return text
}

/** Namespaces (`export * as losses`) as values that can be dropped: esbuild fills them in a statement of its own. Lines stay. */
const markNamespaces = (text) =>
  text
    .replace(/^var __export = (.*)\{\n([\s\S]*?)\n\};/m, 'var __export = $1{\n$2 return target;\n};')
    .replace(/^var (\w+) = \{\};\n__export\(\1, /gm, `var $1 =\n${PURE}__export({}, `)

/**
 * esbuild renames: a class that names itself is `Adam = class _Adam`, and the second `split` of a file is `split2`. A public name gets its own back, since messages and
 * `console.log` show the names of functions and classes. Exchanging two names in the whole file changes no meaning.
 */
function restoreNames(path, text) {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true)
  const changes = []
  const each = (node, visit) =>
    ts.forEachChild(node, (child) => {
      visit(child)
      each(child, visit)
    })
  const taken = new Map()
  const exchange = (renamed, name) => {
    if (!/^\d+$/.test(renamed.slice(name.length)) || !renamed.startsWith(name) || taken.has(name) || taken.has(renamed)) return
    taken.set(name, renamed).set(renamed, name)
  }
  // `export { split2 as split }`, and `split: () => split2` of a namespace.
  each(file, (node) => {
    if (ts.isExportSpecifier(node) && node.propertyName) exchange(node.propertyName.text, node.name.text)
    const getter = ts.isPropertyAssignment(node) && ts.isArrowFunction(node.initializer) && node.initializer
    if (getter && node.parent.parent.expression?.getText() === '__export' && ts.isIdentifier(getter.body))
      exchange(getter.body.text, node.name.text)
  })
  const inner = new Map()
  each(file, (node) => {
    if (!ts.isClassExpression(node) || !node.name?.text.startsWith('_')) return
    inner.set(node, node.name.text)
  })
  each(file, (node) => {
    if (!ts.isIdentifier(node)) return
    const { parent, text: name } = node
    if (name.startsWith('_')) {
      for (let up = parent; up; up = up.parent) if (inner.get(up) === name) return changes.push([node, name.slice(1)])
    }
    const other = taken.get(name)
    if (other === undefined) return
    if (ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent)) {
      const outside = ts.isImportSpecifier(parent) ? parent.propertyName : parent.name
      if (!parent.propertyName) changes.push([node, ts.isImportSpecifier(parent) ? `${name} as ${other}` : `${other} as ${name}`])
      else if (node !== outside) changes.push([node, other])
    } else if (ts.isShorthandPropertyAssignment(parent)) changes.push([node, `${name}: ${other}`])
    else if (
      ts.isBindingElement(parent) &&
      node === parent.name &&
      !parent.propertyName &&
      !parent.dotDotDotToken &&
      ts.isObjectBindingPattern(parent.parent)
    )
      changes.push([node, `${name}: ${other}`])
    else if (node === parent.propertyName || (node === parent.name && !isBinding(parent))) return
    else changes.push([node, other])
  })
  for (const [node, name] of changes.sort(([a], [b]) => b.end - a.end)) text = text.slice(0, node.getStart()) + name + text.slice(node.end)
  return text
}
const isBinding = (node) =>
  ts.isVariableDeclaration(node) ||
  ts.isParameter(node) ||
  ts.isFunctionDeclaration(node) ||
  ts.isFunctionExpression(node) ||
  ts.isClassLike(node) ||
  ts.isBindingElement(node) ||
  ts.isNamespaceImport(node)

async function filesIn(folder) {
  const found = await readdir(folder, { withFileTypes: true, recursive: true })
  return found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name))
}

async function bundle(name) {
  const folder = join(root, name)
  const dist = join(folder, 'dist')
  const { exports, imports = {} } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  const entries = Object.values(exports).filter((entry) => typeof entry === 'object')
  const { outputFiles } = await build({
    absWorkingDir: folder,
    entryPoints: entries.map((entry) => ({ in: entry['@cotangent/source'], out: entry.default.replace(/^\.\/dist\/|\.js$/g, '') })),
    outdir: 'dist',
    chunkNames: 'chunks/[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    packages: 'external',
    external: Object.keys(imports),
    sourcemap: true,
    sourcesContent: false, // src is published, too
    legalComments: 'none',
    write: false,
    logLevel: 'silent', // problems are thrown
    plugins: [
      {
        name: 'pure',
        setup: ({ onLoad }) =>
          onLoad({ filter: /\.ts$/ }, async ({ path }) => ({ loader: 'ts', contents: markPure(path, await readFile(path, 'utf8')) })),
      },
    ],
  })
  // Other processes may be reading dist: a file that stays the same is not written, and those of an earlier build go last.
  const made = new Set(outputFiles.map(({ path }) => path))
  for (const { path, text } of outputFiles) {
    const contents = Buffer.from(path.endsWith('.js') ? restoreNames(path, markNamespaces(text)) : text)
    if (
      await readFile(path).then(
        (before) => before.equals(contents),
        () => false,
      )
    )
      continue
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, contents)
  }
  const others = Object.values(imports).map((entry) => join(folder, entry.default))
  for (const path of await filesIn(dist)) if (/\.js(\.map)?$/.test(path) && !made.has(path) && !others.includes(path)) await rm(path)
}

await Promise.all(['core', 'layers', 'datasets'].map(bundle))

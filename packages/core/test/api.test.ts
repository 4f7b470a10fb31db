/**
 * The public names: `packages/<name>/api.txt` lists every exported name with its type, and people review that list. A change shows in its diff.
 * `UPDATE_API=1 npx vitest run packages/core/test/api.test.ts` writes the lists anew.
 *
 * And the comments of core's public functions: each has an example (docs.test.ts runs it); that of an op states its shapes and its derivative.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../../..')
const packages = ['core', 'layers', 'datasets'] as const
const entry = (name: string): string => resolve(root, `packages/${name}/src/index.ts`)

const { config } = ts.readConfigFile(resolve(root, 'tsconfig.json'), ts.sys.readFile)
const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: packages.map(entry) }, ts.sys, root)
const program = ts.createProgram(packages.map(entry), options)
const checker = program.getTypeChecker()
const format =
  ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope | ts.TypeFormatFlags.WriteArrowStyleSignature

/** A type as text, without paths of files. */
const text = (type: ts.Type, at: ts.Node): string => checker.typeToString(type, at, format).replace(/import\("[^"]*"\)\./g, '')

function describeSymbol(symbol: ts.Symbol, at: ts.Node): string[] {
  const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  const { name } = symbol
  if (target.flags & ts.SymbolFlags.Class) {
    const members = checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(target)).flatMap((member) => {
      const declaration = member.declarations?.[0]
      const hidden =
        !declaration ||
        /^(__|#)/.test(member.name) ||
        ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.NonPublicAccessibilityModifier
      const inherited = declaration?.getSourceFile().fileName.includes('/node_modules/')
      return hidden || inherited || ts.getJSDocTags(declaration).some((tag) => tag.tagName.text === 'internal') ? [] : [member.name]
    })
    return [`class ${name} { ${members.sort().join(', ')} }`]
  }
  if (target.flags & ts.SymbolFlags.ValueModule && !(target.flags & ts.SymbolFlags.Function)) {
    return checker
      .getExportsOfModule(target)
      .flatMap((inner) => describeSymbol(inner, at).map((line) => line.replace(/^(\w+) /, `$1 ${name}.`)))
  }
  if (target.flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Variable))
    return [`value ${name}: ${text(checker.getTypeOfSymbolAtLocation(target, at), at)}`]
  return [`type ${name}`]
}

test.each(packages)('the public names of %s are the reviewed ones', (name) => {
  const file = program.getSourceFile(entry(name))
  const module = file && checker.getSymbolAtLocation(file)
  if (!file || !module) throw new Error(`no entry for ${name}`)
  const lines = checker.getExportsOfModule(module).flatMap((symbol) => describeSymbol(symbol, file))
  const api = `${lines.sort().join('\n')}\n`
  const path = resolve(root, `packages/${name}/api.txt`)
  if (process.env.UPDATE_API) writeFileSync(path, api)
  expect(api.split('\n')).toEqual(readFileSync(path, 'utf8').split('\n'))
})

/** Public values of core that need no example: errors, and functions that set up the process or make ops, which an example would leave behind. */
const withoutExample = /Error$|^(beyondInt32|debug|withBackend|keep|labelled|defineOp|defineComposed|\w*[bB]ackend)$/

test('the comment of every public function of core has an example, and that of an op its shape and gradient', () => {
  const file = program.getSourceFile(entry('core')) as ts.SourceFile
  const faults = checker.getExportsOfModule(checker.getSymbolAtLocation(file) as ts.Symbol).flatMap((symbol) => {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
    const tags = target.getJsDocTags(checker).map((tag) => tag.name)
    if (!(target.flags & ts.SymbolFlags.Value) || tags.includes('internal')) return []
    const comment = ts.displayPartsToString(target.getDocumentationComment(checker))
    const path = target.declarations?.[0].getSourceFile().fileName ?? ''
    const op = path.includes('/ops/')
    return [
      ...(comment === '' ? [`${symbol.name} has no comment`] : []),
      ...(op && !comment.includes('Shape:') ? [`${symbol.name} states no shape`] : []),
      ...(op && !path.endsWith('/create.ts') && !comment.includes('Gradient:') ? [`${symbol.name} states no gradient`] : []),
      ...(tags.includes('example') || withoutExample.test(symbol.name) ? [] : [`${symbol.name} has no example`]),
    ]
  })
  expect(faults).toEqual([])
})

/** The options of layers in the reference are those that the compiler knows. */
import { join } from 'node:path'
import * as layers from '@cotangent/layers'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { top } from './places.js'
import { referencePages } from './reference.js'

/** The keys of the options of each function that makes a layer of its name. */
function keysOfOptions(): Map<string, string[]> {
  const file = join(top, 'packages/layers/src/layers/index.ts')
  const { config } = ts.readConfigFile(join(top, 'packages/layers/tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, join(top, 'packages/layers'))
  const program = ts.createProgram([file], { ...options, noEmit: true, composite: false, customConditions: ['@cotangent/source'] })
  const checker = program.getTypeChecker()
  const module = checker.getSymbolAtLocation(program.getSourceFile(file) as ts.SourceFile) as ts.Symbol
  const found = new Map<string, string[]>()
  for (const exported of checker.getExportsOfModule(module)) {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
    const [call] = checker.getTypeOfSymbol(symbol).getCallSignatures()
    if (!call) continue
    const made = checker.typeToString(call.getReturnType())
    const makes = (layers as unknown as Record<string, unknown>)[made]
    const isLayer =
      typeof makes === 'function' && makes.prototype instanceof layers.Layer && made.toLowerCase() === exported.name.toLowerCase()
    const last = isLayer ? call.parameters.at(-1) : undefined
    if (last?.name !== 'options') continue
    const type = checker.getNonNullableType(checker.getTypeOfSymbol(last))
    found.set(
      exported.name,
      checker.getPropertiesOfType(type).map(({ name }) => name),
    )
  }
  return found
}

/** The names in the table of a part, and those behind it that every layer takes. */
function namesInTable(part: string): string[] {
  const [, table = ''] = /<div class="options">([\s\S]*?)<\/div>/.exec(part) ?? []
  const rows = Array.from(table.matchAll(/^\| `(\w+)` \|/gm), ([, name]) => name)
  const [, shared = ''] = /options of every layer: (.*)/.exec(table) ?? []
  return [...rows, ...Array.from(shared.matchAll(/\[`(\w+)`\]/g), ([, name]) => name)]
}

test('every public layer has a table with all of its options and no others', async () => {
  const parts = new Map<string, string>()
  for (const { url, markdown } of await referencePages())
    if (/\/(layers-|text)/.test(url)) for (const part of markdown.split(/^## /m)) parts.set(part.split('\n', 1)[0], part)

  const expected = keysOfOptions()
  expect(expected.size).toBeGreaterThan(100)
  for (const [name, keys] of expected) expect(namesInTable(parts.get(name) ?? '').sort(), name).toEqual(keys.sort())
})

/** The compiler's messages for shapes that do not fit: a program is compiled in memory and its errors are read. */
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../../../', import.meta.url))

/** The messages for a module beside the sources, by line number. */
function diagnose(source: string): Map<number, string> {
  const config = ts.getParsedCommandLineOfConfigFile(
    `${root}tsconfig.base.json`,
    { noEmit: true, declaration: false, declarationMap: false },
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: () => {},
    },
  ) as ts.ParsedCommandLine
  const file = `${root}packages/core/src/__snippet.ts`
  const host = ts.createCompilerHost(config.options)
  const { getSourceFile, fileExists, readFile } = host
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(name, source, ts.ScriptTarget.ES2022) : getSourceFile.call(host, name, ...rest)
  host.fileExists = (name) => name === file || fileExists.call(host, name)
  host.readFile = (name) => (name === file ? source : readFile.call(host, name))
  const program = ts.createProgram([file], { ...config.options, noEmit: true }, host)
  const found = new Map<number, string>()
  for (const d of program.getSemanticDiagnostics(program.getSourceFile(file))) {
    const line = ts.getLineAndCharacterOfPosition(d.file as ts.SourceFile, d.start as number).line + 1
    found.set(line, ts.flattenDiagnosticMessageText(d.messageText, '\n'))
  }
  return found
}

test('mismatched shapes are compile errors that read well', () => {
  const messages = diagnose(`import { add, matMul, ones, zeros } from './index.js'
const a = zeros([32, 784] as const)
matMul(a, zeros([128, 10] as const))
a.matMul(zeros([128, 10] as const))
a.add(zeros([10] as const))
add(a, zeros([10] as const))
matMul(a, zeros([784, 10] as const)).add(zeros([10] as const)).softmax()
matMul(a, zeros([128, 10]))
matMul(zeros([2, 3]), zeros([4, 5]))
ones([2, 3]).add(zeros([4]))
let s = zeros([])
s = s.add(ones([3]))
`)
  expect(messages.get(3)).toContain('inner dimensions differ: 784 vs 128')
  expect(messages.get(4)).toContain('inner dimensions differ: 784 vs 128')
  expect(messages.get(5)).toContain('shapes do not broadcast: [32, 784] and [10]')
  expect(messages.get(6)).toContain('shapes do not broadcast: [32, 784] and [10]')
  expect(messages.get(8)).toContain('inner dimensions differ: 784 vs 128')
  expect(messages.get(9)).toContain('inner dimensions differ: 3 vs 4')
  expect(messages.get(10)).toContain('shapes do not broadcast: [2, 3] and [4]')
  expect([...messages.keys()]).toEqual([3, 4, 5, 6, 8, 9, 10])
})

/**
 * Runs code that the reader wrote, in a worker. TypeScript's types are stripped, lines stay where they are, and an import gives one of the given modules.
 */
import { shown } from './shown.js'

export { shown }

/** The code does not parse, or imports what is not there. */
export class CodeError extends Error {
  override readonly name: string = 'SyntaxError'
  readonly line: number | undefined
  readonly column: number | undefined

  constructor(message: string, line?: number, column?: number) {
    super(message)
    this.line = line
    this.column = column
  }
}

type Modules = Readonly<Record<string, unknown>>

export interface Ran {
  /** The exports of the code, by name. */
  exports: Record<string, unknown>
  /** The values of its variables at the top, by name. */
  variables: Record<string, unknown>
}

/** The addresses of the modules that hold the reader's code. */
const addresses = new Set<string>()
/** The wrapper puts this many characters before the first line, and no line. */
const PREFIX = 'export default async (require, exports, console, __vars) => { '

/** The names that the code declares at its top. A line that begins without a space is at the top in code that is written as usual. */
const declared = (code: string): string[] =>
  Array.from(
    code.matchAll(/^(?:export\s+)?(?:const|let|var|function\*?|async function|class)\s+(\{[^}]*\}|\[[^\]]*\]|[\p{L}\p{N}_$]+)/gmu),
  ).flatMap(([, names]) =>
    /^[{[]/.test(names)
      ? Array.from(names.matchAll(/(?:[\p{L}\p{N}_$]+\s*:\s*)?([\p{L}_$][\p{L}\p{N}_$]*)/gu), ([, name]) => name)
      : [names],
  )

/**
 * Runs code.
 *
 * @param modules what `import … from 'name'` gives
 * @param say gets each line that the code prints with `console.log`
 * @throws CodeError with line and column
 */
export async function runReaderCode(code: string, modules: Modules, say: (line: string) => void): Promise<Ran> {
  return (await prepareReaderCode(code, modules, say))()
}

/** Types are stripped, and imports call `require`. Lines stay where they are. */
async function scriptOf(code: string): Promise<string> {
  const { transform } = await import('sucrase')
  try {
    return transform(code, { transforms: ['typescript', 'imports'], disableESTransforms: true, preserveDynamicImport: true }).code
  } catch (error) {
    const { message, loc } = error as Error & { loc?: { line: number; column: number } }
    throw new CodeError(message.replace(/^Error transforming[^:]*: /, '').replace(/ \(\d+:\d+\)$/, ''), loc?.line, loc?.column)
  }
}

/** The same for code of ours without types, whose imports are `import { a, b } from 'c'`: it needs no parser, which is a large file. */
const scriptOfPlain = (code: string): string =>
  code.replace(
    /^import (\{[\p{L}\p{N}_$, ]*\}) from ('[^']*')$/gmu,
    (_, names: string, from: string) => `const ${names} = require(${from})`,
  )

/**
 * Loads code and gives a function that runs it. What stands before the first `await` of the code has run when that function returns.
 *
 * @param plain the code has no types, and its imports are of the form `import { a, b } from 'c'`
 */
export async function prepareReaderCode(
  code: string,
  modules: Modules,
  say: (line: string) => void,
  plain = false,
): Promise<() => Promise<Ran>> {
  const text = plain ? scriptOfPlain(code) : await scriptOf(code)
  const names = declared(code).map((name) => `get ${name}() { return ${name} }`)
  const address = URL.createObjectURL(new Blob([`${PREFIX}${text}\n__vars.all = { ${names.join(', ')} } }`], { type: 'text/javascript' }))
  addresses.add(address)
  const require = (name: string): unknown => {
    if (Object.hasOwn(modules, name)) return modules[name]
    throw new CodeError(`There is no module "${name}" here. There are: ${Object.keys(modules).join(', ')}.`)
  }
  const print = (...values: unknown[]): void => say(values.map(shown).join(' '))
  const ran: { exports: Record<string, unknown>; vars: { all?: Record<string, unknown> } } = { exports: {}, vars: {} }
  let module: { default(...values: unknown[]): Promise<void> }
  try {
    module = await import(/* @vite-ignore */ address)
  } catch (error) {
    if (error instanceof SyntaxError) throw new CodeError(error.message)
    throw error
  }
  return async () => {
    await module.default(require, ran.exports, { log: print, info: print, warn: print, error: print }, ran.vars)
    return { exports: ran.exports, variables: { ...ran.vars.all } }
  }
}

/** Where in the reader's code an error happened: the topmost line of its stack that is there. */
export function readerLine(error: Error): { line?: number; column?: number } {
  if (error instanceof CodeError) return { line: error.line, column: error.column }
  for (const [, address, line, column] of (error.stack ?? '').matchAll(/(blob:[^\s)]+?):(\d+):(\d+)/g))
    if (addresses.has(address)) return { line: Number(line), column: Math.max(1, Number(column) - (line === '1' ? PREFIX.length : 0)) }
  return {}
}

/** Prints a program as TypeScript that one can paste into a file and run. */
import { type OpLine, type Program, resultsOf, valuesOfInputs } from './program.js'

const text = (value: unknown): string =>
  Array.isArray(value)
    ? `[${value.map(text).join(', ')}]`
    : typeof value === 'object' && value !== null
      ? `{ ${Object.entries(value)
          .map(([name, item]) => `${name}: ${text(item)}`)
          .join(', ')} }`
      : typeof value === 'string'
        ? `'${value}'`
        : String(value)

const options = (given: object): string => (Object.keys(given).length === 0 ? '' : `, ${text(given)}`)

function applied({ op, args, options: given, mode, by }: OpLine): string {
  const call = (xs: readonly string[]): string => `op('${op}', [${xs.join(', ')}]${options(given)})`
  const names = args.map((i) => `v${i}`)
  const ofOne = `(x: Tensor) => ${call(names.with(by, 'x'))}`
  if (mode === 'value') return call(names)
  if (mode === 'checkpoint') return `checkpoint((...xs: Tensor[]) => op('${op}', xs${options(given)}))(${names.join(', ')})`
  if (mode === 'grad') return `grad((x: Tensor) => weighted(${call(names.with(by, 'x'))}), { unconnected: 'zeros' })(${names[by]})`
  return `jvp(${ofOne}, [${names[by]}], [weights(${names[by]})]).tangent`
}

/** The program, its loss, and its first two derivatives. */
export function printed(program: Program): string {
  const values = valuesOfInputs(program)
  const inputs = program.flatMap((line, i) => ('input' in line ? [i] : []))
  const list = inputs.map((i) => `v${i}`).join(', ')
  const ends = resultsOf(program).map((i) => `v${i}`)
  const modes = new Set(program.flatMap((line) => ('op' in line ? [line.mode] : [])))
  const imports = ['grad', ...(['checkpoint', 'jvp'] as const).filter((name) => modes.has(name)), 'registry', 'Tensor', 'tensor']
  return [
    `import { ${imports.join(', ')} } from '@cotangent/core'`,
    'const op = (name: string, xs: Tensor[], options = {}): Tensor => registry.get(name)!.call(xs, options)',
    'const weights = (y: Tensor): Tensor => tensor(Array.from({ length: y.size }, (_, i) => Math.fround(Math.sin(1 + 2.7 * i))), { dtype: y.dtype, backend: y.backend }).reshape(y.shape)',
    'const weighted = (y: Tensor): Tensor => y.mul(weights(y)).sum()',
    ...inputs.map((i, k) => `const v${i} = tensor([${[...values[k].values].join(', ')}]).reshape([${values[k].shape.join(', ')}])`),
    `const f = (${inputs.map((i) => `v${i}: Tensor`).join(', ')}): Tensor[] => {`,
    ...program.flatMap((line, i) => {
      if ('input' in line) return []
      if ('op' in line) return [`  const v${i} = ${applied(line)}`]
      return [`  const v${i} = tensor([${line.constant.join(', ')}], { dtype: '${line.dtype}' }).reshape([${line.shape.join(', ')}])`]
    }),
    `  return [${ends.join(', ')}]`,
    '}',
    `const loss = (${inputs.map((i) => `v${i}: Tensor`).join(', ')}): Tensor => f(${list}).filter((y) => y.dtype === 'float32').map(weighted).reduce((a, b) => a.add(b))`,
    `const first = [grad(loss, { unconnected: 'zeros' })(${list})].flat()`,
    `const second = [grad((...xs: Tensor[]) => [grad(loss, { unconnected: 'zeros' })(${inputs.map((_, k) => `xs[${k}]`).join(', ')})].flat().map(weighted).reduce((a, b) => a.add(b)), { unconnected: 'zeros' })(${list})].flat()`,
    `for (const y of [...f(${list}), ...first, ...second]) console.log(String(y))`,
  ].join('\n')
}

/**
 * Programs of layers as data: lines of TypeScript, each a layer with the lines that it takes. A program makes a model, as a graph or, if it is a chain and says so,
 * as a Sequential, and prints as TypeScript that one can paste.
 */
import type { Backend, DType } from '@cotangent/core'
import * as layers from '../../src/index.js'
import { type Layer, type Model, type Optimizer, Sequential, type SymbolicTensor } from '../../src/index.js'
import type { LossIdentifier } from '../../src/losses/index.js'

export interface Input {
  readonly shape: readonly number[]
  /** Whole numbers below this; else floats. */
  readonly below?: number
}

export interface LayerLine {
  /** A layer as text: `dense(3)`. */
  readonly layer: string
  /** Inputs come first, then the lines. */
  readonly args: readonly number[]
}

export interface Program {
  readonly inputs: readonly Input[]
  readonly lines: readonly LayerLine[]
  readonly sequential: boolean
  readonly optimizer: string
  readonly loss: LossIdentifier
  readonly batch: number
  readonly seed: number
}

const names = Object.keys(layers)
const values = Object.values(layers)
/** The layer, or other thing of the package, that a text makes. */
export const made = <T>(text: string): T => new Function(...names, `return ${text}`)(...values) as T

const isChain = ({ inputs, lines }: Program): boolean => inputs.length === 1 && lines.every(({ args }, i) => args.join() === `${i}`)
export const isSequential = (program: Program): boolean => program.sequential && isChain(program)

export function inputsOf({ inputs }: Program): SymbolicTensor[] {
  return inputs.map(({ shape, below }) => layers.input({ shape: [...shape], dtype: below === undefined ? undefined : 'int32' }))
}

/** Applies a layer to what earlier lines gave. */
export const applied = (layer: Layer, args: readonly SymbolicTensor[]): SymbolicTensor =>
  (layer.apply as (x: SymbolicTensor | readonly SymbolicTensor[]) => SymbolicTensor)(args.length === 1 ? args[0] : args)

/** The model of a program. All its weights follow from the seed. */
export function modelOf(program: Program, backend: Backend, dtype: DType = 'float32'): Model {
  const options = { seed: program.seed, backend, dtype }
  layers.resetNames()
  if (isSequential(program)) {
    const stack = new Sequential(
      program.lines.map(({ layer }) => made<Layer>(layer)),
      options,
    )
    stack.build([null, ...program.inputs[0].shape])
    return stack
  }
  const xs = inputsOf(program)
  const all = [...xs]
  for (const { layer, args } of program.lines)
    all.push(
      applied(
        made<Layer>(layer),
        args.map((i) => all[i]),
      ),
    )
  return layers.model({ inputs: xs, outputs: all[all.length - 1], ...options })
}

export const optimizerOf = ({ optimizer }: Program): Optimizer => made<Optimizer>(optimizer)

/** The program as TypeScript. */
export function printed(program: Program): string {
  const { inputs, lines, optimizer, loss, batch, seed } = program
  const used = new Set((JSON.stringify(lines) + optimizer).match(/\b[a-zA-Z0-9]+(?=\()/g))
  const shapes = inputs.map(({ shape, below }) => `{ shape: [${shape.join(', ')}]${below === undefined ? '' : ", dtype: 'int32'"} }`)
  const body = isSequential(program)
    ? [
        `const net = new Sequential([${lines.map(({ layer }) => layer).join(', ')}], { seed: ${seed} })`,
        `net.build([null, ${inputs[0].shape.join(', ')}])`,
      ]
    : [
        ...shapes.map((options, i) => `const v${i} = input(${options})`),
        ...lines.map(({ layer, args }, i) => {
          const xs = args.map((k) => `v${k}`)
          return `const v${inputs.length + i} = ${layer}.apply(${xs.length === 1 ? xs[0] : `[${xs.join(', ')}]`})`
        }),
        `const net = model({ inputs: [${inputs.map((_, i) => `v${i}`).join(', ')}], outputs: v${inputs.length + lines.length - 1}, seed: ${seed} })`,
      ]
  return [
    `import { ${[...used, ...(isSequential(program) ? ['Sequential'] : ['input', 'model'])].join(', ')} } from '@cotangent/layers'`,
    ...body,
    `net.compile({ optimizer: ${optimizer}, loss: '${loss}' })`,
    `// ${batch} samples${inputs.map(({ below }, i) => (below === undefined ? '' : `; input ${i}: whole numbers below ${below}`)).join('')}`,
  ].join('\n')
}

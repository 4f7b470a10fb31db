/**
 * A step of a run as an address of the tape explorer, and as the code that the explorer shows there. The code has no numbers: it imports them from "time-machine", and
 * the explorer's worker computes them again from the seed (step-numbers.ts).
 */
import { entriesOf, type Setup, setupIn, stepIn } from './setup.js'

export interface RunStep {
  readonly setup: Setup
  readonly step: number
}

/** The module that the code imports. */
export const MODULE = 'time-machine'

/** `moment=30&problem=digits&…`: the explorer has a step of its own in its address. */
export const momentEntries = ({ setup, step }: RunStep): [string, string][] => [['moment', String(step)], ...entriesOf(setup)]

export const momentIn = (said: URLSearchParams): RunStep | undefined =>
  said.has('moment') ? { setup: setupIn(said), step: stepIn(said.get('moment')) } : undefined

/** The layers of run.ts, and the loss that it compiles. */
export function codeOf({ setup, step }: RunStep): string {
  const { problem, units, dropout: rate, optimizer, seed } = setup
  const digits = problem === 'digits'
  const dense = (count: number, name: string, more = ''): string => `  dense(${count}, { ${more}name: '${name}' }),`
  const hidden = (name: string, input: number | undefined): string =>
    dense(units, name, `activation: '${digits ? 'relu' : 'tanh'}', ${input ? `inputShape: [${input}], ` : ''}`)
  const drop = (name: string): string[] => (rate > 0 ? [`  dropout(${rate}, { name: '${name}' }),`] : [])
  const layers = digits
    ? [hidden('hidden', 784), ...drop('dropout'), dense(10, 'output')]
    : [hidden('hidden_1', 2), ...drop('dropout_1'), hidden('hidden_2', undefined), ...drop('dropout_2'), dense(1, 'output')]
  return `import { dense, ${rate > 0 ? 'dropout, ' : ''}losses, Sequential } from '@cotangent/layers'
import { ${rate > 0 ? 'key, ' : ''}weights, x, y } from '${MODULE}'

// Step ${step} of the run of ${optimizer} with seed ${seed}: its batch, and its weights
// before the update. The page computed them again from the seed.
const network = new Sequential([
${layers.join('\n')}
])
network.setWeights(weights)

const logits = network.apply(x, { training: true${rate > 0 ? ', key' : ''} })
const each = losses.${digits ? 'sparseCategoricalCrossentropy' : 'binaryCrossentropy'}(y, logits, { fromLogits: true })
const loss = each.mean()
`
}

/** The code for the explorer makes the tape of its step again: the same ops in the same layers, and a loss of the same bits. */
import * as core from '@cotangent/core'
import * as layers from '@cotangent/layers'
import { expect, test } from 'vitest'
import { codeOf, MODULE } from './code.js'
import { pointsOf } from './points.js'
import { type Data, Run, useSameBits, valuesOf } from './run.js'
import { type Setup, start } from './setup.js'
import { moduleOf, numbersAt } from './step-numbers.js'

/** Images of noise: the tape does not depend on what they show. */
function noise(): Data {
  const count = 96
  return { x: valuesOf(core.uniform(core.key(1), [count, 784])), y: Array.from({ length: count }, (_, i) => i % 10), count }
}

/** Runs the code and gives its variable `loss`. */
function lossOf(code: string, modules: Record<string, unknown>): core.Tensor {
  const script = code.replace(/^import (\{.*\}) from '(.*)'$/gm, "const $1 = modules['$2']")
  return new Function('modules', `${script}\nreturn loss`)(modules)
}

test.each<[string, Partial<Setup>, number]>([
  ['moons', { problem: 'moons' }, 0],
  ['moons with dropout', { problem: 'moons', dropout: 0.3, units: 8 }, 41],
  ['digits', { problem: 'digits', rate: 0.01 }, 7],
  ['digits with dropout', { problem: 'digits', dropout: 0.5, optimizer: 'momentum' }, 5],
])('%s', async (_, change, step) => {
  await useSameBits()
  const setup = { ...start, ...change }
  const run = new Run(setup, setup.problem === 'digits' ? noise() : pointsOf(setup.problem))
  const moment = await run.at(step)
  const numbers = await numbersAt(run, step)
  expect(numbers.loss).toBe(moment?.loss)

  const modules = { '@cotangent/layers': layers, [MODULE]: moduleOf(numbers) }
  let loss: core.Tensor | undefined
  // The tape is one of x, because the code makes its parameters itself.
  const { tape } = core.record([modules[MODULE].x as core.Tensor], () => {
    loss = lossOf(codeOf({ setup, step }), modules)
    return loss
  })
  expect(valuesOf(loss as core.Tensor)[0]).toBe(moment?.loss)
  const said = tape.records.map(({ op, path }) => `${path} ${op.name}`)
  expect(said).toEqual(moment?.tape.map(({ op, path }) => `${path} ${op}`))
})

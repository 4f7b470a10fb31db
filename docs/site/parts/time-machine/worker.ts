/** Runs trainings, and shows their moments. */
import { record, scope, type Tensor, tensor } from '@cotangent/core'
import { PIXELS } from '../shared/digits.js'
import { serve, type Tell } from '../shared/serve.js'
import { type Samples, samplesOf } from './data.js'
import { SIDE } from './plane.js'
import { raster } from './points.js'
import { type Moment, Run, useSameBits, valuesOf } from './run.js'
import { type Setup, STEPS } from './setup.js'

/** Milliseconds from one line of progress to the next. */
const LINE = 60

/** The outputs of the network elsewhere, at a moment. */
export type Outlook =
  | {
      readonly kind: 'points'
      /** Of class 1, on the raster of the plane. */
      readonly probabilities: Float32Array
      /** Outputs of the hidden layers there, [SIDE·SIDE, units] each. */
      readonly hidden: readonly { readonly layer: string; readonly units: number; readonly values: Float32Array }[]
      readonly x: Float32Array
      readonly y: ArrayLike<number>
      readonly right: number
      readonly count: number
    }
  | { readonly kind: 'digits'; readonly right: number; readonly count: number }

export interface View extends Moment {
  readonly setup: Setup
  readonly outlook: Outlook
}

let run: Run | undefined
let test: Samples['test']
/** The number of the newest run that was asked for: older ones stop. */
let newest = 0
/** One visit at a time. */
let visit: Promise<unknown> = Promise.resolve()
const alone = <T>(what: () => Promise<T>): Promise<T> => {
  const next = visit.then(what, what)
  visit = next
  return next
}

function outlookOf({ model, data, setup }: Run): Outlook {
  return scope((): Outlook => {
    const say = (x: Float32Array, width: number): Tensor =>
      (model as NonNullable<typeof model>).apply(tensor(x, { shape: [x.length / width, width] }))
    if (setup.problem === 'digits') {
      const { x, y } = test as NonNullable<typeof test>
      const read = valuesOf(say(x, PIXELS).argMax({ axis: 1 }))
      return { kind: 'digits', right: y.reduce((sum, digit, i) => sum + Number(read[i] === digit), 0), count: y.length }
    }
    // The tape knows what each layer gave.
    const { result, tape } = record((model as NonNullable<typeof model>).trainableWeights, () => say(raster(SIDE), 2).sigmoid())
    const hidden = tape.records
      .filter(({ op }) => op.name === 'tanh')
      .map(({ path, output }) => ({ layer: path, units: output.shape[1], values: valuesOf(output) }))
    const logits = valuesOf(say(data.x, 2))
    const right = logits.reduce((sum, z, i) => sum + Number(z > 0 === (data.y[i] === 1)), 0)
    return { kind: 'points', probabilities: valuesOf(result), hidden, x: data.x, y: data.y, right, count: data.count }
  })
}

export const functions = {
  /** Makes a run, and plays it once. Tells the losses so far. Undefined if another run was asked for meanwhile. */
  prepare(setup: Setup, tell?: Tell): Promise<Float32Array | undefined> {
    const mine = ++newest
    return alone(async () => {
      if (mine !== newest) return undefined
      await useSameBits()
      const samples = await samplesOf(setup)
      const made = new Run(setup, samples.data)
      run = made
      test = samples.test
      let told = performance.now()
      const done = await made.at(STEPS, () => {
        const now = performance.now()
        if (now - told > LINE) {
          tell?.(made.losses.slice())
          told = now
        }
        return mine !== newest
      })
      return done && made.losses
    })
  },

  /** A moment of the run; undefined while there is none. */
  at(step: number): Promise<View | undefined> {
    return alone(async () => {
      const visited = run
      const moment = await visited?.at(step)
      return visited && moment && { ...moment, setup: visited.setup, outlook: outlookOf(visited) }
    })
  },
}

serve(functions)

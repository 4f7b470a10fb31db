/** Runs the reader's code on the library, and answers questions about its tape. */
import * as core from '@cotangent/core'
import { prepareReaderCode } from '../shared/reader-code.js'
import { serve, type Tell } from '../shared/serve.js'
import { MODULE, type RunStep } from '../time-machine/code.js'
import type { StepNumbers } from '../time-machine/step-numbers.js'
import type { Differences, Recorded, Step } from './data.js'
import { Replay } from './differences.js'
import { Listener } from './listen.js'
import { observe } from './observe.js'
import { Session } from './session.js'

export type Numbers = 'float32' | 'float64'

let session: Session | undefined
let replay: Replay | undefined
/** The step of a training that was replayed last. */
let replayed: { name: string; numbers: StepNumbers } | undefined

export const functions = {
  /** Replays a training to a step, for code that imports its numbers. Tells each step. Gives the loss that the time machine has there. */
  async replay(moment: RunStep, tell?: Tell): Promise<number> {
    const name = JSON.stringify(moment)
    if (replayed?.name !== name) {
      const { stepOf } = await import('../time-machine/step-numbers.js')
      replayed = { name, numbers: await stepOf(moment.setup, moment.step, tell) }
    }
    return replayed.numbers.loss
  },

  /** Runs the code with all ops recorded. Each line that it prints is told. `plain` says that the code is a preset, which has no types. */
  async record(code: string, numbers: Numbers, plain: boolean, tell?: Tell): Promise<Recorded> {
    session = undefined
    replay = undefined
    const modules: Record<string, unknown> = { '@cotangent/core': core }
    if (code.includes('@cotangent/layers')) modules['@cotangent/layers'] = await import('@cotangent/layers')
    const moment = code.includes(`'${MODULE}'`) ? replayed?.numbers : undefined
    // The time machine computes without fused multiply-add, whose last bit depends on the machine.
    const inner =
      numbers === 'float32'
        ? core.createWasmBackend({ threads: 1, relaxedSimd: !moment })
        : core.createReferenceBackend({ dtype: 'float64' })
    const observed = observe(inner)
    if (moment) {
      const { moduleOf } = await import('../time-machine/step-numbers.js')
      modules[MODULE] = core.withBackend(observed.backend, () => moduleOf(moment))
    }
    const start = await prepareReaderCode(code, modules, (line) => tell?.(line), plain)
    const listener = new Listener(observed)
    let ran: ReturnType<typeof start> | undefined
    core.withBackend(observed.backend, () =>
      listener.run(() => {
        ran = start()
      }),
    )
    const { variables } = (await ran) ?? { variables: {} }
    // Tensors that the code imports have names, too.
    const named = { ...(modules[MODULE] as object | undefined), ...variables }
    session = core.withBackend(observed.backend, () => new Session(listener.heard, named, observed))
    return session.recorded()
  },

  step(at: number): Step {
    return (session as Session).step(at)
  },

  /** The cotangents of a record beside central differences. */
  differences(record: number): Differences {
    const { tape, loss } = session as Session
    const visited = (session as Session).cotangents(record)
    if (!visited) return { sends: [] }
    replay ??= new Replay(tape, loss)
    if (replay.why) return { sends: [], why: replay.why }
    const checks = replay
    return {
      arrives: checks.check(visited.arrives.values, record, visited.arrives.values),
      sends: visited.sends.map((sent, i) => sent && checks.check(sent.values, record, visited.arrives.values, i)),
    }
  },
}

serve(functions)

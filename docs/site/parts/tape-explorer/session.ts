/** One run of the reader's code: its tape, the walk back over it, and what can be asked about both. */
import { debug, GradientError, labelled, onesLike, scope, type Tape, type TapeRecord, type Tensor } from '@cotangent/core'
import type { TensorValue } from '../shared/tensor-view.js'
import { axesOf } from './axes.js'
import type { Alive, BackwardStep, Broken, Kept, Kernel, Part, Recorded, Row, Step } from './data.js'
import { type Heard, isFloat, tapeOf } from './listen.js'
import type { KernelCall, Observed } from './observe.js'
import { lossIn, namesIn, sourcesOf } from './sources.js'

/** The walk at one record. */
interface Visited {
  readonly arrives: TensorValue
  readonly sends: readonly (TensorValue | null)[]
  kernels: readonly Kernel[]
}

const valuesOf = (tensor: Tensor): TensorValue['values'] => {
  tensor.requireLive('explorer')
  const values = tensor.backend.readSync?.(tensor.storage)
  if (!values) throw new Error(`The ${tensor.backend.name} backend cannot be read at once.`)
  return values
}
const isBroken = ({ values }: { values: ArrayLike<number> }): boolean =>
  Array.prototype.some.call(values, (value) => !Number.isFinite(value))

const shapesOf = ({ inputs, out }: KernelCall): string =>
  `${inputs.map(({ shape }) => `[${shape.join(', ')}]`).join(', ')} → [${out.shape.join(', ')}]`
const shown = (call: KernelCall): Kernel => ({ name: call.name, fused: call.fused, shapes: shapesOf(call) })

export class Session {
  readonly tape: Tape
  readonly loss: Tensor
  readonly sources: readonly Tensor[]
  readonly #heard: readonly Heard[]
  readonly #observed: Observed
  readonly #names: Map<Tensor, string>
  readonly #numbers = new Map<Tensor, number>()
  readonly #axes: ReadonlyMap<Tensor, readonly [number, number]>
  /** For each tensor the parts of its cotangent, in the order in which they come. */
  readonly #parts = new Map<Tensor, Part[]>()
  readonly #visited: (Visited | undefined)[] = []
  readonly #alive: (Alive | undefined)[] = []
  readonly #broken: Broken[] = []
  #gradients: readonly (TensorValue | undefined)[] = []
  #stopped: string | undefined

  constructor(all: readonly Heard[], variables: Readonly<Record<string, unknown>>, observed: Observed) {
    this.#observed = observed
    this.#names = namesIn(variables)
    this.loss = lossIn(variables)
    // An op that runs after the loss was made is not part of it.
    const heard = all.slice(0, all.findIndex(({ output }) => output === this.loss) + 1)
    this.#heard = heard
    this.sources = sourcesOf(variables, this.#names, heard, this.loss)
    if (this.sources.length === 0)
      throw new GradientError('There is nothing to differentiate by: give a tensor a name, const W = tensor(…), or make it a Parameter.')
    const made = heard.some(({ output }) => output === this.loss)
    if (!made && !this.sources.includes(this.loss))
      throw new GradientError(
        'No op made "loss", so it depends on nothing. (What stands behind the first await of the code is not recorded: make the loss first, then await.)',
      )
    // The library's own words, if a parameter was changed after an op used it.
    for (const { alone } of heard) alone.forward([], [], [])
    this.tape = tapeOf(heard, this.sources)
    this.#axes = axesOf(this.tape)
    for (const source of this.sources) this.#number(source)
    this.#walk()
    this.#measure()
    this.#findBroken()
  }

  #number(tensor: Tensor): number {
    const known = this.#numbers.get(tensor)
    if (known !== undefined) return known
    this.#numbers.set(tensor, this.#numbers.size)
    return this.#numbers.size - 1
  }

  #nameOf(tensor: Tensor, madeBy: number | undefined): string {
    const name = this.#names.get(tensor) ?? (tensor as { name?: string }).name
    if (name) return name
    if (madeBy !== undefined) return `r${madeBy}`
    return tensor.size === 1 ? String(Number(valuesOf(tensor)[0].toPrecision(6))) : 'constant'
  }

  #value(tensor: Tensor, values = valuesOf(tensor), name?: string): TensorValue {
    return { shape: tensor.shape, values, name, axes: this.#axes.get(tensor) }
  }

  /** The walk with a visitor, which sees all values. */
  #walk(): void {
    const { tape, loss, sources } = this
    this.#parts.set(loss, [])
    try {
      scope(() => {
        const gradients = tape.backward(loss, onesLike(loss), sources, (record, dY, dInputs) => {
          const at = tape.records.indexOf(record)
          const sends = dInputs.map((each, i) => each && this.#value(record.inputs[i], valuesOf(each)))
          this.#visited[at] = { arrives: this.#value(record.output, valuesOf(dY)), sends, kernels: [] }
          for (const [i, value] of sends.entries()) {
            if (!value) continue
            const parts = this.#parts.get(record.inputs[i]) ?? []
            parts.push({ record: at, input: i, value })
            this.#parts.set(record.inputs[i], parts)
          }
        })
        this.#gradients = gradients.map((each, i) => each && this.#value(sources[i], valuesOf(each)))
      })
    } catch (error) {
      this.#stopped = (error as Error).message
    }
  }

  /** The walk as grad makes it, which frees as it goes: the bytes alive at each record, and the kernels of its rule. */
  #measure(): void {
    if (this.#stopped) return
    const { loss, sources } = this
    const observed = this.#observed
    const bytes = (): number => observed.backend.memory().bytes
    let at = -1
    let base = 0
    let open = 0
    const close = (): void => {
      if (at < 0) return
      this.#alive[at] = { before: open, peak: observed.peak - base }
      const visited = this.#visited[at]
      if (visited) visited.kernels = observed.calls.map(shown)
    }
    const places = new Map(this.tape.records.map(({ output }, i) => [output, i]))
    const tape = tapeOf(this.#heard, sources, ({ op, output }) => {
      const { vjp } = op
      if (typeof vjp !== 'function') return op
      const noted: typeof vjp = (...given) => {
        close()
        at = places.get(output) ?? -1
        open = bytes() - base
        observed.peak = bytes()
        observed.calls.length = 0
        return vjp(...given)
      }
      return { ...op, vjp: noted }
    })
    scope(() => {
      base = bytes()
      tape.backward(loss, onesLike(loss), sources)
      close()
    })
    observed.calls.length = 0
  }

  /** Goes back from a NaN or infinity to what made it. */
  #findBroken(): void {
    const { records } = this.tape
    const makers = new Map(records.map((record, i) => [record.output, i]))
    const bad = (tensor: Tensor): boolean => isFloat(tensor.dtype) && isBroken({ values: valuesOf(tensor) })
    if (bad(this.loss)) {
      const chain: number[] = []
      let tensor: Tensor | undefined = this.loss
      let last = this.loss
      while (tensor) {
        last = tensor
        const at = makers.get(tensor)
        if (at === undefined) break
        chain.push(at)
        tensor = records[at].inputs.find(bad)
      }
      const at = makers.get(last)
      const record = at === undefined ? undefined : records[at]
      const message = record ? checked(record) : `${this.#nameOf(last, undefined)} holds it already: no op of the tape made it.`
      this.#broken.push({ backward: false, step: chain.at(-1), chain, message })
      return
    }
    const first = this.#visited.findLastIndex(
      (each) => each && !isBroken(each.arrives) && each.sends.some((sent) => sent && isBroken(sent)),
    )
    if (first < 0) return
    let message = ''
    debugged(
      () => scope(() => this.tape.backward(this.loss, onesLike(this.loss), this.sources)),
      (error) => {
        message = error.message
      },
    )
    this.#broken.push({ backward: true, step: 2 * records.length - 1 - first, chain: [first], message })
  }

  /** The tape as the page shows it. */
  recorded(): Recorded {
    const { tape, loss, sources } = this
    const reached = new Set<Tensor>([loss])
    for (const { inputs, output } of [...tape.records].reverse()) if (reached.has(output)) for (const input of inputs) reached.add(input)
    let place = 0
    const rows: Row[] = []
    for (const { op, inputs, output, options, path, kernels } of this.#heard) {
      const record = tape.records[place]
      const onTape = record?.output === output && record.op === op
      const ends = !onTape && inputs.some((input) => tape.tracks(input))
      if (!onTape && !ends) continue
      const reason = typeof op.vjp === 'string' ? op.vjp : `its output is ${output.dtype}`
      rows.push({
        op: op.name,
        rule: typeof op.vjp === 'string' ? '' : op.rule,
        options: Object.keys(options).length > 0 ? JSON.stringify(options) : '',
        path,
        inputs: inputs.map((each) => this.#number(each)),
        output: this.#number(output),
        kernels: kernels.map(shown),
        record: onTape ? place : undefined,
        ends: ends ? reason : undefined,
        visited: onTape && reached.has(output),
      })
      if (onTape) place++
    }
    const made = new Map(tape.records.map(({ output }, i) => [output, i]))
    const size = ({ dtype, size }: Tensor): number => size * (dtype === 'float64' ? 8 : dtype === 'uint8' ? 1 : 4)
    let sum = 0
    const counted = new Set<unknown>(
      tape.records.flatMap(({ inputs }) => inputs.filter((each) => !made.has(each)).map(({ storage }) => storage)),
    )
    const held = tape.records.map(({ output }) => {
      if (!counted.has(output.storage)) sum += size(output)
      counted.add(output.storage)
      return sum
    })
    const value = valuesOf(loss)[0]
    return {
      backend: loss.backend.name,
      tensors: [...this.#numbers.keys()].map((tensor) => ({
        name: this.#nameOf(tensor, made.get(tensor)),
        shape: tensor.shape,
        dtype: tensor.dtype,
        bytes: size(tensor),
        madeBy: made.get(tensor),
        source: sources.includes(tensor),
      })),
      rows,
      records: tape.records.length,
      loss: this.#number(loss),
      value,
      sources: sources.map((source, i) => ({
        tensor: this.#number(source),
        why: this.#gradients[i] || this.#stopped || source === loss ? undefined : tape.explainBreak(source),
      })),
      held,
      alive: tape.records.map((_, i) => this.#alive[i]),
      broken: this.#broken,
      stopped: this.#stopped,
    }
  }

  /** Values made by records that records up to `last` use, the largest first. */
  #kept(made: number, last: number): Kept[] {
    const users = new Map<Tensor, number[]>()
    this.tape.records.slice(0, last + 1).forEach(({ inputs, output }, at) => {
      for (const each of [...inputs, output]) {
        const places = users.get(each)
        if (places) places.push(at)
        else users.set(each, [at])
      }
    })
    return this.tape.records
      .slice(0, made + 1)
      .filter(({ output }) => users.has(output))
      .map(({ output }) => ({
        tensor: this.#number(output),
        bytes: output.size * (output.dtype === 'float64' ? 8 : 4),
        users: [...new Set(users.get(output))],
      }))
      .sort((a, b) => b.bytes - a.bytes)
  }

  /** The values at a step: forward from 0, then backward, then the gradients. */
  step(at: number): Step {
    const { tape, loss } = this
    const { length } = tape.records
    if (at >= 2 * length) {
      return {
        kind: 'end',
        sources: this.sources.map((source, i) => ({
          tensor: this.#number(source),
          value: this.#value(source),
          gradient: this.#gradients[i],
          parts: this.#parts.get(source) ?? [],
        })),
      }
    }
    const record = at < length ? at : 2 * length - 1 - at
    const { inputs, output } = tape.records[record]
    const values = { record, inputs: inputs.map((each) => this.#value(each)), output: this.#value(output) }
    if (at < length) return { kind: 'forward', ...values, kept: this.#kept(record, length) }
    const visited = this.#visited[record]
    if (!visited) return { kind: 'passed', record }
    const before = inputs.map((input, i) => (this.#parts.get(input) ?? []).findIndex((part) => part.record === record && part.input === i))
    const makers = new Map(tape.records.map((each, i) => [each.output, i]))
    const waiting = [...this.#parts]
      .filter(([tensor, parts]) => {
        const maker = makers.get(tensor) ?? -1
        const begun = tensor === loss || parts.some((part) => part.record > record)
        return begun && (maker <= record || this.sources.includes(tensor))
      })
      .map(([tensor]) => this.#number(tensor))
    return {
      kind: 'backward',
      ...values,
      ...visited,
      parts: this.#parts.get(output) ?? [],
      before,
      kept: this.#kept(record, record),
      waiting,
    } satisfies BackwardStep
  }

  /** The cotangents of a record, for the comparison with central differences. */
  cotangents(record: number): Visited | undefined {
    return this.#visited[record]
  }
}

/** Runs `fn` with the library's check for numbers that are not finite. */
function debugged(fn: () => unknown, caught: (error: Error) => void): void {
  debug({ nonFinite: true })
  try {
    fn()
  } catch (error) {
    caught(error as Error)
  } finally {
    debug({ nonFinite: false })
  }
}

/** The library's message when a record runs again under its check. */
function checked({ op, inputs, options, path }: TapeRecord): string {
  let message = `${op.name} made it.`
  const again = (): unknown => scope(() => op.call(inputs, options))
  debugged(
    () => (path ? labelled(path, again) : again()),
    (error) => {
      message = error.message
    },
  )
  return message
}

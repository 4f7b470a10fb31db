/** One run of the reader's code: its tape, the walk back over it, and what can be asked about both. */
import { GradientError, onesLike, scope, type Tape, type Tensor } from '@cotangent/core'
import type { TensorValue } from '../shared/tensor-value.js'
import { axesOf } from './axes.js'
import { brokenBackward, brokenForward } from './broken.js'
import type { BackwardStep, Broken, Kept, Part, Recorded, Row, Step } from './data.js'
import { type Heard, tapeOf } from './listen.js'
import { type Measured, measureWalk } from './measure.js'
import type { Observed } from './observe.js'
import { lossIn, namesIn, sourcesOf } from './sources.js'
import { bytesOf, kernelOf, valuesOf } from './values.js'

/** The walk at one record. */
interface Visited {
  readonly arrives: TensorValue
  readonly sends: readonly (TensorValue | null)[]
}

export class Session {
  readonly tape: Tape
  readonly loss: Tensor
  readonly sources: readonly Tensor[]
  readonly #heard: readonly Heard[]
  readonly #names: Map<Tensor, string>
  readonly #numbers = new Map<Tensor, number>()
  readonly #axes: ReadonlyMap<Tensor, readonly [number, number]>
  /** For each tensor the parts of its cotangent, in the order in which they come. */
  readonly #parts = new Map<Tensor, Part[]>()
  readonly #visited: (Visited | undefined)[] = []
  readonly #measured: Measured
  readonly #broken: readonly Broken[]
  #gradients: readonly (TensorValue | undefined)[] = []
  #stopped: string | undefined

  constructor(all: readonly Heard[], variables: Readonly<Record<string, unknown>>, observed: Observed) {
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
    const { tape, loss, sources } = this
    this.#measured = this.#stopped ? { alive: [], kernels: [] } : measureWalk(tape, loss, sources, heard, observed)
    const broken =
      brokenForward(tape, loss, (tensor) => this.#nameOf(tensor, undefined)) ?? brokenBackward(tape, loss, sources, this.#visited)
    this.#broken = broken ? [broken] : []
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
          this.#visited[at] = { arrives: this.#value(record.output, valuesOf(dY)), sends }
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
        kernels: kernels.map(kernelOf),
        record: onTape ? place : undefined,
        ends: ends ? reason : undefined,
        visited: onTape && reached.has(output),
      })
      if (onTape) place++
    }
    const made = new Map(tape.records.map(({ output }, i) => [output, i]))
    let sum = 0
    const counted = new Set<unknown>(
      tape.records.flatMap(({ inputs }) => inputs.filter((each) => !made.has(each)).map(({ storage }) => storage)),
    )
    const held = tape.records.map(({ output }) => {
      if (!counted.has(output.storage)) sum += bytesOf(output)
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
        bytes: bytesOf(tensor),
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
      alive: tape.records.map((_, i) => this.#measured.alive[i]),
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
        bytes: bytesOf(output),
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
      kernels: this.#measured.kernels[record] ?? [],
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

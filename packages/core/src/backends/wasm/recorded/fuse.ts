/**
 * Neighbouring elementwise kernels of a recorded step become one where the value between them has no other reader: `x.sub(y).square()` goes through memory
 * once. The formulas of the kernels are used as they are, in the same order, so the bits are the same. And where relu comes before pooling, the mask of its
 * gradient becomes part of the gradient of the pooling.
 */
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js'
import { loadSplat, storeSome } from '../assembler/elements.js'
import { i32, v128 } from '../assembler/instructions.js'
import { floatFunctions, mapCheck, wideMaps } from '../elementwise/map.js'
import { floatZips } from '../elementwise/zip.js'
import type { Engine } from '../engine/engine.js'
import { entry } from '../engine/made-once.js'
import { oneWidth, twoWidths, type Widths } from '../engine/two-widths.js'
import { isConstant, valuesIn } from './plan.js'
import { type Recorded, RecordedOperand } from './recorder.js'

/** Elementwise formulas in order. An argument is an input of the chain, or the result of the step before it. */
interface ChainStep {
  readonly kernel: string
  readonly arguments: readonly (number | 'before')[]
}

/** Several elementwise kernels as one. */
export interface Chain {
  readonly kind: 'chain'
  readonly out: RecordedOperand
  readonly inputs: readonly RecordedOperand[]
  readonly steps: readonly ChainStep[]
}

/** Functions of one or two instructions, or a few: long ones take their time in computing, not in memory. */
const maps = ['neg', 'abs', 'sign', 'square', 'relu', 'sqrt', 'rsqrt', 'reciprocal', 'exp', 'log', 'tanh', 'sigmoid', 'softplus'] as const
const zips = ['add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'mulNoNaN', 'gate'] as const
const isMap = (kernel: string): kernel is (typeof maps)[number] => (maps as readonly string[]).includes(kernel)
const isZip = (kernel: string): kernel is (typeof zips)[number] => (zips as readonly string[]).includes(kernel)

/** The most inputs of a chain: pointers and vectors have to fit the registers. */
const MOST_INPUTS = 6

/** A call as a step of a chain: the formula with its operands. Undefined for all other calls. */
function elementwise(call: Recorded | undefined): { out: RecordedOperand; inputs: RecordedOperand[]; kernel: string } | undefined {
  if (call?.kind !== 'kernel' || call.table !== 'kernels' || (call.name !== 'map' && call.name !== 'zip')) return undefined
  const operands = call.values.filter((value) => value instanceof RecordedOperand)
  const [out, ...inputs] = operands
  const kernel = call.values.at(-1) as string
  if (!(call.name === 'map' ? isMap(kernel) : isZip(kernel)) || operands.some(({ dtype }) => dtype !== 'float32') || out.size === 0)
    return undefined
  // Operands are whole, or one number.
  return inputs.every(({ size }) => size === out.size || size === 1) ? { out, inputs, kernel } : undefined
}

type KernelCall = Extract<Recorded, { kind: 'kernel' }>

/** The gradient of a pooling and the mask of a relu before it, `gate(maxPool2dGradient(x, dY), x)`, as one call; undefined for all other neighbours. */
function gatedPooling(call: Recorded, next: Recorded | undefined, isBetween: (value: number) => boolean): KernelCall | undefined {
  if (call.kind !== 'kernel' || call.name !== 'maxPool2dGradient' || next?.kind !== 'kernel' || next.values.at(-1) !== 'gate')
    return undefined
  const [dX, x, ...rest] = call.values as RecordedOperand[]
  const [out, a, b] = next.values as RecordedOperand[]
  if (!isBetween(dX.value) || a.value !== dX.value || b.value !== x.value || a.size !== b.size) return undefined
  return { ...call, values: [new RecordedOperand(out.value, dX), x, ...rest, true] }
}

/**
 * The calls of a step with chains in the place of neighbouring elementwise kernels.
 *
 * @param kept values that are needed after the step
 */
export function fuse(recorded: readonly Recorded[], kept: ReadonlySet<number>): (Recorded | Chain)[] {
  // Constants, such as the 2 of x.mul(2), would stand between neighbours.
  const calls = [...recorded.filter(isConstant), ...recorded.filter((call) => !isConstant(call))]
  const mentions = new Map<number, number>()
  for (const call of calls) for (const value of valuesIn(call)) mentions.set(value, (mentions.get(value) ?? 0) + 1)
  const fused: (Recorded | Chain)[] = []
  // Two calls name a value between them: the one that makes it and the one that reads it.
  const isBetween = (value: number): boolean => mentions.get(value) === 2 && !kept.has(value)
  for (let i = 0; i < calls.length; i++) {
    const pooled = gatedPooling(calls[i], calls[i + 1], isBetween)
    if (pooled) {
      fused.push(pooled)
      i++
      continue
    }
    const first = elementwise(calls[i])
    if (!first) {
      fused.push(calls[i])
      continue
    }
    let { out } = first
    const inputs: RecordedOperand[] = []
    const steps: ChainStep[] = []
    const place = (input: RecordedOperand): number => {
      const known = inputs.findIndex(({ value, size }) => value === input.value && size === input.size)
      return known >= 0 ? known : inputs.push(input) - 1
    }
    steps.push({ kernel: first.kernel, arguments: first.inputs.map(place) })
    for (let next = elementwise(calls[i + 1]); next; next = elementwise(calls[i + 1])) {
      const before = out
      const reads = next.inputs.some(({ value }) => value === before.value)
      if (!reads || !isBetween(before.value) || next.out.size !== before.size) break
      const others = next.inputs.filter(({ value }) => value !== before.value)
      if (new Set([...inputs, ...others].map(({ value }) => value)).size > MOST_INPUTS) break
      steps.push({ kernel: next.kernel, arguments: next.inputs.map((input) => (input.value === before.value ? 'before' : place(input))) })
      out = next.out
      i++
      if (i + 1 >= calls.length) break
    }
    fused.push(steps.length === 1 ? calls[i] : { kind: 'chain', out, inputs, steps })
  }
  return fused
}

/** Writes `kernel(out, n, inputs…)`. `single`: which inputs are one number. */
function emitChain(module: ModuleBuilder, steps: readonly ChainStep[], single: readonly boolean[]): void {
  const parameters: Record<string, 'i32'> = { out: 'i32', n: 'i32' }
  for (const i of single.keys()) parameters[`input${i}`] = 'i32'
  module.export('kernel', parameters, null, (f, p) => {
    const { out, n } = p
    const inputs = single.map((_, i) => p[`input${i}`])
    const numbers = single.map((is, i) => (is ? f.let(loadSplat('float32', inputs[i])) : undefined))
    const result = (offset: number): Local<'v128'> => {
      const loaded = inputs.map((input, i) => numbers[i] ?? f.let(v128.load(input, offset)))
      return emitSteps(f, steps, loaded)
    }
    const pass = (vectors: number): void => {
      const results = Array.from({ length: vectors }, (_, v) => result(16 * v))
      results.forEach((value, v) => {
        f.do(v128.store(out, value, 16 * v))
      })
      for (const [i, input] of inputs.entries()) if (!single[i]) f.advance(input, 16 * vectors)
      f.advance(out, 16 * vectors)
      f.advance(n, -4 * vectors)
    }
    f.while(i32.geS(n, 8), () => pass(2))
    f.while(i32.geS(n, 4), () => pass(1))
    f.if(n, () => storeSome(f, 'float32', out, result(0), n))
  })
}

function emitSteps(f: FunctionBuilder, steps: readonly ChainStep[], inputs: readonly Local<'v128'>[]): Local<'v128'> {
  let before = inputs[0]
  for (const { kernel, arguments: taken } of steps) {
    const [a, b] = taken.map((argument) => (argument === 'before' ? before : inputs[argument]))
    before = f.let(isMap(kernel) ? floatFunctions[kernel](f, a) : floatZips[kernel as (typeof zips)[number]](f, a, b))
  }
  return before
}

/** Rough nanoseconds of an element in a step of a chain. */
const PER_STEP = 0.3

const compiled = new WeakMap<Engine, Map<string, Widths>>()

/** Runs a chain; `address` gives the place of an operand. */
export function runChain(engine: Engine, { out, inputs, steps }: Chain, address: (operand: RecordedOperand) => number): void {
  const single = inputs.map(({ size }) => size !== out.size)
  const kernels = compiled.get(engine) ?? new Map<string, Widths>()
  compiled.set(engine, kernels)
  const widths = entry(kernels, JSON.stringify([steps, single]), () => {
    const build = (module: ModuleBuilder): void => emitChain(module, steps, single)
    const isLong = steps.some(({ kernel }) => (wideMaps as readonly string[]).includes(kernel))
    return isLong ? twoWidths(engine, mapCheck, build) : oneWidth(engine, build)
  })
  const [to, from] = [address(out), inputs.map(address)]
  widths(out.size, (run) =>
    engine.split(out.size, 64, out.size * steps.length * PER_STEP, (begin, end, call) =>
      call(run, to + 4 * begin, end - begin, ...from.map((at, i) => (single[i] ? at : at + 4 * begin))),
    ),
  )
}

/**
 * A small WebAssembly assembler: modules and functions written in TypeScript.
 *
 * ```ts
 * const bytes = assemble({ shared: false, relaxed: false }, (module) => {
 *   module.export('sum', { x: 'i32', end: 'i32' }, 'f32', (f, { x, end }) => {
 *     const sum = f.local('f32')
 *     f.while(i32.ltU(x, end), () => {
 *       f.set(sum, f32.add(sum, f32.load(x)))
 *       f.advance(x, 4)
 *     })
 *     return sum
 *   })
 * })
 * ```
 *
 *
 * Expressions come from instructions.ts. A `FunctionBuilder` adds everything that has an order: locals, statements and control
 * flow. Code is written once, straight into a byte buffer. A constant that a loop needs (`f.splat(1.5)`) becomes a local; the
 * function sets it once, at its start, however deep in loops it is asked for.
 *
 * Every module imports one memory, `env.memory`, and exports functions. It has nothing else: no tables, globals or data.
 * Format: WebAssembly Core Specification 2.0, section 5.
 *
 * The file is longer than 300 lines because the builder of functions and the builder of modules share their types and encodings.
 */
import { ByteBuffer } from './byte-buffer.js'
import { f32x4, f64x2, type I32, i32, i32x4, i64x2, type Statement, type Value, type ValueType, type Vector } from './instructions.js'

/** The most pages (64 KiB each) that a 32-bit memory can have. */
export const MAX_PAGES = 65536

const typeCode: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b }

/** A local variable. Used as a value, it is read. */
export interface Local<T extends ValueType> extends Value<T> {
  readonly index: number
}

/** Where a branch goes: the end of a block or the start of a loop. */
export interface Label {
  readonly depth: number
}

export type Parameters = Readonly<Record<string, ValueType>>
export type ParameterLocals<P extends Parameters> = { readonly [name in keyof P]: Local<P[name]> }

/** A function of the module that other functions of the module can call. */
export interface FunctionReference<R extends ValueType> {
  readonly index: number
  readonly result: R
}

/** Options of a module. */
export interface ModuleOptions {
  /** The memory it imports is shared between threads. */
  readonly shared: boolean
  /** It may use relaxed SIMD: `f.madd` is then a fused multiply-add if the machine has one. */
  readonly relaxed: boolean
  /** Functions that only other functions call are exported too, as `function 0` and so on, so that an engine can name them. */
  readonly exportsAll?: boolean
}

/** The name of an export that is no kernel. */
export const isInner = (name: string): boolean => name.startsWith('function ')

/** Writes the body of one function. */
export class FunctionBuilder {
  readonly relaxed: boolean
  private readonly body = new ByteBuffer()
  /** Sets the constants that were moved out of loops; runs before the body. */
  private readonly prologue = new ByteBuffer()
  private readonly locals: ValueType[] = []
  private readonly parameterCount: number
  private readonly constants = new Map<string, Local<'v128'>>()
  private depth = 0

  constructor(parameterCount: number, relaxed: boolean) {
    this.parameterCount = parameterCount
    this.relaxed = relaxed
  }

  /** A new variable, zero at first. */
  local<T extends ValueType>(type: T): Local<T> {
    return localAt(this.parameterCount + this.locals.push(type) - 1, type)
  }

  /** A new variable that holds the value. */
  let<T extends ValueType>(value: Value<T>): Local<T> {
    const local = this.local(value.type)
    value.emit(this.body)
    this.setFromStack(local)
    return local
  }

  set<T extends ValueType>(local: Local<T>, value: T extends 'i32' ? I32 : Value<T>): void {
    if (typeof value === 'number') i32.const(value).emit(this.body)
    else value.emit(this.body)
    this.setFromStack(local)
  }

  private setFromStack(local: Local<ValueType>): void {
    this.body.byte(0x21)
    this.body.unsigned(local.index)
  }

  /** local += amount, for pointers and counters. */
  advance(local: Local<'i32'>, amount: I32): void {
    this.set(local, i32.add(local, amount))
  }

  do(...statements: readonly Statement[]): void {
    for (const statement of statements) statement.emit(this.body)
  }

  /** A constant vector of four floats, set once at the start of the function. */
  splat(value: number): Local<'v128'> {
    return this.hoist(`f32 ${Object.is(value, -0) ? '-0' : value}`, f32x4.const(value))
  }

  /** A constant vector of two doubles, set once at the start of the function. */
  splat64(value: number): Local<'v128'> {
    return this.hoist(`f64 ${Object.is(value, -0) ? '-0' : value}`, f64x2.const(value))
  }

  /** A constant vector of four integers: four different ones, or one number for all lanes. Set once at the start of the function. */
  splatInt(a: number, b = a, c = a, d = a): Local<'v128'> {
    return this.hoist(`i32 ${a} ${b} ${c} ${d}`, i32x4.const(a, b, c, d))
  }

  /** A constant vector of two 64-bit integers, set once at the start of the function. */
  splatLong(value: bigint): Local<'v128'> {
    return this.hoist(`i64 ${value}`, i64x2.const(value))
  }

  private hoist(key: string, value: Vector): Local<'v128'> {
    let local = this.constants.get(key)
    if (!local) {
      local = this.local('v128')
      this.constants.set(key, local)
      value.emit(this.prologue)
      this.prologue.byte(0x21)
      this.prologue.unsigned(local.index)
    }
    return local
  }

  /** x·y + z in four floats. With relaxed SIMD it is fused (one rounding); without, it is two operations (two roundings). */
  madd(x: Vector, y: Vector, z: Vector): Vector {
    return this.relaxed ? f32x4.relaxedMadd(x, y, z) : f32x4.add(f32x4.mul(x, y), z)
  }

  /** A block of code; `break` jumps to its end. */
  block(body: (end: Label) => void): void {
    this.nest(0x02, body)
  }

  /** A loop; `break` jumps back to its start. Without a `break` it ends after one turn. */
  loop(body: (again: Label) => void): void {
    this.nest(0x03, body)
  }

  /** Jumps to a label; with a condition, only if the condition is not zero. */
  break(label: Label, condition?: I32): void {
    if (condition !== undefined) {
      const value = typeof condition === 'number' ? i32.const(condition) : condition
      value.emit(this.body)
    }
    this.body.byte(condition === undefined ? 0x0c : 0x0d)
    this.body.unsigned(this.depth - label.depth)
  }

  if(condition: Value<'i32'>, then: () => void, otherwise?: () => void): void {
    condition.emit(this.body)
    this.nest(0x04, () => {
      then()
      if (otherwise) {
        this.body.byte(0x05)
        otherwise()
      }
    })
  }

  /** A while loop. The condition is tested once before the first turn, then at the end of each turn; this saves a jump a turn. */
  while(condition: Value<'i32'>, body: () => void): void {
    this.if(condition, () => {
      this.loop((again) => {
        body()
        this.break(again, condition)
      })
    })
  }

  /** for (i = from; i < to; i += step), signed. */
  for(from: I32, to: I32, step: I32, body: (i: Local<'i32'>) => void): void {
    const i = this.local('i32')
    this.set(i, from)
    this.while(i32.ltS(i, to), () => {
      body(i)
      this.advance(i, step)
    })
  }

  /** Returns from the function. */
  return(value?: Value<ValueType>): void {
    value?.emit(this.body)
    this.body.byte(0x0f)
  }

  private nest(opcode: number, body: (label: Label) => void): void {
    this.body.byte(opcode)
    this.body.byte(0x40) // no parameters, no results
    this.depth++
    body({ depth: this.depth })
    this.depth--
    this.body.byte(0x0b)
  }

  /** The function in the form of the code section: size, groups of locals, constants, body, end. */
  finish(result: Value<ValueType> | undefined): ByteBuffer {
    result?.emit(this.body)
    const code = new ByteBuffer()
    const groups: { type: ValueType; count: number }[] = []
    for (const type of this.locals) {
      const last = groups.at(-1)
      if (last?.type === type) last.count++
      else groups.push({ type, count: 1 })
    }
    code.unsigned(groups.length)
    for (const { type, count } of groups) {
      code.unsigned(count)
      code.byte(typeCode[type])
    }
    code.append(this.prologue)
    code.append(this.body)
    code.byte(0x0b)
    const sized = new ByteBuffer()
    sized.unsigned(code.length)
    sized.append(code)
    return sized
  }
}

function localAt<T extends ValueType>(index: number, type: T): Local<T> {
  return {
    index,
    type,
    emit(code) {
      code.byte(0x20)
      code.unsigned(index)
    },
  }
}

/** Calls a function of the same module. */
export function call<R extends ValueType>(callee: FunctionReference<R>, ...values: readonly I32[] | readonly Value<ValueType>[]): Value<R> {
  return {
    type: callee.result,
    emit(code) {
      for (const value of values) {
        if (typeof value === 'number') i32.const(value).emit(code)
        else value.emit(code)
      }
      code.byte(0x10)
      code.unsigned(callee.index)
    },
  }
}

/** Collects the functions of one module. */
export class ModuleBuilder {
  readonly options: ModuleOptions
  private readonly signatures: ByteBuffer[] = []
  private readonly bodies: ByteBuffer[] = []
  private readonly exports: { name: string; index: number }[] = []
  /** The names of each function's parameters. */
  private readonly parameterNames: string[][] = []

  constructor(options: ModuleOptions) {
    this.options = options
  }

  /** Adds a function that other functions of the module call. */
  function<P extends Parameters, R extends ValueType>(
    parameters: P,
    result: R,
    body: (f: FunctionBuilder, locals: ParameterLocals<P>) => Value<R>,
  ): FunctionReference<R> {
    const index = this.define(parameters, result, body)
    if (this.options.exportsAll) this.exports.push({ name: `function ${index}`, index })
    return { index, result }
  }

  /** Adds a function that JavaScript calls. */
  export<P extends Parameters>(
    name: string,
    parameters: P,
    result: ValueType | null,
    // biome-ignore lint/suspicious/noConfusingVoidType: a body without a result returns nothing
    body: (f: FunctionBuilder, locals: ParameterLocals<P>) => Value<ValueType> | void,
  ): void {
    this.exports.push({ name, index: this.define(parameters, result, body) })
  }

  private define<P extends Parameters>(
    parameters: P,
    result: ValueType | null,
    // biome-ignore lint/suspicious/noConfusingVoidType: a body without a result returns nothing
    body: (f: FunctionBuilder, locals: ParameterLocals<P>) => Value<ValueType> | void,
  ): number {
    const types = Object.values(parameters)
    const signature = new ByteBuffer()
    signature.byte(0x60)
    signature.unsigned(types.length)
    for (const type of types) signature.byte(typeCode[type])
    signature.unsigned(result ? 1 : 0)
    if (result) signature.byte(typeCode[result])

    const locals = Object.fromEntries(Object.entries(parameters).map(([name, type], index) => [name, localAt(index, type)]))
    const f = new FunctionBuilder(types.length, this.options.relaxed)
    const value = body(f, locals as ParameterLocals<P>)
    this.signatures.push(signature)
    this.parameterNames.push(Object.keys(parameters))
    return this.bodies.push(f.finish(value ?? undefined)) - 1
  }

  /** The module in the binary format. */
  finish(): Uint8Array {
    const out = new ByteBuffer()
    for (const byte of [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]) out.byte(byte) // "\0asm", version 1
    const section = (id: number, items: number, write: (into: ByteBuffer) => void): void => {
      const content = new ByteBuffer()
      content.unsigned(items)
      write(content)
      out.byte(id)
      out.unsigned(content.length)
      out.append(content)
    }
    // One type per function: modules are small, so equal signatures are not merged.
    section(1, this.signatures.length, (into) => {
      for (const signature of this.signatures) into.append(signature)
    })
    section(2, 1, (into) => {
      into.name('env')
      into.name('memory')
      into.byte(0x02)
      // A shared memory must state a maximum (flags 3). Ours states the largest there can be. Otherwise only a minimum is stated.
      into.byte(this.options.shared ? 0x03 : 0x00)
      into.unsigned(1)
      if (this.options.shared) into.unsigned(MAX_PAGES)
    })
    section(3, this.signatures.length, (into) => {
      for (let i = 0; i < this.signatures.length; i++) into.unsigned(i)
    })
    section(7, this.exports.length, (into) => {
      for (const { name, index } of this.exports) {
        into.name(name)
        into.byte(0x00)
        into.unsigned(index)
      }
    })
    section(10, this.bodies.length, (into) => {
      for (const body of this.bodies) into.append(body)
    })
    this.#nameParameters(out)
    return out.view()
  }

  /** The custom section "name": debuggers and the kernel lens show parameters by their names. Engines need it not. */
  #nameParameters(out: ByteBuffer): void {
    const names = new ByteBuffer()
    names.unsigned(this.parameterNames.length)
    this.parameterNames.forEach((parameters, index) => {
      names.unsigned(index)
      names.unsigned(parameters.length)
      parameters.forEach((name, i) => {
        names.unsigned(i)
        names.name(name)
      })
    })
    const section = new ByteBuffer()
    section.name('name')
    section.byte(2) // the names of locals
    section.unsigned(names.length)
    section.append(names)
    out.byte(0)
    out.unsigned(section.length)
    out.append(section)
  }
}

/** The bytes of a module. */
export function assemble(options: ModuleOptions, build: (module: ModuleBuilder) => void): Uint8Array {
  const module = new ModuleBuilder(options)
  build(module)
  return module.finish()
}

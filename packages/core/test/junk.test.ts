/**
 * Wrong arguments. Every exported function, class and method is called with junk in the place of each argument and of each option, one at a time. It must
 * throw an error of the library that begins with its name (or says in which op it happened). If the value happens to be right, it must return sound tensors.
 * Either way nothing leaks, and the engine goes on. `junk-table.ts` has a valid call of each.
 */
import { afterEach, describe, expect, test } from 'vitest'
import * as c from '../src/index.js'
import { Tensor } from '../src/index.js'
import { classes, type Kind, methods, type Row, table, without } from './junk-table.js'

/** Values that are wrong in most places. A row of the table says where one of them is right. */
const junk: Record<string, () => unknown> = {
  undefined: () => undefined,
  null: () => null,
  text: () => 'abc',
  'text of a number': () => '1',
  NaN: () => Number.NaN,
  'a number': () => 1,
  true: () => true,
  'a BigInt': () => 3n,
  'a BigInt64Array': () => BigInt64Array.of(1n, 2n),
  'an empty array': () => [],
  'an array of text': () => ['1', '2'],
  'an empty object': () => ({}),
  'an unknown option': () => ({ nonsense: 1 }),
  'a function': () => () => undefined,
  'a Promise': () => Promise.resolve(1),
  'a symbol': () => Symbol('s'),
}

/** Tensors for the place of a tensor: the call must refuse them or return a sound result. */
const tensorsOfAnyShape: Record<string, () => Tensor> = {
  'a scalar': () => c.scalar(2),
  'five axes': () => c.ones([1, 2, 1, 2, 1]),
  'three axes': () => c.ones([2, 3, 2]),
  'one axis': () => c.ones([3]),
  'no elements': () => c.zeros([0, 3]),
  'no elements, no columns': () => c.zeros([2, 0]),
  int32: () => c.ones([2, 3], { dtype: 'int32' }),
  bool: () => c.ones([2, 3], { dtype: 'bool' }),
  'values that are NaN': () => c.full([2, 3], Number.NaN),
}

interface Case {
  /** The junk and its place: `argument 1: null`. */
  label: string
  args: unknown[]
  /** This value may be right in this place. */
  fine: boolean
}

const values = (kinds: readonly Kind[]): unknown[] => kinds.map((kind) => kind.make())

function casesOf(kinds: readonly Kind[]): Case[] {
  const cases: Case[] = []
  kinds.forEach((kind, at) => {
    const add = (label: string, value: unknown, fine: boolean): void => {
      cases.push({ label: `argument ${at}: ${label}`, args: values(kinds).map((v, i) => (i === at ? value : v)), fine })
    }
    const add1 = (of: Kind, where: string, put: (value: unknown) => unknown): void => {
      for (const [label, make] of Object.entries(junk)) add(`${where}${label}`, put(make()), of.fine.includes(label))
      for (const [label, make] of Object.entries(of.also ?? {})) add(`${where}${label}`, put(make()), false)
      if (of.tensor) for (const [label, make] of Object.entries(tensorsOfAnyShape)) add(`${where}${label}`, put(make()), true)
      if (!of.tensor && !of.parts) add(`${where}a tensor`, put(c.ones([1, 2])), false)
    }
    add1(kind, '', (value) => value)
    for (const [name, part] of Object.entries(kind.parts ?? {})) {
      add1(part, `${name}: `, (value) => ({ ...(kind.make() as object), [name]: value }))
      const misspelt = `${name}s`
      add(`the unknown option ${misspelt}`, { [misspelt]: part.make() }, false)
    }
    if (kind.parts) {
      add('an array', [1], false)
      add('a tensor', c.ones([1]), false)
    }
  })
  return cases
}

const tensorsIn = (value: unknown, found = new Set<Tensor>()): Set<Tensor> => {
  if (value instanceof Tensor) found.add(value)
  else if (Array.isArray(value)) for (const item of value) tensorsIn(item, found)
  else if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype)
    for (const item of Object.values(value)) tensorsIn(item, found)
  return found
}

async function requireSound(tensor: Tensor): Promise<void> {
  if (tensor.disposed) return
  for (const size of tensor.shape) expect(Number.isSafeInteger(size) && size >= 0, `a size is ${size}`).toBe(true)
  expect((await tensor.data()).length).toBe(c.sizeOf(tensor.shape))
}

async function requireHealthy(): Promise<void> {
  const y = c.ones([3]).add(1)
  expect([...(await y.data())]).toEqual([2, 2, 2])
  y.dispose()
  const { bytes, buffers } = c.memory()
  expect(Number.isSafeInteger(bytes) && Number.isSafeInteger(buffers), `memory() says ${bytes} bytes`).toBe(true)
}

/** Makes each call in turn; returns what went wrong. */
async function faultsOf(name: string, { args, says }: Row, call: (args: unknown[]) => unknown): Promise<string[]> {
  const faults: string[] = []
  const begins = says ?? new RegExp(`^${name}\\b`)
  for (const one of [{ label: 'nothing', args: values(args), fine: true }, ...casesOf(args)]) {
    const before = c.memory().tensors
    const given = tensorsIn(one.args)
    let outcome: string | undefined
    let result: unknown
    try {
      result = await call(one.args)
      if (!one.fine) outcome = 'it was taken'
    } catch (error) {
      const { message } = error as Error
      if (!(error instanceof c.CotangentError)) outcome = `a foreign error: ${error}`
      else if (one.label === 'nothing') outcome = `the valid call was refused: ${message}`
      else if (!begins.test(message) && !message.includes(`in op ${name}(`))
        outcome = `the message does not begin with the name: ${message.split('\n')[0]}`
    }
    const mine = [...tensorsIn(result)].filter((tensor) => !given.has(tensor))
    for (const tensor of mine) {
      try {
        await requireSound(tensor)
      } catch (error) {
        outcome ??= `the result is not sound: ${(error as Error).message}`
      }
      tensor.dispose()
    }
    const leaked = c.memory().tensors - before
    if (leaked > 0) outcome ??= `${leaked} tensors leaked`
    for (const tensor of given) tensor.dispose()
    await requireHealthy()
    if (outcome) faults.push(`${name}, ${one.label}: ${outcome}`)
  }
  return faults
}

const exported = Object.entries(c).filter(([, value]) => typeof value === 'function') as [string, (...args: unknown[]) => unknown][]
const isClass = (value: object): boolean => /^class\b/.test(Function.prototype.toString.call(value))
const isError = (value: object): boolean => 'prototype' in value && (value.prototype as object | undefined) instanceof Error

describe('wrong arguments are refused by the name of the function, and nothing breaks', () => {
  test('every export has a row', () => {
    const expected = exported.filter(([name, value]) => !isError(value) && !(name in without)).map(([name]) => name)
    expect([...Object.keys(table), ...Object.keys(classes)].sort()).toEqual(expected.sort())
  })
  test('every method has a row', () => {
    const own = Object.getOwnPropertyNames(Tensor.prototype).filter(
      (name) => typeof Object.getOwnPropertyDescriptor(Tensor.prototype, name)?.value === 'function',
    )
    const skipped = ['constructor', 'releaser', 'requireLive', 'valueOf']
    expect(own.filter((name) => !(name in table || name in methods || skipped.includes(name)))).toEqual([])
  })

  const functions = exported.filter(([name, value]) => name in table && !isClass(value))
  test.each(functions.map(([name]) => name))('%s', async (name) => {
    expect(
      await faultsOf(name, table[name], (args) => (c as unknown as Record<string, (...a: unknown[]) => unknown>)[name](...args)),
    ).toEqual([])
  })
  test.each(Object.keys(classes))('new %s', async (name) => {
    const Made = (c as unknown as Record<string, new (...a: unknown[]) => unknown>)[name]
    expect(await faultsOf(name, classes[name], (args) => new Made(...args))).toEqual([])
  })

  const chained = Object.getOwnPropertyNames(Tensor.prototype).filter((name) => name in table && !(name in methods))
  test.each(chained)('x.%s', async (name) => {
    const row = table[name]
    const method = (args: unknown[]): unknown => (args[0] as Record<string, (...a: unknown[]) => unknown>)[name](...args.slice(1))
    const faults = await faultsOf(name, row, (args) => (args[0] instanceof Tensor ? method(args) : c.square(args[0] as Tensor)))
    // Junk in the place of the first argument is no fault of the method.
    const own = faults.filter((fault) => !fault.includes('argument 0'))
    const extra = [...values(row.args), 7]
    expect(() => method(extra), 'one argument more').toThrow(new RegExp(`^${name}\\b`))
    for (const tensor of tensorsIn(extra)) tensor.dispose()
    expect(own).toEqual([])
  })
  test.each(Object.keys(methods))('x.%s', async (name) => {
    const x = c.ones([1])
    const row = methods[name]
    const faults = await faultsOf(name, row, (args) => (x as unknown as Record<string, (...a: unknown[]) => unknown>)[name](...args))
    x.dispose()
    expect(faults).toEqual([])
  })
})

afterEach(() => {
  c.debug({ nonFinite: false, leaks: false })
})

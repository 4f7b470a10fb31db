import { tensor } from '@cotangent/core'
import * as core from '@cotangent/core/arguments'
import { describe, expect, test } from 'vitest'
import * as ours from './arguments.js'
import { DatasetError } from './errors.js'
import { nearest } from './spelling.js'

const values: readonly unknown[] = [
  ...[null, undefined, 'abc', 'x'.repeat(40), '3', '', 3, -1, 0.5, 2 ** 60, Number.NaN, Infinity, 3n, true, Symbol.iterator, [], [1, 2]],
  ...[new Float32Array(3), new DataView(new ArrayBuffer(4)), new ArrayBuffer(3), new Map(), Promise.resolve(1), {}, { a: 1, b: 2 }],
  ...[{ a: 1, b: 2, c: 3, d: 4, e: 5 }, Object.create(null), () => 1, Math.max, 'nice', 'pre'],
]

const message = (run: () => unknown): string | undefined => {
  try {
    run()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

describe("the words are core's", () => {
  test.each(values.map((value) => [value]))('about %o', (value) => {
    if (typeof value !== 'symbol') expect(ours.describeValue(value)).toBe(core.describeValue(value))
    const same = (a: () => unknown, b: () => unknown): void => expect(message(a)).toBe(message(b))
    for (const range of [{}, { least: 1 }, { most: 2 }, { least: 0, most: 1 }]) {
      same(
        () => ours.requireNumber('f', 'x', value, range),
        () => core.requireNumber('f', 'x', value, range),
      )
      same(
        () => ours.requireWhole('f', 'x', value, range),
        () => core.requireWhole('f', 'x', value, range),
      )
    }
    same(
      () => ours.requireBoolean('f', 'x', value),
      () => core.requireBoolean('f', 'x', value),
    )
    same(
      () => ours.requireFunction('f', 'x', value),
      () => core.requireFunction('f', 'x', value),
    )
    for (const choices of [['pre', 'post', 'mice'], ['pre']]) {
      same(
        () => ours.requireChoice('f', 'x', value, choices),
        () => core.requireChoice('f', 'x', value, choices),
      )
    }
  })

  test('about a tensor', () => {
    const x = tensor([[1, 2, 3]])
    expect(ours.describeValue(x)).toBe(core.describeValue(x))
    x.dispose()
  })

  test('about options, and what is near to one', () => {
    const names = ['batchSize', 'maxlen', 'shuffle']
    for (const key of ['batch', 'batch_sise', 'BatchSize', 'maxLength', 'shufle', 'constructor', 'x'.repeat(200), '']) {
      expect(ours.unknownOption('f', key, names).message).toBe(core.unknownOption('f', key, names).message)
      expect(nearest(key, names)).toBe(core.nearest(key, names))
    }
    expect(ours.unknownOption('f', 'a', []).message).toBe(core.unknownOption('f', 'a', []).message)
    for (const given of [null, 3, 'x', [], new Float32Array(2), Promise.resolve(1)]) {
      expect(message(() => ours.readOptions('f', given as object, { a: () => {} }))).toBe(
        message(() => core.requireOptions('f', given, ['a'])),
      )
    }
  })
})

describe('readOptions', () => {
  const checks: ours.Checks<{ batchSize?: number; name?: string | null }> = {
    batchSize: ours.whole({ least: 1 }),
    name: ours.orNull(ours.requireText),
  }
  const read = (given: object | undefined) => ours.readOptions('f', given, checks)

  test('both spellings; undefined is left out, null is kept', () => {
    expect(read({ batch_size: 3, name: null })).toEqual({ batchSize: 3, name: null })
    expect(read({ batchSize: undefined })).toEqual({})
    expect(read(undefined)).toEqual({})
  })
  test('inherited options count, methods of an instance do not', () => {
    expect(read(Object.create({ batchSize: 2 }))).toEqual({ batchSize: 2 })
    class Settings {
      batchSize = 2
      describe(): string {
        return 'x'
      }
    }
    expect(read(new Settings())).toEqual({ batchSize: 2 })
  })
  test.each<[object, string]>([
    [{ batchsize: 3 }, 'f: there is no option "batchsize". Did you mean "batchSize"? Options: batchSize, name.'],
    [{ toString: 3 }, 'f: there is no option "toString". Options: batchSize, name.'],
    [{ batchSize: '32' }, 'f: batchSize must be a whole number, at least 1, got text "32". Convert it first: Number("32").'],
    [{ batchSize: 1, batch_size: 2 }, 'f: the option batchSize is there twice, in two spellings.'],
    [{ name: 5 }, 'f: name must be text, got 5.'],
  ])('refuses %o', (given, expected) => {
    expect(() => read(given)).toThrow(new DatasetError(expected))
  })
})

describe('bytes', () => {
  test.each<[unknown, string]>([
    [new ArrayBuffer(2), 'f: bytes must be a Uint8Array, got an ArrayBuffer. Write new Uint8Array(buffer).'],
    [new Uint8ClampedArray(2), 'f: bytes must be a Uint8Array, got an Uint8ClampedArray of 2. Write new Uint8Array(buffer).'],
    ['abc', 'f: bytes must be a Uint8Array, got text "abc".'],
  ])('%o', (value, expected) => {
    expect(() => ours.requireBytes('f', value)).toThrow(new DatasetError(expected))
  })
  test("Node's Buffer is one", () => expect(() => ours.requireBytes('f', Buffer.from('a'))).not.toThrow())
})

import { existsSync } from 'node:fs'
import fc from 'fast-check'
import { zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import { bytesOf } from '../../test/pickles.js'
import { ndarray } from '../array.js'
import { DatasetError } from '../errors.js'
import { parseNpy, parseNpyLists } from './npy.js'
import { type NpzEntry, parseNpz, writeNpy, writeNpz } from './npy-files.js'
import { unpickleLists } from './pickle.js'
import { unzip, zip } from './zip.js'

const lists = [[1, 2, 300], [], [70000, -5, 2 ** 31 - 1], [0, 1, 2, 3, 4]]
const plain = (found: readonly Int32Array[]): number[][] => found.map((list) => [...list])
const text = (s: string): number[] => [...Buffer.from(s)]

describe('unpickleLists', () => {
  test.each([2, 3, 4, 5])('reads an array of lists in protocol %i', (protocol) => {
    expect(plain(unpickleLists(bytesOf(`protocol ${protocol}`), 4))).toEqual(lists)
  })

  test('a list that is there twice', () => {
    expect(plain(unpickleLists(bytesOf('shared'), 4))).toEqual([
      [7, 8],
      [7, 8],
    ])
  })

  test.each([
    ['os.system p3', '"posix.system", which is refused: only NumPy arrays of lists of whole numbers are read, and nothing is executed'],
    ['os.system p4', '"posix.system", which is refused'],
    ['eval inside', '"builtins.eval", which is refused'],
    ['floats', 'the instruction BINFLOAT 47 is refused'],
    ['dict', 'the instruction EMPTY_DICT 7d is refused'],
    ['big', 'the number 1099511627776, which int32 cannot hold'],
    ['strings', 'item 0 is no list of whole numbers'],
    ['mixed', 'a list of both numbers and other things'],
    ['bare', 'expected lists of numbers, found numbers'],
    ['plain list', 'expected an array of lists'],
  ])('refuses %s by name', (name, message) => {
    expect(() => unpickleLists(bytesOf(name), 4)).toThrow(DatasetError)
    expect(() => unpickleLists(bytesOf(name), 4)).toThrow(message)
    expect(existsSync('/tmp/pwned')).toBe(false)
  })

  test.each<[string, number[], string]>([
    ['nothing', [], 'pickle, byte 0: truncated'],
    ['a name that calls a name', [...text('cnumpy\nndarray\n)R.')], '"numpy.ndarray", which is refused'],
    ['a name of objects', text('c__proto__\ntoString\n.'), '"__proto__.toString", which is refused'],
    ['a call of a number', [0x4b, 1, 0x29, 0x52, 0x2e], 'it calls what is no function'],
    ['a mark that was never set', [0x5d, 0x65], 'there is no mark on the stack'],
    ['a mark above the stack', [0x5d, 0x28, 0x4b, 1, 0x28, 0x62, 0x65], 'it gives a state to what has none'],
    ['an append to a number', [0x4b, 1, 0x4b, 2, 0x61], 'it appends to what is no list'],
    ['a memo that was never stored', [0x68, 3], 'memo number 3 was never stored'],
    ['a memo far out', [0x5d, 0x72, 0xff, 0xff, 0xff, 0xff], 'memo number 4294967295 out of order'],
    ['memos that skip', [0x5d, 0x71, 0, 0x71, 3], 'memo number 3 out of order'],
    ['lists without end', Array.from({ length: 200 }, () => 0x5d), 'more lists than its header announces, or other values'],
    ['a text longer than the file', [0x58, 0xff, 0xff, 0xff, 0x7f], 'truncated: 2147483647 more bytes expected'],
    ['a name without an end', text('cos'), 'truncated inside a name'],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => unpickleLists(Uint8Array.from(bytes), 4)).toThrow(message)
  })

  test('asks for no more memory than the pickle is long', () => {
    // Two lists of 200 numbers, then one number to the one, one to the other, and so on: each would move 200.
    const list = (slot: number): number[] => [0x5d, 0x71, slot, 0x28, ...Array.from({ length: 400 }, (_, i) => (i % 2 ? 7 : 0x4b)), 0x65]
    const more = (slot: number): number[] => [0x68, slot, 0x4b, 1, 0x61]
    const bytes = [...list(0), ...list(1), ...Array.from({ length: 100 }, (_, i) => more(i % 2)).flat(), 0x2e]
    expect(() => unpickleLists(Uint8Array.from(bytes), 4)).toThrow('it goes back to finished lists over and over')
  })

  test('any damage is an error or other lists, never anything else', () => {
    const good = bytesOf('protocol 3')
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, value, end) => {
        const bytes = good.slice(0, end)
        if (at < end) bytes[at] = value
        try {
          for (const list of unpickleLists(bytes, 4)) expect(list).toBeInstanceOf(Int32Array)
        } catch (error) {
          expect(error).toBeInstanceOf(DatasetError)
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('.npy', () => {
  test('an array of lists', () => {
    expect(plain(parseNpyLists(bytesOf('npy')))).toEqual(lists)
  })
  test('arrays of numbers', () => {
    expect(parseNpy(bytesOf('npy f4'))).toEqual({ shape: [2], data: Float32Array.of(1.5, -2) })
    expect(parseNpy(bytesOf('npy f8'))).toEqual({ shape: [2, 1], data: Float64Array.of(0.1, 2) })
    expect(parseNpy(bytesOf('npy u1'))).toEqual({ shape: [2], data: Uint8Array.of(1, 255) })
    expect(parseNpy(bytesOf('npy b1'))).toEqual({ shape: [2], data: Uint8Array.of(1, 0) })
    expect(parseNpy(bytesOf('npy scalar'))).toEqual({ shape: [], data: Int32Array.of(7) })
  })
  /** A file with this header and these elements. */
  const made = (header: string, elements: ArrayBufferView = new Uint8Array(0)): Uint8Array => {
    const text = `${header}\n`
    const data = new Uint8Array(elements.buffer)
    return new Uint8Array([0x93, ...Buffer.from('NUMPY'), 1, 0, text.length & 255, text.length >> 8, ...Buffer.from(text), ...data])
  }
  const dict = (shape: string, descr = '<f4', order = 'False'): string =>
    `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`
  test('64-bit integers that int32 holds', () => {
    const wide = BigInt64Array.of(0n, -1n, 2n ** 31n - 1n, -(2n ** 31n), 7n)
    expect(parseNpy(made(dict('(5,)', '<i8'), wide)).data).toEqual(Int32Array.of(0, -1, 2 ** 31 - 1, -(2 ** 31), 7))
    for (const beyond of [2n ** 31n, -(2n ** 31n) - 1n, 2n ** 32n, 2n ** 32n + 5n, -(2n ** 40n), 2n ** 63n - 1n]) {
      expect(() => parseNpy(made(dict('(1,)', '<i8'), BigInt64Array.of(beyond)))).toThrow(`element 0 is ${beyond}, which int32 cannot hold`)
    }
  })
  test("shapes as Python writes them, Python 2's among them", () => {
    const shapeOf = (shape: string): readonly number[] => parseNpy(made(dict(shape), new Float32Array(6))).shape
    expect(shapeOf('(6,)')).toEqual([6])
    expect(shapeOf('(2, 3)')).toEqual([2, 3])
    expect(shapeOf('(2L, 3L, 1L)')).toEqual([2, 3, 1])
    expect(shapeOf('( 3 , 2 , )')).toEqual([3, 2])
    expect(parseNpy(made("{'shape': (6,), 'fortran_order': False, 'descr': '<f4'}", new Float32Array(6))).shape).toEqual([6])
  })
  test.each<[string, string]>([
    ['two numbers without a comma', dict('(2 3,)')],
    ['a number that is no tuple', dict('(6)')],
    ['a list', dict('[6]')],
    ['a negative size', dict('(-6,)')],
    ['a letter alone', dict('(L,)')],
    ['two commas', dict('(2,,3)')],
    ['a shape twice', `${dict('(6,)').slice(0, -2)} 'shape': (2, 3), }`],
    ['what is not in the format', `${dict('(6,)').slice(0, -2)} 'more': 1, }`],
    ['no brackets', dict('(6,)').slice(1, -1)],
    ['nothing', '{}'],
  ])('refuses a header with %s', (_, header) => {
    expect(() => parseNpy(made(header, new Float32Array(6)), 'x.npy')).toThrow(DatasetError)
    expect(() => parseNpy(made(header, new Float32Array(6)), 'x.npy')).toThrow('x.npy: unknown header')
  })
  test('refuses versions that are not there', () => {
    const bytes = bytesOf('npy f4')
    for (const version of [0, 4])
      expect(() => parseNpy(bytes.with(6, version))).toThrow(`version ${version}.0 of the format; 1.0 to 3.0 are read`)
    expect(() => parseNpy(bytes.with(6, 2).subarray(0, 11))).toThrow('truncated in its header: 11 bytes')
  })
  test('more lists than expected', () => {
    expect(parseNpyLists(bytesOf('npy'), 'x', { maxLists: 4 })).toHaveLength(4)
    expect(() => parseNpyLists(bytesOf('npy'), 'x.npy', { maxLists: 3 })).toThrow(
      'x.npy: it holds 4 lists, more than the 3 expected at most',
    )
  })

  test.each<[string, () => unknown, string]>([
    ['objects as numbers', () => parseNpy(bytesOf('npy'), 'x.npy'), 'x.npy: it holds Python objects; parseNpyLists reads lists'],
    [
      'numbers as lists',
      () => parseNpyLists(bytesOf('npy f4'), 'x.npy'),
      "x.npy: expected a list of lists ('|O', one axis), found <f4 of shape [2]",
    ],
    ['int64 beyond int32', () => parseNpy(bytesOf('npy i8')), 'element 0 is 1099511627776, which int32 cannot hold'],
    ['complex numbers', () => parseNpy(bytesOf('npy c8')), 'unknown element type <c16'],
    ['big-endian numbers', () => parseNpy(bytesOf('npy >i4')), 'unknown element type >i4'],
    ['Fortran order', () => parseNpy(bytesOf('npy F')), 'column-major (Fortran) order; save it in C order'],
    ['another file', () => parseNpy(Uint8Array.of(1, 2, 3)), 'not a .npy file'],
    ['a truncated header', () => parseNpy(bytesOf('npy f4').subarray(0, 40)), 'truncated in its header'],
    [
      'truncated numbers',
      () => parseNpy(bytesOf('npy f8').subarray(0, 140)),
      'truncated: <f8 of shape [2, 1] is 144 bytes with its header, found 140',
    ],
    ['a truncated pickle', () => parseNpyLists(bytesOf('npy').subarray(0, 300), 'x.npy'), 'x.npy: pickle, byte'],
  ])('refuses %s', (_, run, message) => {
    expect(run).toThrow(DatasetError)
    expect(run).toThrow(message)
  })
})

describe('.npz', () => {
  const one = ndarray(Float32Array.of(1), [1])
  test('two arrays of one name, when read and when written', () => {
    const bytes = zip([
      ['a', writeNpy(one)],
      ['a.npy', writeNpy(one)],
    ])
    expect(() => parseNpz(bytes, 'x.npz')).toThrow('x.npz: there are two arrays "a"')
    const twice: NpzEntry[] = [
      ['a', one],
      ['a', one],
    ]
    expect(() => writeNpz(twice)).toThrow('writeNpz: there are two arrays "a"')
  })
  test('names that objects have for themselves', () => {
    const names = ['__proto__', 'constructor', '7', '3']
    expect([...parseNpz(writeNpz(names.map((name) => [name, one]))).keys()]).toEqual(names)
  })
  test('a limit of the caller', () => {
    const bytes = writeNpz([['a', ndarray(new Float32Array(1000), [1000])]])
    expect(parseNpz(bytes, 'x', { maxBytes: 4128 }).size).toBe(1)
    expect(() => parseNpz(bytes, 'x.npz', { maxBytes: 4000 })).toThrow('x.npz: unpacks to 4128 bytes, more than the 4000 expected at most')
  })
  test.each([
    ['64-bit integers', BigInt64Array.of(1n)],
    ['a list', [1]],
    ['a view of bytes', new DataView(new ArrayBuffer(1))],
  ])('writes no %s', (_, data) => {
    const array = { shape: [1], data: data as unknown as Float32Array }
    expect(() => writeNpy(array)).toThrow('writeNpy: array must be { shape, data } with a typed array, got shape an array of 1, data a')
    expect(() => writeNpz([['a', array]])).toThrow('writeNpz: "a" must be { shape, data }')
  })
})

describe('unzip', () => {
  test("unpacks NumPy's archives", () => {
    const files = unzip(bytesOf('npz'))
    expect([...files.keys()]).toEqual(['a.npy', 'b.npy'])
    expect(plain(parseNpyLists(files.get('a.npy')!))).toEqual(lists)
    expect(parseNpy(files.get('b.npy')!)).toEqual({ shape: [2, 3], data: Int32Array.of(1, 2, 3, 4, 5, -6) })
  })
  test('takes only what is asked for', () => {
    expect([...unzip(bytesOf('npz'), { filter: (name) => name === 'b.npy' }).keys()]).toEqual(['b.npy'])
  })
  test('every byte that is cut off is an error', () => {
    const good = bytesOf('npz')
    for (let end = 0; end < good.length; end++)
      expect(() => unzip(good.subarray(0, end), { name: 'x.npz' }), `${end}`).toThrow(DatasetError)
    expect(() => unzip(good.subarray(0, 300), { name: 'x.npz' })).toThrow(
      'x.npz: no zip archive, or a truncated or damaged one, 300 bytes long',
    )
  })
  test('a changed byte of the content does not pass', () => {
    const stored = zipSync({ 'a.txt': new TextEncoder().encode('hello hello') }, { level: 0 })
    stored[stored.indexOf(0x68, 30)] ^= 1
    expect(() => unzip(stored)).toThrow('the CRC-32 of a.txt is wrong')
  })
  test('stops at a limit before unpacking', () => {
    const bomb = zipSync({ zeros: new Uint8Array(1e6) })
    expect(bomb.length).toBeLessThan(5000)
    expect(() => unzip(bomb, { maxBytes: 1e5 })).toThrow('zip data: unpacks to 1000000 bytes, more than the 100000 expected at most')
  })
})

import { existsSync } from 'node:fs'
import fc from 'fast-check'
import { zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import { bytesOf } from '../../test/pickles.js'
import { DatasetError } from '../errors.js'
import { parseNpy, parseNpyLists } from './npy.js'
import { unpickleLists } from './pickle.js'
import { unzip } from './zip.js'

const lists = [[1, 2, 300], [], [70000, -5, 2 ** 31 - 1], [0, 1, 2, 3, 4]]
const plain = (found: readonly Int32Array[]): number[][] => found.map((list) => [...list])
const text = (s: string): number[] => [...Buffer.from(s)]

describe('unpickleLists', () => {
  test.each([2, 3, 4, 5])('reads an array of lists in protocol %i', (protocol) => {
    expect(plain(unpickleLists(bytesOf(`protocol ${protocol}`)))).toEqual(lists)
  })

  test('a list that is there twice', () => {
    expect(plain(unpickleLists(bytesOf('shared')))).toEqual([
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
    expect(() => unpickleLists(bytesOf(name))).toThrow(DatasetError)
    expect(() => unpickleLists(bytesOf(name))).toThrow(message)
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
    ['a text longer than the file', [0x58, 0xff, 0xff, 0xff, 0x7f], 'truncated: 2147483647 more bytes expected'],
    ['a name without an end', text('cos'), 'truncated inside a name'],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => unpickleLists(Uint8Array.from(bytes))).toThrow(message)
  })

  test('asks for no more memory than the pickle is long', () => {
    // Two lists of 200 numbers, then one number to the one, one to the other, and so on: each would move 200.
    const list = (slot: number): number[] => [0x5d, 0x71, slot, 0x28, ...Array.from({ length: 400 }, (_, i) => (i % 2 ? 7 : 0x4b)), 0x65]
    const more = (slot: number): number[] => [0x68, slot, 0x4b, 1, 0x61]
    const bytes = [...list(0), ...list(1), ...Array.from({ length: 100 }, (_, i) => more(i % 2)).flat(), 0x2e]
    expect(() => unpickleLists(Uint8Array.from(bytes))).toThrow('it goes back to finished lists over and over')
  })

  test('any damage is an error or other lists, never anything else', () => {
    const good = bytesOf('protocol 3')
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, value, end) => {
        const bytes = good.slice(0, end)
        if (at < end) bytes[at] = value
        try {
          for (const list of unpickleLists(bytes)) expect(list).toBeInstanceOf(Int32Array)
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
    expect(() => unzip(bomb, { maxBytes: 1e5 })).toThrow('it unpacks to more than the 100000 bytes expected at most')
  })
})

/** The assembler: encodings of numbers, control flow, vectors and calls. The emitted modules are run. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assemble, call, type ModuleBuilder } from './assembler.js'
import { ByteBuffer } from './byte-buffer.js'
import { f32, f32x4, i32, i64, memory, select, v128 } from './instructions.js'

/** Decodes LEB128, to check the encoder. */
function decode(bytes: Uint8Array, signed: boolean): bigint {
  let value = 0n
  let shift = 0n
  for (const byte of bytes) {
    value |= BigInt(byte & 0x7f) << shift
    shift += 7n
    if (byte < 0x80) return signed && (byte & 0x40) !== 0 ? value - (1n << shift) : value
  }
  throw new Error('the encoding does not end')
}

const written = (write: (buffer: ByteBuffer) => void): Uint8Array => {
  const buffer = new ByteBuffer()
  write(buffer)
  return buffer.view().slice()
}

/** Compiles a module on a fresh memory. */
function run(build: (module: ModuleBuilder) => void): { exports: Record<string, (...values: number[]) => number>; view: DataView } {
  const bytes = assemble({ shared: false, relaxed: false }, build)
  expect(WebAssembly.validate(bytes)).toBe(true)
  const own = new WebAssembly.Memory({ initial: 1 })
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory: own } })
  return { exports: instance.exports as Record<string, (...values: number[]) => number>, view: new DataView(own.buffer) }
}

describe('ByteBuffer', () => {
  it('writes LEB128 that decodes to the same number in the fewest bytes', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 32 - 1 }), fc.integer(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (u, s, l) => {
        const bytes = written((b) => b.unsigned(u))
        expect(decode(bytes, false)).toBe(BigInt(u))
        expect(bytes.length).toBe(Math.max(1, Math.ceil(u.toString(2).length / 7)))
        expect(
          decode(
            written((b) => b.signed(s)),
            true,
          ),
        ).toBe(BigInt(s))
        expect(
          decode(
            written((b) => b.signed64(l)),
            true,
          ),
        ).toBe(l)
        expect(written((b) => b.signed(s))).toEqual(written((b) => b.signed64(BigInt(s))))
      }),
      { numRuns: 500 },
    )
  })

  it('knows the examples of the specification', () => {
    expect([...written((b) => b.unsigned(624485))]).toEqual([0xe5, 0x8e, 0x26])
    expect([...written((b) => b.signed(-123456))]).toEqual([0xc0, 0xbb, 0x78])
    expect([...written((b) => b.signed(64))]).toEqual([0xc0, 0x00])
    expect([...written((b) => b.signed(-64))]).toEqual([0x40])
  })

  it('grows without losing anything', () => {
    const bytes = written((b) => {
      for (let i = 0; i < 5000; i++) b.byte(i & 0xff)
      const other = new ByteBuffer()
      for (let i = 0; i < 3000; i++) other.byte(7)
      b.append(other)
    })
    expect(bytes.length).toBe(8000)
    expect(bytes.every((byte, i) => byte === (i < 5000 ? i & 0xff : 7))).toBe(true)
  })
})

describe('assemble', () => {
  it('computes with loops, branches and locals', () => {
    const { exports } = run((module) => {
      module.export('triangle', { n: 'i32' }, 'i32', (f, { n }) => {
        const sum = f.local('i32')
        f.for(1, i32.add(n, 1), 1, (i) => f.advance(sum, i))
        return sum
      })
      module.export('collatz', { n: 'i32' }, 'i32', (f, { n }) => {
        const steps = f.local('i32')
        f.block((end) => {
          f.loop((again) => {
            f.break(end, i32.eq(n, 1))
            f.if(
              i32.and(n, 1),
              () => f.set(n, i32.add(i32.mul(n, 3), 1)),
              () => f.set(n, i32.shrU(n, 1)),
            )
            f.advance(steps, 1)
            f.break(again)
          })
        })
        return steps
      })
    })
    expect(exports.triangle(100)).toBe(5050)
    expect(exports.triangle(0)).toBe(0)
    expect(exports.collatz(27)).toBe(111)
  })

  it('calls functions of the same module and returns early', () => {
    const { exports } = run((module) => {
      const square = module.function({ x: 'i32' }, 'i32', (f, { x }) => {
        f.if(i32.ltS(x, 0), () => f.return(i32.const(-1)))
        return i32.mul(x, x)
      })
      module.export('twice', { x: 'i32' }, 'i32', (_, { x }) => i32.add(call(square, x), call(square, x)))
    })
    expect(exports.twice(5)).toBe(50)
    expect(exports.twice(-5)).toBe(-2)
  })

  it('loads, computes on and stores vectors, with hoisted constants', () => {
    const { exports, view } = run((module) => {
      module.export('scale', { at: 'i32', turns: 'i32' }, null, (f, { at, turns }) => {
        f.while(turns, () => {
          f.do(v128.store(at, f.madd(v128.load(at), f.splat(2), f.splat(-0.5))))
          f.advance(turns, -1)
        })
      })
      module.export('last', { at: 'i32' }, 'f32', (_, { at }) => f32x4.extractLane(v128.load(at, 16), 3))
    })
    for (let i = 0; i < 4; i++) view.setFloat32(64 + 4 * i, i, true)
    view.setFloat32(64 + 28, 8.25, true)
    exports.scale(64, 2)
    expect([0, 1, 2, 3].map((i) => view.getFloat32(64 + 4 * i, true))).toEqual([-1.5, 2.5, 6.5, 10.5])
    expect(exports.last(64)).toBe(8.25)
  })

  it('encodes constants of all types, select and bulk memory', () => {
    const { exports, view } = run((module) => {
      module.export('long', {}, 'i32', () => i32.wrapI64(i64.shrU(i64.const(-(2n ** 62n)), i64.const(33n))))
      module.export('pick', { c: 'i32' }, 'f32', (_, { c }) => select(f32.const(1.5), f32.const(-2.5), c))
      module.export('move', { to: 'i32', from: 'i32', n: 'i32' }, null, (f, { to, from, n }) => {
        f.do(memory.fill(from, 0x5a, n), memory.copy(to, from, n))
      })
    })
    expect(exports.long()).toBe(Number(BigInt.asIntN(32, BigInt.asUintN(64, -(2n ** 62n)) >> 33n)))
    expect([exports.pick(1), exports.pick(0)]).toEqual([1.5, -2.5])
    exports.move(200, 100, 5)
    expect([199, 200, 204, 205].map((at) => view.getUint8(at))).toEqual([0, 0x5a, 0x5a, 0])
  })

  it('writes a module that an import of shared memory fits', () => {
    const bytes = assemble({ shared: true, relaxed: false }, (module) => {
      module.export('peek', { at: 'i32' }, 'i32', (_, { at }) => i32.load(at))
    })
    const shared = new WebAssembly.Memory({ initial: 1, maximum: 4, shared: true })
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory: shared } })
    new Int32Array(shared.buffer)[5] = 77
    expect((exports.peek as (at: number) => number)(20)).toBe(77)
  })
})

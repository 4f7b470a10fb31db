/** The allocator: blocks do not overlap, the byte counts are exact, freed blocks are reused, memory grows, and running out is an error. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BackendError } from '../../../errors.js'
import { scratchOf, WasmMemory } from './memory.js'

const heapStart = scratchOf(1)
const MiB = 2 ** 20

describe('WasmMemory', () => {
  it.each([true, false])('never overlaps blocks and ends at zero bytes (shared %s)', (shared) => {
    // A step is a size to allocate, or the position of a block to free.
    const step = fc.oneof(
      fc.record({ alloc: fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 200_000 }), fc.constantFrom(0, 64, 4096)) }),
      fc.record({ free: fc.nat() }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const memory = new WasmMemory({ shared, maximumBytes: 64 * MiB })
        const live: { address: number; bytes: number }[] = []
        for (const action of steps) {
          if ('alloc' in action) {
            const block = { address: memory.alloc(action.alloc), bytes: action.alloc }
            expect(block.address % 64).toBe(0)
            expect(block.address).toBeGreaterThanOrEqual(heapStart)
            // Behind a block there is slack for vectors that stick out, inside the memory.
            expect(block.address + block.bytes + 64).toBeLessThanOrEqual(memory.bytes8.length)
            const overlapping = live.filter(
              (other) => block.address + block.bytes + 64 > other.address && other.address + other.bytes + 64 > block.address,
            )
            expect(overlapping).toEqual([])
            live.push(block)
          } else if (live.length > 0) {
            const [block] = live.splice(action.free % live.length, 1)
            memory.free(block.address, block.bytes)
          }
          expect(memory.use()).toMatchObject({ buffers: live.length, bytes: live.reduce((sum, block) => sum + block.bytes, 0) })
        }
        for (const { address, bytes } of live) memory.free(address, bytes)
        expect(memory.use()).toMatchObject({ buffers: 0, bytes: 0 })
      }),
      { numRuns: 60 },
    )
  })

  it('gives a freed block to the next request of its size', () => {
    const memory = new WasmMemory()
    const first = memory.alloc(1000)
    memory.alloc(50)
    memory.free(first, 1000)
    expect(memory.alloc(1000)).toBe(first)
  })

  it('joins freed neighbours before it grows', () => {
    const memory = new WasmMemory()
    const { reservedBytes } = memory.use()
    for (let round = 1; round <= 40; round++) {
      // Each round asks for another size, so no bin ever fits.
      const bytes = 20_000 + 700 * round
      const blocks = Array.from({ length: 12 }, () => memory.alloc(bytes))
      for (const block of blocks) memory.free(block, bytes)
    }
    expect(memory.use().reservedBytes).toBe(reservedBytes)
  })

  it('keeps contents and refreshes its views when it grows', () => {
    for (const shared of [true, false]) {
      const memory = new WasmMemory({ shared })
      const first = memory.alloc(4)
      memory.floats[first / 4] = 1.5
      const before = memory.use().reservedBytes
      const large = memory.alloc(50 * MiB)
      expect(memory.use().reservedBytes).toBeGreaterThanOrEqual(before + 40 * MiB)
      memory.floats[large / 4 + 10 * MiB] = 2
      expect(memory.floats[first / 4]).toBe(1.5)
    }
  })

  it('says how much was asked for and how much is held when memory runs out', () => {
    const memory = new WasmMemory({ maximumBytes: 16 * MiB })
    memory.alloc(8 * MiB)
    expect(() => memory.alloc(9 * MiB)).toThrow(BackendError)
    expect(() => memory.alloc(9 * MiB)).toThrow(`asked for ${9 * MiB} bytes while 1 buffers hold ${8 * MiB} bytes`)
    // After the failure everything still works.
    expect(memory.alloc(MiB)).toBeGreaterThan(0)
  })

  it('asks for half as much until the host grants it: some reserve no 4 GiB of addresses', () => {
    const { Memory } = WebAssembly
    const asked: number[] = []
    const granting = (most: number) =>
      class extends Memory {
        constructor(descriptor: ConstructorParameters<typeof Memory>[0]) {
          asked.push(descriptor.maximum ?? 0)
          if (asked.at(-1)! * 65536 > most) throw new RangeError('could not allocate memory')
          super(descriptor)
        }
      }
    try {
      WebAssembly.Memory = granting(1024 * MiB)
      const memory = new WasmMemory({ shared: true })
      expect(asked).toEqual([65536, 32768, 16384])
      expect(memory.alloc(MiB)).toBeGreaterThan(0)
      expect(() => memory.alloc(1024 * MiB)).toThrow('of at most 1024.0 MB are reserved')
      WebAssembly.Memory = granting(0)
      expect(() => new WasmMemory({ shared: true })).toThrow('gives no shared memory of')
    } finally {
      WebAssembly.Memory = Memory
    }
  })
})

/** Tensors that nobody disposes: when their memory is freed, and what is printed about it. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import * as c from '../index.js'
import { collectGarbage, nextTurn } from '../platform.js'

const MiB = 2 ** 20
const backends: c.Backend[] = []
/** A backend with little memory. */
function small(maximum: number): c.Backend {
  const backend = c.createWasmBackend({ maximumBytes: maximum * MiB, threads: 1 })
  backends.push(backend)
  return backend
}
const warned = vi.spyOn(console, 'warn').mockImplementation(() => {})

afterEach(async () => {
  c.debug({ leaks: false })
  warned.mockClear()
  for (const backend of backends.splice(0)) await backend.dispose?.()
})

/** The number of float32 in a MiB. */
const N = MiB / 4

describe('a loop that disposes nothing can run for ever', () => {
  test.each(['item', 'array', 'data'] as const)('if it reads with %s', async (read) => {
    const backend = small(256)
    const x = c.ones([4 * N], { backend })
    let result: unknown
    for (let i = 0; i < 100; i++) result = await x.add(i).max()[read]() // 400 MiB in all
    expect(Number(read === 'data' ? (result as Float32Array)[0] : result)).toBe(100)
    x.dispose()
  })

  test('if it calls reclaim', async () => {
    const backend = small(256)
    const x = c.ones([4 * N], { backend })
    for (let i = 0; i < 100; i++) {
      x.add(i)
      await c.reclaim()
    }
    x.dispose()
  })

  test('if it waits for anything that takes turns of the event loop', async () => {
    const backend = small(256)
    const x = c.ones([4 * N], { backend })
    for (let i = 0; i < 100; i++) {
      x.add(i)
      await nextTurn()
    }
    x.dispose()
  })

  test('beside many tensors that stay alive', async () => {
    const backend = small(640)
    const kept = Array.from({ length: 30 }, () => c.ones([8 * N], { backend }))
    for (let i = 0; i < 90; i++) expect(await kept[0].add(i).max().item()).toBe(1 + i)
    expect(await kept[29].max().item()).toBe(1)
    for (const x of kept) x.dispose()
  })

  test('and a copy to another backend waits for room', async () => {
    const [from, to] = [small(64), small(96)]
    const x = c.ones([16 * N], { backend: from })
    for (let i = 0; i < 20; i++) expect((await x.to(to)).shape).toEqual([16 * N])
    x.dispose()
  })
})

test('tensors in use stay, and small programs are left alone', async () => {
  const backend = small(64)
  const x = c.ones([N], { backend })
  expect(await c.reclaim()).toBeUndefined()
  const views = Array.from({ length: 1000 }, () => x.reshape([N / 2, 2])) // 1,000 tensors on one MiB
  for (const view of views) expect(await view.max().item()).toBe(1)
  expect(backend.memory().bytes).toBeGreaterThanOrEqual(MiB)
  for (const view of [...views, x]) view.dispose()
})

test('an allocation that fails says how much was not disposed, and what to do', () => {
  const backend = small(256)
  const x = c.ones([4 * N], { backend })
  const fill = (): void => {
    for (let i = 0; i < 100; i++) x.add(i) // nothing here can wait
  }
  expect(fill).toThrow(/out of memory/)
  expect(fill).toThrow(/outside of every scope.* hold 2\d\d MB\. .*scope\(\(\) => …\).*await reclaim\(\)/)
  expect(() => c.scope(fill)).toThrow(/out of memory/)
})

describe('a collected tensor', () => {
  const leak = async (): Promise<void> => {
    const place = (): void => void c.tensor([1, 2, 3])
    for (let i = 0; i < 10; i++) place()
    collectGarbage()
    await nextTurn()
    await nextTurn()
  }
  test('prints nothing', async () => {
    await leak()
    expect(warned).not.toHaveBeenCalled()
  })
  test('is named under debug({ leaks: true }), each place once', async () => {
    c.debug({ leaks: true })
    await leak()
    expect(warned.mock.calls.flat().filter((said) => said.includes('float32 [3]')).length).toBe(1)
    expect(warned.mock.calls.flat()[0]).toMatch(
      /a tensor \(float32 \[3\]\) was garbage collected without dispose[\s\S]*It was made:[\s\S]*at place/,
    )
  })
})

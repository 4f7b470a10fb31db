/** The choice between running alone and sharing, on made-up times. */
import { describe, expect, it } from 'vitest'
import { Choice } from './sharing.js'

/** Makes `calls` calls of one kind, whose times alone and shared are given; returns how many were shared. */
function sharedOf(choice: Choice, calls: number, alone: () => number, shared: () => number, kind = 1): number {
  let count = 0
  for (let i = 0; i < calls; i++) {
    const share = choice.share(kind)
    if (share) count++
    choice.note(kind, share, share ? shared() : alone())
  }
  return count
}

describe('Choice', () => {
  it('shares a kind that is faster shared, and no other, except for trials', () => {
    const choice = new Choice()
    expect(
      sharedOf(
        choice,
        640,
        () => 2,
        () => 1.2,
        1,
      ),
    ).toBeGreaterThan(600)
    expect(
      sharedOf(
        choice,
        640,
        () => 2,
        () => 2.2,
        2,
      ),
    ).toBeLessThan(40)
  })

  it('tries a long job once each way before it decides, a short one four times', () => {
    const alone = (long: number): number =>
      16 -
      sharedOf(
        new Choice(),
        16,
        () => long,
        () => long / 2,
      )
    expect(alone(250)).toBe(1)
    expect(alone(0.25)).toBe(4)
    expect(
      sharedOf(
        new Choice(),
        16,
        () => 250,
        () => 300,
      ),
    ).toBe(1)
  })

  it('follows when a core becomes busy, and free again', () => {
    const choice = new Choice()
    sharedOf(
      choice,
      1000,
      () => 2,
      () => 1,
    )
    expect(
      sharedOf(
        choice,
        1000,
        () => 2,
        () => 5,
      ),
    ).toBeLessThan(100)
    sharedOf(
      choice,
      500,
      () => 2,
      () => 1,
    )
    expect(
      sharedOf(
        choice,
        1000,
        () => 2,
        () => 1,
      ),
    ).toBeGreaterThan(900)
  })

  it('is not misled by a single long delay', () => {
    const choice = new Choice()
    sharedOf(
      choice,
      200,
      () => 2,
      () => 1,
    )
    let late = true
    const once = (): number => {
      const time = late ? 100 : 1
      late = false
      return time
    }
    expect(sharedOf(choice, 300, () => 2, once)).toBeGreaterThan(280)
  })

  it('tries the other way so rarely that it costs little, on any number of threads', () => {
    for (const threads of [2, 4, 16]) {
      const choice = new Choice()
      let [time, tries] = [0, 0]
      const calls = 10_000
      for (let i = 0; i < calls; i++) {
        const share = choice.share(1)
        const ms = share ? 1 : threads
        choice.note(1, share, ms)
        if (i < 8) continue // the first ones alternate
        time += ms
        if (!share) tries++
      }
      expect(time / calls).toBeLessThan(1.01)
      expect(tries).toBeGreaterThan(2)
    }
  })

  it('forgets kinds before it holds too many', () => {
    const choice = new Choice()
    for (let kind = 0; kind < 5000; kind++) choice.note(kind, choice.share(kind), 1)
    expect(
      sharedOf(
        choice,
        100,
        () => 2,
        () => 1,
        4999,
      ),
    ).toBeGreaterThan(80)
  })
})

/** Another derivative for a moment, and what gradCheck says of it element by element. */
import { describe, expect, test } from 'vitest'
import { make, valuesOf } from '../../test/helpers.js'
import {
  createReferenceBackend,
  type GradCheckElement,
  grad,
  gradCheck,
  layerNorm,
  ones,
  record,
  registry,
  softmax,
  type Tensor,
  tensor,
  type Vjp,
  withBackend,
  withDerivative,
} from '../index.js'

const doubled: Vjp<object> = ({ dY }, _, ops) => [() => ops.mul(dY, 2)]
const slope = (): number => valuesOf(grad((x: Tensor) => x.tanh().sum())(make([0], [])))[0]

describe('withDerivative', () => {
  test('the derivative holds while the function runs, and no longer', () => {
    expect(withDerivative('tanh', doubled, slope)).toBe(2)
    expect(slope()).toBe(1)
  })
  test("the op's own derivative is back after an error, and when a Promise settles", async () => {
    const stop = (): never => {
      throw new Error('stop')
    }
    expect(() => withDerivative('tanh', doubled, stop)).toThrow('stop')
    expect(slope()).toBe(1)
    const later = async (): Promise<number> => {
      await null
      return slope()
    }
    expect(await withDerivative('tanh', doubled, later)).toBe(2)
    expect(slope()).toBe(1)
    await expect(withDerivative('tanh', doubled, async () => stop())).rejects.toThrow('stop')
    expect(slope()).toBe(1)
  })
  test('a composed op is one record meanwhile, with a kernel and without', () => {
    const nothing: Vjp<object> = ({ dY }, _, ops) => [() => ops.mul(dY, 0)]
    const look = (): string[] => {
      const x = ones([2, 3])
      const { result, tape } = record([x], () => softmax(layerNorm(x)))
      const [dX] = tape.backward(result, ones([2, 3]), [x])
      return [...tape.records.map(({ op }) => op.name), String(dX && valuesOf(dX).every((v) => v === 0))]
    }
    const both = (): string[] => withDerivative('softmax', nothing, () => withDerivative('layerNorm', nothing, look))
    expect(both()).toEqual(['layerNorm', 'softmax', 'true'])
    expect(withBackend(createReferenceBackend(), both)).toEqual(['layerNorm', 'softmax', 'true'])
    expect(withBackend(createReferenceBackend(), look)).toContain('exp')
  })
  test('what cannot be replaced is an error', () => {
    expect(() => withDerivative('tahn', doubled, slope)).toThrow('withDerivative: there is no op named "tahn".')
    expect(() => withDerivative('floor', doubled, slope)).toThrow('op "floor" has no derivative to replace: it is piecewise constant')
    expect(() => withDerivative('tanh', doubled, () => withDerivative('tanh', doubled, slope))).toThrow('already has another derivative')
    expect(slope()).toBe(1)
  })
})

describe('gradCheck with onElement', () => {
  const x = tensor([0.5, 0, -1])
  const check = async (vjp: Vjp<object>): Promise<{ seen: GradCheckElement[]; error?: Error }> => {
    const seen: GradCheckElement[] = []
    const f = (x: Tensor): Tensor => x.tanh()
    try {
      await withDerivative('tanh', vjp, () => gradCheck(f, [x], { onElement: (element) => seen.push(element) }))
      return { seen }
    } catch (error) {
      return { seen, error: error as Error }
    }
  }
  test('goes over all elements and then throws for the first that is wrong', async () => {
    // 1 − x² in the place of 1 − y²: right at 0 alone.
    const { seen, error } = await check(({ dY }, [x], ops) => [() => ops.mul(dY, ops.sub(1, ops.square(x)))])
    expect(seen.map(({ index, agrees }) => [index, agrees])).toEqual([
      [0, false],
      [1, true],
      [2, false],
    ])
    expect(seen[2].analytic).toBe(0)
    expect(seen[2].x).toBe(-1)
    expect(error?.message).toMatch(/^gradCheck: element 0 of input 0 \[3\]/)
  })
  test('says nothing of a right rule but that it agrees', async () => {
    const { seen, error } = await check(registry.get('tanh')?.vjp as Vjp<object>)
    expect(error).toBeUndefined()
    expect(seen.every(({ agrees }) => agrees)).toBe(true)
  })
})

/** Equations that change nothing, and programs that are used again. (NumPy's values are in wave2-einsum.test.ts.) */
import { expect, test } from 'vitest'
import * as c from '../../index.js'

test('an equation that changes nothing makes a tensor of its own', async () => {
  const x = c.tensor([1, 2])
  const y = c.einsum('i->i', x)
  expect(y).not.toBe(x)
  y.dispose()
  expect(await x.array()).toEqual([1, 2])
  x.dispose()
})

test('one equation for other shapes, and the same for other values', async () => {
  const products: number[][] = []
  for (const [n, value] of [
    [2, 1],
    [3, 1],
    [2, 5],
  ]) {
    const y = c.scope(() => c.einsum('ij,j->i', c.full([1, n], value), c.ones([n])))
    products.push((await y.array()) as number[])
    y.dispose()
  }
  expect(products).toEqual([[2], [3], [10]])
})

test('more equations than are kept', async () => {
  for (let n = 1; n < 220; n++) {
    const y = c.scope(() => c.einsum('i,i->', c.ones([n]), c.ones([n])))
    expect(await y.item()).toBe(n)
    y.dispose()
  }
})

/** The library's own text solves all exercises, and mistakes that are often made are named. */

import * as core from '@cotangent/core'
import { transformSync } from 'esbuild'
import { describe, expect, test } from 'vitest'
import { solutions } from '../../build/exercises.js'
import { checks } from './cases/index.js'
import { checkRule } from './check.js'
import { drawnDigits, learnDigits } from './digits.js'
import { inDigits, ladder } from './ladder.js'
import { ruleOf } from './rule.js'
import { trainBoth } from './trainings.js'

/** The export vjp of code of the reader. The page runs it in its worker (shared/reader-code.ts). */
function exported(code: string): unknown {
  const { code: script } = transformSync(code, { loader: 'ts', format: 'cjs' })
  const module = { exports: {} as Record<string, unknown> }
  new Function('module', 'require', script)(module, (name: string) => (name === '@cotangent/core' ? core : undefined))
  return module.exports.vjp
}
const check = (id: string, code: string): ReturnType<typeof checkRule> => checkRule(id, ruleOf(exported(code)))

const solved = solutions()
describe('exercises', () => {
  test('each has a solution and cases, shown and hidden', () => {
    const ids = ladder.map(({ id }) => id)
    expect(Object.keys(solved).sort()).toEqual([...ids].sort())
    expect(Object.keys(checks).sort()).toEqual([...ids].sort())
    for (const { cases } of Object.values(checks)) {
      expect(cases[0].hidden).not.toBe(true)
      expect(cases.some(({ hidden }) => hidden)).toBe(true)
    }
  })

  for (const { id, start } of ladder) {
    test(`${id}: the library's own text passes, and what stands in the editor at first does not`, async () => {
      const { cases } = await check(id, solved[id].code)
      expect(cases.filter(({ passed }) => !passed).map(({ name, message }) => `${name}: ${message}`)).toEqual([])
      expect((await check(id, start)).passed).toBe(false)
    })
    test(`${id}: each known mistake is named`, async () => {
      for (const { title, vjp } of checks[id].mistakes) {
        const { diagnosis } = await checkRule(id, vjp as never)
        expect(diagnosis?.title).toBe(title)
      }
    })
  }
})

/** The code that the third hint leads to, where that is not the library's text: each takes the place of the lines of the start that return. */
const byHints: Readonly<Record<string, string>> = {
  mean: `({ dY, options: { axis } }, [x], ops) => {
    const shared = ops.div(dY, x.size / dY.size)
    const axes = axis === undefined ? [] : [axis].flat().map((i) => (i < 0 ? i + x.rank : i))
    return [() => ops.broadcastTo(axes.reduce((d, i) => ops.expandDims(d, i), shared), x.shape)]
  }`,
  relu: '({ dY }, [x], ops) => [() => ops.where(ops.greater(x, 0), dY, 0)]',
  'softmax-cross-entropy': `({ dY }, [logits, labels], ops) => {
    const each = ops.expandDims(dY, -1)
    const p = ops.softmax(logits)
    return [
      () => ops.mul(each, ops.sub(ops.mul(p, ops.sum(labels, { axis: -1, keepDims: true })), labels)),
      () => ops.mul(each, ops.neg(ops.logSoftmax(logits))),
    ]
  }`,
  gather:
    "({ dY }, [x, indices], ops) => [() => ops.matMul(ops.oneHot(indices, x.shape[0]).cast('float64'), dY, { transposeA: true }), null]",
  'max-pooling': `({ dY, y, options }, [x], ops) => {
    const [ph, pw] = options.poolSize
    const [n, h, w, c] = x.shape
    const blocks = ops.reshape(x, [n, h / ph, ph, w / pw, pw, c])
    const [tops, slopes] = [y, dY].map((t) => ops.reshape(t, [n, h / ph, 1, w / pw, 1, c]))
    return [() => ops.reshape(ops.where(ops.equal(blocks, tops), slopes, 0), x.shape)]
  }`,
  convolution: `({ dY, options: { strides, padding } }, [x, filter], ops) => [
    () => ops.conv2dTranspose(dY, filter, [x.shape[1], x.shape[2]], { strides, padding }),
    () => ops.conv2dFilterGradient(x, dY, [filter.shape[0], filter.shape[1]], { strides, padding }),
    () => ops.sum(dY, { axis: [0, 1, 2] }),
  ]`,
  'layer-normalisation': `({ dY, options }, [x, gamma, beta], ops) => {
    const row = { axis: -1, keepDims: true }
    const factor = ops.rsqrt(ops.add(ops.variance(x, row), options.epsilon))
    const unit = ops.mul(ops.sub(x, ops.mean(x, row)), factor)
    const g = ops.mul(dY, gamma)
    return [
      () => ops.mul(factor, ops.sub(ops.sub(g, ops.mean(g, row)), ops.mul(unit, ops.mean(ops.mul(g, unit), row)))),
      () => ops.sumTo(ops.mul(dY, unit), gamma.shape),
      () => ops.sumTo(dY, beta.shape),
    ]
  }`,
  attention: `({ dY, options: { scale } }, inputs, ops) => {
    const heads = (t) => ops.transpose(t, [0, 2, 1, 3])
    const [query, key, value] = inputs.map(heads)
    const weights = ops.softmax(ops.mul(ops.matMul(query, key, { transposeB: true }), scale))
    const dWeights = ops.matMul(heads(dY), value, { transposeB: true })
    const centred = ops.sub(dWeights, ops.sum(ops.mul(dWeights, weights), { axis: -1, keepDims: true }))
    const dScores = ops.mul(ops.mul(weights, centred), scale)
    return [
      () => heads(ops.matMul(dScores, key)),
      () => heads(ops.matMul(dScores, query, { transposeA: true })),
      () => heads(ops.matMul(weights, heads(dY), { transposeA: true })),
    ]
  }`,
}
describe('what the hints lead to', () => {
  for (const [id, rule] of Object.entries(byHints)) {
    test(`${id} passes`, async () => {
      const { cases } = await check(id, `export const vjp = ${rule}`)
      expect(cases.filter(({ passed }) => !passed).map(({ name, message }) => `${name}: ${message}`)).toEqual([])
    })
  }
})

/** Answers that no list foresees; the message names what is wrong with them all the same. */
const others: readonly [id: string, what: string, code: string, title: string, text?: RegExp][] = [
  ['tanh', 'a factor', '({ dY, y }, _, ops) => [() => ops.mul(ops.mul(dY, 3), ops.sub(1, ops.square(y)))]', 'Wrong by a factor of 3'],
  ['tanh', 'the sign', '({ dY, y }, _, ops) => [() => ops.mul(dY, ops.sub(ops.square(y), 1))]', 'The sign is wrong'],
  ['tanh', 'no dY', '({ y }, _, ops) => [() => ops.sub(1, ops.square(y))]', 'dY is missing'],
  ['tanh', 'dY twice', '({ dY, y }, _, ops) => [() => ops.mul(ops.square(dY), ops.sub(1, ops.square(y)))]', 'dY is used twice'],
  ['tanh', 'a number', '() => [() => 3]', 'This is no rule yet', /must return a tensor\. It returns 3/],
  ['tanh', 'a tensor in the place of a function', '({ dY }) => [dY]', 'This is no rule yet', /Put \(\) => before it/],
  [
    'mul',
    'one function of two',
    '({ dY }, [a, b], ops) => [() => ops.mul(dY, b)]',
    'This is no rule yet',
    /2 inputs, and it returns 1 entries/,
  ],
  ['add', 'no sum', '({ dY }) => [() => dY, () => dY]', 'The sum over the repeated axes is missing', /b is \[3\].*Yours is \[4, 3\]/],
  ['mean', 'not repeated', '({ dY }) => [() => dY]', 'The wrong shape'],
  ['softplus', 'a division by zero', '({ dY, x }, _, ops) => [() => ops.div(dY, 0)]', 'Infinity in the derivative by x'],
  ['softmax', 'all zero', '({ dY }, _, ops) => [() => ops.mul(dY, 0)]', 'The derivative by x is 0 everywhere'],
  [
    'matmul',
    'one right, one of two transposed',
    '({ dY }, [a, b], ops) => [() => ops.matMul(dY, b, { transposeB: true }), () => ops.matMul(dY, a)]',
    'The rule stops with an error',
  ],
]
describe('answers that no list foresees', () => {
  for (const [id, what, code, title, text] of others) {
    test(`${id}: ${what}`, async () => {
      const { passed, diagnosis } = await check(id, `export const vjp = ${code}`)
      expect(passed).toBe(false)
      expect([diagnosis?.title.replace('-Inf', 'Inf'), text?.test(diagnosis?.text ?? '') ?? true]).toEqual([title, true])
    })
  }
  test('code without a function named vjp is told what to export', () => {
    expect(() => ruleOf(exported('export const rule = 3'))).toThrow('must export a function named vjp')
  })
})

test("a failing check shows both derivatives and the places, and leaves the op's own rule where it was", async () => {
  const { cases } = await check('tanh', 'export const vjp = ({ dY }, [x], ops) => [() => ops.mul(dY, ops.sub(1, ops.square(x)))]')
  const [first] = cases
  expect(first.message).toMatch(/^gradCheck: element 0 of input 0 \[4, 3\]: the derivative is .*, the central difference /)
  expect(first.compared[0].shape).toEqual([4, 3])
  expect(first.compared[0].wrong.length).toBeGreaterThan(6)
  const { checked } = await core.gradCheck((x) => x.tanh(), [core.tensor([0.5, -1])])
  expect(checked).toBe(2)
})

describe('the small trainings', () => {
  for (const { id } of ladder) {
    test(`${id}: the loss falls with the right rule, and the reader's rule is asked for`, () => {
      const { right, wrong, asked } = trainBoth(id, ruleOf(exported(solved[id].code)), 40)
      expect(asked).toBeGreaterThan(0)
      expect(right.at(-1)).toBeLessThan(0.97 * right[0])
      // The library's own text is the library's rule: the two trainings are one, but for roundings of kernels.
      expect(wrong.at(-1)).toBeCloseTo(right.at(-1) as number, 2)
    })
  }
})

test("digits are learned with the reader's rules, and each is counted; where one is missing, the library's own is taken", async () => {
  const data = { train: drawnDigits(300, 100), test: drawnDigits(100, 200) }
  const rules = new Map(inDigits.filter((id) => id !== 'relu').map((id) => [id as string, ruleOf(exported(solved[id].code))]))
  const told: number[] = []
  const { usage, losses, accuracy } = await learnDigits(data, rules, 40, ({ step }) => void told.push(step))
  expect(told.at(-1)).toBe(40)
  // add is used twice in a step, as matMul is.
  expect(usage.map(({ id, own, times }) => [id, own, times])).toEqual(
    inDigits.map((id) => (id === 'relu' ? [id, false, 0] : [id, true, id === 'add' || id === 'matmul' ? 80 : 40])),
  )
  expect(losses.at(-1)).toBeLessThan(0.7 * losses[0])
  expect(accuracy).toBeGreaterThan(0.3)
})

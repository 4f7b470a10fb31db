/** tanh, mul, relu and softplus: each number of the result depends on one number of each input. */
import { mul, relu, softplus, type Tensor, tanh } from '@cotangent/core'
import type { Case, Checks } from './case.js'

/** Cases of a function of one tensor. */
const one = (f: (x: Tensor) => Tensor, more: readonly Case[] = []): Case[] => [
  { name: 'four rows of three', inputs: [{ shape: [4, 3] }], run: f },
  { name: 'a single number', hidden: true, inputs: [{ shape: [1] }], run: f },
  { name: 'three axes of odd sizes', hidden: true, inputs: [{ shape: [3, 1, 5] }], run: f },
  {
    name: 'an input that is used twice',
    hidden: true,
    inputs: [{ shape: [2, 3] }],
    run: (x) => mul(f(x), x),
    why: 'Here x is also used elsewhere, and the walk backwards adds the two derivatives. dY differs from number to number: does the rule use it?',
  },
  ...more,
]

export const ofTanh: Checks = {
  cases: one(tanh),
  mistakes: [
    {
      title: 'The input where the output belongs',
      text: 'You wrote 1 − x². The slope of tanh at x is 1 − tanh(x)², and tanh(x) is y.',
      vjp: ({ dY }, [x], ops) => [() => ops.mul(dY, ops.sub(1, ops.square(x)))],
    },
    {
      title: 'The square is missing',
      text: 'You wrote 1 − y. The slope is 1 − y².',
      vjp: ({ dY, y }, _, ops) => [() => ops.mul(dY, ops.sub(1, y))],
    },
    {
      title: 'This is the slope of another function',
      text: 'y·(1 − y) is the slope of the sigmoid. That of tanh is 1 − y².',
      vjp: ({ dY, y }, _, ops) => [() => ops.mul(dY, ops.mul(y, ops.sub(1, y)))],
    },
    {
      title: 'dY passes as it is',
      text: 'dY is the derivative by y. To get the one by x it has to be multiplied with the slope of tanh at each x.',
      vjp: ({ dY }) => [() => dY],
    },
  ],
}

const both = (shape: readonly number[]): { shape: readonly number[] }[] => [{ shape }, { shape }]
export const ofMul: Checks = {
  cases: [
    { name: 'two rows of three', inputs: both([2, 3]), run: (a, b) => mul(a, b) },
    { name: 'a single number each', hidden: true, inputs: both([1]), run: (a, b) => mul(a, b) },
    {
      name: 'a tensor times itself',
      hidden: true,
      inputs: [{ shape: [5] }],
      run: (x) => mul(x, x),
      why: 'Here a and b are one tensor, x. The walk backwards adds both of your results, and x·dY + x·dY is the 2x·dY of the square.',
    },
    { name: 'three axes of odd sizes', hidden: true, inputs: both([3, 1, 5]), run: (a, b) => mul(a, b) },
  ],
  mistakes: [
    {
      title: 'Each has its own factor, not that of the other',
      text: 'You gave a the factor a, and b the factor b. How much y moves when a moves depends on b.',
      vjp: ({ dY }, [a, b], ops) => [() => ops.mul(dY, a), () => ops.mul(dY, b)],
    },
    {
      title: 'dY passes as it is',
      text: 'That is the rule of a sum. In a product, a move of a is multiplied with b on its way to y.',
      vjp: ({ dY }) => [() => dY, () => dY],
    },
    {
      title: 'A half too many',
      text: 'The two parts of x·x add up by themselves: each use of x sends its own. So neither is halved, and neither is doubled.',
      vjp: ({ dY }, [a, b], ops) => [() => ops.mul(ops.mul(dY, b), 0.5), () => ops.mul(ops.mul(dY, a), 0.5)],
    },
  ],
}

export const ofRelu: Checks = {
  cases: one(relu, [
    {
      name: 'numbers close to the kink',
      hidden: true,
      inputs: [{ shape: [6], values: [-0.002, 0.002, -0.001, 0.003, -0.5, 0.001] }],
      run: relu,
      why: 'These numbers are close to 0 on both sides. The slope jumps there from 0 to 1; it does not change smoothly.',
    },
    {
      name: 'nothing above 0',
      hidden: true,
      inputs: [{ shape: [4], low: -2, high: -0.5 }],
      run: relu,
      why: 'All numbers are below 0, so y does not move and every derivative is 0. A unit like this has stopped learning: it is called dead.',
    },
  ]),
  mistakes: [
    {
      title: 'dY passes everywhere',
      text: 'Where x is below 0, y stays 0 however x moves. There the derivative is 0.',
      vjp: ({ dY }) => [() => dY],
    },
    {
      title: 'The sign of the cotangent was looked at',
      text: 'You let dY pass where dY itself is above 0. The slope of relu depends on x, not on what arrives from behind.',
      vjp: ({ dY }, _, ops) => [() => ops.relu(dY)],
    },
    {
      title: 'This is the slope of |x|',
      text: 'Below 0 you send −dY. There relu is flat, so it sends 0.',
      vjp: ({ dY }, [x], ops) => [() => ops.mul(dY, ops.sign(x))],
    },
    {
      title: 'The output where the slope belongs',
      text: 'dY·y is larger where x is larger. The slope is 1 wherever x is above 0, no matter how far.',
      vjp: ({ dY, y }, _, ops) => [() => ops.mul(dY, y)],
    },
    {
      title: 'dY is missing',
      text: 'You return the slope, 0 or 1. The derivative of the loss is that slope times dY.',
      vjp: (_at, [x], ops) => [() => ops.cast(ops.greater(x, 0), x.dtype)],
    },
  ],
}

export const ofSoftplus: Checks = {
  cases: one(softplus, [
    {
      name: 'large numbers of both signs',
      hidden: true,
      inputs: [{ shape: [4], values: [-30, 30, -400, 800] }],
      run: softplus,
      why: 'e⁸⁰⁰ is no number any more: it is infinite, and ∞/∞ is NaN. A sigmoid of the library does not form it.',
    },
  ]),
  mistakes: [
    {
      title: 'The output where the input belongs',
      text: 'You wrote sigmoid(y). The slope of softplus at x is sigmoid(x): this time the input is what is needed.',
      vjp: ({ dY, y }, _, ops) => [() => ops.mul(dY, ops.sigmoid(y))],
    },
    {
      title: 'One derivative too many',
      text: 's·(1 − s) is the slope of the sigmoid s, the second derivative of softplus. The first is s itself.',
      vjp: ({ dY }, [x], ops) => [
        () => {
          const s = ops.sigmoid(x)
          return ops.mul(dY, ops.mul(s, ops.sub(1, s)))
        },
      ],
    },
    {
      title: 'Infinity divided by infinity',
      text: 'eˣ/(1 + eˣ) is right on paper. For a large x both are infinite in the machine, and the quotient is NaN. ops.sigmoid(x) is the same function, computed with care.',
      vjp: ({ dY }, [x], ops) => [() => ops.mul(dY, ops.div(ops.exp(x), ops.add(1, ops.exp(x))))],
    },
    {
      title: 'This is the slope of relu',
      text: 'softplus is a relu with a round corner, so its slope goes smoothly from 0 to 1.',
      vjp: ({ dY }, [x], ops) => [() => ops.gate(dY, x)],
    },
    {
      title: 'dY passes as it is',
      text: 'To get from the derivative by y to the one by x, multiply with the slope of softplus at each x.',
      vjp: ({ dY }) => [() => dY],
    },
  ],
}

/** add with broadcasting, mean, transpose and gather: where numbers are repeated, summed or moved. */
import { add, gather, mean, type Tensor, transpose } from '@cotangent/core'
import type { Case, Checks, Input, Namespace } from './case.js'

const sum = (a: Tensor, b: Tensor): Tensor => add(a, b)
const pair = (a: readonly number[], b: readonly number[]): Input[] => [{ shape: a }, { shape: b }]

export const ofAdd: Checks = {
  cases: [
    { name: 'four rows of three, and one row', inputs: pair([4, 3], [3]), run: sum },
    { name: 'equal shapes', hidden: true, inputs: pair([2, 3], [2, 3]), run: sum },
    {
      name: 'a column and a row',
      hidden: true,
      inputs: pair([4, 1], [1, 3]),
      run: sum,
      why: 'Here both are repeated: a along the columns, b along the rows.',
    },
    {
      name: 'as many rows as columns',
      hidden: true,
      inputs: pair([3, 3], [3]),
      run: sum,
      why: 'Here a sum over the wrong axis has the right shape all the same. Row after row, b is added to the last axis; so the sum goes over the first.',
    },
    {
      name: 'the first is the smaller one',
      hidden: true,
      inputs: pair([3], [2, 5, 3]),
      run: sum,
      why: 'Here it is a that is repeated, along two axes.',
    },
    {
      name: 'a scalar',
      hidden: true,
      inputs: pair([2, 2], []),
      run: sum,
      why: 'b has no axis at all, and every number of y is a use of it.',
    },
    { name: 'a tensor plus itself', hidden: true, inputs: [{ shape: [3] }], run: (x) => add(x, x) },
  ],
  mistakes: [
    {
      title: 'The sum goes over the wrong axis',
      text: 'b was repeated along the first axis: once for each row. So the sum goes over the rows, axis 0.',
      vjp: ({ dY }, [a, b], ops) => [
        () => ops.sumTo(dY, a.shape),
        () => (b.rank < dY.rank ? ops.sum(dY, { axis: -1 }) : ops.sumTo(dY, b.shape)),
      ],
    },
    {
      title: 'The mean instead of the sum',
      text: 'Every use counts in full: the derivatives of all uses are added, not averaged.',
      vjp: ({ dY }, [a, b], ops) => [
        () => ops.mul(ops.sumTo(dY, a.shape), a.size / dY.size),
        () => ops.mul(ops.sumTo(dY, b.shape), b.size / dY.size),
      ],
    },
    {
      title: 'The sum over the repeated axes is missing for a',
      text: 'You sum for b alone. a may be the one that is repeated: ops.sumTo(dY, a.shape) does nothing where it is not.',
      vjp: ({ dY }, [, b], ops) => [() => dY, () => ops.sumTo(dY, b.shape)],
    },
  ],
}

const over = (shape: readonly number[], axis: number | number[] | undefined, name: string, why?: string): Case => ({
  name,
  hidden: true,
  inputs: [{ shape }],
  run: (x) => (axis === undefined ? mean(x) : mean(x, { axis })),
  why,
})
/** The axes that go, from 0. */
const gone = (axis: number | readonly number[] | undefined, rank: number): number[] =>
  axis === undefined ? Array.from({ length: rank }, (_, i) => i) : [axis].flat().map((i) => (i < 0 ? i + rank : i))

type MeanAt = { dY: Tensor; options: { axis?: number | readonly number[] } }
const spread = ({ dY, options }: MeanAt, x: Tensor, by: number, ops: Namespace): Tensor => {
  const axes = gone(options.axis, x.rank)
  const kept = ops.reshape(
    dY,
    x.shape.map((n, i) => (axes.includes(i) ? 1 : n)),
  )
  return ops.broadcastTo(ops.div(kept, by), x.shape)
}
export const ofMean: Checks = {
  cases: [
    { ...over([4, 3], 1, 'the mean of each row'), hidden: false },
    over([4, 3], 0, 'the mean of each column', 'Here the first axis goes. dY is one row, [3].'),
    over(
      [3, 3],
      1,
      'as many rows as columns',
      'Here dY broadcasts against x along the wrong axis and no shape complains. Give dY its axis back first.',
    ),
    over([2, 3, 5], -1, 'axis −1', 'A negative axis counts from the end.'),
    over([2, 3], undefined, 'the mean of everything', 'Here axis is undefined, and dY is a single number.'),
    over([2, 3, 4], [1, 2], 'two axes', 'Here axis is [1, 2].'),
    over([3, 1], 1, 'an axis of size 1'),
  ],
  mistakes: [
    {
      title: 'The division is missing',
      text: 'This is the rule of the sum. Each x moves its mean by 1/n of its own move only.',
      vjp: (at: MeanAt, [x], ops) => [() => spread(at, x, 1, ops)],
    },
    {
      title: 'Multiplied instead of divided',
      text: 'Each x moves its mean by 1/n of its own move: divide by n.',
      vjp: (at: MeanAt, [x], ops) => [() => spread(at, x, at.dY.size / x.size, ops)],
    },
    {
      title: 'Divided by the wrong number',
      text: 'You divide by the count of all numbers of x. Each mean is of x.size / dY.size numbers.',
      vjp: (at: MeanAt, [x], ops) => [() => spread(at, x, x.size, ops)],
    },
    {
      title: 'dY broadcasts along the wrong axis',
      text: 'dY has lost an axis. Broadcasting adds it on the left, which is wrong unless the first axis went. ops.expandDims puts it back where it was.',
      vjp: ({ dY }: MeanAt, [x], ops) => [() => ops.broadcastTo(ops.div(dY, x.size / dY.size), x.shape)],
    },
  ],
}

const turned = (shape: readonly number[], axes: readonly number[], name: string, why?: string): Case => ({
  name,
  hidden: true,
  inputs: [{ shape }],
  run: (x) => transpose(x, [...axes]),
  why,
})
type Axes = { dY: Tensor; options: { axes: readonly number[] } }
export const ofTranspose: Checks = {
  cases: [
    { ...turned([2, 3], [1, 0], 'rows and columns change places'), hidden: false },
    turned([2, 3, 4], [1, 2, 0], 'three axes go round', 'The order [1, 2, 0] is not undone by itself but by [2, 0, 1].'),
    turned([3, 3, 3], [1, 2, 0], 'three axes of one size go round', 'All sizes are equal here, so that a wrong order has the right shape.'),
    turned([2, 3, 4], [0, 2, 1], 'one axis stays'),
    turned([2, 1, 3, 2], [3, 0, 2, 1], 'four axes'),
  ],
  mistakes: [
    {
      title: 'The same order once more',
      text: 'It brings two swapped axes back, but three that go round go on to the next place. You need the order that undoes axes: at position i stands where axis i went, axes.indexOf(i).',
      vjp: ({ dY, options: { axes } }: Axes, _, ops) => [() => ops.transpose(dY, axes)],
    },
    {
      title: 'All axes reversed',
      text: 'ops.transpose without an order reverses all axes. That undoes a swap of two, but not another order.',
      vjp: ({ dY }, _, ops) => [() => ops.transpose(dY)],
    },
    {
      title: 'The shape is right, the numbers are not',
      text: 'reshape keeps the numbers in a row and cuts the row elsewhere. Here they have to change their places: ops.transpose.',
      vjp: ({ dY }, [x], ops) => [() => ops.reshape(dY, x.shape)],
    },
  ],
}

const picks = (shape: readonly number[], values: readonly number[]): Input[] => [
  { shape },
  { shape: [values.length], dtype: 'int32', values },
]
const pick = (x: Tensor, indices: Tensor): Tensor => gather(x, indices)
export const ofGather: Checks = {
  cases: [
    { name: 'three of five rows', inputs: picks([5, 3], [4, 0, 2]), run: pick },
    {
      name: 'a row that is picked three times',
      hidden: true,
      inputs: picks([5, 2], [1, 1, 3, 1]),
      run: pick,
      why: 'Row 1 was picked three times, so it gets the sum of three rows of dY.',
    },
    {
      name: 'as many picks as rows',
      hidden: true,
      inputs: picks([3, 3], [2, 0, 1]),
      run: pick,
      why: 'dY has the shape of x here, but its rows are in another order.',
    },
    { name: 'a single row', hidden: true, inputs: picks([1, 4], [0, 0]), run: pick },
    { name: 'rows of one number', hidden: true, inputs: picks([7, 1], [6, 2, 2]), run: pick },
  ],
  mistakes: [
    {
      title: 'Gathered once more',
      text: 'ops.gather(dY, indices) picks rows of dY. They must be put: row i of dY onto row indices[i]. That is ops.scatterAdd.',
      vjp: ({ dY }, [, indices], ops) => [() => ops.gather(dY, indices), null],
    },
    {
      title: 'Shared instead of added',
      text: 'A row that is picked several times gets the sum over its picks, not their mean.',
      vjp: ({ dY }, [x, indices], ops) => [
        () => {
          const count = ops.scatterAdd(ops.ones([dY.shape[0], 1], { dtype: dY.dtype }), indices, x.shape[0])
          return ops.div(ops.scatterAdd(dY, indices, x.shape[0]), ops.maximum(count, 1))
        },
        null,
      ],
    },
    {
      title: 'The wrong number of rows',
      text: 'The result has a row for each row of x, not for each index: ops.scatterAdd(dY, indices, x.shape[0]).',
      vjp: ({ dY }, [, indices], ops) => [() => ops.scatterAdd(dY, indices, dY.shape[0]), null],
    },
  ],
}

/** matMul, convolution and pooling. */
import { conv2d, matMul, maxPool2d, type Tensor } from '@cotangent/core'
import type { Case, Checks, Input, Namespace } from './case.js'

const product = (a: Tensor, b: Tensor): Tensor => matMul(a, b)
const pair = (a: readonly number[], b: readonly number[]): Input[] => [{ shape: a }, { shape: b }]

export const ofMatMul: Checks = {
  cases: [
    { name: '[2, 3] times [3, 4]', inputs: pair([2, 3], [3, 4]), run: product },
    {
      name: 'square matrices',
      hidden: true,
      inputs: pair([3, 3], [3, 3]),
      run: product,
      why: 'Among squares every product has the right shape, so only the numbers can tell a missing transpose or a wrong order.',
    },
    { name: 'a row times a column', hidden: true, inputs: pair([1, 4], [4, 1]), run: product },
    { name: 'a column times a row', hidden: true, inputs: pair([5, 1], [1, 3]), run: product },
    {
      name: 'a matrix times itself',
      hidden: true,
      inputs: [{ shape: [3, 3] }],
      run: (x) => matMul(x, x),
      why: 'a and b are one tensor here, and the walk adds both results.',
    },
  ],
  mistakes: [
    {
      title: 'A transpose is missing',
      text: 'dY·b and a·dY do not even fit unless all is square. The rows of dY meet the rows of b, the columns of a meet the columns of dY: dA = dY·bᵀ, dB = aᵀ·dY.',
      vjp: ({ dY }, [a, b], ops) => [() => ops.matMul(dY, b), () => ops.matMul(a, dY)],
    },
    {
      title: 'The factors are in the wrong order',
      text: 'A product of matrices has an order. In y = a·b the a stands on the left, so in dB its transpose stands on the left of dY: aᵀ·dY. And dA is dY·bᵀ.',
      vjp: ({ dY }, [a, b], ops) => [() => ops.matMul(b, dY, { transposeA: true }), () => ops.matMul(dY, a, { transposeB: true })],
    },
    {
      title: 'The second result is transposed',
      text: 'dYᵀ·a is the transpose of what b needs. Turn the order round: aᵀ·dY.',
      vjp: ({ dY }, [a, b], ops) => [() => ops.matMul(dY, b, { transposeB: true }), () => ops.matMul(dY, a, { transposeA: true })],
    },
    {
      title: 'The first result is transposed',
      text: 'b·dYᵀ is the transpose of what a needs. Turn the order round: dY·bᵀ.',
      vjp: ({ dY }, [a, b], ops) => [() => ops.matMul(b, dY, { transposeB: true }), () => ops.matMul(a, dY, { transposeA: true })],
    },
    {
      title: 'The elementwise product',
      text: 'ops.mul multiplies number by number. Each a moves a whole row of y, so its derivative is a sum of products: ops.matMul.',
      vjp: ({ dY }, [a, b], ops) => [() => ops.mul(dY, b), () => ops.mul(dY, a)],
    },
  ],
}

const pooled = (shape: readonly number[], poolSize: readonly [number, number], name: string, why?: string): Case => ({
  name,
  hidden: true,
  inputs: [{ shape }],
  run: (x) => maxPool2d(x, poolSize),
  why,
})
type Pool = { dY: Tensor; y: Tensor; options: { poolSize: readonly [number, number] } }
/** x as blocks, and a tensor of the shape of y laid out against it. */
const blocks = (x: Tensor, [ph, pw]: readonly [number, number], ops: Namespace): { of: (y: Tensor) => Tensor; x: Tensor } => {
  const [n, h, w, c] = x.shape
  return { x: ops.reshape(x, [n, h / ph, ph, w / pw, pw, c]), of: (y) => ops.reshape(y, [n, h / ph, 1, w / pw, 1, c]) }
}
export const ofMaxPool: Checks = {
  cases: [
    { ...pooled([1, 4, 4, 1], [2, 2], 'one small image'), hidden: false },
    pooled([2, 4, 6, 3], [2, 2], 'two images with three channels', 'Each channel of each image has windows of its own.'),
    pooled([1, 6, 4, 2], [3, 2], 'windows of 3 × 2', 'The pool size may differ down and across.'),
    pooled([1, 3, 3, 1], [1, 1], 'windows of a single number'),
    pooled([1, 5, 7, 1], [5, 7], 'a single window'),
  ],
  mistakes: [
    {
      title: 'Everybody gets dY',
      text: 'You send dY to all numbers of the window. Only the largest moves y; the others get 0.',
      vjp: ({ dY, options }: Pool, [x], ops) => [
        () => {
          const view = blocks(x, options.poolSize, ops)
          return ops.reshape(ops.broadcastTo(view.of(dY), view.x.shape), x.shape)
        },
      ],
    },
    {
      title: 'This is the rule of average pooling',
      text: 'You give every number of the window an equal share of dY. In max pooling the largest takes all.',
      vjp: ({ dY, options }: Pool, [x], ops) => [
        () => {
          const view = blocks(x, options.poolSize, ops)
          return ops.reshape(ops.div(ops.broadcastTo(view.of(dY), view.x.shape), options.poolSize[0] * options.poolSize[1]), x.shape)
        },
      ],
    },
    {
      title: 'The largest number instead of its slope',
      text: 'You multiply dY with y. A move of the largest number moves y by just as much: the slope is 1.',
      vjp: ({ dY, y, options }: Pool, [x], ops) => [
        () => {
          const view = blocks(x, options.poolSize, ops)
          return ops.reshape(ops.where(ops.equal(view.x, view.of(y)), view.of(ops.mul(dY, y)), 0), x.shape)
        },
      ],
    },
    {
      title: 'dY is missing',
      text: 'You return where the largest numbers are, 0 or 1. Put dY there in place of the 1.',
      vjp: ({ y, options }: Pool, [x], ops) => [
        () => {
          const view = blocks(x, options.poolSize, ops)
          return ops.reshape(ops.cast(ops.equal(view.x, view.of(y)), x.dtype), x.shape)
        },
      ],
    },
  ],
}

type Window = { strides?: readonly [number, number]; padding?: 'valid' | 'same' }
const convolved = (x: readonly number[], filter: readonly number[], window: Window, name: string, why?: string): Case => ({
  name,
  hidden: true,
  inputs: [{ shape: x }, { shape: filter }, { shape: [filter[3]] }],
  run: (x, filter, bias) => conv2d(x, filter, { ...window, bias }),
  why,
})
type ConvAt = { dY: Tensor; options: Window }
export const ofConv: Checks = {
  cases: [
    { ...convolved([1, 4, 4, 1], [3, 3, 1, 2], {}, 'one image, two filters'), hidden: false },
    convolved(
      [1, 5, 4, 2],
      [2, 3, 2, 2],
      { strides: [2, 1], padding: 'same' },
      'strides and padding',
      'strides and padding belong to the adjoints, too: pass them on.',
    ),
    convolved([2, 3, 3, 2], [1, 1, 2, 3], {}, 'a filter of one cell', 'With one cell it is a matMul at each position.'),
    convolved([3, 2, 5, 1], [2, 2, 1, 1], { strides: [1, 2] }, 'three images, odd sizes'),
  ],
  mistakes: [
    {
      title: 'Strides and padding are forgotten',
      text: 'The adjoints must slide their window as the forward pass did. Give both of them { strides, padding }.',
      vjp: ({ dY }: ConvAt, [x, filter], ops) => [
        () => ops.conv2dTranspose(dY, filter, [x.shape[1], x.shape[2]]),
        () => ops.conv2dFilterGradient(x, dY, [filter.shape[0], filter.shape[1]]),
        () => ops.sum(dY, { axis: [0, 1, 2] }),
      ],
    },
    {
      title: 'The mean instead of the sum for the bias',
      text: 'The bias is used at every position of every image. The derivatives of all uses are added.',
      vjp: ({ dY, options: { strides, padding } }: ConvAt, [x, filter], ops) => [
        () => ops.conv2dTranspose(dY, filter, [x.shape[1], x.shape[2]], { strides, padding }),
        () => ops.conv2dFilterGradient(x, dY, [filter.shape[0], filter.shape[1]], { strides, padding }),
        () => ops.mean(dY, { axis: [0, 1, 2] }),
      ],
    },
    {
      title: 'The sum over images is missing somewhere',
      text: 'The bias was repeated along three axes: images, rows and columns. Sum over 0, 1 and 2; only the filters stay.',
      vjp: ({ dY, options: { strides, padding } }: ConvAt, [x, filter], ops) => [
        () => ops.conv2dTranspose(dY, filter, [x.shape[1], x.shape[2]], { strides, padding }),
        () => ops.conv2dFilterGradient(x, dY, [filter.shape[0], filter.shape[1]], { strides, padding }),
        () => ops.sum(dY, { axis: [1, 2] }),
      ],
    },
  ],
}

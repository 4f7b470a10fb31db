/**
 * The exercises as the page shows them, in their order. What the reader is told of each stands in docs/exercises.md, under the heading that is its `id`; how a rule
 * is checked is in cases/. The file is long because it holds the texts of sixteen exercises.
 */

export interface Exercise {
  /** The anchor of its heading in docs/exercises.md. */
  readonly id: string
  /** The op in the registry whose derivative the reader writes. */
  readonly op: string
  /** The names of its inputs, as the reader's code has them. */
  readonly inputs: readonly string[]
  /** The text of the editor at first. */
  readonly start: string
  readonly hints: readonly [string, string, string]
}

/** An array of functions, one for each input; each line says what it is to be. */
const start = (given: string, inputs: string, lines: readonly string[]): string =>
  `export const vjp = (${given}, [${inputs}], ops) => [\n${lines.map((line) => `  () => dY, // ${line}`).join('\n')}\n]\n`

/** The ids of the exercises whose ops are in the network that learns digits, as the walk backwards meets them (digits.ts). */
export const inDigits: readonly string[] = ['mean', 'softmax-cross-entropy', 'add', 'matmul', 'tanh', 'max-pooling', 'relu', 'convolution']

export const ladder: readonly Exercise[] = [
  {
    id: 'tanh',
    op: 'tanh',
    inputs: ['x'],
    start: start('{ dY, y }', 'x', ['the derivative of the loss by x']),
    hints: [
      'Each number of y depends on one number of x. So the derivative of the loss by x is dY times the slope of tanh, number by number.',
      'The slope of tanh is 1 − tanh². The forward pass has computed tanh(x) already: it is y.',
      'Write it with ops: the product is ops.mul(dY, …), the square ops.square(y), and ops.sub takes a plain number on its left.',
    ],
  },
  {
    id: 'mul',
    op: 'mul',
    inputs: ['a', 'b'],
    start: start('{ dY }', 'a, b', ['by a', 'by b']),
    hints: [
      'Hold b still. Then y = a·b is a line in a. What is its slope?',
      'Move a by ε, and y moves by ε·b. So the derivative by a has the factor b, and the one by b has the factor a.',
      'Two functions: ops.mul(dY, b) for a, and the same with a for b. If a and b are the same tensor, the walk backwards adds the two.',
    ],
  },
  {
    id: 'add',
    op: 'add',
    inputs: ['a', 'b'],
    start: start('{ dY }', 'a, b', ['by a, in the shape of a', 'by b, in the shape of b']),
    hints: [
      'Without broadcasting both derivatives are dY. With it, a number that was repeated has moved several numbers of y.',
      'A number that is used several times gets the sum of the derivatives of all its uses. So dY is summed over the axes along which the input was repeated.',
      'ops.sumTo(dY, a.shape) sums over just those axes, and gives dY itself where nothing was repeated.',
    ],
  },
  {
    id: 'mean',
    op: 'mean',
    inputs: ['x'],
    start: `export const vjp = ({ dY, options }, [x], ops) => {
  const { axis } = options // undefined, a number or several; a negative one counts from the end
  return [
    () => dY, // by x, in the shape of x
  ]
}
`,
    hints: [
      'Each x moves one mean, by 1/n of its own move. So each x gets the dY of its mean, divided by n.',
      'dY lacks the axis that went. Give it back with size 1, and it can be repeated to the shape of x: ops.expandDims(dY, axis), or ops.reshape to a shape with 1 there.',
      'n is how many numbers went into one mean: x.size / dY.size. With axis undefined, dY is a single number and broadcasts as it is; with several axes, expand each of them.',
    ],
  },
  {
    id: 'matmul',
    op: 'matMul',
    inputs: ['a', 'b'],
    start: start('{ dY }', 'a, b', ['by a, [m, k]', 'by b, [k, n]']),
    hints: [
      'y[i, j] = Σ a[i, p]·b[p, j]. Which numbers of y does a[i, p] move? Row i, all of it. By how much each? By b[p, j].',
      'So da[i, p] = Σⱼ dY[i, j]·b[p, j]: row i of dY with row p of b. Rows with rows is a product with the transpose. The shapes say the same: [m, n] and what gives [m, k]?',
      'ops.matMul(dY, b, { transposeB: true }) is dY·bᵀ. For b it is aᵀ·dY: the order matters.',
    ],
  },
  {
    id: 'transpose',
    op: 'transpose',
    inputs: ['x'],
    start: `export const vjp = ({ dY, options }, [x], ops) => {
  const { axes } = options // axis i of y is axis axes[i] of x
  return [
    () => dY, // by x, with the axes in their old order
  ]
}
`,
    hints: [
      'Nothing is computed, numbers change their places. So each number of dY goes back to where its x came from.',
      'You need the order that undoes axes. For two axes it is axes itself, for three it may not be: [1, 2, 0] is undone by [2, 0, 1].',
      'The axis i of x stands at position axes.indexOf(i) of y. So the order is axes.map((_, i) => axes.indexOf(i)).',
    ],
  },
  {
    id: 'relu',
    op: 'relu',
    inputs: ['x'],
    start: start('{ dY, y }', 'x', ['by x']),
    hints: [
      'relu is two straight lines. What is the slope of each?',
      'Where x is above 0 the slope is 1 and dY passes; where it is below, the slope is 0 and nothing does. At 0 itself there is a kink, and every slope from 0 to 1 is allowed; most libraries take 0.',
      'ops.where(condition, a, b) chooses, ops.greater(x, 0) compares. The library has an op of its own for this: ops.gate(dY, y) is dY where y > 0.',
    ],
  },
  {
    id: 'softplus',
    op: 'softplus',
    inputs: ['x'],
    start: start('{ dY, y }', 'x', ['by x']),
    hints: [
      'y = ln(1 + eˣ). The derivative of ln u is u′/u.',
      'So the slope is eˣ/(1 + eˣ). You know this function by another name.',
      'It is the sigmoid of x, of the input: ops.sigmoid(x). The output y does not help here as it did for tanh.',
    ],
  },
  {
    id: 'softmax',
    op: 'softmax',
    inputs: ['x'],
    start: start('{ dY, y }', 'x', ['by x; each row of the last axis is a softmax of its own']),
    hints: [
      'Each x moves all numbers of its row: if one probability grows, the others shrink. So the Jacobian of a row is not diagonal: ∂yᵢ/∂xⱼ is yᵢ·(1 − yᵢ) for i = j, and −yᵢ·yⱼ else.',
      'Multiply the row dY with that matrix: dxⱼ = Σᵢ dYᵢ·∂yᵢ/∂xⱼ = yⱼ·(dYⱼ − Σᵢ dYᵢ·yᵢ).',
      'The sum goes over the last axis, which has to stay for the subtraction: ops.sum(ops.mul(dY, y), { axis: -1, keepDims: true }).',
    ],
  },
  {
    id: 'softmax-cross-entropy',
    op: 'softmaxCrossEntropy',
    inputs: ['logits', 'labels'],
    start: start('{ dY }', 'logits, labels', ['by logits, [n, c]; dY is [n]', 'by labels, [n, c]']),
    hints: [
      'loss = −Σ labels·ln p, where p = softmax(logits). Write ln p as logits − ln Σ e^logits, and differentiate that.',
      'dLogits = p·Σ labels − labels for each row. If the labels of a row sum to 1, that is p − labels. The loss is a straight line in the labels, so their derivative is −ln p.',
      'Both are times dY, which has one number for each row: ops.expandDims(dY, -1) makes it [n, 1]. There are ops.softmax and ops.logSoftmax.',
    ],
  },
  {
    id: 'gather',
    op: 'gather',
    inputs: ['x', 'indices'],
    start: `export const vjp = ({ dY }, [x, indices], ops) => [
  () => dY, // by x, [v, d]; dY is [n, d]
  null, // whole numbers have no derivative
]
`,
    hints: [
      'Row i of y is a copy of row indices[i] of x. So row i of dY belongs to row indices[i] of dX.',
      'A row that was picked twice gets the sum of both; one that was never picked gets 0.',
      'ops.scatterAdd(rows, indices, count) adds rows to zeros at the given positions. count is how many rows x has.',
    ],
  },
  {
    id: 'max-pooling',
    op: 'maxPool2d',
    inputs: ['x'],
    start: `export const vjp = ({ dY, y, options }, [x], ops) => {
  const [ph, pw] = options.poolSize // windows side by side: they do not overlap, and they fill x
  const [n, h, w, c] = x.shape // y and dY are [n, h/ph, w/pw, c]
  return [
    () => dY, // by x
  ]
}
`,
    hints: [
      'A small move of a number that is not the largest of its window changes nothing. A move of the largest moves y by as much. So dY of a window goes to its largest number, all others get 0.',
      'Lay x out as [n, h/ph, ph, w/pw, pw, c] with ops.reshape. Then y and dY, as [n, h/ph, 1, w/pw, 1, c], broadcast against it.',
      'ops.equal(blocks, tops) is true where a number is the largest. ops.where(that, slopes, 0) puts dY there; a last ops.reshape gives the shape of x.',
    ],
  },
  {
    id: 'convolution',
    op: 'conv2d',
    inputs: ['x', 'filter', 'bias'],
    start: `export const vjp = ({ dY, options }, [x, filter, bias], ops) => {
  const { strides, padding } = options // pass them on
  const [kh, kw] = filter.shape
  return [
    () => dY, // by x, [n, h, w, c]
    () => dY, // by filter, [kh, kw, c, f]
    () => dY, // by bias, [f]; dY is [n, oh, ow, f]
  ]
}
`,
    hints: [
      'y is linear in x and linear in the filter, so this is matMul again with another pattern: dX is dY with the filter, dFilter is x with dY. The bias was broadcast to every position.',
      'The product in the other direction has a name of its own: ops.conv2dTranspose(dY, filter, [h, w], options) puts each dY, times the filter, back onto the window that it came from.',
      'The filter: ops.conv2dFilterGradient(x, dY, [kh, kw], { strides, padding }) sums x·dY over all positions. The bias: the sum of dY over the axes 0, 1 and 2.',
    ],
  },
  {
    id: 'layer-normalisation',
    op: 'layerNorm',
    inputs: ['x', 'gamma', 'beta'],
    start: `export const vjp = ({ dY, options }, [x, gamma, beta], ops) => {
  const row = { axis: -1, keepDims: true }
  const mean = ops.mean(x, row)
  const factor = ops.rsqrt(ops.add(ops.variance(x, row), options.epsilon)) // 1/√(variance + ε)
  const unit = ops.mul(ops.sub(x, mean), factor) // y = unit·gamma + beta
  return [
    () => dY, // by x
    () => dY, // by gamma, [c]
    () => dY, // by beta, [c]
  ]
}
`,
    hints: [
      'gamma and beta are a product and a sum with broadcasting: you have done both. Let g = dY·gamma be what arrives at unit.',
      'x moves unit in three ways: directly, through the mean, and through the variance. The two others take something away: the mean of g, and the part of g that points along unit.',
      'dX = factor·(g − mean(g) − unit·mean(g·unit)), with means over the last axis that keep it.',
    ],
  },
  {
    id: 'attention',
    op: 'scaledDotProductAttention',
    inputs: ['query', 'key', 'value'],
    start: `export const vjp = ({ dY, y, options }, inputs, ops) => {
  const { scale } = options
  // [batch, steps, heads, size] → [batch, heads, steps, size], and the same order brings it back
  const heads = (t) => ops.transpose(t, [0, 2, 1, 3])
  const [query, key, value] = inputs.map(heads)
  const weights = ops.softmax(ops.mul(ops.matMul(query, key, { transposeB: true }), scale)) // y = weights·value
  return [
    () => dY, // by query
    () => dY, // by key
    () => dY, // by value
  ]
}
`,
    hints: [
      'It is a chain of what you have done: matMul, a factor, softmax, matMul. Go back through it one by one, and start with y = weights·value.',
      'dValue = weightsᵀ·dY and dWeights = dY·valueᵀ. Through the softmax: dScores = weights·(dWeights − Σ dWeights·weights), the sum over the last axis. Then the factor scale.',
      'dQuery = dScores·key and dKey = dScoresᵀ·query, both times scale. Bring dY into the order of heads first, and each result back.',
    ],
  },
  {
    id: 'lstm-cell',
    op: 'lstmCell',
    inputs: ['x', 'h', 'c', 'W', 'U', 'b'],
    start: `export const vjp = ({ dY, y }, [x, h, c, W, U, b], ops) => {
  const [dH, dC] = ops.unstack(dY) // of the new h and the new c
  const [, next] = ops.unstack(y) // the new c
  const z = ops.add(ops.add(ops.matMul(x, W), ops.matMul(h, U)), b) // [n, 4u]
  const [zi, zf, zg, zo] = ops.split(z, 4, -1)
  const [i, f, g, o] = [ops.sigmoid(zi), ops.sigmoid(zf), ops.tanh(zg), ops.sigmoid(zo)]
  // next = f·c + i·g, and the new h = o·tanh(next)
  const dZ = dY // first this, [n, 4u]; then the rest is easy
  return [
    () => dY, // by x
    () => dY, // by h
    () => dY, // by c
    () => dY, // by W
    () => dY, // by U
    () => dY, // by b
  ]
}
`,
    hints: [
      'The new c is used twice: it is a result, and it makes the new h. So its derivative is a sum: dC, and what comes back through h = o·tanh(next).',
      'dNext = dC + dH·o·(1 − tanh²(next)). From it: dI = dNext·g, dF = dNext·c, dG = dNext·i, and dO = dH·tanh(next). Each times the slope of its gate: i·(1 − i) for a sigmoid, 1 − g² for tanh.',
      'dZ = ops.concat([…], -1) of the four. z = x·W + h·U + b is two products and a sum with broadcasting: dX = dZ·Wᵀ, dW = xᵀ·dZ, dB = Σ dZ. And the old c: dNext·f.',
    ],
  },
]

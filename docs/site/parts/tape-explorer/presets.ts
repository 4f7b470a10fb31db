/** Code to begin with. Each ends with a number called `loss`. */
export interface Preset {
  /** For the address. */
  readonly id: string
  readonly title: string
  /** A hint where to look. */
  readonly look: string
  readonly code: string
}

export const presets: readonly Preset[] = [
  {
    id: 'scalar',
    title: 'One number',
    look: 'a goes in twice, by mul and by add. Step backward: each use sends a part of its cotangent, and the parts are added.',
    code: `import { scalar } from '@cotangent/core'

const a = scalar(0.5)
const b = scalar(-1.5)
const c = a.mul(b)
const d = c.add(a)
const loss = d.tanh()
`,
  },
  {
    id: 'twice',
    title: 'A value used twice',
    look: 'e.mul(e) sends two cotangents to e. The record before gets their sum; both parts are shown.',
    code: `import { Parameter, tensor } from '@cotangent/core'

const x = tensor([1, 2, 3, 4])
const t = tensor([3, 5, 7, 9])
const w = new Parameter(tensor([1.5]))
const b = new Parameter(tensor([0.5]))

const p = x.mul(w).add(b)
const e = p.sub(t)
const q = e.mul(e)
const loss = q.mean()
`,
  },
  {
    id: 'broadcast',
    title: 'Broadcasting',
    look: 'b has three numbers, each added to four rows. Its cotangent is the sum over the rows.',
    code: `import { Parameter, tensor } from '@cotangent/core'

const x = tensor([[1, 2, 3], [4, 5, 6], [7, 8, 9], [0, 1, 0]])
const b = new Parameter(tensor([0.1, 0.2, 0.3]))
const s = new Parameter(tensor([[1], [2], [-1], [0.5]]))

const y = x.add(b) // [4, 3] + [3]
const z = y.mul(s) // [4, 3] · [4, 1]
const loss = z.sin().sum()
`,
  },
  {
    id: 'xor',
    title: 'A network that learns exclusive or',
    look: 'Two inputs, three hidden units, one output. The chapter "From a tape to a kernel" goes through these very records.',
    code: `import { key, normal, Parameter, splitKey, tensor } from '@cotangent/core'

const [k1, k2, k3, k4] = splitKey(key(1), 4)
const W1 = new Parameter(normal(k1, [2, 3], { stddev: 0.7 }))
const b1 = new Parameter(normal(k2, [3], { stddev: 0.3 }))
const W2 = new Parameter(normal(k3, [3, 1], { stddev: 0.7 }))
const b2 = new Parameter(normal(k4, [1], { stddev: 0.3 }))

const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]])
const t = tensor([[0], [1], [1], [0]])

const u = x.matMul(W1)
const c = u.add(b1)
const h = c.tanh()
const v = h.matMul(W2)
const z = v.add(b2)
const p = z.sigmoid() // the predictions
const e = p.sub(t) // the errors
const q = e.mul(e)
const loss = q.mean()
`,
  },
  {
    id: 'cross-entropy',
    title: 'Softmax and cross-entropy',
    look: 'One record with a kernel of its own. Its derivative is softmax minus label, over the number of rows. With float64 there is no such kernel, and the tape shows the parts.',
    code: `import { Parameter, softmaxCrossEntropy, tensor } from '@cotangent/core'

const logits = new Parameter(tensor([[2, 1, -1], [0.5, 2.5, 0], [1, 1, 1]]))
const labels = tensor([[1, 0, 0], [0, 0, 1], [0, 1, 0]])

const losses = softmaxCrossEntropy(logits, labels)
const loss = losses.mean()
`,
  },
  {
    id: 'convolution',
    title: 'A convolution',
    look: 'An edge filter over an image, then the largest of each window. Only that largest one gets a cotangent.',
    code: `import { conv2d, maxPool2d, Parameter, tensor } from '@cotangent/core'

// A bright square on dark ground: [1, 8, 8, 1]
const pixels = Array.from({ length: 64 }, (_, i) => {
  const row = Math.floor(i / 8)
  const column = i % 8
  const square = row > 1 && row < 6 && column > 1 && column < 6
  return (square ? 1 : 0) + row / 50 + (column * column) / 200
})
const image = tensor(pixels, { shape: [1, 8, 8, 1] })
const edges = [1, 0, -1, 2, 0, -2, 1, 0, -1]
const filter = new Parameter(tensor(edges, { shape: [3, 3, 1, 1] }))
const bias = new Parameter(tensor([0.1]))

const y = conv2d(image, filter, { bias, padding: 'same', relu: true })
const pooled = maxPool2d(y, [2, 2])
const loss = pooled.square().mean()
`,
  },
  {
    id: 'batch-norm',
    title: 'Batch normalisation',
    look: 'Mean and variance are made of x, so x gets cotangents on three ways. What is the same for all rows goes away: each column of dx has the sum 0.',
    code: `import { batchNorm, moments, Parameter, tensor } from '@cotangent/core'

const x = new Parameter(tensor([[1, 10], [2, 30], [3, 20], [5, 60]]))
const gamma = new Parameter(tensor([1, 2]))
const beta = new Parameter(tensor([0, 0.5]))

const both = moments(x) // [2, 2]: means, then variances
const mean = both.at(0)
const variance = both.at(1)
const y = batchNorm(x, mean, variance, { gamma, beta })
const loss = y.tanh().square().sum()
`,
  },
  {
    id: 'gather',
    title: 'Rows of a table (an embedding)',
    look: 'Word 2 stands in the text twice. Its row gets the sum of both cotangents; rows of words that are not there get 0.',
    code: `import { gather, Parameter, tensor } from '@cotangent/core'

const table = new Parameter(tensor([[0.1, 0.2], [0.3, -0.1], [-0.4, 0.5], [0.2, 0.2]]))
const text = [2, 0, 2]

const words = gather(table, text) // [3, 2]
const target = tensor([0.5, -0.5])
const miss = words.mean({ axis: 0 }).sub(target)
const loss = miss.square().sum()
`,
  },
  {
    id: 'rnn',
    title: 'A recurrence, four steps long',
    look: 'w is used in each step. Its parts become smaller the further back the step lies: the gradient vanishes. Try w = 2.',
    code: `import { Parameter, scalar, tensor } from '@cotangent/core'

const w = new Parameter(scalar(0.5))
const u = new Parameter(scalar(1))
const x = tensor([1, 0, 0, 0])

let h = scalar(0)
for (let t = 0; t < 4; t++) {
  h = x.at(t).mul(u).add(h.mul(w)).tanh()
}
const loss = h.sub(1).square()
`,
  },
  {
    id: 'lstm',
    title: 'A step of an LSTM',
    look: 'One product gives all four gates; split cuts it. c goes on by a product and a sum alone, which is why its cotangent does not vanish.',
    code: `import { key, normal, Parameter, splitKey, tensor } from '@cotangent/core'

const [k1, k2] = splitKey(key(3), 2)
const W = new Parameter(normal(k1, [2, 8], { stddev: 0.5 })) // 2 inputs, 2 units
const U = new Parameter(normal(k2, [2, 8], { stddev: 0.5 }))
const b = new Parameter(tensor([0, 0, 1, 1, 0, 0, 0, 0])) // the forget gate begins open

const x = tensor([[1, -0.5]])
const h0 = tensor([[0.1, -0.2]])
const c0 = new Parameter(tensor([[0.8, -0.6]]))

const z = x.matMul(W).add(h0.matMul(U)).add(b)
const [zi, zf, zg, zo] = z.split(4, -1)
const i = zi.sigmoid()
const f = zf.sigmoid()
const g = zg.tanh()
const o = zo.sigmoid()
const c = f.mul(c0).add(i.mul(g))
const h = o.mul(c.tanh())
const loss = h.sub(1).square().mean()
`,
  },
  {
    id: 'attention',
    title: 'A head of attention',
    look: 'Three words look at each other. softmax sends back weights·(dY − Σ dY·weights): what is the same for a whole row does not matter.',
    code: `import { key, normal, Parameter, splitKey } from '@cotangent/core'

const [k1, k2, k3, k4] = splitKey(key(5), 4)
const x = normal(k1, [3, 4]) // 3 words
const Wq = new Parameter(normal(k2, [4, 2], { stddev: 0.7 }))
const Wk = new Parameter(normal(k3, [4, 2], { stddev: 0.7 }))
const Wv = new Parameter(normal(k4, [4, 2], { stddev: 0.7 }))

const Q = x.matMul(Wq)
const K = x.matMul(Wk)
const V = x.matMul(Wv)
const scores = Q.matMul(K, { transposeB: true }).div(Math.sqrt(2))
const weights = scores.softmax()
const y = weights.matMul(V)
const loss = y.square().mean()
`,
  },
  {
    id: 'sequential',
    title: 'A model of layers',
    look: 'Each record says which layer it belongs to. dense is one record, affine, with one kernel for product, bias and relu.',
    code: `import { softmaxCrossEntropy, tensor } from '@cotangent/core'
import { dense, layerNormalization, Sequential } from '@cotangent/layers'

const model = new Sequential([
  dense(5, { activation: 'relu', inputShape: [4], name: 'hidden' }),
  layerNormalization({ name: 'norm' }),
  dense(3, { name: 'classes' }),
], { seed: 7 })

const x = tensor([[5.1, 3.5, 1.4, 0.2], [7.0, 3.2, 4.7, 1.4], [6.3, 3.3, 6.0, 2.5]])
const logits = model.apply(x)
const losses = softmaxCrossEntropy(logits, [0, 1, 2])
const loss = losses.mean()
`,
  },
  {
    id: 'second',
    title: 'A derivative of a derivative',
    look: 'grad runs while the tape records, so the ops of the first derivative are records, too. They say dmul and dtanh.',
    code: `import { grad, tensor } from '@cotangent/core'

const x = tensor([0.5, -1, 2])
const slope = grad((x) => x.mul(x).tanh().sum())(x)
const loss = slope.square().sum()
`,
  },
  {
    id: 'nan',
    title: 'A NaN',
    look: 'A softmax by hand, with large scores. The way back from the loss leads to the first record that made an infinity. scores.softmax() subtracts the maximum first.',
    code: `import { Parameter, tensor } from '@cotangent/core'

const scores = new Parameter(tensor([12, 95, 101]))
const target = tensor([0, 0, 1])

const powers = scores.exp()
const weights = powers.div(powers.sum())
const logs = weights.log()
const loss = logs.mul(target).sum().neg()
`,
  },
  {
    id: 'nan-backward',
    title: 'An infinity in the walk back alone',
    look: 'The loss is finite. The slope of a square root at 0 is not, and 0·∞ is NaN. Adding 1e-8 under the root mends it.',
    code: `import { Parameter, tensor } from '@cotangent/core'

const a = new Parameter(tensor([[1, 2], [3, 4]]))
const b = new Parameter(tensor([[1, 2], [0, 0]]))

const difference = a.sub(b)
const squares = difference.square().sum({ axis: 1 })
const distances = squares.sqrt()
const loss = distances.sum()
`,
  },
  {
    id: 'broken',
    title: 'A broken path',
    look: 'round has no derivative, so nothing reaches w. The library says which op ended the path.',
    code: `import { Parameter, tensor } from '@cotangent/core'

const x = tensor([1, 2, 3])
const w = new Parameter(tensor([0.4, 0.9, 1.2]))
const b = new Parameter(tensor([0.1, 0.1, 0.1]))

const steps = x.mul(w).round()
const y = steps.add(b)
const loss = y.square().mean()
`,
  },
]

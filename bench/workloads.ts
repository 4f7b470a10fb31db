/**
 * What is timed, as data: networks to train, kernels to run, and costs that do not depend on size. Every library gets the same table and
 * builds each row with its own public API.
 *
 * The letters are the project's names of the networks; K rows are micro-benchmarks.
 */

export type Activation = 'linear' | 'relu' | 'softmax'

/** A layer of a network, in order. */
export type LayerSpec = { type: 'dense'; units: number; activation: Activation } | { type: 'dropout'; rate: number }

interface Row {
  /** Letter or letter and number; `--only` takes it. */
  id: string
  /** What `--only` takes too. */
  name: string
  /** What is computed, for people. */
  title: string
}

/** One step: upload a batch, forward, backward, optimizer, read the loss. */
export interface TrainWorkload extends Row {
  kind: 'train'
  inputSize: number
  layers: readonly LayerSpec[]
  optimizer: 'adam' | 'rmsprop'
  batch: number
}

/** One step: one product a·b of float32 matrices, [m, k] · [k, n], either stored transposed. */
export interface MatMulWorkload extends Row {
  kind: 'matMul'
  m: number
  k: number
  n: number
  transposeA: boolean
  transposeB: boolean
}

/** One step: one elementwise function over `size` float32 values. */
export interface ElementwiseWorkload extends Row {
  kind: 'elementwise'
  op: ElementwiseOp
  size: number
}

export type ElementwiseOp = 'add' | 'relu' | 'exp' | 'log' | 'tanh' | 'sigmoid'

/** One step: Adam's update of `size` parameters from gradients that stay the same. */
export interface UpdateWorkload extends Row {
  kind: 'update'
  size: number
  /** So small that parameters stay where they are, however many steps are taken. */
  learningRate: number
}

/** One step: `count` additions of 10-element tensors, or gradients of a scalar expression of 20 ops. */
export interface DispatchWorkload extends Row {
  kind: 'dispatch'
  what: 'add' | 'gradient'
  count: number
}

export type Workload = TrainWorkload | MatMulWorkload | ElementwiseWorkload | UpdateWorkload | DispatchWorkload

const dense = (units: number, activation: Activation = 'relu'): LayerSpec => ({ type: 'dense', units, activation })
const dropout = (rate: number): LayerSpec => ({ type: 'dropout', rate })

const models: TrainWorkload[] = [
  {
    kind: 'train',
    id: 'A',
    name: 'mlp',
    title: '784–784–10, relu and softmax, cross-entropy, Adam',
    inputSize: 784,
    layers: [dense(784), dense(10, 'softmax')],
    optimizer: 'adam',
    batch: 200,
  },
  {
    kind: 'train',
    id: 'B',
    name: 'mlp-rmsprop',
    title: '784–512–512–10, relu and softmax, dropout .2 twice, cross-entropy, RMSprop',
    inputSize: 784,
    layers: [dense(512), dropout(0.2), dense(512), dropout(0.2), dense(10, 'softmax')],
    optimizer: 'rmsprop',
    batch: 128,
  },
  {
    kind: 'train',
    id: 'C',
    name: 'mlp-dropout',
    title: '784–128–128–10, relu and softmax, dropout .3 twice, cross-entropy, Adam',
    inputSize: 784,
    layers: [dense(128), dropout(0.3), dense(128), dropout(0.3), dense(10, 'softmax')],
    optimizer: 'adam',
    batch: 128,
  },
]

function product(id: string, m: number, k: number, n: number, transposeA = false, transposeB = false): MatMulWorkload {
  const square = m === k && k === n
  const turned = transposeA || transposeB ? `-${transposeA ? 't' : 'n'}${transposeB ? 't' : 'n'}` : ''
  return {
    kind: 'matMul',
    id,
    name: `matmul-${square ? m : `${m}x${k}x${n}`}${turned}`,
    title: `[${m}, ${k}]${transposeA ? ' (stored transposed)' : ''} · [${k}, ${n}]${transposeB ? ' (stored transposed)' : ''}`,
    m,
    k,
    n,
    transposeA,
    transposeB,
  }
}

const million = 2 ** 20
const elementwise = (id: string, op: ElementwiseOp, size = million): ElementwiseWorkload => ({
  kind: 'elementwise',
  id,
  name: size === million ? op : `${op}-${size}`,
  title: `${op}, ${size} float32 values`,
  op,
  size,
})

const kernels: Workload[] = [
  product('K1', 256, 256, 256),
  product('K2', 512, 512, 512),
  product('K3', 1024, 1024, 1024),
  product('K4', 200, 784, 784),
  product('K5', 200, 784, 784, false, true),
  product('K6', 200, 784, 784, true, false),
  product('K7', 200, 784, 784, true, true),
  elementwise('K8', 'add'),
  elementwise('K9', 'exp'),
  elementwise('K10', 'tanh'),
  elementwise('K13', 'log'),
  elementwise('K14', 'sigmoid'),
  elementwise('K15', 'relu'),
  elementwise('K16', 'exp', 4096),
  elementwise('K17', 'log', 4096),
  elementwise('K18', 'tanh', 4096),
  elementwise('K19', 'sigmoid', 4096),
  { kind: 'update', id: 'K20', name: 'adam-1m', title: `Adam's update of ${million} parameters`, size: million, learningRate: 1e-9 },
]

const ops: DispatchWorkload[] = [
  { kind: 'dispatch', id: 'K11', name: 'add-10', title: 'eager add of two tensors of 10 elements', what: 'add', count: 100 },
  {
    kind: 'dispatch',
    id: 'K12',
    name: 'grad-20',
    title: 'gradient of a scalar expression of 20 ops (10 × tanh(y·c))',
    what: 'gradient',
    count: 10,
  },
]

/** The commands, and what each runs. */
export const commands = { models, kernels, ops } as const satisfies Record<string, readonly Workload[]>
export type Command = keyof typeof commands

/** Networks that wait for layers: said by `models`, so that nobody takes their absence for an oversight. */
export const pending: readonly { id: string; title: string; needs: string }[] = [
  { id: 'D', title: 'Conv 32 5×5 – MaxPool – 128 – 10 on 28×28', needs: 'Conv2D' },
  { id: 'E', title: 'Conv 32 5×5 – MaxPool – Conv 48 5×5 – MaxPool – 256 – 84 – 10', needs: 'Conv2D' },
  { id: 'F', title: 'Conv 32 3×3 – Conv 64 3×3 – MaxPool – 128 – 10', needs: 'Conv2D' },
  { id: 'G', title: 'LSTM over 28×28 – 10', needs: 'LSTM' },
  { id: 'H', title: 'Embedding – LSTM or SimpleRNN over 500 steps – 1', needs: 'Embedding, LSTM and SimpleRNN' },
  { id: 'I', title: 'Embedding – Conv1D – MaxPool – Conv1D – GlobalMaxPool – 1', needs: 'Embedding and Conv1D' },
  { id: 'J', title: 'LSTM with dropout over 240×14 – 1, also bidirectional', needs: 'LSTM and Bidirectional' },
]

/** Its sizes, as JSON and compare name them. */
export function shapeOf(workload: Workload): string {
  switch (workload.kind) {
    case 'train': {
      const units = workload.layers.flatMap((layer) => (layer.type === 'dense' ? [layer.units] : []))
      return `${workload.batch} × ${[workload.inputSize, ...units].join('–')}`
    }
    case 'matMul':
      return `${workload.m}x${workload.k}x${workload.n}${workload.transposeA || workload.transposeB ? ` ${workload.transposeA ? 't' : 'n'}${workload.transposeB ? 't' : 'n'}` : ''}`
    case 'elementwise':
    case 'update':
      return String(workload.size)
    case 'dispatch':
      return workload.what === 'add' ? '10' : 'scalar'
  }
}

/** What a step amounts to, for rates; a field is absent where it says nothing. */
export interface Amount {
  /** Multiplications and additions of matrix products alone. */
  flops?: number
  /** Read and written once each. */
  bytes?: number
  /** Of memory that they lie in, where that is less since something is written in place. */
  footprint?: number
  samples?: number
  operations?: number
}

/**
 * The amount of work in one step. A dense layer of i inputs and o outputs on b samples is 2·b·i·o flops forward, as many for the gradient
 * of its weights, and as many for that of its input, which the first layer does not need.
 */
export function amountOf(workload: Workload): Amount {
  switch (workload.kind) {
    case 'train': {
      let inputs = workload.inputSize
      let products = 0
      let flops = 0
      for (const layer of workload.layers) {
        if (layer.type !== 'dense') continue
        flops += 2 * workload.batch * inputs * layer.units * (products++ === 0 ? 2 : 3)
        inputs = layer.units
      }
      return { flops, samples: workload.batch }
    }
    case 'matMul':
      return { flops: 2 * workload.m * workload.k * workload.n }
    case 'elementwise':
      return { bytes: 4 * workload.size * (workload.op === 'add' ? 3 : 2) }
    case 'update': // reads w, g, m and v, writes w, m and v in place
      return { bytes: 4 * workload.size * 7, footprint: 4 * workload.size * 4 }
    case 'dispatch':
      return { operations: workload.count }
  }
}

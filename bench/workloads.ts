/**
 * The workloads, as data: networks to train, kernels to run, and costs that do not depend on size. Every library gets the same table and
 * builds each row with its own public API. The networks are in networks.ts; the K rows are micro-benchmarks.
 */
import { type GptWorkload, gpt, gptFlops } from './gpt.js'
import { models, type Padding, type Row, type TrainWorkload } from './networks.js'
import { type OperationWorkload, operations } from './operations.js'
import { flopsOf, sizesOf, slid } from './placed.js'

export type { GptWorkload } from './gpt.js'
export type { TrainWorkload } from './networks.js'
export type { OperationWorkload } from './operations.js'

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
  /** So small that parameters hardly move, however many steps are run. */
  learningRate: number
}

/** One step: `count` additions of 10-element tensors, or gradients of a scalar expression of 20 ops. */
export interface DispatchWorkload extends Row {
  kind: 'dispatch'
  what: 'add' | 'gradient'
  count: number
}

/**
 * One step: one convolution of random images, channels last, by a square window. If `backward`, also the gradients of its filter and of
 * its images, for a given cotangent.
 */
export interface ConvWorkload extends Row {
  kind: 'conv'
  batch: number
  /** Height, width and channels. */
  image: readonly [number, number, number]
  filters: number
  size: number
  padding: Padding
  backward: boolean
  /** It is a first layer, whose images need no gradient. */
  first: boolean
}

export type Workload =
  | TrainWorkload
  | GptWorkload
  | MatMulWorkload
  | ConvWorkload
  | ElementwiseWorkload
  | UpdateWorkload
  | DispatchWorkload
  | OperationWorkload

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

type ConvShape = Omit<ConvWorkload, keyof Row | 'kind' | 'backward'>
const convShapes: Record<string, ConvShape> = {
  D: { batch: 200, image: [28, 28, 1], filters: 32, size: 5, padding: 'valid', first: true },
  E1: { batch: 64, image: [28, 28, 1], filters: 32, size: 5, padding: 'same', first: true },
  E2: { batch: 64, image: [14, 14, 32], filters: 48, size: 5, padding: 'valid', first: false },
  F1: { batch: 128, image: [28, 28, 1], filters: 32, size: 3, padding: 'valid', first: true },
  F2: { batch: 128, image: [26, 26, 32], filters: 64, size: 3, padding: 'valid', first: false },
}
/** The convolutions of the networks: forward alone from K21 on, with the gradients from K26 on. */
const convolutions = [false, true].flatMap((backward) =>
  Object.entries(convShapes).map(([layer, shape], i): ConvWorkload => {
    const { batch, image, filters, size, padding, first } = shape
    const gradients = first ? ' and gradient of the filter' : ' and both gradients'
    return {
      kind: 'conv',
      id: `K${(backward ? 26 : 21) + i}`,
      name: `conv-${layer}${backward ? '-backward' : ''}`,
      title: `[${[batch, ...image].join(', ')}] ∗ ${filters} ${size}×${size} ${padding}, forward${backward ? gradients : ''}`,
      ...shape,
      backward,
    }
  }),
)

/** The shape of a convolution's result: [batch, height, width, filters]. */
export const convOutput = ({ batch, image: [height, width], filters, size, padding }: ConvShape): [number, number, number, number] => [
  batch,
  slid(height, size, padding),
  slid(width, size, padding),
  filters,
]

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
  {
    kind: 'update',
    id: 'K31',
    name: 'adam-4m',
    title: `Adam's update of ${4 * million} parameters`,
    size: 4 * million,
    learningRate: 1e-9,
  },
  { kind: 'update', id: 'K20', name: 'adam-1m', title: `Adam's update of ${million} parameters`, size: million, learningRate: 1e-9 },
  ...convolutions,
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

/** The commands, and the workloads of each. */
export const commands = { models: [...models, gpt], kernels, operations, ops } as const satisfies Record<string, readonly Workload[]>
export type Command = keyof typeof commands

/** Whether steps of a workload train a network: their losses fall. */
export const trains = ({ kind }: Workload): boolean => kind === 'train' || kind === 'gpt'

/** The sizes of a workload as text, for JSON and compare. */
export function shapeOf(workload: Workload): string {
  switch (workload.kind) {
    case 'train':
      return `${workload.batch} × ${sizesOf(workload)}`
    case 'gpt':
      return `${workload.batch} × ${workload.context}–${workload.layers}×${workload.width}h${workload.heads}–${workload.vocabulary}`
    case 'conv': {
      const { batch, image, filters, size, padding, backward } = workload
      return `${batch}x${image.join('x')} ${filters}c${size}${padding === 'same' ? 's' : ''}${backward ? ' backward' : ''}`
    }
    case 'matMul':
      return `${workload.m}x${workload.k}x${workload.n}${workload.transposeA || workload.transposeB ? ` ${workload.transposeA ? 't' : 'n'}${workload.transposeB ? 't' : 'n'}` : ''}`
    case 'elementwise':
    case 'update':
      return String(workload.size)
    case 'dispatch':
      return workload.what === 'add' ? '10' : 'scalar'
    case 'operation':
      return workload.operands.map(({ shape }) => shape.join('x')).join(' ')
  }
}

/** The amount of work in a step, for rates; a field is absent if it would mean nothing. */
export interface Amount {
  /** Multiplications and additions of matrix products alone. */
  flops?: number
  /** Bytes that must be read and written, each counted once. */
  bytes?: number
  /** Bytes of memory that they lie in, if that is less because something is written in place. */
  footprint?: number
  samples?: number
  operations?: number
}

/** The work of one step. Each of a convolution's two gradients takes as many flops as the convolution. */
export function amountOf(workload: Workload): Amount {
  switch (workload.kind) {
    case 'train':
      return { flops: flopsOf(workload), samples: workload.batch }
    case 'gpt':
      return { flops: gptFlops(workload), samples: workload.batch }
    case 'conv': {
      const { image, size, backward, first } = workload
      const forward = 2 * convOutput(workload).reduce((a, b) => a * b) * size * size * image[2]
      return { flops: forward * (backward ? (first ? 2 : 3) : 1), samples: workload.batch }
    }
    case 'matMul':
      return { flops: 2 * workload.m * workload.k * workload.n }
    case 'elementwise':
      return { bytes: 4 * workload.size * (workload.op === 'add' ? 3 : 2) }
    case 'update': // reads w, g, m and v, writes w, m and v in place
      return { bytes: 4 * workload.size * 7, footprint: 4 * workload.size * 4 }
    case 'dispatch':
      return { operations: workload.count }
    case 'operation':
      return {}
  }
}

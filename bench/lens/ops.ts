/** The ops that the lens shows: their sizes, formulas and operands. It needs nothing of the library (calls.ts does), so that a page is small before one runs. */

/** A size that the reader may choose. */
export interface Size {
  readonly name: string
  readonly about: string
  readonly value: number
  readonly least: number
  readonly most: number
}

export interface LensOp {
  /** The name in the registry, of the function in plain.ts, and in addresses. */
  readonly name: string
  readonly title: string
  /** TeX. */
  readonly formula: string
  /** The file that defines it, from the top of the repository. */
  readonly source: string
  /** The file of its kernel. */
  readonly kernel: string
  readonly sizes: readonly Size[]
  /** The most work that sizes may make, in the steps of the plain loop, so that a check ends soon. */
  readonly work: (sizes: readonly number[]) => number
  /** The shapes of the operands, by their names. */
  readonly operands: (sizes: readonly number[]) => Readonly<Record<string, readonly number[]>>
  /** The multiplications and additions that the formula needs. Without it the kernel's own are counted. */
  readonly flops?: (sizes: readonly number[]) => number
  /** Draws operands between 0.5 and 2.5, not −1 and 1. */
  readonly positive?: boolean
}

/** The most steps of the plain loop. */
export const MOST_WORK = 2 ** 28

const size = (name: string, about: string, value: number, most: number, least = 1): Size => ({ name, about, value, least, most })

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b)
const square = (side: number, kernel: number): number => (side - kernel + 1) ** 2

const elementwise = (name: string, title: string, formula: string, more: Partial<LensOp> = {}): LensOp => ({
  name,
  title,
  formula,
  source: `packages/core/src/ops/elementwise/${name === 'add' || name === 'mul' ? 'binary' : 'elementwise'}.ts`,
  kernel: `packages/core/src/backends/wasm/elementwise/${name === 'add' || name === 'mul' ? 'zip' : 'map'}.ts`,
  sizes: [size('size', 'elements', 65536, 2 ** 22)],
  work: product,
  operands: ([n]): Record<string, number[]> => (name === 'add' || name === 'mul' ? { x: [n], w: [n] } : { x: [n] }),
  ...more,
})

export const lensOps: readonly LensOp[] = [
  {
    name: 'matMul',
    title: 'matMul, a matrix product',
    formula: String.raw`C_{ij} = \sum_{l} A_{il} B_{lj}`,
    source: 'packages/core/src/ops/product/matmul.ts',
    kernel: 'packages/core/src/backends/wasm/product/gemm-kernel.ts',
    sizes: [
      size('m', 'rows of A and C', 128, 2048),
      size('k', 'columns of A, rows of B', 256, 2048),
      size('n', 'columns of B and C', 128, 2048),
    ],
    work: product,
    operands: ([m, k, n]) => ({ A: [m, k], B: [k, n] }),
    flops: ([m, k, n]) => 2 * m * k * n,
  },
  {
    name: 'affine',
    title: 'affine, a dense layer with relu',
    formula: String.raw`Y_{ij} = \max\Bigl(0,\ b_j + \sum_{l} X_{il} W_{lj}\Bigr)`,
    source: 'packages/core/src/ops/product/affine.ts',
    kernel: 'packages/core/src/backends/wasm/product/gemm-kernel.ts',
    sizes: [size('m', 'samples', 128, 2048), size('k', 'inputs', 784, 2048), size('n', 'units', 128, 2048)],
    work: product,
    operands: ([m, k, n]) => ({ X: [m, k], W: [k, n], b: [n] }),
    flops: ([m, k, n]) => 2 * m * k * n,
  },
  {
    name: 'conv2d',
    title: 'conv2d, a convolution',
    formula: String.raw`Y_{n,i,j,f} = \sum_{a,b,c} X_{n,\,i+a,\,j+b,\,c}\; F_{a,b,c,f}`,
    source: 'packages/core/src/ops/windows/convolution.ts',
    kernel: 'packages/core/src/backends/wasm/windows/conv-kernel.ts',
    sizes: [
      size('batch', 'images', 8, 64),
      size('side', 'pixels a side', 24, 64, 5),
      size('channels', 'channels', 8, 128),
      size('filters', 'filters', 32, 256),
      size('size', 'pixels of a side of the window', 5, 5),
    ],
    work: ([n, side, c, f, k]) => n * square(side, k) * k * k * c * f,
    operands: ([n, side, c, f, k]) => ({ X: [n, side, side, c], F: [k, k, c, f] }),
    flops: ([n, side, c, f, k]) => 2 * n * square(side, k) * k * k * c * f,
  },
  {
    name: 'depthwiseConv2d',
    title: 'depthwiseConv2d, each channel alone',
    formula: String.raw`Y_{n,i,j,c} = \sum_{a,b} X_{n,\,i+a-p,\,j+b-p,\,c}\; F_{a,b,c}`,
    source: 'packages/core/src/ops/windows/depthwise.ts',
    kernel: 'packages/core/src/backends/wasm/windows/depthwise.ts',
    sizes: [
      size('batch', 'images', 8, 64),
      size('side', 'pixels a side', 28, 112, 3),
      size('channels', 'channels', 32, 256),
      size('size', 'pixels of a side of the window', 3, 7),
    ],
    work: ([n, side, c, k]) => n * side * side * k * k * c,
    operands: ([n, side, c, k]) => ({ X: [n, side, side, c], F: [k, k, c, 1] }),
    flops: ([n, side, c, k]) => 2 * n * side * side * k * k * c,
  },
  {
    name: 'maxPool2d',
    title: 'maxPool2d, the largest of each 2 × 2',
    formula: String.raw`Y_{n,i,j,c} = \max_{a,b \in \{0,1\}} X_{n,\,2i+a,\,2j+b,\,c}`,
    source: 'packages/core/src/ops/windows/pool.ts',
    kernel: 'packages/core/src/backends/wasm/windows/pooling.ts',
    sizes: [size('batch', 'images', 16, 256), size('side', 'pixels a side', 24, 112, 2), size('channels', 'channels', 32, 256)],
    work: ([n, side, c]) => n * side * side * c,
    operands: ([n, side, c]) => ({ X: [n, side, side, c] }),
  },
  {
    name: 'softmax',
    title: 'softmax',
    formula: String.raw`y_{rj} = \frac{e^{x_{rj} - \max_i x_{ri}}}{\sum_{i} e^{x_{ri} - \max_i x_{ri}}}`,
    source: 'packages/core/src/ops/reduce/softmax.ts',
    kernel: 'packages/core/src/backends/wasm/reduce/softmax.ts',
    sizes: [size('rows', 'rows', 256, 8192), size('classes', 'numbers in a row', 100, 4096)],
    work: product,
    operands: ([rows, classes]) => ({ X: [rows, classes] }),
  },
  {
    name: 'layerNorm',
    title: 'layerNorm',
    formula: String.raw`y_{rj} = \frac{x_{rj} - \mu_r}{\sqrt{\sigma_r^2 + \varepsilon}}`,
    source: 'packages/core/src/ops/reduce/normalize.ts',
    kernel: 'packages/core/src/backends/wasm/reduce/normalize-rows.ts',
    sizes: [size('rows', 'rows', 512, 8192), size('width', 'numbers in a row', 128, 4096)],
    work: product,
    operands: ([rows, width]) => ({ X: [rows, width] }),
  },
  {
    name: 'sum',
    title: 'sum over each row',
    formula: String.raw`y_r = \sum_{j} x_{rj}`,
    source: 'packages/core/src/ops/reduce/reduce.ts',
    kernel: 'packages/core/src/backends/wasm/reduce/reduce.ts',
    sizes: [size('rows', 'rows', 512, 8192), size('columns', 'numbers in a row', 512, 8192)],
    work: product,
    operands: ([rows, columns]) => ({ X: [rows, columns] }),
  },
  {
    name: 'lstmCell',
    title: 'lstmCell, one step of an LSTM',
    formula: String.raw`(z_i, z_f, z_c, z_o) = xW + hU + b,\quad c' = \sigma(z_f) c + \sigma(z_i) \tanh z_c,\quad h' = \sigma(z_o) \tanh c'`,
    source: 'packages/core/src/ops/recurrent/lstm-cell.ts',
    kernel: 'packages/core/src/backends/wasm/recurrent/cells.ts',
    sizes: [size('n', 'samples', 64, 512), size('d', 'inputs', 28, 512), size('u', 'units', 64, 512)],
    work: ([n, d, u]) => 4 * n * u * (d + u),
    operands: ([n, d, u]) => ({ x: [n, d], h: [n, u], c: [n, u], W: [d, 4 * u], U: [u, 4 * u], b: [4 * u] }),
    flops: ([n, d, u]) => 8 * n * u * (d + u),
  },
  elementwise('add', 'add, elementwise', 'y = x + w'),
  elementwise('mul', 'mul, elementwise', String.raw`y = x \cdot w`),
  elementwise('relu', 'relu, elementwise', String.raw`y = \max(0, x)`),
  elementwise('sqrt', 'sqrt, elementwise', String.raw`y = \sqrt{x}`, { positive: true }),
  elementwise('exp', 'exp, elementwise', 'y = e^x'),
  elementwise('log', 'log, elementwise', String.raw`y = \ln x`, { positive: true }),
  elementwise('tanh', 'tanh, elementwise', String.raw`y = \tanh x`),
  elementwise('sigmoid', 'sigmoid, elementwise', String.raw`y = \frac{1}{1 + e^{-x}}`),
]

/** @throws RangeError that says which size is wrong */
export function checkedSizes(op: LensOp, sizes: readonly number[]): number[] {
  const values = op.sizes.map(({ value }, i) => sizes[i] ?? value)
  op.sizes.forEach(({ name, least, most }, i) => {
    if (!Number.isInteger(values[i]) || values[i] < least || values[i] > most)
      throw new RangeError(`${op.name}: ${name} is a whole number from ${least} to ${most}, got ${values[i]}.`)
  })
  const [side, kernel] = ['side', 'size'].map((name) => values[op.sizes.findIndex((each) => each.name === name)])
  if (side !== undefined && kernel > side) throw new RangeError(`${op.name}: a window of ${kernel} pixels does not fit ${side}.`)
  const work = op.work(values)
  if (work > MOST_WORK)
    throw new RangeError(
      `${op.name}: these sizes make ${(work / 1e6).toFixed(0)} million steps, and the plain loop would take long. At most ${(MOST_WORK / 1e6).toFixed(0)} million are looked at here.`,
    )
  return values
}

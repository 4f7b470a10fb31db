/** The types of jax-js that are used here. Its own types are there only if the peers are installed. */

/** An array. A function that gets an array consumes it; give `ref` to keep it. */
export interface JaxArray {
  readonly ref: JaxArray
  readonly shape: readonly number[]
  add(other: JaxArray | number): JaxArray
  sub(other: JaxArray | number): JaxArray
  mul(other: JaxArray | number): JaxArray
  div(other: JaxArray | number): JaxArray
  reshape(shape: number[]): JaxArray
  slice(...index: (number | [])[]): JaxArray
  sum(): JaxArray
  neg(): JaxArray
  data(): Promise<ArrayLike<number>>
  blockUntilReady(): Promise<JaxArray>
  dispose(): void
}
export type Flat = JaxArray[]
interface Complex {
  real: JaxArray
  imag: JaxArray
}
/** The functions of the library that are used here. */
export interface Jax {
  init(device: string): Promise<string[]>
  defaultDevice(device: string): unknown
  jit<F>(f: F): F & { dispose(): void }
  valueAndGrad(f: (parameters: Flat, x: JaxArray, y: JaxArray, key: JaxArray) => JaxArray): (...inputs: unknown[]) => [JaxArray, Flat]
  grad(f: (x: JaxArray) => JaxArray): (x: JaxArray) => JaxArray
  numpy: {
    array(values: Float32Array | Int32Array | number, options?: { shape?: number[] }): JaxArray
    matmul(a: JaxArray, b: JaxArray): JaxArray
    matrixTranspose(a: JaxArray): JaxArray
    exp(x: JaxArray): JaxArray
    tanh(x: JaxArray): JaxArray
    log(x: JaxArray): JaxArray
    sqrt(x: JaxArray): JaxArray
    abs(x: JaxArray): JaxArray
    maximum(x: JaxArray, least: number): JaxArray
    max(x: JaxArray, axis?: number): JaxArray
    where(condition: JaxArray, x: JaxArray | number, y: number): JaxArray
    zeros(shape: number[]): JaxArray
    take(x: JaxArray, indices: JaxArray, axis: number): JaxArray
    split(x: JaxArray, parts: number, axis: number): Flat
    concatenate(parts: Flat, axis: number): JaxArray
    sort(x: JaxArray): JaxArray
    transpose(x: JaxArray, axes: number[]): JaxArray
    argsort(x: JaxArray): JaxArray
    cumsum(x: JaxArray, axis: number): JaxArray
    einsum(equation: string, ...operands: Flat): JaxArray
    fft: { fft(x: Complex): Complex }
    linalg: {
      solve(a: JaxArray, b: JaxArray): JaxArray
      inv(a: JaxArray): JaxArray
      cholesky(a: JaxArray): JaxArray
      eigh(a: JaxArray): Flat
      svd(a: JaxArray, options: { fullMatrices: boolean }): Flat
    }
  }
  lax: {
    /** x [n, c, h, w], filter [f, c, kh, kw]; or both with one axis of positions. */
    convGeneralDilated(x: JaxArray, filter: JaxArray, strides: number[], padding: string, options?: { featureGroupCount: number }): JaxArray
    topK(x: JaxArray, k: number): Flat
    reduceWindow(x: JaxArray, reduce: (x: JaxArray) => JaxArray, window: number[], strides: number[]): JaxArray
  }
  /** The value of f at `inputs`, and a function from a cotangent of the value to those of the inputs. */
  vjp(f: (...inputs: Flat) => JaxArray, inputs: Flat): [JaxArray, (cotangent: JaxArray) => Flat]
  nn: {
    relu(x: JaxArray): JaxArray
    sigmoid(x: JaxArray): JaxArray
    softplus(x: JaxArray): JaxArray
    logSoftmax(x: JaxArray, axis: number): JaxArray
    gelu(x: JaxArray, options: { approximate: boolean }): JaxArray
    standardize(x: JaxArray, axis: number, options: { epsilon: number }): JaxArray
    oneHot(x: JaxArray, classes: number): JaxArray
    logsumexp(x: JaxArray, axis: number): JaxArray
    softmax(x: JaxArray, axis: number): JaxArray
  }
  random: {
    key(seed: number): JaxArray
    split(key: JaxArray, count: number): JaxArray
    bernoulli(key: JaxArray, p: number, shape: number[]): JaxArray
  }
}

/**
 * The ops of the lens as one would write them in JavaScript: loops over Float32Arrays, nothing else. Each function stands alone, since the site shows its text and
 * lets readers change it. The result comes first, then the operands, then the sizes.
 */

/** c [m, n] = a [m, k] · b [k, n] */
export function matMul(c: Float32Array, a: Float32Array, b: Float32Array, m: number, k: number, n: number): void {
  c.fill(0)
  for (let i = 0; i < m; i++) {
    for (let l = 0; l < k; l++) {
      const left = a[i * k + l]
      for (let j = 0; j < n; j++) c[i * n + j] += left * b[l * n + j]
    }
  }
}

/** y [m, n] = max(0, x [m, k] · w [k, n] + b [n]) */
export function affine(y: Float32Array, x: Float32Array, w: Float32Array, b: Float32Array, m: number, k: number, n: number): void {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) y[i * n + j] = b[j]
    for (let l = 0; l < k; l++) {
      const left = x[i * k + l]
      for (let j = 0; j < n; j++) y[i * n + j] += left * w[l * n + j]
    }
    for (let j = 0; j < n; j++) y[i * n + j] = Math.max(0, y[i * n + j])
  }
}

/** y [batch, side − size + 1, side − size + 1, filters], from x [batch, side, side, channels] and f [size, size, channels, filters] */
export function conv2d(
  y: Float32Array,
  x: Float32Array,
  f: Float32Array,
  batch: number,
  side: number,
  channels: number,
  filters: number,
  size: number,
): void {
  const out = side - size + 1
  y.fill(0)
  for (let image = 0; image < batch; image++) {
    for (let i = 0; i < out; i++) {
      for (let j = 0; j < out; j++) {
        const to = ((image * out + i) * out + j) * filters
        for (let di = 0; di < size; di++) {
          for (let dj = 0; dj < size; dj++) {
            for (let c = 0; c < channels; c++) {
              const pixel = x[((image * side + i + di) * side + j + dj) * channels + c]
              const from = ((di * size + dj) * channels + c) * filters
              for (let k = 0; k < filters; k++) y[to + k] += pixel * f[from + k]
            }
          }
        }
      }
    }
  }
}

/** y [batch, side, side, channels], from x of the same shape and f [size, size, channels, 1]; outside of the image there are zeros */
export function depthwiseConv2d(
  y: Float32Array,
  x: Float32Array,
  f: Float32Array,
  batch: number,
  side: number,
  channels: number,
  size: number,
): void {
  const border = (size - 1) >> 1
  y.fill(0)
  for (let image = 0; image < batch; image++) {
    for (let i = 0; i < side; i++) {
      for (let j = 0; j < side; j++) {
        for (let di = 0; di < size; di++) {
          for (let dj = 0; dj < size; dj++) {
            const [row, column] = [i + di - border, j + dj - border]
            if (row < 0 || row >= side || column < 0 || column >= side) continue
            for (let c = 0; c < channels; c++) {
              y[((image * side + i) * side + j) * channels + c] +=
                x[((image * side + row) * side + column) * channels + c] * f[(di * size + dj) * channels + c]
            }
          }
        }
      }
    }
  }
}

/** y [batch, side / 2, side / 2, channels]: the largest of each 2 × 2 cells of x [batch, side, side, channels] */
export function maxPool2d(y: Float32Array, x: Float32Array, batch: number, side: number, channels: number): void {
  const out = side >> 1
  for (let image = 0; image < batch; image++) {
    for (let i = 0; i < out; i++) {
      for (let j = 0; j < out; j++) {
        for (let c = 0; c < channels; c++) {
          const at = ((image * side + 2 * i) * side + 2 * j) * channels + c
          const above = Math.max(x[at], x[at + channels])
          const below = Math.max(x[at + side * channels], x[at + (side + 1) * channels])
          y[((image * out + i) * out + j) * channels + c] = Math.max(above, below)
        }
      }
    }
  }
}

/** y [rows, classes] = exp(x − max of the row) / its sum over the row */
export function softmax(y: Float32Array, x: Float32Array, rows: number, classes: number): void {
  for (let r = 0; r < rows; r++) {
    const from = r * classes
    let top = -Infinity
    for (let j = 0; j < classes; j++) top = Math.max(top, x[from + j])
    let sum = 0
    for (let j = 0; j < classes; j++) {
      y[from + j] = Math.exp(x[from + j] - top)
      sum += y[from + j]
    }
    for (let j = 0; j < classes; j++) y[from + j] /= sum
  }
}

/** y [rows, width] = (x − mean of the row) / √(variance of the row + 0.001) */
export function layerNorm(y: Float32Array, x: Float32Array, rows: number, width: number): void {
  for (let r = 0; r < rows; r++) {
    const from = r * width
    let mean = 0
    for (let j = 0; j < width; j++) mean += x[from + j]
    mean /= width
    let variance = 0
    for (let j = 0; j < width; j++) variance += (x[from + j] - mean) ** 2
    const factor = 1 / Math.sqrt(variance / width + 1e-3)
    for (let j = 0; j < width; j++) y[from + j] = (x[from + j] - mean) * factor
  }
}

/** y [rows] = Σ x [rows, columns] over each row */
export function sum(y: Float32Array, x: Float32Array, rows: number, columns: number): void {
  for (let r = 0; r < rows; r++) {
    let total = 0
    for (let j = 0; j < columns; j++) total += x[r * columns + j]
    y[r] = total
  }
}

/** The next states [2, n, u], first h, then c, from x [n, d], h and c [n, u], w [d, 4u], v [u, 4u] and b [4u]; gates in the order i, f, c̃, o */
export function lstmCell(
  out: Float32Array,
  x: Float32Array,
  h: Float32Array,
  c: Float32Array,
  w: Float32Array,
  v: Float32Array,
  b: Float32Array,
  n: number,
  d: number,
  u: number,
): void {
  const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z))
  const z = new Float64Array(4 * u)
  for (let row = 0; row < n; row++) {
    for (let j = 0; j < 4 * u; j++) z[j] = b[j]
    for (let l = 0; l < d; l++) for (let j = 0; j < 4 * u; j++) z[j] += x[row * d + l] * w[l * 4 * u + j]
    for (let l = 0; l < u; l++) for (let j = 0; j < 4 * u; j++) z[j] += h[row * u + l] * v[l * 4 * u + j]
    for (let j = 0; j < u; j++) {
      const next = sigmoid(z[u + j]) * c[row * u + j] + sigmoid(z[j]) * Math.tanh(z[2 * u + j])
      out[row * u + j] = sigmoid(z[3 * u + j]) * Math.tanh(next)
      out[(n + row) * u + j] = next
    }
  }
}

/** y = x + w */
export function add(y: Float32Array, x: Float32Array, w: Float32Array, size: number): void {
  for (let i = 0; i < size; i++) y[i] = x[i] + w[i]
}

/** y = x · w */
export function mul(y: Float32Array, x: Float32Array, w: Float32Array, size: number): void {
  for (let i = 0; i < size; i++) y[i] = x[i] * w[i]
}

/** y = max(0, x) */
export function relu(y: Float32Array, x: Float32Array, size: number): void {
  for (let i = 0; i < size; i++) y[i] = Math.max(0, x[i])
}

/** y = √x */
export function sqrt(y: Float32Array, x: Float32Array, size: number): void {
  for (let i = 0; i < size; i++) y[i] = Math.sqrt(x[i])
}

/** y = eˣ */
export function exp(y: Float32Array, x: Float32Array, size: number): void {
  for (let i = 0; i < size; i++) y[i] = Math.exp(x[i])
}

/** y = ln x */
export function log(y: Float32Array, x: Float32Array, size: number): void {
  for (let i = 0; i < size; i++) y[i] = Math.log(x[i])
}

/** y = tanh x */
export function tanh(y: Float32Array, x: Float32Array, size: number): void {
  for (let i = 0; i < size; i++) y[i] = Math.tanh(x[i])
}

/** y = 1 / (1 + e⁻ˣ) */
export function sigmoid(y: Float32Array, x: Float32Array, size: number): void {
  for (let i = 0; i < size; i++) y[i] = 1 / (1 + Math.exp(-x[i]))
}

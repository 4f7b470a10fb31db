/**
 * A limit on the weights of a model while it is read from a file. A few bytes of JSON can ask for any number of weights, or for orthogonal matrices that
 * take hours to draw.
 */
import { type DType, ValueError } from '@cotangent/core'

interface Limit {
  readonly what: string
  readonly most: number
  taken: number
}
let limit: Limit | undefined

/** Runs `work`, in which the weights of all layers may take `most` bytes together. */
export function withWeightLimit<T>(what: string, most: number, work: () => T): T {
  const before = limit
  limit = { what, most, taken: 0 }
  try {
    return work()
  } finally {
    limit = before
  }
}

/** Multiplications that count as much as one byte. So drawing the weights that 1 GiB allows takes some ten seconds. */
const MULTIPLICATIONS_PER_BYTE = 64

/**
 * Counts a weight before it is made.
 *
 * @param orthogonal whether it is drawn as an orthogonal matrix, which takes rows·columns·min(rows, columns) multiplications
 * @throws ValueError if the limit is exceeded
 */
export function countWeight(
  layer: { describe(): string },
  name: string,
  shape: readonly number[],
  dtype: DType,
  orthogonal: boolean,
): void {
  if (!limit) return
  const size = shape.reduce((a, b) => a * b, 1)
  const columns = shape.at(-1) ?? 1
  const work = orthogonal && size > 0 ? (size * Math.min(columns, size / columns)) / MULTIPLICATIONS_PER_BYTE : 0
  const bytes = size * (dtype === 'float64' ? 8 : 4)
  limit.taken += Math.max(bytes, work)
  if (limit.taken <= limit.most) return
  const reason =
    work > bytes
      ? `"${name}" is an orthogonal matrix of ${size} elements, which takes long to draw`
      : `with "${name}" the weights take ${limit.taken} bytes`
  throw new ValueError(
    `${limit.what}: ${layer.describe()}: ${reason}; more than ${limit.most} expected at most. If you trust the file, pass a larger maxBytes.`,
  )
}

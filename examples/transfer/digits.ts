/** MNIST in two halves: the digits 0 to 4, and 5 to 9, whose classes are counted from 0 again. */
import { mnist, type NDArray, ndarray, slice, takeRows } from '@cotangent/datasets'
import { type Images, imagesOf } from '../lib/images.js'

export interface Half {
  train: Images
  test: Images
}

type Bytes = NDArray<Uint8Array>

/** The images of the digits from `first` to `first` + 4. */
export function digitsFrom(first: number, x: Bytes, y: Bytes): Images {
  const isOne = (row: number): boolean => y.data[row] >= first && y.data[row] < first + 5
  const { data, shape } = takeRows(y, isOne)
  return imagesOf(
    takeRows(x, isOne),
    ndarray(
      data.map((digit) => digit - first),
      shape,
    ),
  )
}

/** The first `count` images of each digit. */
export function firstOfEach(count: number, { x, y }: Images): Images {
  const seen = new Map<number, number>()
  const rows = [...y.data.keys()].filter((row) => {
    const before = seen.get(y.data[row]) ?? 0
    seen.set(y.data[row], before + 1)
    return before < count
  })
  return { x: takeRows(x, rows), y: takeRows(y, rows) }
}

/** @param most images in each part, at most */
export async function loadHalves(dir?: string, most = Number.POSITIVE_INFINITY): Promise<{ low: Half; high: Half; source: string }> {
  const { xTrain, yTrain, xTest, yTest, source } = await mnist.loadData({ dir })
  const part = (first: number, { x, y }: { x: Bytes; y: Bytes }): Images => {
    const count = Math.min(most, y.shape[0])
    return digitsFrom(first, slice(x, 0, count), slice(y, 0, count))
  }
  const [train, test] = [
    { x: xTrain, y: yTrain },
    { x: xTest, y: yTest },
  ]
  const half = (first: number): Half => ({ train: part(first, train), test: part(first, test) })
  return { low: half(0), high: half(5), source }
}

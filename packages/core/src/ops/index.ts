/**
 * Every op that a derivative rule of another family may call. Rules get this namespace as their `ops`, and the package exports it.
 *
 * Families that no such rule calls stay out of this namespace, so that a bundle without them is smaller: windows over images (`windows/`), recurrent networks over
 * sequences, normalisation, `activation/`, `attention/`, `image/`, `linalg/`, `fourier/`, and what `index.ts` of the package names by its file.
 */
import type * as namespace from './index.js'

declare module '../autodiff/op.js' {
  interface Ops extends Namespace {}
}
type Namespace = typeof namespace

export * from './create.js'
export * from './elementwise/binary.js'
export * from './elementwise/elementwise.js'
export * from './elementwise/select.js'
export * from './elementwise/stop-gradient.js'
export { scatterAlongAxis, takeAlongAxis } from './indexing/along-axis.js'
export * from './indexing/at.js'
export * from './indexing/diagonal.js'
export { gatherNd, scatterNd, scatterUpdate, sliceUpdate } from './indexing/gather-nd.js'
export * from './indexing/repeat.js'
export type { IndexList, Indices } from './indexing/whole-indices.js'
export * from './product/affine.js'
export * from './product/matmul.js'
export * from './reduce/broadcast.js'
export * from './reduce/cum-sum.js'
export * from './reduce/reduce.js'
export { logSoftmax, logSumExp, type SoftmaxOptions, softmax } from './reduce/softmax.js'
export * from './reduce/std.js'
export * from './shape/gather.js'
export * from './shape/join.js'
export * from './shape/move.js'
export * from './sort/sort.js'

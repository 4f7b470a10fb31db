/** Where graphs of layers begin. */
import { InputLayer, type InputOptions } from './input-layer.js'
import { withOperations } from './operations/methods.js'
import type { SymbolicTensor } from './symbolic-tensor.js'

/**
 * Makes a symbolic tensor for data, from which a graph of layers starts.
 *
 * @throws ValueError if neither shape is given, or a size is no whole number, at least 1
 * @example
 * ```ts
 * const image = input({ shape: [28, 28], name: 'image' })
 * const classes = dense(10, { activation: 'softmax' }).apply(flatten().apply(image))
 * const net = new GraphModel({ inputs: image, outputs: classes })
 * console.log(image.shape, net.countParams())   // [null, 28, 28] 7850
 * ```
 */
export const input: (options: InputOptions) => SymbolicTensor = withOperations((options) => new InputLayer(options).output)

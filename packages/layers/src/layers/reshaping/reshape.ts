/** Gives samples another shape. */
import { ShapeError, type Tensor, ValueError } from '@cotangent/core'
import { type BatchShape, type CallContext, Layer, type LayerOptions } from '../../layer.js'
import { requireWholeList } from '../../layer-options.js'
import { positional, type ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'

const reshapeOptions = {
  targetShape: positional<readonly number[]>({
    read(given, { className, name }) {
      const shape = given as readonly number[]
      requireWholeList(className, name, shape, 'the shape of a sample, such as [28, 28, 1]', -1)
      if (shape.filter((n) => n === -1).length <= 1 && !shape.includes(0)) return shape
      throw new ValueError(`${className}: ${name} must hold sizes, at least 1, and -1 at most once, got [${shape.join(', ')}].`)
    },
  }),
}

/**
 * Gives each sample the shape `targetShape`; its elements keep their order. One size may be −1: it follows from the others.
 *
 * Shape:  [n, ..from] → [n, ..target]
 * Source: Keras 2.3.1, layers/core.py
 *
 * @throws ShapeError if the elements of a sample do not fill the shape
 */
export class Reshape extends Layer implements ValuesOf<typeof reshapeOptions> {
  override readonly className = ours(Reshape, 'Reshape')
  declare readonly targetShape: readonly number[]

  constructor(targetShape: readonly number[], options: LayerOptions = {}) {
    super('Reshape', options, reshapeOptions, { targetShape })
  }

  static fromConfig({ targetShape, ...options }: LayerOptions & { targetShape: readonly number[] }): Reshape {
    return new Reshape(targetShape, options)
  }

  override outputShape([batch, ...rest]: BatchShape): BatchShape {
    if (rest.some((n) => n === null)) return [batch, ...this.targetShape.map((n) => (n === -1 ? null : n))]
    const size = rest.reduce<number>((product, n) => product * (n as number), 1)
    const known = this.targetShape.reduce((product, n) => (n === -1 ? product : product * n), 1)
    const fits = this.targetShape.includes(-1) ? known > 0 && size % known === 0 : size === known
    if (!fits) {
      throw new ShapeError(
        `${this.describe()}: a sample [${rest.join(', ')}] has ${size} elements, which do not fill [${this.targetShape.join(', ')}].`,
      )
    }
    return [batch, ...this.targetShape.map((n) => (n === -1 ? size / known : n))]
  }

  override call(x: Tensor, _context: CallContext): Tensor {
    const [, ...sample] = this.outputShape([null, ...x.shape.slice(1)])
    return x.reshape([x.shape[0], ...(sample as number[])])
  }
}

/**
 * Makes a `Reshape` layer.
 *
 * @example
 * ```ts
 * const model = new Sequential([reshape([28, 28, -1], { inputShape: [784] })])
 * console.log(model.output.shape)   // [null, 28, 28, 1]
 * ```
 */
export const reshape = (targetShape: readonly number[], options?: LayerOptions): Reshape => new Reshape(targetShape, options)

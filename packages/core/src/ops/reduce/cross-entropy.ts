/** The cross-entropy of softmax, from weights of the classes or from class numbers. Its edges are those of softmax.ts. */
import { requireBoolean, requireOptions } from '../../arguments.js'
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Sample, SampleInput, Vjp } from '../../autodiff/op.js'
import { sample } from '../../autodiff/samples.js'
import { crossEntropyKernels } from '../../backends/families/cross-entropy.js'
import { shapeError, ValueError } from '../../errors.js'
import { isFloat } from '../../tensor/dtype.js'
import { scope } from '../../tensor/scope.js'
import { sameShape } from '../../tensor/shape.js'
import { Tensor } from '../../tensor/tensor.js'
import { cast } from '../elementwise/elementwise.js'
import { checkValues, type Indices, requireWholeValues, wholeIndices } from '../indexing/whole-indices.js'
import { oneHot } from '../shape/gather.js'
import { classesOf, last, requireLastAxis, sampleShapes } from './softmax.js'

const crossEntropyRule = 'dLogits = dY·(softmax·Σlabels − labels), dLabels = −dY·ln softmax'
const callCrossEntropyGradient = defineComposed({
  name: 'softmaxCrossEntropyGradient',
  compose: ([logits, labels, dY], _, ops) =>
    ops.mul(ops.sub(ops.mul(ops.softmax(logits), ops.sum(labels, last)), labels), ops.expandDims(dY, -1)),
  fused: {
    family: crossEntropyKernels,
    kernel: 'softmaxCrossEntropyGradient',
    rule: '(through its composition)',
    shape: ([logits]) => logits,
    forward: (fused, out, [logits, labels, dY]) => fused.softmaxCrossEntropyGradient(out, logits, labels, dY),
  },
  samples: sampleShapes().map((shape) => ({ inputs: [shape, { shape, low: 0, high: 1 }, shape.slice(0, -1)] })),
})

const crossEntropyVjp: Vjp<object> = ({ dY }, [logits, labels], ops) => [
  () => callCrossEntropyGradient([logits, labels, dY], {}),
  () => ops.neg(ops.mul(ops.logSoftmax(logits), ops.expandDims(dY, -1))),
]

const callCrossEntropy = defineComposed({
  name: 'softmaxCrossEntropy',
  // A label of 0 adds nothing, even where the class has probability 0 and ln 0 is −∞.
  compose: ([logits, labels], _, ops) => ops.neg(ops.sum(ops.mulNoNaN(ops.logSoftmax(logits), labels), { axis: -1 })),
  derivative: { rule: crossEntropyRule, vjp: crossEntropyVjp },
  fused: {
    family: crossEntropyKernels,
    kernel: 'softmaxCrossEntropy',
    rule: crossEntropyRule,
    shape: ([logits]) => ({ shape: logits.shape.slice(0, -1), dtype: logits.dtype }),
    forward: (fused, out, [logits, labels]) => fused.softmaxCrossEntropy(out, logits, labels),
    vjp: crossEntropyVjp,
  },
  samples: sampleShapes().map((shape) => ({ inputs: [shape, { shape, low: 0, high: 1 }] })),
})
const hotRows = (numbers: Tensor, { dtype, shape }: Tensor): Tensor => oneHot(numbers, shape[shape.length - 1], dtype)

const classRule = 'dLogits = dY·(softmax(logits) − 1 at the class number)'
const classVjp: Vjp<object> = ({ dY }, [logits, numbers]) => [() => callClassGradient([logits, numbers, dY], {}), null]

// Inputs: logits [..b, c], class numbers int32 [..b]. A number that is no class has the loss 0.
const callClassEntropy = defineComposed({
  name: 'classCrossEntropy',
  compose: ([logits, numbers], _, ops) => ops.neg(ops.sum(ops.mulNoNaN(ops.logSoftmax(logits), hotRows(numbers, logits)), { axis: -1 })),
  derivative: { rule: classRule, vjp: classVjp },
  fused: {
    family: crossEntropyKernels,
    mixed: true,
    kernel: 'classCrossEntropy',
    rule: classRule,
    shape: ([logits]) => ({ shape: logits.shape.slice(0, -1), dtype: logits.dtype }),
    forward: (fused, out, [logits, numbers]) => fused.classCrossEntropy(out, logits, numbers),
    vjp: classVjp,
  },
  samples: classSamples(),
})

// The dLogits of classCrossEntropy. Inputs: logits, class numbers and dY.
const callClassGradient = defineComposed({
  name: 'classCrossEntropyGradient',
  compose: ([logits, numbers, dY], _, ops) => {
    const hot = hotRows(numbers, logits)
    return ops.mul(ops.sub(ops.mul(ops.softmax(logits), ops.sum(hot, last)), hot), ops.expandDims(dY, -1))
  },
  fused: {
    family: crossEntropyKernels,
    mixed: true,
    kernel: 'classCrossEntropyGradient',
    rule: '(through its composition)',
    shape: ([logits]) => logits,
    forward: (fused, out, [logits, numbers, dY]) => fused.classCrossEntropyGradient(out, logits, numbers, dY),
  },
  samples: classSamples().map(({ inputs: [logits, numbers] }) => ({ inputs: [logits, numbers, (numbers as SampleInput).shape] })),
})

/** Options of `softmaxCrossEntropy`. */
export interface CrossEntropyOptions {
  /** Throw for a class number out of range (default). With false such a row gives 0; only a fraction is an error, and whole numbers of int32 are not looked at. */
  check?: boolean
}

/**
 * The cross-entropy −Σ labels·ln softmax(logits) of each row. Labels are one-hot, any weights, or class numbers: a list or a tensor of
 * whole numbers.
 *
 * Shape:    logits [..b, c], labels [..b, c], or class numbers [..b] → [..b]
 * Gradient: dLogits = dY·(softmax(logits)·Σ labels − labels), dLabels = −dY·ln softmax(logits)
 *
 * @throws ShapeError if the shapes do not fit, ValueError for a class number out of range. A gpu backend cannot check its values: there such a row gives 0.
 * @example
 * ```ts
 * softmaxCrossEntropy(tensor([[0, 0]]), tensor([[1, 0]])) // ≈ [0.69315]
 * softmaxCrossEntropy(tensor([[0, 0]]), [0]) // ≈ [0.69315]
 * ```
 */
export function softmaxCrossEntropy(logits: Tensor, labels: Indices, options: CrossEntropyOptions = {}): Tensor {
  requireLastAxis('softmaxCrossEntropy', logits)
  requireOptions('softmaxCrossEntropy', options, ['check'], 'softmaxCrossEntropy(logits, labels, { check: false })')
  const { check = true } = options
  requireBoolean('softmaxCrossEntropy', 'check', check)
  const numbersOf = (given: Indices): Tensor => wholeIndices('softmaxCrossEntropy', given, logits.backend, 'labels')
  return scope(() => {
    const given = labels instanceof Tensor ? labels : cast(numbersOf(labels), logits.dtype)
    if (sameShape(logits.shape, given.shape)) return callCrossEntropy([logits, given], {})
    if (!sameShape(given.shape, logits.shape.slice(0, -1))) {
      throw shapeError(
        'softmaxCrossEntropy',
        'logits and labels have different shapes',
        [
          { name: 'logits', shape: logits.shape },
          { name: 'labels', shape: given.shape },
        ],
        'Labels have the shape of the logits, or are class numbers, one for each row.',
      )
    }
    if (check) {
      const numbers = numbersOf(given)
      requireClasses(numbers, classesOf(logits))
      return callClassEntropy([logits, numbers], {})
    }
    if (isFloat(given.dtype)) requireWholeValues('softmaxCrossEntropy', given, 'labels')
    return callClassEntropy([logits, cast(given, 'int32')], {})
  })
}

/** Throws for the first class number out of range, where values are on the host. */
const requireClasses = (numbers: Tensor, classes: number): boolean =>
  checkValues('softmaxCrossEntropy', numbers, (values) => {
    const bad = values.findIndex((value: number) => value < 0 || value >= classes)
    if (bad < 0) return
    throw new ValueError(`softmaxCrossEntropy: element ${bad} of the labels is ${values[bad]}, but there are ${classes} classes (from 0).`)
  })

/** Class numbers of a row of logits; some are out of range. */
function classSamples(): Sample<object>[] {
  return sampleShapes().flatMap((shape, i) => {
    const classes = shape[shape.length - 1]
    const numbers: SampleInput = { shape: shape.slice(0, -1), dtype: 'int32', low: i === 2 ? -1 : 0, high: classes + (i === 2 ? 1 : 0) }
    return classes === 0 ? [] : [sample(shape, numbers)]
  })
}

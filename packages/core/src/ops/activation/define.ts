/** Defining an activation: a composed op of one tensor that keeps its shape, and its samples. */
import { defineComposed } from '../../autodiff/dispatch.js'
import type { ComposedOp, Ops, SampleInput } from '../../autodiff/op.js'
import type { ActivationKernel } from '../../backends/backend.js'
import { activationKernels } from '../../backends/families/activations.js'
import { shapeError } from '../../errors.js'
import { type Shape, sameShape } from '../../tensor/shape.js'
import type { Tensor } from '../../tensor/tensor.js'
import type { Unary } from '../elementwise/elementwise.js'
import { requireFloats, requireNoMore } from '../requirements.js'

interface Formula<O> {
  /** f(x) */
  value: (x: Tensor, options: O, ops: Ops) => Tensor
  /** f'(x), where the derivative through the formula would keep more, or would be NaN at ±∞. The second is its name in the rule. */
  slope?: readonly [(x: Tensor, options: O, ops: Ops) => Tensor, string]
  /** A kernel that computes f in one pass and dY·f' in another, and the name of the op that is dY·f'. */
  fused?: { kernel: ActivationKernel; gradient: string }
  /** Options of the samples in turn. */
  options?: readonly O[]
  /** Where the samples are drawn from. */
  domain?: Pick<SampleInput, 'low' | 'high'>
}

const shapes: Shape[] = [[], [7], [3, 5], [0, 4], [1, 1, 3], [61, 67]]

/** Defines the op; the caller has checked x and the options. */
export function activation<O extends object>(
  name: string,
  { value, slope, fused, options = [{} as O], domain = {} }: Formula<O>,
): (x: Tensor, options: O) => Tensor {
  const samples = shapes.map((shape, i) => ({ inputs: [{ shape, ...domain }], options: options[i % options.length] }))
  const gradient = fused && slope ? activationGradient(fused, slope[0]) : undefined
  const derivative: ComposedOp<O>['derivative'] = slope && {
    rule: `dX = dY·${slope[1]}`,
    vjp: ({ dY, options: given }, [x], ops) => [() => ops.mul(dY, slope[0](x, given, ops))],
  }
  const call = defineComposed<O>({
    name,
    compose: ([x], given, ops) => value(x, given, ops),
    derivative,
    fused:
      fused && gradient && derivative
        ? {
            kernel: 'activate',
            family: activationKernels,
            rule: derivative.rule,
            shape: ([x]) => x,
            forward: (kernels, out, [x]) => kernels.activate(out, x, fused.kernel),
            vjp: ({ dY, options: given }, [x]) => [() => gradient([x, dY], given)],
          }
        : undefined,
    samples,
  })
  return (x, given) => call([x], given)
}

/** dY·f'(x) as an op: what the derivative of an activation with a kernel calls. Inputs: x and dY. */
const activationGradient = <O extends object>(
  { kernel, gradient }: NonNullable<Formula<O>['fused']>,
  slope: NonNullable<Formula<O>['slope']>[0],
) =>
  defineComposed<O>({
    name: gradient,
    compose: ([x, dY], given, ops) => ops.mul(dY, slope(x, given, ops)),
    fused: {
      kernel: 'activateGradient',
      family: activationKernels,
      rule: '(through its composition)',
      shape: ([x, dY]) => {
        if (sameShape(x.shape, dY.shape)) return x
        throw shapeError(gradient, 'x and dY must have one shape', [
          { name: 'x', shape: x.shape },
          { name: 'dY', shape: dY.shape },
        ])
      },
      forward: (fused, out, [x, dY]) => fused.activateGradient(out, x, dY, kernel),
    },
    samples: shapes.map((shape) => ({ inputs: [shape, shape] })),
  })

/** An activation without options. */
export function plain(name: string, formula: Omit<Formula<object>, 'options'>): Unary {
  const call = activation(name, formula)
  return ((x: Tensor, ...more: unknown[]) => {
    if (more.length > 0) requireNoMore(name, x, more, 'one tensor')
    requireFloats(name, 'x', x)
    return call(x, {})
  }) as Unary
}

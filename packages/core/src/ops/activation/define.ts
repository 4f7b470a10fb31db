/** Defining an activation: a composed op of one tensor that keeps its shape, and its samples. */
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Ops, SampleInput } from '../../autodiff/op.js'
import type { Shape } from '../../tensor/shape.js'
import type { Tensor } from '../../tensor/tensor.js'
import type { Unary } from '../elementwise/elementwise.js'
import { requireFloats, requireNoMore } from '../requirements.js'

interface Formula<O> {
  /** f(x) */
  value: (x: Tensor, options: O, ops: Ops) => Tensor
  /** f'(x), where the derivative through the formula would keep more, or would be NaN at ±∞. The second is its name in the rule. */
  slope?: readonly [(x: Tensor, options: O, ops: Ops) => Tensor, string]
  /** Options of the samples in turn. */
  options?: readonly O[]
  /** Where the samples are drawn from. */
  domain?: Pick<SampleInput, 'low' | 'high'>
}

const shapes: Shape[] = [[], [7], [3, 5], [0, 4], [1, 1, 3], [61, 67]]

/** Defines the op; the caller has checked x and the options. */
export function activation<O extends object>(
  name: string,
  { value, slope, options = [{} as O], domain = {} }: Formula<O>,
): (x: Tensor, options: O) => Tensor {
  const call = defineComposed<O>({
    name,
    compose: ([x], given, ops) => value(x, given, ops),
    derivative: slope && {
      rule: `dX = dY·${slope[1]}`,
      vjp: ({ dY, options: given }, [x], ops) => [() => ops.mul(dY, slope[0](x, given, ops))],
    },
    samples: shapes.map((shape, i) => ({ inputs: [{ shape, ...domain }], options: options[i % options.length] })),
  })
  return (x, given) => call([x], given)
}

/** An activation without options. */
export function plain(name: string, formula: Omit<Formula<object>, 'options'>): Unary {
  const call = activation(name, formula)
  return ((x: Tensor, ...more: unknown[]) => {
    if (more.length > 0) requireNoMore(name, x, more, 'one tensor')
    requireFloats(name, 'x', x)
    return call(x, {})
  }) as Unary
}

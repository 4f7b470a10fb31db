/** Kernels whose cells do not depend on each other: fill, copy, map, zip, select. Each is one generated source without loops. */
import { broadcastStrides, type Shape, stridesOf } from '../../../tensor/shape.js'
import type { Kernels, Operand, View } from '../../backend.js'
import type { Engine } from '../device/engine.js'
import { address, type IndexSpace, mergeAxes } from '../source/addressing.js'
import { between } from '../source/rules.js'
import { castSource, mapSources, zipSource } from '../source/scalar.js'
import { isHostMap, mapOnHost, requireExact } from './host.js'

/** The axes to walk when operands are broadcast to `shape`, and for each operand an expression that reads its cell. */
function broadcast(shape: Shape, operands: readonly Operand[]) {
  const merged = mergeAxes(shape, [stridesOf(shape), ...operands.map((x) => broadcastStrides(x.shape, shape))])
  const own = merged.strides[0]
  return {
    axes: merged.shape,
    at: (space: IndexSpace, operand: number): string => {
      const strides = merged.strides[operand + 1]
      return strides.every((step, axis) => step === own[axis]) ? space.flat : address(space.at, strides)
    },
  }
}

/** The body of `copy`: a strided read with a border. */
function copyBody(x: Shape, view: View, { at }: IndexSpace, out: Shape): string {
  const strides = stridesOf(x)
  const lines: string[] = []
  const conditions: string[] = []
  const coordinates: string[] = []
  const steps: number[] = []
  view.axis.forEach((axis, k) => {
    if (axis < 0) return
    const position = address([at[k]], [view.step[k]], view.start[k])
    const ends = [view.start[k], view.start[k] + (out[k] - 1) * view.step[k]]
    const last = x[axis] - 1
    steps.push(strides[axis])
    if (Math.min(...ends) >= 0 && Math.max(...ends) <= last) coordinates.push(`(${position})`)
    else {
      lines.push(`const p${k} = ${position};`, `const c${k} = ${between(`p${k}`, 0, last)};`)
      conditions.push(`p${k} === c${k}`)
      coordinates.push(`c${k}`)
    }
  })
  const value = `x[${address(coordinates, steps)}]`
  lines.push(conditions.length > 0 ? `const value = ${value};` : `return ${value};`)
  // Conditional expressions are nested instead of joined by &&: engines agree on the conditional expression.
  if (conditions.length > 0) lines.push(`return ${conditions.reduceRight((inner, c) => `(${c} ? ${inner} : border)`, 'value')};`)
  return lines.join('\n')
}

export function elementwiseKernels(engine: Engine): Pick<Kernels, 'fill' | 'copy' | 'map' | 'zip' | 'select'> {
  return {
    fill(out, value) {
      requireExact([value], out.dtype)
      engine.fill(out, value)
    },

    copy(out, x, view) {
      if (x.size === 0) return engine.fill(out, view.fill)
      engine.run(out, out.shape, { arrays: { x }, scalars: { border: view.fill } }, (space) => copyBody(x.shape, view, space, out.shape), {
        floatAddresses: true,
      })
    },

    map(out, x, kernel) {
      if (isHostMap(kernel)) return mapOnHost(engine, out, x, kernel)
      const body = kernel === 'cast' ? castSource(x.dtype, out.dtype) : mapSources[kernel]
      engine.run(out, [out.size], { arrays: { x } }, ({ flat }) => `const v = x[${flat}];\n${body}`)
    },

    zip(out, a, b, kernel) {
      const { axes, at } = broadcast(out.shape, [a, b])
      const body = zipSource(kernel, a.dtype)
      engine.run(
        out,
        axes,
        { arrays: { left: a, right: b } },
        (space) => `const a = left[${at(space, 0)}];\nconst b = right[${at(space, 1)}];\n${body}`,
      )
    },

    select(out, condition, a, b) {
      const { axes, at } = broadcast(out.shape, [condition, a, b])
      engine.run(
        out,
        axes,
        { arrays: { condition, left: a, right: b } },
        (space) => `
const a = left[${at(space, 1)}];
const b = right[${at(space, 2)}];
return condition[${at(space, 0)}] > 0 ? a : b;`,
      )
    },
  }
}

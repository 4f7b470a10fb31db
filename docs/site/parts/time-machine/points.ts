/** Points in the plane, of two classes. They are drawn by kernels, whose sine and logarithm have the same bits in every browser. */
import { key, normal, scope, splitKey, uniform } from '@cotangent/core'
import { LIMIT } from './plane.js'
import { type Data, valuesOf } from './run.js'
import type { Problem } from './setup.js'

const COUNT = 256
/** For each class: along which angle and at which distance its points lie, for t from 0 to 1. */
const shapes: Readonly<
  Record<
    Exclude<Problem, 'digits'>,
    (c: number) => { turn: [number, number]; radius: [number, number]; noise: number; shift?: [number, number] }
  >
> = {
  spirals: (c) => ({ turn: [c * Math.PI, 2 * Math.PI], radius: [0.15, 0.95], noise: 0.03 }),
  moons: (c) => ({ turn: [c * Math.PI, Math.PI], radius: [0.75, 0], noise: 0.08, shift: c === 0 ? [-0.35, -0.15] : [0.35, 0.15] }),
  circles: (c) => ({ turn: [0, 2 * Math.PI], radius: c === 0 ? [0.35, 0] : [1, 0], noise: 0.1 }),
}

/** The same points for every run, so that runs differ in nothing but their setup. */
export function pointsOf(problem: Exclude<Problem, 'digits'>): Data {
  const half = COUNT / 2
  const x = new Float32Array(2 * COUNT)
  const y = Array.from({ length: COUNT }, (_, i) => i % 2)
  scope(() => {
    for (const c of [0, 1]) {
      const { turn, radius, noise, shift = [0, 0] } = shapes[problem](c)
      const [forT, forX, forY] = splitKey(key(c), 3)
      const t = uniform(forT, [half])
      const angle = t.mul(turn[1]).add(turn[0])
      const distance = t.mul(radius[1]).add(radius[0])
      const columns = [angle.cos(), angle.sin()].map((direction, axis) =>
        direction
          .mul(distance)
          .add(shift[axis])
          .add(normal(axis === 0 ? forX : forY, [half]).mul(noise)),
      )
      columns.forEach((column, axis) => {
        const values = valuesOf(column)
        for (let i = 0; i < half; i++) x[2 * (2 * i + c) + axis] = values[i]
      })
    }
  })
  return { x, y, count: COUNT }
}

/** A raster of the plane, row by row from the top, as [side·side, 2]. */
export function raster(side: number): Float32Array {
  const x = new Float32Array(2 * side * side)
  for (let row = 0; row < side; row++)
    for (let column = 0; column < side; column++) {
      x[2 * (row * side + column)] = (((column + 0.5) / side) * 2 - 1) * LIMIT
      x[2 * (row * side + column) + 1] = (1 - ((row + 0.5) / side) * 2) * LIMIT
    }
  return x
}

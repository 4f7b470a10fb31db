/** The product of a matrix and a vector: out[r] = Σ over k of matrix[r, k]·x[k]. */
import type { Local, ModuleBuilder } from '../assembler/assembler.js'
import { firstLanes } from '../assembler/elements.js'
import { f32x4, i32, shuffle32, type Vector, v128 } from '../assembler/instructions.js'

/**
 * Writes `dot(out, matrix, x, rows, k, row)`: out[r] = Σ matrix[r, :]·x, four rows at a time. A row has eight partial sums, by
 * k mod 8, in two vectors; they are added lane by lane at the end.
 */
export function emitDot(module: ModuleBuilder): void {
  const parameters = { out: 'i32', matrix: 'i32', x: 'i32', rows: 'i32', k: 'i32', row: 'i32' } as const
  module.export('dot', parameters, null, (f, { out, matrix, x, rows, k, row }) => {
    const [at, left] = [f.local('i32'), f.local('i32')]
    const some = (count: number): void => {
      const pointers: Local<'i32'>[] = []
      for (let i = 0; i < count; i++) pointers.push(f.let(i === 0 ? matrix : i32.add(pointers[i - 1], row)))
      const sums = pointers.map(() => [f.let(f.splat(0)), f.let(f.splat(0))])
      f.set(at, x)
      f.set(left, k)
      const step = (vectors: number, mask?: Vector): void => {
        const values: Local<'v128'>[] = []
        for (let v = 0; v < vectors; v++) {
          const value = v128.load(at, 16 * v)
          values.push(f.let(mask ? v128.and(value, mask) : value))
        }
        pointers.forEach((pointer, i) => {
          values.forEach((value, v) => {
            const element = v128.load(pointer, 16 * v)
            f.set(sums[i][v], f.madd(value, mask ? v128.and(element, mask) : element, sums[i][v]))
          })
          f.advance(pointer, 16 * vectors)
        })
        f.advance(at, 16 * vectors)
        f.advance(left, -4 * vectors)
      }
      f.while(i32.geS(left, 8), () => step(2))
      f.while(i32.geS(left, 4), () => step(1))
      f.if(i32.gtS(left, 0), () => step(1, f.let(firstLanes(f, left))))
      sums.forEach(([first, second], i) => {
        const sum = f.let(f32x4.add(first, second))
        const pairs = f.let(f32x4.add(sum, shuffle32(sum, sum, [2, 3, 2, 3])))
        f.do(v128.store32Lane(out, f32x4.add(pairs, shuffle32(pairs, pairs, [1, 0, 1, 0])), 0, 4 * i))
      })
      f.advance(out, 4 * count)
      f.advance(matrix, i32.mul(row, count))
      f.advance(rows, -count)
    }
    f.while(i32.geS(rows, 4), () => some(4))
    f.while(i32.gtS(rows, 0), () => some(1))
  })
}

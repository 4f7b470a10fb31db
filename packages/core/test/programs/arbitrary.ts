/** Recipes and programs that fast-check draws and shrinks. */
import * as fc from 'fast-check'
import { buildProgram, type RecipeStep, ways } from './build.js'

const step: fc.Arbitrary<RecipeStep> = fc.record({
  group: fc.nat({ max: 2 }),
  pick: fc.nat({ max: 8 * Math.max(...Object.values(ways)) }),
  args: fc.array(fc.nat({ max: 15 }), { minLength: 3, maxLength: 3 }),
  bits: fc.nat({ max: 1023 }),
  mode: fc.nat({ max: 31 }),
})

const shape = fc.oneof(
  { weight: 8, arbitrary: fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 4 }) },
  { weight: 1, arbitrary: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.tuple(fc.integer({ min: 6, max: 19 }), fc.integer({ min: 6, max: 19 })) },
)

export const programs = fc
  .record({
    inputs: fc.array(shape, { minLength: 1, maxLength: 3 }),
    seed: fc.nat({ max: 9999 }),
    steps: fc.array(step, { minLength: 1, maxLength: 9 }),
  })
  .map(buildProgram)

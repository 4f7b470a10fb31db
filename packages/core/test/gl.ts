/**
 * The npm package `gl` for gpu.js' mode `headlessgl`: it has to be compiled, so this repository has an empty one in its place and `COTANGENT_GL` names the
 * folder of a built one.
 */
import { createRequire } from 'node:module'

/** Gives gpu.js that package in the place of the empty one; before gpu.js is loaded. */
export function provideGl(folder = process.env.COTANGENT_GL): void {
  if (!folder) return
  const here = createRequire(import.meta.url)
  const gpujs = createRequire(here.resolve('gpu.js'))
  gpujs('gl')
  const empty = gpujs.cache[gpujs.resolve('gl')]
  if (empty) empty.exports = here(folder)
}

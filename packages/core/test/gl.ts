/**
 * Provides the npm package `gl` for gpu.js' mode `headlessgl`. It has to be compiled, so this repository has an empty package in its place; `COTANGENT_GL`
 * names the folder of a built one.
 */
import { createRequire } from 'node:module'

/** Makes gpu.js load the built package instead of the empty one. Call it before gpu.js is loaded. */
export function provideGl(folder = process.env.COTANGENT_GL): void {
  if (!folder) return
  const here = createRequire(import.meta.url)
  const gpujs = createRequire(here.resolve('gpu.js'))
  gpujs('gl')
  const empty = gpujs.cache[gpujs.resolve('gl')]
  if (empty) empty.exports = here(folder)
}

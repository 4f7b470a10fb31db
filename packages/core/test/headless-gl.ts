/**
 * headless-gl in Node, through the npm package `gl` (gl.ts) and a display. `withoutHeadlessGl` is the reason why it does not run, for the names of skipped tests;
 * empty if it runs.
 */
import { createGpuBackend } from '../src/index.js'
import { provideGl } from './gl.js'

async function reason(): Promise<string> {
  provideGl()
  try {
    await (await createGpuBackend({ mode: 'headlessgl' })).dispose?.()
    return ''
  } catch (error) {
    return ` (skipped: ${(error as Error).message}; COTANGENT_GL names the folder of a built one, and xvfb-run gives a display)`
  }
}
export const withoutHeadlessGl = await reason()

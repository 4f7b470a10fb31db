/** Loads a kernel of one's own from a file, for `bench lens … --variant file.ts`. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Emit, oneLine, VariantError } from './study.js'

/** The `emit` that a file exports as its default. @throws VariantError */
export async function loadVariant(file: string): Promise<Emit> {
  let module: { default?: unknown }
  try {
    module = (await import(/* @vite-ignore */ pathToFileURL(resolve(file)).href)) as typeof module
  } catch (error) {
    throw new VariantError(`${file} cannot be loaded: ${oneLine(error)}`)
  }
  if (typeof module.default !== 'function') throw new VariantError(`${file} must export a function (module, tile) as its default.`)
  return module.default as Emit
}

/** Runs the code of a cell. */
import { runReaderCode } from '../shared/reader-code.js'
import { serve, type Tell } from '../shared/serve.js'
import { pictureModule } from './pictures.js'

export const functions = {
  /** Runs the code; each line that it prints and each picture is told. */
  async run(code: string, tell?: Tell): Promise<void> {
    const core = await import('@cotangent/core')
    const modules: Record<string, unknown> = { '@cotangent/core': core, page: pictureModule((picture) => tell?.(picture)) }
    if (code.includes('@cotangent/layers')) modules['@cotangent/layers'] = await import('@cotangent/layers')
    // A new backend for each run: what the last one left is gone.
    await core.useBackend('wasm')
    await runReaderCode(code, modules, (line) => tell?.(line))
  },
}

serve(functions)

/** Runs the code of a cell. */
import { runReaderCode } from '../shared/reader-code.js'
import { serve, type Tell } from '../shared/serve.js'
import { pictureModule } from './pictures.js'

/** Loaded with the first run. Without fused multiply-add cells print the same digits on every machine: those that the text of the page has. */
let loading: Promise<typeof import('@cotangent/core')> | undefined
const load = async (): Promise<typeof import('@cotangent/core')> => {
  const core = await import('@cotangent/core')
  core.configure({ relaxedSimd: false })
  return core
}

export const functions = {
  /** Runs the code; each line that it prints and each picture is told. */
  async run(code: string, tell?: Tell): Promise<void> {
    loading ??= load()
    const core = await loading
    const modules: Record<string, unknown> = { '@cotangent/core': core, page: pictureModule((picture) => tell?.(picture)) }
    if (code.includes('@cotangent/layers')) modules['@cotangent/layers'] = await import('@cotangent/layers')
    // A new backend for each run: what the last one left is gone.
    await core.useBackend('wasm')
    await runReaderCode(code, modules, (line) => tell?.(line))
  },
}

serve(functions)

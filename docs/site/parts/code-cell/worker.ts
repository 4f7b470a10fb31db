/** Runs the code of a cell. */
import { runReaderCode } from '../shared/reader-code.js'
import { serve, type Tell } from '../shared/serve.js'
import { type Picture, pictureModule } from './pictures.js'

/** Loaded with the first run. Without fused multiply-add cells print the same digits on every machine: those that the text of the page has. */
let loading: Promise<typeof import('@cotangent/core')> | undefined
const load = async (): Promise<typeof import('@cotangent/core')> => {
  const core = await import('@cotangent/core')
  core.configure({ relaxedSimd: false })
  return core
}

/** Lines and pictures that are told. An endless loop that prints falls silent after them, so that it is stopped like any other. */
const MOST = 500

export const functions = {
  /** Runs the code; each line that it prints and each picture is told. */
  async run(code: string, tell?: Tell): Promise<void> {
    loading ??= load()
    const core = await loading
    let told = 0
    const say = (item: string | Picture): void => {
      if (++told <= MOST) tell?.(item)
    }
    const { plot, show } = pictureModule(say)
    // A picture that the code does not wait for is waited for here.
    const drawn: Promise<void>[] = []
    const waited = <A extends unknown[]>(draw: (...values: A) => Promise<void>) => {
      return (...values: A): Promise<void> => {
        const done = draw(...values)
        drawn.push(done)
        return done
      }
    }
    const modules: Record<string, unknown> = { '@cotangent/core': core, page: { plot: waited(plot), show: waited(show) } }
    if (code.includes('@cotangent/layers')) modules['@cotangent/layers'] = await import('@cotangent/layers')
    // A new backend for each run: what the last one left is gone.
    await core.useBackend('wasm')
    await runReaderCode(code, modules, say)
    await Promise.all(drawn)
    if (told > MOST) tell?.(`… and ${told - MOST} more`)
  },
}

serve(functions)

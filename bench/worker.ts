/**
 * The process in which one library runs. It loads the library's adapter, then does what the parent asks, one message at a time.
 *
 * Usage: fork(worker.ts, [library]). Times are taken here, around `run` alone, so messages do not count.
 */
import { type Adapter, type LibraryName, libraryEntry, type Prepared, type Request, type Response } from './adapter.js'
import { measureLimits, mostPressed, pressed } from './probes.js'
import { sampled } from './quiet.js'

/** Sets the threads and vectors of our library's row, whatever the defaults are. */
async function settleEngine(library: string): Promise<void> {
  const { threads, simd256 = false } = libraryEntry(library)
  const { configure } = await import('@cotangent/core')
  configure({ threads, simd256 })
}

async function load(library: string): Promise<Adapter> {
  switch (library.split('#')[0] as LibraryName) {
    case 'cotangent':
    case 'cotangent-2':
    case 'cotangent-256':
    case 'cotangent-256-2':
      await settleEngine(library)
      return (await import('./libraries/cotangent.js')).cotangent()
    case 'cotangent-eager':
      await settleEngine(library)
      return (await import('./libraries/cotangent.js')).cotangent({ runEagerly: true })
    case 'cotangent-core':
    case 'cotangent-core-2':
    case 'cotangent-core-256':
    case 'cotangent-core-by-hand':
      await settleEngine(library)
      return (await import('./libraries/cotangent-core.js')).cotangentCore()
    case 'tfjs-wasm':
      return (await import('./libraries/tfjs.js')).tfjs('wasm')
    case 'tfjs-cpu':
      return (await import('./libraries/tfjs.js')).tfjs('cpu')
    case 'jax':
      return (await import('./libraries/jax.js')).jax()
    case 'gpujs-webasm':
      return (await import('./libraries/gpujs.js')).gpujs('webasm')
    case 'gpujs-cpu':
      return (await import('./libraries/gpujs.js')).gpujs('cpu')
    case 'js-loop':
      return (await import('./libraries/js-loop.js')).jsLoop()
    case 'torch-1':
    case 'torch-2':
    case 'numpy':
      throw new Error('This library runs in Python.')
  }
}

const send = (response: Response): void => {
  process.send?.(response)
}

const fail = (error: unknown): void => {
  send({ type: 'failed', message: error instanceof Error ? error.message : String(error) })
}

try {
  const adapter = await load(process.argv[2])
  const prepared = new Map<boolean, Prepared>() // of the library itself, and by hand

  const answer = async (request: Request): Promise<Response> => {
    if (request.type === 'prepare') {
      const { workload, seed, byHand = false } = request
      prepared.get(byHand)?.dispose()
      prepared.delete(byHand)
      const made = byHand ? await adapter.prepareByHand?.(workload, seed) : await adapter.prepare(workload, seed)
      if (!made) throw new Error(`${workload.name} is not written by hand.`)
      prepared.set(byHand, made)
      return { type: 'ready' }
    }
    if (request.type === 'probe') return { type: 'probed', limits: measureLimits(request.bytes) }
    // maxRSS is in kilobytes; a megabyte here has 2²⁰ bytes.
    if (request.type === 'profile') {
      const ready = prepared.get(false)
      if (!ready) throw new Error('There is no workload to profile.')
      const { profile } = await import('./profile.js')
      return { type: 'profiled', profile: await profile(ready, request.steps) }
    }
    if (request.type === 'count') {
      const ready = prepared.get(false)
      if (!ready) throw new Error('There is no workload to count.')
      const { count } = await import('./counted.js')
      return { type: 'counted', counted: await count(ready, request.steps, request.threads) }
    }
    if (request.type === 'memory') return { type: 'memory', megabytes: process.resourceUsage().maxRSS / 1024 }
    if (request.type === 'results') throw new Error('Results are asked of Python alone.')
    const ready = prepared.get(request.byHand ?? false)
    if (!ready) throw new Error('There is no workload to run.')
    let value = Number.NaN
    const timed = async (steps: number): Promise<number> => {
      const start = performance.now()
      const result = await ready.run(steps)
      const ms = performance.now() - start
      value = typeof result === 'number' ? result : await result()
      return ms
    }
    const samples = await sampled(request.steps, request.chunk, timed, pressed)
    return { type: 'ran', ms: samples.reduce((sum, { ms }) => sum + ms, 0), value, samples, mostPressed: mostPressed() }
  }

  process.on('message', (request: Request) => {
    answer(request).then(send, fail)
  })
  send({ type: 'ready' })
} catch (error) {
  fail(error)
  process.exitCode = 1
  process.disconnect?.()
}

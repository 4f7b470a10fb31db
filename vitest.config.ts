import { existsSync } from 'node:fs'
import { defineConfig } from 'vitest/config'
import type { Reporter, TestModule } from 'vitest/node'
import { provideVulkan } from './packages/core/test/vulkan.js'

provideVulkan()

/** Prints, as the last line, what really ran: `N passed, N failed, N skipped`. */
class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0 }
    for (const module of modules) {
      if (module.children.size === 0 || module.errors().length > 0) count.failed++
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed' || state === 'failed' || state === 'skipped') count[state]++
        else count.failed++
      }
    }
    // After the default reporter's own summary.
    setTimeout(() => console.log(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`), 0)
  }
}

/**
 * Sweeps and trainings on GPU engines in software take longer than all other tests together. Installing the packed packages takes a minute; looking at reports with axe
 * takes another, and so do extreme values of all ops, damaged files and closed pipes together. `npm test` leaves them out, so that it ends within six minutes on two
 * cores; `.ci/run` runs them, and `npm run test:gpu` those of GPUs.
 */
const slow = [
  'packages/*/test/browser/gpu*.test.ts',
  'packages/layers/test/browser/report.test.ts',
  'packages/core/test/gpu/sweep.test.ts',
  'packages/layers/test/packed.test.ts',
  'packages/core/test/extremes.test.ts',
  'packages/layers/test/fuzz.test.ts',
  'examples/test/closed-pipe.test.ts',
]
/**
 * Processes for every library of the bench, and short runs of all programs with results, take several minutes; so do the packed packages on six hosts and in four bundlers,
 * and trainings on the engines of gpu.js in Node (those in a page are among the slow ones). `npm run test:long` alone runs them.
 */
const long = [
  'packages/layers/test/gpu-training.test.ts',
  'packages/layers/test/installs.test.ts',
  'bench/recurrent.test.ts',
  'bench/closed-pipe.test.ts',
  'examples/reproduce/runs.test.ts',
]

/** `ci` and `all` (COTANGENT_TESTS) add to what `npm test` runs. */
const tests = process.env.COTANGENT_GPU_TESTS === 'all' ? 'all' : (process.env.COTANGENT_TESTS ?? '')
/** TypeDoc is one of the site's own dependencies (`npm run site:install`). */
const withoutSite = existsSync('docs/node_modules/typedoc') && tests ? [] : ['docs/site/build/reference.test.ts']
const leftOut = tests === 'all' ? [] : tests === 'ci' ? long : [...slow, ...long]

export default defineConfig({
  resolve: { conditions: ['@cotangent/source'] },
  ssr: { resolve: { conditions: ['@cotangent/source'] } },
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'packages/*/test/**/*.test.ts',
      'examples/**/*.test.ts',
      'bench/**/*.test.ts',
      'docs/site/**/*.test.ts',
    ],
    exclude: ['**/node_modules/**', '**/dist/**', 'bench/peers/**', ...withoutSite, ...leftOut],
    pool: 'forks',
    maxWorkers: '100%', // by default one core is left idle
    env: { COTANGENT_THREADS: '1' }, // tests that want more ask for them
    reporters: ['default', new CountReporter()],
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
})

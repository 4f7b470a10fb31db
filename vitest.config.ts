import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { conditions: ['@cotangent/source'] },
  ssr: { resolve: { conditions: ['@cotangent/source'] } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts', 'examples/**/*.test.ts', 'bench/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', 'bench/peers/**'],
    pool: 'forks',
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})

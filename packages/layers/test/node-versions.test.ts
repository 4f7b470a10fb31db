/**
 * Runs every family of kernels on the newest Node of other versions. V8's optimising compiler changes with each version, and a kernel that it cannot compile ends
 * the process. `npm run nodes:install` puts the binaries where this test looks. COTANGENT_NODES names others, as a list like PATH.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import type { NodeVersionResults } from './node-versions-process.js'

const root = resolve(import.meta.dirname, '../../..')
const installed = ['22', '24', '26']
  .map((major) => join(root, `.nodes/node_modules/node-${major}/bin/node`))
  .filter((path) => existsSync(path))
const nodes = process.env.COTANGENT_NODES?.split(delimiter).filter(Boolean) ?? installed

async function resultsOf(node: string, ...args: string[]): Promise<NodeVersionResults> {
  const program = join(root, 'packages/layers/test/node-versions-process.ts')
  const { stdout, stderr } = await promisify(execFile)(node, ['--conditions=@cotangent/source', '--import', 'tsx', program, ...args], {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '' },
    maxBuffer: 1 << 26,
  })
  // V8 reports an unknown flag or setting here.
  expect(stderr).toBe('')
  return JSON.parse(stdout) as NodeVersionResults
}

if (nodes.length === 0) test.skip('other versions of Node: there are none here (npm run nodes:install)', () => {})
else
  describe('other versions of Node', () => {
    let own: NodeVersionResults
    beforeAll(async () => {
      own = await resultsOf(process.execPath)
      // Derivatives and trainings did run.
      expect(Object.keys(own.ops).length).toBeGreaterThan(100)
    })
    test.each(nodes)('%s: every op and training has the bits of this Node', async (node) => {
      const results = await resultsOf(node)
      expect(results.node).not.toBe(own.node)
      expect(results).toEqual({ ...own, node: results.node })
    })
    test('256 bits have the same bits, in the newest', async () => {
      const results = await resultsOf(nodes[nodes.length - 1], 'simd256')
      expect(results).toEqual({ ...own, node: results.node })
    })
  })
